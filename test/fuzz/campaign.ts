import { GraphQLString } from 'graphql';
import { principalOf } from '../../src/cli/who.js';
import type { Principal } from '../../src/kernel/index.js';
import { TEST_NOW, openTestMesh, type TestMesh } from '../support/mesh.js';
import { canariesOf, leaving } from './canary.js';
import { compare, type Compared } from './compare.js';
import { smaller, writeQuery, type Question, type Selection } from './document.js';
import { QueryGenerator } from './generate.js';
import { makeOdd } from './odd-values.js';
import { Draw } from './random.js';
import { valuesOf } from './values.js';

export const IDENTITIES = ['clinician', 'analyst', 'steward', 'officer', 'engineer'] as const;

/** Callers beside the demo identities: two roles at once, whose grants cover cells row by row, and fewer or other sites. */
export const MIXED: Readonly<Record<string, Principal>> = {
  'steward and officer': { ...principalOf('steward'), sub: 'fuzz-operations', roles: ['steward', 'privacy_officer'] },
  'analyst and engineer': { ...principalOf('analyst'), sub: 'fuzz-research', roles: ['ml_engineer', 'analyst'] },
  'analyst of two sites': { ...principalOf('analyst'), sub: 'fuzz-sites', sites: ['south', 'north'] },
  'clinician of no site': { ...principalOf('clinician'), sub: 'fuzz-nowhere', sites: [] },
};
/** Everybody who asks, by name. */
export const CALLERS = [...IDENTITIES, ...Object.keys(MIXED)];
export const callerOf = (name: string): Principal => MIXED[name] ?? principalOf(name);

const FAULTS = 0.04;
const SHRINKS_MAX = 300;

export interface Finding {
  readonly seed: number;
  readonly who: string;
  readonly kind: 'difference' | 'crash' | 'leak';
  readonly detail: string;
  readonly question: Question;
}

export interface Campaign {
  readonly queries: number;
  readonly identities: number;
  readonly findings: readonly Finding[];
  /** Queries by the path that answered them. */
  readonly paths: Readonly<Record<string, number>>;
  /** Queries that were answered with data. */
  readonly answered: number;
  readonly refusedByCode: Readonly<Record<string, number>>;
  /** Questions that went on to another page with a cursor of their first answer. */
  readonly followed: number;
  readonly canaries: number;
}

/** A mesh one day after the cohort was loaded, so that its own runs can be told from those that were there, with odd values among its rows. */
export async function openFuzzMesh(): Promise<TestMesh> {
  const mesh = await openTestMesh(() => TEST_NOW + 86_400_000);
  // The log of the cohort is not gone on with, so that its records stay as many as they are.
  await mesh.pools.owner.query(`update audit_head set lease_until = 'infinity'`);
  await makeOdd(mesh.pools.owner);
  return mesh;
}

/** Asks `queries` random questions, each of both executors, as the demo identities in turn. Equal seeds ask equal questions. */
export async function runCampaign(mesh: TestMesh, options: { seed: number; queries: number; findingsMax?: number }): Promise<Campaign> {
  const values = await valuesOf(mesh.pools.owner);
  const canaries = await canariesOf(mesh.pools.owner);
  const findings: Finding[] = [];
  const paths: Record<string, number> = {};
  const refusedByCode: Record<string, number> = {};
  let answered = 0;
  let followed = 0;
  let asked = 0;
  for (; asked < options.queries && findings.length < (options.findingsMax ?? 1); asked++) {
    const seed = options.seed + asked;
    const who = CALLERS[asked % CALLERS.length] ?? 'clinician';
    const principal = callerOf(who);
    const generator = new QueryGenerator(mesh.mesh.runtimeFor(principal).schema, values, new Draw(seed), FAULTS);
    let selections: readonly Selection[] = generator.query();
    const judge = async (tried: readonly Selection[]): Promise<{ compared: Compared; fault: Pick<Finding, 'kind' | 'detail'> | null }> => {
      const compared = await compare(mesh, principal, writeQuery(tried));
      return { compared, fault: faultOf(compared, principal.purpose === 'HRESCH' ? canaries.foundIn : () => []) };
    };
    let { compared, fault } = await judge(selections);
    const next = fault ? null : nextPage(selections, compared.answer.data);
    if (next) {
      selections = next;
      followed += 1;
      ({ compared, fault } = await judge(selections));
    }
    paths[compared.path] = (paths[compared.path] ?? 0) + 1;
    if (compared.answer.data !== null) answered += 1;
    for (const { code } of compared.answer.errors) refusedByCode[code] = (refusedByCode[code] ?? 0) + 1;
    if (!fault) continue;
    const smallest = await shrink(selections, async (tried) => (await judge(tried)).fault?.kind === fault.kind);
    const { detail } = (await judge(smallest)).fault ?? fault;
    findings.push({ seed, who, kind: fault.kind, detail, question: writeQuery(smallest) });
  }
  return { queries: asked, identities: CALLERS.length, findings, paths, answered, refusedByCode, followed, canaries: canaries.count };
}

/** The same question from a cursor of its answer on, where a root list told one. */
function nextPage(selections: readonly Selection[], data: unknown): readonly Selection[] | null {
  for (const each of selections) {
    const key = each.alias ?? each.field;
    const cursor = each.given.some((one) => one.name === 'after') ? undefined : cursorIn((data as Record<string, unknown> | null)?.[key]);
    if (cursor === undefined) continue;
    const after = { name: 'after', type: GraphQLString, value: cursor, variable: false };
    return selections.map((other) => ((other.alias ?? other.field) === key ? { ...other, given: [...other.given, after] } : other));
  }
  return null;
}

/** A cursor of the list itself: in its page info or its edges, not in what hangs below a node. */
function cursorIn(list: unknown): string | undefined {
  const parts = typeof list === 'object' && list !== null ? Object.values(list) : [];
  for (const part of parts.flat() as unknown[]) {
    if (typeof part !== 'object' || part === null) continue;
    const found = Object.values(part).find(
      (value) => typeof value === 'string' && Buffer.from(value, 'base64').toString('latin1').startsWith('["'),
    );
    if (typeof found === 'string') return found;
  }
  return undefined;
}

const CRASHES = new Set(['INTERNAL', 'UNAVAILABLE']);

function faultOf(
  { answer, reference, difference }: Compared,
  leaks: (text: string) => readonly string[],
): Pick<Finding, 'kind' | 'detail'> | null {
  const crash = [...answer.errors, ...reference.errors].find((each) => CRASHES.has(each.code));
  if (crash) return { kind: 'crash', detail: `${crash.code} ${crash.message}` };
  const leaked = [...leaks(leaving(answer)), ...leaks(leaving(reference))];
  if (leaked.length > 0) return { kind: 'leak', detail: `${leaked.length} identifiers` };
  return difference === null ? null : { kind: 'difference', detail: difference };
}

async function shrink(
  selections: readonly Selection[],
  fails: (tried: readonly Selection[]) => Promise<boolean>,
): Promise<readonly Selection[]> {
  let smallest = selections;
  let tries = 0;
  search: while (tries < SHRINKS_MAX) {
    for (const tried of smaller(smallest)) {
      if (++tries > SHRINKS_MAX) break search;
      if (await fails(tried)) {
        smallest = tried;
        continue search;
      }
    }
    break;
  }
  return smallest;
}

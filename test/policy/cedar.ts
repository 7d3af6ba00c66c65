/** The part of the policy language that Cedar can say as well, decided by both (P5): roles, purposes, actions, tags, rows by site and confidentiality, forbids, validity. */
import { preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import { GraphQLSchema } from 'graphql';
import { Classification } from '../../src/governance/classification.js';
import { composePolicy } from '../../src/governance/compose-policy.js';
import {
  ACTIONS,
  PURPOSES,
  TAGS,
  type Action,
  type EntityDeclaration,
  type Forbid,
  type Grant,
  type Mask,
  type Predicate,
  type Purpose,
  type Tag,
} from '../../src/kernel/index.js';
import { Draw } from '../fuzz/random.js';
import { asItIs, classFor, type Maker } from './artefacts.js';
import { evaluate, type Asking, type Facts, type Row } from './oracle.js';
import { NOW, SITES } from './world.js';

const ROLES = ['r1', 'r2', 'r3'] as const;
const ALL_TAGS = [...(Object.keys(TAGS) as (keyof typeof TAGS)[])].filter((tag) => tag !== 'root').slice(0, 8);
const LETTERS = ['safeharbor.A', 'safeharbor.C', 'safeharbor.R.text'] as const;
const PURPOSES_ASKED = Object.keys(PURPOSES).slice(0, 3) as Purpose[];
const ACTIONS_ASKED: readonly Action[] = ['read', 'count', 'train'];
const TIMES = [NOW - 1, NOW, NOW + 1].map((at) => new Date(at).toISOString());
const REQUESTS = 250;
const ROWS: EntityDeclaration = {
  kind: 'entity',
  table: 'cell',
  key: ['patient_id'],
  tags: [],
  modality: 'CLINICAL',
  patient: 'patient_id',
  description: '',
};
/** Consent and broken glass are no part of Cedar's side. */
const FACTS: Facts = { permits: () => true, glass: () => false };

export interface CedarReport {
  readonly requests: number;
  readonly policies: number;
  /** Requests that both allow. */
  readonly allowed: number;
  readonly differences: number;
  readonly seed: number;
  readonly findings: readonly CedarFinding[];
}

export interface CedarFinding {
  readonly cedar: string;
  readonly ours: boolean;
  readonly asking: Asking;
  readonly action: Action;
  readonly tags: readonly Tag[];
  readonly row: Readonly<Record<string, unknown>>;
  readonly policy: string;
}

export function compareWithCedar({
  n,
  seed,
  make = asItIs,
}: {
  readonly n: number;
  readonly seed: number;
  readonly make?: Maker;
}): CedarReport {
  const draw = new Draw(seed);
  const findings: CedarFinding[] = [];
  const counted = { requests: 0, policies: 0, allowed: 0, differences: 0 };
  while (counted.requests < n) {
    const grants = Array.from({ length: draw.int(1, 6) }, (_, i) => drawGrant(draw, `g${i}`));
    const forbids = Array.from({ length: draw.pick([0, 0, 1, 2]) }, (_, i) => drawForbid(draw, `f${i}`));
    const text = [...grants.map(permitText), ...forbids.map(forbidText)].join('\n');
    const parsed = preparsePolicySet('policy', { staticPolicies: text });
    if (parsed.type !== 'success') throw new Error(`Cedar refuses ${text}: ${JSON.stringify(parsed.errors)}`);
    const policy = composePolicy([{ grants, forbids }]);
    const classification = new Classification(new GraphQLSchema({}), []);
    counted.policies++;
    for (let i = 0; i < REQUESTS && counted.requests < n;) {
      const asking = drawAsking(draw);
      const policyClass = classFor(make, policy, classification, asking);
      for (let k = 0; k < 10 && counted.requests < n; k++, i++, counted.requests++) {
        const action = draw.pick(ACTIONS_ASKED);
        const tags: Tag[] = [draw.pick(ALL_TAGS), ...draw.some(ALL_TAGS, 0.12), ...draw.some(LETTERS, 0.15)];
        const row: Row = { entity: ROWS, values: { site_id: draw.pick(SITES), sensitivity: draw.int(0, 2), patient_id: 'p' } };
        const ours = policyClass
          .decide(tags, action)
          .alternatives.some((each) => evaluate(policyClass.rowsOn(ROWS, each, action), row, asking, FACTS) === true);
        const cedar = cedarSays(asking, action, tags, row);
        if ((cedar === 'allow') === ours) counted.allowed += ours ? 1 : 0;
        else {
          counted.differences++;
          if (findings.length < 3) findings.push({ cedar, ours, asking, action, tags, row: row.values, policy: text });
        }
      }
    }
  }
  return { ...counted, seed, findings };
}

function drawGrant(draw: Draw, id: string): Grant {
  const share = draw.pick([0.4, 0.7, 0.95]);
  const tags = draw.some(ALL_TAGS, share);
  const masked = draw.some(ALL_TAGS, 0.15);
  return {
    id,
    reason: 'for a test',
    role: draw.pick(ROLES),
    purposes: [draw.pick(PURPOSES_ASKED), ...draw.some(PURPOSES_ASKED, 0.4)],
    actions: draw.some(ACTIONS, 0.6),
    tags: tags.length === 0 ? ['root'] : tags,
    ...(masked.length > 0 ? { masks: Object.fromEntries(masked.map((tag) => [tag, draw.pick<Mask>(['NULL', 'HASH', 'YEAR'])])) } : {}),
    rows: drawRows(draw, 2),
    ...(draw.chance(0.15) ? { obligations: { stepUp: true } } : {}),
    ...(draw.chance(0.2) ? { validFrom: draw.pick(TIMES) } : {}),
    ...(draw.chance(0.2) ? { validTo: draw.pick(TIMES) } : {}),
  };
}

function drawForbid(draw: Draw, id: string): Forbid {
  return {
    id,
    reason: 'for a test',
    role: draw.chance(0.3) ? '*' : draw.pick(ROLES),
    purposes: draw.some(PURPOSES_ASKED, 0.5).concat('TREAT'),
    tags: [draw.pick<Tag>([...ALL_TAGS, ...LETTERS])],
    ...(draw.chance(0.4) ? { actions: draw.some(ACTIONS, 0.5) } : {}),
    ...(draw.chance(0.6) ? { rows: drawRows(draw, 2) } : {}),
    ...(draw.chance(0.2) ? { validFrom: draw.pick(TIMES) } : {}),
    ...(draw.chance(0.2) ? { validTo: draw.pick(TIMES) } : {}),
  };
}

function drawRows(draw: Draw, depth: number): Predicate {
  if (depth === 0 || draw.chance(0.4)) {
    return draw.pick<Predicate>([
      { op: 'true' },
      { op: 'in', attribute: 'site', me: 'sites' },
      { op: 'in', attribute: 'site', me: 'sites' },
      { op: '<=', attribute: 'sensitivity', literal: draw.int(0, 2) },
    ]);
  }
  if (draw.chance(0.25)) return { op: 'except', of: drawRows(draw, depth - 1) };
  return { op: draw.pick(['and', 'or'] as const), of: Array.from({ length: draw.int(1, 3) }, () => drawRows(draw, depth - 1)) };
}

function drawAsking(draw: Draw): Asking {
  const sites = draw.pick<readonly string[] | '*'>(['*', draw.some(SITES, 0.5), draw.some(SITES, 0.5)]);
  return {
    roles: draw.some(ROLES, 0.6),
    actors: [],
    purpose: draw.pick(PURPOSES_ASKED),
    sites,
    sub: 's',
    patient: null,
    steppedUp: draw.chance(0.5),
  };
}

const setOf = (names: readonly string[]): string => `[${names.map((name) => JSON.stringify(name)).join(', ')}]`;
/** Cedar has no set of nothing that it can type; a name that nobody has stands for it. */
const actionsText = (actions: readonly Action[]): string =>
  setOf(actions.length === 0 ? ['none'] : actions).replaceAll(/"(\w+)"/g, 'Action::"$1"');
const headText = (effect: string, role: string, actions: readonly Action[]): string =>
  `${effect}(principal${role === '*' ? '' : ` in Role::"${role}"`}, action in ${actionsText(actions)}, resource)`;

function permitText(grant: Grant): string {
  const actions: readonly Action[] = grant.actions.includes('read') ? [...grant.actions, 'count'] : grant.actions;
  const covered = [...grant.tags, ...Object.keys(grant.masks ?? {})];
  const when = [`${setOf(covered)}.containsAll(resource.tags)`, ...commonText(grant), rowsText(grant.rows)];
  if (grant.obligations?.stepUp === true) when.push('context.steppedUp');
  return `${headText('permit', grant.role, actions)} when { ${when.join(' && ')} };`;
}

function forbidText(forbid: Forbid): string {
  const tagged = `(${setOf(forbid.tags)}.containsAny(resource.tags) || ${setOf(forbid.tags)}.containsAny(resource.letters))`;
  const when = [tagged, ...commonText(forbid), ...(forbid.rows ? [rowsText(forbid.rows)] : [])];
  return `${headText('forbid', forbid.role, forbid.actions ?? ACTIONS)} when { ${when.join(' && ')} };`;
}

function commonText(rule: Grant | Forbid): string[] {
  const terms = [`${setOf(rule.purposes)}.contains(context.purpose)`];
  if (rule.validFrom !== undefined) terms.push(`context.now >= ${Date.parse(rule.validFrom)}`);
  if (rule.validTo !== undefined) terms.push(`context.now < ${Date.parse(rule.validTo)}`);
  return terms;
}

function rowsText(rows: Predicate): string {
  switch (rows.op) {
    case 'and':
    case 'or':
      return `(${rows.of.map(rowsText).join(rows.op === 'and' ? ' && ' : ' || ')})`;
    case 'except':
      return `!(${rowsText(rows.of)})`;
    case 'in':
      return '(context.allSites || principal.sites.contains(resource.site))';
    case '<=':
      return `(resource.sensitivity <= ${rows.literal})`;
    case 'true':
      return 'true';
    default:
      throw new Error(`Cedar's side does not say ${rows.op}`);
  }
}

function cedarSays(asking: Asking, action: Action, tags: readonly Tag[], { values }: Row): string {
  const isLetter = (tag: Tag): boolean => tag.startsWith('safeharbor.');
  const principal = { type: 'User', id: 'u' };
  const resource = { type: 'Cell', id: 'c' };
  const attrs = {
    tags: tags.filter((tag) => !isLetter(tag)),
    letters: tags.filter(isLetter),
    site: String(values['site_id']),
    sensitivity: Number(values['sensitivity']),
  };
  const answer = statefulIsAuthorized({
    principal,
    action: { type: 'Action', id: action },
    resource,
    context: { purpose: asking.purpose, now: NOW, allSites: asking.sites === '*', steppedUp: asking.steppedUp },
    preparsedPolicySetId: 'policy',
    entities: [
      {
        uid: principal,
        attrs: { sites: asking.sites === '*' ? [] : [...asking.sites] },
        parents: asking.roles.map((id) => ({ type: 'Role', id })),
      },
      { uid: resource, attrs, parents: [] },
    ],
  });
  if (answer.type !== 'success') throw new Error(`Cedar does not answer: ${JSON.stringify(answer.errors)}`);
  // A rule that fails is passed over by Cedar, so a fault of the translation would look like a verdict.
  const { decision, diagnostics } = answer.response;
  if (diagnostics.errors.length > 0) throw new Error(`Cedar fails on a rule: ${JSON.stringify(diagnostics.errors)}`);
  return decision;
}

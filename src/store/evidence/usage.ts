import type { Pool } from 'pg';
import type { LineageEdge } from '../../kernel/index.js';
import type { Act, Who } from './columns.js';
import { chosen, pieces, type PieceRequest } from './pieces.js';

/** Runs of one plan by one caller for one purpose, summed. Instants are milliseconds since 1970. */
export interface Usage {
  /** Digest of the plan; null where there was none. */
  readonly plan: string | null;
  readonly principal: string;
  readonly roles: readonly string[];
  readonly purpose: string;
  readonly recipient: string | null;
  readonly kind: string;
  /** Stable code of a refusal. */
  readonly code: string | null;
  runs: number;
  rows: number;
  firstAt: number;
  lastAt: number;
}

/** What stands on a column: where the schema shows it, and who asked what of it. */
export interface Impact {
  readonly source: string;
  readonly coordinates: readonly Pick<LineageEdge, 'coordinate' | 'type' | 'masking'>[];
  /** Documents without literals, by the digest of their plan; plans under several versions of the policy have digests of their own. */
  readonly plans: readonly { readonly digest: string; readonly document: string }[];
  readonly usage: readonly Usage[];
}

/** Numbers things by what they say, over all pieces. */
class Interned<T> {
  readonly entries: T[] = [];
  private readonly known = new Map<string, number>();

  of(values: readonly T[]): number[] {
    return values.map((value) => {
      const key = JSON.stringify(value);
      const known = this.known.get(key) ?? this.entries.push(value) - 1;
      this.known.set(key, known);
      return known;
    });
  }
}

type Caller = Pick<Who, 'principal' | 'roles' | 'purpose' | 'recipient'>;
type Deed = Omit<Act, 'told'>;
const callerOf = ({ principal, roles, purpose, recipient }: Who): Caller => ({ principal, roles, purpose, recipient });
const deedOf = ({ kind, code }: Act): Deed => ({ kind, code });

/** Sums of runs in a range; of certain plans or of all, about one person or anybody. Ordered by first use. */
async function usage(pool: Pool, request: PieceRequest, plans: ReadonlySet<string> | null): Promise<Usage[]> {
  const [planNames, callers, deeds] = [new Interned<string | null>(), new Interned<Caller>(), new Interned<Deed>()];
  const sums = new Map<number, Usage>();
  for await (const piece of pieces(pool, request)) {
    const { dictionaries, index, at, rows } = piece.columns;
    const wanted = dictionaries.plan.map((plan) => plans === null || (plan !== null && plans.has(plan)));
    if (!wanted.includes(true)) continue;
    const planIds = planNames.of(dictionaries.plan);
    const callerIds = callers.of(dictionaries.who.map(callerOf));
    const deedIds = deeds.of(dictionaries.act.map(deedOf));
    for (const i of chosen(piece, request)) {
      const plan = index.plan[i] ?? 0;
      if (wanted[plan] !== true) continue;
      const [p, c, d] = [planIds[plan] ?? 0, callerIds[index.who[i] ?? 0] ?? 0, deedIds[index.act[i] ?? 0] ?? 0];
      const key = (p * 0x100000 + c) * 0x800 + d;
      const when = at[i] ?? 0;
      const sum = sums.get(key);
      if (sum) {
        sum.runs += 1;
        sum.rows += rows[i] ?? 0;
        sum.firstAt = Math.min(sum.firstAt, when);
        sum.lastAt = Math.max(sum.lastAt, when);
        continue;
      }
      const caller = callers.entries[c];
      const deed = deeds.entries[d];
      if (!caller || !deed) throw new Error('a packed record points nowhere');
      sums.set(key, { plan: planNames.entries[p] ?? null, ...caller, ...deed, runs: 1, rows: rows[i] ?? 0, firstAt: when, lastAt: when });
    }
  }
  return [...sums.values()].sort((a, b) => a.firstAt - b.firstAt);
}

interface PlanRow {
  readonly digest: string;
  readonly document: string;
  readonly columns: readonly LineageEdge[];
}

const plansOver = async (pool: Pool, source: string): Promise<PlanRow[]> =>
  (
    await pool.query<PlanRow>(
      'select plan_digest as digest, document, columns from lineage_plan where columns @> $1::jsonb order by plan_digest',
      [JSON.stringify([{ source }])],
    )
  ).rows;

/** What a change of one column ('table.column') touches: who read it, or was filtered by it, in a range of time. */
export async function impact(pool: Pool, source: string, from: number, to: number): Promise<Impact> {
  const plans = await plansOver(pool, source);
  const edges = plans.flatMap((plan) => plan.columns.filter((column) => column.source === source));
  const coordinates = new Map(
    edges.map(({ coordinate, type, masking }) => [`${coordinate} ${type} ${String(masking)}`, { coordinate, type, masking }]),
  );
  const digests = plans.map((plan) => plan.digest);
  return {
    source,
    coordinates: [...coordinates].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each),
    plans: plans.map(({ digest, document }) => ({ digest, document })),
    usage: plans.length === 0 ? [] : await runsOf(pool, digests, from, to),
  };
}

/** Runs of plans, summed. */
export const runsOf = (pool: Pool, digests: readonly string[], from: number, to: number): Promise<Usage[]> =>
  usage(pool, { from, to }, new Set(digests));

/** Use of columns ('table.column'); one that nobody used has none. */
export async function usageOf(
  pool: Pool,
  columns: readonly string[],
  from: number,
  to: number,
): Promise<ReadonlyMap<string, readonly Usage[]>> {
  const plans = await Promise.all(columns.map(async (source) => new Set((await plansOver(pool, source)).map((plan) => plan.digest))));
  const all = await runsOf(
    pool,
    plans.flatMap((digests) => [...digests]),
    from,
    to,
  );
  return new Map(columns.map((column, i) => [column, all.filter((each) => each.plan !== null && plans[i]?.has(each.plan) === true)]));
}

/** Who asked for something that a person stood behind, summed; refusals are lines of their own. */
export const whoSaw = (pool: Pool, ordinal: number, from: number, to: number): Promise<Usage[]> => usage(pool, { from, to, ordinal }, null);

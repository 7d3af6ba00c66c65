import type { Pool, PoolClient } from 'pg';
import { CodedError } from '../kernel/index.js';

/** What one answer discloses to one recipient. */
export interface BulkCharge {
  /** Id of the recipient. */
  readonly recipient: string;
  /** True where thresholds hold the recipient back. */
  readonly flagged: boolean;
  readonly categories: readonly string[];
  /** Ordinals of the persons behind the answer. */
  readonly ordinals: readonly number[];
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Persons that a recipient holds data of within the window. */
export interface BulkHoldings {
  readonly categories: Readonly<Record<string, number>>;
  /** Of any category, each once. */
  readonly persons: number;
}

/** The rule, as the evidence room provides it; named here by shape, since rooms meet through the kernel only. */
export interface BulkLimits {
  readonly windowMonths: number;
  exceeded(holdings: BulkHoldings): { readonly category: string; readonly threshold: number } | null;
}

/** Persons by category and the day on which the first of them falls out of the window (UTC, YYYY-MM-DD); empty where nothing is held. */
export interface BulkReading extends BulkHoldings {
  /** First day that counts. */
  readonly since: string;
  readonly fallsOut: Readonly<Record<string, string>>;
  /** The same for all categories together. */
  readonly firstFallsOut: string | null;
}

export interface BulkMeter {
  /** True where some of the charges may have to be written; without any, there is nothing to be done. */
  isNew(charges: readonly BulkCharge[]): boolean;
  /**
   * Writes what is new of the charges, inside the caller's transaction, and returns what to call once it is committed. Throws BULK_LIMIT, with the index
   * of the charge as its place, where a flagged recipient would hold more persons than a threshold; the transaction must be rolled back then.
   * Two transactions with charges of one flagged recipient wait for each other.
   */
  meterStatements(client: Pick<PoolClient, 'query'>, charges: readonly BulkCharge[]): Promise<() => void>;
}

/** Persons that are remembered as metered today, so that they cost no write. */
const REMEMBERED_MAX = 2_000_000;
const LOCKS = 5;

/** The meter of one process (28 CFR 202.205): exact sets by recipient and category, in days of UTC. */
export function bulkMeter(limits: BulkLimits): BulkMeter {
  const today = new MeteredToday();
  return {
    isNew: (charges) => charges.some((charge) => today.without(charge).length > 0),
    async meterStatements(client, charges) {
      const fresh = charges.map((charge, index) => ({ charge, index, rows: today.without(charge) })).filter(({ rows }) => rows.length > 0);
      // Always in one order, so that two transactions never wait for each other in a circle.
      const flagged = fresh
        .filter(({ charge }) => charge.flagged)
        .sort((a, b) => order(a.charge.recipient, b.charge.recipient) || a.index - b.index);
      for (const { charge, index, rows } of flagged) {
        await client.query('select pg_advisory_xact_lock(hashtextextended($1, $2))', [charge.recipient, LOCKS]);
        await upsert(client, rows);
        const passed = limits.exceeded(await holdingsOf(client, charge, limits.windowMonths));
        if (passed)
          throw new CodedError('BULK_LIMIT', `The recipient would hold ${passed.category} data of more than ${passed.threshold} persons.`, {
            place: `charges[${index}]`,
          });
      }
      const others = fresh.filter(({ charge }) => !charge.flagged).flatMap(({ rows }) => rows);
      if (others.length > 0) await upsert(client, others);
      return () => {
        for (const { charge } of fresh) today.add(charge);
      };
    },
  };
}

/** What a recipient holds at an instant (milliseconds since 1970). */
export async function readBulkMeter(pool: Pick<Pool, 'query'>, recipient: string, at: number, windowMonths: number): Promise<BulkReading> {
  const { rows } = await pool.query<{ category: string | null; persons: number; out: string; since: string }>(
    `with held as (select category, ordinal, last_day from bulk_meter where recipient = $1 and last_day >= ${SINCE} and last_day <= $2::date),
       per_person as (select ordinal, max(last_day) as last_day from held group by ordinal),
       counts as (select category, count(*)::int as persons, min(last_day) as oldest from held group by category
         union all select null, count(*)::int, min(last_day) from per_person)
     select category, persons, to_char(oldest + make_interval(months => $3) + interval '1 day', 'YYYY-MM-DD') as out, to_char(${SINCE}, 'YYYY-MM-DD') as since
     from counts order by category nulls last`,
    [recipient, dayOf(at), windowMonths],
  );
  const all = rows.at(-1);
  const each = rows.filter((row): row is typeof row & { category: string } => row.category !== null);
  return {
    categories: Object.fromEntries(each.map((row) => [row.category, row.persons])),
    persons: all?.persons ?? 0,
    since: all?.since ?? dayOf(at),
    fallsOut: Object.fromEntries(each.map((row) => [row.category, row.out])),
    firstFallsOut: all && all.persons > 0 ? all.out : null,
  };
}

/** The day of the charge twelve months before still counts; of 29 February the 28th. */
const SINCE = '($2::date - make_interval(months => $3))::date';

async function holdingsOf(client: Pick<PoolClient, 'query'>, { recipient, at }: BulkCharge, windowMonths: number): Promise<BulkHoldings> {
  const { rows } = await client.query<{ category: string | null; persons: number }>({
    name: 'bulk_holdings',
    text: `with held as (select category, ordinal from bulk_meter where recipient = $1 and last_day >= ${SINCE})
      select category, count(*)::int as persons from held group by category
      union all select null, count(*)::int from (select distinct ordinal from held) persons`,
    values: [recipient, dayOf(at), windowMonths],
  });
  const categories = rows.flatMap(({ category, persons }) => (category === null ? [] : [[category, persons] as const]));
  return { categories: Object.fromEntries(categories), persons: rows.find((row) => row.category === null)?.persons ?? 0 };
}

interface MeterRow {
  readonly recipient: string;
  readonly category: string;
  readonly ordinal: number;
  readonly day: string;
}

async function upsert(client: Pick<PoolClient, 'query'>, rows: readonly MeterRow[]): Promise<void> {
  await client.query({
    name: 'bulk_meter',
    text: `insert into bulk_meter (recipient, category, ordinal, last_day)
      select recipient, category, ordinal, max(day) from unnest($1::text[], $2::text[], $3::int[], $4::date[]) as t(recipient, category, ordinal, day)
      group by recipient, category, ordinal order by recipient collate "C", category collate "C", ordinal
      on conflict (recipient, category, ordinal) do update set last_day = excluded.last_day where bulk_meter.last_day < excluded.last_day`,
    values: [rows.map((r) => r.recipient), rows.map((r) => r.category), rows.map((r) => r.ordinal), rows.map((r) => r.day)],
  });
}

/** Who was metered on the present day already. It forgets with the day, and all at once when it grows too large. */
class MeteredToday {
  private day = '';
  private size = 0;
  private readonly known = new Map<string, Set<number>>();

  /** Rows of a charge that may not be written yet. */
  without(charge: BulkCharge): MeterRow[] {
    const day = dayOf(charge.at);
    const { recipient } = charge;
    return [...new Set(charge.categories)].flatMap((category) => {
      const known = day === this.day ? this.known.get(keyOf(charge, category)) : undefined;
      return [...new Set(charge.ordinals)]
        .filter((ordinal) => known?.has(ordinal) !== true)
        .map((ordinal) => ({ recipient, category, ordinal, day }));
    });
  }

  add(charge: BulkCharge): void {
    const day = dayOf(charge.at);
    if (day < this.day) return;
    if (day > this.day || this.size > REMEMBERED_MAX) this.forget(day);
    for (const category of charge.categories) {
      const key = keyOf(charge, category);
      const known = this.known.get(key) ?? new Set<number>();
      this.known.set(key, known);
      for (const ordinal of charge.ordinals) {
        if (known.has(ordinal)) continue;
        known.add(ordinal);
        this.size += 1;
      }
    }
  }

  private forget(day: string): void {
    this.day = day;
    this.size = 0;
    this.known.clear();
  }
}

/** Whoever becomes flagged is looked at anew: what was metered before was not held against a threshold. */
const keyOf = ({ recipient, flagged }: BulkCharge, category: string): string => `${flagged ? 'flagged' : 'free'} ${category} ${recipient}`;

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

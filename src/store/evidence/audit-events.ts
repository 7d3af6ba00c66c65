import type { Pool } from 'pg';
import { decodeOrdinals } from '../../kernel/index.js';
import type { ColdRecords } from './cold.js';
import { chosen, pieces } from './pieces.js';
import type { StoredLogRecord } from './run-source.js';

/** Which runs are wanted; instants are milliseconds since 1970, from the first on and before the second. */
export interface RunFilter {
  readonly from: number | null;
  readonly to: number | null;
  readonly principal: string | null;
  /** A person behind the run. */
  readonly ordinal: number | null;
  readonly runId: string | null;
}

/** A place among runs, the newest first. */
export interface RunPlace {
  readonly at: number;
  readonly runId: string;
}

interface Behind {
  readonly place: RunPlace;
  readonly including: boolean;
}

export interface FoundRun<K extends string = string> {
  readonly at: number;
  readonly record: StoredLogRecord<K>;
  /** Of the persons behind it, in their order. */
  readonly ordinals: readonly number[];
}

interface Row {
  readonly runId: string;
  readonly at: Date;
  readonly record: string | null;
  readonly ordinals: Buffer | null;
}

const SELECT = `select r.run_id as "runId", r.at, a.record, s.ordinals from lineage_run r
  left join audit_log a on a.log_id = r.log_id and a.seq = r.log_seq left join lineage_patient_set s using (set_digest)`;

const comesAfter = (a: RunPlace, b: RunPlace): boolean => a.at < b.at || (a.at === b.at && a.runId < b.runId);

/** Runs of all logs with the persons behind them, for events about who did what. */
export class AuditRuns {
  constructor(
    private readonly pool: Pool,
    private readonly cold: ColdRecords,
  ) {}

  /**
   * The newest first, beginning behind a place, or at it where `including`. Runs about one person and single runs are found in rows and packed; a search
   * by nothing but time and principal ends where rows do.
   */
  async page<K extends string>(filter: RunFilter, after: Behind | null, limit: number): Promise<FoundRun<K>[]> {
    if (filter.runId !== null) {
      const found = await this.byIds<K>([filter.runId]);
      return found.filter((run) => matches(filter, run) && (after === null || isBehind(run, after)));
    }
    return filter.ordinal === null ? this.newest<K>(filter, after, limit) : this.about<K>(filter, filter.ordinal, after, limit);
  }

  private async newest<K extends string>({ from, to, principal }: RunFilter, after: Behind | null, limit: number): Promise<FoundRun<K>[]> {
    const { rows } = await this.pool.query<Row>(
      `${SELECT} where r.at >= $1 and r.at < $2 and (r.at, r.run_id) ${after?.including === true ? '<=' : '<'} ($3, $4::uuid)
         ${principal === null ? 'and $5::text is null' : 'and r.principal = $5'} order by r.at desc, r.run_id desc limit $6`,
      [
        new Date(from ?? 0),
        new Date(to ?? LAST_INSTANT),
        new Date(after?.place.at ?? LAST_INSTANT),
        after?.place.runId ?? LAST_RUN,
        principal,
        limit,
      ],
    );
    return rows.flatMap((row) => foundRun<K>(row));
  }

  private async about<K extends string>(filter: RunFilter, ordinal: number, after: Behind | null, limit: number): Promise<FoundRun<K>[]> {
    const request = { from: filter.from ?? 0, to: filter.to ?? LAST_INSTANT, ordinal, runs: true };
    const places: RunPlace[] = [];
    for await (const piece of pieces(this.pool, request)) {
      const { dictionaries, index, at } = piece.columns;
      for (const i of chosen(piece, request)) {
        const principal = dictionaries.who[index.who[i] ?? 0]?.principal;
        if (filter.principal !== null && filter.principal !== principal) continue;
        const place = { at: at[i] ?? 0, runId: piece.runAt(i) };
        if (after === null || isBehind({ at: place.at, record: { run: place.runId } }, after)) places.push(place);
      }
    }
    places.sort((a, b) => (comesAfter(a, b) ? 1 : -1));
    return this.byIds<K>(places.slice(0, limit).map((place) => place.runId));
  }

  /** Runs by their ids, the newest first. */
  private async byIds<K extends string>(ids: readonly string[]): Promise<FoundRun<K>[]> {
    const { rows } = await this.pool.query<Row>(`${SELECT} where r.run_id = any($1::uuid[])`, [ids]);
    const found = rows.flatMap((row) => foundRun<K>(row));
    const known = new Set(found.map((run) => run.record.run));
    for (const id of ids) {
      const packed = known.has(id) ? null : await this.cold.run(id);
      if (packed) {
        const record = packed.record as StoredLogRecord<K>;
        found.push({ at: Date.parse(record.at), record, ordinals: packed.ordinals ? decodeOrdinals(packed.ordinals) : [] });
      }
    }
    return found.sort((a, b) => (comesAfter(placeOf(a), placeOf(b)) ? 1 : -1));
  }
}

const LAST_INSTANT = Date.parse('9999-12-31T00:00:00Z');
const LAST_RUN = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

const placeOf = ({ at, record }: FoundRun): RunPlace => ({ at, runId: record.run });

function isBehind(run: { readonly at: number; readonly record: { readonly run: string } }, { place, including }: Behind): boolean {
  const here = { at: run.at, runId: run.record.run };
  return comesAfter(here, place) || (including && here.at === place.at && here.runId === place.runId);
}

const matches = ({ from, to, principal, ordinal }: RunFilter, { at, record, ordinals }: FoundRun): boolean =>
  (from === null || at >= from) &&
  (to === null || at < to) &&
  (principal === null || principal === record.principal) &&
  (ordinal === null || ordinals.includes(ordinal));

function foundRun<K extends string>({ at, record, ordinals }: Row): FoundRun<K>[] {
  if (record === null) return [];
  return [{ at: at.getTime(), record: JSON.parse(record) as StoredLogRecord<K>, ordinals: ordinals ? decodeOrdinals(ordinals) : [] }];
}

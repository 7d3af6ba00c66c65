import type { Pool } from 'pg';
import { encodeOrdinals } from '../../kernel/index.js';
import { decodeColumns, decodeRuns, recordText, type LogRecord } from './columns.js';
import { setsOf } from './postings.js';
import { leafOf, unpackSegment } from './segments.js';

export interface StoredRecord {
  readonly seq: number;
  /** Empty where it was purged: its hash remains. */
  readonly record: string;
  /** Hash of the leaf as it was stored. */
  readonly leaf: Buffer;
}

/** Segments kept unpacked. */
const KEPT = 4;

interface SegmentRow {
  readonly sets: number;
  readonly records: number;
  readonly columns: Buffer | null;
  readonly runs: Buffer | null;
  readonly rest: Buffer | null;
  readonly hashes: Buffer | null;
}

interface Found {
  readonly logId: string;
  readonly record: LogRecord;
  readonly ordinals: Buffer | null;
}

/** Records that are no rows any more, as if they were. */
export class ColdRecords {
  private readonly kept = new Map<string, readonly StoredRecord[]>();

  constructor(private readonly pool: Pool) {}

  /** The records of the segment that holds one of them; none where it is not cold. */
  async around(logId: string, seq: number): Promise<readonly StoredRecord[]> {
    const { rows } = await this.pool.query<{ first: string; purged: boolean }>(
      'select first_seq as first, purged_at is not null as purged from audit_segment where log_id = $1 and first_seq <= $2 and cold order by first_seq desc limit 1',
      [logId, seq],
    );
    const [row] = rows;
    if (!row) return [];
    const records = await this.recordsOf(logId, Number(row.first), row.purged);
    return seq < Number(row.first) + records.length ? records : [];
  }

  /** What was purged, by whichever process, is not told from memory. */
  async recordsOf(logId: string, firstSeq: number, purged = false): Promise<readonly StoredRecord[]> {
    const name = `${logId}/${firstSeq}/${purged}`;
    const known = this.kept.get(name);
    if (known) return known;
    const made = await this.unpack(logId, firstSeq);
    const [oldest] = this.kept.keys();
    if (this.kept.size >= KEPT && oldest !== undefined) this.kept.delete(oldest);
    this.kept.set(name, made);
    return made;
  }

  private async unpack(logId: string, firstSeq: number): Promise<readonly StoredRecord[]> {
    const row = await this.segment(logId, firstSeq);
    const { columns, runs, rest, hashes } = row;
    if (hashes)
      return Array.from({ length: row.records }, (_, i) => ({
        seq: firstSeq + i,
        record: '',
        leaf: hashes.subarray(i * 32, (i + 1) * 32),
      }));
    if (!columns || !runs || !rest) throw new Error('a segment lacks its columns');
    const split = unpackSegment({ columns, runs, rest, sets: row.sets, postings: await this.postings(logId, firstSeq) });
    return Array.from({ length: row.records }, (_, i) => {
      const record = recordText(split, firstSeq, i);
      return { seq: firstSeq + i, record, leaf: leafOf(record) };
    });
  }

  /** The record of a run whose rows are gone, with the set of its persons; null where there is none. */
  async run(runId: string): Promise<Found | null> {
    const { rows } = await this.pool.query<{ log: string; first: string; columns: Buffer; runs: Buffer }>(
      `select log_id as log, first_seq as first, columns, runs from audit_segment
        where cold and purged_at is null and run_first <= $1 and run_last >= $1`,
      [runId],
    );
    for (const { log, first, columns, runs } of rows) {
      const decoded = decodeColumns(columns);
      const runAt = decodeRuns(runs, decoded);
      for (let i = 0; i < decoded.count; i++) if (runAt(i) === runId) return this.found(log, Number(first), i, decoded.set[i] ?? 0);
    }
    return null;
  }

  private async found(logId: string, firstSeq: number, i: number, set: number): Promise<Found> {
    const { columns, runs, rest, sets } = await this.segment(logId, firstSeq);
    if (!columns || !runs || !rest) throw new Error('a segment lacks its columns');
    const postings = await this.postings(logId, firstSeq);
    const split = unpackSegment({ columns, runs, rest, sets, postings });
    const ordinals = set === 0 ? null : encodeOrdinals(setsOf(postings, sets)[set - 1] ?? []);
    return { logId, record: JSON.parse(recordText(split, firstSeq, i)) as LogRecord, ordinals };
  }

  private async segment(logId: string, firstSeq: number): Promise<SegmentRow> {
    const { rows } = await this.pool.query<SegmentRow>(
      'select records, sets, columns, runs, rest, hashes from audit_segment where log_id = $1 and first_seq = $2',
      [logId, firstSeq],
    );
    if (!rows[0]) throw new Error('there is no such segment');
    return rows[0];
  }

  private async postings(logId: string, firstSeq: number): Promise<readonly { ordinals: readonly number[]; sets: Buffer }[]> {
    const { rows } = await this.pool.query<{ ordinals: number[]; sets: Buffer }>(
      'select ordinals, sets from audit_posting where log_id = $1 and first_seq = $2 order by person_group',
      [logId, firstSeq],
    );
    return rows;
  }
}

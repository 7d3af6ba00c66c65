import type { Pool } from 'pg';
import { ColdRecords } from './cold.js';
import { buildSegment, insertSegment, leafOf } from './segments.js';

const DAY_MS = 86_400_000;
/** Records stay as rows for so long. */
export const HOT_DAYS = 400;
const BUNDLE_RECORDS = 256;
const SEGMENT_RECORDS = 8_192;

export interface RollUpOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Records stay as rows for so long; 400 days where it is not said, and never less than 30 days of the database's clock. */
  readonly hotDays?: number;
  /** A power of two from 256 on: so many records are packed together. */
  readonly segmentRecords?: number;
}

export interface RolledUp {
  /** Segments that were packed and indexed in this run. */
  readonly packed: number;
  /** Bundles of 256 records whose rows went, and their records. */
  readonly bundles: number;
  readonly records: number;
}

/**
 * Packs the full segments of every log, so that questions about a person are fast, and takes away the rows of those that are old. Each step is a
 * transaction of its own and may be repeated: a crash between two of them loses nothing. The caller makes a record of it.
 * Throws EvidenceBroken, and goes no further, where the log is not what it says.
 */
export async function rollUp(pool: Pool, { now, hotDays = HOT_DAYS, segmentRecords = SEGMENT_RECORDS }: RollUpOptions): Promise<RolledUp> {
  if (segmentRecords < BUNDLE_RECORDS || !Number.isInteger(Math.log2(segmentRecords)))
    throw new RangeError('a segment is a power of two from 256 on');
  let packed = 0;
  const logs = await pool.query<{ log: string; size: string; next: string }>(
    `select h.log_id as log, h.size, coalesce((select max(first_seq + records) from audit_segment s where s.log_id = h.log_id), 0) as next from audit_head h`,
  );
  for (const { log, size, next } of logs.rows)
    for (let from = Number(next); from + segmentRecords <= Number(size); from += segmentRecords)
      if (await insertSegment(pool, await buildSegment(pool, log, from, segmentRecords))) packed += 1;
  let records = 0;
  const old = await pool.query<{ log: string; first: string }>(
    'select log_id as log, first_seq as first from audit_segment where not cold and last_at < $1 order by last_at',
    [new Date(now - hotDays * DAY_MS)],
  );
  for (const { log, first } of old.rows) {
    const { rows } = await pool.query<{ gone: number }>('select roll_up_segment($1, $2) as gone', [log, first]);
    records += rows[0]?.gone ?? 0;
  }
  return { packed, bundles: records / BUNDLE_RECORDS, records };
}

export interface PurgeOptions {
  /** Everything in a segment that goes is from before this instant (milliseconds since 1970). */
  readonly before: number;
}

export interface Purged {
  readonly segments: number;
  readonly records: number;
  /** Segments that stay since they are held. */
  readonly held: number;
}

/** What Postgres says where the purge is refused. */
const REFUSED = '55006';

/**
 * Takes away what records say, not their hashes: the tree and proofs stay valid. Asks for what is younger than six years are refused by the database
 * (its own clock), and so is what a hold covers. The caller makes a record of it.
 */
export async function purgeEvidence(pool: Pool, { before }: PurgeOptions): Promise<Purged> {
  const { rows } = await pool.query<{ log: string; first: string; young: boolean }>(
    `select log_id as log, first_seq as first, last_at > now() - interval '6 years' as young from audit_segment
      where cold and purged_at is null and last_at < $1 order by last_at`,
    [new Date(before)],
  );
  if (rows.some((row) => row.young)) throw new RangeError('evidence is kept for six years');
  let segments = 0;
  let records = 0;
  let held = 0;
  const cold = new ColdRecords(pool);
  for (const { log, first } of rows) {
    const leaves = (await cold.recordsOf(log, Number(first))).map((record) => leafOf(record.record));
    try {
      const done = await pool.query<{ gone: number }>('select purge_segment($1, $2, $3) as gone', [log, first, Buffer.concat(leaves)]);
      segments += 1;
      records += done.rows[0]?.gone ?? 0;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === REFUSED)) throw error;
      held += 1;
    }
  }
  return { segments, records, held };
}

/** What a hold keeps: everything, or the segments in which a person (ordinal), a recipient or a purpose occurs. */
export interface EvidenceHold {
  readonly id: string;
  readonly scope: 'all' | 'person' | 'recipient' | 'purpose';
  readonly subject: string;
  readonly by: string;
  readonly at: number;
  readonly reason: string;
}

export async function holdEvidence(pool: Pool, hold: EvidenceHold): Promise<void> {
  if (hold.scope === 'person' && !/^\d{1,9}$/.test(hold.subject)) throw new RangeError('a person is named by ordinal');
  await pool.query(`insert into evidence_hold (hold_id, event, scope, subject, by, at, reason) values ($1, 'placed', $2, $3, $4, $5, $6)`, [
    hold.id,
    hold.scope,
    hold.subject,
    hold.by,
    new Date(hold.at),
    hold.reason,
  ]);
}

/** False where none of that id is live. */
export async function releaseEvidence(pool: Pool, end: Pick<EvidenceHold, 'id' | 'by' | 'at' | 'reason'>): Promise<boolean> {
  const { rowCount } = await pool.query(
    `insert into evidence_hold (hold_id, event, scope, subject, by, at, reason)
     select hold_id, 'ended', scope, subject, $2, $3, $4 from evidence_hold where hold_id = $1 and event = 'placed' on conflict do nothing`,
    [end.id, end.by, new Date(end.at), end.reason],
  );
  return rowCount === 1;
}

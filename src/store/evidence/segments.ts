import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Pool } from 'pg';
import { digestOf, encodeOrdinals } from '../../kernel/index.js';
import {
  decodeColumns,
  decodeRest,
  encodeColumns,
  encodeRest,
  encodeRuns,
  recordText,
  splitRecords,
  type LogRecord,
  type Split,
} from './columns.js';
import { postingsOf, setsOf, type PostingRow } from './postings.js';

/** A full piece of a log, packed. */
export interface Segment {
  readonly logId: string;
  readonly firstSeq: number;
  readonly records: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly runFirst: string;
  readonly runLast: string;
  readonly root: Buffer;
  readonly sets: number;
  readonly recipients: readonly string[];
  readonly purposes: readonly string[];
  readonly columns: Buffer;
  readonly runs: Buffer;
  readonly rest: Buffer;
  readonly postings: readonly PostingRow[];
}

/** Records that share one turn of the event loop. */
const TURN_RECORDS = 512;

const sha256 = (...parts: readonly (Buffer | string)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

/** RFC 6962. */
export const leafOf = (record: string): Buffer => sha256(LEAF, record);

/** Root of a perfect tree. */
export function rootOf(leaves: readonly Buffer[]): Buffer {
  let level = leaves;
  while (level.length > 1) {
    const next: Buffer[] = [];
    for (let i = 0; i + 1 < level.length; i += 2) next.push(sha256(NODE, level[i] ?? '', level[i + 1] ?? ''));
    level = next;
  }
  return level[0] ?? sha256('');
}

/** Evidence that is there is not what the log says. Nothing was changed. */
export class EvidenceBroken extends Error {}

interface HotRow {
  readonly seq: string;
  readonly record: string;
  readonly hash: Buffer;
}

/** Packs records [firstSeq, firstSeq + records) of a log. Throws EvidenceBroken where a record, or a set, is not what its digest says. */
export async function buildSegment(pool: Pool, logId: string, firstSeq: number, records: number): Promise<Segment> {
  const { rows } = await pool.query<HotRow>(
    'select seq, record, hash from audit_log where log_id = $1 and seq >= $2 and seq < $3 order by seq',
    [logId, firstSeq, firstSeq + records],
  );
  if (rows.length !== records) throw new EvidenceBroken('the log lacks records');
  const parsed: LogRecord[] = [];
  for (const [i, row] of rows.entries()) {
    if (!leafOf(row.record).equals(row.hash)) throw new EvidenceBroken('a record is not what its leaf says');
    parsed.push(JSON.parse(row.record) as LogRecord);
    if (i % TURN_RECORDS === 0) await turn();
  }
  const split = splitRecords(parsed);
  const { columns, rest } = split;
  const packed = { columns: await encodeColumns(columns), runs: encodeRuns(rest.run, columns.at), rest: await encodeRest(rest) };
  await turn();
  const postings = postingsOf(await hotSets(pool, split.sets));
  await turn();
  // What is packed is taken at its word only after it gave every record back, byte for byte.
  const again = unpackSegment({ ...packed, sets: split.sets.length, postings });
  for (const [i, row] of rows.entries()) {
    if (recordText(again, firstSeq, i) !== row.record) throw new EvidenceBroken('a record cannot be packed');
    if (i % TURN_RECORDS === 0) await turn();
  }
  const runs = rest.run.toSorted();
  const who = columns.dictionaries.who;
  return {
    logId,
    firstSeq,
    records,
    firstAt: new Date(columns.at.reduce((a, b) => Math.min(a, b))),
    lastAt: new Date(columns.at.reduce((a, b) => Math.max(a, b))),
    runFirst: runs[0] ?? '',
    runLast: runs.at(-1) ?? '',
    root: rootOf(rows.map((row) => row.hash)),
    sets: split.sets.length,
    recipients: [...new Set(who.flatMap((each) => each.recipient ?? []))],
    purposes: [...new Set(who.map((each) => each.purpose))],
    ...packed,
    postings,
  };
}

async function hotSets(pool: Pool, digests: readonly string[]): Promise<Buffer[]> {
  const { rows } = await pool.query<{ digest: string; ordinals: Buffer }>(
    'select set_digest as digest, ordinals from lineage_patient_set where set_digest = any($1::text[])',
    [digests],
  );
  const found = new Map(rows.map((row) => [row.digest, row.ordinals]));
  return digests.map((digest) => {
    const ordinals = found.get(digest);
    if (!ordinals || digestOf(ordinals) !== digest) throw new EvidenceBroken('a set of persons is not what its digest says');
    return ordinals;
  });
}

/** Columns with everything that rebuilds the records. */
export function unpackSegment(
  segment: Pick<Segment, 'columns' | 'runs' | 'rest' | 'sets'> & { postings: readonly Pick<PostingRow, 'ordinals' | 'sets'>[] },
): Split {
  const columns = decodeColumns(segment.columns);
  const sets = setsOf(segment.postings, segment.sets).map((ordinals) => digestOf(encodeOrdinals(ordinals)));
  return { columns, rest: decodeRest(segment.rest, segment.runs, columns), sets };
}

/** Makes a segment durable with its postings. False where it is there already. */
export async function insertSegment(pool: Pool, segment: Segment): Promise<boolean> {
  const { postings } = segment;
  const { rowCount } = await pool.query(
    `with made as (
       insert into audit_segment (log_id, first_seq, records, first_at, last_at, run_first, run_last, root, sets, recipients, purposes, columns, runs, rest)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict do nothing returning log_id, first_seq),
     indexed as (
       insert into audit_posting (log_id, first_seq, person_group, ordinals, sets)
       select made.log_id, made.first_seq, x.g, string_to_array(x.o, ',')::int[], x.s
       from made, unnest($15::int[], $16::text[], $17::bytea[]) as x(g, o, s))
     select 1 from made`,
    [
      segment.logId,
      segment.firstSeq,
      segment.records,
      segment.firstAt,
      segment.lastAt,
      segment.runFirst,
      segment.runLast,
      segment.root,
      segment.sets,
      segment.recipients,
      segment.purposes,
      segment.columns,
      segment.runs,
      segment.rest,
      postings.map((row) => row.group),
      postings.map((row) => row.ordinals.join(',')),
      postings.map((row) => row.sets),
    ],
  );
  return rowCount === 1;
}

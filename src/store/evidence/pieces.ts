import type { Pool, PoolClient } from 'pg';
import { decodeOrdinals } from '../../kernel/index.js';
import { decodeColumns, decodeRuns, splitRecords, type Columns, type LogRecord } from './columns.js';
import { groupOf, setsOf, setsWith } from './postings.js';

/** Consecutive records of a log for questions, whether they are still rows or packed. */
export interface Piece {
  readonly logId: string;
  readonly firstSeq: number;
  readonly columns: Columns;
  runAt(i: number): string;
  /** Numbers of the sets that hold the person who was asked for; null where none was. */
  readonly about: ReadonlySet<number> | null;
  /** Ordinals of every set, by number from 1. */
  sets(): Promise<readonly (readonly number[])[]>;
}

export interface PieceRequest {
  /** Milliseconds since 1970: from `from` on and before `to`. */
  readonly from: number;
  readonly to: number;
  /** Only pieces that are about this person. */
  readonly ordinal?: number;
  /** Whether run ids will be read. */
  readonly runs?: boolean;
}

const SEGMENTS_A_PAGE = 32;
const TAIL_RECORDS = 8_192;

interface SegmentRow {
  readonly log: string;
  readonly first: string;
  readonly count: number;
  readonly columns: Buffer;
  readonly runs: Buffer | null;
  readonly ordinals: number[] | null;
  readonly sets: Buffer | null;
}

/** Everything that was recorded in a range of time, at one moment: packed segments first, then what is not packed yet. */
export async function* pieces(pool: Pool, request: PieceRequest): AsyncGenerator<Piece> {
  const client = await pool.connect();
  try {
    await client.query('begin isolation level repeatable read read only');
    yield* packedPieces(client, request);
    yield* tailPieces(client, request);
  } finally {
    await client.query('rollback').catch(() => undefined);
    client.release();
  }
}

async function* packedPieces(client: PoolClient, { from, to, ordinal, runs = false }: PieceRequest): AsyncGenerator<Piece> {
  for (let after: readonly [string, number] = ['', -1]; ;) {
    const { rows } = await client.query<SegmentRow>(
      `select s.log_id as log, s.first_seq as first, s.sets as count, s.columns, ${runs ? 's.runs' : 'null::bytea'} as runs, p.ordinals, p.sets
         from audit_segment s left join audit_posting p on p.log_id = s.log_id and p.first_seq = s.first_seq and p.person_group = $3
        where s.purged_at is null and s.last_at >= $1 and s.first_at < $2 and ($4::int is null or $4::int = any(p.ordinals))
          and (s.log_id, s.first_seq) > ($5, $6) order by s.log_id, s.first_seq limit ${SEGMENTS_A_PAGE}`,
      [new Date(from), new Date(to), ordinal === undefined ? -1 : groupOf(ordinal), ordinal ?? null, ...after],
    );
    for (const row of rows) yield packedPiece(client, row, ordinal);
    const last = rows.at(-1);
    if (!last || rows.length < SEGMENTS_A_PAGE) return;
    after = [last.log, Number(last.first)];
  }
}

function packedPiece(client: PoolClient, row: SegmentRow, ordinal: number | undefined): Piece {
  const columns = decodeColumns(row.columns);
  const { ordinals, sets } = row;
  return {
    logId: row.log,
    firstSeq: Number(row.first),
    columns,
    runAt: row.runs ? decodeRuns(row.runs, columns) : () => '',
    about: ordinal === undefined ? null : new Set(ordinals && sets ? setsWith({ ordinals, sets }, ordinal) : []),
    async sets() {
      const found = await client.query<{ ordinals: number[]; sets: Buffer }>(
        'select ordinals, sets from audit_posting where log_id = $1 and first_seq = $2 order by person_group',
        [row.log, row.first],
      );
      return setsOf(found.rows, row.count);
    },
  };
}

async function* tailPieces(client: PoolClient, request: PieceRequest): AsyncGenerator<Piece> {
  const logs = await client.query<{ log: string; next: string }>(
    `select h.log_id as log, coalesce((select max(first_seq + records) from audit_segment s where s.log_id = h.log_id), 0) as next
       from audit_head h order by h.log_id`,
  );
  for (const { log, next } of logs.rows)
    for (let seq = Number(next); ;) {
      const { rows } = await client.query<{ seq: string; record: string }>(
        `select seq, record from audit_log where log_id = $1 and seq >= $2 order by seq limit ${TAIL_RECORDS}`,
        [log, seq],
      );
      if (rows.length > 0)
        yield await tailPiece(
          client,
          log,
          seq,
          rows.map((row) => JSON.parse(row.record) as LogRecord),
          request.ordinal,
        );
      if (rows.length < TAIL_RECORDS) break;
      seq = Number(rows.at(-1)?.seq) + 1;
    }
}

async function tailPiece(
  client: PoolClient,
  logId: string,
  firstSeq: number,
  records: readonly LogRecord[],
  ordinal: number | undefined,
): Promise<Piece> {
  const split = splitRecords(records);
  const sets = async (): Promise<readonly (readonly number[])[]> => {
    const { rows } = await client.query<{ digest: string; ordinals: Buffer }>(
      'select set_digest as digest, ordinals from lineage_patient_set where set_digest = any($1::text[])',
      [split.sets],
    );
    const found = new Map(rows.map((row) => [row.digest, decodeOrdinals(row.ordinals)]));
    return split.sets.map((digest) => found.get(digest) ?? []);
  };
  const about = ordinal === undefined ? null : (await sets()).flatMap((each, i) => (each.includes(ordinal) ? [i + 1] : []));
  return { logId, firstSeq, columns: split.columns, runAt: (i) => split.rest.run[i] ?? '', about: about && new Set(about), sets };
}

/** Records of a piece that are in the range and about the person who was asked for. */
export function* chosen({ columns, about }: Piece, { from, to }: PieceRequest): Generator<number> {
  const { at, set, count } = columns;
  for (let i = 0; i < count; i++) {
    const when = at[i] ?? 0;
    if (when >= from && when < to && (about === null || about.has(set[i] ?? 0))) yield i;
  }
}

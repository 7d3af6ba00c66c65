import { hash } from 'node:crypto';
import { CodedError } from './error.js';

/** Types that a digest covers, by the type under which Postgres sends their bytes; text goes as its UTF-8, whatever a client speaks. */
const OIDS = { bytea: 17, text: 17, int: 23, float8: 701, date: 1082, timestamptz: 1184, uuid: 2950 } as const;

export type DigestColumns = Readonly<Record<string, keyof typeof OIDS>>;

type Row = Readonly<Record<string, unknown>>;

/** A column that proves other columns of its row: what readers decode, and the key, so that two rows that change places show too. */
export interface ContentDigest {
  readonly table: string;
  /** The column that holds the digest; null there is a row that fails. */
  readonly column: string;
  /** What it covers, in this order. */
  readonly of: DigestColumns;
  /** Where the row stands in words of its field, such as a chromosome and a position; never a value, nor a person. */
  readonly place: (row: Row) => string;
}

/** Milliseconds between 1970 and 2000, where Postgres begins to count. */
const EPOCH_MS = 946_684_800_000;
const DAY_MS = 86_400_000;
const FRAME_BYTES_KEPT_MAX = 1024 * 1024;
const NULL_LENGTH = -1;
const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

/** One frame is written over and over: a block costs as much in small buffers as in its hash. */
let kept = Buffer.alloc(4096);

/**
 * SHA-256 over the named columns of a row in the binary form in which Postgres sends a record: the number of columns, then of each its
 * type, its length (-1 for null) and its bytes, all big-endian. In SQL: `sha256(record_send(row(a, convert_to(b, 'UTF8'), ...)))`.
 * A value that is not of its type is framed as null, which no column that is covered and not null holds.
 */
export function contentDigest(of: DigestColumns, row: Row): Buffer {
  const names = Object.keys(of);
  let size = 4;
  for (const name of names) {
    const value = row[name];
    // UTF-8 takes three bytes at most for what UTF-16 holds in one unit.
    size += 24 + (value instanceof Uint8Array ? value.length : typeof value === 'string' ? value.length * 3 : 0);
  }
  const frame = size <= kept.length ? kept : Buffer.allocUnsafe(size);
  if (frame !== kept && size <= FRAME_BYTES_KEPT_MAX) kept = frame;
  let at = frame.writeInt32BE(names.length, 0);
  for (const name of names) {
    const type = of[name] ?? 'bytea';
    frame.writeInt32BE(OIDS[type], at);
    const length = written(frame, at + 8, type, row[name]);
    frame.writeInt32BE(length, at + 4);
    at += 8 + Math.max(length, 0);
  }
  return hash('sha256', frame.subarray(0, at), 'buffer');
}

/** Writes a value at `at` and returns its length, or that of null. */
function written(frame: Buffer, at: number, type: keyof typeof OIDS, value: unknown): number {
  switch (type) {
    case 'bytea':
      if (!(value instanceof Uint8Array)) return NULL_LENGTH;
      frame.set(value, at);
      return value.length;
    case 'text':
      return typeof value === 'string' ? frame.write(value, at, 'utf8') : NULL_LENGTH;
    case 'uuid':
      if (typeof value !== 'string' || !UUID.test(value)) return NULL_LENGTH;
      return frame.write(value.replaceAll('-', ''), at, 'hex');
    case 'int':
      return int32(frame, at, typeof value === 'number' ? value : Number.NaN);
    case 'date':
      return int32(frame, at, typeof value === 'string' ? (Date.parse(value) - EPOCH_MS) / DAY_MS : Number.NaN);
    case 'float8':
      return typeof value === 'number' ? frame.writeDoubleBE(value, at) - at : NULL_LENGTH;
    case 'timestamptz': {
      const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
      return Number.isNaN(ms) ? NULL_LENGTH : frame.writeBigInt64BE(BigInt(ms - EPOCH_MS) * 1000n, at) - at;
    }
  }
}

function int32(frame: Buffer, at: number, value: number): number {
  if (!Number.isInteger(value) || Math.abs(value) > 0x7fff_ffff) return NULL_LENGTH;
  return frame.writeInt32BE(value, at) - at;
}

/** True when the row is what was written. */
export function isIntact({ column, of }: ContentDigest, row: Row): boolean {
  const stored = row[column];
  return stored instanceof Uint8Array && contentDigest(of, row).equals(stored);
}

/** Asked before anything of a row is decoded. Throws DATA_CORRUPT with the place of the row. */
export function assertIntact(digest: ContentDigest, row: Row): void {
  if (isIntact(digest, row)) return;
  const place = `${digest.table} ${digest.place(row)}`;
  throw new CodedError('DATA_CORRUPT', 'A stored row is not what was written; nothing of it is given out.', { place, detail: place });
}

import { createHash } from 'node:crypto';
import { SMALL_ZIP3, type ColumnField, type Mask, type SqlType } from '../kernel/index.js';

/** Inner and outer pads of an HMAC-SHA-256 key (RFC 2104), so that SQL can compute it with sha256 alone. */
export interface MaskPads {
  readonly inner: Buffer;
  readonly outer: Buffer;
}

export function maskPads(key: Buffer): MaskPads {
  const block = Buffer.alloc(64);
  (key.length > 64 ? createHash('sha256').update(key).digest() : key).copy(block);
  return { inner: Buffer.from(block.map((byte) => byte ^ 0x36)), outer: Buffer.from(block.map((byte) => byte ^ 0x5c)) };
}

const SMALL_AREAS: ReadonlySet<string> = new Set(SMALL_ZIP3);

/** What a mask may look at besides the value. */
export interface MaskedCell {
  readonly type: SqlType;
  readonly pads: MaskPads;
  /** The same text with identifiers removed, where the column has one. */
  readonly redacted: unknown;
  /** The person of the row. */
  readonly patient: string | null;
  /** The present in milliseconds since 1970. */
  readonly now: number;
  readonly identifier: ColumnField['identifier'] | undefined;
}

/** A masked cell in JavaScript: the form that the reference path uses, written apart from the SQL so that each proves the other. */
export function maskValue(mask: Mask, value: unknown, cell: MaskedCell): unknown {
  const { type, pads } = cell;
  if (mask === 'REDACT') return cell.redacted ?? null;
  if (mask === 'NULL' || value === null || value === undefined) return null;
  const text = type === 'text' || type === 'uuid' ? textOf(value) : null;
  switch (mask) {
    case 'HASH':
      return text === null ? null : `h:${keyed(pads, text).toString('hex').slice(0, 24)}`;
    case 'LAST4':
      return text === null ? null : crossed(text, (i, length) => i >= length - 4);
    case 'FIRST4':
      return text === null ? null : crossed(text, (i) => i < 4);
    case 'YEAR':
      if (type === 'date') return `${textOf(value).slice(0, 4)}-01-01`;
      return type === 'timestamptz' ? `${textOf(value).slice(0, 4)}-01-01T00:00:00.000Z` : null;
    case 'ZIP3': {
      if (type !== 'text' || text === null) return null;
      const area = text.slice(0, 3);
      return /^\d{5}/.test(text) && !SMALL_AREAS.has(area) ? area : '000';
    }
    case 'AGE90':
      return aged(value, cell);
    case 'DATESHIFT':
      return shifted(value, cell);
  }
}

/** Rows of both paths give texts here; anything else is no value of these types. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A text with its letters crossed out but some; of four letters or fewer none is left. */
function crossed(text: string, keeps: (i: number, length: number) => boolean): string {
  const letters = Array.from(text);
  return letters.map((letter, i) => (letters.length > 4 && keeps(i, letters.length) ? letter : 'x')).join('');
}

function aged(value: unknown, { type, identifier, now }: MaskedCell): unknown {
  const oldest = new Date(now).getUTCFullYear() - 90;
  if (type === 'date') return `${String(Math.max(Number(textOf(value).slice(0, 4)), oldest)).padStart(4, '0')}-01-01`;
  if (type !== 'int' || typeof value !== 'number' || value < 0) return null;
  return identifier === 'birth' ? Math.max(value, oldest) : Math.min(value, 90);
}

const DAY_MS = 86_400_000;

function shifted(value: unknown, { type, pads, patient }: MaskedCell): unknown {
  if (patient === null || (type !== 'date' && type !== 'timestamptz')) return null;
  const days = 1 + (keyed(pads, `shift:${patient}`).readUInt32BE(0) % 364);
  const at = Date.parse(textOf(value));
  if (Number.isNaN(at)) return null;
  const moved = new Date(at - days * DAY_MS).toISOString();
  return type === 'date' ? moved.slice(0, 10) : moved;
}

function keyed(pads: MaskPads, text: string): Buffer {
  const inner = createHash('sha256').update(pads.inner).update(text, 'utf8').digest();
  return createHash('sha256').update(pads.outer).update(inner).digest();
}

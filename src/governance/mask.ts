import { createHash } from 'node:crypto';
import { SMALL_ZIP3, type Mask, type SqlType } from '../kernel/index.js';

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

/** A masked cell in JavaScript: the form that the reference path uses, written apart from the SQL so that each proves the other. */
export function maskValue(mask: Mask, value: unknown, type: SqlType, pads: MaskPads, redacted: unknown): unknown {
  if (mask === 'REDACT') return redacted ?? null;
  if (mask === 'NULL' || value === null || value === undefined) return null;
  const text = type === 'text' || type === 'uuid' ? textOf(value) : null;
  switch (mask) {
    case 'HASH':
      return text === null ? null : `h:${keyed(pads, text).slice(0, 24)}`;
    case 'LAST4': {
      if (text === null) return null;
      const letters = Array.from(text);
      return letters.map((letter, i) => (letters.length <= 4 || i < letters.length - 4 ? 'x' : letter)).join('');
    }
    case 'YEAR':
      if (type === 'date') return `${textOf(value).slice(0, 4)}-01-01`;
      return type === 'timestamptz' ? `${textOf(value).slice(0, 4)}-01-01T00:00:00.000Z` : null;
    case 'ZIP3': {
      if (type !== 'text' || text === null) return null;
      const area = text.slice(0, 3);
      return /^\d{5}/.test(text) && !SMALL_AREAS.has(area) ? area : '000';
    }
  }
}

/** Rows of both paths give texts here; anything else is no value of these types. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function keyed(pads: MaskPads, text: string): string {
  const inner = createHash('sha256').update(pads.inner).update(text, 'utf8').digest();
  return createHash('sha256').update(pads.outer).update(inner).digest('hex');
}

import type { ReadItem } from './read.js';

const OBJECT_BYTES = 64;
const VALUE_BYTES = 16;

/** About how many bytes of memory an item holds, so that a chunk of large records is cut early. */
export function weightOf(item: ReadItem): number {
  if (!item.ok) return OBJECT_BYTES + (item.refusal.bytes?.length ?? 0);
  let bytes = OBJECT_BYTES;
  for (const one of item.record.staged) {
    bytes += OBJECT_BYTES;
    if (one.kind === 'link') continue;
    for (const name in one.row) {
      const value = one.row[name];
      bytes += VALUE_BYTES;
      if (typeof value === 'string' || value instanceof Uint8Array) bytes += value.length;
      else if (Array.isArray(value)) bytes += VALUE_BYTES * value.length;
    }
  }
  return bytes;
}

import { CodedError } from '../../kernel/index.js';
import type { HashReader } from './proof.js';
import { HASH_BYTES, nodeHash } from './tree.js';

/** Hashes of a full tile, entries of a full bundle (C2SP tlog-tiles). */
export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;
/** A length is written as uint16. */
export const ENTRY_BYTES_MAX = 0xffff;

/** A tile of hashes at a level from 0, or a bundle of entries; `width` is 256, or less at the right edge. */
export interface Tile {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

/** Path below the prefix of the log: index in groups of three digits, all but the last with an `x`; `.p/<width>` for a partial tile. */
export function tilePath({ level, index, width }: Tile): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.match(/\d{3}/g) ?? [];
  const place = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${level}/${place}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** The tile of a path as `tilePath` writes it; null for every other text. */
export function parseTilePath(path: string): Tile | null {
  const match = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (!match?.[1] || !match[2]) return null;
  const level: Tile['level'] = match[1] === 'entries' ? 'entries' : Number(match[1]);
  const index = Number(match[2].replaceAll(/[x/]/g, ''));
  const width = match[3] === undefined ? TILE_WIDTH : Number(match[3]);
  const tile = { level, index, width };
  // One tile has one path: writing it again finds leading zeros, widths of 0 and of 256 and more.
  if (!Number.isSafeInteger(index) || width < 1 || width > TILE_WIDTH || (level !== 'entries' && level > 63)) return null;
  return tilePath(tile) === path ? tile : null;
}

/** Hashes that a tree of `size` leaves has at a tile level. */
const hashesAt = (level: number, size: number): number => Math.floor(size / TILE_WIDTH ** level);

/** Width of a tile in a tree of `size` leaves, 0 where it has none. */
export function tileWidth(level: number | 'entries', index: number, size: number): number {
  return Math.max(0, Math.min(TILE_WIDTH, hashesAt(level === 'entries' ? 0 : level, size) - index * TILE_WIDTH));
}

/** All tiles of hashes of a tree of `size` leaves, by level and index. */
export function* tilesOf(size: number): Generator<Tile> {
  for (let level = 0; hashesAt(level, size) > 0; level += 1)
    for (let index = 0; tileWidth(level, index, size) > 0; index += 1) yield { level, index, width: tileWidth(level, index, size) };
}

/** Bytes of a bundle: each entry after its length as big-endian uint16. Throws LIMIT_RECORD for an entry of more than 65,535 bytes. */
export function encodeBundle(entries: readonly (string | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    const bytes = typeof entry === 'string' ? Buffer.from(entry) : entry;
    if (bytes.length > ENTRY_BYTES_MAX) throw new CodedError('LIMIT_RECORD', 'A record of the audit log is longer than 65,535 bytes.');
    const length = Buffer.allocUnsafe(2);
    length.writeUInt16BE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}

/** Entries of a bundle, as views of its bytes; null where it ends inside an entry. */
export function decodeBundle(bytes: Uint8Array): Buffer[] | null {
  const bundle = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: Buffer[] = [];
  let at = 0;
  while (at < bundle.length) {
    if (at + 2 > bundle.length) return null;
    const end = at + 2 + bundle.readUInt16BE(at);
    if (end > bundle.length) return null;
    entries.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return entries;
}

/** Root of a perfect subtree over 1, 2, 4, .. 256 hashes that stand one behind the other. */
function perfectRoot(hashes: Buffer): Buffer {
  if (hashes.length === HASH_BYTES) return hashes;
  const middle = hashes.length / 2;
  return nodeHash(perfectRoot(hashes.subarray(0, middle)), perfectRoot(hashes.subarray(middle)));
}

/**
 * Reads hashes of a tree of `size` leaves out of its tiles; each tile is asked for once per call. Throws AUDIT_BROKEN for a tile that has
 * not the bytes of its width.
 */
export function tileHashReader(size: number, readTile: (tile: Tile) => Promise<Uint8Array>): HashReader {
  return async (nodes) => {
    const tiles = new Map<string, Promise<Buffer>>();
    const bytesOf = (tile: Tile): Promise<Buffer> => {
      const key = tilePath(tile);
      const known = tiles.get(key);
      if (known) return known;
      const asked = readTile(tile).then((bytes) => {
        if (bytes.length !== tile.width * HASH_BYTES)
          throw new CodedError('AUDIT_BROKEN', 'A tile of the audit log is cut.', { place: key });
        return Buffer.from(bytes);
      });
      tiles.set(key, asked);
      return asked;
    };
    return Promise.all(
      nodes.map(async (node) => {
        const level = Math.floor(node.level / TILE_HEIGHT);
        const span = 2 ** (node.level % TILE_HEIGHT);
        const first = node.index * span;
        const index = Math.floor(first / TILE_WIDTH);
        const bytes = await bytesOf({ level, index, width: tileWidth(level, index, size) });
        const at = (first % TILE_WIDTH) * HASH_BYTES;
        return Buffer.from(perfectRoot(bytes.subarray(at, at + span * HASH_BYTES)));
      }),
    );
  };
}

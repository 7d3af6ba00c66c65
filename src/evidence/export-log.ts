import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CodedError } from '../kernel/index.js';
import { parseCheckpoint } from './merkle/note.js';
import { ENTRY_BYTES_MAX, TILE_WIDTH, encodeBundle, tilePath, type Tile } from './merkle/tiles.js';
import { CompactRange, leafHash } from './merkle/tree.js';

/** What one log is written from. */
export interface LogExport {
  /** Records from the first on, canonical JSON, with the hash of the leaf where one is stored. Those behind the size of the checkpoint are not read. */
  readonly records: AsyncIterable<string | { readonly record: string; readonly leaf: Buffer }>;
  /** Signed head over the records. */
  readonly checkpoint: string;
  /** Older signed heads that were cosigned or handed out. */
  readonly checkpoints: readonly string[];
  /** Verifier key of the log as text, without line end. */
  readonly vkey: string;
  /** Writes what is there even where it does not give the root of the checkpoint, so that a verifier can say what is wrong. */
  readonly asFound?: boolean;
}

/** The tile that grows at the right edge of one level. */
interface Growing {
  index: number;
  hashes: Buffer[];
}

/** Writes a file whole or not at all: under another name first. */
async function writeWhole(dir: string, name: string, bytes: string | Uint8Array): Promise<void> {
  const file = path.join(dir, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.tmp`, bytes);
  await rename(`${file}.tmp`, file);
}

/** The bytes of a record that fit into a bundle. No log has a longer one; what was made longer afterwards differs from its leaf all the same. */
const fitting = (record: string): Uint8Array => Buffer.from(record).subarray(0, ENTRY_BYTES_MAX);

/** Writes a tile and takes away the partial ones of smaller trees that it takes the place of. */
async function writeTile(dir: string, tile: Tile, bytes: Uint8Array): Promise<void> {
  const partial = `${tilePath({ ...tile, width: TILE_WIDTH })}.p`;
  await writeWhole(dir, tilePath(tile), bytes);
  if (tile.width === TILE_WIDTH) {
    await rm(path.join(dir, partial), { recursive: true, force: true });
    return;
  }
  for (const each of await readdir(path.join(dir, partial)))
    if (each !== String(tile.width)) await rm(path.join(dir, partial, each), { force: true });
}

/**
 * Writes one log as C2SP tlog-tiles below `dir`: bundles of records, tiles of hashes, `checkpoints`, `vkey` and last `checkpoint`, so that a
 * reader never sees a head whose records are not there yet. Memory holds one tile a level. Throws AUDIT_BROKEN, and leaves the old `checkpoint`
 * standing, where the records end before the head or do not give its root, unless they are wanted as found.
 */
export async function exportLog(dir: string, log: LogExport): Promise<{ readonly size: number; readonly files: number }> {
  const head = parseCheckpoint(log.checkpoint);
  if (!head) throw new CodedError('AUDIT_BROKEN', 'The checkpoint of an audit log is malformed.');
  const range = CompactRange.empty();
  const levels: Growing[] = [];
  let bundle: string[] = [];
  let files = 0;
  const grow = (height: number, _index: number, node: Buffer): void => {
    if (height % 8 === 0) (levels[height / 8] ??= { index: 0, hashes: [] }).hashes.push(node);
  };
  const closeTiles = async (full: boolean): Promise<void> => {
    for (const [level, growing] of levels.entries()) {
      const width = growing.hashes.length;
      if (width === 0 || (full && width < TILE_WIDTH)) continue;
      await writeTile(dir, { level, index: growing.index, width }, Buffer.concat(growing.hashes));
      files += 1;
      growing.index += 1;
      growing.hashes = [];
    }
  };
  const closeBundle = async (): Promise<void> => {
    const index = Math.floor((range.size - 1) / TILE_WIDTH);
    await writeTile(
      dir,
      { level: 'entries', index, width: bundle.length },
      encodeBundle(log.asFound === true ? bundle.map(fitting) : bundle),
    );
    files += 1;
    bundle = [];
  };
  await mkdir(dir, { recursive: true });
  if (head.size > 0)
    for await (const record of log.records) {
      const { record: text, leaf } = typeof record === 'string' ? { record, leaf: leafHash(record) } : record;
      bundle.push(text);
      range.append(leaf, grow);
      if (bundle.length === TILE_WIDTH) {
        await closeBundle();
        await closeTiles(true);
      }
      if (range.size === head.size) break;
    }
  if (bundle.length > 0) await closeBundle();
  await closeTiles(false);
  if (log.asFound !== true && (range.size !== head.size || !range.root().equals(head.root)))
    throw new CodedError('AUDIT_BROKEN', 'The records of an audit log do not give the root of its checkpoint.');
  await writeWhole(dir, 'checkpoints', log.checkpoints.join('\n'));
  await writeWhole(dir, 'vkey', `${log.vkey}\n`);
  await writeWhole(dir, 'checkpoint', log.checkpoint);
  return { size: head.size, files: files + 3 };
}

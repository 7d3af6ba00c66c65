import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import type { Draw } from '../fuzz/random.js';

const SECTOR_BYTES = 4_096;
const WAL_SEGMENT_BYTES = 16 * 1024 * 1024;
const SEGMENTS_PER_ID = 0x1_0000_0000 / WAL_SEGMENT_BYTES;
const WAL_NAME = /^[0-9A-F]{24}$/;
/** Written with an fsync each time that it changes. */
const DURABLE = new Set(['global/pg_control', 'PG_VERSION', 'thalamus.password']);
const VOLATILE = /^(postmaster\.pid|pg_stat|pg_dynshmem|pg_notify|pg_snapshots)/;

/** Byte position in the log of a name like 0/16B3748. */
export function positionOf(lsn: string): bigint {
  const [high = '0', low = '0'] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

export interface Cut {
  readonly sectorsLost: number;
  readonly filesLost: number;
  readonly walBytesLost: number;
}

/**
 * Turns the cluster of a killed server into what a power cut may have left. `before` is the cluster at its last checkpoint, when all of it was synced;
 * `flushed` is how far the server had said that its log was synced. Of everything written since, each 4 KiB of the data files is kept or is as it was
 * before, with probability `kept`; a page of 8 KiB may so be torn. The log after `flushed` loses each such part likewise, and always its first.
 */
export function cutPower(cluster: string, before: string, flushed: bigint, draw: Draw, kept: number): Cut {
  const cut = { sectorsLost: 0, filesLost: 0, walBytesLost: 0 };
  for (const entry of readdirSync(cluster, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const name = path.join(entry.parentPath, entry.name);
    const relative = path.relative(cluster, name);
    if (DURABLE.has(relative) || VOLATILE.test(relative)) continue;
    const old = path.join(before, relative);
    if (relative.startsWith('pg_wal/')) {
      if (WAL_NAME.test(entry.name)) cut.walBytesLost += cutWal(name, entry.name, flushed, draw, kept);
    } else if (existsSync(old)) {
      cut.sectorsLost += cutData(name, old, draw, kept);
    } else if (!draw.chance(kept)) {
      rmSync(name);
      cut.filesLost += 1;
    }
  }
  return cut;
}

function cutData(name: string, old: string, draw: Draw, kept: number): number {
  const now = readFileSync(name);
  const then = readFileSync(old);
  if (now.equals(then)) return 0;
  let lost = 0;
  const made = Buffer.from(now);
  for (let at = 0; at < now.length; at += SECTOR_BYTES) {
    const end = Math.min(at + SECTOR_BYTES, now.length);
    const was = then.subarray(at, end);
    if (was.equals(now.subarray(at, end)) || draw.chance(kept)) continue;
    made.fill(0, at, end);
    was.copy(made, at);
    lost += 1;
  }
  // The new length is lost too where nothing at all was kept.
  writeFileSync(name, kept === 0 ? made.subarray(0, Math.max(then.length, 0)) : made);
  return lost;
}

function cutWal(name: string, segment: string, flushed: bigint, draw: Draw, kept: number): number {
  const number = Number.parseInt(segment.slice(8, 16), 16) * SEGMENTS_PER_ID + Number.parseInt(segment.slice(16), 16);
  const start = BigInt(number) * BigInt(WAL_SEGMENT_BYTES);
  const size = statSync(name).size;
  const from = flushed <= start ? 0 : Number(flushed - start);
  if (from >= size) return 0;
  const file = openSync(name, 'r+');
  let lost = 0;
  try {
    for (let at = from; at < size; at = at - (at % SECTOR_BYTES) + SECTOR_BYTES) {
      const length = Math.min(SECTOR_BYTES - (at % SECTOR_BYTES), size - at);
      const bytes = Buffer.alloc(length);
      readSync(file, bytes, 0, length, at);
      if (bytes.every((byte) => byte === 0) || (at !== from && draw.chance(kept))) continue;
      writeSync(file, Buffer.alloc(length), 0, length, at);
      lost += length;
    }
  } finally {
    closeSync(file);
  }
  return lost;
}

/** The cluster as it is, to compare with later; what has not changed since the last picture is not copied again. The log itself is not gone back to. */
export function pictureOf(cluster: string, to: string): void {
  const wanted = (root: string): string[] =>
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !WAL_NAME.test(entry.name) && entry.name !== 'postmaster.pid')
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
  mkdirSync(to, { recursive: true });
  const present = new Set(wanted(cluster));
  for (const name of wanted(to)) if (!present.has(name)) rmSync(path.join(to, name));
  for (const name of present) {
    const source = statSync(path.join(cluster, name), { throwIfNoEntry: false });
    if (!source) continue;
    const copy = statSync(path.join(to, name), { throwIfNoEntry: false });
    if (copy?.size === source.size && Math.abs(copy.mtimeMs - source.mtimeMs) < 1) continue;
    mkdirSync(path.dirname(path.join(to, name)), { recursive: true });
    copyFileSync(path.join(cluster, name), path.join(to, name));
    utimesSync(path.join(to, name), source.atimeMs / 1_000, source.mtimeMs / 1_000);
  }
}

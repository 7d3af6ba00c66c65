import { crc32, createInflateRaw } from 'node:zlib';
import { CodedError } from '../kernel/error.js';
import { LIMITS } from '../kernel/limits.js';
import { refuseBomb, safePath, type Member } from './member.js';

/** Reads [from, to) of the archive. */
export type ReadRange = (from: number, to: number) => AsyncIterable<Uint8Array>;

const END_BYTES = 22;
const COMMENT_BYTES_MAX = 65_535;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const FOUR_GIB = 0xffffffff;
const SYMLINK = 0o120000;

interface Entry {
  readonly path: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly at: number;
}

const corrupt = (message: string, place: string): CodedError => new CodedError('ARCHIVE_CORRUPT', message, { place });

/**
 * Members of a zip archive (APPNOTE 6.3), by its central directory. All paths and sizes are checked before the first member is given.
 * Throws ARCHIVE_CORRUPT, ARCHIVE_PATH, ARCHIVE_BOMB, FORMAT_UNSUPPORTED (zip64, encryption, other methods than stored and deflate).
 */
export async function zipMembers(read: ReadRange, bytes: number): Promise<readonly Member[]> {
  const entries = await directory(read, bytes);
  refuseBomb(
    entries.map((entry) => entry.size),
    bytes,
  );
  return entries.map((entry) => ({ path: entry.path, open: () => contents(read, entry, bytes) }));
}

async function directory(read: ReadRange, bytes: number): Promise<readonly Entry[]> {
  const from = Math.max(0, bytes - END_BYTES - COMMENT_BYTES_MAX);
  const tail = await whole(read(from, bytes));
  const end = tail.lastIndexOf(Buffer.from('504b0506', 'hex'));
  if (end < 0 || end + END_BYTES > tail.length) throw corrupt('The archive has no end record.', `byte ${bytes}`);
  const count = tail.readUInt16LE(end + 10);
  const size = tail.readUInt32LE(end + 12);
  const start = tail.readUInt32LE(end + 16);
  if (count === 0xffff || start === FOUR_GIB)
    throw new CodedError('FORMAT_UNSUPPORTED', 'Zip64 archives are not read.', { place: `byte ${from + end}` });
  if (count > LIMITS.archive_members_max) throw new CodedError('ARCHIVE_BOMB', 'The archive has more members than archive_members_max.');
  if (start + size > from + end) throw corrupt('The central directory lies outside the archive.', `byte ${from + end}`);
  const table = await whole(read(start, start + size));
  const entries: Entry[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    const place = `member ${index}`;
    if (at + ENTRY_BYTES > table.length || table.readUInt32LE(at) !== 0x02014b50)
      throw corrupt('An entry of the central directory is damaged.', place);
    const [nameBytes, extraBytes, commentBytes] = [table.readUInt16LE(at + 28), table.readUInt16LE(at + 30), table.readUInt16LE(at + 32)];
    const flags = table.readUInt16LE(at + 8);
    const method = table.readUInt16LE(at + 10);
    const mode = table.readUInt32LE(at + 38) >>> 16;
    const entry: Entry = {
      path: table.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes).toString('utf8'),
      method,
      crc: table.readUInt32LE(at + 16),
      packed: table.readUInt32LE(at + 20),
      size: table.readUInt32LE(at + 24),
      at: table.readUInt32LE(at + 42),
    };
    at += ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
    safePath(entry.path, index);
    if ((mode & 0o170000) === SYMLINK) throw new CodedError('ARCHIVE_PATH', 'A member is a link.', { place });
    if (entry.path.endsWith('/')) continue;
    if ((flags & 1) !== 0) throw new CodedError('FORMAT_UNSUPPORTED', 'A member is encrypted.', { place });
    if (method !== 0 && method !== 8)
      throw new CodedError('FORMAT_UNSUPPORTED', 'A member is packed by a method that is not read.', { place });
    if (entry.packed === FOUR_GIB || entry.size === FOUR_GIB)
      throw new CodedError('FORMAT_UNSUPPORTED', 'Zip64 archives are not read.', { place });
    entries.push(entry);
  }
  return entries;
}

async function* contents(read: ReadRange, entry: Entry, bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  const place = `byte ${entry.at}`;
  const local = await whole(read(entry.at, Math.min(bytes, entry.at + LOCAL_BYTES)));
  if (local.length < LOCAL_BYTES || local.readUInt32LE(0) !== 0x04034b50) throw corrupt('The header of a member is damaged.', place);
  const start = entry.at + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
  if (start + entry.packed > bytes) throw corrupt('A member ends after the archive.', place);
  const packed = read(start, start + entry.packed);
  let size = 0;
  let crc = 0;
  for await (const part of entry.method === 0 ? packed : inflated(packed, place)) {
    size += part.length;
    if (size > entry.size) throw new CodedError('ARCHIVE_BOMB', 'A member is larger than it says.', { place });
    crc = crc32(part, crc);
    yield part;
  }
  if (size !== entry.size || crc !== entry.crc) throw corrupt('A member fails its checksum.', place);
}

async function* inflated(packed: AsyncIterable<Uint8Array>, place: string): AsyncGenerator<Uint8Array, void, undefined> {
  const inflater = createInflateRaw();
  const feeding = (async (): Promise<void> => {
    for await (const part of packed) {
      if (inflater.destroyed) return;
      if (!inflater.write(part)) await new Promise<void>((resolve) => inflater.once('drain', resolve).once('close', resolve));
    }
    inflater.end();
  })().catch((error: unknown) => void inflater.destroy(error instanceof Error ? error : undefined));
  try {
    yield* inflater as AsyncIterable<Buffer>;
  } catch (error) {
    throw new CodedError('ARCHIVE_CORRUPT', 'A member cannot be inflated.', { place, cause: error });
  } finally {
    inflater.destroy();
    await feeding;
  }
}

async function whole(input: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of input) parts.push(part);
  return Buffer.concat(parts);
}

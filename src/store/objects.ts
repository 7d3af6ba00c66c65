import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, open as openFile, opendir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CodedError } from '../kernel/error.js';
import { codeOf } from './engines/engine.js';
import { ChunkHasher, UNCHUNKED_BYTES_MAX } from './object-chunks.js';

const DIGEST = /^[0-9a-f]{64}$/;
const READ_BYTES = 256 * 1024;

export interface StoredObject {
  /** sha256 in lower-case hex. */
  readonly digest: string;
  readonly bytes: number;
  /** sha256 of the list of chunk digests that is kept beside a large object; null for others. */
  readonly chunksDigest: string | null;
}

/** Files by the sha256 of their bytes. They are written once and never changed; an erasure removes them. */
export interface ObjectStore {
  /**
   * Reads to the end; the object is on disk when the promise resolves. One that was there and is damaged is replaced. Errors of `input` pass
   * through; DISK_FULL.
   */
  put(input: AsyncIterable<Uint8Array> | string): Promise<StoredObject>;
  /** The bytes, or those of [from, to). With `verify` a changed file ends with FILE_CHANGED. FILE_UNREADABLE when absent. */
  open(digest: string, options?: { readonly from?: number; readonly to?: number; readonly verify?: boolean }): AsyncIterable<Uint8Array>;
  has(digest: string): Promise<boolean>;
  /** The list of chunk digests, as it is on disk; null where there is none. */
  chunks(digest: string): Promise<Buffer | null>;
  /** Digests of all objects that are stored, in no order. */
  all(): AsyncIterable<string>;
  /** The bytes are gone from the disk when the promise resolves. Returns false when they were not there. */
  remove(digest: string): Promise<boolean>;
}

/** A store in `folder`: objects/<first two characters>/<sha256>, with unfinished writes in incoming/. */
export function localObjects(folder: string): ObjectStore {
  const pathOf = (digest: string): string => {
    if (!DIGEST.test(digest)) throw new CodedError('BAD_INPUT', 'A digest is 64 lower-case hexadecimal characters.');
    return join(folder, 'objects', digest.slice(0, 2), digest);
  };
  const has = (digest: string): Promise<boolean> =>
    access(pathOf(digest)).then(
      () => true,
      () => false,
    );
  return {
    has,
    async remove(digest) {
      const path = pathOf(digest);
      await rm(listOf(path), { force: true });
      try {
        await rm(path);
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return false;
        throw error;
      }
      await syncFolder(dirname(path));
      return true;
    },
    async put(input) {
      const incoming = join(folder, 'incoming');
      await mkdir(incoming, { recursive: true });
      const temporary = join(incoming, randomBytes(12).toString('hex'));
      try {
        const { chunks, ...stored } = await writeDown(typeof input === 'string' ? createReadStream(input) : input, temporary);
        const target = pathOf(stored.digest);
        const chunked = stored.bytes > UNCHUNKED_BYTES_MAX;
        await mkdir(dirname(target), { recursive: true });
        if (chunked) {
          await writeDown([chunks], `${temporary}.chunks`);
          await rename(`${temporary}.chunks`, listOf(target));
        }
        const known = (await has(stored.digest)) && (await isWhole(target, stored.digest));
        if (!known) await rename(temporary, target);
        if (chunked || !known) await syncFolder(dirname(target));
        return { ...stored, chunksDigest: chunked ? createHash('sha256').update(chunks).digest('hex') : null };
      } catch (error) {
        if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT') {
          throw new CodedError('DISK_FULL', 'The disk that holds the data folder is full.', { cause: error });
        }
        throw error;
      } finally {
        await rm(temporary, { force: true });
        await rm(`${temporary}.chunks`, { force: true });
      }
    },
    async chunks(digest) {
      try {
        return await readFile(listOf(pathOf(digest)));
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return null;
        throw error;
      }
    },
    all: () => namesIn(join(folder, 'objects')),
    open: (digest, options = {}) => read(pathOf(digest), digest, options),
  };
}

/** Whether what is on disk is still what was stored. */
async function isWhole(path: string, digest: string): Promise<boolean> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path, { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>) hash.update(part);
  return hash.digest('hex') === digest;
}

const listOf = (path: string): string => `${path}.chunks`;

async function* namesIn(folder: string): AsyncGenerator<string, void, undefined> {
  try {
    for await (const entry of await opendir(folder, { recursive: true })) if (entry.isFile() && DIGEST.test(entry.name)) yield entry.name;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

async function writeDown(
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  path: string,
): Promise<{ digest: string; bytes: number; chunks: Buffer }> {
  const hash = createHash('sha256');
  const chunks = new ChunkHasher();
  let bytes = 0;
  const file = await openFile(path, 'wx', 0o600);
  try {
    for await (const part of input) {
      hash.update(part);
      chunks.update(part);
      bytes += part.length;
      await file.appendFile(part);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { digest: hash.digest('hex'), bytes, chunks: chunks.done() };
}

/** A rename is durable once its folder is; some systems cannot sync folders and need not. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await openFile(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function* read(
  path: string,
  digest: string,
  options: { readonly from?: number; readonly to?: number; readonly verify?: boolean },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { from = 0, to = Infinity, verify = false } = options;
  if (to <= from) return;
  const hash = verify ? createHash('sha256') : undefined;
  try {
    for await (const part of createReadStream(path, { start: from, end: to - 1, highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>) {
      hash?.update(part);
      yield part;
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new CodedError('FILE_UNREADABLE', 'No object with this digest is stored.', { cause: error });
    throw error;
  }
  if (hash !== undefined && hash.digest('hex') !== digest) {
    throw new CodedError('FILE_CHANGED', 'A stored file no longer has the digest under which it was stored.', { place: digest });
  }
}

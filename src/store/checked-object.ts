import { hash } from 'node:crypto';
import { CodedError } from '../kernel/error.js';
import { CHUNK_BYTES, ChunkHasher, DIGEST_BYTES, UNCHUNKED_BYTES_MAX } from './object-chunks.js';
import type { ObjectStore } from './objects.js';

/** What the books say of an object. */
export interface ObjectFacts {
  readonly bytes: number;
  /** SHA-256 of its list of chunks, lower-case hex; null where it came without one. */
  readonly chunksDigest: string | null;
}

/** An object of which no byte is given before it was held against a digest. */
export interface CheckedObject {
  readonly bytes: number;
  /** The bytes of [from, to), chunk by chunk. Throws FILE_CHANGED before the first byte of a chunk that is not what arrived. */
  span(from: number, to: number): AsyncIterable<Uint8Array>;
}

/**
 * Opens an object by its list of chunks, so that a range costs its own chunks only. Without a list, or with one that has changed, the whole object is
 * read against its digest here. Throws FILE_CHANGED and FILE_UNREADABLE, with the digest as their place.
 */
export async function openChecked(objects: ObjectStore, digest: string, facts: ObjectFacts): Promise<CheckedObject> {
  const list = facts.chunksDigest === null ? null : await objects.chunks(digest);
  if (list !== null && list.length === listBytes(facts.bytes) && hash('sha256', list, 'hex') === facts.chunksDigest)
    return { bytes: facts.bytes, span: (from, to) => checkedSpan(objects, digest, list, facts.bytes, { from, to }) };
  const hasher = new ChunkHasher();
  let held: Uint8Array[] | null = [];
  let bytes = 0;
  for await (const part of objects.open(digest, { verify: true })) {
    bytes += part.length;
    if (bytes > UNCHUNKED_BYTES_MAX) held = null;
    held?.push(part);
    hasher.update(part);
  }
  const made = hasher.done();
  if (held === null) return { bytes, span: (from, to) => checkedSpan(objects, digest, made, bytes, { from, to }) };
  const whole = Buffer.concat(held);
  return { bytes, span: (from, to) => oneOf(whole.subarray(from, to)) };
}

const listBytes = (bytes: number): number => Math.ceil(bytes / CHUNK_BYTES) * DIGEST_BYTES;

async function* oneOf(part: Uint8Array): AsyncGenerator<Uint8Array> {
  if (part.length > 0) yield await Promise.resolve(part);
}

async function* checkedSpan(
  objects: ObjectStore,
  digest: string,
  list: Buffer,
  bytes: number,
  { from, to }: { readonly from: number; readonly to: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let chunk = Math.floor(from / CHUNK_BYTES); chunk * CHUNK_BYTES < Math.min(to, bytes); chunk += 1) {
    const start = chunk * CHUNK_BYTES;
    const end = Math.min(start + CHUNK_BYTES, bytes);
    const parts: Uint8Array[] = [];
    for await (const part of objects.open(digest, { from: start, to: end })) parts.push(part);
    const whole = Buffer.concat(parts);
    const wanted = list.subarray(chunk * DIGEST_BYTES, (chunk + 1) * DIGEST_BYTES);
    if (!hash('sha256', whole, 'buffer').equals(wanted))
      throw new CodedError('FILE_CHANGED', 'A chunk of a stored file no longer has its digest.', { place: digest });
    yield whole.subarray(Math.max(from - start, 0), Math.min(to, end) - start);
  }
}

import { createGunzip, crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { CodedError } from '../../../kernel/error.js';

const GZIP_HEADER_BYTES = 12;
const BLOCK_TRAILER_BYTES = 8;
const BLOCK_INPUT_BYTES_MAX = 0xff00;
const BLOCK_OUTPUT_BYTES_MAX = 65_536;
/** Plain gzip is fed in small steps, so that one step cannot expand beyond about 16 MiB (deflate reaches 1032:1). */
const GUNZIP_STEP_BYTES = 16_384;
const EOF_BLOCK = Buffer.from('1f8b08040000000000ff0600424302001b0003000000000000000000', 'hex');

type Bytes = AsyncIterator<Uint8Array>;

/** True when the bytes begin as a gzip member. */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** True when the bytes begin as a BGZF block (SAM specification, section 4.1); needs the first 18 bytes in the usual layout. */
export function isBgzf(head: Uint8Array): boolean {
  return blockSize(head) > 0;
}

/** Whole size of the BGZF block at the start of `bytes`: 0 when it is none, -1 when more bytes are needed to tell. */
function blockSize(bytes: Uint8Array): number {
  if (bytes.length < GZIP_HEADER_BYTES) return -1;
  if (!isGzip(bytes) || bytes[2] !== 8 || ((bytes[3] ?? 0) & 4) === 0) return 0;
  const end = GZIP_HEADER_BYTES + (bytes[10] ?? 0) + (bytes[11] ?? 0) * 256;
  let at = GZIP_HEADER_BYTES;
  while (at + 4 <= end) {
    if (bytes.length < at + 6) return -1;
    const length = (bytes[at + 2] ?? 0) + (bytes[at + 3] ?? 0) * 256;
    if (bytes[at] === 0x42 && bytes[at + 1] === 0x43 && length === 2) {
      return (bytes[at + 4] ?? 0) + (bytes[at + 5] ?? 0) * 256 + 1;
    }
    at += 4 + length;
  }
  return 0;
}

/**
 * Inflates plain gzip (many members), BGZF, or passes bytes that are neither through unchanged.
 * Everything before a fault is yielded first; then a CodedError GZIP_TRUNCATED or GZIP_CORRUPT with place 'byte N' is thrown,
 * N being an offset in the compressed file. A BGZF file without its empty last block counts as truncated.
 */
export async function* gunzip(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const source = input[Symbol.asyncIterator]();
  try {
    const head = await fill(source, Buffer.alloc(0), 18);
    if (!isGzip(head)) {
      if (head.length > 0) yield head;
      yield* rest(source);
    } else if (isBgzf(head)) {
      yield* inflateBlocks(source, head);
    } else {
      yield* inflateMembers(source, head, 0);
    }
  } finally {
    await source.return?.();
  }
}

async function* rest(source: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
}

async function fill(source: Bytes, have: Buffer, wanted: number): Promise<Buffer> {
  const parts = [have];
  let size = have.length;
  while (size < wanted) {
    const next = await source.next();
    if (next.done === true) break;
    parts.push(Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length));
    size += next.value.length;
  }
  return parts.length === 1 ? have : Buffer.concat(parts, size);
}

function truncated(offset: number, what: string): CodedError {
  return new CodedError('GZIP_TRUNCATED', `The compressed file ends ${what}.`, { place: `byte ${offset}` });
}

function corrupt(offset: number, what: string, cause?: unknown): CodedError {
  return new CodedError('GZIP_CORRUPT', `The compressed data ${what}.`, { place: `byte ${offset}`, cause });
}

async function* inflateBlocks(source: Bytes, head: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  let have = head;
  let offset = 0;
  let sawEmptyLast = false;
  for (;;) {
    if (have.length < GZIP_HEADER_BYTES) have = await fill(source, have, 18);
    if (have.length === 0) break;
    let size = blockSize(have);
    if (size === -1) {
      have = await fill(source, have, BLOCK_OUTPUT_BYTES_MAX);
      size = blockSize(have);
    }
    if (size === -1) throw truncated(offset + have.length, 'inside a block header');
    if (size === 0) {
      if (!isGzip(have)) throw corrupt(offset, 'hold no block where one is due');
      // A member of plain gzip behind BGZF blocks is legal gzip; the rest is read without block sizes.
      yield* inflateMembers(source, have, offset);
      return;
    }
    if (have.length < size) have = await fill(source, have, size);
    if (have.length < size) throw truncated(offset + have.length, 'inside a block');
    const plain = inflateBlock(have.subarray(0, size), offset);
    sawEmptyLast = plain.length === 0;
    if (plain.length > 0) yield plain;
    have = have.subarray(size);
    offset += size;
  }
  if (!sawEmptyLast) throw truncated(offset, 'without its end-of-file block');
}

function inflateBlock(block: Buffer, offset: number): Buffer {
  const dataStart = GZIP_HEADER_BYTES + block.readUInt16LE(10);
  const dataEnd = block.length - BLOCK_TRAILER_BYTES;
  if (dataEnd < dataStart) throw corrupt(offset, 'hold a block whose sizes disagree');
  let plain: Buffer;
  try {
    plain = inflateRawSync(block.subarray(dataStart, dataEnd), { maxOutputLength: BLOCK_OUTPUT_BYTES_MAX });
  } catch (cause) {
    throw corrupt(offset, 'hold a block that cannot be inflated', cause);
  }
  if (plain.length !== block.readUInt32LE(dataEnd + 4)) throw corrupt(offset, 'hold a block of the wrong length');
  if (crc32(plain) !== block.readUInt32LE(dataEnd)) throw corrupt(offset, 'hold a block whose checksum fails');
  return plain;
}

async function* inflateMembers(source: Bytes, head: Buffer, base: number): AsyncGenerator<Uint8Array, void, undefined> {
  const inflate = createGunzip();
  let ready: Buffer[] = [];
  let failure: NodeJS.ErrnoException | undefined;
  let wake: (() => void) | undefined;
  inflate.on('data', (part: Buffer) => ready.push(part));
  inflate.on('error', (error: NodeJS.ErrnoException) => {
    failure = error;
    wake?.();
  });
  inflate.on('end', () => wake?.());
  const step = (start: () => void): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
      start();
    });
  const drain = (): Buffer[] => {
    const parts = ready;
    ready = [];
    return parts;
  };
  let fed = base;
  try {
    for (let chunk: Uint8Array | undefined = head; chunk !== undefined;) {
      for (let at = 0; at < chunk.length && failure === undefined; at += GUNZIP_STEP_BYTES) {
        const piece = chunk.subarray(at, at + GUNZIP_STEP_BYTES);
        fed += piece.length;
        await step(() => inflate.write(piece, () => wake?.()));
        yield* drain();
      }
      if (failure !== undefined) break;
      const next: IteratorResult<Uint8Array> = await source.next();
      chunk = next.done === true ? undefined : next.value;
    }
    if (failure === undefined) await step(() => inflate.end());
    yield* drain();
  } finally {
    inflate.destroy();
  }
  if (failure === undefined) return;
  if (failure.code === 'Z_BUF_ERROR') throw truncated(fed, 'inside a member');
  throw corrupt(fed, 'cannot be inflated; the fault lies before this byte', failure);
}

/** Packs bytes as BGZF: blocks of at most 64 KiB each way and the empty end-of-file block. */
export function bgzfCompress(bytes: Uint8Array): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK_INPUT_BYTES_MAX) {
    blocks.push(compressBlock(bytes.subarray(at, at + BLOCK_INPUT_BYTES_MAX)));
  }
  blocks.push(EOF_BLOCK);
  return Buffer.concat(blocks);
}

function compressBlock(plain: Uint8Array): Buffer {
  let data = deflateRawSync(plain);
  // Stored blocks cost 5 bytes each 64 KiB, so 0xff00 bytes of noise still fit the 16-bit block size.
  if (data.length > BLOCK_OUTPUT_BYTES_MAX - 26) data = deflateRawSync(plain, { level: 0 });
  const head = Buffer.from('1f8b08040000000000ff0600424302000000', 'hex');
  head.writeUInt16LE(head.length + data.length + BLOCK_TRAILER_BYTES - 1, 16);
  const trailer = Buffer.alloc(BLOCK_TRAILER_BYTES);
  trailer.writeUInt32LE(crc32(plain), 0);
  trailer.writeUInt32LE(plain.length, 4);
  return Buffer.concat([head, data, trailer]);
}

import { brotliCompress, brotliDecompressSync, constants } from 'node:zlib';
import { promisify } from 'node:util';

const compress = promisify(brotliCompress);

/** Grows as it is written. Numbers are LEB128 varints; those that may be negative are written zigzag. */
export class ByteWriter {
  private buffer: Buffer;
  private length = 0;

  constructor(capacity = 4_096) {
    this.buffer = Buffer.allocUnsafe(capacity);
  }

  get bytes(): Buffer {
    return Buffer.from(this.buffer.subarray(0, this.length));
  }

  varint(value: number): this {
    this.room(8);
    let rest = value;
    while (rest > 0x7f) {
      this.buffer[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.buffer[this.length++] = rest;
    return this;
  }

  signed(value: number): this {
    return this.varint(value < 0 ? -value * 2 - 1 : value * 2);
  }

  raw(bytes: Uint8Array): this {
    this.room(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  /** Bytes behind their length. */
  block(bytes: Uint8Array): this {
    return this.varint(bytes.length).raw(bytes);
  }

  private room(more: number): void {
    if (this.length + more <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + more));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }
}

/** Reads what a ByteWriter wrote. */
export class ByteReader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new Error('stored evidence ends early');
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  }

  signed(): number {
    const value = this.varint();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  raw(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new Error('stored evidence ends early');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  block(): Buffer {
    return this.raw(this.varint());
  }
}

/** Whole numbers, each as its difference from the one before. */
export function encodeDeltas(values: Float64Array): Buffer {
  const writer = new ByteWriter();
  let last = 0;
  for (const value of values) {
    writer.signed(value - last);
    last = value;
  }
  return writer.bytes;
}

export function decodeDeltas(bytes: Buffer, count: number): Float64Array {
  const reader = new ByteReader(bytes);
  const values = new Float64Array(count);
  let last = 0;
  for (let i = 0; i < count; i++) values[i] = last += reader.signed();
  return values;
}

/** Indexes into a dictionary of so many entries, low bytes first and then high bytes, which packs better. */
export function encodeIndexes(indexes: Uint16Array, entries: number): Buffer {
  const low = Uint8Array.from(indexes, (index) => index & 0xff);
  return entries <= 256 ? Buffer.from(low) : Buffer.concat([low, Uint8Array.from(indexes, (index) => index >> 8)]);
}

export function decodeIndexes(bytes: Buffer, count: number): Uint16Array {
  const indexes = new Uint16Array(count);
  const wide = bytes.length > count;
  for (let i = 0; i < count; i++) indexes[i] = (bytes[i] ?? 0) | (wide ? (bytes[count + i] ?? 0) << 8 : 0);
  return indexes;
}

export const pack = (bytes: Buffer): Promise<Buffer> =>
  compress(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });

export const unpack = (bytes: Buffer): Buffer => brotliDecompressSync(bytes);

import { CodedError } from '../kernel/error.js';
import { LIMITS } from '../kernel/limits.js';
import { safePath } from './member.js';

const BLOCK = 512;
/** Long names and pax headers beyond this are refused. */
const EXTENSION_BYTES_MAX = 1024 * 1024;

export interface TarMember {
  readonly path: string;
  readonly size: number;
  /** To be read to its end, or left alone, before the next member is asked for. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

const corrupt = (message: string, at: number): CodedError => new CodedError('ARCHIVE_CORRUPT', message, { place: `byte ${at}` });

/**
 * Members of a tar archive (POSIX ustar and pax, GNU long names) one after the other. Folders are left out.
 * Throws ARCHIVE_CORRUPT, ARCHIVE_PATH (links and devices too), ARCHIVE_BOMB beyond archive_bytes_max or archive_members_max.
 */
export async function* tarMembers(input: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember, void, undefined> {
  const source = new Source(input);
  let longName: string | undefined;
  let members = 0;
  let total = 0;
  try {
    for (;;) {
      const at = source.at;
      const header = await source.take(BLOCK);
      if (header.length === 0 || header.every((byte) => byte === 0)) return;
      if (header.length < BLOCK || checksum(header) !== octal(header, 148, 8)) throw corrupt('A header of the archive is damaged.', at);
      const size = octal(header, 124, 12);
      if (!Number.isSafeInteger(size)) throw corrupt('The size of a member cannot be read.', at);
      const type = String.fromCharCode(header[156] ?? 0);
      if (type === 'L' || type === 'x' || type === 'g') {
        if (size > EXTENSION_BYTES_MAX) throw corrupt('A header of the archive is too large.', at);
        const body = await source.take(size);
        await source.skip(padding(size));
        if (type === 'L') longName = textAt(body, 0, body.length);
        if (type === 'x') longName = paxPath(body) ?? longName;
        continue;
      }
      const path = longName ?? ustarPath(header);
      longName = undefined;
      safePath(path, members);
      if (type === '5') continue;
      if (type !== '0' && type !== '\0' && type !== '7')
        throw new CodedError('ARCHIVE_PATH', 'A member is a link or a device.', { place: `member ${members}` });
      members += 1;
      total += size;
      if (members > LIMITS.archive_members_max || total > LIMITS.archive_bytes_max) {
        throw new CodedError('ARCHIVE_BOMB', 'The archive expands beyond archive_members_max or archive_bytes_max.', {
          place: `byte ${at}`,
        });
      }
      const end = source.at + size;
      yield { path, size, bytes: source.stream(size) };
      await source.skip(end - source.at);
      if (source.at < end) throw corrupt('The archive ends inside a member.', source.at);
      await source.skip(padding(size));
    }
  } finally {
    await source.close();
  }
}

const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;

function octal(header: Buffer, at: number, length: number): number {
  const text = textAt(header, at, length).trim();
  return /^[0-7]+$/.test(text) ? parseInt(text, 8) : Number.NaN;
}

function textAt(bytes: Buffer, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? length : end).toString('utf8');
}

function ustarPath(header: Buffer): string {
  const prefix = textAt(header, 345, 155);
  const name = textAt(header, 0, 100);
  return prefix === '' || textAt(header, 257, 6) === 'ustar ' ? name : `${prefix}/${name}`;
}

function paxPath(body: Buffer): string | undefined {
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(0x20, at);
    const length = Number(body.subarray(at, space).toString('latin1'));
    if (space < 0 || !Number.isInteger(length) || length <= 0) return undefined;
    const record = body.subarray(space + 1, at + length - 1).toString('utf8');
    if (record.startsWith('path=')) return record.slice('path='.length);
    at += length;
  }
  return undefined;
}

function checksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) sum += at >= 148 && at < 156 ? 0x20 : (header[at] ?? 0);
  return sum;
}

/** A stream of which exact numbers of bytes are taken. */
class Source {
  at = 0;
  private readonly parts: AsyncIterator<Uint8Array>;
  private rest: Uint8Array = Buffer.alloc(0);

  constructor(input: AsyncIterable<Uint8Array>) {
    this.parts = input[Symbol.asyncIterator]();
  }

  async *stream(size: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = size; left > 0;) {
      const part = await this.some(left);
      if (part === undefined) return;
      left -= part.length;
      yield part;
    }
  }

  /** Fewer bytes only at the end of the input. */
  async take(size: number): Promise<Buffer> {
    const taken: Uint8Array[] = [];
    for await (const part of this.stream(size)) taken.push(part);
    return Buffer.concat(taken);
  }

  async skip(size: number): Promise<void> {
    const stream = this.stream(size);
    while ((await stream.next()).done !== true);
  }

  async close(): Promise<void> {
    await this.parts.return?.();
  }

  private async some(most: number): Promise<Uint8Array | undefined> {
    while (this.rest.length === 0) {
      const next = await this.parts.next();
      if (next.done === true) return undefined;
      this.rest = next.value;
    }
    const part = this.rest.subarray(0, most);
    this.rest = this.rest.subarray(part.length);
    this.at += part.length;
    return part;
  }
}

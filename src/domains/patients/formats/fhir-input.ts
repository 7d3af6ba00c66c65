import { isUtf8 } from 'node:buffer';
import { CodedError } from '../../../kernel/error.js';
import { readAll } from '../../../kernel/format.js';
import { LIMITS } from '../../../kernel/limits.js';

/** One JSON text of a file: the whole file (`line` null) or one line of NDJSON (from 1). */
export interface JsonDocument {
  readonly bytes: Buffer;
  readonly line: number | null;
}

const NEWLINE = 0x0a;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Splits a file into its JSON texts. Throws FILE_EMPTY, FILE_TOO_LARGE, LIMIT_RECORD. */
export async function* documents(input: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<JsonDocument> {
  const iterator = input[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  const shape = new Shape();
  let lines: boolean | undefined = name.endsWith('.ndjson') || name.endsWith('.jsonl') ? true : undefined;
  try {
    while (lines === undefined) {
      const next = await iterator.next();
      if (next.done === true) break;
      head.push(next.value);
      lines = shape.push(next.value);
    }
    const rest = joined(head, iterator);
    if (lines === true) yield* linesOf(rest);
    else yield { bytes: withoutBom(await whole(rest)), line: null };
  } finally {
    await iterator.return?.();
  }
}

/** Text that is not UTF-8 is refused before it is decoded, since decoding would replace what it cannot read. */
export function requireUtf8(document: JsonDocument): void {
  if (!isUtf8(document.bytes))
    throw new CodedError('ENCODING_INVALID', 'The text is not UTF-8', { place: document.line === null ? 'file' : `line ${document.line}` });
}

/** Tells NDJSON by a first line that ends in '}' before a second that begins with '{', which no single JSON text has. */
class Shape {
  private last = 0;
  private lineEnded = false;

  /** True for lines, false for one text, undefined while it cannot be told. */
  push(chunk: Uint8Array): boolean | undefined {
    let at = 0;
    while (at < chunk.length) {
      const byte = chunk[at] as number;
      const blank = byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === NEWLINE;
      if (this.lineEnded && !blank) return this.last === CLOSE && byte === OPEN;
      if (byte === NEWLINE && this.last !== 0) this.lineEnded = true;
      else if (!blank) this.last = byte;
      at++;
    }
    return undefined;
  }
}

async function* joined(head: readonly Uint8Array[], iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* head;
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
}

async function whole(input: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const bytes = await readAll(
    input,
    LIMITS.record_bytes_max,
    () =>
      new CodedError('FILE_TOO_LARGE', `A FHIR document is larger than record_bytes_max (${LIMITS.record_bytes_max}); send it as NDJSON`),
  );
  if (bytes.length === 0) throw new CodedError('FILE_EMPTY', 'The file holds no bytes');
  return bytes;
}

async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<JsonDocument> {
  let line = 1;
  let parts: Uint8Array[] = [];
  let size = 0;
  let any = false;
  const take = (): Buffer => {
    const bytes = Buffer.concat(parts, size);
    parts = [];
    size = 0;
    return line === 1 ? withoutBom(bytes) : bytes;
  };
  for await (const chunk of input) {
    any ||= chunk.length > 0;
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      parts.push(chunk.subarray(start, end));
      size += end - start;
      start = end + 1;
      const bytes = take();
      if (!isBlank(bytes)) yield { bytes, line };
      line++;
    }
    parts.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > LIMITS.record_bytes_max)
      throw new CodedError('LIMIT_RECORD', `A line is longer than record_bytes_max (${LIMITS.record_bytes_max})`, {
        place: `line ${line}`,
      });
  }
  if (!any) throw new CodedError('FILE_EMPTY', 'The file holds no bytes');
  const bytes = take();
  if (!isBlank(bytes)) yield { bytes, line };
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function withoutBom(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

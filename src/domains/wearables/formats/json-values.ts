import { LIMITS } from '../../../kernel/limits.js';

/** One top-level value of a JSON stream as it stood in the file; too large a value is cut and marked. */
export interface JsonSlice {
  readonly bytes: Uint8Array;
  /** False when the file ends inside the value or the value is longer than the limit. */
  readonly whole: boolean;
  /** Byte offset of its first byte in the file. */
  readonly offset: number;
}

const [QUOTE, BACKSLASH, NEWLINE, COMMA, OPEN_LIST, CLOSE_LIST, OPEN, CLOSE] = [0x22, 0x5c, 0x0a, 0x2c, 0x5b, 0x5d, 0x7b, 0x7d];

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/**
 * Cuts the elements of a top-level array, NDJSON lines, or values one after another out of a stream, in constant memory.
 * It balances brackets outside of strings and leaves judging each value to JSON.parse. Outside an array a value that breaks off is
 * given up at the next line that begins with `{` in its first column while the broken one began there too, so that one bad NDJSON
 * line costs one record.
 */
export class JsonSplitter {
  private depth = 0;
  private inText = false;
  private escaped = false;
  private parts: Uint8Array[] = [];
  private held = 0;
  private start = -1;
  private offset = 0;
  private base = 0;
  private seen = false;
  private startsLine = false;
  private before = NEWLINE;

  *push(chunk: Uint8Array): Generator<JsonSlice> {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (this.start >= 0 && this.broken(byte)) {
        yield this.cut(chunk.subarray(from, at), false);
      }
      const open = this.start >= 0;
      const ended = this.step(byte, this.offset + at);
      this.before = byte;
      if (!open && this.start >= 0) from = at;
      if (ended)
        yield this.cut(
          chunk.subarray(from, byte === COMMA || (byte === CLOSE_LIST && this.depth < this.base) || isBlank(byte) ? at : at + 1),
          true,
        );
    }
    if (this.start >= 0) this.hold(chunk.slice(from));
    this.offset += chunk.length;
  }

  /** The value that the end of the file cut off, if any. */
  *end(): Generator<JsonSlice> {
    if (this.start >= 0) yield this.cut(new Uint8Array(0), this.depth === this.base && !this.inText);
  }

  /** True when the file began with `[` and its closing bracket never came. */
  get listOpen(): boolean {
    return this.base === 1 && this.depth >= 1;
  }

  private broken(byte: number): boolean {
    return this.base === 0 && this.startsLine && byte === OPEN && this.before === NEWLINE && (this.inText || this.depth > 0);
  }

  private hold(part: Uint8Array): void {
    // Of an oversized value only the length is followed further.
    if (this.held <= LIMITS.record_bytes_max) this.parts.push(part);
    this.held += part.length;
  }

  private cut(last: Uint8Array, whole: boolean): JsonSlice {
    this.hold(last);
    const fits = this.held <= LIMITS.record_bytes_max;
    const bytes = fits ? Buffer.concat(this.parts) : Buffer.concat(this.parts).subarray(0, LIMITS.quarantine_bytes_kept_max);
    const slice = { bytes, whole: whole && fits, offset: this.start };
    this.parts = [];
    this.held = 0;
    this.start = -1;
    this.inText = false;
    this.escaped = false;
    if (this.depth > this.base) this.depth = this.base;
    return slice;
  }

  /** Follows one byte; true when it ends a value. */
  private step(byte: number, offset: number): boolean {
    if (this.inText) {
      if (this.escaped) this.escaped = false;
      else if (byte === BACKSLASH) this.escaped = true;
      else if (byte === QUOTE) this.inText = false;
      return false;
    }
    if (this.start < 0) return this.begin(byte, offset);
    if (byte === QUOTE) this.inText = true;
    else if (byte === OPEN || byte === OPEN_LIST) this.depth += 1;
    else if (byte === CLOSE || byte === CLOSE_LIST) {
      this.depth -= 1;
      return this.depth <= this.base;
    } else if (this.depth === this.base) return byte === COMMA || isBlank(byte);
    return false;
  }

  private begin(byte: number, offset: number): boolean {
    // A byte order mark is no value.
    if (isBlank(byte) || (offset < 3 && byte >= 0x80)) return false;
    if (!this.seen) {
      this.seen = true;
      if (byte === OPEN_LIST) {
        this.base = 1;
        this.depth = 1;
        return false;
      }
    }
    if (this.base === 1 && (byte === COMMA || (byte === CLOSE_LIST && this.depth === 1))) {
      if (byte === CLOSE_LIST) this.depth = 0;
      return false;
    }
    this.start = offset;
    this.startsLine = this.before === NEWLINE;
    if (byte === QUOTE) this.inText = true;
    else if (byte === OPEN || byte === OPEN_LIST) this.depth += 1;
    return false;
  }
}

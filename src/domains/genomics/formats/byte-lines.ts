/** One line of a text file, without its LF or CRLF. `number` counts from 1. */
export interface ByteLine {
  readonly number: number;
  /** Valid until the next line is asked for, when the line is parsed at once; copy to keep. */
  readonly bytes: Buffer;
  /** True when the line was longer than the limit; `bytes` then holds only its beginning. */
  readonly tooLong: boolean;
}

const LF = 10;
const CR = 13;
const KEPT_OF_TOO_LONG = 65_536;

/** Cuts chunks into lines. Memory is bounded by `maxBytes`: of a longer line only the first 64 KiB are kept. Drops a UTF-8 BOM. */
export class LineCutter {
  private parts: Buffer[] = [];
  private size = 0;
  private number = 0;
  private tooLong = false;

  constructor(private readonly maxBytes: number) {}

  /** The lines that `chunk` completes. */
  *push(chunk: Uint8Array): Generator<ByteLine, void, undefined> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    let start = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
      if (this.size === 0 && end - start <= this.maxBytes && !this.tooLong) {
        yield this.line(bytes.subarray(start, end));
      } else {
        this.keep(bytes.subarray(start, end));
        yield this.take();
      }
      start = end + 1;
    }
    if (start < bytes.length) this.keep(bytes.subarray(start));
  }

  /** The last line, when the file does not end with a line end. */
  *end(): Generator<ByteLine, void, undefined> {
    if (this.size > 0 || this.tooLong) yield this.take();
  }

  private keep(bytes: Buffer): void {
    if (this.tooLong) return;
    this.parts.push(bytes);
    this.size += bytes.length;
    if (this.size <= this.maxBytes) return;
    this.tooLong = true;
    this.parts = [Buffer.from(Buffer.concat(this.parts, Math.min(this.size, KEPT_OF_TOO_LONG)))];
  }

  private take(): ByteLine {
    const line = this.line(this.parts.length === 1 && this.parts[0] ? this.parts[0] : Buffer.concat(this.parts));
    this.parts = [];
    this.size = 0;
    this.tooLong = false;
    return line;
  }

  private line(raw: Buffer): ByteLine {
    this.number += 1;
    let bytes = raw;
    if (this.number === 1 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3);
    if (!this.tooLong && bytes[bytes.length - 1] === CR) bytes = bytes.subarray(0, bytes.length - 1);
    return { number: this.number, bytes, tooLong: this.tooLong };
  }
}

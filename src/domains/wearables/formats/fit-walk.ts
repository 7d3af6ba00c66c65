import type { ErrorCode } from '../../../kernel/error.js';
import { FIELD_TIMESTAMP } from './fit-profile.js';

/**
 * The framing of FIT files: segments, headers, definitions, data messages and checksums (FIT protocol 1.x and 2.x).
 * What a message means is the visitor's affair.
 */

export interface FitField {
  readonly number: number;
  readonly size: number;
  readonly baseType: number;
  /** Byte offset inside the message. */
  readonly at: number;
}

export interface FitDefinition {
  readonly global: number;
  readonly littleEndian: boolean;
  readonly fields: readonly FitField[];
  /** Bytes of one message without its header byte; developer fields stand at its end and are counted. */
  readonly size: number;
}

export interface FitFault {
  readonly code: ErrorCode;
  readonly reason: string;
  /** Number of the segment, from 0. */
  readonly segment: number;
  /** Byte offset in the file. */
  readonly offset: number;
  readonly ordinal: number;
}

/** Called for each message: its content begins at `at`; timestamp is in FIT seconds, NaN when the message states none. */
export type FitHandler = (at: number, timestamp: number, ordinal: number) => void;

export interface FitVisitor {
  /** Compiles a definition into a handler; null skips its messages. */
  define(definition: FitDefinition): FitHandler | null;
  fault(fault: FitFault): void;
}

interface Local {
  readonly size: number;
  readonly timestampAt: number;
  readonly littleEndian: boolean;
  readonly handler: FitHandler | null;
}

const CRC_TABLE = Uint16Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  return crc;
});

/** The checksum of the protocol (CRC-16, reflected polynomial 0xA001, start 0). */
export function fitCrc(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let at = start; at < end; at += 1) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  return crc;
}

const HEADER_BYTES_MIN = 12;
const PROTOCOL_MAJOR_MAX = 2;

/** True when a segment header with the `.FIT` signature stands at `at`. */
export function isFitHeader(bytes: Uint8Array, at: number): boolean {
  const size = bytes[at] ?? 0;
  return (
    size >= HEADER_BYTES_MIN &&
    at + HEADER_BYTES_MIN <= bytes.length &&
    bytes[at + 8] === 0x2e &&
    bytes[at + 9] === 0x46 &&
    bytes[at + 10] === 0x49 &&
    bytes[at + 11] === 0x54
  );
}

/** Walks the segments of one file, one call of `next` each, so that a caller can yield between them. */
export class FitWalker {
  /** The last timestamp seen in the segment, FIT seconds; NaN before the first. */
  lastTimestamp = Number.NaN;
  segment = -1;
  private at = 0;
  private ordinal = 0;
  private locals: (Local | undefined)[] = [];
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Walks the next segment; false when the file is used up. */
  next(visitor: FitVisitor): boolean {
    if (this.at >= this.bytes.length) return false;
    this.segment += 1;
    this.locals = [];
    this.lastTimestamp = Number.NaN;
    const start = this.at;
    if (!isFitHeader(this.bytes, start)) {
      const short = this.bytes.length - start < HEADER_BYTES_MIN;
      const reason = short ? 'the header of the segment is cut off' : 'the bytes after the last segment are no FIT header';
      this.fault(visitor, short ? 'FIT_TRUNCATED' : 'FIT_HEADER', reason, start);
      this.at = this.bytes.length;
      return true;
    }
    const headerSize = this.bytes[start] ?? 0;
    const stated = this.view.getUint32(start + 4, true);
    if ((this.bytes[start + 1] ?? 0) >> 4 > PROTOCOL_MAJOR_MAX) {
      this.fault(visitor, 'FORMAT_UNSUPPORTED', 'the protocol version of the segment is not read', start);
      this.at = start + headerSize + stated + 2;
      return true;
    }
    this.checkHeaderCrc(visitor, start, headerSize);
    const dataStart = start + headerSize;
    // A recorder that lost power leaves the size at 0; what follows is then salvaged up to the end of the file.
    const dataEnd = stated === 0 ? this.bytes.length : dataStart + stated;
    const cut = stated === 0 || dataEnd + 2 > this.bytes.length;
    const stop = this.walkMessages(visitor, dataStart, Math.min(dataEnd, this.bytes.length), cut);
    if (cut) this.fault(visitor, 'FIT_TRUNCATED', 'the segment ends before the size that its header states', stop);
    else if (fitCrc(this.bytes, start, dataEnd) !== this.view.getUint16(dataEnd, true)) {
      this.fault(visitor, 'FIT_CRC', 'the checksum of the segment does not match', dataEnd);
    }
    this.at = cut ? this.bytes.length : dataEnd + 2;
    return true;
  }

  private checkHeaderCrc(visitor: FitVisitor, start: number, headerSize: number): void {
    if (headerSize < 14 || start + 14 > this.bytes.length) return;
    const stated = this.view.getUint16(start + 12, true);
    if (stated === 0 || stated === fitCrc(this.bytes, start, start + 12)) return;
    this.fault(visitor, 'FIT_CRC', 'the checksum of the header does not match', start + 12);
  }

  /** Walks messages up to `end` and returns where reading stopped. A cut segment ends quietly; its fault is the caller's. */
  private walkMessages(visitor: FitVisitor, start: number, end: number, cut: boolean): number {
    let at = start;
    while (at < end) {
      const head = this.bytes[at] ?? 0;
      const next = (head & 0xc0) === 0x40 ? this.definition(visitor, at, end) : this.data(at, head, end);
      if (next < 0) {
        if (!cut) this.fault(visitor, 'FIT_MESSAGE', 'the message has no definition or runs beyond its segment', at);
        return at;
      }
      at = next;
    }
    return at;
  }

  /** Reads a data message; the offset after it, or -1 when it cannot be read. */
  private data(at: number, head: number, end: number): number {
    const compressed = (head & 0x80) !== 0;
    const local = this.locals[compressed ? (head >> 5) & 3 : head & 15];
    const content = at + 1;
    if (local === undefined || content + local.size > end) return -1;
    let timestamp = Number.NaN;
    if (compressed) {
      if (!Number.isNaN(this.lastTimestamp)) {
        const seconds = head & 31;
        const rolled = seconds < this.lastTimestamp % 32 ? 32 : 0;
        timestamp = this.lastTimestamp - (this.lastTimestamp % 32) + seconds + rolled;
      }
    } else if (local.timestampAt >= 0) {
      const stated = this.view.getUint32(content + local.timestampAt, local.littleEndian);
      if (stated !== 0xffff_ffff) timestamp = stated;
    }
    if (!Number.isNaN(timestamp)) this.lastTimestamp = timestamp;
    if (local.handler !== null) local.handler(content, timestamp, this.ordinal);
    this.ordinal += 1;
    return content + local.size;
  }

  /** Reads a definition message; the offset after it, or -1 when it is cut off. */
  private definition(visitor: FitVisitor, at: number, end: number): number {
    const head = this.bytes[at] ?? 0;
    if (at + 6 > end) return -1;
    const littleEndian = this.bytes[at + 2] === 0;
    const count = this.bytes[at + 5] ?? 0;
    let next = at + 6 + count * 3;
    if (next > end) return -1;
    const fields: FitField[] = [];
    let size = 0;
    let timestampAt = -1;
    for (let from = at + 6; from < next; from += 3) {
      const field = { number: this.bytes[from] ?? 0, size: this.bytes[from + 1] ?? 0, baseType: this.bytes[from + 2] ?? 0, at: size };
      if (field.number === FIELD_TIMESTAMP && field.size === 4) timestampAt = size;
      size += field.size;
      fields.push(field);
    }
    if ((head & 0x20) !== 0) {
      if (next >= end) return -1;
      const developerEnd = next + 1 + (this.bytes[next] ?? 0) * 3;
      if (developerEnd > end) return -1;
      for (let from = next + 1; from < developerEnd; from += 3) size += this.bytes[from + 1] ?? 0;
      next = developerEnd;
    }
    const global = this.view.getUint16(at + 3, littleEndian);
    this.locals[head & 15] = { size, timestampAt, littleEndian, handler: visitor.define({ global, littleEndian, fields, size }) };
    return next;
  }

  private fault(visitor: FitVisitor, code: ErrorCode, reason: string, offset: number): void {
    visitor.fault({ code, reason, segment: this.segment, offset, ordinal: this.ordinal });
  }
}

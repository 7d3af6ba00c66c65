import type { CodedError, ErrorCode, Place } from './error.js';

/** A record that a parser read, with where it stood. `ordinal` counts records of one file from 0, faults included. */
export interface ParsedRecord<T> {
  readonly ok: true;
  readonly ordinal: number;
  readonly place: Place;
  readonly value: T;
}

/** A record that could not be read. `bytes` holds the record as it came, for the quarantine. */
export interface ParsedFault {
  readonly ok: false;
  readonly ordinal: number;
  readonly place: Place;
  readonly code: ErrorCode;
  /** A sentence with names and positions, never a value from the data. */
  readonly reason: string;
  readonly bytes?: Uint8Array;
}

export type Parsed<T> = ParsedRecord<T> | ParsedFault;

/** Facts that the sender states beside the file. */
export interface ParseOptions {
  /** Lower-case base name, used only to tell formats apart and to derive opaque ids; never logged. */
  readonly name: string;
  /** 'GRCh37' or 'GRCh38' when the sender states it. */
  readonly assembly?: string;
  /** The present, for checks of device clocks; milliseconds since 1970. */
  readonly now: number;
}

/**
 * A pure parser. It reads bytes and yields records; it opens nothing, logs nothing and keeps no state between files.
 * A fault of one record is yielded and reading goes on; a fault of the whole file is thrown as a CodedError.
 */
export interface Format<T> {
  /** Stable name: 'vcf', 'dicom', 'ccda', 'hl7v2', 'text', 'fit', 'omh', 'apple-health', 'fhir', 'crosswalk'. */
  readonly name: string;
  readonly mediaType: string;
  /** True when the first bytes (up to 4 KiB, gunzipped where the file is gzip) and the name belong to this format. */
  sniff(head: Uint8Array, name: string): boolean;
  parse(input: AsyncIterable<Uint8Array>, options: ParseOptions): AsyncIterable<Parsed<T>>;
}

/** Reads a whole stream into one buffer, refusing more than `maxBytes` with the given error. */
export async function readAll(input: AsyncIterable<Uint8Array>, maxBytes: number, tooLarge: () => CodedError): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of input) {
    size += part.length;
    if (size > maxBytes) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts, size);
}

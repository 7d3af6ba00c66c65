import { constants, inflateRawSync } from 'node:zlib';
import { CodedError } from '../../../kernel/error.js';
import type { Format, Parsed, ParseOptions } from '../../../kernel/format.js';
import { readAll } from '../../../kernel/format.js';
import { LIMITS } from '../../../kernel/limits.js';
import type { Scan } from './dicom-elements.js';
import { ElementScanner } from './dicom-elements.js';
import type { Encoding } from './dicom-probe.js';
import {
  bytePlace,
  encodingOf,
  firstElementOffset,
  guessEncoding,
  hasPrefix,
  OPENING_GROUPS,
  TRANSFER,
  transferSyntaxOf,
} from './dicom-probe.js';
import type { DicomRecord } from './dicom-record.js';
import { recordOf } from './dicom-record.js';

export type { DicomRecord } from './dicom-record.js';
export type { PixelStatistics } from './dicom-pixel.js';

const MEDIA_DIRECTORY = '1.2.840.10008.1.3.10';

/**
 * DICOM Part 10 files and bare data sets (PS3.10 section 7, PS3.5). One file is one record, ordinal 0.
 * Throws FILE_EMPTY, FILE_TOO_LARGE, DICOM_NOT_DICOM, DICOM_TRUNCATED, DICOM_ELEMENT, DICOM_UID_MISSING, ARCHIVE_BOMB, and
 * FORMAT_UNSUPPORTED for a DICOMDIR. Pixel data that end early give a record with `incomplete: true`.
 */
export const dicom: Format<DicomRecord> = {
  name: 'dicom',
  mediaType: 'application/dicom',
  sniff: (head) => hasPrefix(head) || guessEncoding(head, 0, [0x0002, 0x0008]) !== null,
  parse: parseDicom,
};

async function* parseDicom(input: AsyncIterable<Uint8Array>, _options: ParseOptions): AsyncIterable<Parsed<DicomRecord>> {
  const bytes = await readAll(
    input,
    LIMITS.record_bytes_max,
    () => new CodedError('FILE_TOO_LARGE', `The object is larger than record_bytes_max (${String(LIMITS.record_bytes_max)} bytes)`),
  );
  yield { ok: true, ordinal: 0, place: bytePlace(0), value: readDicom(bytes) };
}

/** Reads one object held in memory; the errors are those of `dicom`. */
export function readDicom(bytes: Buffer): DicomRecord {
  if (bytes.length === 0) throw new CodedError('FILE_EMPTY', 'The file holds no bytes');
  const warnings = new Set<string>();
  const meta = readMeta(bytes, warnings);
  if (meta.sopClass === MEDIA_DIRECTORY) throw directory();
  const body = bodyOf(bytes, meta, warnings);
  const scanner = new ElementScanner(body.bytes, body.offset, body.encoding, warnings);
  scanner.run();
  if (scanner.elements.has('x00041220') || scanner.elements.has('x00041130')) throw directory();
  const { elements, pixel, cut } = scanner;
  const scan: Scan = { bytes: body.bytes, encoding: body.encoding, elements, pixel, cut };
  return recordOf(scan, bytes.length, body.transferSyntax, body.inferred, warnings);
}

interface Meta {
  /** Where the data set begins. */
  readonly end: number;
  readonly transferSyntax: string | null;
  readonly sopClass: string | null;
}

/** Reads group 0002, which is explicit VR little endian in every file (PS3.10 section 7.1). */
function readMeta(bytes: Buffer, warnings: Set<string>): Meta {
  const start = firstElementOffset(bytes);
  const first = guessEncoding(bytes, start, OPENING_GROUPS);
  if (first === null) {
    if (start > 0 && start + 8 > bytes.length)
      throw new CodedError('DICOM_TRUNCATED', 'The bytes end after the prefix', { place: bytePlace(start) });
    throw new CodedError('DICOM_NOT_DICOM', 'No DICOM prefix and no element of group 0002 or 0008 stand at the start', {
      place: bytePlace(start),
    });
  }
  const opensWithMeta = bytes.readUInt16LE(start) === 0x0002;
  if (start === 0) warnings.add('PREAMBLE_MISSING');
  if (!opensWithMeta) {
    warnings.add('META_MISSING');
    return { end: start, transferSyntax: null, sopClass: null };
  }
  // A few writers encode even the meta group as implicit; the guess of its first element decides.
  const scanner = new ElementScanner(bytes, start, first, warnings);
  scanner.run((group) => group === 0x0002);
  const text = (tag: string): string | null => {
    const place = scanner.elements.get(tag);
    const value = place === undefined ? '' : bytes.toString('latin1', place.offset, place.offset + place.length);
    const trimmed = value.replace(/[\0 ]+$/, '');
    return trimmed === '' ? null : trimmed;
  };
  return { end: scanner.position, transferSyntax: text('x00020010'), sopClass: text('x00020002') };
}

interface Body {
  readonly bytes: Buffer;
  readonly offset: number;
  readonly encoding: Encoding;
  readonly transferSyntax: string;
  readonly inferred: boolean;
}

/** Settles how the data set is encoded: as declared, unless the bytes say otherwise (spec D21). */
function bodyOf(bytes: Buffer, meta: Meta, warnings: Set<string>): Body {
  if (meta.end >= bytes.length)
    throw new CodedError('DICOM_TRUNCATED', 'The bytes end before the data set', { place: bytePlace(meta.end) });
  if (meta.transferSyntax === TRANSFER.deflated) {
    const inflated = inflate(bytes.subarray(meta.end), meta.end);
    return { bytes: inflated, offset: 0, encoding: encodingOf(TRANSFER.deflated), transferSyntax: TRANSFER.deflated, inferred: false };
  }
  const guess = guessEncoding(bytes, meta.end, OPENING_GROUPS);
  if (meta.transferSyntax === null) {
    if (guess === null)
      throw new CodedError('DICOM_ELEMENT', 'The first element of the data set cannot be read', { place: bytePlace(meta.end) });
    warnings.add('TRANSFER_SYNTAX_MISSING');
    return { bytes, offset: meta.end, encoding: guess, transferSyntax: transferSyntaxOf(guess), inferred: true };
  }
  const declared = encodingOf(meta.transferSyntax);
  const agrees = guess === null || (guess.explicit === declared.explicit && guess.littleEndian === declared.littleEndian);
  if (!agrees) warnings.add('TRANSFER_SYNTAX_MISMATCH');
  return { bytes, offset: meta.end, encoding: agrees ? declared : guess, transferSyntax: meta.transferSyntax, inferred: !agrees };
}

/** Inflates a deflated data set (PS3.5 section A.5) within the limits of ratio and size. */
function inflate(deflated: Buffer, offset: number): Buffer {
  const most = Math.min(deflated.length * LIMITS.inflate_ratio_max, LIMITS.record_bytes_max);
  try {
    return inflateRawSync(deflated, { maxOutputLength: most, finishFlush: constants.Z_FINISH });
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    const place = bytePlace(offset);
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw new CodedError('ARCHIVE_BOMB', `The deflated data set expands beyond ${String(LIMITS.inflate_ratio_max)} times its size`, {
        place,
      });
    }
    if (code === 'Z_BUF_ERROR') throw new CodedError('DICOM_TRUNCATED', 'The deflated data set ends early', { place });
    throw new CodedError('DICOM_ELEMENT', 'The deflated data set cannot be inflated', { place, cause: error });
  }
}

function directory(): CodedError {
  return new CodedError('FORMAT_UNSUPPORTED', 'The file is a DICOMDIR; the files that it refers to are read one by one');
}

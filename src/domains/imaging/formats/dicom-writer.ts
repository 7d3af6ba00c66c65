import { TRANSFER } from './dicom-probe.js';

/** The VRs that the writer knows. */
export type WriterVr = 'UI' | 'PN' | 'DA' | 'TM' | 'LO' | 'SH' | 'CS' | 'IS' | 'DS' | 'US' | 'OW';

/**
 * One element: tag as eight hex digits ('00100010'), VR and value. Several values are a list.
 * US takes numbers 0..65535, OW takes bytes in little endian order, all others text or numbers.
 */
export interface WriterElement {
  readonly tag: string;
  readonly vr: WriterVr;
  readonly value: string | number | readonly (string | number)[] | Uint8Array;
}

/** 2.25 followed by a UUID as an integer, as PS3.5 section B.2 allows; it names this writer. */
const IMPLEMENTATION_UID = '2.25.271828182845904523536028747135266249775';
const IMPLEMENTATION_NAME = 'THALAMUS';
const PREAMBLE_BYTES = 128;
const SHORT_VALUE_BYTES_MAX = 65_534;

/**
 * Writes an explicit VR little endian Part 10 file (PS3.10 section 7.1). Text is UTF-8; ISO_IR 192 is declared when the
 * elements name no character set. Throws RangeError for a bad tag, a bad number, a missing SOP UID or too long a value.
 */
export function writeDicom(elements: readonly WriterElement[]): Buffer {
  const sorted = withCharset(elements).sort((a, b) => (tagOf(a) < tagOf(b) ? -1 : 1));
  sorted.forEach((element, index) => {
    const before = sorted[index - 1];
    if (before !== undefined && tagOf(before) === tagOf(element)) throw new RangeError(`Tag ${element.tag} is given twice`);
  });
  const meta = Buffer.concat([
    Buffer.from([0x02, 0x00, 0x01, 0x00, 0x4f, 0x42, 0, 0, 2, 0, 0, 0, 0, 1]),
    encode({ tag: '00020002', vr: 'UI', value: uidOf(sorted, '00080016') }),
    encode({ tag: '00020003', vr: 'UI', value: uidOf(sorted, '00080018') }),
    encode({ tag: '00020010', vr: 'UI', value: TRANSFER.explicitLittle }),
    encode({ tag: '00020012', vr: 'UI', value: IMPLEMENTATION_UID }),
    encode({ tag: '00020013', vr: 'SH', value: IMPLEMENTATION_NAME }),
  ]);
  const groupLength = Buffer.from([0x02, 0x00, 0x00, 0x00, 0x55, 0x4c, 4, 0, 0, 0, 0, 0]);
  groupLength.writeUInt32LE(meta.length, 8);
  return Buffer.concat([Buffer.alloc(PREAMBLE_BYTES), Buffer.from('DICM', 'latin1'), groupLength, meta, ...sorted.map(encode)]);
}

const tagOf = (element: WriterElement): string => element.tag.toUpperCase();

function withCharset(elements: readonly WriterElement[]): WriterElement[] {
  if (elements.some((element) => tagOf(element) === '00080005')) return [...elements];
  return [{ tag: '00080005', vr: 'CS', value: 'ISO_IR 192' }, ...elements];
}

function uidOf(elements: readonly WriterElement[], tag: string): string {
  const value = elements.find((element) => tagOf(element) === tag)?.value;
  if (typeof value !== 'string' || value === '') throw new RangeError(`Element ${tag} is required`);
  return value;
}

function encode(element: WriterElement): Buffer {
  if (!/^[0-9a-f]{8}$/i.test(element.tag)) throw new RangeError('A tag is eight hex digits');
  const value = padded(valueOf(element), element.vr);
  const long = element.vr === 'OW';
  if (!long && value.length > SHORT_VALUE_BYTES_MAX) throw new RangeError(`The value of ${element.tag} is too long for its VR`);
  const header = Buffer.alloc(long ? 12 : 8);
  header.writeUInt16LE(Number.parseInt(element.tag.slice(0, 4), 16), 0);
  header.writeUInt16LE(Number.parseInt(element.tag.slice(4), 16), 2);
  header.write(element.vr, 4, 'latin1');
  if (long) header.writeUInt32LE(value.length, 8);
  else header.writeUInt16LE(value.length, 6);
  return Buffer.concat([header, value]);
}

function valueOf({ vr, value, tag }: WriterElement): Buffer {
  if (value instanceof Uint8Array) {
    if (vr !== 'OW') throw new RangeError(`Element ${tag} takes no bytes`);
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  const list = typeof value === 'string' || typeof value === 'number' ? [value] : value;
  if (vr === 'OW') throw new RangeError(`Element ${tag} takes bytes`);
  if (vr !== 'US') return Buffer.from(list.map((item) => (vr === 'DS' ? decimal(item) : String(item))).join('\\'), 'utf8');
  const bytes = Buffer.alloc(2 * list.length);
  list.forEach((item, index) => {
    const number = Number(item);
    if (!Number.isInteger(number) || number < 0 || number > 65_535) throw new RangeError(`Element ${tag} takes numbers from 0 to 65535`);
    bytes.writeUInt16LE(number, 2 * index);
  });
  return bytes;
}

/** A DS holds at most 16 characters (PS3.5 section 6.2). */
function decimal(item: string | number): string {
  if (typeof item === 'string') return item;
  if (!Number.isFinite(item)) throw new RangeError('A decimal string is a finite number');
  let text = String(item);
  for (let digits = 15; text.length > 16; digits -= 1) text = String(Number(item.toPrecision(digits)));
  return text;
}

function padded(bytes: Buffer, vr: WriterVr): Buffer {
  if (bytes.length % 2 === 0) return bytes;
  return Buffer.concat([bytes, Buffer.from([vr === 'UI' || vr === 'OW' ? 0x00 : 0x20])]);
}

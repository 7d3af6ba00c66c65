import type { Charset } from './dicom-charset.js';
import { charsetOf, decodeText, DEFAULT_CHARSET } from './dicom-charset.js';
import { DICTIONARY, tagText } from './dicom-dictionary.js';
import type { ElementPlace, Scan } from './dicom-elements.js';

/** VRs whose text follows (0008,0005); all others are ASCII (PS3.5 section 6.1.2.2). */
const CHARSET_VRS: ReadonlySet<string> = new Set(['SH', 'LO', 'ST', 'LT', 'UC', 'UT', 'PN']);
const ASCII_VRS: ReadonlySet<string> = new Set(['AE', 'AS', 'CS', 'DA', 'DS', 'DT', 'IS', 'TM', 'UI', 'UR']);
/** Text in which a backslash is a character, not a delimiter, and leading spaces count. */
const SINGLE_VRS: ReadonlySet<string> = new Set(['ST', 'LT', 'UT', 'UR']);

type Reader = (bytes: Buffer, at: number, littleEndian: boolean) => number;
const BINARY: ReadonlyMap<string, { readonly width: number; readonly read: Reader }> = new Map([
  ['US', { width: 2, read: (b: Buffer, at: number, le: boolean) => (le ? b.readUInt16LE(at) : b.readUInt16BE(at)) }],
  ['SS', { width: 2, read: (b: Buffer, at: number, le: boolean) => (le ? b.readInt16LE(at) : b.readInt16BE(at)) }],
  ['UL', { width: 4, read: (b: Buffer, at: number, le: boolean) => (le ? b.readUInt32LE(at) : b.readUInt32BE(at)) }],
  ['SL', { width: 4, read: (b: Buffer, at: number, le: boolean) => (le ? b.readInt32LE(at) : b.readInt32BE(at)) }],
  ['FL', { width: 4, read: (b: Buffer, at: number, le: boolean) => (le ? b.readFloatLE(at) : b.readFloatBE(at)) }],
  ['FD', { width: 8, read: (b: Buffer, at: number, le: boolean) => (le ? b.readDoubleLE(at) : b.readDoubleBE(at)) }],
]);

const ATTRIBUTE_BYTES_MAX = 1_024;

export type AttributeValue = string | number | string[];

/** Decoded values of the top level of a data set. */
export class Values {
  private readonly charset: Charset;

  constructor(
    private readonly scan: Scan,
    private readonly warnings: Set<string>,
  ) {
    const named = this.strings('x00080005');
    this.charset = named.length === 0 ? DEFAULT_CHARSET : charsetOf(named, warnings);
  }

  has(tag: string): boolean {
    return this.scan.elements.has(tag);
  }

  /** The first value as text; null when the element is absent or empty. */
  text(tag: string): string | null {
    const first = this.strings(tag)[0];
    return first === undefined || first === '' ? null : first;
  }

  /** The first value as a number; null when absent, empty or no number. */
  number(tag: string): number | null {
    return this.numbers(tag)[0] ?? null;
  }

  /** All values that are numbers. */
  numbers(tag: string): number[] {
    const place = this.scan.elements.get(tag);
    if (place === undefined) return [];
    const binary = this.binary(this.vr(tag, place), place);
    if (binary !== null) return binary;
    return this.strings(tag)
      .filter((value) => value !== '')
      .map(Number)
      .filter(Number.isFinite);
  }

  /** The values of a text element, trimmed of their padding; [] when absent, empty or binary. */
  strings(tag: string): string[] {
    const place = this.scan.elements.get(tag);
    return place === undefined ? [] : this.decode(this.vr(tag, place), place);
  }

  /** Short, public, non-binary elements by keyword, or by 'gggg,eeee' where the dictionary has none. */
  attributes(): Record<string, AttributeValue> {
    const attributes: Record<string, AttributeValue> = {};
    for (const [tag, place] of this.scan.elements) {
      if (place.length > ATTRIBUTE_BYTES_MAX || isPrivate(tag) || tag.endsWith('0000')) continue;
      const value = this.attribute(this.vr(tag, place), place);
      if (value !== null) attributes[DICTIONARY.get(tag)?.keyword ?? tagText(tag)] = value;
    }
    return attributes;
  }

  private attribute(vr: string, place: ElementPlace): AttributeValue | null {
    const binary = this.binary(vr, place);
    if (binary !== null) return binary.length > 1 ? binary.map(String) : (binary[0] ?? null);
    const strings = this.decode(vr, place);
    if (strings.length > 1) return strings;
    const [only = ''] = strings;
    if (only === '') return null;
    if (vr !== 'DS' && vr !== 'IS') return only;
    const number = Number(only);
    return Number.isFinite(number) ? number : only;
  }

  /** An element of unknown VR is read by the dictionary, as PS3.5 section 6.2.2 note 4 allows. */
  private vr(tag: string, place: ElementPlace): string {
    return place.vr === 'UN' ? (DICTIONARY.get(tag)?.vr ?? 'UN') : place.vr;
  }

  private binary(vr: string, place: ElementPlace): number[] | null {
    const kind = BINARY.get(vr);
    if (kind === undefined) return null;
    // A value of VR UN is implicit VR little endian whatever the transfer syntax (PS3.5 section 6.2.2).
    const littleEndian = this.scan.encoding.littleEndian || place.vr === 'UN';
    const numbers: number[] = [];
    const end = place.offset + place.length;
    for (let at = place.offset; at + kind.width <= end; at += kind.width) numbers.push(kind.read(this.scan.bytes, at, littleEndian));
    return numbers;
  }

  private decode(vr: string, place: ElementPlace): string[] {
    if (place.length === 0) return [];
    const bytes = this.scan.bytes.subarray(place.offset, place.offset + place.length);
    let text: string;
    if (CHARSET_VRS.has(vr)) text = decodeText(bytes, this.charset, vr === 'PN', this.warnings);
    else if (ASCII_VRS.has(vr)) text = bytes.toString('latin1');
    else return [];
    if (SINGLE_VRS.has(vr)) return [trimEnd(text)];
    if (!text.includes('\\')) return [trimEnd(text).trimStart()];
    return text.split('\\').map((part) => trimEnd(part).trimStart());
  }
}

/** Values are padded to even length with a space or, for UIDs and by mistake, a NUL. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && (text.charCodeAt(end - 1) === 0x20 || text.charCodeAt(end - 1) === 0)) end -= 1;
  return text.slice(0, end);
}

function isPrivate(tag: string): boolean {
  return Number.parseInt(tag.slice(1, 5), 16) % 2 === 1;
}

import {
  ByteStream,
  bigEndianByteArrayParser,
  littleEndianByteArrayParser,
  readDicomElementExplicit,
  readDicomElementImplicit,
} from 'dicom-parser';
import type { Element } from 'dicom-parser';
import { CodedError } from '../../../kernel/error.js';
import { LIMITS } from '../../../kernel/limits.js';
import { DICTIONARY, tagPlace } from './dicom-dictionary.js';
import type { Encoding } from './dicom-probe.js';
import { bytePlace } from './dicom-probe.js';

/** A top-level element: VR, and offset and length of its value in bytes. */
export interface ElementPlace {
  readonly vr: string;
  readonly offset: number;
  readonly length: number;
}

/** Pixel data of any kind: (7FE0,0008), (7FE0,0009) or (7FE0,0010). */
export interface PixelPlace extends ElementPlace {
  readonly tag: string;
  /** Number of fragments after the offset table; null for native data. */
  readonly fragments: number | null;
}

export interface Scan {
  readonly bytes: Buffer;
  readonly encoding: Encoding;
  readonly elements: ReadonlyMap<string, ElementPlace>;
  readonly pixel: PixelPlace | null;
  /** The pixel data or what follows them end before they say. */
  readonly cut: boolean;
}

/** Nested elements cost the engine an object each; one header of a million is an attack on memory, not an image. */
const ELEMENTS_MAX = 1_000_000;
const UNDEFINED_LENGTH = 0xffffffff;
const PIXEL_TAGS: ReadonlySet<string> = new Set(['x7fe00008', 'x7fe00009', 'x7fe00010']);
/** VRs of 2019 that the engine takes for VRs with a two byte length; it reads them well as OB. */
const YOUNG_VRS: ReadonlySet<string> = new Set(['OV', 'SV', 'UV']);

class Overrun extends Error {}
class TooMany extends Error {}

/** The engine's stream with the checks that it lacks: no seek past the end, and a budget of elements. */
class GuardedStream extends ByteStream {
  private headers = 0;

  override seek = (count: number): void => {
    if (this.position + count > this.byteArray.length) throw new Overrun();
    this.position += count;
  };

  override readFixedString = (count: number): string => {
    if (this.position + count > this.byteArray.length) throw new Overrun();
    // The engine reads nothing but the two letters of a VR in this way.
    const vr = String.fromCharCode(this.byteArray[this.position] as number, this.byteArray[this.position + 1] as number);
    this.position += count;
    this.spend();
    return YOUNG_VRS.has(vr) ? 'OB' : vr;
  };

  override readUint32 = (): number => {
    if (this.position + 4 > this.byteArray.length) throw new Overrun();
    const value = this.byteArrayParser.readUint32(this.byteArray, this.position);
    this.position += 4;
    this.spend();
    return value;
  };

  override readUint16 = (): number => {
    if (this.position + 2 > this.byteArray.length) throw new Overrun();
    const value = this.byteArrayParser.readUint16(this.byteArray, this.position);
    this.position += 2;
    return value;
  };

  private spend(): void {
    this.headers += 1;
    if (this.headers > ELEMENTS_MAX) throw new TooMany();
  }
}

/** Depth of nesting below an element, walked without recursion; the number of levels is the file's choice, not ours. */
function depthOf(element: Element): number {
  let level: Element[] = [element];
  let depth = 0;
  while (level.length > 0) {
    const below: Element[] = [];
    for (const parent of level) for (const item of parent.items ?? []) below.push(...Object.values(item.dataSet?.elements ?? {}));
    level = below.filter((child) => child.items !== undefined);
    if (below.length > 0) depth += 1;
  }
  return depth;
}

/** Reads the top level of one data set, element by element; values stay where they are. */
export class ElementScanner {
  readonly elements = new Map<string, ElementPlace>();
  pixel: PixelPlace | null = null;
  cut = false;
  private readonly stream: GuardedStream;

  constructor(
    private readonly bytes: Buffer,
    offset: number,
    private readonly encoding: Encoding,
    private readonly warnings: Set<string>,
  ) {
    this.stream = new GuardedStream(encoding.littleEndian ? littleEndianByteArrayParser : bigEndianByteArrayParser, bytes, offset);
  }

  get position(): number {
    return this.stream.position;
  }

  /**
   * Reads until the end, or while `wanted` accepts the group of the next element.
   * Throws DICOM_TRUNCATED or DICOM_ELEMENT; after the pixel data a fault only sets `cut`.
   */
  run(wanted: (group: number) => boolean = () => true): void {
    const { bytes, stream } = this;
    while (stream.position < bytes.length) {
      const start = stream.position;
      if (this.pixel !== null && this.onlyZerosFrom(start)) {
        this.warnings.add('TRAILING_PADDING');
        return;
      }
      try {
        if (start + 8 > bytes.length) throw truncated(start);
        if (!wanted(this.group(start))) return;
        this.next(start);
      } catch (error) {
        if (this.pixel === null) throw error;
        this.warnings.add('TRAILING_UNREADABLE');
        this.cut = true;
        return;
      }
    }
  }

  private group(at: number): number {
    return this.encoding.littleEndian ? this.bytes.readUInt16LE(at) : this.bytes.readUInt16BE(at);
  }

  private onlyZerosFrom(start: number): boolean {
    if (this.bytes[start] !== 0) return false;
    for (let at = start; at < this.bytes.length; at += 1) if (this.bytes[at] !== 0) return false;
    return true;
  }

  private next(start: number): void {
    if (this.group(start) === 0x7fe0) {
      const header = this.header(start);
      if (PIXEL_TAGS.has(header.tag)) {
        this.readPixel(header);
        return;
      }
      this.stream.position = start;
    }
    const element = this.element(start);
    this.elements.set(element.tag, { vr: element.vr ?? 'UN', offset: element.dataOffset, length: element.length });
  }

  private engine(until?: string): Element {
    if (this.encoding.explicit) return readDicomElementExplicit(this.stream, this.stream.warnings, until);
    return readDicomElementImplicit(this.stream, until, vrOf);
  }

  /** Tag, VR and length only: the engine stops at the tag that it was told to stop at. */
  private header(start: number): Element {
    this.stream.position = start;
    const { bytes, encoding } = this;
    const number = encoding.littleEndian ? bytes.readUInt16LE(start + 2) : bytes.readUInt16BE(start + 2);
    const tag = `x${this.group(start).toString(16).padStart(4, '0')}${number.toString(16).padStart(4, '0')}`;
    try {
      return this.engine(tag);
    } catch {
      throw truncated(start, tag);
    }
  }

  private element(start: number): Element {
    let element: Element;
    try {
      element = this.engine();
    } catch (error) {
      return this.recover(start, error);
    }
    if (element.hadUndefinedLength === true) {
      if (!this.closed()) throw truncated(start, element.tag);
    } else if (this.stream.position !== element.dataOffset + element.length) {
      this.warnings.add('SEQUENCE_UNREADABLE');
      this.stream.position = element.dataOffset + element.length;
    }
    if (element.items !== undefined && depthOf(element) > LIMITS.dicom_depth_max) throw tooDeep(start, element.tag);
    return element;
  }

  /** The engine sets the end of an unclosed element silently to the end of the bytes; a closed one ends in a delimiter. */
  private closed(): boolean {
    const at = this.stream.position - 8;
    if (at < 0 || this.group(at) !== 0xfffe) return false;
    const number = this.encoding.littleEndian ? this.bytes.readUInt16LE(at + 2) : this.bytes.readUInt16BE(at + 2);
    return number === 0xe0dd || number === 0xe00d;
  }

  /** Names the fault. A damaged sequence of known length is stepped over: nothing of the top level depends on it. */
  private recover(start: number, error: unknown): Element {
    if (error instanceof TooMany) {
      throw new CodedError('DICOM_ELEMENT', `An element holds more than ${String(ELEMENTS_MAX)} nested elements`, {
        place: bytePlace(start),
      });
    }
    const header = this.header(start);
    if (isStackOverflow(error)) throw tooDeep(start, header.tag);
    const known = header.length !== UNDEFINED_LENGTH;
    const end = header.dataOffset + header.length;
    if (known && end > this.bytes.length) throw truncated(start, header.tag);
    if (known) {
      this.warnings.add('SEQUENCE_UNREADABLE');
      this.stream.position = end;
      return header;
    }
    if (error instanceof Overrun || (typeof error === 'string' && error.includes('maxP'))) throw truncated(start, header.tag);
    throw new CodedError('DICOM_ELEMENT', `The element ${tagPlace(header.tag)} cannot be read`, { place: bytePlace(start), cause: error });
  }

  private readPixel(header: Element): void {
    const { bytes, stream } = this;
    const { tag, dataOffset: offset } = header;
    const vr = header.vr ?? 'OW';
    if (header.length === UNDEFINED_LENGTH) {
      const walk = walkFragments(bytes, offset);
      this.pixel = { tag, vr, offset, length: walk.end - offset, fragments: walk.fragments };
      this.cut = !walk.closed;
      stream.position = walk.closed ? walk.end : bytes.length;
      return;
    }
    const length = Math.min(header.length, bytes.length - offset);
    this.pixel = { tag, vr, offset, length, fragments: null };
    this.cut = length < header.length;
    stream.position = offset + length;
  }
}

/** Steps over the items of encapsulated pixel data (PS3.5 section A.4); the first item is the basic offset table. */
function walkFragments(bytes: Buffer, offset: number): { end: number; fragments: number; closed: boolean } {
  let at = offset;
  let items = 0;
  while (at + 8 <= bytes.length) {
    const tag = bytes.readUInt32LE(at);
    const length = bytes.readUInt32LE(at + 4);
    if (tag === 0xe0ddfffe) return { end: at + 8, fragments: Math.max(0, items - 1), closed: true };
    if (tag !== 0xe000fffe || at + 8 + length > bytes.length) break;
    items += 1;
    at += 8 + length;
  }
  return { end: at, fragments: Math.max(0, items - 1), closed: false };
}

function vrOf(tag: string): string {
  // The engine takes `undefined` for "look at the bytes"; its declared type lacks that case.
  return DICTIONARY.get(tag)?.vr as string;
}

function truncated(offset: number, tag?: string): CodedError {
  const where = tag === undefined ? 'an element header' : `the element ${tagPlace(tag)}`;
  return new CodedError('DICOM_TRUNCATED', `The bytes end inside ${where}`, {
    place: tag === undefined ? bytePlace(offset) : tagPlace(tag),
  });
}

/** The engine recurses without a limit of its own. */
function isStackOverflow(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'RangeError';
}

function tooDeep(offset: number, tag: string): CodedError {
  return new CodedError('DICOM_ELEMENT', `The sequence ${tagPlace(tag)} is nested deeper than ${String(LIMITS.dicom_depth_max)} levels`, {
    place: bytePlace(offset),
  });
}

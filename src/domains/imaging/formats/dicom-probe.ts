/** How the elements of a data set are encoded (PS3.5 section 7, annex A). */
export interface Encoding {
  readonly explicit: boolean;
  readonly littleEndian: boolean;
}

export const TRANSFER = {
  implicitLittle: '1.2.840.10008.1.2',
  explicitLittle: '1.2.840.10008.1.2.1',
  deflated: '1.2.840.10008.1.2.1.99',
  explicitBig: '1.2.840.10008.1.2.2',
} as const;

/** Transfer syntaxes whose pixel data lie there uncompressed. */
const NATIVE: ReadonlySet<string> = new Set(Object.values(TRANSFER));

export const isNative = (transferSyntax: string): boolean => NATIVE.has(transferSyntax);

/** Value representations of PS3.5 table 6.2-1. */
const VRS = new Set('AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV'.split(' '));
const LONG_VRS = new Set('OB OD OF OL OV OW SQ SV UC UN UR UT UV'.split(' '));

/** The first element of an ordinary header is short; a longer one makes a guess worthless. */
const FIRST_LENGTH_MAX = 65_536;
const PREAMBLE_BYTES = 128;

export const isKnownVr = (vr: string): boolean => VRS.has(vr);

/** True when 'DICM' follows the 128 byte preamble (PS3.10 section 7.1). */
export function hasPrefix(bytes: Uint8Array): boolean {
  return prefixAt(bytes, PREAMBLE_BYTES);
}

function prefixAt(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x44 && bytes[at + 1] === 0x49 && bytes[at + 2] === 0x43 && bytes[at + 3] === 0x4d;
}

/** Where the first element stands: after the prefix, or at 0 for a bare data set. */
export function firstElementOffset(bytes: Uint8Array): number {
  return hasPrefix(bytes) ? PREAMBLE_BYTES + 4 : 0;
}

/**
 * Guesses the encoding from the element at `offset`, or null when no plausible element of `groups` stands there.
 * Implicit and explicit differ in bytes 4 and 5: a VR is two capital letters, an implicit length hardly ever is.
 */
export function guessEncoding(bytes: Uint8Array, offset: number, groups: readonly number[]): Encoding | null {
  if (offset + 8 > bytes.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = groups.includes(view.getUint16(offset, true));
  if (!littleEndian && !groups.includes(view.getUint16(offset, false))) return null;
  const vr = String.fromCharCode(view.getUint8(offset + 4), view.getUint8(offset + 5));
  if (isKnownVr(vr)) {
    const long = LONG_VRS.has(vr);
    if (long && offset + 12 > bytes.length) return null;
    const length = long ? view.getUint32(offset + 8, littleEndian) : view.getUint16(offset + 6, littleEndian);
    return length <= FIRST_LENGTH_MAX ? { explicit: true, littleEndian } : null;
  }
  // There is no implicit big endian transfer syntax.
  if (!littleEndian || view.getUint32(offset + 4, true) > FIRST_LENGTH_MAX) return null;
  return { explicit: false, littleEndian: true };
}

/** Groups that may open a bare data set: file meta, identification (group 0004 for a DICOMDIR). */
export const OPENING_GROUPS: readonly number[] = [0x0002, 0x0004, 0x0008];

export const encodingOf = (transferSyntax: string): Encoding => ({
  explicit: transferSyntax !== TRANSFER.implicitLittle,
  littleEndian: transferSyntax !== TRANSFER.explicitBig,
});

export function transferSyntaxOf(encoding: Encoding): string {
  if (!encoding.littleEndian) return TRANSFER.explicitBig;
  return encoding.explicit ? TRANSFER.explicitLittle : TRANSFER.implicitLittle;
}

export const bytePlace = (offset: number): string => `byte ${String(offset)}`;

import { isUtf8 } from 'node:buffer';
import { CodedError } from '../../../kernel/error.js';

export interface Decoded {
  readonly text: string;
  /** Label of the character set that was used: 'utf-8', 'utf-16le', 'utf-16be' or what was declared. */
  readonly charset: string;
  /** True when the set was neither declared nor proved by the bytes (CP1252 in place of UTF-8). */
  readonly guessed: boolean;
}

/** Offset of the first byte that is not part of well-formed UTF-8, or -1. */
export function invalidUtf8At(bytes: Uint8Array): number {
  if (isUtf8(bytes)) return -1;
  let low = 0;
  let high = bytes.length;
  // A prefix that lacks only the end of its last character counts as good; prefixes are good up to the fault and bad after it.
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (prefixGood(bytes, middle)) low = middle;
    else high = middle;
  }
  return low;
}

function prefixGood(bytes: Uint8Array, length: number): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Byte-order mark of the bytes, or null. */
export function bomOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' | null {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8';
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return null;
}

/** Decodes with a declared character set. Throws ENCODING_INVALID when the set is not known or the bytes break it. */
export function decodeAs(bytes: Uint8Array, charset: string): Decoded {
  let decoder: InstanceType<typeof TextDecoder>;
  try {
    decoder = new TextDecoder(charset, { fatal: true });
  } catch (cause) {
    throw new CodedError('ENCODING_INVALID', 'The declared character set is not known.', { place: 'byte 0', cause });
  }
  try {
    return { text: decoder.decode(bytes), charset: decoder.encoding, guessed: false };
  } catch (cause) {
    const at = decoder.encoding === 'utf-8' ? invalidUtf8At(bytes) : 0;
    throw new CodedError('ENCODING_INVALID', `The bytes are not ${decoder.encoding}.`, { place: `byte ${at}`, cause });
  }
}

/** Decodes text without a declaration: byte-order mark, then UTF-8, then CP1252 as a flagged guess. */
export function decodeGuess(bytes: Uint8Array): Decoded {
  const bom = bomOf(bytes);
  if (bom !== null) return decodeAs(bytes, bom);
  if (isUtf8(bytes)) return { text: new TextDecoder('utf-8').decode(bytes), charset: 'utf-8', guessed: false };
  return { text: new TextDecoder('windows-1252').decode(bytes), charset: 'windows-1252', guessed: true };
}

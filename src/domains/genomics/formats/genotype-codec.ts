import { CodedError } from '../../../kernel/error.js';

/**
 * Genotype codes of one sample for one ALT allele: 0 hom-ref, 1 het unphased, 2 hom-alt, 3 missing, 4 hemi ref, 5 hemi alt,
 * 6 het phased 0|1, 7 het phased 1|0. Another ALT of the same site counts as "not this alt".
 */
export const GENOTYPE = { homRef: 0, het: 1, homAlt: 2, missing: 3, hemiRef: 4, hemiAlt: 5, hetRight: 6, hetLeft: 7 } as const;

/** `enc`: 0 sparse, 1 dense 2-bit, 2 dense 4-bit (spec genomics G51). Counts: `ac` and `an` alleles, the others samples. */
export interface PackedGenotypes {
  readonly enc: 0 | 1 | 2;
  readonly bytes: Uint8Array;
  readonly ac: number;
  /** Two for each called diploid, one for each called hemizygote. */
  readonly an: number;
  readonly het: number;
  readonly homAlt: number;
  readonly hemiAlt: number;
  readonly missing: number;
}

const CODES = 8;

function corrupt(): CodedError {
  return new CodedError('INTERNAL', 'Packed genotypes are corrupt or do not fit their number of samples.');
}

/** Packs one code a sample in the smallest of the three codings. A code above 7 throws INTERNAL. */
export function packGenotypes(codes: Uint8Array): PackedGenotypes {
  const tally = new Uint32Array(CODES);
  let sparseBytes = 0;
  let last = -1;
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code >= CODES) throw corrupt();
    tally[code] = (tally[code] ?? 0) + 1;
    if (code === GENOTYPE.homRef) continue;
    sparseBytes += varintBytes(index - last - 1);
    last = index;
  }
  const [homRef = 0, het = 0, homAlt = 0, missing = 0, hemiRef = 0, hemiAlt = 0, right = 0, left = 0] = tally;
  const hets = het + right + left;
  const two = hemiRef + hemiAlt + right + left === 0;
  const denseBytes = Math.ceil(codes.length / (two ? 4 : 2));
  const enc = sparseBytes <= denseBytes ? 0 : two ? 1 : 2;
  const bytes = enc === 0 ? packSparse(codes, sparseBytes) : packDense(codes, enc === 1 ? 2 : 4, denseBytes);
  const ac = hets + 2 * homAlt + hemiAlt;
  const an = 2 * (homRef + hets + homAlt) + hemiRef + hemiAlt;
  return { enc, bytes, ac, an, het: hets, homAlt, hemiAlt, missing };
}

/** An entry is (gap * 8 + code) as a little-endian base-128 varint; gap counts the hom-ref samples since the last entry. */
function varintBytes(gap: number): number {
  let value = gap * CODES + CODES - 1;
  let size = 1;
  for (; value >= 128; value = Math.floor(value / 128)) size += 1;
  return size;
}

function packSparse(codes: Uint8Array, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  let last = -1;
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === GENOTYPE.homRef) continue;
    let value = (index - last - 1) * CODES + code;
    for (; value >= 128; value = Math.floor(value / 128)) {
      bytes[at] = (value % 128) | 128;
      at += 1;
    }
    bytes[at] = value;
    at += 1;
    last = index;
  }
  return bytes;
}

function packDense(codes: Uint8Array, bits: 2 | 4, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const perByte = 8 / bits;
  for (let index = 0; index < codes.length; index += 1) {
    const at = Math.floor(index / perByte);
    bytes[at] = (bytes[at] ?? 0) | ((codes[index] ?? 0) << ((index % perByte) * bits));
  }
  return bytes;
}

function denseBits(enc: number, bytes: Uint8Array, n: number): 2 | 4 {
  const bits = enc === 1 ? 2 : 4;
  if ((enc !== 1 && enc !== 2) || bytes.length !== Math.ceil((n * bits) / 8)) throw corrupt();
  return bits;
}

function denseCode(bytes: Uint8Array, bits: 2 | 4, index: number): number {
  const bit = index * bits;
  const code = ((bytes[bit >>> 3] ?? 0) >>> (bit & 7)) & ((1 << bits) - 1);
  if (code >= CODES) throw corrupt();
  return code;
}

/** The entries of the sparse coding in order of index, hom-ref left out. */
function* sparseEntries(bytes: Uint8Array, n: number): Generator<[index: number, code: number], void, undefined> {
  let index = -1;
  for (let at = 0; at < bytes.length;) {
    let value = 0;
    let scale = 1;
    let byte = 128;
    for (; byte >= 128; at += 1) {
      if (at >= bytes.length || scale > 2 ** 42) throw corrupt();
      byte = bytes[at] ?? 0;
      value += (byte & 127) * scale;
      scale *= 128;
    }
    const code = value % CODES;
    index += Math.floor(value / CODES) + 1;
    if (index >= n || code === GENOTYPE.homRef) throw corrupt();
    yield [index, code];
  }
}

/** The codes of `n` samples. Corrupt bytes throw INTERNAL. Loops are written out: a generator costs ten times as much here. */
export function unpackGenotypes(enc: number, bytes: Uint8Array, n: number): Uint8Array {
  const codes = new Uint8Array(n);
  if (enc === 0) unpackSparse(bytes, codes);
  else if (denseBits(enc, bytes, n) === 2)
    for (let index = 0; index < n; index += 1) codes[index] = ((bytes[index >>> 2] ?? 0) >>> ((index & 3) * 2)) & 3;
  else for (let index = 0; index < n; index += 1) codes[index] = denseCode(bytes, 4, index);
  return codes;
}

function unpackSparse(bytes: Uint8Array, codes: Uint8Array): void {
  let index = -1;
  for (let at = 0; at < bytes.length; at += 1) {
    let byte = bytes[at] ?? 0;
    let value = byte & 127;
    for (let scale = 128; byte >= 128; scale *= 128) {
      at += 1;
      if (at >= bytes.length || scale > 2 ** 42) throw corrupt();
      byte = bytes[at] ?? 0;
      value += (byte & 127) * scale;
    }
    const code = value % CODES;
    index += (value - code) / CODES + 1;
    if (index >= codes.length || code === GENOTYPE.homRef) throw corrupt();
    codes[index] = code;
  }
}

function carries(code: number): boolean {
  return code !== GENOTYPE.homRef && code !== GENOTYPE.missing && code !== GENOTYPE.hemiRef;
}

/** Index and code of each sample that carries the allele, in order of index. Corrupt bytes throw INTERNAL. */
export function* carriersOf(enc: number, bytes: Uint8Array, n: number): Generator<[index: number, code: number], void, undefined> {
  if (enc === 0) {
    for (const entry of sparseEntries(bytes, n)) if (carries(entry[1])) yield entry;
    return;
  }
  const bits = denseBits(enc, bytes, n);
  for (let index = 0; index < n; index += 1) {
    const code = denseCode(bytes, bits, index);
    if (carries(code)) yield [index, code];
  }
}

/** The code of one sample. An index outside 0..n-1 or corrupt bytes throw INTERNAL. */
export function codeAt(enc: number, bytes: Uint8Array, n: number, index: number): number {
  if (index < 0 || index >= n) throw corrupt();
  if (enc !== 0) return denseCode(bytes, denseBits(enc, bytes, n), index);
  for (const [at, code] of sparseEntries(bytes, n)) if (at >= index) return at === index ? code : GENOTYPE.homRef;
  return GENOTYPE.homRef;
}

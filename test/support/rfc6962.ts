import { createHash } from 'node:crypto';

/** The definitions of RFC 6962 section 2.1 as they are written, recursive and over all leaves: an oracle, never fast. */

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const each of parts) hash.update(each);
  return hash.digest();
};

function k(n: number): number {
  let power = 1;
  while (power << 1 < n) power <<= 1;
  return power;
}

/** MTH(D[n]) */
export function naiveRoot(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return sha256(Buffer.of(0), leaves[0]!);
  const at = k(leaves.length);
  return sha256(Buffer.of(1), naiveRoot(leaves.slice(0, at)), naiveRoot(leaves.slice(at)));
}

/** PATH(m, D[n]) */
export function naiveInclusion(m: number, leaves: readonly Uint8Array[]): Buffer[] {
  if (leaves.length === 1) return [];
  const at = k(leaves.length);
  return m < at
    ? [...naiveInclusion(m, leaves.slice(0, at)), naiveRoot(leaves.slice(at))]
    : [...naiveInclusion(m - at, leaves.slice(at)), naiveRoot(leaves.slice(0, at))];
}

/** PROOF(m, D[n]) */
export const naiveConsistency = (m: number, leaves: readonly Uint8Array[]): Buffer[] => subproof(m, leaves, true);

function subproof(m: number, leaves: readonly Uint8Array[], b: boolean): Buffer[] {
  const n = leaves.length;
  if (m === n) return b ? [] : [naiveRoot(leaves)];
  const at = k(n);
  return m <= at
    ? [...subproof(m, leaves.slice(0, at), b), naiveRoot(leaves.slice(at))]
    : [...subproof(m - at, leaves.slice(at), false), naiveRoot(leaves.slice(0, at))];
}

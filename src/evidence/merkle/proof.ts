import { CodedError } from '../../kernel/index.js';
import { nodeHash } from './tree.js';

/** A perfect subtree over the leaves [index · 2^level, (index + 1) · 2^level). */
export interface NodeId {
  readonly level: number;
  readonly index: number;
}

/** Gives the hashes of perfect subtrees in the order asked. */
export type HashReader = (nodes: readonly NodeId[]) => Promise<readonly Uint8Array[]>;

/** Leaves [begin, end). */
type Range = readonly [begin: number, end: number];

/** Largest power of two below n, for n > 1 (the k of RFC 6962 section 2.1). */
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** PATH(m, D[begin:end]) as ranges of leaves (RFC 6962 section 2.1.1), the sibling of the leaf first. */
function path(index: number, [begin, end]: Range): Range[] {
  if (end - begin <= 1) return [];
  const middle = begin + split(end - begin);
  return index < middle
    ? [...path(index, [begin, middle]), [middle, end] as const]
    : [...path(index, [middle, end]), [begin, middle] as const];
}

/** SUBPROOF(m, D[begin:end], b) as ranges of leaves (RFC 6962 section 2.1.2); `oldSize` is absolute, `known` is b. */
function subproof(oldSize: number, [begin, end]: Range, known: boolean): Range[] {
  if (oldSize === end) return known ? [] : [[begin, end]];
  const middle = begin + split(end - begin);
  return oldSize <= middle
    ? [...subproof(oldSize, [begin, middle], known), [middle, end] as const]
    : [...subproof(oldSize, [middle, end], false), [begin, middle] as const];
}

/** The perfect subtrees that make up a range, largest first. */
function subtrees([begin, end]: Range): NodeId[] {
  if (begin === end) return [];
  let level = 0;
  // As large as fits behind `begin`, which is a multiple of it in every range that a proof names.
  while (2 ** (level + 1) <= end - begin) level += 1;
  return [{ level, index: begin / 2 ** level }, ...subtrees([begin + 2 ** level, end])];
}

async function hashesOf(ranges: readonly Range[], read: HashReader): Promise<Buffer[]> {
  const parts = ranges.map(subtrees);
  const found = await read(parts.flat());
  let next = 0;
  return parts.map((nodes) => {
    const hashes: Buffer[] = found.slice(next, (next += nodes.length)).map((each) => Buffer.from(each));
    return hashes.reduceRight((right, left) => nodeHash(left, right));
  });
}

const bounds = (holds: boolean): void => {
  if (!holds) throw new CodedError('BAD_INPUT', 'A Merkle proof is asked for a position inside the tree.');
};

/** Audit path of the leaf `index` in the tree of `size` leaves (RFC 6962 section 2.1.1). */
export async function inclusionProof(index: number, size: number, read: HashReader): Promise<Buffer[]> {
  bounds(Number.isSafeInteger(index) && Number.isSafeInteger(size) && 0 <= index && index < size);
  return hashesOf(path(index, [0, size]), read);
}

/** Proof that the tree of `oldSize` leaves is the beginning of that of `size` (RFC 6962 section 2.1.2). Empty from size 0 and from the same size. */
export async function consistencyProof(oldSize: number, size: number, read: HashReader): Promise<Buffer[]> {
  bounds(Number.isSafeInteger(oldSize) && Number.isSafeInteger(size) && 0 <= oldSize && oldSize <= size);
  return oldSize === 0 ? [] : hashesOf(subproof(oldSize, [0, size], true), read);
}

const half = (n: number): number => Math.floor(n / 2);
const odd = (n: number): boolean => n % 2 === 1;
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const allHashes = (proof: readonly Uint8Array[]): boolean => proof.every((each) => each.length === 32);

/** Whether the proof leads from the hash of leaf `index` to the root at `size` (RFC 9162 section 2.1.3.2). */
export function verifyInclusion(
  claim: { readonly index: number; readonly size: number; readonly leaf: Uint8Array; readonly root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  const { index, size, leaf, root } = claim;
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  if (leaf.length !== 32 || !allHashes(proof)) return false;
  let fn = index;
  let sn = size - 1;
  let r: Uint8Array = leaf;
  for (const p of proof) {
    if (sn === 0) return false;
    if (odd(fn) || fn === sn) {
      r = nodeHash(p, r);
      while (!odd(fn) && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else r = nodeHash(r, p);
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && same(r, root);
}

/** Whether the proof shows the old tree to be the beginning of the new one (RFC 9162 section 2.1.4.2). */
export function verifyConsistency(
  older: { readonly size: number; readonly root: Uint8Array },
  newer: { readonly size: number; readonly root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (!Number.isSafeInteger(older.size) || !Number.isSafeInteger(newer.size) || older.size < 0 || older.size > newer.size) return false;
  if (older.root.length !== 32 || !allHashes(proof)) return false;
  if (older.size === newer.size) return proof.length === 0 && same(older.root, newer.root);
  if (older.size === 0) return proof.length === 0;
  let fn = older.size - 1;
  let sn = newer.size - 1;
  while (odd(fn)) {
    fn = half(fn);
    sn = half(sn);
  }
  // An old tree that is one perfect subtree is itself where the proof begins.
  const [first, ...rest] = fn === 0 ? [older.root, ...proof] : proof;
  if (!first) return false;
  let fr = first;
  let sr = first;
  for (const c of rest) {
    if (sn === 0) return false;
    if (odd(fn) || fn === sn) {
      fr = nodeHash(c, fr);
      sr = nodeHash(c, sr);
      while (!odd(fn) && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else sr = nodeHash(sr, c);
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && same(fr, older.root) && same(sr, newer.root);
}

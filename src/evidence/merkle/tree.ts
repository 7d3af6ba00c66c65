import { hash } from 'node:crypto';
import { CodedError } from '../../kernel/index.js';

/** Bytes of one hash (SHA-256). */
export const HASH_BYTES = 32;

const broken = (message: string): CodedError => new CodedError('AUDIT_BROKEN', message);

// One scratch buffer for inner nodes: hashing is synchronous, so nothing else runs between filling and reading it.
const NODE = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** Hash of a leaf, SHA-256(0x00 ‖ record) (RFC 6962 section 2.1). A text is taken as UTF-8. */
export function leafHash(record: string | Uint8Array): Buffer {
  const length = typeof record === 'string' ? Buffer.byteLength(record) : record.length;
  const bytes = Buffer.allocUnsafe(length + 1);
  bytes[0] = 0;
  if (typeof record === 'string') bytes.write(record, 1, 'utf8');
  else bytes.set(record, 1);
  return hash('sha256', bytes, 'buffer');
}

/** Hash of an inner node, SHA-256(0x01 ‖ left ‖ right) (RFC 6962 section 2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) throw broken('A node of the Merkle tree has 32 bytes.');
  NODE.set(left, 1);
  NODE.set(right, 1 + HASH_BYTES);
  return hash('sha256', NODE, 'buffer');
}

/** Root of the tree without leaves, SHA-256 of nothing (RFC 6962 section 2.1). */
export const emptyRoot = (): Buffer => hash('sha256', Buffer.alloc(0), 'buffer');

/** Called for each perfect subtree that an append completes: `level` 0 is the leaf, `index` counts subtrees of that level from the left. */
export type OnNode = (level: number, index: number, node: Buffer) => void;

/**
 * The frontier of a growing tree: roots of the perfect subtrees whose sizes are the binary digits of the number of leaves, largest first.
 * All that a log keeps in memory to go on and to name its root; logarithmic in the size.
 */
export class CompactRange {
  private constructor(
    private leaves: number,
    private readonly frontier: Buffer[],
  ) {}

  static empty(): CompactRange {
    return new CompactRange(0, []);
  }

  /** From what `toBuffer` gave at this size. Throws AUDIT_BROKEN where the two do not fit. */
  static fromBuffer(size: number, frontier: Uint8Array): CompactRange {
    if (!Number.isSafeInteger(size) || size < 0) throw broken('The size of a Merkle tree is a whole number of leaves.');
    const ones = size.toString(2).split('1').length - 1;
    if (frontier.length !== ones * HASH_BYTES)
      throw broken('The frontier of a Merkle tree has one hash for each binary digit 1 of its size.');
    const bytes = Buffer.from(frontier);
    return new CompactRange(
      size,
      Array.from({ length: ones }, (_, i) => bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)),
    );
  }

  /** Number of leaves. */
  get size(): number {
    return this.leaves;
  }

  append(leaf: Uint8Array, onNode?: OnNode): void {
    if (leaf.length !== HASH_BYTES) throw broken('A leaf of the Merkle tree is appended as its hash of 32 bytes.');
    let node = Buffer.isBuffer(leaf) ? leaf : Buffer.from(leaf);
    let index = this.leaves;
    let level = 0;
    onNode?.(level, index, node);
    for (; index % 2 === 1; index = (index - 1) / 2) {
      const left = this.frontier.pop();
      if (!left) throw broken('The frontier of a Merkle tree is shorter than its size.');
      node = nodeHash(left, node);
      level += 1;
      onNode?.(level, (index - 1) / 2, node);
    }
    this.frontier.push(node);
    this.leaves += 1;
  }

  /** Root over all leaves so far (RFC 6962 section 2.1): smaller subtrees are folded into larger ones from the right. */
  root(): Buffer {
    if (this.frontier.length === 0) return emptyRoot();
    return Buffer.from(this.frontier.reduceRight((right, left) => nodeHash(left, right)));
  }

  clone(): CompactRange {
    return new CompactRange(this.leaves, [...this.frontier]);
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.frontier);
  }
}

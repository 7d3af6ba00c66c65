import { nodeHash } from './merkle/tree.js';
import type { HashReader, NodeId } from './merkle/proof.js';

/** Leaves under one kept node. */
const WIDTH = 256;
const HEIGHT = 8;

/** Hashes of the leaves [from, to) of one log, in order. */
export type ReadLeaves = (from: number, to: number) => Promise<readonly Buffer[]>;

/**
 * Nodes of a growing log for proofs. One hash for each 256 leaves stays in memory (128 KB for a million records); whatever lies below is read from
 * the store when a proof needs it.
 */
export class LogHashes {
  private readonly kept: Buffer[] = [];

  constructor(private readonly leaves: ReadLeaves) {}

  readonly read: HashReader = async (nodes) => {
    const hashes: Buffer[] = [];
    for (const node of nodes) hashes.push(await this.node(node));
    return hashes;
  };

  private async node({ level, index }: NodeId): Promise<Buffer> {
    if (level < HEIGHT) return fold(await this.leaves(index * 2 ** level, (index + 1) * 2 ** level));
    const width = 2 ** (level - HEIGHT);
    const to = (index + 1) * width;
    while (this.kept.length < to) {
      const at = this.kept.length * WIDTH;
      this.kept.push(fold(await this.leaves(at, at + WIDTH)));
    }
    return fold(this.kept.slice(index * width, to));
  }
}

/** Root of a perfect tree. */
function fold(hashes: readonly Buffer[]): Buffer {
  let row = hashes;
  while (row.length > 1) {
    const next: Buffer[] = [];
    for (let i = 0; i + 1 < row.length; i += 2) next.push(nodeHash(row[i] ?? Buffer.alloc(0), row[i + 1] ?? Buffer.alloc(0)));
    row = next;
  }
  const [root] = row;
  if (!root) throw new Error('the log has no such node');
  return root;
}

import { createHash } from 'node:crypto';
import type { Frame } from '../kernel/index.js';

/**
 * The version of what a model is trained on: SHA-256, in hex, over the frames by modality, each with its persons, columns and values (IEEE 754
 * doubles, little-endian), and over the labels. Rows and labels count in the order of their keys, so only what they hold matters.
 */
export function trainingDataDigest(frames: Readonly<Record<string, Frame>>, labels: ReadonlyMap<string, 0 | 1>): string {
  const hash = createHash('sha256');
  const tell = (...words: readonly string[]): void => {
    hash.update(`${JSON.stringify(words)}\n`);
  };
  for (const [modality, { keys, columns }] of Object.entries(frames).sort(byName)) {
    const order = keys.map((_, row) => row).sort((a, b) => ((keys[a] ?? '') < (keys[b] ?? '') ? -1 : 1));
    tell(modality, ...order.map((row) => keys[row] ?? ''));
    for (const { name, unit, values } of columns) {
      tell(name, unit);
      const bytes = Buffer.alloc(order.length * 8);
      order.forEach((row, at) => bytes.writeDoubleLE(values[row] ?? NaN, at * 8));
      hash.update(bytes);
    }
  }
  for (const [id, label] of [...labels].sort(byName)) tell(id, String(label));
  return hash.digest('hex');
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

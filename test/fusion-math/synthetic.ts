import { frameOf, type Frame } from '../../src/kernel/frame.js';
import { Random } from '../../src/fusion/train/random.js';

export interface Synthetic {
  readonly frames: Record<string, Frame>;
  readonly labels: Map<string, 0 | 1>;
}

/** Patients with one hidden severity, seen through `modalities` noisy views of `width` columns; each view is absent for a share of them. */
export function synthetic(seed: number, n = 400, modalities = 3, width = 4, absent = 0.3): Synthetic {
  const random = new Random(seed);
  const severity = Float64Array.from({ length: n }, () => random.normal());
  const ids = Array.from(severity, (_, i) => `p${String(i).padStart(5, '0')}`);
  const labels = new Map(ids.map((id, i) => [id, random.next() < 1 / (1 + Math.exp(1 - 1.5 * severity[i]!)) ? 1 : 0] as const));
  const frames: Record<string, Frame> = {};
  for (let m = 0; m < modalities; m += 1) {
    const rows = [...ids.keys()].filter(() => random.next() >= absent);
    const columns = Array.from({ length: width }, (_, j) => ({
      name: `c${j}`,
      unit: '1',
      values: Float64Array.from(rows, (row) => (random.next() < 0.05 ? NaN : severity[row]! + (1 + m) * random.normal())),
    }));
    frames[`view${m}`] = frameOf(
      rows.map((row) => ids[row]!),
      columns,
    );
  }
  return { frames, labels };
}

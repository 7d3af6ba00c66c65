import type { Series } from './chunk-codec.js';

/** Points from which on a series has two ends and something between. */
export const POINTS_MIN = 3;

/**
 * Largest-Triangle-Three-Buckets (Steinarsson 2013): the indices of at most `points` samples that keep the shape of the series;
 * the first and the last stay where there is room for both. Every index is of a real sample, none is made up.
 */
export function lttb({ t, v }: Series, points: number): Uint32Array {
  const n = t.length;
  if (points >= n) return Uint32Array.from(t, (_, index) => index);
  if (points < POINTS_MIN) return Uint32Array.from([0, n - 1].slice(0, points));
  const chosen = new Uint32Array(points);
  const width = (n - 2) / (points - 2);
  const edge = (bucket: number): number => Math.floor(bucket * width) + 1;
  let last = 0;
  for (let bucket = 0; bucket < points - 2; bucket += 1) {
    const [start, end, nextEnd] = [edge(bucket), edge(bucket + 1), Math.min(edge(bucket + 2), n)];
    let [meanT, meanV] = [0, 0];
    for (let index = end; index < nextEnd; index += 1) {
      meanT += t[index] ?? 0;
      meanV += v[index] ?? 0;
    }
    meanT /= nextEnd - end;
    meanV /= nextEnd - end;
    const [lastT, lastV] = [t[last] ?? 0, v[last] ?? 0];
    let [largest, best] = [-1, start];
    for (let index = start; index < end; index += 1) {
      const area = Math.abs((lastT - meanT) * ((v[index] ?? 0) - lastV) - (lastT - (t[index] ?? 0)) * (meanV - lastV));
      if (area > largest) [largest, best] = [area, index];
    }
    chosen[bucket + 1] = best;
    last = best;
  }
  chosen[points - 1] = n - 1;
  return chosen;
}

import { ascending, aurocOrdered } from './metrics.js';
import type { Random } from './random.js';

/** A point estimate with a percentile interval. NaN where it cannot be computed. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  readonly draws: number;
  /** Two-sided level, for instance .95. */
  readonly level: number;
}

/** Rows of one fold, with scores sorted once for all draws. */
interface Block {
  readonly size: number;
  readonly labels: Float64Array;
  readonly scores: readonly Float64Array[];
  readonly orders: readonly Int32Array[];
}

function blocksOf(scores: readonly Float64Array[], labels: Float64Array, folds: Int32Array): Block[] {
  return [...new Set(folds)]
    .sort((a, b) => a - b)
    .map((fold) => {
      const rows = [...folds.keys()].filter((row) => folds[row] === fold);
      const parts = scores.map((all) => Float64Array.from(rows, (row) => all[row]!));
      return { size: rows.length, labels: Float64Array.from(rows, (row) => labels[row]!), scores: parts, orders: parts.map(ascending) };
    });
}

/** Mean over folds of each model's within-fold AUROC; a fold without both classes is left out. */
function meanAurocs(blocks: readonly Block[], models: number, weights?: readonly Int32Array[]): number[] {
  return Array.from({ length: models }, (_, model) => {
    const values = blocks
      .map((block, b) => aurocOrdered(block.scores[model]!, block.labels, block.orders[model]!, weights?.[b]))
      .filter((value) => !Number.isNaN(value));
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  });
}

function percentile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const floor = Math.floor(at);
  const low = sorted[floor] ?? NaN;
  return low + (at - floor) * ((sorted[floor + 1] ?? low) - low);
}

function estimate(value: number, draws: Float64Array, level: number): Estimate {
  const sorted = draws.filter((draw) => !Number.isNaN(draw)).sort();
  return { value, low: percentile(sorted, (1 - level) / 2), high: percentile(sorted, (1 + level) / 2) };
}

/**
 * Within-fold AUROC averaged over folds, per model, with a patient bootstrap that resamples inside folds and uses the
 * same draw for every model (spec/fusion.md F25). `differences[m]` compares model m with model 0, paired.
 */
export function bootstrapAurocs(
  scores: readonly Float64Array[],
  labels: Float64Array,
  folds: Int32Array,
  random: Random,
  options: BootstrapOptions = { draws: 2000, level: 0.95 },
): { readonly aurocs: Estimate[]; readonly differences: Estimate[] } {
  const blocks = blocksOf(scores, labels, folds);
  const point = meanAurocs(blocks, scores.length);
  const draws = scores.map(() => new Float64Array(options.draws));
  const weights = blocks.map((block) => new Int32Array(block.size));
  for (let draw = 0; draw < options.draws; draw += 1) {
    blocks.forEach((block, b) => {
      const counts = weights[b]!.fill(0);
      for (let i = 0; i < block.size; i += 1) counts[random.below(block.size)]! += 1;
    });
    meanAurocs(blocks, scores.length, weights).forEach((value, model) => (draws[model]![draw] = value));
  }
  const first = draws[0] ?? new Float64Array(0);
  return {
    aurocs: point.map((value, model) => estimate(value, draws[model]!, options.level)),
    differences: point.map((value, model) =>
      estimate(
        value - point[0]!,
        draws[model]!.map((draw, i) => draw - first[i]!),
        options.level,
      ),
    ),
  };
}

import type { Mask } from './masks.js';

/** Nonconformity 1 - p(label) of the calibration rows of one mask group, sorted; by class where each class has >= 50 rows (F28). */
export interface ConformalGroup {
  readonly mask: Mask;
  readonly n: number;
  readonly all: readonly number[];
  readonly byClass: readonly [readonly number[], readonly number[]] | null;
}

export interface LabelSet {
  readonly labels: readonly (0 | 1)[];
  readonly method: 'MONDRIAN_MASK' | 'MONDRIAN_MASK_CLASS';
  readonly level: number;
  /** Calibration rows behind the set. */
  readonly n: number;
}

/** Rows of each class from which the label set is conditional on the class as well. */
export const CLASS_ROWS_MIN = 50;

/** Sorts the scores of one mask group; `probabilities` are calibrated and of held-out rows. */
export function conformalGroup(mask: Mask, probabilities: Float64Array, labels: Float64Array): ConformalGroup {
  const classes: [number[], number[]] = [[], []];
  probabilities.forEach((p, i) => (labels[i] === 1 ? classes[1].push(1 - p) : classes[0].push(p)));
  const sorted = (values: number[]): number[] => values.sort((a, b) => a - b);
  return {
    mask,
    n: labels.length,
    all: sorted([...classes[0], ...classes[1]]),
    byClass: classes.every((values) => values.length >= CLASS_ROWS_MIN) ? [sorted(classes[0]), sorted(classes[1])] : null,
  };
}

/** The ceil((n + 1) level)-th smallest score; infinite when n is too small for the level, so that every label is kept. */
function threshold(sorted: readonly number[], level: number): number {
  return sorted[Math.ceil((sorted.length + 1) * level) - 1] ?? Infinity;
}

/** The labels that cannot be ruled out at `level`. A mask without a group keeps both labels. */
export function labelSet(groups: readonly ConformalGroup[], mask: Mask, probability: number, level: number): LabelSet {
  const group = groups.find((entry) => entry.mask === mask);
  const scores = [probability, 1 - probability] as const;
  const labels = ([0, 1] as const).filter((label) => scores[label] <= threshold(group?.byClass?.[label] ?? group?.all ?? [], level));
  return { labels, method: group?.byClass ? 'MONDRIAN_MASK_CLASS' : 'MONDRIAN_MASK', level, n: group?.n ?? 0 };
}

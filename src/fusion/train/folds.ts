import { CodedError } from '../../kernel/error.js';
import type { Random } from './random.js';

/**
 * Stratified folds: fold number per row, each class dealt round after a seeded shuffle, so class counts per fold differ by at most 1.
 * @throws CodedError BAD_INPUT when a class has fewer rows than folds, since then a fold would lack it.
 */
export function stratifiedFolds(labels: Float64Array, folds: number, random: Random): Int32Array {
  if (!Number.isInteger(folds) || folds < 2) throw new CodedError('BAD_INPUT', 'Cross-validation needs at least 2 folds.');
  const fold = new Int32Array(labels.length);
  let dealt = 0;
  for (const label of [0, 1]) {
    const rows: number[] = [];
    for (let i = 0; i < labels.length; i += 1) if (labels[i] === label) rows.push(i);
    if (rows.length < folds) throw new CodedError('BAD_INPUT', `Class ${label} has fewer rows than there are folds.`);
    for (const row of random.shuffle(rows)) {
      fold[row] = dealt % folds;
      dealt += 1;
    }
  }
  return fold;
}

/** Marks a stratified share of the rows with 1 (at least one of each class that has two rows or more), the rest with 0. */
export function stratifiedHoldout(labels: Float64Array, share: number, random: Random): Uint8Array {
  const held = new Uint8Array(labels.length);
  for (const label of [0, 1]) {
    const rows: number[] = [];
    for (let i = 0; i < labels.length; i += 1) if (labels[i] === label) rows.push(i);
    random.shuffle(rows);
    const wanted = rows.length < 2 ? 0 : Math.max(1, Math.round(rows.length * share));
    for (const row of rows.slice(0, wanted)) held[row] = 1;
  }
  return held;
}

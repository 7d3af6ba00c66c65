import type { Frame } from '../../kernel/frame.js';
import { stratifiedFolds } from './folds.js';
import { designOf, fitLogistic, logitOf } from './logistic.js';
import { logLoss } from './metrics.js';
import type { Random } from './random.js';
import { fitStandardiser, standardise, type DropReason } from './standardise.js';

/** Ridge logistic model of one modality, on raw columns: evidence = bias + sum coefficient_j * (value_j - mean_j), gaps as 0. */
export interface ModalityModel {
  readonly modality: string;
  /** All columns the caller hands over, in order, with units; the model uses those in `kept`. */
  readonly columns: readonly { readonly name: string; readonly unit: string }[];
  readonly kept: readonly number[];
  readonly mean: readonly number[];
  readonly coefficients: readonly number[];
  /** Intercept minus the prior logit of the rows that have the modality, so presence alone moves nothing (F5). */
  readonly bias: number;
  readonly lambda: number;
  readonly n: number;
  readonly events: number;
  readonly dropped: readonly { readonly column: string; readonly reason: DropReason }[];
  /** Columns that equal the label (or its opposite) on every training row. */
  readonly leaking: readonly string[];
}

export interface ModalityTraining {
  readonly frame: Frame;
  /** Rows of the frame to train on, and their labels. */
  readonly rows: Int32Array;
  readonly labels: Float64Array;
  readonly lambdaGrid: readonly number[];
  readonly innerFolds: number;
  readonly random: Random;
}

function pick<T extends Int32Array | Float64Array>(values: T, wanted: (i: number) => boolean): T {
  return values.filter((_: number, i: number) => wanted(i)) as T;
}

function priorOf(labels: Float64Array): number {
  return logitOf(labels.reduce((sum, label) => sum + label, 0) / labels.length);
}

/** Out-of-fold evidence per row for every lambda; scaling is learned inside each fold (F14). */
function outOfFold(training: ModalityTraining, columns: readonly Float64Array[]): Float64Array[] {
  const { rows, labels, lambdaGrid, innerFolds, random } = training;
  const fold = stratifiedFolds(labels, innerFolds, random);
  const evidence = lambdaGrid.map(() => new Float64Array(rows.length));
  for (let k = 0; k < innerFolds; k += 1) {
    const trainRows = pick(rows, (i) => fold[i] !== k);
    const trainLabels = pick(labels, (i) => fold[i] !== k);
    const testRows = pick(rows, (i) => fold[i] === k);
    const places = [...fold.keys()].filter((i) => fold[i] === k);
    const scaler = fitStandardiser(columns, trainRows);
    const width = scaler.kept.length;
    const design = designOf(standardise(scaler, columns, trainRows), trainRows.length, width);
    const test = standardise(scaler, columns, testRows);
    const prior = priorOf(trainLabels);
    lambdaGrid.forEach((lambda, l) => {
      const fit = fitLogistic(design, trainLabels, { lambda });
      places.forEach((place, i) => {
        let sum = fit.intercept - prior;
        for (let j = 0; j < width; j += 1) sum += test[i * width + j]! * fit.coefficients[j]!;
        evidence[l]![place] = sum;
      });
    });
  }
  return evidence;
}

function leakingColumns(frame: Frame, rows: Int32Array, labels: Float64Array): string[] {
  return frame.columns
    .filter(({ values }) => [0, 1].some((flip) => rows.every((row, i) => values[row] === (flip ? 1 - labels[i]! : labels[i]!))))
    .map(({ name }) => name);
}

/**
 * Fits one modality: lambda by inner cross-validated log loss (the larger penalty wins a tie), then all rows.
 * Returns the model and the out-of-fold evidence of its rows, which alone may train the fusion weights.
 */
export function fitModality(
  modality: string,
  training: ModalityTraining,
): { readonly model: ModalityModel; readonly evidence: Float64Array } {
  const { frame, rows, labels } = training;
  const columns = frame.columns.map((column) => column.values);
  const candidates = outOfFold(training, columns);
  const prior = priorOf(labels);
  const losses = candidates.map((evidence) =>
    logLoss(
      evidence.map((value) => value + prior),
      labels,
    ),
  );
  const best = losses.reduce((found, loss, l) => {
    const gain = losses[found]! - loss;
    return gain > 0 || (gain === 0 && training.lambdaGrid[l]! > training.lambdaGrid[found]!) ? l : found;
  }, 0);
  const lambda = training.lambdaGrid[best]!;
  const scaler = fitStandardiser(columns, rows);
  const design = designOf(standardise(scaler, columns, rows), rows.length, scaler.kept.length);
  const fit = fitLogistic(design, labels, { lambda });
  const model: ModalityModel = {
    modality,
    columns: frame.columns.map(({ name, unit }) => ({ name, unit })),
    kept: Array.from(scaler.kept),
    mean: Array.from(scaler.mean),
    coefficients: Array.from(fit.coefficients, (value, j) => value / scaler.scale[j]!),
    bias: fit.intercept - prior,
    lambda,
    n: rows.length,
    events: labels.reduce((sum, label) => sum + label, 0),
    dropped: scaler.dropped.map(({ column, reason }) => ({ column: frame.columns[column]!.name, reason })),
    leaking: leakingColumns(frame, rows, labels),
  };
  return { model, evidence: candidates[best]! };
}

/** Evidence of one row, read through `valueAt(column position)`; NaN when the whole row is missing, which means absent. */
export function evidenceOf(model: ModalityModel, valueAt: (column: number) => number): number {
  let present = false;
  for (let j = 0; j < model.columns.length && !present; j += 1) present = !Number.isNaN(valueAt(j));
  if (!present) return NaN;
  let sum = model.bias;
  for (let j = 0; j < model.kept.length; j += 1) {
    const value = valueAt(model.kept[j]!);
    if (!Number.isNaN(value)) sum += model.coefficients[j]! * (value - model.mean[j]!);
  }
  return sum;
}

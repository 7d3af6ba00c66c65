import { CodedError } from '../../kernel/error.js';
import { rowIndex, type Frame } from '../../kernel/frame.js';
import { lineFor, type Calibration } from '../train/calibrate.js';
import type { ConformalGroup } from '../train/conformal.js';
import type { Mask } from '../train/masks.js';
import { evidenceOf, type ModalityModel } from '../train/modality-model.js';

/** One frame per modality, by modality name. */
export type ModalityFrames = Readonly<Record<string, Frame>>;

/** What was measured for one mask on patients that the model had not seen; a row of the card (spec/fusion.md F25). Null: cannot be computed. */
export interface MaskReport {
  readonly modalities: readonly string[];
  readonly n: number;
  readonly events: number;
  /** Within-fold AUROC averaged over folds, with a 95 % patient bootstrap interval. */
  readonly auroc: number | null;
  readonly aurocLow: number | null;
  readonly aurocHigh: number | null;
  readonly auprc: number | null;
  readonly brier: number | null;
  /** Expected calibration error, 10 equal-width bins. */
  readonly ece: number | null;
  readonly calibrationSlope: number | null;
  readonly calibrationIntercept: number | null;
  /** Share of patients whose label lies in the label set at level .9. */
  readonly coverage: number | null;
}

export interface LateWarning {
  readonly code: 'LABEL_LEAK' | 'MODALITY_TOO_SMALL';
  readonly modality: string;
  readonly columns: readonly string[];
}

/**
 * logit(S) = line_S(prior + sum over present m of weight_m * evidence_m), evidence_m = logit_m - prior (spec/fusion.md section 3, `late_poe`).
 * A modality outside S has no term, so absent and withheld are one and the same to the model (F5).
 */
export interface LateModel {
  readonly kind: 'late_poe';
  readonly usesMissingnessIndicator: false;
  readonly seed: number;
  /** Shares of modalities dropped in training; serving above the highest deserves a warning (F6). */
  readonly dropoutRates: readonly number[];
  /** Logit of the event rate of the training rows; the score of nobody in particular. */
  readonly prior: number;
  /** Sorted by name; bit m of a mask is modality m. */
  readonly modalities: readonly ModalityModel[];
  readonly weights: readonly number[];
  readonly calibration: Calibration;
  readonly conformal: readonly ConformalGroup[];
  readonly trainingRows: number;
  readonly trainingEvents: number;
  readonly calibrationRows: number;
  readonly warnings: readonly LateWarning[];
  /** Null until `withEvaluation`; a model without it abstains on every mask. */
  readonly evaluation: readonly MaskReport[] | null;
}

/** The modalities whose evidence is there. */
export function maskOf(evidence: ArrayLike<number>): Mask {
  let mask = 0;
  for (let m = 0; m < evidence.length; m += 1) if (!Number.isNaN(evidence[m])) mask |= 1 << m;
  return mask;
}

/** prior + weighted evidence of the modalities in the mask, before calibration. */
export function fusedLogit(prior: number, weights: ArrayLike<number>, evidence: ArrayLike<number>, mask: Mask): number {
  let logit = prior;
  for (let m = 0; m < evidence.length; m += 1) if ((mask >> m) & 1) logit += weights[m]! * evidence[m]!;
  return logit;
}

/** Calibrated logit of the mask; the empty mask gives the prior. Every modality in the mask must have evidence. */
export function calibratedLogit(model: LateModel, evidence: ArrayLike<number>, mask: Mask): number {
  if (mask === 0) return model.prior;
  const line = lineFor(model.calibration, mask);
  return line.intercept + line.slope * fusedLogit(model.prior, model.weights, evidence, mask);
}

/** Own entries of a record only, so that a modality named like a member of Object.prototype is no surprise. */
export function entryOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/**
 * Evidence per patient and modality, row-major ids x modalities, NaN where absent. Columns are matched by name.
 * @throws CodedError BAD_INPUT when a frame lacks a column of the model or states another unit.
 */
export function evidenceMatrix(model: LateModel, frames: ModalityFrames, ids: readonly string[]): Float64Array {
  const width = model.modalities.length;
  const matrix = new Float64Array(ids.length * width).fill(NaN);
  model.modalities.forEach((part, m) => {
    const frame = entryOf(frames, part.modality);
    if (frame === undefined) return;
    const columns = part.columns.map(({ name, unit }) => {
      const column = frame.columns.find((candidate) => candidate.name === name);
      if (column === undefined) throw new CodedError('BAD_INPUT', `Modality '${part.modality}' lacks the column '${name}' of the model.`);
      if (column.unit !== unit)
        throw new CodedError('BAD_INPUT', `Column '${name}' of modality '${part.modality}' is not in the unit of the model.`);
      return column.values;
    });
    const index = rowIndex(frame);
    ids.forEach((id, i) => {
      const row = index.get(id);
      if (row !== undefined) matrix[i * width + m] = evidenceOf(part, (j) => columns[j]![row]!);
    });
  });
  return matrix;
}

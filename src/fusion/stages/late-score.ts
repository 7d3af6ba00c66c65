import { CodedError } from '../../kernel/error.js';
import { labelSet, type LabelSet } from '../train/conformal.js';
import { sigmoid } from '../train/logistic.js';
import { namesOf, sizeOf, type Mask } from '../train/masks.js';
import { evidenceOf } from '../train/modality-model.js';
import { shapley } from '../train/shapley.js';
import { calibratedLogit, entryOf, maskOf, type LateModel, type MaskReport } from './late-model.js';

/** The modalities that may be used for one patient: raw values in the column order of the model, NaN for a missing cell. */
export type PresentModalities = Readonly<Record<string, ArrayLike<number>>>;

/** Why a model gives no score (F30). */
export type LateAbstainReason = 'NO_MODALITY' | 'MASK_NOT_EVALUATED' | 'MASK_BELOW_FLOOR';

export interface Contribution {
  readonly modality: string;
  /** Share of logit - baseline, in logits. */
  readonly logit: number;
}

export interface LatePrediction {
  readonly status: 'PREDICTED';
  readonly probability: number;
  readonly logit: number;
  /** Logit of the empty mask: the prior. Contributions sum to logit - baseline. */
  readonly baseline: number;
  readonly mask: readonly string[];
  readonly labelSet: LabelSet;
  readonly calibration: { readonly method: 'PLATT' | 'SHARED_SLOPE'; readonly n: number };
  /** Only when asked for; one entry per present modality, none for the others. */
  readonly contributions?: readonly Contribution[];
}

export interface LateAbstention {
  readonly status: 'ABSTAINED';
  readonly reason: LateAbstainReason;
  readonly mask: readonly string[];
}

export type LateScore = LatePrediction | LateAbstention;

export interface ScoreOptions {
  /** Level of the label set, default .9. */
  readonly level?: number;
  readonly explain?: boolean;
}

/** A mask is served when its AUROC interval lies at or above .5 on at least this many patients. */
export const MASK_ROWS_MIN = 50;
export const MASK_AUROC_FLOOR = 0.5;

/** Evidence per modality of the model; NaN where the modality is not among those present or its row is missing throughout. */
function evidenceFrom(model: LateModel, present: PresentModalities): Float64Array {
  return Float64Array.from(model.modalities, (part) => {
    const values = entryOf(present, part.modality);
    if (values === undefined) return NaN;
    if (values.length !== part.columns.length) {
      throw new CodedError(
        'BAD_INPUT',
        `Modality '${part.modality}' needs ${part.columns.length} values, one for each column of the model.`,
      );
    }
    for (let j = 0; j < values.length; j += 1) {
      if (Math.abs(values[j]!) === Infinity)
        throw new CodedError('BAD_INPUT', `Modality '${part.modality}' holds an infinite value.`, { place: `column ${j}` });
    }
    return evidenceOf(part, (j) => values[j]!);
  });
}

function abstainReason(model: LateModel, mask: Mask): LateAbstainReason | null {
  if (mask === 0) return 'NO_MODALITY';
  const names = namesOf(
    mask,
    model.modalities.map(({ modality }) => modality),
  );
  const report = model.evaluation?.find(
    ({ modalities }) => modalities.length === names.length && names.every((name) => modalities.includes(name)),
  );
  if (report === undefined) return 'MASK_NOT_EVALUATED';
  // An interval that could not be computed is no evidence that the mask is above the floor.
  return report.n < MASK_ROWS_MIN || report.aurocLow === null || report.aurocLow < MASK_AUROC_FLOOR ? 'MASK_BELOW_FLOOR' : null;
}

function contributionsOf(model: LateModel, evidence: Float64Array, mask: Mask): Contribution[] {
  const players = model.modalities.map((_, m) => m).filter((m) => (mask >> m) & 1);
  const values = shapley(sizeOf(mask), (coalition) => {
    const subset = players.reduce((bits, m, i) => ((coalition >> i) & 1 ? bits | (1 << m) : bits), 0);
    return calibratedLogit(model, evidence, subset);
  });
  return players.map((m, i) => ({ modality: model.modalities[m]!.modality, logit: values[i]! }));
}

/**
 * Scores one patient from the modalities handed over, or abstains with a reason (spec/fusion.md F29, F30).
 * What is not handed over is not read and contributes nothing; modalities that the model does not know are not looked at.
 * @throws CodedError BAD_INPUT on a row of another width or an infinite value.
 */
export function scoreLate(model: LateModel, present: PresentModalities, options: ScoreOptions = {}): LateScore {
  const evidence = evidenceFrom(model, present);
  const bits = maskOf(evidence);
  const mask = namesOf(
    bits,
    model.modalities.map(({ modality }) => modality),
  );
  const reason = abstainReason(model, bits);
  if (reason !== null) return { status: 'ABSTAINED', reason, mask };
  const logit = calibratedLogit(model, evidence, bits);
  const probability = sigmoid(logit);
  const line = model.calibration.masks.find((entry) => entry.mask === bits);
  return {
    status: 'PREDICTED',
    probability,
    logit,
    baseline: model.prior,
    mask,
    labelSet: labelSet(model.conformal, bits, probability, options.level ?? 0.9),
    calibration: { method: line?.method ?? 'SHARED_SLOPE', n: line?.n ?? 0 },
    ...(options.explain === true ? { contributions: contributionsOf(model, evidence, bits) } : {}),
  };
}

/** Exact Shapley contributions of the present modalities to logit - baseline, whether or not the mask may be served (F29). */
export function explainLate(
  model: LateModel,
  present: PresentModalities,
): { readonly logit: number; readonly baseline: number; readonly contributions: readonly Contribution[] } {
  const evidence = evidenceFrom(model, present);
  const mask = maskOf(evidence);
  return { logit: calibratedLogit(model, evidence, mask), baseline: model.prior, contributions: contributionsOf(model, evidence, mask) };
}

/** The same model with its card figures attached; masks outside them are refused at serving. */
export function withEvaluation(model: LateModel, reports: readonly MaskReport[]): LateModel {
  return { ...model, evaluation: reports };
}

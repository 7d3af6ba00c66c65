import { CodedError } from '../../kernel/error.js';
import { bootstrapAurocs } from '../train/bootstrap.js';
import { calibrationLine } from '../train/calibrate.js';
import { labelSet } from '../train/conformal.js';
import { stratifiedFolds } from '../train/folds.js';
import { sigmoid } from '../train/logistic.js';
import { evaluatedMasks, namesOf, type Mask } from '../train/masks.js';
import { auprc, brier, expectedCalibrationError } from '../train/metrics.js';
import { Random } from '../train/random.js';
import { calibratedLogit, evidenceMatrix, maskOf, type LateModel, type MaskReport, type ModalityFrames } from './late-model.js';
import { trainLate, type LateOptions } from './late-train.js';

/** Modalities that stay per patient, applied on top of natural absence; a patient not named keeps all. */
export type KeepMasks = ReadonlyMap<string, readonly string[]>;

export interface EvaluationOptions extends LateOptions {
  /** Outer fold by patient id; patients without one are left out. Default: stratified and seeded, `outerFolds` of them. */
  readonly folds?: ReadonlyMap<string, number>;
  readonly outerFolds?: number;
  /** Named stress tests, for instance drop50. */
  readonly keep?: Readonly<Record<string, KeepMasks>>;
  readonly bootstrapDraws?: number;
}

/** `n` of a natural or stress report counts the patients with any modality left; its `modalities` are empty, since masks are mixed. */
export interface LateEvaluation {
  readonly natural: MaskReport;
  readonly keep: Readonly<Record<string, MaskReport>>;
  readonly masks: readonly MaskReport[];
  /** Patients per fold that trained nothing in that fold. */
  readonly folds: readonly { readonly fold: number; readonly n: number }[];
}

const LEVEL = 0.9;

/** Out-of-sample figures of one way to choose a mask per patient. */
interface Collected {
  readonly logits: number[];
  readonly labels: number[];
  readonly folds: number[];
  covered: number;
}

const empty = (): Collected => ({ logits: [], labels: [], folds: [], covered: 0 });

function collect(into: Collected, model: LateModel, evidence: Float64Array, mask: Mask, label: number, fold: number): void {
  const logit = calibratedLogit(model, evidence, mask);
  into.logits.push(logit);
  into.labels.push(label);
  into.folds.push(fold);
  if (labelSet(model.conformal, mask, sigmoid(logit), LEVEL).labels.some((kept) => kept === label)) into.covered += 1;
}

const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

function reportOf(modalities: readonly string[], collected: Collected, draws: number, random: Random): MaskReport {
  const logits = Float64Array.from(collected.logits);
  const labels = Float64Array.from(collected.labels);
  const probabilities = logits.map(sigmoid);
  const estimate = bootstrapAurocs([logits], labels, Int32Array.from(collected.folds), random, { draws, level: 0.95 }).aurocs[0]!;
  const line = calibrationLine(logits, labels);
  return {
    modalities,
    n: labels.length,
    events: labels.reduce((sum, label) => sum + label, 0),
    auroc: orNull(estimate.value),
    aurocLow: orNull(estimate.low),
    aurocHigh: orNull(estimate.high),
    auprc: orNull(auprc(logits, labels)),
    brier: orNull(brier(probabilities, labels)),
    ece: orNull(expectedCalibrationError(probabilities, labels)),
    calibrationSlope: orNull(line.slope),
    calibrationIntercept: orNull(line.intercept),
    coverage: orNull(collected.covered / labels.length),
  };
}

function foldsOf(ids: readonly string[], labels: ReadonlyMap<string, 0 | 1>, options: EvaluationOptions): ReadonlyMap<string, number> {
  if (options.folds !== undefined) return options.folds;
  const outcome = Float64Array.from(ids, (id) => labels.get(id)!);
  const fold = stratifiedFolds(outcome, options.outerFolds ?? 5, new Random(options.seed).fork('outer'));
  return new Map(ids.map((id, i) => [id, fold[i]!]));
}

/**
 * Outer cross-validation by patient (spec/fusion.md F23-F25): in each fold everything is learned on the other folds.
 * Every evaluated subset is measured on the patients that have all of it, with the rest dropped.
 * @throws CodedError BAD_INPUT with fewer than 2 folds, and whatever `trainLate` throws.
 */
export function evaluateLate(frames: ModalityFrames, labels: ReadonlyMap<string, 0 | 1>, options: EvaluationOptions): LateEvaluation {
  const names = Object.keys(frames)
    .filter((name) => frames[name]!.columns.length > 0)
    .sort();
  const seen = new Set(names.flatMap((name) => frames[name]!.keys));
  const known = [...labels.keys()].filter((id) => seen.has(id)).sort();
  const foldOf = foldsOf(known, labels, options);
  const ids = known.filter((id) => foldOf.has(id));
  const numbers = [...new Set(ids.map((id) => foldOf.get(id)!))].sort((a, b) => a - b);
  if (numbers.length < 2) throw new CodedError('BAD_INPUT', 'An evaluation needs at least 2 outer folds.');
  const keep = Object.entries(options.keep ?? {}).map(([name, kept]) => ({ name, kept, collected: empty() }));
  const natural = empty();
  const subsets = evaluatedMasks(names.length).map((mask) => ({ modalities: namesOf(mask, names), collected: empty() }));
  const folds = numbers.map((fold) => {
    const testIds = ids.filter((id) => foldOf.get(id) === fold);
    const model = trainLate(frames, new Map(ids.filter((id) => foldOf.get(id) !== fold).map((id) => [id, labels.get(id)!])), options);
    const own = model.modalities.map(({ modality }) => modality);
    const bitsOf = (modalities: readonly string[]): Mask =>
      own.reduce((bits, name, m) => (modalities.includes(name) ? bits | (1 << m) : bits), 0);
    // A subset that names a modality left out of this fold's model has no score here.
    const wanted = subsets.map(({ modalities }) => (modalities.every((name) => own.includes(name)) ? bitsOf(modalities) : 0));
    const evidence = evidenceMatrix(model, frames, testIds);
    testIds.forEach((id, i) => {
      const row = evidence.subarray(i * own.length, (i + 1) * own.length);
      const mask = maskOf(row);
      const label = labels.get(id)!;
      if (mask !== 0) collect(natural, model, row, mask, label, fold);
      for (const { kept, collected } of keep) {
        const modalities = kept.get(id);
        const left = modalities === undefined ? mask : mask & bitsOf(modalities);
        if (left !== 0) collect(collected, model, row, left, label, fold);
      }
      wanted.forEach((bits, s) => {
        if (bits !== 0 && (mask & bits) === bits) collect(subsets[s]!.collected, model, row, bits, label, fold);
      });
    });
    return { fold, n: testIds.length };
  });
  const draws = options.bootstrapDraws ?? 2000;
  const random = new Random(options.seed).fork('bootstrap');
  return {
    natural: reportOf([], natural, draws, random.fork('natural')),
    keep: Object.fromEntries(keep.map(({ name, collected }) => [name, reportOf([], collected, draws, random.fork(`keep:${name}`))])),
    masks: subsets.map(({ modalities, collected }) => reportOf(modalities, collected, draws, random.fork(modalities.join('+')))),
    folds,
  };
}

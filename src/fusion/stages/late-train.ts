import { CodedError } from '../../kernel/error.js';
import { rowIndex, type Frame } from '../../kernel/frame.js';
import { fitCalibration, lineFor, type MaskGroup } from '../train/calibrate.js';
import { conformalGroup } from '../train/conformal.js';
import { stratifiedHoldout } from '../train/folds.js';
import { designOf, fitLogistic, logitOf, sigmoid } from '../train/logistic.js';
import { MODALITIES_MAX, dropModalities, evaluatedMasks, sizeOf } from '../train/masks.js';
import { fitModality, type ModalityModel } from '../train/modality-model.js';
import { Random } from '../train/random.js';
import { evidenceMatrix, fusedLogit, maskOf, type LateModel, type LateWarning, type ModalityFrames } from './late-model.js';

export interface LateOptions {
  readonly seed: number;
  /** Ridge penalties tried per modality; lambda = 1 / C of scikit-learn. */
  readonly lambdaGrid?: readonly number[];
  readonly innerFolds?: number;
  /** Shares of the present modalities dropped in the copies that train the weights; 0 is the natural mask. */
  readonly dropoutRates?: readonly number[];
  /** Share of the patients kept apart for calibration, never used to fit (F23). */
  readonly calibrationShare?: number;
}

export const LATE_DEFAULTS = {
  lambdaGrid: [1, 10, 100, 1000],
  innerFolds: 3,
  dropoutRates: [0, 0.25, 0.5, 0.75],
  calibrationShare: 0.2,
} as const;

/** Pull of the fusion weights towards 1/k, in units of information. */
const WEIGHT_PENALTY = 10;

/** Labelled patients with any modality, sorted, so that the order of rows and files does not matter. */
function cohortOf(frames: ModalityFrames, names: readonly string[], labels: ReadonlyMap<string, 0 | 1>): string[] {
  const seen = new Set(names.flatMap((name) => frames[name]!.keys));
  return [...labels.keys()].filter((id) => seen.has(id)).sort();
}

/** Rows of the frame for the patients named, rows that are missing throughout left out; `places` are positions in `ids`. */
function presentRows(frame: Frame, ids: readonly string[]): { rows: Int32Array; places: Int32Array } {
  const index = rowIndex(frame);
  const places: number[] = [];
  const rows: number[] = [];
  ids.forEach((id, place) => {
    const row = index.get(id);
    if (row === undefined || frame.columns.every(({ values }) => Number.isNaN(values[row]))) return;
    rows.push(row);
    places.push(place);
  });
  return { rows: Int32Array.from(rows), places: Int32Array.from(places) };
}

/**
 * Weights on out-of-fold evidence under random extra masks (F6): ridge logistic with the prior as offset and no intercept,
 * pulled towards 1/k where k is the mean number of modalities left.
 */
function fitWeights(
  evidence: Float64Array,
  width: number,
  labels: Float64Array,
  prior: number,
  rates: readonly number[],
  random: Random,
): Float64Array {
  const rows = labels.length * rates.length;
  const matrix = new Float64Array(rows * width);
  const outcome = new Float64Array(rows);
  let left = 0;
  rates.forEach((rate, copy) => {
    for (let i = 0; i < labels.length; i += 1) {
      const row = copy * labels.length + i;
      const own = evidence.subarray(i * width, (i + 1) * width);
      const mask = dropModalities(maskOf(own), rate, random);
      left += sizeOf(mask);
      outcome[row] = labels[i]!;
      for (let m = 0; m < width; m += 1) matrix[row * width + m] = (mask >> m) & 1 ? own[m]! : 0;
    }
  });
  const start = rows / Math.max(1, left);
  const offset = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) {
    let sum = prior;
    for (let m = 0; m < width; m += 1) sum += start * matrix[row * width + m]!;
    offset[row] = sum;
  }
  const weights = new Float64Array(rows).fill(1 / rates.length);
  const fit = fitLogistic(designOf(matrix, rows, width), outcome, { lambda: WEIGHT_PENALTY, intercept: false, offset, weights });
  return fit.coefficients.map((value) => value + start);
}

/** Calibration patients that have every modality of a mask, for each mask to be evaluated (induced masks, F27). */
function maskGroups(evidence: Float64Array, width: number, labels: Float64Array, prior: number, weights: Float64Array): MaskGroup[] {
  const rowAt = (i: number): Float64Array => evidence.subarray(i * width, (i + 1) * width);
  const masks = Int32Array.from(labels, (_, i) => maskOf(rowAt(i)));
  return evaluatedMasks(width).map((mask) => {
    const rows = [...masks.keys()].filter((i) => (masks[i]! & mask) === mask);
    return {
      mask,
      logits: Float64Array.from(rows, (i) => fusedLogit(prior, weights, rowAt(i), mask)),
      labels: Float64Array.from(rows, (i) => labels[i]!),
    };
  });
}

interface Fitted {
  readonly modalities: ModalityModel[];
  /** Out-of-fold evidence, row-major patients x modalities. */
  readonly evidence: Float64Array;
  readonly warnings: LateWarning[];
}

function fitModalities(
  frames: ModalityFrames,
  names: readonly string[],
  ids: readonly string[],
  labels: Float64Array,
  options: Required<LateOptions>,
): Fitted {
  const warnings: LateWarning[] = [];
  const parts: { model: ModalityModel; evidence: Float64Array; places: Int32Array }[] = [];
  for (const modality of names) {
    const frame = frames[modality]!;
    const { rows, places } = presentRows(frame, ids);
    const own = Float64Array.from(places, (place) => labels[place]!);
    const events = own.reduce((sum, label) => sum + label, 0);
    if (Math.min(events, own.length - events) < 2 * options.innerFolds) {
      warnings.push({ code: 'MODALITY_TOO_SMALL', modality, columns: [] });
      continue;
    }
    const random = new Random(options.seed).fork(`folds:${modality}`);
    const { lambdaGrid, innerFolds } = options;
    const fitted = fitModality(modality, { frame, rows, labels: own, lambdaGrid, innerFolds, random });
    if (fitted.model.leaking.length > 0) warnings.push({ code: 'LABEL_LEAK', modality, columns: fitted.model.leaking });
    parts.push({ ...fitted, places });
  }
  const width = parts.length;
  const evidence = new Float64Array(ids.length * width).fill(NaN);
  parts.forEach((part, m) => part.places.forEach((place, i) => (evidence[place * width + m] = part.evidence[i]!)));
  return { modalities: parts.map(({ model }) => model), evidence, warnings };
}

function checked(options: LateOptions, names: readonly string[]): Required<LateOptions> {
  const all = { ...LATE_DEFAULTS, ...options };
  const fault = (message: string): CodedError => new CodedError('BAD_INPUT', message);
  if (names.length === 0) throw fault('Training needs at least one modality with columns.');
  if (names.length > MODALITIES_MAX) throw new CodedError('LIMIT_EXCEEDED', `A model fuses up to ${MODALITIES_MAX} modalities.`);
  if (!all.lambdaGrid.length || !all.lambdaGrid.every((lambda) => lambda > 0)) throw fault('lambdaGrid holds penalties above 0.');
  if (!all.dropoutRates.length || !all.dropoutRates.every((rate) => rate >= 0 && rate < 1)) throw fault('dropoutRates lie in [0, 1).');
  if (!(all.calibrationShare > 0 && all.calibrationShare < 1)) throw fault('calibrationShare lies between 0 and 1.');
  return all;
}

/**
 * Trains a late fusion model on the labelled patients of the frames (spec/fusion.md sections 2, 3, 6).
 * The same patients, values, options and seed give the same model bit for bit, in whatever order rows come.
 * @throws CodedError BAD_INPUT on options out of range or when no modality has enough rows of both classes.
 */
export function trainLate(frames: ModalityFrames, labels: ReadonlyMap<string, 0 | 1>, options: LateOptions): LateModel {
  const names = Object.keys(frames)
    .filter((name) => frames[name]!.columns.length > 0)
    .sort();
  const used = checked(options, names);
  const random = new Random(used.seed);
  const ids = cohortOf(frames, names, labels);
  const outcome = Float64Array.from(ids, (id) => labels.get(id)!);
  const held = stratifiedHoldout(outcome, used.calibrationShare, random.fork('calibration'));
  const fitIds = ids.filter((_, i) => held[i] === 0);
  const fitLabels = outcome.filter((_, i) => held[i] === 0);
  const { modalities, evidence, warnings } = fitModalities(frames, names, fitIds, fitLabels, used);
  if (modalities.length === 0) throw new CodedError('BAD_INPUT', 'No modality has enough labelled rows of both classes to be trained.');
  const events = fitLabels.reduce((sum, label) => sum + label, 0);
  const prior = logitOf(events / fitLabels.length);
  const width = modalities.length;
  const has = [...fitIds.keys()].filter((i) => maskOf(evidence.subarray(i * width, (i + 1) * width)) !== 0);
  const kept = Float64Array.from(has.flatMap((i) => Array.from(evidence.subarray(i * width, (i + 1) * width))));
  const keptLabels = Float64Array.from(has, (i) => fitLabels[i]!);
  const weights = fitWeights(kept, width, keptLabels, prior, used.dropoutRates, random.fork('dropout'));
  const bare: LateModel = {
    kind: 'late_poe',
    usesMissingnessIndicator: false,
    seed: used.seed,
    dropoutRates: [...used.dropoutRates],
    prior,
    modalities,
    weights: Array.from(weights),
    calibration: { shared: { slope: 1, intercept: 0 }, masks: [] },
    conformal: [],
    trainingRows: fitIds.length,
    trainingEvents: events,
    calibrationRows: ids.length - fitIds.length,
    warnings,
    evaluation: null,
  };
  const heldIds = ids.filter((_, i) => held[i] === 1);
  const heldLabels = outcome.filter((_, i) => held[i] === 1);
  const groups = maskGroups(evidenceMatrix(bare, frames, heldIds), width, heldLabels, prior, weights);
  const calibration = fitCalibration(groups);
  const conformal = groups.map(({ mask, logits, labels: own }) => {
    const { slope, intercept } = lineFor(calibration, mask);
    return conformalGroup(
      mask,
      logits.map((logit) => sigmoid(intercept + slope * logit)),
      own,
    );
  });
  return { ...bare, calibration, conformal };
}

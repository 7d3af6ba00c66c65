import { designOf, fitLogistic } from './logistic.js';
import type { Mask } from './masks.js';

/** Held-out rows of one mask group: rows that have every modality of the mask, the rest dropped (induced masks, F27). */
export interface MaskGroup {
  readonly mask: Mask;
  readonly logits: Float64Array;
  readonly labels: Float64Array;
}

export type CalibrationMethod = 'PLATT' | 'SHARED_SLOPE';

/** calibrated logit = intercept + slope * logit. */
export interface CalibrationLine {
  readonly slope: number;
  readonly intercept: number;
}

export interface MaskCalibration extends CalibrationLine {
  readonly mask: Mask;
  readonly method: CalibrationMethod;
  readonly n: number;
  readonly events: number;
}

export interface Calibration {
  readonly shared: CalibrationLine;
  readonly masks: readonly MaskCalibration[];
}

/** Rows from which a mask group has a slope of its own. */
export const PLATT_ROWS_MIN = 100;
/** Penalties on the distance from the line above in the hierarchy (mask -> shared -> identity), in units of information. */
const SHARED_PENALTY = 1;
const MASK_PENALTY = 4;

function column(values: readonly Float64Array[], n: number): Float64Array {
  const matrix = new Float64Array(n * values.length);
  values.forEach((source, j) => {
    for (let i = 0; i < n; i += 1) matrix[i * values.length + j] = source[i]!;
  });
  return matrix;
}

/** A line near `prior`; with `slope: false` only its height moves. */
function fitLine(
  group: Omit<MaskGroup, 'mask'>,
  prior: CalibrationLine,
  lambda: number,
  slope: boolean,
  weights?: Float64Array,
): CalibrationLine {
  const n = group.labels.length;
  const ones = new Float64Array(n).fill(1);
  const parts = slope ? [ones, group.logits] : [ones];
  const offset = group.logits.map((logit) => prior.intercept + prior.slope * logit);
  // Fewer rows than columns would take the dual route; a line over one row needs no more than its height.
  const used = parts.slice(0, n);
  if (n === 0) return prior;
  const fit = fitLogistic(designOf(column(used, n), n, used.length), group.labels, {
    lambda,
    offset,
    intercept: false,
    ...(weights === undefined ? {} : { weights }),
  });
  // A negative slope would turn the ranking round on the strength of noise; a flat line says that the mask carries nothing.
  const steep = Math.max(0, prior.slope + (fit.coefficients[1] ?? 0));
  return { intercept: prior.intercept + fit.coefficients[0]!, slope: steep };
}

/** Slope and height of the best line through (logit, label) without shrinkage: 1 and 0 for a calibrated score. NaN without both classes. */
export function calibrationLine(logits: Float64Array, labels: Float64Array): CalibrationLine {
  const events = labels.reduce((sum, label) => sum + label, 0);
  if (events === 0 || events === labels.length || labels.length < 3) return { slope: NaN, intercept: NaN };
  const fit = fitLogistic(designOf(logits, logits.length, 1), labels, { lambda: 1e-6 });
  return { slope: fit.coefficients[0]!, intercept: fit.intercept };
}

/**
 * One calibration line per mask group: Platt where the group has >= 100 rows, else the shared slope with an offset of the mask's own.
 * Every line is shrunk towards the shared one, and that towards the identity, so a small group cannot run away.
 */
export function fitCalibration(groups: readonly MaskGroup[]): Calibration {
  const total = groups.reduce((sum, group) => sum + group.labels.length, 0);
  const patients = groups.reduce((most, group) => Math.max(most, group.labels.length), 0);
  const pooled = { logits: new Float64Array(total), labels: new Float64Array(total) };
  let at = 0;
  for (const group of groups) {
    pooled.logits.set(group.logits, at);
    pooled.labels.set(group.labels, at);
    at += group.labels.length;
  }
  // A patient stands in many groups; weighting keeps the pooled information at that of the patients.
  const weights = new Float64Array(total).fill(patients / Math.max(1, total));
  const shared = fitLine(pooled, { slope: 1, intercept: 0 }, SHARED_PENALTY, true, weights);
  const masks = groups
    .filter((group) => group.labels.length > 0)
    .map((group): MaskCalibration => {
      const own = group.labels.length >= PLATT_ROWS_MIN;
      return {
        mask: group.mask,
        method: own ? 'PLATT' : 'SHARED_SLOPE',
        n: group.labels.length,
        events: group.labels.reduce((sum, label) => sum + label, 0),
        ...fitLine(group, shared, MASK_PENALTY, own),
      };
    });
  return { shared, masks };
}

/** The line for a mask: its own where it has one, else the shared one. */
export function lineFor(calibration: Calibration, mask: Mask): CalibrationLine {
  return calibration.masks.find((entry) => entry.mask === mask) ?? calibration.shared;
}

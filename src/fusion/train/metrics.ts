import { logLossOf } from './logistic.js';

/** Row numbers sorted by ascending score, ties by row. */
export function ascending(scores: Float64Array): Int32Array {
  return Int32Array.from(scores, (_, i) => i).sort((a, b) => scores[a]! - scores[b]! || a - b);
}

/** AUROC by ranks where `order` is `ascending(scores)`; a row counts `weights[row]` times (default once), tied pairs count one half. NaN without both classes. */
export function aurocOrdered(scores: Float64Array, labels: Float64Array, order: Int32Array, weights?: ArrayLike<number>): number {
  let wins = 0;
  let below = 0;
  let positives = 0;
  for (let i = 0; i < order.length;) {
    const score = scores[order[i]!]!;
    let tiedPositive = 0;
    let tiedNegative = 0;
    for (; i < order.length && scores[order[i]!] === score; i += 1) {
      const row = order[i]!;
      const weight = weights === undefined ? 1 : weights[row]!;
      if (labels[row] === 1) tiedPositive += weight;
      else tiedNegative += weight;
    }
    wins += tiedPositive * (below + tiedNegative / 2);
    below += tiedNegative;
    positives += tiedPositive;
  }
  return wins / (positives * below);
}

/** Area under the ROC curve; ties count one half; NaN without both classes. */
export function auroc(scores: Float64Array, labels: Float64Array): number {
  return aurocOrdered(scores, labels, ascending(scores));
}

/** Average precision: sum of precision x gain in recall over thresholds, tied scores as one threshold. NaN without positives. */
export function auprc(scores: Float64Array, labels: Float64Array): number {
  const order = ascending(scores).reverse();
  const positives = labels.reduce((sum, label) => sum + label, 0);
  let hits = 0;
  let sum = 0;
  for (let i = 0; i < order.length;) {
    const score = scores[order[i]!]!;
    const before = hits;
    for (; i < order.length && scores[order[i]!] === score; i += 1) hits += labels[order[i]!]!;
    sum += ((hits - before) / positives) * (hits / i);
  }
  return positives === 0 ? NaN : sum;
}

/** Mean squared difference of probability and label. */
export function brier(probabilities: Float64Array, labels: Float64Array): number {
  return probabilities.reduce((sum, p, i) => sum + (p - labels[i]!) ** 2, 0) / labels.length;
}

/** Mean log loss in nats, from logits. */
export function logLoss(logits: Float64Array, labels: Float64Array): number {
  return logits.reduce((sum, logit, i) => sum + logLossOf(logit, labels[i]!), 0) / labels.length;
}

/** Expected calibration error: 10 equal-width bins, gap of mean probability and event rate, weighted by share of rows (F25). */
export function expectedCalibrationError(probabilities: Float64Array, labels: Float64Array, bins = 10): number {
  const gaps = new Float64Array(bins);
  for (let i = 0; i < labels.length; i += 1) {
    const bin = Math.min(bins - 1, Math.floor(probabilities[i]! * bins));
    gaps[bin]! += probabilities[i]! - labels[i]!;
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / labels.length;
}

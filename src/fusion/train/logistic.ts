import { CodedError } from '../../kernel/error.js';
import { choleskyInPlace, dot, pivotedCholesky, solveLower, solveLowerTransposed } from './linear-algebra.js';
import { minimise } from './minimise.js';

// Bound once: see random.ts.
const { exp, log1p } = Math;

/** A row-major design of n rows and p columns, ready for repeated fits. Wide designs are held as an n x rank factor (F13). */
export interface Design {
  readonly n: number;
  readonly p: number;
  /** Columns the optimiser sees: p, or the rank of the Gram matrix when p > n. */
  readonly width: number;
  readonly matrix: Float64Array;
  /** Maps coefficients on `matrix` to coefficients on the p columns. */
  readonly expand: (reduced: Float64Array) => Float64Array;
}

export interface LogisticOptions {
  /** Penalty: lambda / 2 * |coefficients|^2 beside the summed log loss, so lambda = 1 / C of scikit-learn. Must be > 0. */
  readonly lambda: number;
  /** Default true; the intercept is never penalised. */
  readonly intercept?: boolean;
  /** Row weights, default 1. */
  readonly weights?: Float64Array;
  /** Known part of each row's logit, default 0. */
  readonly offset?: Float64Array;
}

export interface LogisticFit {
  readonly intercept: number;
  readonly coefficients: Float64Array;
  /** Largest absolute entry of the gradient of the penalised loss at the answer. */
  readonly gradientMax: number;
}

/** Columns up to which Newton steps cost less than L-BFGS. */
const NEWTON_COLUMNS_MAX = 48;
const NEWTON_STEPS_MAX = 100;

export function sigmoid(logit: number): number {
  return logit >= 0 ? 1 / (1 + exp(-logit)) : exp(logit) / (1 + exp(logit));
}

export function logitOf(probability: number): number {
  return Math.log(probability / (1 - probability));
}

/** -log likelihood of one row, without overflow. */
export function logLossOf(logit: number, label: number): number {
  const positive = logit > 0 ? logit + log1p(exp(-logit)) : log1p(exp(logit));
  return positive - label * logit;
}

/**
 * Prepares a design. With p > n the ridge optimum lies in the span of the rows, so the Gram matrix X X' = L L' (pivoted)
 * replaces X by L: same losses, same penalty, n x rank instead of n x p, and no p x p matrix anywhere.
 */
export function designOf(matrix: Float64Array, n: number, p: number): Design {
  if (p <= n) return { n, p, width: p, matrix, expand: (reduced) => reduced };
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      const value = dot(matrix, i * p, matrix, j * p, p);
      gram[i * n + j] = value;
      gram[j * n + i] = value;
    }
  }
  const { rank, pivots, factor } = pivotedCholesky(gram, n);
  const corner = new Float64Array(rank * rank);
  for (let i = 0; i < rank; i += 1) corner.set(factor.subarray(pivots[i]! * rank, (pivots[i]! + 1) * rank), i * rank);
  const expand = (reduced: Float64Array): Float64Array => {
    const alpha = Float64Array.from(reduced);
    solveLowerTransposed(corner, rank, alpha);
    const full = new Float64Array(p);
    for (let i = 0; i < rank; i += 1) {
      const row = pivots[i]! * p;
      const share = alpha[i]!;
      for (let j = 0; j < p; j += 1) full[j]! += share * matrix[row + j]!;
    }
    return full;
  };
  return { n, p, width: rank, matrix: factor, expand };
}

interface Problem {
  readonly design: Design;
  readonly labels: Float64Array;
  readonly lambda: number;
  readonly first: 0 | 1;
  readonly weights: Float64Array | undefined;
  readonly offset: Float64Array | undefined;
}

/** Loss at `theta` = (intercept?, coefficients); fills the gradient, and the row curvatures when asked. */
function evaluate(problem: Problem, theta: Float64Array, gradient: Float64Array, curvature?: Float64Array): number {
  const { design, labels, first, weights, offset, lambda } = problem;
  const { n, width, matrix } = design;
  gradient.fill(0);
  let loss = 0;
  const base = first === 1 ? theta[0]! : 0;
  for (let i = 0; i < n; i += 1) {
    const start = i * width;
    let logit = base + (offset === undefined ? 0 : offset[i]!);
    for (let j = 0; j < width; j += 1) logit += matrix[start + j]! * theta[first + j]!;
    const weight = weights === undefined ? 1 : weights[i]!;
    const probability = sigmoid(logit);
    loss += weight * logLossOf(logit, labels[i]!);
    const residual = weight * (probability - labels[i]!);
    if (first === 1) gradient[0]! += residual;
    for (let j = 0; j < width; j += 1) gradient[first + j]! += residual * matrix[start + j]!;
    if (curvature !== undefined) curvature[i] = weight * probability * (1 - probability);
  }
  for (let j = first; j < theta.length; j += 1) {
    loss += (lambda / 2) * theta[j]! * theta[j]!;
    gradient[j]! += lambda * theta[j]!;
  }
  return loss;
}

/** Lower triangle of the Hessian of the penalised loss. */
function hessianOf(problem: Problem, curvature: Float64Array): Float64Array {
  const { design, first, lambda } = problem;
  const { n, width, matrix } = design;
  const size = width + first;
  const hessian = new Float64Array(size * size);
  for (let i = 0; i < n; i += 1) {
    const start = i * width;
    const curve = curvature[i]!;
    if (first === 1) hessian[0]! += curve;
    for (let j = 0; j < width; j += 1) {
      const scaled = curve * matrix[start + j]!;
      const row = (first + j) * size;
      if (first === 1) hessian[row]! += scaled;
      for (let k = 0; k <= j; k += 1) hessian[row + first + k]! += scaled * matrix[start + k]!;
    }
  }
  // A trace of ridge on the intercept keeps the factor definite when every probability has saturated.
  if (first === 1) hessian[0]! += 1e-12;
  for (let j = first; j < size; j += 1) hessian[j * size + j]! += lambda;
  return hessian;
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function newton(problem: Problem, theta: Float64Array, tolerance: number): number {
  const size = theta.length;
  const gradient = new Float64Array(size);
  const trialGradient = new Float64Array(size);
  const curvature = new Float64Array(problem.design.n);
  let loss = evaluate(problem, theta, gradient, curvature);
  for (let step = 0; step < NEWTON_STEPS_MAX && largest(gradient) > tolerance; step += 1) {
    const hessian = hessianOf(problem, curvature);
    const move = Float64Array.from(gradient);
    if (!choleskyInPlace(hessian, size)) break;
    solveLower(hessian, size, move);
    solveLowerTransposed(hessian, size, move);
    let scale = 1;
    let trialLoss = Infinity;
    const trial = new Float64Array(size);
    while (scale > 1e-8) {
      for (let j = 0; j < size; j += 1) trial[j] = theta[j]! - scale * move[j]!;
      trialLoss = evaluate(problem, trial, trialGradient, curvature);
      if (trialLoss <= loss + 1e-12 * Math.abs(loss)) break;
      scale /= 2;
    }
    if (scale <= 1e-8) break;
    theta.set(trial);
    gradient.set(trialGradient);
    loss = trialLoss;
  }
  return largest(gradient);
}

/**
 * Ridge logistic regression: the minimum of sum w_i log loss_i + lambda / 2 |coefficients|^2, which is unique for lambda > 0
 * as soon as both classes occur or there is no intercept (spec/fusion.md F13, F18).
 * @throws CodedError BAD_INPUT on lambda <= 0, lengths that differ, or one class only with an intercept.
 */
export function fitLogistic(design: Design, labels: Float64Array, options: LogisticOptions): LogisticFit {
  const first = options.intercept === false ? 0 : 1;
  if (!(options.lambda > 0)) throw new CodedError('BAD_INPUT', 'The ridge penalty must be above 0.');
  if (labels.length !== design.n) throw new CodedError('BAD_INPUT', 'A logistic fit needs one label a row.');
  if (first === 1 && (labels.every((label) => label === 0) || labels.every((label) => label === 1))) {
    throw new CodedError('BAD_INPUT', 'A logistic fit with an intercept needs both classes.');
  }
  const problem: Problem = { design, labels, lambda: options.lambda, first, weights: options.weights, offset: options.offset };
  const theta = new Float64Array(design.width + first);
  const tolerance = 1e-9 * Math.max(1, design.n);
  const gradientMax =
    theta.length <= NEWTON_COLUMNS_MAX
      ? newton(problem, theta, tolerance)
      : minimise((at, gradient) => evaluate(problem, at, gradient), theta, { tolerance: tolerance * 10, steps: 1000 });
  return { intercept: first === 1 ? theta[0]! : 0, coefficients: design.expand(theta.subarray(first)), gradientMax };
}

import { dot } from './linear-algebra.js';

/** Value at a point; fills the gradient. */
export type Objective = (at: Float64Array, gradient: Float64Array) => number;

export interface MinimiseOptions {
  /** Stop when no entry of the gradient is larger. */
  readonly tolerance: number;
  readonly steps: number;
}

interface Pair {
  readonly move: Float64Array;
  readonly change: Float64Array;
  readonly rho: number;
}

const MEMORY_PAIRS = 10;

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** The two-loop recursion (Nocedal and Wright, algorithm 7.4): minus the inverse Hessian estimate times the gradient. */
function directionOf(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const size = gradient.length;
  const direction = gradient.map((value) => -value);
  const alphas = new Float64Array(pairs.length);
  for (let k = pairs.length - 1; k >= 0; k -= 1) {
    const { move, change, rho } = pairs[k]!;
    const alpha = rho * dot(move, 0, direction, 0, size);
    alphas[k] = alpha;
    for (let j = 0; j < size; j += 1) direction[j]! -= alpha * change[j]!;
  }
  const last = pairs[pairs.length - 1];
  const scale =
    last === undefined
      ? 1 / Math.max(1, Math.sqrt(dot(gradient, 0, gradient, 0, size)))
      : 1 / (last.rho * dot(last.change, 0, last.change, 0, size));
  for (let j = 0; j < size; j += 1) direction[j]! *= scale;
  for (let k = 0; k < pairs.length; k += 1) {
    const { move, change, rho } = pairs[k]!;
    const share = alphas[k]! - rho * dot(change, 0, direction, 0, size);
    for (let j = 0; j < size; j += 1) direction[j]! += share * move[j]!;
  }
  return direction;
}

/**
 * L-BFGS for a smooth convex objective, with a backtracking search. Moves `theta` to the minimum and returns
 * the largest absolute entry of the gradient there. Deterministic: one fixed order of sums.
 */
export function minimise(objective: Objective, theta: Float64Array, options: MinimiseOptions): number {
  const size = theta.length;
  let gradient = new Float64Array(size);
  let value = objective(theta, gradient);
  let pairs: Pair[] = [];
  for (let step = 0; step < options.steps && largest(gradient) > options.tolerance; step += 1) {
    const direction = directionOf(gradient, pairs);
    const slope = dot(direction, 0, gradient, 0, size);
    const trial = new Float64Array(size);
    const trialGradient = new Float64Array(size);
    let length = 1;
    let trialValue = Infinity;
    for (; length > 1e-12; length /= 2) {
      for (let j = 0; j < size; j += 1) trial[j] = theta[j]! + length * direction[j]!;
      trialValue = objective(trial, trialGradient);
      if (trialValue <= value + 1e-4 * length * slope + 1e-14 * Math.abs(value)) break;
    }
    if (length <= 1e-12) {
      if (pairs.length === 0) break;
      pairs = [];
      continue;
    }
    const move = trial.map((next, j) => next - theta[j]!);
    const change = trialGradient.map((next, j) => next - gradient[j]!);
    const bend = dot(move, 0, change, 0, size);
    if (bend > 1e-14 * dot(change, 0, change, 0, size)) pairs = [...pairs.slice(1 - MEMORY_PAIRS), { move, change, rho: 1 / bend }];
    theta.set(trial);
    gradient = trialGradient;
    value = trialValue;
  }
  return largest(gradient);
}

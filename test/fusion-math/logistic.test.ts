import * as fc from 'fast-check';
import { designOf, fitLogistic, logLossOf, sigmoid } from '../../src/fusion/train/logistic.js';
import { choleskyInPlace, pivotedCholesky, solveLower, solveLowerTransposed } from '../../src/fusion/train/linear-algebra.js';
import { minimise } from '../../src/fusion/train/minimise.js';
import { Random } from '../../src/fusion/train/random.js';

function randomProblem(seed: number, n: number, p: number): { matrix: Float64Array; labels: Float64Array } {
  const random = new Random(seed);
  const matrix = Float64Array.from({ length: n * p }, () => random.normal());
  const labels = Float64Array.from({ length: n }, (_, i) => (i < 2 ? i : random.next() < sigmoid(matrix[i * p]!) ? 1 : 0));
  return { matrix, labels };
}

/** Gradient of the objective at a fit, computed in the plain p columns. */
function gradientMax(matrix: Float64Array, labels: Float64Array, p: number, intercept: number, w: Float64Array, lambda: number): number {
  const gradient = new Float64Array(p + 1);
  labels.forEach((label, i) => {
    let logit = intercept;
    for (let j = 0; j < p; j += 1) logit += w[j]! * matrix[i * p + j]!;
    const residual = sigmoid(logit) - label;
    gradient[p]! += residual;
    for (let j = 0; j < p; j += 1) gradient[j]! += residual * matrix[i * p + j]!;
  });
  for (let j = 0; j < p; j += 1) gradient[j]! += lambda * w[j]!;
  return gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

describe('ridge logistic regression', () => {
  it('solves the case that can be solved by hand', () => {
    // Rows x = -1 (label 0) and x = 1 (label 1): by symmetry the intercept is 0 and w solves lambda w = 2 (1 - sigmoid(w)).
    // With w = 1 that is lambda = 2 (1 - sigmoid(1)).
    const lambda = 2 * (1 - 1 / (1 + Math.exp(-1)));
    const fit = fitLogistic(designOf(Float64Array.of(-1, 1), 2, 1), Float64Array.of(0, 1), { lambda });
    expect(fit.intercept).toBeCloseTo(0, 9);
    expect(fit.coefficients[0]).toBeCloseTo(1, 8);
  });

  it('leaves the intercept unpenalised: without signal it is the logit of the event rate', () => {
    const fit = fitLogistic(designOf(new Float64Array(8), 8, 1), Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0), { lambda: 100 });
    expect(fit.intercept).toBeCloseTo(Math.log(1 / 3), 9);
    expect(fit.coefficients[0]).toBe(0);
  });

  it.each([
    ['Newton', 300, 6],
    ['dual, more columns than rows', 40, 300],
    ['L-BFGS, many columns', 400, 200],
  ])('stands at a zero of the gradient (%s)', (_, n, p) => {
    for (const lambda of [0.5, 10]) {
      const { matrix, labels } = randomProblem(3, n, p);
      const fit = fitLogistic(designOf(matrix, n, p), labels, { lambda });
      expect(gradientMax(matrix, labels, p, fit.intercept, fit.coefficients, lambda)).toBeLessThan(1e-5);
    }
  });

  it('takes collinear one-hot blocks, in both forms', () => {
    for (const n of [60, 6]) {
      const p = 8;
      const matrix = new Float64Array(n * p);
      const labels = Float64Array.from({ length: n }, (_, i) => (i % 3 === 0 ? 1 : 0));
      for (let i = 0; i < n; i += 1) {
        matrix[i * p + (i % 4)] = 1;
        matrix[i * p + 4 + (i % 4)] = 1;
      }
      const fit = fitLogistic(designOf(matrix, n, p), labels, { lambda: 1 });
      expect(gradientMax(matrix, labels, p, fit.intercept, fit.coefficients, 1)).toBeLessThan(1e-6);
      expect(fit.coefficients[0]).toBeCloseTo(fit.coefficients[4]!, 8);
    }
  });

  it('has a gradient that agrees with finite differences through the loss', () => {
    for (const logit of [-40, -2, 0, 3, 40]) {
      const step = 1e-5;
      const slope = (logLossOf(logit + step, 1) - logLossOf(logit - step, 1)) / (2 * step);
      expect(slope).toBeCloseTo(sigmoid(logit) - 1, 6);
    }
  });

  it('counts a row of weight 2 as two rows', () => {
    const { matrix, labels } = randomProblem(5, 30, 2);
    const twice = Float64Array.from([...matrix, ...matrix.subarray(0, 20)]);
    const a = fitLogistic(designOf(matrix, 30, 2), labels, { lambda: 1, weights: labels.map((_, i) => (i < 10 ? 2 : 1)) });
    const b = fitLogistic(designOf(twice, 40, 2), Float64Array.from([...labels, ...labels.subarray(0, 10)]), { lambda: 1 });
    expect(a.coefficients[0]).toBeCloseTo(b.coefficients[0]!, 8);
    expect(a.intercept).toBeCloseTo(b.intercept, 8);
  });

  it('refuses no penalty and one class', () => {
    const design = designOf(Float64Array.of(1, 2), 2, 1);
    expect(() => fitLogistic(design, Float64Array.of(0, 1), { lambda: 0 })).toThrow('above 0');
    expect(() => fitLogistic(design, Float64Array.of(1, 1), { lambda: 1 })).toThrow('both classes');
  });

  it('fits 150 rows of 20,000 columns without a square matrix of them', () => {
    const { matrix, labels } = randomProblem(9, 150, 20_000);
    const fit = fitLogistic(designOf(matrix, 150, 20_000), labels, { lambda: 1000 });
    expect(fit.coefficients).toHaveLength(20_000);
    expect(gradientMax(matrix, labels, 20_000, fit.intercept, fit.coefficients, 1000)).toBeLessThan(1e-4);
  });
});

describe('linear algebra', () => {
  it('solves by Cholesky, and rebuilds a matrix of low rank from its pivoted factor', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 4 }), fc.integer(), (n, width, seed) => {
        const random = new Random(seed);
        const x = Float64Array.from({ length: n * width }, () => random.normal());
        const gram = new Float64Array(n * n);
        for (let i = 0; i < n; i += 1)
          for (let j = 0; j < n; j += 1) for (let k = 0; k < width; k += 1) gram[i * n + j]! += x[i * width + k]! * x[j * width + k]!;
        const { rank, factor } = pivotedCholesky(gram, n);
        expect(rank).toBeLessThanOrEqual(Math.min(n, width));
        for (let i = 0; i < n; i += 1) {
          for (let j = 0; j < n; j += 1) {
            let sum = 0;
            for (let k = 0; k < rank; k += 1) sum += factor[i * rank + k]! * factor[j * rank + k]!;
            expect(Math.abs(sum - gram[i * n + j]!)).toBeLessThan(1e-6);
          }
        }
        const definite = gram.map((value, at) => value + (at % (n + 1) === 0 ? 1 : 0));
        const held = Float64Array.from(definite);
        const b = Float64Array.from({ length: n }, () => random.normal());
        const solution = Float64Array.from(b);
        expect(choleskyInPlace(definite, n)).toBe(true);
        solveLower(definite, n, solution);
        solveLowerTransposed(definite, n, solution);
        for (let i = 0; i < n; i += 1) {
          let sum = 0;
          for (let j = 0; j < n; j += 1) sum += held[i * n + j]! * solution[j]!;
          expect(sum).toBeCloseTo(b[i]!, 8);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('says when a matrix is not definite', () => {
    expect(choleskyInPlace(Float64Array.of(1, 2, 2, 1), 2)).toBe(false);
  });

  it('finds the minimum of an ill-scaled quadratic', () => {
    const theta = Float64Array.of(3, -2);
    const left = minimise(
      (at, gradient) => {
        gradient[0] = 1000 * (at[0]! - 1);
        gradient[1] = at[1]! + 5;
        return 500 * (at[0]! - 1) ** 2 + 0.5 * (at[1]! + 5) ** 2;
      },
      theta,
      { tolerance: 1e-8, steps: 200 },
    );
    expect(left).toBeLessThanOrEqual(1e-8);
    expect(theta[0]).toBeCloseTo(1, 8);
    expect(theta[1]).toBeCloseTo(-5, 8);
  });
});

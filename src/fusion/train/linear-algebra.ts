/** Dot product of two runs of `length` numbers that start at the given offsets. */
export function dot(a: Float64Array, aStart: number, b: Float64Array, bStart: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i += 1) sum += a[aStart + i]! * b[bStart + i]!;
  return sum;
}

/** Replaces the lower triangle of a symmetric positive definite n x n matrix by its Cholesky factor; false when it is not definite. */
export function choleskyInPlace(matrix: Float64Array, n: number): boolean {
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      const rest = matrix[i * n + j]! - dot(matrix, i * n, matrix, j * n, j);
      if (i === j) {
        if (!(rest > 0)) return false;
        matrix[i * n + i] = Math.sqrt(rest);
      } else {
        matrix[i * n + j] = rest / matrix[j * n + j]!;
      }
    }
  }
  return true;
}

/** Solves L y = b in place for a lower factor of stride n. */
export function solveLower(factor: Float64Array, n: number, b: Float64Array): void {
  for (let i = 0; i < n; i += 1) b[i] = (b[i]! - dot(factor, i * n, b, 0, i)) / factor[i * n + i]!;
}

/** Solves L' x = b in place for a lower factor of stride n. */
export function solveLowerTransposed(factor: Float64Array, n: number, b: Float64Array): void {
  for (let i = n - 1; i >= 0; i -= 1) {
    const x = b[i]! / factor[i * n + i]!;
    b[i] = x;
    for (let j = 0; j < i; j += 1) b[j]! -= factor[i * n + j]! * x;
  }
}

/** K ~ factor * factor' with `rank` columns (row-major, n x rank); `pivots` names the rows the factor is exact and triangular on. */
export interface PivotedCholesky {
  readonly rank: number;
  readonly pivots: Int32Array;
  readonly factor: Float64Array;
}

/** Pivoted Cholesky of an n x n positive semi-definite matrix, stopped once the largest remaining diagonal is below 1e-10 of the first. */
export function pivotedCholesky(kernel: Float64Array, n: number): PivotedCholesky {
  const diagonal = Float64Array.from({ length: n }, (_, i) => kernel[i * n + i]!);
  const work = new Float64Array(n * n);
  const pivots = new Int32Array(n);
  let floor = 0;
  let rank = 0;
  for (; rank < n; rank += 1) {
    let pivot = 0;
    for (let i = 1; i < n; i += 1) if (diagonal[i]! > diagonal[pivot]!) pivot = i;
    const largest = diagonal[pivot]!;
    if (rank === 0) floor = largest * 1e-10;
    if (!(largest > floor)) break;
    pivots[rank] = pivot;
    const root = Math.sqrt(largest);
    for (let i = 0; i < n; i += 1) {
      const value = (kernel[i * n + pivot]! - dot(work, i * n, work, pivot * n, rank)) / root;
      work[i * n + rank] = value;
      diagonal[i]! -= value * value;
    }
    // Rows already used are exact; rounding must not let them be chosen twice.
    diagonal[pivot] = -Infinity;
    for (let earlier = 0; earlier < rank; earlier += 1) work[pivots[earlier]! * n + rank] = 0;
  }
  const factor = new Float64Array(n * rank);
  for (let i = 0; i < n; i += 1) factor.set(work.subarray(i * n, i * n + rank), i * rank);
  return { rank, pivots: pivots.slice(0, rank), factor };
}

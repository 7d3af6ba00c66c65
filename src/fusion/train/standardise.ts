/** Why a column is left out of a model. */
export type DropReason = 'ALL_MISSING' | 'CONSTANT';

/** Location and scale per kept column, learned on training rows only (spec/fusion.md F14). */
export interface Standardiser {
  /** Positions of the kept columns among all columns of the modality. */
  readonly kept: Int32Array;
  readonly mean: Float64Array;
  /** Population standard deviation of the observed values. */
  readonly scale: Float64Array;
  readonly dropped: readonly { readonly column: number; readonly reason: DropReason }[];
}

/** Learns the scale of each column from the rows named; a column without two different values there is dropped and listed. */
export function fitStandardiser(columns: readonly Float64Array[], rows: Int32Array): Standardiser {
  const kept: number[] = [];
  const means: number[] = [];
  const scales: number[] = [];
  const dropped: { column: number; reason: DropReason }[] = [];
  columns.forEach((values, column) => {
    let seen = 0;
    let mean = 0;
    let squares = 0;
    let least = Infinity;
    let most = -Infinity;
    for (let i = 0; i < rows.length; i += 1) {
      const value = values[rows[i]!]!;
      if (Number.isNaN(value)) continue;
      seen += 1;
      const gap = value - mean;
      mean += gap / seen;
      squares += gap * (value - mean);
      if (value < least) least = value;
      if (value > most) most = value;
    }
    const scale = Math.sqrt(squares / seen);
    if (seen === 0) dropped.push({ column, reason: 'ALL_MISSING' });
    // The range, not the scale, tells a constant: rounding can leave a scale just above 0.
    else if (least === most || !(scale > 0) || !Number.isFinite(scale)) dropped.push({ column, reason: 'CONSTANT' });
    else {
      kept.push(column);
      means.push(mean);
      scales.push(scale);
    }
  });
  return { kept: Int32Array.from(kept), mean: Float64Array.from(means), scale: Float64Array.from(scales), dropped };
}

/** Row-major z-scores of the kept columns; a gap inside a present modality takes the training mean, that is 0. */
export function standardise(standardiser: Standardiser, columns: readonly Float64Array[], rows: Int32Array): Float64Array {
  const { kept, mean, scale } = standardiser;
  const width = kept.length;
  const matrix = new Float64Array(rows.length * width);
  for (let j = 0; j < width; j += 1) {
    const values = columns[kept[j]!]!;
    const centre = mean[j]!;
    const spread = scale[j]!;
    for (let i = 0; i < rows.length; i += 1) {
      const value = values[rows[i]!]!;
      matrix[i * width + j] = Number.isNaN(value) ? 0 : (value - centre) / spread;
    }
  }
  return matrix;
}

import { CodedError } from './error.js';

/** One column of a frame: `values[i]` belongs to row i, NaN is a missing cell. */
export interface FrameColumn {
  readonly name: string;
  /** UCUM unit; '1' for counts, flags and ratios. */
  readonly unit: string;
  readonly values: Float64Array;
}

/**
 * A columnar batch: `n` rows keyed by patient id, each key once.
 * A modality is absent for a patient whose id is not among the keys, or whose row is missing in every column.
 */
export interface Frame {
  readonly n: number;
  readonly keys: readonly string[];
  readonly columns: readonly FrameColumn[];
}

function bad(message: string, place?: string): CodedError {
  return new CodedError('BAD_INPUT', message, place === undefined ? {} : { place });
}

/**
 * Checks and builds a frame.
 * @throws CodedError BAD_INPUT on a column of another length, a repeated key or column name, or an infinite value.
 */
export function frameOf(keys: readonly string[], columns: readonly FrameColumn[]): Frame {
  const seen = new Set<string>();
  keys.forEach((key, row) => {
    if (seen.has(key)) throw bad('A frame holds each key once; this row repeats one.', `row ${row}`);
    seen.add(key);
  });
  const names = new Set<string>();
  for (const column of columns) {
    if (names.has(column.name)) throw bad(`A frame holds each column name once; '${column.name}' is repeated.`);
    names.add(column.name);
    if (column.values.length !== keys.length) throw bad(`Column '${column.name}' does not have one value a row.`);
    const infinite = column.values.findIndex((value) => value === Infinity || value === -Infinity);
    if (infinite >= 0) throw bad(`Column '${column.name}' holds an infinite value.`, `row ${infinite}`);
  }
  return { n: keys.length, keys, columns };
}

/** Row number by key. */
export function rowIndex(frame: Frame): ReadonlyMap<string, number> {
  return new Map(frame.keys.map((key, row) => [key, row]));
}

/** The values of one row in column order. */
export function rowOf(frame: Frame, row: number): Float64Array {
  return Float64Array.from(frame.columns, (column) => column.values[row] ?? NaN);
}

/** The rows named, in the order named; a row number outside the frame is refused. */
export function takeRows(frame: Frame, rows: ArrayLike<number>): Frame {
  const keys = Array.from(rows, (row) => {
    const key = frame.keys[row];
    if (key === undefined) throw bad('A row outside the frame was asked for.', `row ${row}`);
    return key;
  });
  const columns = frame.columns.map((column) => {
    const values = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i += 1) values[i] = column.values[rows[i] as number] as number;
    return { ...column, values };
  });
  return frameOf(keys, columns);
}

/**
 * Joins frames on their keys. 'inner' keeps the keys that all frames hold, 'outer' keeps every key;
 * rows stand in the order of first appearance, and cells that a frame does not hold are NaN.
 * @throws CodedError BAD_INPUT when two frames share a column name.
 */
export function joinFrames(frames: readonly Frame[], how: 'inner' | 'outer'): Frame {
  const indexes = frames.map(rowIndex);
  const union = [...new Set(frames.flatMap((frame) => frame.keys))];
  const keys = how === 'outer' ? union : union.filter((key) => indexes.every((index) => index.has(key)));
  const columns = frames.flatMap((frame, f) =>
    frame.columns.map((column) => ({
      ...column,
      values: Float64Array.from(keys, (key) => column.values[indexes[f]?.get(key) ?? -1] ?? NaN),
    })),
  );
  return frameOf(keys, columns);
}

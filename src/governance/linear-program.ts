/** A constraint `sum of values over the named variables = equals`. */
export interface Line {
  readonly of: readonly number[];
  readonly equals: number;
}

/** A variable from `low` to `high`. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

const EPSILON = 1e-7;
const PIVOTS_MAX = 20_000;
/** The steepest column is taken at first, which is fast, and the first one after so many pivots, which cannot cycle. */
const STEEPEST_MAX = 1_000;

/**
 * A point of the region { lines hold, each variable in its range } that makes the sum over `target` largest, by the two-phase simplex
 * method on a dense tableau, with Bland's rule where it takes long. Returns null where the region is empty or the search is too long.
 */
export function maximise(ranges: readonly Range[], lines: readonly Line[], target: readonly number[]): number[] | null {
  const tableau = tableauOf(ranges, lines);
  const { variables, rows } = tableau;
  const width = variables + rows.length + 1;
  // Phase one drives the artificial variables out.
  const first = new Array<number>(width).fill(0);
  for (const row of rows) row.forEach((value, i) => (first[i] = (first[i] ?? 0) - (i < variables || i === width - 1 ? value : 0)));
  if (!improve(tableau, first, variables)) return null;
  if ((first[width - 1] ?? 0) < -EPSILON * 100) return null;
  dropArtificials(tableau);
  const second = new Array<number>(width).fill(0);
  for (const variable of target) second[variable] = -1;
  tableau.rows.forEach((row, i) => {
    const basic = tableau.basis[i] ?? 0;
    const factor = second[basic] ?? 0;
    if (factor !== 0) row.forEach((value, k) => (second[k] = (second[k] ?? 0) - factor * value));
  });
  if (!improve(tableau, second, variables)) return null;
  const found = ranges.map((range) => range.low);
  tableau.rows.forEach((row, i) => {
    const basic = tableau.basis[i] ?? 0;
    if (basic < found.length) found[basic] = (found[basic] ?? 0) + (row[width - 1] ?? 0);
  });
  return found;
}

interface Tableau {
  /** Columns before those of the artificial variables. */
  readonly variables: number;
  rows: number[][];
  basis: number[];
}

/** Variables moved to begin at zero, one slack for each upper bound, one artificial variable for each row. */
function tableauOf(ranges: readonly Range[], lines: readonly Line[]): Tableau {
  const bounded = ranges.flatMap((range, i) => (Number.isFinite(range.high) ? [i] : []));
  const variables = ranges.length + bounded.length;
  const count = lines.length + bounded.length;
  const width = variables + count + 1;
  const rows: number[][] = [];
  const add = (fill: (row: number[]) => number): void => {
    const row = new Array<number>(width).fill(0);
    const right = fill(row);
    const sign = right < 0 ? -1 : 1;
    for (let i = 0; i < variables; i++) row[i] = sign * (row[i] ?? 0);
    row[variables + rows.length] = 1;
    row[width - 1] = sign * right;
    rows.push(row);
  };
  for (const line of lines)
    add((row) => {
      for (const variable of line.of) row[variable] = 1;
      return line.equals - line.of.reduce((sum, variable) => sum + (ranges[variable]?.low ?? 0), 0);
    });
  bounded.forEach((variable, i) => {
    add((row) => {
      row[variable] = 1;
      row[ranges.length + i] = 1;
      return (ranges[variable]?.high ?? 0) - (ranges[variable]?.low ?? 0);
    });
  });
  return { variables, rows, basis: rows.map((_, i) => variables + i) };
}

/** Pivots until no cost is negative; false where it takes too long or there is no bound. */
function improve(tableau: Tableau, cost: number[], columns: number): boolean {
  const last = cost.length - 1;
  for (let pivots = 0; pivots < PIVOTS_MAX; pivots++) {
    let column = -1;
    let steepest = -EPSILON;
    for (let i = 0; i < columns && (column < 0 || pivots < STEEPEST_MAX); i++) {
      const value = cost[i] ?? 0;
      if (value >= steepest) continue;
      column = i;
      if (pivots < STEEPEST_MAX) steepest = value;
    }
    if (column < 0) return true;
    let leaving = -1;
    let least = Infinity;
    tableau.rows.forEach((row, i) => {
      const value = row[column] ?? 0;
      if (value <= EPSILON) return;
      const ratio = (row[last] ?? 0) / value;
      const earlier = (tableau.basis[i] ?? 0) < (tableau.basis[leaving] ?? Infinity);
      if (ratio < least - EPSILON || (ratio < least + EPSILON && earlier)) {
        least = Math.min(least, ratio);
        leaving = i;
      }
    });
    if (leaving < 0) return false;
    pivot(tableau, cost, leaving, column);
  }
  return false;
}

function pivot(tableau: Tableau, cost: number[] | null, at: number, column: number): void {
  const row = tableau.rows[at] ?? [];
  const scale = row[column] ?? 1;
  for (let i = 0; i < row.length; i++) row[i] = (row[i] ?? 0) / scale;
  const clear = (other: number[]): void => {
    const factor = other[column] ?? 0;
    if (factor !== 0) for (let i = 0; i < row.length; i++) other[i] = (other[i] ?? 0) - factor * (row[i] ?? 0);
  };
  tableau.rows.forEach((other, i) => {
    if (i !== at) clear(other);
  });
  if (cost) clear(cost);
  tableau.basis[at] = column;
}

/** Artificial variables that are left stand at zero: another variable takes the place, or the row says nothing. */
function dropArtificials(tableau: Tableau): void {
  const kept: number[] = [];
  tableau.rows.forEach((row, i) => {
    if ((tableau.basis[i] ?? 0) < tableau.variables) {
      kept.push(i);
      return;
    }
    const column = row.findIndex((value, k) => k < tableau.variables && Math.abs(value) > EPSILON);
    if (column < 0) return;
    pivot(tableau, null, i, column);
    kept.push(i);
  });
  tableau.rows = kept.map((i) => tableau.rows[i] ?? []);
  tableau.basis = kept.map((i) => tableau.basis[i] ?? 0);
}

import { maximise, type Line, type Range } from '../../src/governance/linear-program.js';
import { Draw } from '../fuzz/random.js';

/** What an attacker knows of a group of cells: its exact size, or bounds of it. */
export interface Knowledge {
  /** Indices of cells. */
  readonly cells: readonly number[];
  readonly low: number;
  readonly high: number;
}

const PRIME = 33_554_393;
const MOST = 1_000;
/** From here on an upper bound says nothing. */
const SMALLEST_BOUND = 100;
const STEPS = 40_000;
const STRIDE = 100;
/** Linear programs of one run; a size that is not looked at counts as known. */
const PROGRAMS_MAX = 40;

/** Sizes of groups that follow from what is known, given that no cell is negative: by linear algebra first and, where `means` is both, by linear programming then. */
export function recover(
  cells: number,
  known: readonly Knowledge[],
  targets: readonly (readonly number[])[],
  truth: readonly number[],
  means: 'algebra' | 'both' = 'both',
): { readonly algebra: number; readonly programming: number } {
  const empty = new Set(known.flatMap((each) => (each.high === 0 ? each.cells : [])));
  const columns = columnsOf(cells, empty, [...known.map((each) => each.cells), ...targets]);
  const over = (group: readonly number[]): number[] => [...new Set(group.flatMap((cell) => columns.of.get(cell) ?? []))];
  const exact = known.filter((each) => each.low === each.high && each.high > 0);
  const space = new RowSpace(columns.count);
  for (const each of exact) space.add(over(each.cells));
  const open = targets.filter((target) => over(target).length > 0);
  const left = open.filter((target) => !space.holds(over(target)));
  if (means === 'algebra') return { algebra: open.length - left.length, programming: 0 };
  const sizes = new Array<number>(columns.count).fill(0);
  for (const [cell, column] of columns.of) sizes[column] = (sizes[column] ?? 0) + (truth[cell] ?? 0);
  const constraints = distinct(known.map((each) => ({ ...each, cells: over(each.cells) })));
  const spans = left.map((target) => ({ wanted: over(target), low: Infinity, high: -Infinity }));
  const see = (point: readonly number[]): void => {
    for (const span of spans) {
      const sum = span.wanted.reduce((total, column) => total + (point[column] ?? 0), 0);
      span.low = Math.min(span.low, sum);
      span.high = Math.max(span.high, sum);
    }
  };
  const apart = (span: (typeof spans)[number]): boolean => Math.floor(span.high + 1e-6) > Math.ceil(span.low - 1e-6);
  wander(sizes, constraints, see);
  const program = programOf(columns.count, constraints);
  let programs = 0;
  for (const span of spans) {
    if (apart(span) || programs >= PROGRAMS_MAX) continue;
    programs += 1;
    for (const point of [maximise(program.ranges, program.lines, span.wanted), lowest(program, span.wanted)]) if (point) see(point);
  }
  return { algebra: open.length - left.length, programming: spans.filter((span) => !apart(span)).length };
}

/**
 * Other worlds that fit what is known: persons move between cells so that no told number changes, in pairs of moves that cancel in every told
 * group. Each world shows that sizes are not known; what no world changes is left to linear programming.
 */
function wander(start: readonly number[], known: readonly Knowledge[], see: (point: readonly number[]) => void): void {
  const groups = start.map(() => new Set<number>());
  known.forEach((each, i) => {
    for (const column of each.cells) groups[column]?.add(i);
  });
  const told = new Set(known.flatMap((each, i) => (each.low === each.high ? [i] : [])));
  const moves = new Map<string, [number, number][]>();
  groups.forEach((a, from) => {
    groups.forEach((b, to) => {
      if (from === to) return;
      const enters = [...b].filter((i) => told.has(i) && !a.has(i));
      const leaves = [...a].filter((i) => told.has(i) && !b.has(i));
      if (enters.length + leaves.length > 12) return;
      const key = `${enters.join(',')}/${leaves.join(',')}`;
      const same = moves.get(key);
      if (same) same.push([from, to]);
      else moves.set(key, [[from, to]]);
    });
  });
  const pairs = [...moves].filter(([key, each]) => key === '/' || each.length > 1).map(([key, each]) => ({ free: key === '/', each }));
  const point = [...start];
  const sums = known.map((each) => each.cells.reduce((sum, column) => sum + (point[column] ?? 0), 0));
  const shift = (column: number, by: number): void => {
    point[column] = (point[column] ?? 0) + by;
    for (const i of groups[column] ?? []) sums[i] = (sums[i] ?? 0) + by;
  };
  const fits = (): boolean =>
    point.every((size) => size >= 0) && known.every((each, i) => (sums[i] ?? 0) >= each.low && (sums[i] ?? 0) <= each.high);
  const draw = new Draw(1);
  see(point);
  for (let step = 0; pairs.length > 0 && step < STEPS; step++) {
    const { free, each } = draw.pick(pairs);
    const [from, to] = draw.pick(each);
    const [back, forth] = free ? [0, 0] : draw.pick(each);
    const apply = (sign: 1 | -1): void => {
      shift(from, -sign);
      shift(to, sign);
      if (free) return;
      shift(back, sign);
      shift(forth, -sign);
    };
    apply(1);
    if (!fits()) apply(-1);
    if (step % STRIDE === STRIDE - 1) see(point);
  }
}

/** Each group once, with the tightest bounds that are known. That somebody is in a group says nothing new of a larger one. */
function distinct(known: readonly Knowledge[]): Knowledge[] {
  const made = new Map<string, Knowledge>();
  for (const each of known) {
    if (each.cells.length === 0) continue;
    const key = [...each.cells].sort((a, b) => a - b).join(',');
    const { low = 0, high = Infinity } = made.get(key) ?? {};
    made.set(key, { cells: each.cells, low: Math.max(low, each.low), high: Math.min(high, each.high) });
  }
  const all = [...made.values()].sort((a, b) => a.cells.length - b.cells.length);
  const kept: Knowledge[] = [];
  const inhabited: ReadonlySet<number>[] = [];
  for (const each of all) {
    const cells = new Set(each.cells);
    const implied = each.low <= 1 && each.high > SMALLEST_BOUND && inhabited.some((other) => [...other].every((cell) => cells.has(cell)));
    if (implied) continue;
    kept.push(each);
    if (each.low > 0) inhabited.push(cells);
  }
  return kept;
}

/** Cells that are always in the same groups are one column. */
function columnsOf(cells: number, empty: ReadonlySet<number>, groups: readonly (readonly number[])[]) {
  const signature = Array.from({ length: cells }, () => '');
  groups.forEach((group, i) => {
    for (const cell of group) signature[cell] = `${signature[cell] ?? ''},${i}`;
  });
  const names = new Map<string, number>();
  const of = new Map<number, number>();
  signature.forEach((each, cell) => {
    if (empty.has(cell) || each === '') return;
    if (!names.has(each)) names.set(each, names.size);
    of.set(cell, names.get(each) ?? 0);
  });
  return { of, count: names.size };
}

interface Program {
  readonly ranges: Range[];
  readonly lines: Line[];
}

/** Bounds `low <= sum <= high` become equations with a variable that takes what is left up to `high`. */
function programOf(columns: number, known: readonly Knowledge[]): Program {
  const ranges: Range[] = Array.from({ length: columns }, () => ({ low: 0, high: Infinity }));
  const lines: Line[] = [];
  for (const each of known) {
    const of = each.cells;
    if (each.low === each.high) lines.push({ of, equals: each.low });
    else lines.push({ of: [...of, ranges.push({ low: 0, high: each.high - each.low }) - 1], equals: each.high });
  }
  // Everything is bounded, so that every sum has a greatest value.
  lines.push({ of: [...Array.from({ length: columns }, (_, i) => i), ranges.push({ low: 0, high: Infinity }) - 1], equals: MOST });
  return { ranges, lines };
}

function lowest(program: Program, wanted: readonly number[]): number[] | null {
  const rest = program.ranges.length;
  const lines = [...program.lines, { of: [...wanted, rest], equals: MOST }];
  return maximise([...program.ranges, { low: 0, high: Infinity }], lines, [rest]);
}

/** The span of 0/1 rows modulo a prime. */
class RowSpace {
  private readonly rows: { pivot: number; values: number[] }[] = [];

  constructor(private readonly columns: number) {}

  add(group: readonly number[]): void {
    const values = this.reduced(group);
    const pivot = values.findIndex((value) => value !== 0);
    if (pivot < 0) return;
    const scale = power(values[pivot] ?? 1, PRIME - 2);
    this.rows.push({ pivot, values: values.map((value) => (value * scale) % PRIME) });
  }

  holds(group: readonly number[]): boolean {
    return this.reduced(group).every((value) => value === 0);
  }

  private reduced(group: readonly number[]): number[] {
    let values = new Array<number>(this.columns).fill(0);
    for (const column of group) values[column] = 1;
    for (const row of this.rows) {
      const factor = values[row.pivot] ?? 0;
      if (factor !== 0) values = values.map((value, i) => (value + (PRIME - factor) * (row.values[i] ?? 0)) % PRIME);
    }
    return values;
  }
}

function power(base: number, exponent: number): number {
  let result = 1;
  for (let left = exponent, square = base; left > 0; left = Math.floor(left / 2), square = (square * square) % PRIME)
    if (left % 2 === 1) result = (result * square) % PRIME;
  return result;
}

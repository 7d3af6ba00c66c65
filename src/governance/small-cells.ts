import { maximise, type Line, type Range } from './linear-program.js';

/** A cell of a cross table: its place along each dimension, and how many persons it holds. */
export interface TableCell {
  readonly at: readonly number[];
  readonly count: number;
}

/** Which numbers of a cross table are told. Empty cells are told as zero and take no part. */
export interface TablePattern {
  /** By the order of the cells given. */
  readonly cells: readonly boolean[];
  /** By dimension, then by place. */
  readonly margins: readonly (readonly boolean[])[];
  readonly total: boolean;
}

/** A number of the table that can be published: one cell, or the sum of those in a line. */
interface Published {
  readonly of: readonly number[];
  readonly value: number;
  readonly rank: 'cell' | 'margin' | 'total';
  told: boolean;
}

/**
 * Primary and complementary suppression (Cox 1980; Fischetti and Salazar 2000) for cross tables of up to three dimensions that are published
 * with their one-way margins and their total. Numbers from 1 to min - 1 are withheld. Then, for each of them, the least and the greatest
 * value are computed that all published numbers allow to someone who knows which numbers are small (1 to min - 1), which were withheld for
 * their sake (1 or more), and that empty cells are empty. Further numbers are withheld until every small one can be anything from 1 to
 * min - 1. Bounds are those of the linear relaxation.
 */
export function protectTable(cells: readonly TableCell[], sizes: readonly number[], min: number): TablePattern {
  const numbers = publishedOf(cells, sizes);
  for (const each of numbers) each.told = each.value === 0 || each.value >= min;
  const witnesses = [cells.map((cell) => cell.count)];
  for (;;) {
    const weak = numbers.find((each) => isSmall(each, min) && !covers(each, numbers, cells, min, witnesses));
    if (!weak) break;
    const next = nextToWithhold(weak, numbers);
    if (!next) break;
    next.told = false;
  }
  const margins = numbers.filter((each) => each.rank === 'margin');
  let at = 0;
  return {
    cells: cells.map((_, i) => numbers[i]?.told === true),
    margins: sizes.map((size) => margins.slice(at, (at += size)).map((each) => each.told)),
    total: numbers.at(-1)?.told === true,
  };
}

const isSmall = (each: Published, min: number): boolean => each.value > 0 && each.value < min;

/** Cells, then margins, then the total. */
function publishedOf(cells: readonly TableCell[], sizes: readonly number[]): Published[] {
  const line = (rank: Published['rank'], of: readonly number[]): Published => ({
    of,
    rank,
    value: of.reduce((sum, i) => sum + (cells[i]?.count ?? 0), 0),
    told: true,
  });
  const all = cells.map((_, i) => i);
  return [
    ...all.map((i) => line('cell', [i])),
    ...sizes.flatMap((size, dimension) =>
      Array.from({ length: size }, (_, place) =>
        line(
          'margin',
          all.filter((i) => cells[i]?.at[dimension] === place),
        ),
      ),
    ),
    line('total', all),
  ];
}

/**
 * True where a small number can be anything from 1 to min - 1 as far as the published numbers tell. Points that were found before stay
 * possible when more is withheld, so they are looked at first.
 */
function covers(small: Published, numbers: readonly Published[], cells: readonly TableCell[], min: number, witnesses: number[][]): boolean {
  const reach = (): { low: number; high: number } => {
    const sums = witnesses.map((point) => small.of.reduce((sum, i) => sum + (point[i] ?? 0), 0));
    return { low: Math.min(...sums), high: Math.max(...sums) };
  };
  const enough = ({ low, high }: { low: number; high: number }): boolean => low <= 1 + SLACK && high >= min - 1 - SLACK;
  if (enough(reach())) return true;
  // Cells that are told leave; what is left of each told line is a constraint over the others.
  const open = cells.flatMap((_, i) => (numbers[i]?.told === true ? [] : [i]));
  const nameOf = new Map(open.map((cell, name) => [cell, name]));
  const ranges: Range[] = open.map((i) => ({ low: 1, high: (cells[i]?.count ?? 0) < min ? min - 1 : Infinity }));
  const lines: Line[] = [];
  for (const each of numbers) {
    if (each.rank === 'cell') continue;
    const of = each.of.flatMap((i) => nameOf.get(i) ?? []);
    if (of.length === 0) continue;
    const rest = of.reduce((sum, name) => sum + (cells[open[name] ?? 0]?.count ?? 0), 0);
    if (each.told) lines.push({ of, equals: rest });
    // A small line bounds its cells too: a slack takes what is left up to min - 1.
    else if (isSmall(each, min))
      lines.push({ of: [...of, ranges.push({ low: 0, high: Infinity }) - 1], equals: rest - each.value + min - 1 });
  }
  const target = small.of.flatMap((i) => nameOf.get(i) ?? []);
  for (const point of [greatest(ranges, lines, target), least(ranges, lines, target, min)]) {
    if (!point) continue;
    const whole = cells.map((cell, i) => {
      const name = nameOf.get(i);
      return name === undefined ? cell.count : (point[name] ?? cell.count);
    });
    witnesses.push(whole);
  }
  return enough(reach());
}

const SLACK = 1e-6;

/** No sum that matters goes beyond min - 1, but a region without an end has no greatest point. */
function greatest(ranges: readonly Range[], lines: readonly Line[], target: readonly number[]): number[] | null {
  const bound = lines.reduce((sum, line) => sum + Math.max(0, line.equals), 0) + 1_000;
  const closed = ranges.map((range) => ({ low: range.low, high: range.high === Infinity ? bound : range.high }));
  return maximise(closed, lines, target);
}

/** The least sum over the target, as the greatest of what is left when it is taken from a bound. */
function least(ranges: readonly Range[], lines: readonly Line[], target: readonly number[], min: number): number[] | null {
  const bound = min * Math.max(1, target.length) * 2 + 1_000_000;
  const rest = ranges.length;
  const closed = [...ranges, { low: 0, high: Infinity }];
  return maximise(closed, [...lines, { of: [...target, rest], equals: bound }], [rest]);
}

/**
 * What to withhold for the sake of a weak number: the smallest told cell that shares a told line with a withheld number of its lines, cells
 * that close a cycle first; where no cell is left, the smallest told margin about it, and last the total.
 */
function nextToWithhold(weak: Published, numbers: readonly Published[]): Published | undefined {
  const lines = numbers.filter((each) => each.rank !== 'cell' && each.told);
  const touching = (each: Published): Published[] => lines.filter((line) => line.of.some((i) => each.of.includes(i)));
  const near = touching(weak).filter((line) => line.rank === 'margin');
  const open = numbers.filter((each) => each.rank === 'cell' && !each.told);
  const candidates = numbers.filter((each) => each.rank === 'cell' && each.told && each.value > 0);
  const score = (each: Published): number => {
    const own = touching(each).filter((line) => line.rank === 'margin');
    const shared = own.filter((line) => near.includes(line)).length;
    const closing = own.filter((line) => open.some((other) => line.of.some((i) => other.of.includes(i)))).length;
    return shared * 10 + closing;
  };
  const best = candidates
    .map((each) => ({ each, score: score(each) }))
    .sort((a, b) => b.score - a.score || a.each.value - b.each.value)[0]?.each;
  if (best) return best;
  const margins = lines.filter((line) => line.rank === 'margin' && line.value > 0).sort((a, b) => a.value - b.value);
  return margins.find((line) => line.of.some((i) => weak.of.includes(i))) ?? margins[0] ?? lines.find((line) => line.value > 0);
}

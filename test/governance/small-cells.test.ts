import fc from 'fast-check';
import { CountAudit } from '../../src/governance/disclosure-audit.js';
import { DisclosureGuard, type DisclosedSet, type DisclosureStore } from '../../src/governance/disclosure.js';
import { maximise } from '../../src/governance/linear-program.js';
import { protectTable, type TableCell, type TablePattern } from '../../src/governance/small-cells.js';
import { LIMITS, isCoded } from '../../src/kernel/index.js';

const K = 5;

/** Every table of the same shape that has the same published numbers, the same empty cells, and small withheld cells from 1 to K - 1. */
function consistent(cells: readonly TableCell[], sizes: readonly number[], pattern: TablePattern, most: number): number[][] {
  const found: number[][] = [];
  const lines: { of: number[]; equals: number }[] = [];
  const line = (told: boolean, of: number[]): void => {
    if (told) lines.push({ of, equals: of.reduce((sum, i) => sum + (cells[i]?.count ?? 0), 0) });
  };
  const all = cells.map((_, i) => i);
  line(pattern.total, all);
  sizes.forEach((size, dimension) => {
    for (let place = 0; place < size; place++)
      line(
        pattern.margins[dimension]?.[place] === true,
        all.filter((i) => cells[i]?.at[dimension] === place),
      );
  });
  const values = cells.map((cell, i) => (pattern.cells[i] === true ? [cell.count] : cell.count < K ? range(1, K - 1) : range(1, most)));
  const point: number[] = [];
  const walk = (i: number): void => {
    // A line is looked at once its last cell is there, and cut off as soon as it is too large.
    for (const each of lines) {
      const sum = each.of.reduce((total, cell) => total + (cell < i ? (point[cell] ?? 0) : 0), 0);
      if (sum > each.equals || (each.of.every((cell) => cell < i) && sum !== each.equals)) return;
    }
    if (i === cells.length) {
      found.push([...point]);
      return;
    }
    for (const value of values[i] ?? []) {
      point[i] = value;
      walk(i + 1);
    }
  };
  walk(0);
  return found;
}

const range = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);

const tableOf = (sizes: readonly number[], counts: readonly number[]): TableCell[] => {
  const places = sizes.reduce<number[][]>((made, size) => made.flatMap((at) => range(0, size - 1).map((i) => [...at, i])), [[]]);
  return places.map((at, i) => ({ at, count: counts[i] ?? 0 })).filter((cell) => cell.count > 0);
};

describe('a cross table', () => {
  it.each<[string, number[], number[]]>([
    ['two small cells in one row', [2, 3], [2, 3, 20, 9, 9, 9]],
    ['one small cell', [2, 2], [1, 12, 14, 20]],
    ['one small cell and two cells that are just large enough', [2, 2], [4, 5, 5, 5]],
    ['one column', [3, 1], [1, 8, 9]],
    ['a line of one cell', [2, 2], [2, 0, 9, 12]],
    ['three dimensions', [2, 2, 2], [1, 9, 9, 9, 9, 9, 9, 9]],
    ['nothing but small cells', [2, 2], [1, 1, 1, 1]],
  ])('tells nothing of a small cell but that it is small: %s', (_, sizes, counts) => {
    const cells = tableOf(sizes, counts);
    const pattern = protectTable(cells, sizes, K);
    const worlds = consistent(cells, sizes, pattern, 24);
    cells.forEach((cell, i) => {
      if (cell.count >= K) return;
      expect(pattern.cells[i]).toBe(false);
      expect([...new Set(worlds.map((world) => world[i]))].sort()).toEqual(range(1, K - 1));
    });
  });

  it('stands a brute-force attacker', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<readonly number[]>([2, 2], [2, 3], [3, 3], [2, 2, 2]),
        fc.array(
          fc.oneof({ weight: 2, arbitrary: fc.integer({ min: 0, max: 4 }) }, { weight: 3, arbitrary: fc.integer({ min: 5, max: 9 }) }),
          {
            minLength: 9,
            maxLength: 9,
          },
        ),
        (sizes, counts) => {
          const cells = tableOf(sizes, counts);
          const pattern = protectTable(cells, sizes, K);
          // More open cells than these have too many worlds to walk through one by one.
          fc.pre(pattern.cells.filter((told) => !told).length <= 6);
          const worlds = consistent(cells, sizes, pattern, 16);
          cells.forEach((cell, i) => {
            if (cell.count >= K) return;
            const seen = new Set(worlds.map((world) => world[i] ?? 0));
            // The linear relaxation may be wider than whole numbers by less than one at each end.
            expect(seen.size).toBeGreaterThanOrEqual(K - 3);
          });
          if (cells.every((cell) => cell.count >= K)) expect(pattern.cells.every((told) => told)).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('without small cells is told whole', () => {
    const pattern = protectTable(tableOf([2, 2], [5, 6, 0, 8]), [2, 2], K);
    expect(pattern).toEqual({
      cells: [true, true, true],
      margins: [
        [true, true],
        [true, true],
      ],
      total: true,
    });
  });

  it('is protected by bounds that a linear program finds', () => {
    // x + y = 10, y + z = 6, x <= 7.
    const ranges = [
      { low: 0, high: 7 },
      { low: 0, high: Infinity },
      { low: 0, high: Infinity },
    ];
    const lines = [
      { of: [0, 1], equals: 10 },
      { of: [1, 2], equals: 6 },
    ];
    expect(maximise(ranges, lines, [0])?.[0]).toBeCloseTo(7);
    expect(maximise(ranges, lines, [1])?.[1]).toBeCloseTo(6);
    expect(maximise(ranges, lines, [2])?.[2]).toBeCloseTo(3);
    expect(maximise([{ low: 0, high: 1 }], [{ of: [0], equals: 2 }], [0])).toBeNull();
  });
});

/** Exact rational row space by Gauss over fractions of bigints: independent of the code under test. */
function determines(rows: readonly (readonly number[])[], vector: readonly number[]): boolean {
  const rank = (matrix: readonly (readonly number[])[]): number => {
    const left = matrix.map((row) => row.map(BigInt));
    let found = 0;
    for (let column = 0; column < (left[0]?.length ?? 0); column++) {
      const at = left.findIndex((row, i) => i >= found && row[column] !== 0n);
      if (at < 0) continue;
      const pivot = left[at] ?? [];
      left[at] = left[found] ?? [];
      left[found] = pivot;
      for (let i = found + 1; i < left.length; i++) {
        const row = left[i] ?? [];
        const factor = row[column] ?? 0n;
        if (factor !== 0n) left[i] = row.map((value, k) => value * (pivot[column] ?? 0n) - factor * (pivot[k] ?? 0n));
      }
      found += 1;
    }
    return found;
  };
  return rank([...rows, vector]) === rank(rows);
}

const PERSONS = 9;
const MIN = 3;
const sets = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: PERSONS - 1 }), { minLength: MIN, maxLength: PERSONS }), { maxLength: 7 });
const indicator = (persons: readonly number[]): number[] => range(0, PERSONS - 1).map((person) => (persons.includes(person) ? 1 : 0));
const groupsOf = (most: number): number[][] =>
  range(1, (1 << PERSONS) - 1)
    .map((bits) => range(0, PERSONS - 1).filter((person) => (bits & (1 << person)) !== 0))
    .filter((group) => group.length <= most);
const SMALL = groupsOf(MIN - 1);

describe('the audit of counts', () => {
  it('finds exactly the sets from which the size of a small group would follow', () => {
    fc.assert(
      fc.property(sets, (asked) => {
        const audit = new CountAudit();
        const told: number[][] = [];
        for (const set of asked) {
          const finding = audit.consider(set, MIN);
          const rows = [...told, set].map(indicator);
          const exposed = SMALL.filter((group) => determines(rows, indicator(group)));
          expect(finding.kind).toBe(exposed.length === 0 ? 'safe' : 'group');
          if (finding.kind === 'group') expect(exposed.map(String)).toContain(String([...finding.persons].sort((a, b) => a - b)));
          if (finding.kind !== 'safe') continue;
          audit.tell(set);
          told.push(set);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('gives up on the safe side', () => {
    const audit = new CountAudit();
    for (let i = 0; i < 60; i++) {
      const set = range(0, 59).filter((person) => ((person * 7 + i * 13) * 2_654_435_761) % 97 < 48);
      const finding = audit.consider(set, 11);
      expect(['safe', 'group', 'unknown']).toContain(finding.kind);
      if (finding.kind === 'safe') audit.tell(set);
    }
    expect(audit.rank).toBeGreaterThan(10);
  });
});

/** Books in memory; one a principal, as the database keeps them. */
function memoryStore(): DisclosureStore & { readonly books: Map<string, (DisclosedSet & { at: number })[]> } {
  const books = new Map<string, (DisclosedSet & { at: number })[]>();
  return {
    books,
    ordinals: (ids) => Promise.resolve(ids.map(Number)),
    exclusively(sub, work) {
      const book = books.get(sub) ?? [];
      books.set(sub, book);
      return work({
        since: (seq) => Promise.resolve(book.filter((each) => each.seq > seq)),
        enteredSince: (at) => Promise.resolve(book.filter((each) => each.at > at).length),
        add(entry, at) {
          book.push({ ...entry, seq: book.length + 1, at });
          return Promise.resolve(book.length);
        },
      });
    },
  };
}

const ids = (from: number, to: number): string[] => range(from, to).map(String);
const one = async (guard: DisclosureGuard, persons: string[], sub = 'a', now = 1): Promise<number | null | undefined> =>
  (await guard.tell(sub, 11, [{ dataset: 'patient', persons }], now))[0];

describe('the disclosure guard', () => {
  it('tells zero and what is large enough, and equal sets always alike', async () => {
    const guard = new DisclosureGuard(memoryStore());
    expect(await one(guard, [])).toBe(0);
    expect(await one(guard, ids(1, 10))).toBeNull();
    expect(await one(guard, ids(1, 11))).toBe(11);
    expect(await one(guard, ids(1, 11).reverse())).toBe(11);
  });

  it('withholds what differs from a told count by few persons, for this principal, in a new process too', async () => {
    const store = memoryStore();
    expect(await one(new DisclosureGuard(store), ids(1, 40))).toBe(40);
    const other = new DisclosureGuard(store);
    expect(await one(other, ids(1, 41))).toBeNull();
    expect(await one(other, ids(4, 40))).toBeNull();
    expect(await one(other, ids(12, 40))).toBe(29);
    expect(await one(other, ids(1, 41), 'b')).toBe(41);
  });

  it('sees through the general tracker: A and B and A or B give A and B', async () => {
    const guard = new DisclosureGuard(memoryStore());
    expect(await one(guard, ids(1, 30))).toBe(30);
    expect(await one(guard, ids(28, 60))).toBe(33);
    expect(await one(guard, ids(1, 60))).toBeNull();
  });

  it('withholds counts of rows that differ in the rows of one person', async () => {
    const guard = new DisclosureGuard(memoryStore());
    const rows = (last: number): Promise<(number | null)[]> =>
      guard.tell('a', 11, [{ dataset: 'note', persons: ids(1, 15), rows: [...range(1, 14).map(() => 2), last] }], 1);
    expect(await rows(2)).toEqual([30]);
    expect(await rows(3)).toEqual([null]);
  });

  it('tells nothing any more where single persons are all but known', async () => {
    const guard = new DisclosureGuard(memoryStore());
    expect(await one(guard, ids(1, 12))).toBe(12);
    for (const person of range(1, 10)) expect(await one(guard, ids(person, person))).toBeNull();
    expect(await one(guard, [])).toBeNull();
    expect(await one(guard, ids(1, 12))).toBeNull();
  });

  it('counts a limited number of different groups a day', async () => {
    const guard = new DisclosureGuard(memoryStore());
    const set = (i: number): string[] => ids(i * 20, i * 20 + 19);
    for (const i of range(1, LIMITS.disclosed_sets_per_day_max)) expect(await one(guard, set(i))).toBe(20);
    const refusal = await one(guard, set(500)).catch((error: unknown) => (isCoded(error) ? error.code : error));
    expect(refusal).toBe('LIMIT_EXCEEDED');
    expect(await one(guard, set(1))).toBe(20);
    expect(await one(guard, set(500), 'a', 86_400_002)).toBe(20);
  });
});

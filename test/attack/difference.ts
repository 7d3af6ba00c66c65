import { principalOf } from '../../src/cli/who.js';
import { ask } from '../../src/gateway/index.js';
import type { Principal } from '../../src/kernel/index.js';
import { Draw } from '../fuzz/random.js';
import type { TestMesh } from '../support/mesh.js';
import { recover, type Knowledge } from './solver.js';

/** A question about persons: filters that hold together. */
interface Region {
  readonly sex?: string;
  readonly site?: string;
  readonly bornFrom?: number;
  readonly bornTo?: number;
}

interface Person {
  readonly sex: string;
  readonly site: string;
  readonly year: number;
}

export interface Attack {
  readonly queries: number;
  /** Queries that told at least one number. */
  readonly answered: number;
  readonly suppressed: number;
  /** Queries refused for the budget of their day. */
  readonly refused: number;
  /** Groups of 1 to 10 persons whose size the attacker knows for certain. */
  readonly recovered: number;
  readonly targets: number;
  /** What the same attacker recovers where only small numbers themselves are withheld: shows that the attack works. */
  readonly recoveredUnguarded: number;
}

const SMALL = 10;
const DAY_MS = 86_400_000;
const QUERIES_A_DAY = 250;

/** What the attacker is: one person who may count and list nothing, over several sessions. */
const attacker = (session: number): Principal => ({
  sub: 'attacker',
  roles: ['researcher'],
  purpose: 'HRESCH',
  sites: '*',
  kind: 'person',
  tokenId: `session-${session}`,
});

/**
 * Asks `queries` questions that step, nest, overlap, pad and complement each other, over several days and sessions, and solves for the sizes of all groups
 * of 1 to 10 persons: every combination of sex, site and year of birth, every region asked about, and every difference of two that were told.
 */
export async function difference(
  mesh: TestMesh,
  clock: { now: number },
  options: { readonly queries: number; readonly seed: number },
): Promise<Attack> {
  const persons = await population(mesh);
  const space = spaceOf(persons);
  const known: Knowledge[] = [];
  const naive: Knowledge[] = [];
  const asked: Region[] = [];
  const told: Region[] = [];
  const counts = { queries: 0, answered: 0, suppressed: 0, refused: 0 };
  const draw = new Draw(options.seed);
  for (const question of questions(space, draw)) {
    if (counts.queries >= options.queries) break;
    if (counts.queries > 0 && counts.queries % QUERIES_A_DAY === 0) clock.now += DAY_MS;
    counts.queries += 1;
    const answers = await question.ask(mesh, attacker(Math.floor(counts.queries / 100)));
    if (answers === null) {
      counts.refused += 1;
      continue;
    }
    counts[answers.some((each) => each.count !== null) ? 'answered' : 'suppressed'] += 1;
    for (const { region, count } of answers) {
      asked.push(region);
      if (count !== null) told.push(region);
      const cells = space.cellsIn(region);
      const size = space.sizeOf(cells);
      known.push({ cells, low: count ?? 1, high: count ?? LIMIT });
      naive.push(size > SMALL || size === 0 ? { cells, low: size, high: size } : { cells, low: 1, high: SMALL });
    }
  }
  const targets = targetsOf(space, asked, told);
  const won = recover(space.sizes.length, known, targets, space.sizes);
  const easy = recover(space.sizes.length, naive, targets, space.sizes, 'algebra');
  return {
    ...counts,
    recovered: won.algebra + won.programming,
    targets: targets.length,
    recoveredUnguarded: easy.algebra,
  };
}

const LIMIT = 500;

/** Whom research may know of, as the analyst lists them: the truth that the attacker is held against. */
async function population(mesh: TestMesh): Promise<Person[]> {
  const query = '{ patients(first: 500) { edges { node { sex site birthYear } } } }';
  const answer = await ask(mesh.mesh, principalOf('analyst'), { query });
  const { patients } = answer.data as { patients: { edges: { node: { sex: string; site: string; birthYear: number } }[] } };
  return patients.edges.map(({ node }) => ({ sex: node.sex, site: node.site, year: node.birthYear }));
}

type Space = ReturnType<typeof spaceOf>;

/** Every combination that there could be; the attacker knows the values and not who has them. */
function spaceOf(persons: readonly Person[]) {
  const sexes = [...new Set(persons.map((each) => each.sex))].sort();
  const sites = [...new Set(persons.map((each) => each.site))].sort();
  const years = persons.map((each) => each.year);
  const [first, last] = [Math.floor(Math.min(...years) / 10) * 10, Math.floor(Math.max(...years) / 10) * 10 + 9];
  const cells: Person[] = [];
  for (const sex of sexes) for (const site of sites) for (let year = first; year <= last; year++) cells.push({ sex, site, year });
  const sizes = cells.map(
    (cell) => persons.filter((each) => each.sex === cell.sex && each.site === cell.site && each.year === cell.year).length,
  );
  return {
    sexes,
    sites,
    first,
    last,
    sizes,
    cellsIn: (region: Region): number[] =>
      cells.flatMap((cell, i) =>
        (region.sex === undefined || cell.sex === region.sex) &&
        (region.site === undefined || cell.site === region.site) &&
        cell.year >= (region.bornFrom ?? first) &&
        cell.year <= (region.bornTo ?? last)
          ? [i]
          : [],
      ),
    sizeOf: (group: readonly number[]): number => group.reduce((sum, cell) => sum + (sizes[cell] ?? 0), 0),
  };
}

/** Groups of 1 to 10 persons, each once. */
function targetsOf(space: Space, asked: readonly Region[], told: readonly Region[]): number[][] {
  const groups = new Map<string, number[]>();
  const add = (group: number[]): void => {
    const size = space.sizeOf(group);
    if (size > 0 && size <= SMALL) groups.set(group.join(','), group);
  };
  space.sizes.forEach((_, i) => {
    add([i]);
  });
  for (const region of asked) add(space.cellsIn(region));
  const regions = [...new Map(told.map((region) => [JSON.stringify(region), space.cellsIn(region)])).values()];
  for (const a of regions) {
    const inside = new Set(a);
    for (const b of regions) {
      const rest = b.filter((cell) => !inside.has(cell));
      if (rest.length < b.length) add(rest);
    }
  }
  return [...groups.values()];
}

interface Question {
  /** What was told of each region; null where the question was refused. */
  ask(mesh: TestMesh, as: Principal): Promise<{ region: Region; count: number | null }[] | null>;
}

function* questions(space: Space, draw: Draw): Generator<Question> {
  const { first, last, sexes, sites } = space;
  const filters: Region[] = [{}, ...sexes.map((sex) => ({ sex })), ...sites.map((site) => ({ site }))];
  filters.push(...sexes.flatMap((sex) => sites.map((site) => ({ sex, site }))));
  yield table(['SEX', 'SITE'], {}, space);
  for (const each of filters) yield count(each, draw);
  yield table(['SITE', 'BIRTH_DECADE'], {}, space);
  // Stepping: each range is the one before with a year more.
  for (let year = first; year <= last; year++) yield count({ bornTo: year }, draw);
  for (let year = first; year <= last; year += 2) yield count({ bornFrom: year }, draw);
  yield table(['SEX', 'SITE', 'BIRTH_DECADE'], {}, space);
  for (let i = 0; ; i++) {
    const base = draw.pick(filters);
    const [a, b, c, d] = [0, 0, 0, 0].map(() => draw.int(first, last)).sort((x, y) => x - y) as [number, number, number, number];
    // Trackers: A, B, A or B, A and B; padding: a large group with and without a small one.
    yield count({ ...base, bornFrom: a, bornTo: c }, draw);
    yield count({ ...base, bornFrom: b, bornTo: d }, draw);
    yield count({ ...base, bornFrom: a, bornTo: d }, draw);
    yield count({ ...base, bornFrom: b, bornTo: c }, draw);
    yield count({ ...base, bornTo: b - 1 }, draw);
    yield count({ ...base, bornFrom: c + 1 }, draw);
    yield count({ ...base, bornFrom: a, bornTo: a }, draw);
    if (i % 8 === 0) yield table(draw.pick([['SEX'], ['SITE'], ['SEX', 'BIRTH_DECADE']]), { ...base, bornFrom: a }, space);
  }
}

/** One of the ways to ask for the same number. */
function count(region: Region, draw: Draw): Question {
  const args = Object.entries(region).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  const given = args.length === 0 ? '' : `(${args.join(', ')})`;
  const way = draw.int(0, 2);
  return {
    async ask(mesh, as) {
      const query =
        way === 0 ? `{ n: patientCount${given} }` : `{ n: patients${given} { ${way === 1 ? 'totalCount' : 'exists totalCount'} } }`;
      const answer = await ask(mesh.mesh, as, { query }, way === 2 ? 'reference' : 'auto');
      const data = answer.data as { n: number | null | { totalCount: number | null } } | null;
      if (data === null) return null;
      return [{ region, count: typeof data.n === 'object' && data.n !== null ? data.n.totalCount : data.n }];
    },
  };
}

interface Table {
  readonly cells: readonly { readonly values: readonly string[]; readonly count: number | null }[];
  readonly margins: readonly { readonly dimension: string; readonly value: string; readonly count: number | null }[];
  readonly total: number | null;
}

function table(by: readonly string[], filter: Region, space: Space): Question {
  const place = (dimension: string, value: string): Region => {
    if (dimension === 'SEX') return { sex: value };
    if (dimension === 'SITE') return { site: value };
    const from = Number(value);
    return { bornFrom: Math.max(from, filter.bornFrom ?? space.first), bornTo: Math.min(from + 9, filter.bornTo ?? space.last) };
  };
  const args = Object.entries(filter).map(([name, value]) => `, ${name}: ${JSON.stringify(value)}`);
  const query = `{ t: cohortCounts(by: [${by.join(', ')}]${args.join('')}) { cells { values count } margins { dimension value count } total } }`;
  return {
    async ask(mesh, as) {
      const answer = await ask(mesh.mesh, as, { query });
      const { t } = (answer.data ?? { t: null }) as { t: Table | null };
      if (t === null) return null;
      return [
        { region: filter, count: t.total },
        ...t.margins.map((each) => ({ region: { ...filter, ...place(each.dimension, each.value) }, count: each.count })),
        ...t.cells.map((each) => ({
          region: Object.assign({ ...filter }, ...by.map((dimension, i) => place(dimension, each.values[i] ?? ''))) as Region,
          count: each.count,
        })),
      ];
    },
  };
}

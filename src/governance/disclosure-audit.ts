/**
 * What the person counts told to one principal give away together (query set auditing: Chin and Ozsoyoglu, Auditing and inference
 * control in statistical databases, IEEE TSE 1982).
 *
 * Persons fall into atoms: those who are in exactly the same sets told so far. A told count is a 0/1 row over the atoms. Whatever a
 * caller computes by adding and subtracting counts is a vector of the row space of these rows, so the size of a group is known exactly
 * where its 0/1 vector lies in that space. Rows are kept in reduced echelon form; a 0/1 vector of the space is then a sum of SOME of its
 * rows, which makes the search for small groups finite and exact. Arithmetic is modulo the prime 2^26 - 5: a dependency over the rationals
 * is one modulo the prime unless the prime divides a minor of the matrix.
 *
 * Every atom holds a person, so the true sizes lie inside the region of non-negative solutions and not on its edge: linear
 * programming over the told counts finds no size that the row space does not hold.
 */
const PRIME = 67_108_859;
/** Steps of one search; where they do not suffice the count is not told. */
const STEPS_MAX = 20_000;

interface Row {
  readonly pivot: number;
  readonly values: readonly number[];
}

/** What telling a set would give away. */
export type Finding =
  /** The count follows from counts that were told, or gives no small group away. */
  | { readonly kind: 'safe' }
  /** A group of 1 to min - 1 persons, by their ordinals, whose size would be known. */
  | { readonly kind: 'group'; readonly persons: readonly number[] }
  /** The search was too long to tell. */
  | { readonly kind: 'unknown' };

export class CountAudit {
  /** Atom of each person who is in some told set; all others are in atom 0. */
  private readonly atomOf = new Map<number, number>();
  private readonly sizes: number[] = [0];
  private rows: Row[] = [];
  /** Told sets as sets of atoms. */
  private readonly told: { readonly size: number; readonly atoms: Set<number> }[] = [];

  /** Number of independent counts. */
  get rank(): number {
    return this.rows.length;
  }

  /** Told sets, smallest first, with a test of membership. */
  sets(): { readonly size: number; readonly has: (person: number) => boolean }[] {
    return this.told.map(({ size, atoms }) => ({ size, has: (person) => atoms.has(this.atomOf.get(person) ?? 0) }));
  }

  /** Looks at a set (distinct ordinals) as if it were told; nothing changes. */
  consider(persons: readonly number[], min: number): Finding {
    const split = this.split(persons);
    const rows = extended(this.rows, split);
    if (rows === null) return { kind: 'safe' };
    const found = smallGroup(rows, split.sizes, min);
    if (found === null) return { kind: 'safe' };
    if (found === 'unknown') return { kind: 'unknown' };
    return { kind: 'group', persons: this.personsOf(new Set(found), split, new Set(persons)) };
  }

  /** Takes a set as told. */
  tell(persons: readonly number[]): void {
    const split = this.split(persons);
    this.rows = extended(this.rows, split) ?? this.rows.map((row) => ({ ...row, values: widened(row.values, split.parents) }));
    const atoms = new Set<number>();
    const partOf = new Map(split.parents.map((parent, i) => [parent, this.sizes.length + i] as const));
    for (const each of this.told) for (const [parent, part] of partOf) if (each.atoms.has(parent)) each.atoms.add(part);
    for (const person of persons) {
      const atom = this.atomOf.get(person) ?? 0;
      const part = partOf.get(atom) ?? atom;
      this.atomOf.set(person, part);
      atoms.add(part);
    }
    split.sizes.forEach((size, i) => (this.sizes[i] = size));
    this.told.push({ size: persons.length, atoms });
  }

  /** The atoms as the set would divide them: the part inside becomes a new column where it is not the whole atom. */
  private split(persons: readonly number[]): Split {
    const inside = new Map<number, number>();
    for (const person of persons) {
      const atom = this.atomOf.get(person) ?? 0;
      inside.set(atom, (inside.get(atom) ?? 0) + 1);
    }
    const sizes = [...this.sizes];
    const parents: number[] = [];
    const row = sizes.map(() => 0);
    for (const [atom, count] of inside) {
      if (atom !== 0 && count === this.sizes[atom]) {
        row[atom] = 1;
        continue;
      }
      parents.push(atom);
      if (atom !== 0) sizes[atom] = (sizes[atom] ?? 0) - count;
      sizes.push(count);
      row.push(1);
    }
    return { sizes, parents, row };
  }

  private personsOf(columns: ReadonlySet<number>, split: Split, candidate: ReadonlySet<number>): number[] {
    const partOf = new Map(split.parents.map((parent, i) => [parent, this.sizes.length + i] as const));
    const found: number[] = [];
    for (const person of new Set([...this.atomOf.keys(), ...candidate])) {
      const atom = this.atomOf.get(person) ?? 0;
      const column = candidate.has(person) ? (partOf.get(atom) ?? atom) : atom;
      if (columns.has(column)) found.push(person);
    }
    return found;
  }
}

interface Split {
  /** Sizes of the columns: the old atoms without what was split off, then the parts. */
  readonly sizes: readonly number[];
  /** Atom that each part was split from. */
  readonly parents: readonly number[];
  /** The set over the columns. */
  readonly row: readonly number[];
}

const widened = (values: readonly number[], parents: readonly number[]): number[] => [
  ...values,
  ...parents.map((parent) => values[parent] ?? 0),
];

/** The reduced echelon form with one more row; null where the row lies in the space already. */
function extended(rows: readonly Row[], split: Split): Row[] | null {
  const wide = rows.map((row) => ({ pivot: row.pivot, values: widened(row.values, split.parents) }));
  let fresh = [...split.row];
  for (const row of wide) fresh = without(fresh, row.values, fresh[row.pivot] ?? 0);
  const pivot = fresh.findIndex((value) => value !== 0);
  if (pivot < 0) return null;
  const scale = inverse(fresh[pivot] ?? 1);
  const values = fresh.map((value) => (value * scale) % PRIME);
  return [...wide.map((row) => ({ pivot: row.pivot, values: without(row.values, values, row.values[pivot] ?? 0) })), { pivot, values }];
}

function without(values: readonly number[], row: readonly number[], times: number): number[] {
  if (times === 0) return [...values];
  const factor = PRIME - times;
  return values.map((value, i) => (value + factor * (row[i] ?? 0)) % PRIME);
}

/** By Fermat's little theorem. */
function inverse(value: number): number {
  let result = 1;
  let base = value;
  for (let exponent = PRIME - 2; exponent > 0; exponent = Math.floor(exponent / 2)) {
    if (exponent % 2 === 1) result = (result * base) % PRIME;
    base = (base * base) % PRIME;
  }
  return result;
}

/**
 * Columns of a group of 1 to min - 1 persons whose 0/1 vector is in the row space. Each row of the echelon form has a pivot that no other
 * row touches, so a 0/1 vector takes each row once or not at all; where the sum so far is no small group, a row must follow that changes
 * one of the columns at fault, and only those rows are tried.
 */
function smallGroup(rows: readonly Row[], sizes: readonly number[], min: number): readonly number[] | 'unknown' | null {
  const light = rows.filter((row) => (sizes[row.pivot] ?? 0) < min);
  let steps = 0;
  const grow = (sum: readonly number[], taken: ReadonlySet<Row>, barred: ReadonlySet<Row>): readonly number[] | 'unknown' | null => {
    if (++steps > STEPS_MAX) return 'unknown';
    const faults = faultsOf(sum, taken, sizes, min);
    if (faults === null) return sum.flatMap((value, column) => (value === 1 ? [column] : []));
    const shut = new Set(barred);
    for (const row of light) {
      if (taken.has(row) || shut.has(row) || !faults.some((column) => row.values[column] !== 0)) continue;
      const found = grow(plus(sum, row.values), new Set([...taken, row]), shut);
      if (found !== null) return found;
      shut.add(row);
    }
    return null;
  };
  const done = new Set<Row>();
  for (const row of light) {
    const found = grow(row.values, new Set([row]), done);
    if (found !== null) return found;
    done.add(row);
  }
  return null;
}

const plus = (a: readonly number[], b: readonly number[]): number[] => a.map((value, i) => (value + (b[i] ?? 0)) % PRIME);

/** Columns of which at least one has to change for the sum to become a small group; none where it cannot, null where it is one. */
function faultsOf(sum: readonly number[], taken: ReadonlySet<Row>, sizes: readonly number[], min: number): readonly number[] | null {
  const pivots = new Set([...taken].map((row) => row.pivot));
  let weight = 0;
  for (const pivot of pivots) weight += sizes[pivot] ?? 0;
  if (weight >= min) return [];
  const bad = sum.findIndex((value) => value > 1);
  if (bad >= 0) return [bad];
  const heavy = sum.flatMap((value, column) => (value === 1 && !pivots.has(column) ? [column] : []));
  heavy.sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0));
  const over: number[] = [];
  for (const column of heavy) {
    over.push(column);
    weight += sizes[column] ?? 0;
    if (weight >= min) return over;
  }
  return null;
}

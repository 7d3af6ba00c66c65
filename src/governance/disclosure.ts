import { CodedError, LIMITS, decodeOrdinals, digestOf, encodeOrdinals } from '../kernel/index.js';
import { CountAudit } from './disclosure-audit.js';

/** Rows that are counted, by the persons whom they are about. */
export interface CountedGroup {
  readonly dataset: string;
  readonly persons: readonly string[];
  /** Rows of each person; left out where persons themselves are counted. */
  readonly rows?: readonly number[];
}

/** Which counts a caller is told, in their order: the number of rows, or null where it is withheld. `min` persons at least stand behind each. */
export type Tell = (min: number, groups: readonly CountedGroup[]) => Promise<readonly (number | null)[]>;

/** One entry of the book of a principal. `rows` is there where rows about persons were counted, and not persons. */
export interface DisclosedSet {
  readonly seq: number;
  readonly digest: string;
  readonly kind: 'told' | 'withheld';
  readonly dataset: string;
  readonly ordinals: Uint8Array;
  readonly rows: Uint8Array | null;
  readonly persons: number;
}

/** The book of one principal inside a transaction that no other process shares for this principal. */
export interface DisclosureBook {
  since(seq: number): Promise<readonly DisclosedSet[]>;
  /** Sets entered at or after an instant (milliseconds since 1970). */
  enteredSince(at: number): Promise<number>;
  /** Number of the entry. */
  add(entry: Omit<DisclosedSet, 'seq'>, at: number): Promise<number>;
}

/** What the store provides: entries are durable when `exclusively` returns. */
export interface DisclosureStore {
  /** Ordinals of persons, in their order. */
  ordinals(patientIds: readonly string[]): Promise<readonly number[]>;
  exclusively<T>(sub: string, work: (book: DisclosureBook) => Promise<T>): Promise<T>;
}

interface Memory {
  seq: number;
  readonly audit: CountAudit;
  readonly told: Set<string>;
  readonly withheld: Map<string, readonly number[]>;
  /** Told counts of rows by dataset: rows of each person. */
  readonly vectors: Map<string, ReadonlyMap<number, number>[]>;
}

const PRINCIPALS_KEPT_MAX = 64;
const DAY_MS = 86_400_000;

/**
 * Decides which counts over persons a principal is told, across sessions, purposes and processes.
 *
 * Guaranteed, for the sets of persons behind all counts ever told to one principal, `min` being the same throughout:
 * 1. A count of 1 to min - 1 persons is withheld (null); zero is told, for a filter that finds nobody says so by its empty list too.
 * 2. No group of 1 to min - 1 persons that adding, subtracting or solving the told counts can single out has a computable size: exact
 *    linear audit, non-negativity included (CountAudit). A search that takes too long withholds.
 * 3. A count of rows (notes, studies) counts as told for the set of its persons, and is withheld too where it differs from another told
 *    count of the same dataset in the rows of 1 to min - 1 persons. Combinations of three and more counts of rows are not searched.
 * 4. A withheld count tells that somebody is there. Where so many disjoint withheld groups lie in one told or one withheld set that all
 *    but two of its persons are accounted for, this principal is told no count any more.
 * Not covered: principals who share what they were told, and knowledge from elsewhere about who is in a set.
 *
 * Equal sets have equal answers for good, whatever query found them. Throws LIMIT_EXCEEDED for a set beyond `disclosed_sets_per_day_max`.
 */
export class DisclosureGuard {
  private readonly memories = new Map<string, Memory>();

  constructor(private readonly store: DisclosureStore) {}

  /** One answer a group, in their order: the number of its rows, or null. `now` in milliseconds since 1970. */
  async tell(sub: string, min: number, groups: readonly CountedGroup[], now: number): Promise<(number | null)[]> {
    const sets = await Promise.all(groups.map((group) => this.ordered(group)));
    try {
      return await this.store.exclusively(sub, async (book) => {
        const memory = await this.recall(sub, book);
        const answers: (number | null)[] = [];
        for (const set of sets) answers.push(await decide(memory, book, set, min, now));
        return answers;
      });
    } catch (error) {
      // What was not written must not be remembered.
      this.memories.delete(sub);
      throw error;
    }
  }

  /** What was told of groups before, without telling anything new: equal sets have equal answers for good, so what is not in the book was withheld. */
  async toldBefore(sub: string, groups: readonly CountedGroup[]): Promise<(number | null)[]> {
    const sets = await Promise.all(groups.map((group) => this.ordered(group)));
    return this.store.exclusively(sub, async (book) => {
      const memory = await this.recall(sub, book);
      return sets.map((set) => (set.persons.length === 0 ? 0 : memory.told.has(entryDigest('told', set)) ? set.total : null));
    });
  }

  private async ordered(group: CountedGroup): Promise<CountedSet> {
    const ordinals = await this.store.ordinals(group.persons);
    const rows = new Map<number, number>();
    ordinals.forEach((ordinal, i) => rows.set(ordinal, (rows.get(ordinal) ?? 0) + (group.rows?.[i] ?? 1)));
    const persons = [...rows.keys()].sort((a, b) => a - b);
    const total = persons.reduce((sum, each) => sum + (rows.get(each) ?? 0), 0);
    return { dataset: group.dataset, persons, rows: group.rows === undefined ? null : rows, total };
  }

  private async recall(sub: string, book: DisclosureBook): Promise<Memory> {
    const known = this.memories.get(sub);
    const memory = known ?? { seq: 0, audit: new CountAudit(), told: new Set(), withheld: new Map(), vectors: new Map() };
    this.memories.delete(sub);
    this.memories.set(sub, memory);
    const [oldest] = this.memories.keys();
    if (this.memories.size > PRINCIPALS_KEPT_MAX && oldest !== undefined) this.memories.delete(oldest);
    for (const entry of await book.since(memory.seq)) {
      const persons = decodeOrdinals(entry.ordinals);
      const rows = entry.rows === null ? null : rowsOf(persons, decodeOrdinals(entry.rows));
      remember(memory, entry, { dataset: entry.dataset, persons, rows, total: 0 });
    }
    return memory;
  }
}

interface CountedSet {
  readonly dataset: string;
  /** Ordinals in ascending order. */
  readonly persons: readonly number[];
  /** Rows of each person; null where persons are counted. */
  readonly rows: ReadonlyMap<number, number> | null;
  readonly total: number;
}

async function decide(memory: Memory, book: DisclosureBook, set: CountedSet, min: number, now: number): Promise<number | null> {
  if (exhausted(memory, min)) return null;
  if (set.persons.length === 0) return 0;
  const digest = entryDigest('told', set);
  if (memory.told.has(digest)) return set.total;
  if (set.persons.length < min) {
    await withhold(memory, book, set.persons, now);
    return null;
  }
  const found = memory.audit.consider(set.persons, min);
  if (found.kind === 'group') await withhold(memory, book, found.persons, now);
  if (found.kind !== 'safe') return null;
  const differing = differingPersons(memory, set, min);
  if (differing) {
    await withhold(memory, book, differing, now);
    return null;
  }
  await enter(memory, book, 'told', set, now);
  return set.total;
}

/** A group that the caller now knows to hold somebody. */
async function withhold(memory: Memory, book: DisclosureBook, persons: readonly number[], now: number): Promise<void> {
  const set: CountedSet = { dataset: '', persons: [...persons].sort((a, b) => a - b), rows: null, total: persons.length };
  if (!memory.withheld.has(entryDigest('withheld', set))) await enter(memory, book, 'withheld', set, now);
}

async function enter(memory: Memory, book: DisclosureBook, kind: DisclosedSet['kind'], set: CountedSet, now: number): Promise<void> {
  if ((await book.enteredSince(now - DAY_MS)) >= LIMITS.disclosed_sets_per_day_max)
    throw new CodedError(
      'LIMIT_EXCEEDED',
      `At most ${LIMITS.disclosed_sets_per_day_max} different groups of persons are counted in a day.`,
    );
  const entry = {
    digest: entryDigest(kind, set),
    kind,
    dataset: set.rows === null ? '' : set.dataset,
    ordinals: encodeOrdinals(set.persons),
    rows: set.rows === null ? null : encodeRows(set),
    persons: set.persons.length,
  };
  remember(memory, { ...entry, seq: await book.add(entry, now) }, set);
}

function remember(memory: Memory, entry: DisclosedSet, set: CountedSet): void {
  memory.seq = Math.max(memory.seq, entry.seq);
  if (entry.kind === 'withheld') {
    memory.withheld.set(entry.digest, set.persons);
    return;
  }
  memory.told.add(entry.digest);
  memory.audit.tell(set.persons);
  if (set.rows) memory.vectors.set(set.dataset, [...(memory.vectors.get(set.dataset) ?? []), set.rows]);
}

/** Persons in whose rows a count differs from one that was told, where they are few. */
function differingPersons(memory: Memory, set: CountedSet, min: number): readonly number[] | null {
  const own = set.rows ?? new Map(set.persons.map((person) => [person, 1]));
  for (const told of memory.vectors.get(set.dataset) ?? []) {
    const differing = new Set<number>();
    for (const person of new Set([...own.keys(), ...told.keys()])) {
      if (own.get(person) !== told.get(person)) differing.add(person);
      if (differing.size >= min) break;
    }
    if (differing.size > 0 && differing.size < min) return [...differing];
  }
  return null;
}

/**
 * True where, for some told set of n persons or some withheld set (at most min - 1 persons), disjoint withheld groups inside could number n - 2 or more: each
 * holds somebody, so their sizes would be all but known. The number of disjoint groups is bounded from above by single persons and half of the rest.
 */
function exhausted(memory: Memory, min: number): boolean {
  const groups = [...memory.withheld.values()];
  const sets = [
    ...memory.audit.sets().map((each) => ({ bound: each.size, has: each.has, of: null as readonly number[] | null })),
    ...groups.map((persons) => ({ bound: min - 1, has: (person: number) => persons.includes(person), of: persons })),
  ];
  return sets.some(({ bound, has, of }) => {
    if (bound > groups.length + 2) return false;
    const inside = groups.filter((group) => group !== of && (of === null || group.length < of.length) && group.every(has));
    const singles = new Set(inside.filter((group) => group.length === 1).flat());
    const covered = new Set(inside.flat());
    return singles.size + Math.floor((covered.size - singles.size) / 2) >= bound - 2;
  });
}

function entryDigest(kind: DisclosedSet['kind'], set: CountedSet): string {
  const rows = set.rows === null ? '' : `${set.dataset}:${encodeRows(set).toString('base64')}`;
  return digestOf(`${kind}:${rows}:${encodeOrdinals(set.persons).toString('base64')}`);
}

/** Rows of each person as running totals, so that they ascend. */
function encodeRows(set: CountedSet): Buffer {
  let total = 0;
  return encodeOrdinals(set.persons.map((person) => (total += set.rows?.get(person) ?? 1)));
}

function rowsOf(persons: readonly number[], totals: readonly number[]): ReadonlyMap<number, number> {
  return new Map(persons.map((person, i) => [person, (totals[i] ?? 0) - (totals[i - 1] ?? 0)]));
}

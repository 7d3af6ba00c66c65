import { isFlagged, type Recipient } from '../../kernel/index.js';
import { BULK_CATEGORIES, BULK_RULE, type BulkCategory } from './bulk-rule.js';
import { contentOf } from './contents.js';

/** Where several categories are held: their persons together against the lowest of their thresholds (202.205(g)). */
export const COMBINED = 'combined';

/** How many persons a recipient holds data of within the window. */
export interface Holdings {
  readonly categories: Readonly<Partial<Record<BulkCategory, number>>>;
  /** Persons of any category, each once. */
  readonly persons: number;
}

export interface BulkCount {
  readonly category: BulkCategory | typeof COMBINED;
  readonly persons: number;
  readonly threshold: number;
}

/**
 * Categories that an answer carries, from the columns that it depends on (table.column). How a cell left does not matter: masked, hashed, encrypted and
 * derived ones count (202.206), and so do columns by which rows were only chosen.
 */
export function categoriesOf(sources: Iterable<string>): readonly BulkCategory[] {
  const found = new Set<BulkCategory>();
  for (const source of sources) for (const { category } of contentOf(source)) found.add(category);
  return BULK_CATEGORIES.filter((category) => found.has(category));
}

/** Counts that stand against a threshold: one a category that is held, and the combined one where there are several. */
export function bulkCounts({ categories, persons }: Holdings): readonly BulkCount[] {
  const counts: BulkCount[] = BULK_CATEGORIES.flatMap((category) => {
    const held = categories[category] ?? 0;
    return held > 0 ? [{ category, persons: held, threshold: BULK_RULE.thresholds[category] }] : [];
  });
  if (counts.length > 1) counts.push({ category: COMBINED, persons, threshold: Math.min(...counts.map((each) => each.threshold)) });
  return counts;
}

/** The first threshold that holdings pass; null where they pass none. As many persons as the threshold are still allowed. */
export function exceeded(holdings: Holdings): BulkCount | null {
  return bulkCounts(holdings).find(({ persons, threshold }) => persons > threshold) ?? null;
}

/** Whether a recipient who holds so much may get data of persons whom it does not hold yet. Only flagged recipients are held back. */
export function mayDisclose(recipient: Pick<Recipient, 'bulk'>, held: Holdings, added: Holdings): boolean {
  if (!isFlagged(recipient)) return true;
  const categories = Object.fromEntries(
    BULK_CATEGORIES.map((category) => [category, (held.categories[category] ?? 0) + (added.categories[category] ?? 0)]),
  );
  return exceeded({ categories, persons: held.persons + added.persons }) === null;
}

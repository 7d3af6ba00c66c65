import {
  ALL_LEVELS,
  deniedLevels,
  deniedPurposes,
  LEVEL,
  MODALITY_CATEGORIES,
  permittedLevels,
  permittedPurposes,
  PURPOSES,
  TPO,
} from './consent-codes.js';
import type { Purpose } from './consent-codes.js';
import { dateInterval } from './fhir-date.js';
import type { ConsentProvision, ConsentRecord } from './fhir-consent.js';

/** One cell for each purpose x category, holding the bits of the levels that are permitted there. */
export type Grid = Uint8Array;

export const CATEGORIES = [...MODALITY_CATEGORIES.values()];
const CELLS = PURPOSES.length * CATEGORIES.length;

export const cell = (purpose: number, category: number): number => purpose * CATEGORIES.length + category;

export function filled(bits: number): Grid {
  return new Uint8Array(CELLS).fill(bits);
}

export function intersect(left: Grid, right: Grid): Grid {
  return left.map((bits, at) => bits & (right[at] as number));
}

/** What holds where no consent speaks: treatment, payment and operations on data of normal sensitivity. */
export function impliedGrid(): Grid {
  const grid = filled(0);
  for (const purpose of TPO)
    for (let category = 0; category < CATEGORIES.length; category++) grid[cell(PURPOSES.indexOf(purpose), category)] = LEVEL.N;
  return grid;
}

/** What a consent permits at one instant. `unsaid` is what holds where its root does not speak: 0, or ALL_LEVELS to see its denials only. */
export function consentGrid(consent: ConsentRecord, at: number, unsaid: number): Grid {
  const root = consent.provisions[0];
  if (consent.notUnderstood.length > 0 || root === undefined) return filled(0);
  const grid = filled(unsaid);
  new Rules(consent.provisions, at).apply(0, grid, filled(ALL_LEVELS));
  return grid;
}

/** Applies provisions to a grid. Nested provisions are exceptions to their parent and act inside its reach only. */
class Rules {
  constructor(
    private readonly provisions: readonly ConsentProvision[],
    private readonly at: number,
  ) {}

  apply(index: number, grid: Grid, parentReach: Grid): void {
    const rule = this.provisions[index] as ConsentProvision;
    if (!isDuring(rule, this.at)) return;
    const bound = isBound(rule);
    // A permission bound to actors, objects or data periods cannot be said in rows: it grants nothing, nor do its exceptions.
    if (rule.type === 'permit' && bound) return;
    const reach = reachOf(rule, parentReach);
    const before = grid.slice();
    const levels = rule.type === 'permit' ? permittedLevels(rule.labels) : deniedLevels(rule.labels);
    for (let at = 0; at < grid.length; at++) {
      if (reach[at] !== 0) grid[at] = rule.type === 'permit' ? (grid[at] as number) | levels : (grid[at] as number) & ~levels;
    }
    const nested = this.nested(index);
    for (const type of ['permit', 'deny'] as const) {
      // Exceptions to a bound denial hold for those bound only, while the denial was widened to all.
      if (type === 'permit' && bound) continue;
      for (const child of nested) if (this.provisions[child]?.type === type) this.apply(child, grid, reach);
    }
    // An exception to a nested denial restores what was permitted before it, and no more.
    if (rule.type === 'deny' && rule.depth > 0)
      for (let at = 0; at < grid.length; at++) grid[at] = (grid[at] as number) & (before[at] as number);
  }

  private nested(index: number): number[] {
    const depth = (this.provisions[index] as ConsentProvision).depth;
    const found: number[] = [];
    for (let at = index + 1; at < this.provisions.length; at++) {
      const rule = this.provisions[at] as ConsentProvision;
      if (rule.depth <= depth) break;
      if (rule.depth === depth + 1) found.push(at);
    }
    return found;
  }
}

function isBound(rule: ConsentProvision): boolean {
  return rule.actors.length > 0 || rule.data.length > 0 || rule.dataStart !== null || rule.dataEnd !== null;
}

function isDuring(rule: ConsentProvision, at: number): boolean {
  const { start, end } = bounds(rule);
  return at >= start && at < end;
}

/** Start inclusive, end exclusive, in ms since 1970; unbounded sides are infinite. */
export function bounds(rule: ConsentProvision): { start: number; end: number } {
  return {
    start: rule.start === null ? -Infinity : (dateInterval(rule.start)?.from ?? -Infinity),
    end: rule.end === null ? Infinity : (dateInterval(rule.end)?.until ?? Infinity),
  };
}

function reachOf(rule: ConsentProvision, parentReach: Grid): Grid {
  const purposes: readonly Purpose[] = rule.type === 'permit' ? permittedPurposes(rule.purposes) : deniedPurposes(rule.purposes);
  const categories = rule.categories.reduce((bits, name) => bits | (MODALITY_CATEGORIES.get(name) ?? 0), 0);
  return parentReach.map((bits, at) => {
    const purpose = PURPOSES[Math.floor(at / CATEGORIES.length)] as Purpose;
    const category = CATEGORIES[at % CATEGORIES.length] as number;
    return purposes.includes(purpose) && (rule.categories.length === 0 || (categories & category) !== 0) ? bits : 0;
  });
}

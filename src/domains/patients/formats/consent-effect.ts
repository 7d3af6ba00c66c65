import { ALL_LEVELS, LEVEL, PURPOSES } from './consent-codes.js';
import type { Purpose } from './consent-codes.js';
import { bounds, CATEGORIES, cell, consentGrid, filled, impliedGrid, intersect } from './consent-grid.js';
import type { Grid } from './consent-grid.js';
import { dateInterval } from './fhir-date.js';
import type { ConsentProvision, ConsentRecord } from './fhir-consent.js';

/**
 * One thing that is permitted; what no row says is denied. `categories` is a bitmask (CATEGORY_BIT), data up to and including
 * `maxSensitivity` are covered. `validFrom` is inclusive, `validTo` exclusive, both ISO instants in UTC; null is unbounded.
 */
export interface ConsentEffect {
  readonly purpose: Purpose;
  readonly categories: number;
  readonly maxSensitivity: 'N' | 'R' | 'V';
  readonly validFrom: string | null;
  readonly validTo: string | null;
}

/**
 * Compiles all consents of one patient into rows (spec security.md 6.1, governance.md section 3). Pure; the present is not needed.
 * - Of a scope the latest active consent wins; where the order cannot be told, all of them must permit.
 * - A consent counts from its period's start; when its period ends, things are as without consent, and an older one does not return.
 * - Scope patient-privacy decides every purpose. Scope research decides HRESCH, within what patient-privacy does not deny.
 *   Scopes treatment and adr are about being treated, not about data, and have no effect.
 * - Whatever cannot be said in rows (actors, single objects, data periods, sensitivities alone) errs to denial.
 */
export function compileConsent(consents: readonly ConsentRecord[]): ConsentEffect[] {
  const inForce = consents.filter((consent) => consent.status === 'active' || consent.status === '');
  const privacy = inForce.filter((consent) => consent.scope === 'patient-privacy' || consent.scope === '');
  const research = inForce.filter((consent) => consent.scope === 'research');
  const instants = boundaries([...privacy, ...research]);
  return rows(
    instants,
    instants.map((at) => gridAt(privacy, research, at)),
  );
}

/** The starts of the stretches of time inside which nothing changes; the first is -Infinity. */
function boundaries(consents: readonly ConsentRecord[]): number[] {
  const found = new Set<number>([-Infinity]);
  for (const consent of consents) {
    for (const rule of consent.provisions) {
      const { start, end } = bounds(rule);
      if (Number.isFinite(start)) found.add(start);
      if (Number.isFinite(end)) found.add(end);
    }
  }
  return [...found].sort((left, right) => left - right);
}

function gridAt(privacy: readonly ConsentRecord[], research: readonly ConsentRecord[], at: number): Grid {
  const ruling = rulingAt(privacy, at);
  const grid = ruling.length === 0 ? impliedGrid() : ruling.map((consent) => consentGrid(consent, at, 0)).reduce(intersect);
  const studies = rulingAt(research, at);
  if (studies.length === 0) return grid;
  const undenied = ruling.map((consent) => consentGrid(consent, at, ALL_LEVELS)).reduce(intersect, filled(ALL_LEVELS));
  const permitted = intersect(undenied, studies.map((consent) => consentGrid(consent, at, 0)).reduce(intersect));
  const purpose = PURPOSES.indexOf('HRESCH');
  for (let category = 0; category < CATEGORIES.length; category++)
    grid[cell(purpose, category)] = permitted[cell(purpose, category)] as number;
  return grid;
}

/** The consents that rule at an instant: begun, not replaced by a later one that has begun, not ended. */
function rulingAt(consents: readonly ConsentRecord[], at: number): ConsentRecord[] {
  const begun = consents.filter((consent) => at >= rootBounds(consent).start);
  const latestStart = Math.max(...begun.map((consent) => stated(consent).from));
  return begun.filter((consent) => stated(consent).until > latestStart && at < rootBounds(consent).end);
}

/** A consent without a date can neither replace another nor be replaced. */
function stated(consent: ConsentRecord): { from: number; until: number } {
  const interval = consent.dateTime === null ? null : dateInterval(consent.dateTime);
  return interval ?? { from: -Infinity, until: Infinity };
}

/** A consent that is not understood denies for all time, since its period may be the part that is not understood. */
function rootBounds(consent: ConsentRecord): { start: number; end: number } {
  const root: ConsentProvision | undefined = consent.provisions[0];
  return root === undefined || consent.notUnderstood.length > 0 ? { start: -Infinity, end: Infinity } : bounds(root);
}

/** The highest level that is covered together with all below it; 0 is none. */
function reachable(bits: number): number {
  if ((bits & LEVEL.N) === 0) return 0;
  if ((bits & LEVEL.R) === 0) return 1;
  return (bits & LEVEL.V) === 0 ? 2 : 3;
}

function rows(instants: readonly number[], grids: readonly Grid[]): ConsentEffect[] {
  const found: ConsentEffect[] = [];
  PURPOSES.forEach((purpose, row) => {
    for (const [level, maxSensitivity] of (['N', 'R', 'V'] as const).entries()) {
      const masks = grids.map((grid) =>
        CATEGORIES.reduce((mask, bit, category) => mask | (reachable(grid[cell(row, category)] as number) === level + 1 ? bit : 0), 0),
      );
      for (let at = 0; at < masks.length;) {
        let end = at + 1;
        while (end < masks.length && masks[end] === masks[at]) end++;
        if (masks[at] !== 0)
          found.push({
            purpose,
            categories: masks[at] as number,
            maxSensitivity,
            validFrom: iso(instants[at]),
            validTo: iso(instants[end]),
          });
        at = end;
      }
    }
  });
  return found;
}

function iso(instant: number | undefined): string | null {
  return instant === undefined || !Number.isFinite(instant) ? null : new Date(instant).toISOString();
}

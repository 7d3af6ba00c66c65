import type { Modifier } from './duo-codes.js';
import type { Obligation, ResearchProject } from './project.js';
import type { DenialReason } from './verdict.js';

/** What a modifier says of a project at an instant. `until` is when that ends, in milliseconds since 1970. */
export interface Holding {
  readonly denial: DenialReason | null;
  readonly obligation?: Obligation;
  readonly until?: number;
}

const HOLDS: Holding = { denial: null };
const deny = (denial: DenialReason): Holding => ({ denial });
const when = (met: boolean): Holding => (met ? HOLDS : deny('condition-not-met'));

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MONTHS = /^[1-9]\d{0,3}$/;

/** Milliseconds since 1970 of an ISO 8601 calendar day in UTC, or null. */
export function dayOf(text: string): number | null {
  const at = DAY.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(at) || !new Date(at).toISOString().startsWith(text) ? null : at;
}

export const monthsOf = (text: string): number | null => (MONTHS.test(text) ? Number(text) : null);

/** The same time of day so many calendar months later, in UTC; the last day of the month where it has no such day. */
export function monthsAfter(start: number, months: number): number {
  const day = new Date(start).getUTCDate();
  const moved = new Date(start);
  moved.setUTCMonth(moved.getUTCMonth() + months, 1);
  const last = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate();
  moved.setUTCDate(Math.min(day, last));
  return moved.getTime();
}

const notForProfit = (project: ResearchProject): boolean => project.organisation === 'not-for-profit';
const notCommercial = (project: ResearchProject): boolean => project.commercial === false;
const among = (name: string | null, listed: readonly string[]): boolean => name !== null && listed.includes(name);
const allAmong = (names: readonly string[], listed: readonly string[]): boolean =>
  names.length > 0 && names.every((name) => listed.includes(name));

/** Whether the modifier holds. The values have passed the check of their form. */
export function holds(modifier: Modifier, values: readonly string[], project: ResearchProject, at: number): Holding {
  switch (modifier) {
    case 'NPOA':
      return when(!project.uses.includes('ancestry'));
    case 'NMDS':
      return when(!project.uses.includes('methods'));
    case 'GSO':
      return when(project.genetic === true);
    case 'NCU':
      return when(notCommercial(project));
    case 'NPU':
      return when(notForProfit(project));
    case 'NPUNCU':
      return when(notForProfit(project) && notCommercial(project));
    case 'GS':
      return when(among(project.country, values));
    case 'IS':
      return when(among(project.institution, values));
    case 'PS':
      return when(among(project.id, values));
    case 'US':
      return when(allAmong(project.users, values));
    case 'RS':
      return when(allAmong(project.studyTypes, values));
    case 'CC':
      return HOLDS;
    case 'COL':
    case 'PUB':
    case 'RTN':
      return promised(modifier, project);
    case 'IRB':
      return approved(project, at);
    case 'MOR':
      return moratorium(dayOf(values[0] ?? ''), project, at);
    case 'TS':
      return limited(monthsOf(values[0] ?? ''), project, at);
  }
}

const promised = (obligation: Obligation, { accepted }: ResearchProject): Holding =>
  accepted.includes(obligation) ? { denial: null, obligation } : deny('obligation-not-accepted');

function approved({ approvals }: ResearchProject, at: number): Holding {
  const until = Math.max(...approvals.filter(({ id }) => id !== '').map((approval) => approval.until));
  return until > at ? { denial: null, obligation: 'IRB', until } : deny('approval-missing');
}

/** A plan to publish earlier breaks it; without a plan the promise is needed. */
function moratorium(date: number | null, { publication, accepted }: ResearchProject, at: number): Holding {
  if (date === null) return deny('parameter-invalid');
  if (publication !== null && !(publication >= date)) return deny('condition-not-met');
  if (at >= date) return HOLDS;
  if (publication === null && !accepted.includes('MOR')) return deny('obligation-not-accepted');
  return { denial: null, obligation: 'MOR' };
}

function limited(months: number | null, { start }: ResearchProject, at: number): Holding {
  if (months === null) return deny('parameter-invalid');
  if (start === null || !(start <= at)) return deny('not-started');
  const until = monthsAfter(start, months);
  return at < until ? { denial: null, obligation: 'TS', until } : deny('time-ended');
}

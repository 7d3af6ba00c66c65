import { LEVEL, STUDY } from './consent-codes.js';
import { intersect, simplified, TooInvolved, union, type Box, type Region } from './consent-region.js';
import { bounds, consentRegion, Purposes } from './consent-rules.js';
import type { ConsentProvision, ConsentRecord } from './fhir-consent.js';
import { dateInterval } from './fhir-date.js';

export type Sensitivity = keyof typeof LEVEL;

/**
 * One thing that is permitted; what no row says is denied. It covers a request for a row where all of this holds:
 * - the purpose is the same ('study:CODE' for studies) and the category of the row is in the bitmask `categories` (CATEGORY_BIT);
 * - the level of the row lies from `minSensitivity` to `maxSensitivity`; its labels (bits of LABELS) are all in `labels`, and one of
 *   them is in `labelsAny` unless that is 0;
 * - the caller is one of `recipients`, the clinical time of the row is known and lies from `dataFrom` up to and without `dataTo`, the
 *   row carries one of `refs` and none of `refsNot`; null bounds nothing;
 * - the present lies from `validFrom` up to and without `validTo`. All times are ISO instants in UTC; null is unbounded.
 */
export interface ConsentEffect {
  readonly purpose: string;
  readonly categories: number;
  readonly minSensitivity: Sensitivity;
  readonly maxSensitivity: Sensitivity;
  readonly labels: number;
  readonly labelsAny: number;
  readonly recipients: readonly string[] | null;
  readonly dataFrom: string | null;
  readonly dataTo: string | null;
  readonly refs: readonly string[] | null;
  readonly refsNot: readonly string[] | null;
  readonly validFrom: string | null;
  readonly validTo: string | null;
}

type Bounds = Omit<ConsentEffect, 'validFrom' | 'validTo'>;

/** A person with more is taken to have permitted nothing. */
const EFFECTS_MAX = 4096;

/**
 * Compiles all consents of one patient into rows (spec security.md 6.1, governance.md section 3). Pure; the present is not needed.
 * - Of a scope the latest active consent wins; where the order cannot be told, all of them must permit.
 * - A consent counts from its period's start; when its period ends, things are as without consent, and an older one does not return.
 * - Scope patient-privacy decides every purpose. Scope research decides HRESCH and studies, within what patient-privacy does not deny.
 *   Scopes treatment and adr are about being treated, not about data, and have no effect.
 * - Denials and exceptions are worked out here. What cannot be said in rows errs to denial: a denial to one recipient is one to all.
 */
export function compileConsent(consents: readonly ConsentRecord[]): ConsentEffect[] {
  const inForce = consents.filter((consent) => consent.status === 'active' || consent.status === '');
  const privacy = inForce.filter((consent) => consent.scope === 'patient-privacy' || consent.scope === '');
  const research = inForce.filter((consent) => consent.scope === 'research');
  const purposes = new Purposes([...privacy, ...research]);
  const instants = boundaries([...privacy, ...research]);
  const stretches = new Stretches(instants);
  for (const at of instants.keys()) {
    for (const effect of effectsAt(privacy, research, purposes, instants[at] as number)) stretches.add(effect, at);
    if (stretches.found.length > EFFECTS_MAX) return [];
  }
  return stretches.sorted(purposes.names);
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

/** What holds at one instant: nothing where that is too involved to be worked out. */
function effectsAt(privacy: readonly ConsentRecord[], research: readonly ConsentRecord[], purposes: Purposes, at: number): Bounds[] {
  try {
    const region = regionAt(privacy, research, purposes, at);
    return purposes.names.flatMap((_, bit) => effectsOf(region, purposes, bit));
  } catch (error) {
    if (error instanceof TooInvolved) return [];
    throw error;
  }
}

function regionAt(privacy: readonly ConsentRecord[], research: readonly ConsentRecord[], purposes: Purposes, at: number): Region {
  const all: Region = [purposes.everything()];
  const permitted = (consents: readonly ConsentRecord[], unsaid: Region): Region =>
    consents
      .map((consent) => consentRegion(consent, purposes, at, unsaid))
      .reduce((left, right) => {
        purposes.spend(left.length * right.length);
        return intersect(left, right);
      }, all);
  const only = (region: Region, bits: number): Region => intersect(region, [{ ...purposes.everything(), purposes: bits }]);
  const ruling = rulingAt(privacy, at);
  const region = ruling.length === 0 ? purposes.implied() : permitted(ruling, []);
  const studies = rulingAt(research, at);
  if (studies.length === 0) return region;
  const decided = purposes.bits(purposes.names.filter((name) => name === 'HRESCH' || name.startsWith(STUDY)));
  const undenied = permitted(ruling, all);
  const studied = only(permitted(studies, []), decided);
  purposes.spend(undenied.length * studied.length);
  return union(only(region, purposes.all & ~decided), intersect(undenied, studied));
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

const LEVELS = ['N', 'R', 'V'] as const;
/** Runs of neighbouring levels, since a row says from where to where it reaches. */
const RUNS: readonly (readonly [number, number])[] = [
  [0, 2],
  [0, 1],
  [1, 2],
  [0, 0],
  [1, 1],
  [2, 2],
];
const bitsOfRun = ([low, high]: readonly [number, number]): number =>
  LEVELS.slice(low, high + 1).reduce((bits, level) => bits | LEVEL[level], 0);

/** What a region permits for one purpose. */
function effectsOf(region: Region, purposes: Purposes, bit: number): Bounds[] {
  const boxes = region.filter((box) => (box.purposes & (1 << bit)) !== 0).map((box) => ({ ...box, purposes: 1 }));
  purposes.spend(boxes.length ** 2);
  return simplified(boxes).flatMap((box) => {
    const found: Bounds[] = [];
    let left = box.levels;
    for (const run of RUNS) {
      const bits = bitsOfRun(run);
      if ((left & bits) !== bits) continue;
      left &= ~bits;
      found.push(effectOf(box, purposes.names[bit] as string, LEVELS[run[0]] as Sensitivity, LEVELS[run[1]] as Sensitivity));
    }
    return found;
  });
}

function effectOf(box: Box, purpose: string, minSensitivity: Sensitivity, maxSensitivity: Sensitivity): Bounds {
  return {
    purpose,
    categories: box.categories,
    minSensitivity,
    maxSensitivity,
    labels: box.labels,
    labelsAny: box.any,
    recipients: box.recipients === null ? null : [...box.recipients].sort(),
    dataFrom: iso(box.from),
    dataTo: iso(box.to),
    refs: box.refs === null ? null : [...box.refs].sort(),
    refsNot: box.not.length === 0 ? null : [...box.not].sort(),
  };
}

/** Joins what holds in one stretch of time after the other. */
class Stretches {
  readonly found: { readonly effect: Bounds; readonly from: number; to: number }[] = [];
  private readonly open = new Map<string, { readonly effect: Bounds; readonly from: number; to: number }>();

  constructor(private readonly instants: readonly number[]) {}

  add(effect: Bounds, at: number): void {
    const key = JSON.stringify(effect);
    const known = this.open.get(key);
    if (known !== undefined && known.to >= at) {
      known.to = at + 1;
      return;
    }
    const started = { effect, from: at, to: at + 1 };
    this.open.set(key, started);
    this.found.push(started);
  }

  sorted(purposes: readonly string[]): ConsentEffect[] {
    const rank = ({ effect, from }: { effect: Bounds; from: number }): number =>
      (purposes.indexOf(effect.purpose) * LEVELS.length + LEVELS.indexOf(effect.maxSensitivity)) * this.instants.length + from;
    return [...this.found]
      .sort((left, right) => rank(left) - rank(right))
      .map(({ effect, from, to }) => ({ ...effect, validFrom: iso(this.instants[from]), validTo: iso(this.instants[to]) }));
  }
}

function iso(instant: number | undefined): string | null {
  return instant === undefined || !Number.isFinite(instant) ? null : new Date(instant).toISOString();
}

import { Random } from './random.js';
import { SITES, type Site } from './sites.js';
import { DAY_MS } from './time.js';
import { drawGenotypes, geneticSignal, type Genotypes, type VariantSite } from './variants.js';

const FAMILIES = [
  'Alderwick',
  'Brambury',
  'Castellane',
  'Dovermoor',
  'Elmsgate',
  'Fennimark',
  'Garrowby',
  'Hollinder',
  'Ivesdale',
  'Jorvelle',
  'Kestrin',
  'Lindqvale',
  'Marrowen',
  'Northfen',
  'Okonfield',
  'Pellarin',
  'Quillmore',
  'Rosendahlia',
  'Santavera',
  'Tamberly',
  'Umberton',
  'Vasquille',
  'Wetherlow',
  'Xanderly',
  'Yarrowick',
  'Zellmark',
] as const;
const GIVEN = {
  female: [
    'Amira',
    'Beatrix',
    'Corina',
    'Delphine',
    'Elowen',
    'Farah',
    'Greta',
    'Hanneke',
    'Imelda',
    'Junia',
    'Keziah',
    'Lucinda',
    'Maribel',
    'Noor',
  ],
  male: [
    'Anselm',
    'Bastian',
    'Cedric',
    'Dorian',
    'Emeric',
    'Fabian',
    'Gideon',
    'Hakim',
    'Isidro',
    'Jasper',
    'Kofi',
    'Leopold',
    'Mateus',
    'Nikolai',
  ],
} as const;

/** What a patient's Consent resources say. */
export type ConsentPattern =
  'research' | 'research-no-genomics' | 'research-no-notes' | 'care-only' | 'treatment-only' | 'revoked-inactive' | 'revoked-deny';

/** The four hidden, standard normal causes, one per modality, and what they led to. */
export interface Latent {
  readonly genomics: number;
  readonly imaging: number;
  readonly notes: number;
  readonly wearables: number;
  /** Log odds of the outcome. */
  readonly logOdds: number;
  readonly event: boolean;
}

/** One synthetic patient, complete before any file is written. Times are milliseconds since 1970. */
export interface Person {
  /** 1-based number; part of file names and sample ids. */
  readonly number: number;
  readonly site: Site;
  readonly mrn: string;
  readonly fhirId: string;
  readonly family: string;
  readonly given: string;
  readonly sex: 'female' | 'male';
  readonly birth: number;
  readonly ssn: string;
  readonly phone: string;
  readonly city: string;
  readonly zip: string;
  readonly consent: ConsentPattern;
  /** Records of a substance use programme (42 CFR Part 2): the condition code, if any. */
  readonly part2: 'F10.20' | 'F11.20' | undefined;
  readonly has: {
    readonly genomics: boolean;
    readonly imaging: boolean;
    readonly ccda: boolean;
    readonly text: boolean;
    readonly omh: boolean;
    readonly fit: boolean;
  };
  /** Features lie before this instant, the outcome after it. */
  readonly index: number;
  readonly deviceSerial: number;
  readonly genotypes: Genotypes;
  readonly latent: Latent;
}

type Draft = Omit<Person, 'latent'> & { signals: Omit<Latent, 'logOdds' | 'event'> };

/** Effect of one standard deviation of each cause on the log odds; chosen by measurement, see test/demo/signal.test.ts. */
const EFFECTS = { genomics: 1, imaging: 1.05, notes: 1.2, wearables: 1.2 } as const;
const EVENT_SHARE = 0.25;

function siteFor(random: Random): Site {
  let draw = random.uniform();
  for (const site of SITES) {
    if (draw < site.share) return site;
    draw -= site.share;
  }
  return SITES[0] as Site;
}

function consentFor(random: Random): ConsentPattern {
  const draw = random.uniform();
  if (draw < 0.02) return 'treatment-only';
  if (draw < 0.035) return 'revoked-inactive';
  if (draw < 0.05) return 'revoked-deny';
  if (draw < 0.11) return 'research-no-genomics';
  if (draw < 0.16) return 'research-no-notes';
  return draw < 0.75 ? 'research' : 'care-only';
}

/** Sites differ in what they collect: the west has no tradition of wearables, the north sequences more. */
function collected(random: Random, site: Site): Person['has'] {
  const tilt = site.code === 'north' ? 0.06 : site.code === 'south' ? -0.03 : -0.08;
  const omh = random.chance(0.52 + tilt);
  return {
    genomics: random.chance(0.75 + tilt),
    imaging: random.chance(0.66 - tilt / 2),
    ccda: random.chance(0.55),
    text: random.chance(0.25),
    omh,
    fit: random.chance(omh ? 0.28 : 0.06),
  };
}

function draft(seed: number, number: number, now: number, sites: readonly VariantSite[]): Draft {
  const random = new Random(seed, 'person', number);
  const site = siteFor(random);
  const sex = random.chance(0.5) ? 'female' : 'male';
  const genotypes = drawGenotypes(new Random(seed, 'genotype', number), sites, sex === 'male');
  const age = Math.min(97, Math.max(30, 64 + 14 * random.normal()));
  return {
    number,
    site,
    mrn: `${site.code.charAt(0).toUpperCase()}${String(number).padStart(6, '0')}`,
    fhirId: random.uuid(),
    family: random.pick(FAMILIES),
    given: random.pick(GIVEN[sex]),
    sex,
    birth: now - age * 365.25 * DAY_MS,
    ssn: `999-${String(random.int(10, 99))}-${String(random.int(1000, 9999))}`,
    phone: `${site.areaCode}-555-01${String(random.int(0, 99)).padStart(2, '0')}`,
    city: random.pick(site.cities),
    zip: random.pick(site.zip3) + String(random.int(0, 99)).padStart(2, '0'),
    consent: consentFor(random),
    part2: random.chance(0.04) ? random.pick(['F10.20', 'F11.20'] as const) : undefined,
    has: collected(random, site),
    index: now - random.int(40, 75) * DAY_MS - random.int(0, DAY_MS - 1),
    deviceSerial: 700_000_000 + number,
    genotypes,
    signals: { genomics: geneticSignal(genotypes, sites), imaging: random.normal(), notes: random.normal(), wearables: random.normal() },
  };
}

/** The intercept at which the mean risk of this cohort equals the wanted share of events. */
function intercept(scores: readonly number[]): number {
  let low = -10;
  let high = 10;
  for (let round = 0; round < 40; round++) {
    const middle = (low + high) / 2;
    let sum = 0;
    for (const score of scores) sum += logistic(middle + score);
    if (sum / scores.length < EVENT_SHARE) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

export function logistic(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

/** Draws the whole cohort. The outcome depends on all four causes of a patient, whether or not they were ever measured. */
export function drawPeople(seed: number, patients: number, now: number, sites: readonly VariantSite[]): Person[] {
  const drafts = Array.from({ length: patients }, (_, index) => draft(seed, index + 1, now, sites));
  const random = new Random(seed, 'outcome');
  const scores = drafts.map(
    ({ signals }) =>
      EFFECTS.genomics * signals.genomics +
      EFFECTS.imaging * signals.imaging +
      EFFECTS.notes * signals.notes +
      EFFECTS.wearables * signals.wearables +
      0.3 * random.normal(),
  );
  const base = intercept(scores);
  return drafts.map(({ signals, ...person }, index) => {
    const logOdds = base + (scores[index] ?? 0);
    return { ...person, latent: { ...signals, logOdds, event: random.chance(logistic(logOdds)) } };
  });
}

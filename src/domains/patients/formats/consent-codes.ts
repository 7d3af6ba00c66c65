/** The purposes that consent is compiled for (HL7 v3-ActReason); TPO is TREAT, HPAYMT and HOPERAT. */
export const PURPOSES = ['TREAT', 'ETREAT', 'HPAYMT', 'HOPERAT', 'HRESCH', 'PUBHLTH'] as const;
export type Purpose = (typeof PURPOSES)[number];

export const TPO: readonly Purpose[] = ['TREAT', 'HPAYMT', 'HOPERAT'];

/** Bits of the modality categories in ConsentEffect.categories. */
export const CATEGORY_BIT = { GENOMICS: 1, IMAGING: 2, NOTES: 4, WEARABLES: 8, CLINICAL: 16 } as const;
export const MODALITY_CATEGORIES: ReadonlyMap<string, number> = new Map(Object.entries(CATEGORY_BIT));

/** v3-ActReason codes below a compiled purpose, which have no row of their own. */
const NARROWER: Readonly<Record<Purpose, readonly string[]>> = {
  TREAT: ['CLINTRL', 'COC', 'POPHLTH'],
  ETREAT: ['ERTREAT'],
  HPAYMT: ['CLMATTCH', 'COVAUTH', 'COVERAGE', 'ELIGDTRM', 'ELIGVER', 'ENROLLM', 'MILDCRG', 'REMITADV'],
  HOPERAT: [
    'CAREMGT',
    'DONAT',
    'FRAUD',
    'GOV',
    'HACCRED',
    'HCOMPL',
    'HDECD',
    'HDIRECT',
    'HDM',
    'HLEGAL',
    'HOUTCOMS',
    'HPRGRP',
    'HQUALIMP',
    'HSYSADMIN',
    'LABELING',
    'METAMGT',
    'MEMADMIN',
    'MILCDM',
    'PATADMIN',
    'PATSFTY',
    'PERFMSR',
    'RECORDMGT',
    'SYSDEV',
    'HTEST',
    'TRAIN',
  ],
  HRESCH: ['BIORCH', 'CLINTRCH', 'CLINTRCHNPC', 'CLINTRCHPC', 'PRECLINTRCH', 'DSRCH', 'POARCH', 'TRANSRCH'],
  PUBHLTH: ['DISASTER', 'THREAT'],
};

/** Known purposes of use that are never granted by a row: break-glass has its own way, the others are not offered. */
const OUTSIDE = ['BTG', 'HMARKT', 'PATRQT', 'FAMRQT', 'PWATRNY', 'SUPNWK'];

const BROADER: ReadonlyMap<string, Purpose> = new Map(
  PURPOSES.flatMap((purpose) => NARROWER[purpose].map((code): [string, Purpose] => [code, purpose])),
);
const KNOWN_PURPOSES: ReadonlySet<string> = new Set([...PURPOSES, ...BROADER.keys(), ...OUTSIDE]);

export function isPurpose(code: string): boolean {
  return KNOWN_PURPOSES.has(code);
}

/** A permission holds for the purpose that it names and no other. */
export function permittedPurposes(codes: readonly string[]): readonly Purpose[] {
  return codes.length === 0 ? PURPOSES : PURPOSES.filter((purpose) => codes.includes(purpose));
}

/** A denial also takes what lies below (ETREAT is a kind of TREAT), and the whole where only a part without a row is denied. */
export function deniedPurposes(codes: readonly string[]): readonly Purpose[] {
  if (codes.length === 0) return PURPOSES;
  const named = codes.map((code) => BROADER.get(code) ?? code);
  return PURPOSES.filter((purpose) => named.includes(purpose) || (purpose === 'ETREAT' && codes.includes('TREAT')));
}

/** Bits of the confidentiality levels of v3-Confidentiality that rows can express. */
export const LEVEL = { N: 1, R: 2, V: 4 } as const;
export const ALL_LEVELS = LEVEL.N | LEVEL.R | LEVEL.V;

const BELOW_NORMAL = ['U', 'L', 'M'];
const SENSITIVITY = ['ETH', 'ETHUD', 'OPIOIDUD', 'SUD', 'PSY', 'SDV', 'HIV', 'STD', 'SEX', 'GDIS', 'MH', 'BH'];

export function isSecurityLabel(code: string, system: string | undefined): boolean {
  if (code in LEVEL || BELOW_NORMAL.includes(code)) return system === undefined || system.endsWith('v3-Confidentiality');
  return SENSITIVITY.includes(code) && (system === undefined || system.endsWith('v3-ActCode'));
}

/** A permission for a sensitivity such as PSY alone cannot be said in levels and grants none. */
export function permittedLevels(labels: readonly string[]): number {
  if (labels.length === 0) return ALL_LEVELS;
  return labels.reduce((bits, label) => bits | (label in LEVEL ? LEVEL[label as keyof typeof LEVEL] : 0), 0);
}

/** Data with a sensitivity label rank as restricted at least, so a denial of one takes R and V. */
export function deniedLevels(labels: readonly string[]): number {
  if (labels.length === 0) return ALL_LEVELS;
  return labels.reduce((bits, label) => {
    if (label in LEVEL) return bits | LEVEL[label as keyof typeof LEVEL];
    return bits | (BELOW_NORMAL.includes(label) ? LEVEL.N : LEVEL.R | LEVEL.V);
  }, 0);
}

import { ALL_LABELS, LABELS, labelBits, type Label } from '../../../kernel/classification.js';

/** The purposes that a permission without purposes is for (HL7 v3-ActReason); TPO is TREAT, HPAYMT and HOPERAT. */
export const PURPOSES = ['TREAT', 'ETREAT', 'HPAYMT', 'HOPERAT', 'HRESCH', 'PUBHLTH'] as const;
type Purpose = (typeof PURPOSES)[number];

export const TPO: readonly Purpose[] = ['TREAT', 'HPAYMT', 'HOPERAT'];

/** Break-glass is permitted only where a consent names it, and so is each study. */
export const BREAK_GLASS = 'BTG';
export const STUDY = 'study:';

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

/** Known purposes of use that are never granted by a row, since they are not offered. */
const OUTSIDE = ['HMARKT', 'PATRQT', 'FAMRQT', 'PWATRNY', 'SUPNWK'];

const BROADER: ReadonlyMap<string, Purpose> = new Map(
  PURPOSES.flatMap((purpose) => NARROWER[purpose].map((code): [string, Purpose] => [code, purpose])),
);
const KNOWN_PURPOSES: ReadonlySet<string> = new Set([...PURPOSES, BREAK_GLASS, ...BROADER.keys(), ...OUTSIDE]);

export function isPurpose(code: string): boolean {
  return KNOWN_PURPOSES.has(code);
}

/** A code of another system than v3-ActReason may name a study; which studies there are is not for a consent to say. */
export function studyPurpose(code: string, system: string | undefined): string | null {
  const other = system !== undefined && !system.endsWith('v3-ActReason');
  return other && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(code) ? STUDY + code : null;
}

/** A denial also takes what lies below (ETREAT is a kind of TREAT), and the whole where only a part without a row is denied. */
export function deniedPurposes(codes: readonly string[]): readonly string[] {
  const named = codes.map((code) => BROADER.get(code) ?? code);
  return named.includes('TREAT') ? [...named, 'ETREAT'] : named;
}

/** Bits of the confidentiality levels of v3-Confidentiality that rows can express. */
export const LEVEL = { N: 1, R: 2, V: 4 } as const;
export const ALL_LEVELS = LEVEL.N | LEVEL.R | LEVEL.V;

const BELOW_NORMAL = ['U', 'L', 'M'];

/** Labels right below a label. The two trees of v3-ActCode (behavioural health, substance abuse) meet in SUD. */
const BELOW: Readonly<Partial<Record<Label, readonly Label[]>>> = {
  BH: ['MH', 'PSY', 'SUD'],
  ETH: ['SUD', 'ETHUD', 'OPIOIDUD'],
  SUD: ['ETHUD', 'OPIOIDUD'],
};

export function isSecurityLabel(code: string, system: string | undefined): boolean {
  if (isLevel(code) || BELOW_NORMAL.includes(code)) return system === undefined || system.endsWith('v3-Confidentiality');
  return isLabel(code) && (system === undefined || system.endsWith('v3-ActCode'));
}

const isLevel = (code: string): code is keyof typeof LEVEL => Object.hasOwn(LEVEL, code);
const isLabel = (code: string): code is Label => code !== 'OTHER' && Object.hasOwn(LABELS, code);

function withBelow(label: Label): Label[] {
  return [label, ...(BELOW[label] ?? []).flatMap(withBelow)];
}

/** Which rows a list of security labels means: bits of levels, labels that a row may carry, and labels of which it must carry one (0 = none). */
export interface LabelBounds {
  readonly levels: number;
  readonly labels: number;
  readonly any: number;
}

/**
 * A permission of a level holds for that level. Restricted data have sensitivities by definition (v3-Confidentiality, R), so whoever
 * names R or V names them all; data of normal level have none. A sensitivity such as PSY permits data up to R that carry it, with what
 * lies below it, and no other sensitivity.
 */
export function permittedLabels(codes: readonly string[]): LabelBounds[] {
  if (codes.length === 0) return [{ levels: ALL_LEVELS, labels: ALL_LABELS, any: 0 }];
  const levels = codes.filter(isLevel).reduce((bits, code) => bits | LEVEL[code], 0);
  const any = labelBits(codes.filter(isLabel).flatMap(withBelow));
  return [
    ...(levels === 0 ? [] : [{ levels, labels: levels === LEVEL.N ? 0 : ALL_LABELS, any: 0 }]),
    ...(any === 0 ? [] : [{ levels: LEVEL.N | LEVEL.R, labels: any, any }]),
  ];
}

/**
 * A denial of a level takes the levels above it too. A denial of a sensitivity takes what lies below and above it, and restricted data
 * that do not say why they are restricted.
 */
export function deniedLabels(codes: readonly string[]): LabelBounds[] {
  if (codes.length === 0) return [{ levels: ALL_LEVELS, labels: ALL_LABELS, any: 0 }];
  const lowest = Math.min(...codes.map((code) => (isLevel(code) ? LEVEL[code] : BELOW_NORMAL.includes(code) ? LEVEL.N : Infinity)));
  const named = codes.filter(isLabel);
  const above = (Object.keys(BELOW) as Label[]).filter((label) => withBelow(label).some((one) => named.includes(one)));
  const any = labelBits([...named.flatMap(withBelow), ...above]);
  return [
    ...(lowest === Infinity ? [] : [{ levels: ALL_LEVELS & ~(lowest - 1), labels: ALL_LABELS, any: 0 }]),
    ...(any === 0
      ? []
      : [
          { levels: ALL_LEVELS, labels: ALL_LABELS, any },
          { levels: LEVEL.R | LEVEL.V, labels: 0, any: 0 },
        ]),
  ];
}

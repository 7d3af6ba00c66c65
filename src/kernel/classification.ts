/**
 * Classification tags say what a field holds. Who may see it, which rows and for which purpose is policy.
 * The list is closed: a tag that is not here is refused when the schema is composed.
 */
export const TAGS = {
  root: 'Structure without data: pages, cursors, type names',
  catalogue: 'Facts about data sets, models and jobs, never about a person',
  pseudonym: 'Opaque identifier of a person or of a record of a person',
  'pii.direct': 'Direct identifier: name, record number, phone, address line',
  'pii.quasi': 'Quasi-identifier: full date of birth, postal code, city',
  demographic: 'Sex, year of birth, race, ethnicity, language',
  site: 'The site of care that a record belongs to',
  consent: 'Consent decisions of a person',
  clinical: 'Conditions and observations',
  'genomic.site': 'A variant as a site of a reference assembly, without a person',
  'genomic.individual': 'Genotypes of a person',
  'genomic.aggregate': 'Allele counts and frequencies of a cohort',
  imaging: 'Description of studies, series and instances',
  'imaging.pixel': 'Pixel data and what is computed from them',
  'note.structured': 'Type, time, sections and concepts of a note',
  'phi.note': 'Free text of a note',
  wearable: 'Daily and windowed values of a device',
  'wearable.raw': 'Raw samples of a device',
  'fusion.score': 'Score of a fusion model for a person',
  model: 'Registered models, their cards and metrics',
  evidence: 'Lineage and audit records',
  'evidence.patients': 'Which persons an answer was about',
  quarantine: 'Records that were refused, with their bytes',
} as const;
/** A tag of the closed table, the Safe Harbor letter of a field, or a tag that the policy in force governs. */
export type Tag = keyof typeof TAGS | SafeHarborTag | GovernedTag;
export type GovernedTag = `gov.${string}`;
/** Given to every field by its letter; `.zip`, `.street`, `.birth` and `.age` say more where the letter alone is too coarse. */
export type SafeHarborTag = `safeharbor.${string}`;

/** The letter of 45 CFR 164.514(b)(2)(i) that an identifier falls under, or 'none'. */
export type SafeHarborLetter =
  'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M' | 'N' | 'O' | 'P' | 'Q' | 'R' | 'none';

/** Modalities as consent, missingness and fusion name them; the number is the bit in consent_effect.categories. */
export const MODALITIES = { GENOMICS: 1, IMAGING: 2, NOTES: 4, WEARABLES: 8, CLINICAL: 16 } as const;
export type Modality = keyof typeof MODALITIES;

/** True for tags of the closed table. */
export function isTag(name: string): name is keyof typeof TAGS {
  return Object.hasOwn(TAGS, name);
}

/**
 * Sensitivity labels of rows (HL7 v3-ActCode, InformationSensitivityPolicy) with their bit numbers in columns `label_bits` and
 * consent_effect.labels. ETH, SUD, ETHUD and OPIOIDUD mark records under 42 CFR part 2. Numbers are never reused. OTHER stands for a label that is not in the table.
 */
export const LABELS = {
  ETH: 0,
  SUD: 1,
  ETHUD: 2,
  OPIOIDUD: 3,
  PSY: 4,
  MH: 5,
  BH: 6,
  SDV: 7,
  HIV: 8,
  STD: 9,
  SEX: 10,
  GDIS: 11,
  OTHER: 12,
} as const;
export type Label = keyof typeof LABELS;

/** Every bit of LABELS. */
export const ALL_LABELS = 8191;

/** Confidentiality codes, obligations and marks of test data, which are no sensitivity. */
const NO_SENSITIVITY: ReadonlySet<string> = new Set(['', 'U', 'L', 'M', 'N', 'R', 'V', 'UWM', 'HTEST']);

/** The bits of stated security codes; a code that is not known counts as OTHER. */
export function labelBits(codes: Iterable<string>): number {
  let bits = 0;
  for (const code of codes) {
    if (NO_SENSITIVITY.has(code)) continue;
    bits |= 1 << (Object.hasOwn(LABELS, code) ? LABELS[code as Label] : LABELS.OTHER);
  }
  return bits;
}

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
export type Tag = keyof typeof TAGS;

/** The letter of 45 CFR 164.514(b)(2)(i) that an identifier falls under, or 'none'. */
export type SafeHarborLetter =
  'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M' | 'N' | 'O' | 'P' | 'Q' | 'R' | 'none';

/** Modalities as consent, missingness and fusion name them; the number is the bit in consent_effect.categories. */
export const MODALITIES = { GENOMICS: 1, IMAGING: 2, NOTES: 4, WEARABLES: 8, CLINICAL: 16 } as const;
export type Modality = keyof typeof MODALITIES;

export function isTag(name: string): name is Tag {
  return Object.hasOwn(TAGS, name);
}

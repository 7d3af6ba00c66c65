import { CATEGORY_BIT } from './consent-codes.js';
import type { ConsentData } from './fhir-consent.js';
import { canonicalReference } from './fhir-reference.js';

/** Resources that the mesh also holds as rows without a FHIR id; a denial of one of them takes their whole category. */
const HELD_ELSEWHERE: Readonly<Record<string, number>> = {
  DocumentReference: CATEGORY_BIT.NOTES,
  Composition: CATEGORY_BIT.NOTES,
  DiagnosticReport: CATEGORY_BIT.NOTES,
  Binary: CATEGORY_BIT.NOTES | CATEGORY_BIT.IMAGING,
  ImagingStudy: CATEGORY_BIT.IMAGING,
  Media: CATEGORY_BIT.IMAGING,
  MolecularSequence: CATEGORY_BIT.GENOMICS,
};

const isEncounter = (reference: string): boolean => reference.startsWith('Encounter/');

/** The references of which a row must carry one for a permission that names these data. */
export function permittedRefs(data: readonly ConsentData[]): string[] {
  return data.flatMap(({ meaning, reference }) => {
    const name = canonicalReference(reference) ?? reference;
    if (meaning === 'authoredby') return [`author=${name}`];
    return meaning !== 'instance' && isEncounter(name) ? [`self=${name}`, `encounter=${name}`] : [`self=${name}`];
  });
}

export interface DeniedData {
  /** null where the denial cannot be told by references, so that it takes all rows. */
  readonly refs: readonly string[] | null;
  /** Bits of categories whose rows a denied instance may be. */
  readonly categories: number;
  /** Whether the denial takes more than it states. */
  readonly widened: boolean;
}

/** The rows that a denial of these data takes, with those of authors and encounters that are stated in a form of their own. One that rows cannot show (another server, care plans) is one of everything. */
export function deniedData(data: readonly ConsentData[]): DeniedData {
  if (data.length === 0) return { refs: null, categories: 0, widened: false };
  const refs: string[] = [];
  let categories = 0;
  for (const { meaning, reference } of data) {
    const name = canonicalReference(reference);
    if (name === null || (meaning !== 'instance' && meaning !== 'authoredby' && !isEncounter(name)))
      return { refs: null, categories: 0, widened: true };
    if (meaning === 'authoredby') refs.push(`author=${name}`, 'author=?');
    else refs.push(`self=${name}`);
    if (meaning === 'related' || meaning === 'dependents') refs.push(`encounter=${name}`, 'encounter=?');
    categories |= HELD_ELSEWHERE[name.slice(0, name.indexOf('/'))] ?? 0;
  }
  return { refs: [...new Set(refs)], categories, widened: categories !== 0 };
}

/** A site of the demo: where its patients live and which clock its devices show. */
export interface Site {
  readonly code: 'north' | 'south' | 'west';
  /** Share of the cohort. */
  readonly share: number;
  readonly offsetMinutes: number;
  readonly state: string;
  readonly cities: readonly string[];
  /** First three digits of the postal codes. */
  readonly zip3: readonly string[];
  readonly areaCode: string;
  readonly institution: string;
}

export const SITES: readonly Site[] = [
  {
    code: 'north',
    share: 0.45,
    offsetMinutes: -300,
    state: 'MN',
    cities: ['Pinehollow', 'Lake Arden', 'Stonewick'],
    zip3: ['551', '554', '567'],
    areaCode: '612',
    institution: 'Demo Hospital North (synthetic)',
  },
  {
    code: 'south',
    share: 0.35,
    offsetMinutes: -360,
    state: 'TX',
    cities: ['Mesquite Ford', 'Bluebonnet', 'Cedar Hollow'],
    zip3: ['750', '787', '798'],
    areaCode: '512',
    institution: 'Demo Hospital South (synthetic)',
  },
  {
    code: 'west',
    share: 0.2,
    offsetMinutes: -480,
    state: 'CA',
    cities: ['Port Alder', 'Canyon Bend'],
    zip3: ['941', '953'],
    areaCode: '415',
    institution: 'Demo Hospital West (synthetic)',
  },
];

/** The issuer of a site's medical record numbers; the same string in FHIR, C-CDA, text notes, DICOM and the crosswalk. */
export function mrnSystem(site: Site): string {
  return `urn:thalamus:demo:mrn:${site.code}`;
}

/** One demo identity. `purpose` is a code of HL7 v3-ActReason; `sites` holds site codes, '*' for all. */
export interface DemoIdentity {
  readonly name: string;
  readonly sub: string;
  readonly roles: readonly string[];
  readonly purpose: string;
  readonly sites: readonly string[];
  readonly description: string;
}

/** The five identities that get visibly different answers to the same query. They exist for the demo cohort only. */
export const DEMO_IDENTITIES: readonly DemoIdentity[] = [
  {
    name: 'analyst',
    sub: 'demo-analyst',
    roles: ['analyst'],
    purpose: 'HRESCH',
    sites: ['*'],
    description:
      'Research analyst: pseudonyms, birth years, variants and aggregates of patients who permit research; no names, no note text.',
  },
  {
    name: 'clinician',
    sub: 'demo-clinician',
    roles: ['clinician'],
    purpose: 'TREAT',
    sites: ['north'],
    description: 'Clinician at site north: identified records, notes and images of the own site for treatment.',
  },
  {
    name: 'steward',
    sub: 'demo-steward',
    roles: ['steward'],
    purpose: 'HOPERAT',
    sites: ['*'],
    description: 'Data steward: catalog, classification tags, policies, quarantine and lineage; masked samples only.',
  },
  {
    name: 'officer',
    sub: 'demo-officer',
    roles: ['privacy_officer'],
    purpose: 'HOPERAT',
    sites: ['*'],
    description: 'Privacy officer: audit log, consent states and the difference between absent and withheld data.',
  },
  {
    name: 'engineer',
    sub: 'demo-engineer',
    roles: ['ml_engineer'],
    purpose: 'HRESCH',
    sites: ['*'],
    description: 'ML engineer: feature frames and models of patients who permit research; no free text, no identifiers.',
  },
];

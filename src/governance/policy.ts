import { everyRow, ownRecord, type Grant, type PolicyDeclaration, type Purpose } from '../kernel/index.js';

const own = (role: string, purposes: readonly Purpose[]): Grant => ({
  id: `evidence.${role}.own`,
  reason: 'Everybody may see what stands behind the answers that they were given.',
  role,
  purposes,
  actions: ['read'],
  tags: ['root', 'evidence', 'catalogue'],
  rows: ownRecord,
});

const catalogue = (role: string, purposes: readonly Purpose[]): Grant => ({
  id: `catalogue.${role}`,
  reason: 'What the mesh holds and how it is made is open to everybody who works with it.',
  role,
  purposes,
  actions: ['read'],
  tags: ['root', 'catalogue'],
  rows: everyRow,
});

/** Who sees evidence and quarantine. */
export const policy: PolicyDeclaration = {
  grants: [
    own('clinician', ['TREAT']),
    own('analyst', ['HRESCH']),
    own('ml_engineer', ['HRESCH']),
    catalogue('clinician', ['TREAT']),
    catalogue('analyst', ['HRESCH']),
    catalogue('ml_engineer', ['HRESCH']),
    {
      id: 'emergency.clinician.treat',
      reason: 'In an emergency a clinician opens the records of one person for some minutes, and answers for it.',
      role: 'clinician',
      purposes: ['TREAT'],
      actions: ['emergency'],
      tags: ['root', 'pseudonym', 'evidence'],
      rows: everyRow,
    },
    {
      id: 'emergency.officer.operations',
      reason: 'The privacy officer reviews every emergency access, and may end one; the office opens no records.',
      role: 'privacy_officer',
      purposes: ['HOPERAT'],
      actions: ['emergency'],
      tags: ['root', 'evidence', 'evidence.patients'],
      rows: everyRow,
    },
    {
      id: 'evidence.steward.operations',
      reason: 'Stewards follow data from file to answer, work on what was refused, and propose or approve changes of policy.',
      role: 'steward',
      purposes: ['HOPERAT'],
      actions: ['read', 'release', 'govern'],
      tags: ['root', 'evidence', 'catalogue', 'quarantine'],
      rows: everyRow,
    },
    {
      id: 'evidence.officer.operations',
      reason: 'The privacy officer accounts for every answer and whom it was about, and proposes or approves changes of policy.',
      role: 'privacy_officer',
      purposes: ['HOPERAT'],
      actions: ['read', 'govern'],
      tags: ['root', 'pseudonym', 'evidence', 'evidence.patients', 'catalogue', 'consent'],
      rows: everyRow,
    },
  ],
};

import { allOf, everyRow, ownSite, upToSensitivity, type PolicyDeclaration } from '../../kernel/index.js';

/** Who sees which cells of the imaging product, and for which purpose. The privacy officer sees none of them. */
export const policy: PolicyDeclaration = {
  grants: [
    {
      id: 'imaging.clinician.treat',
      reason: 'Clinicians read the images of the patients of their own site with everything that the header says.',
      role: 'clinician',
      purposes: ['TREAT'],
      actions: ['read', 'feature'],
      tags: ['root', 'pseudonym', 'imaging', 'imaging.pixel', 'pii.direct', 'pii.quasi', 'demographic', 'site'],
      rows: allOf(ownSite, upToSensitivity(2)),
    },
    {
      id: 'imaging.analyst.research',
      reason: 'Research works on images of persons who allow it; UIDs are joinable inside research only, and of dates the year is told.',
      role: 'analyst',
      purposes: ['HRESCH'],
      actions: ['read', 'feature'],
      tags: ['root', 'pseudonym', 'imaging', 'imaging.pixel'],
      masks: { 'pii.direct': 'HASH', 'pii.quasi': 'YEAR' },
      rows: upToSensitivity(0),
      obligations: { kMin: 11 },
    },
    {
      id: 'imaging.engineer.features',
      reason: 'Model input is read as features, never as records.',
      role: 'ml_engineer',
      purposes: ['HRESCH'],
      actions: ['feature', 'train'],
      tags: ['pseudonym', 'imaging', 'imaging.pixel'],
      rows: upToSensitivity(0),
    },
    {
      id: 'imaging.steward.ingest',
      reason: 'Stewards load objects and release them from quarantine; they read no study of a person.',
      role: 'steward',
      purposes: ['HOPERAT'],
      actions: ['write', 'release'],
      tags: ['root', 'imaging', 'imaging.pixel', 'pii.direct', 'pii.quasi', 'catalogue', 'quarantine'],
      rows: everyRow,
    },
  ],
};

import { allOf, everyRow, ownSite, underGlass, upToSensitivity, type PolicyDeclaration } from '../../kernel/index.js';

/** Who sees which cells of the wearables product, and for which purpose. The privacy officer has no grant here. */
export const policy: PolicyDeclaration = {
  grants: [
    {
      id: 'wearables.clinician.treat',
      reason: 'Clinicians treat the patients of their own site and read what their devices recorded, sample by sample.',
      role: 'clinician',
      purposes: ['TREAT'],
      actions: ['read', 'feature'],
      tags: ['root', 'pseudonym', 'pii.direct', 'pii.quasi', 'wearable', 'wearable.raw'],
      rows: allOf(ownSite, upToSensitivity(2)),
    },
    {
      id: 'wearables.clinician.emergency',
      reason: 'Who broke the glass for a person reads the device data of that person, whatever the site and the consent.',
      role: 'clinician',
      purposes: ['TREAT'],
      actions: ['read'],
      tags: ['root', 'pseudonym', 'pii.direct', 'pii.quasi', 'wearable', 'wearable.raw'],
      rows: underGlass,
    },
    {
      id: 'wearables.analyst.research',
      reason:
        'Research reads daily values of persons who allow it; devices are joinable inside research only and of a day the year is left.',
      role: 'analyst',
      purposes: ['HRESCH'],
      actions: ['read'],
      tags: ['root', 'pseudonym', 'wearable'],
      masks: { 'pii.direct': 'HASH', 'pii.quasi': 'YEAR' },
      rows: upToSensitivity(0),
      obligations: { kMin: 11 },
    },
    {
      id: 'wearables.engineer.features',
      reason: 'Models are trained on daily values of persons who allow research; days place a value in time and do not leave the view.',
      role: 'ml_engineer',
      purposes: ['HRESCH'],
      actions: ['feature', 'train'],
      tags: ['pseudonym', 'pii.quasi', 'wearable'],
      rows: upToSensitivity(0),
    },
    {
      id: 'wearables.steward.ingest',
      reason: 'Stewards load files of every product and release records from quarantine.',
      role: 'steward',
      purposes: ['HOPERAT'],
      actions: ['write', 'release'],
      tags: ['root', 'wearable', 'catalogue', 'quarantine'],
      rows: everyRow,
    },
  ],
};

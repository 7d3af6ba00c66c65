import { allOf, everyRow, ownSite, upToSensitivity, type PolicyDeclaration } from '../../kernel/index.js';

/** Who sees which cells of the notes product, and for which purpose. The privacy officer holds no grant: notes are no part of the office. */
export const policy: PolicyDeclaration = {
  grants: [
    {
      id: 'notes.clinician.treat',
      reason: 'Clinicians read the notes of the patients of their own site.',
      role: 'clinician',
      purposes: ['TREAT'],
      actions: ['read', 'feature'],
      tags: ['root', 'pseudonym', 'note.structured', 'phi.note', 'pii.direct', 'pii.quasi'],
      rows: allOf(ownSite, upToSensitivity(2)),
    },
    {
      id: 'notes.analyst.research',
      reason:
        'Research reads and searches notes with identifiers replaced, of persons who allow it; notes under a sensitivity label stay out.',
      role: 'analyst',
      purposes: ['HRESCH'],
      actions: ['read'],
      tags: ['root', 'pseudonym', 'note.structured'],
      masks: { 'phi.note': 'REDACT', 'pii.direct': 'HASH', 'pii.quasi': 'YEAR' },
      rows: upToSensitivity(0),
      obligations: { kMin: 11 },
    },
    {
      id: 'notes.analyst.features',
      reason: 'Model input says which symptoms stand in the notes of the year before; the times that it is made from do not leave.',
      role: 'analyst',
      purposes: ['HRESCH'],
      actions: ['feature'],
      tags: ['pseudonym', 'note.structured', 'pii.quasi'],
      rows: upToSensitivity(0),
    },
    {
      id: 'notes.engineer.features',
      reason: 'Models are trained on features of persons who allow research; the engineer reads no note.',
      role: 'ml_engineer',
      purposes: ['HRESCH'],
      actions: ['feature', 'train'],
      tags: ['pseudonym', 'note.structured', 'pii.quasi'],
      rows: upToSensitivity(0),
    },
    {
      id: 'notes.steward.ingest',
      reason: 'Stewards load files of every product and release what was held back; they do not read notes.',
      role: 'steward',
      purposes: ['HOPERAT'],
      actions: ['write', 'release'],
      tags: ['root', 'pseudonym', 'note.structured', 'phi.note', 'catalogue', 'quarantine'],
      rows: everyRow,
    },
  ],
};

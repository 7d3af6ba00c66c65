import { allOf, everyRow, ownSite, upToSensitivity, type PolicyDeclaration } from '../kernel/index.js';

/**
 * Who runs and trains models. Executing a model is a right of its own (spec/fusion.md F36): it gives no read on the inputs, and a
 * modality that the caller may not use as a feature only leaves the mask.
 */
export const policy: PolicyDeclaration = {
  grants: [
    {
      id: 'fusion.clinician.treat',
      reason: 'Clinicians score the patients of their own site and see which modalities stand behind a score.',
      role: 'clinician',
      purposes: ['TREAT'],
      actions: ['read', 'execute'],
      tags: ['root', 'pseudonym', 'model', 'fusion.score'],
      rows: allOf(ownSite, upToSensitivity(2)),
    },
    {
      id: 'fusion.engineer.research',
      reason: 'Engineers train models on persons who allow research and run them to see how they behave.',
      role: 'ml_engineer',
      purposes: ['HRESCH'],
      actions: ['read', 'execute', 'train'],
      tags: ['root', 'pseudonym', 'model', 'fusion.score'],
      rows: upToSensitivity(0),
      obligations: { kMin: 11 },
    },
    {
      id: 'fusion.analyst.research',
      reason: 'Research compares scores of persons who allow it with what happened to them.',
      role: 'analyst',
      purposes: ['HRESCH'],
      actions: ['read', 'execute'],
      tags: ['root', 'pseudonym', 'model', 'fusion.score'],
      rows: upToSensitivity(0),
      obligations: { kMin: 11 },
    },
    {
      id: 'fusion.steward.operations',
      reason: 'Stewards read the cards of models as part of the catalogue; they score nobody.',
      role: 'steward',
      purposes: ['HOPERAT'],
      actions: ['read'],
      tags: ['root', 'model'],
      rows: everyRow,
    },
    {
      id: 'fusion.officer.operations',
      reason: 'The privacy officer checks which modalities a run could use and why the others were left out, without any score.',
      role: 'privacy_officer',
      purposes: ['HOPERAT'],
      actions: ['read', 'execute'],
      tags: ['root', 'pseudonym', 'model'],
      rows: upToSensitivity(2),
    },
    {
      id: 'fusion.officer.missingness',
      reason:
        'To tell a modality that is withheld from one that was never collected, the run of an officer looks at it; its values only leave as a mask.',
      role: 'privacy_officer',
      purposes: ['HOPERAT'],
      actions: ['feature'],
      tags: [
        'pseudonym',
        'demographic',
        'pii.quasi',
        'clinical',
        'genomic.site',
        'genomic.individual',
        'genomic.aggregate',
        'imaging',
        'imaging.pixel',
        'note.structured',
        'wearable',
      ],
      rows: upToSensitivity(0),
    },
  ],
};

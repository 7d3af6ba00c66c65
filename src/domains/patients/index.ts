import { Patient, defineProduct, type Product } from '../../kernel/index.js';
import { features, label } from './features.js';
import { Condition, Consent, Observation, PatientFields } from './model.js';
import { pipeline } from './pipeline.js';
import { policy } from './policy.js';
import { CohortQueries, PatientMutations, PatientQueries } from './resolvers.js';

export const product: Product = defineProduct({
  name: 'patients',
  description: 'Persons, their identity, consent and clinical facts.',
  owner: 'Patient administration',
  types: [Patient, Condition, Consent, Observation],
  extensions: [PatientFields],
  resolvers: [PatientQueries, CohortQueries, PatientMutations],
  policy,
  pipeline,
  features,
  label,
});

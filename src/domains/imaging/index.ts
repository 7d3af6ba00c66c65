import { defineProduct, type Product } from '../../kernel/index.js';
import { features } from './features.js';
import { ImagingInstance, ImagingSeries, ImagingStudy, PatientImaging } from './model.js';
import { pipeline } from './pipeline.js';
import { policy } from './policy.js';
import { ImagingMutations, ImagingQueries } from './resolvers.js';

export const product: Product = defineProduct({
  name: 'imaging',
  description: 'Imaging studies, their series and objects, and what is computed from pixels.',
  owner: 'Radiology',
  types: [ImagingStudy, ImagingSeries, ImagingInstance],
  extensions: [PatientImaging],
  resolvers: [ImagingQueries, ImagingMutations],
  policy,
  pipeline,
  features,
});

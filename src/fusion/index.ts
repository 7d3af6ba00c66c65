import { defineProduct, type Product } from '../kernel/index.js';
import { FusionModel } from './model.js';
import { policy } from './policy.js';
import { FusionMutations, FusionQueries } from './resolvers.js';

export const product: Product = defineProduct({
  name: 'fusion',
  description: 'Models that score a person from whatever modalities exist and may be used.',
  owner: 'Model governance',
  types: [FusionModel],
  resolvers: [FusionQueries, FusionMutations],
  policy,
});

import { defineProduct, type Product } from '../../kernel/index.js';
import { features } from './features.js';
import { AlleleFrequency, Carrier, Genotype, PatientFields, Variant } from './model.js';
import { pipeline } from './pipeline.js';
import { policy } from './policy.js';
import { GenomicsMutations, GenomicsQueries } from './resolvers.js';

export const product: Product = defineProduct({
  name: 'genomics',
  description: 'Variants as sites, genotypes of persons and allele counts of cohorts.',
  owner: 'Genome laboratory',
  types: [Variant, AlleleFrequency, Carrier, Genotype],
  extensions: [PatientFields],
  resolvers: [GenomicsQueries, GenomicsMutations],
  policy,
  pipeline,
  features,
});

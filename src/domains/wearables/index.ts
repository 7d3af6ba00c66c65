import { defineProduct, type Product } from '../../kernel/index.js';
import { features } from './features.js';
import { PatientFields, WearableDay, WearableDevice, WearableSample, WearableWindow } from './model.js';
import { pipeline } from './pipeline.js';
import { policy } from './policy.js';
import { WearableMutations, WearableQueries } from './resolvers.js';

export const product: Product = defineProduct({
  name: 'wearables',
  description: 'What the devices of persons recorded: daily values, windows and raw samples.',
  owner: 'Digital health',
  types: [WearableDay, WearableDevice, WearableSample, WearableWindow],
  extensions: [PatientFields],
  resolvers: [WearableQueries, WearableMutations],
  policy,
  pipeline,
  features,
});

import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { collection, operation, queries, reference, type Scope } from '../kernel/index.js';
import { RunFusionInput, TrainFusionInput } from './input.js';
import { FusionModel, TrainedModel } from './model.js';
import { FusionRun } from './result.js';
import { runFusion } from './run-model.js';
import { trainFusion } from './train-model.js';

/** Entrances of the fusion product. */
@queries()
export class FusionQueries {
  @reference({
    to: () => FusionModel,
    on: [],
    filters: [
      {
        argument: 'id',
        description: 'Model and version, as <model_id>@<version>.',
        type: 'ID',
        required: true,
        column: 'id',
        operator: 'eq',
      },
    ],
    tags: ['model'],
    safeHarbor: 'none',
    description: 'One version of a fusion model.',
  })
  fusionModel!: unknown;
  @collection({
    of: () => FusionModel,
    on: [],
    filters: [
      { argument: 'modelId', description: 'Versions of this model.', type: 'String', column: 'model_id', operator: 'eq' },
      { argument: 'label', description: 'Models of this outcome.', type: 'String', column: 'label', operator: 'eq' },
    ],
    orders: [
      { name: 'TRAINED_AT_DESC', column: 'trained_at', type: 'timestamptz', descending: true },
      { name: 'TRAINED_AT_ASC', column: 'trained_at', type: 'timestamptz' },
    ],
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Registered versions of fusion models.',
  })
  fusionModels!: unknown;
}

@Resolver()
export class FusionMutations {
  @Mutation(() => TrainedModel, { description: 'Trains, evaluates on every subset of modalities and registers a late fusion model.' })
  @operation({ action: 'train', tags: ['model'] })
  async trainFusionModel(@Arg('input', () => TrainFusionInput) input: TrainFusionInput, @Ctx() scope: Scope): Promise<TrainedModel> {
    return trainFusion(scope, input);
  }

  @Mutation(() => FusionRun, {
    description: 'Scores persons from the modalities that exist and may be used, and says what was missing and why.',
  })
  @operation({ action: 'execute', tags: ['model'] })
  async runFusion(@Arg('input', () => RunFusionInput) input: RunFusionInput, @Ctx() scope: Scope): Promise<FusionRun> {
    return runFusion(scope, input);
  }
}

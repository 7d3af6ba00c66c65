import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { IngestFile, IngestResult, collection, ingestThrough, operation, queries, type Scope } from '../../kernel/index.js';
import { DAY_FILTERS, WearableDay } from './model.js';

/** Entrances of the wearables product. */
@queries()
export class WearableQueries {
  @collection({
    of: () => WearableDay,
    on: [],
    filters: DAY_FILTERS,
    tags: ['wearable'],
    safeHarbor: 'none',
    description: 'Days of the devices of all persons that the caller may know of.',
  })
  wearableDays!: unknown;
}

@Resolver()
export class WearableMutations {
  @Mutation(() => IngestResult, {
    description: 'Loads a Garmin FIT file, Open mHealth data points (JSON) or an Apple Health export (XML).',
  })
  @operation({ action: 'write', tags: ['wearable'] })
  async ingestWearables(@Arg('file', () => IngestFile) file: IngestFile, @Ctx() scope: Scope): Promise<IngestResult> {
    return ingestThrough(scope, 'wearables', file);
  }
}

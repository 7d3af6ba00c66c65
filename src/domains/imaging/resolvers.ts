import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { IngestFile, IngestResult, collection, ingestThrough, operation, queries, reference, type Scope } from '../../kernel/index.js';
import { ImagingStudy, studyFilters, studyOrders } from './model.js';

/** Entrances of the imaging product. */
@queries()
export class ImagingQueries {
  @collection({
    of: () => ImagingStudy,
    on: [],
    filters: studyFilters,
    orders: studyOrders,
    tags: ['imaging'],
    safeHarbor: 'none',
    description: 'Imaging studies that the caller may know of.',
  })
  imagingStudies!: unknown;
  @reference({
    to: () => ImagingStudy,
    on: [],
    filters: [{ argument: 'id', description: 'Identifier of the study.', type: 'ID', required: true, column: 'id', operator: 'eq' }],
    tags: ['imaging'],
    safeHarbor: 'none',
    description: 'One imaging study; unknown and hidden studies give the same answer.',
  })
  imagingStudy!: unknown;
}

@Resolver()
export class ImagingMutations {
  @Mutation(() => IngestResult, { description: 'Loads one DICOM object (PS3.10 file or bare data set).' })
  @operation({ action: 'write', tags: ['imaging', 'pii.direct'] })
  async ingestImaging(@Arg('file', () => IngestFile) file: IngestFile, @Ctx() scope: Scope): Promise<IngestResult> {
    return ingestThrough(scope, 'imaging', file);
  }
}

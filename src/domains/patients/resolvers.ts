import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import {
  IngestFile,
  IngestResult,
  Patient,
  aggregate,
  collection,
  ingestThrough,
  operation,
  queries,
  reference,
  type Filter,
  type Scope,
} from '../../kernel/index.js';

const cohort: readonly Filter[] = [
  { argument: 'sex', description: 'Administrative gender.', type: 'String', column: 'sex', operator: 'eq' },
  { argument: 'bornFrom', description: 'Born in this year or later.', type: 'Int', column: 'birth_year', operator: 'gte' },
  { argument: 'bornTo', description: 'Born in this year or earlier.', type: 'Int', column: 'birth_year', operator: 'lte' },
  { argument: 'site', description: 'Registered at this site.', type: 'String', column: 'site_id', operator: 'eq' },
];

/** Entrances of the patients product. */
@queries()
export class PatientQueries {
  @reference({
    to: () => Patient,
    on: [],
    filters: [
      { argument: 'id', description: 'Identifier of the person.', type: 'ID', required: true, column: 'patient_id', operator: 'eq' },
    ],
    tags: ['pseudonym'],
    safeHarbor: 'none',
    description: 'One person; unknown and hidden persons give the same answer.',
  })
  patient!: unknown;
  @collection({
    of: () => Patient,
    on: [],
    filters: cohort,
    tags: ['pseudonym'],
    safeHarbor: 'none',
    description: 'Persons that the caller may know of.',
  })
  patients!: unknown;
  @aggregate({
    of: () => Patient,
    on: [],
    filters: cohort,
    measure: { op: 'count' },
    tags: ['pseudonym'],
    safeHarbor: 'none',
    description: 'Number of persons; null where the count is too small to be told.',
  })
  patientCount!: unknown;
}

@Resolver()
export class PatientMutations {
  @Mutation(() => IngestResult, {
    description: 'Loads FHIR R4 resources (a bundle, one resource or NDJSON) or an identity crosswalk (CSV).',
  })
  @operation({ action: 'write', tags: ['clinical', 'pii.direct'] })
  async ingestPatients(@Arg('file', () => IngestFile) file: IngestFile, @Ctx() scope: Scope): Promise<IngestResult> {
    return ingestThrough(scope, 'patients', file);
  }
}

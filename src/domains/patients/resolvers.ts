import { Arg, Ctx, Mutation, Query, Resolver, registerEnumType } from 'type-graphql';
import {
  CodedError,
  IngestFile,
  IngestResult,
  LIMITS,
  Patient,
  SCALARS,
  aggregate,
  collection,
  ingestThrough,
  operation,
  queries,
  reference,
  value,
  valueType,
  type CrossAxis,
  type CrossTable,
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

const asRecorded = (value: unknown): string => (typeof value === 'string' || typeof value === 'boolean' ? String(value) : '');
const decade = (value: unknown): string => (typeof value === 'number' ? String(Math.floor(value / 10) * 10) : '');

/** What persons may be counted by. */
const AXES: Readonly<Record<string, Omit<CrossAxis, 'name'>>> = {
  SEX: { column: 'sex', group: asRecorded },
  BIRTH_DECADE: { column: 'birth_year', group: decade },
  RACE: { column: 'race', group: asRecorded },
  ETHNICITY: { column: 'ethnicity', group: asRecorded },
  SITE: { column: 'site_id', group: asRecorded },
  DECEASED: { column: 'deceased', group: asRecorded },
};

const CohortDimension = Object.fromEntries(Object.keys(AXES).map((name) => [name, name]));
registerEnumType(CohortDimension, { name: 'CohortDimension', description: 'What persons may be counted by.' });

const about = { tags: ['pseudonym'], safeHarbor: 'none' } as const;
const COUNT = { ...about, type: () => SCALARS.Int, description: 'Number of persons; null where it is withheld.' };
const SUPPRESSED = { ...about, type: () => SCALARS.Boolean, required: true, description: 'True where the number is withheld.' };

@valueType('CohortCell', 'Persons who are alike in every dimension.')
export class CohortCell {
  @value({
    ...about,
    type: () => [SCALARS.String],
    required: true,
    description: 'Group of each dimension, in the order asked; empty where nothing is recorded.',
  })
  values!: readonly string[];
  @value(COUNT)
  count!: number | null;
  @value(SUPPRESSED)
  suppressed!: boolean;
}

@valueType('CohortMargin', 'Persons who are alike in one dimension.')
export class CohortMargin {
  @value({ ...about, type: () => CohortDimension, required: true, description: 'The dimension.' })
  dimension!: string;
  @value({ ...about, type: () => SCALARS.String, required: true, description: 'The group; empty where nothing is recorded.' })
  value!: string;
  @value(COUNT)
  count!: number | null;
  @value(SUPPRESSED)
  suppressed!: boolean;
}

@valueType('CohortCounts', 'A cross table of persons. Small numbers are withheld, and others from which they would follow.')
export class CohortCounts {
  @value({ ...about, type: () => [CohortCell], required: true, description: 'Every combination of the groups that occur.' })
  cells!: readonly CohortCell[];
  @value({ ...about, type: () => [CohortMargin], required: true, description: 'Totals of each dimension.' })
  margins!: readonly CohortMargin[];
  @value({ ...COUNT, description: 'Persons in all; null where it is withheld.' })
  total!: number | null;
}

@Resolver()
export class CohortQueries {
  @Query(() => CohortCounts, { description: 'Persons that the caller may count, by up to three dimensions.' })
  @operation({ action: 'count', tags: ['pseudonym', 'demographic'] })
  async cohortCounts(
    @Arg('by', () => [CohortDimension], { description: 'Dimensions, from one to three, each once.' }) by: string[],
    @Arg('sex', () => String, { nullable: true, description: 'Administrative gender.' }) sex: string | null | undefined,
    @Arg('bornFrom', () => SCALARS.Int, { nullable: true, description: 'Born in this year or later.' }) bornFrom: number | null | undefined,
    @Arg('bornTo', () => SCALARS.Int, { nullable: true, description: 'Born in this year or earlier.' }) bornTo: number | null | undefined,
    @Arg('site', () => String, { nullable: true, description: 'Registered at this site.' }) site: string | null | undefined,
    @Ctx() scope: Scope,
  ): Promise<CohortCounts> {
    if (by.length === 0 || by.length > LIMITS.cohort_dimensions_max || new Set(by).size < by.length)
      throw new CodedError('BAD_INPUT', `Name one to ${LIMITS.cohort_dimensions_max} dimensions, each once.`, { place: 'by' });
    const born = given({ from: bornFrom, to: bornTo });
    const table: CrossTable = await scope.crossTable({
      of: () => Patient,
      axes: by.map((name) => ({ name, ...axisOf(name) })),
      where: given({ sex, site_id: site }),
      ...(Object.keys(born).length === 0 ? {} : { between: { birth_year: born } }),
    });
    return {
      cells: table.cells,
      margins: table.margins.map(({ axis, ...rest }) => ({ dimension: axis, ...rest })),
      total: table.total.count,
    };
  }
}

/** The arguments that are there. */
function given<T>(args: Readonly<Record<string, T | null | undefined>>): Record<string, T> {
  return Object.fromEntries(Object.entries(args).filter((each): each is [string, T] => each[1] !== null && each[1] !== undefined));
}

function axisOf(name: string): Omit<CrossAxis, 'name'> {
  const found = AXES[name];
  if (!found) throw new CodedError('BAD_INPUT', 'There is no such dimension.', { place: 'by' });
  return found;
}

import 'reflect-metadata';
import { printType, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { buildSchemaSync, type NonEmptyArray } from 'type-graphql';
import { Patient, entityOf, type Principal, type Tag, type TypeClass } from '../../../src/kernel/index.js';
import { product } from '../../../src/domains/imaging/index.js';
import { ImagingInstance, ImagingSeries, ImagingStudy } from '../../../src/domains/imaging/model.js';
import { Classification, assertClassified, composePolicy, type Decision, type PolicyClass } from '../../../src/governance/index.js';
import { classOf } from '../../support/classes.js';
import { assetOf, TABLES } from './support.js';

const schema: GraphQLSchema = buildSchemaSync({
  resolvers: product.resolvers as NonEmptyArray<TypeClass>,
  orphanedTypes: [Patient, ...product.types],
  validate: false,
});
const policy = composePolicy([product.policy]);
const classification = new Classification(schema, []);
const asRole = (role: string, purpose: Principal['purpose']): PolicyClass => classOf(policy, [role], purpose, { schema });
const clinician = asRole('clinician', 'TREAT');
const analyst = asRole('analyst', 'HRESCH');
const engineer = asRole('ml_engineer', 'HRESCH');
const masks = (decision: Decision): (string | null)[] => decision.alternatives.map((each) => each.mask);
const cell = (of: typeof ImagingStudy | typeof ImagingSeries | typeof ImagingInstance, column: string): readonly Tag[] =>
  classification.columnTags(() => of, column) ?? [];

describe('the model of imaging', () => {
  test('is classified throughout', () => {
    expect(() => assertClassified(schema)).not.toThrow();
  });

  test('shows a study with its person, series and counts', () => {
    const fields = Object.keys((schema.getType('ImagingStudy') as GraphQLObjectType).getFields()).sort();
    expect(fields).toEqual([
      'bodyParts',
      'description',
      'id',
      'instanceCount',
      'modalities',
      'patient',
      'series',
      'seriesCount',
      'startedAt',
      'uid',
    ]);
    const patient = printType(schema.getType('Patient') as GraphQLObjectType);
    expect(patient).toContain('imagingStudies(');
    expect(patient).toContain('imagingStudyCount(');
    expect(Object.keys(schema.getQueryType()?.getFields() ?? {}).sort()).toEqual(['imagingStudies', 'imagingStudy']);
    expect(Object.keys(schema.getMutationType()?.getFields() ?? {})).toEqual(['ingestImaging']);
  });

  test('serves columns that the pipeline writes, and the same keys', () => {
    [ImagingStudy, ImagingSeries, ImagingInstance].forEach((of, index) => {
      const { table, key, patient } = entityOf(of);
      const asset = assetOf(table);
      expect(table).toBe(TABLES[index]);
      expect(asset.key).toEqual(key);
      expect(key[0]).toBe(patient);
    });
  });

  test('every description is a sentence', () => {
    for (const type of ['ImagingStudy', 'ImagingSeries', 'ImagingInstance']) {
      for (const field of Object.values((schema.getType(type) as GraphQLObjectType).getFields()))
        expect(field.description).toMatch(/^[A-Z].*\.$/);
    }
  });
});

describe('the policy of imaging', () => {
  test('a clinician reads all of it at the own site', () => {
    for (const column of ['sop_uid', 'file_digest', 'attributes', 'pixel_mean'])
      expect(masks(clinician.decide(cell(ImagingInstance, column)))).toEqual([null]);
    expect(masks(clinician.decide(cell(ImagingStudy, 'started_at')))).toEqual([null]);
    expect(product.policy.grants.find((grant) => grant.role === 'clinician')?.rows).toMatchObject({
      of: [{ attribute: 'site' }, { literal: 2 }],
    });
  });

  test('an analyst gets hashed UIDs, the year and pixel values, and no header', () => {
    expect(masks(analyst.decide(cell(ImagingStudy, 'study_uid')))).toEqual(['HASH']);
    expect(masks(analyst.decide(cell(ImagingInstance, 'file_digest')))).toEqual(['HASH']);
    expect(masks(analyst.decide(cell(ImagingStudy, 'started_at')))).toEqual(['YEAR']);
    expect(masks(analyst.decide(cell(ImagingInstance, 'pixel_mean')))).toEqual([null]);
    expect(masks(analyst.decide(cell(ImagingInstance, 'attributes')))).toEqual([]);
  });

  test('an engineer uses features and reads no record', () => {
    expect(engineer.may('read', ['imaging'])).toBe(false);
    expect(engineer.may('train', features())).toBe(true);
    expect(engineer.may('feature', features())).toBe(true);
  });

  test('a steward writes and reads nothing; the officer and other purposes get nothing', () => {
    const steward = asRole('steward', 'HOPERAT');
    expect(steward.may('write', ['imaging', 'pii.direct'])).toBe(true);
    expect(steward.may('read', ['imaging'])).toBe(false);
    expect(asRole('privacy_officer', 'HOPERAT').empty).toBe(true);
    expect(asRole('clinician', 'HRESCH').empty).toBe(true);
    expect(asRole('analyst', 'TREAT').empty).toBe(true);
  });
});

/** Everything that the features declare and read: their own tags, those of the rows and those of each classified column. */
function features(): Tag[] {
  const view = product.features;
  if (!view) throw new Error('no features');
  const read = view.reads.flatMap(({ of, columns }) => [
    ...entityOf(of()).tags,
    ...columns.flatMap((column) => classification.columnTags(of, column) ?? []),
  ]);
  return [...new Set<Tag>([...view.tags, ...read])];
}

import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isObjectType, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { buildSchemaSync, type NonEmptyArray } from 'type-graphql';
import { product } from '../../../src/domains/patients/index.js';
import { DECLARATION, type EntityDeclaration, type FieldDeclaration, type TypeClass } from '../../../src/kernel/index.js';

const MIGRATION = resolve(__dirname, '../../../migrations/20261122100100-create-patients.ts');
const TYPES: Readonly<Record<string, string>> = { boolean: 'bool', smallint: 'int', jsonb: 'json' };

interface Declared {
  readonly name: string;
  readonly type: GraphQLObjectType;
  readonly entity: EntityDeclaration;
  readonly fields: [string, FieldDeclaration][];
}

let entities: Declared[] = [];
let schema: GraphQLSchema;

beforeAll(() => {
  schema = buildSchemaSync({
    resolvers: product.resolvers as unknown as NonEmptyArray<TypeClass>,
    orphanedTypes: [...product.types],
    validate: false,
  });
  entities = Object.values(schema.getTypeMap()).flatMap((type): Declared[] => {
    const entity = type.extensions[DECLARATION] as EntityDeclaration | undefined;
    if (!isObjectType(type) || entity?.kind !== 'entity') return [];
    const fields = Object.values(type.getFields()).map((field): [string, FieldDeclaration] => [
      field.name,
      field.extensions[DECLARATION] as FieldDeclaration,
    ]);
    return [{ name: type.name, type, entity, fields }];
  });
});

/** Columns of a table as the migration creates them: name, type, and whether it is never null. */
function columnsOf(table: string): Map<string, { type: string; required: boolean }> {
  const text = readFileSync(MIGRATION, 'utf8');
  const start = text.indexOf(`create table ${table} (`);
  const body = text.slice(start, text.indexOf(';', start));
  const found = [
    ...body.matchAll(/[\s(,](\w+) (uuid|text|int|smallint|date|timestamptz|float8|boolean|jsonb)( collate "C")?( not null| primary key)?/g),
  ];
  return new Map(
    found.map(([, name = '', type = '', , required]) => [name, { type: TYPES[type] ?? type, required: required !== undefined }]),
  );
}

test('the entities of the room are part of the schema', () => {
  expect(entities.map(({ name }) => name).sort()).toEqual(['Condition', 'Consent', 'Observation', 'Patient']);
  expect(Object.keys(schema.getQueryType()?.getFields() ?? {}).sort()).toEqual(['cohortCounts', 'patient', 'patientCount', 'patients']);
});

test('every served column is a column of its table with the same type', () => {
  let served = 0;
  for (const { name, entity, fields } of entities) {
    const columns = columnsOf(entity.table);
    for (const [field, declaration] of fields) {
      if (declaration.kind !== 'column') continue;
      served++;
      expect([name, field, columns.get(declaration.column)?.type]).toEqual([name, field, declaration.type]);
      if (declaration.required === true) expect([name, field, columns.get(declaration.column)?.required]).toEqual([name, field, true]);
    }
  }
  expect(served).toBeGreaterThan(30);
});

test('what names a person directly is never served under a weaker tag', () => {
  const patient = new Map(entities.find(({ name }) => name === 'Patient')?.fields);
  for (const name of ['mrn', 'givenName', 'familyName', 'city', 'phone']) expect(patient.get(name)?.tags).toEqual(['pii.direct']);
  for (const name of ['birthDate', 'postalCode']) expect(patient.get(name)?.tags).toEqual(['pii.quasi']);
  expect([...patient.values()].filter((field) => field.kind === 'column' && field.column === 'social_security_number')).toEqual([]);
});

test('every entity is about a person, and its id carries the tags of the entity', () => {
  for (const { entity, fields } of entities) {
    expect(entity).toMatchObject({ modality: 'CLINICAL', patient: 'patient_id' });
    expect(new Map(fields).get('id')).toMatchObject({ required: true, tags: [...entity.tags] });
    expect(entity.key[0]).toBe('patient_id');
  }
});

test('every description is a full sentence', () => {
  for (const { entity, fields } of entities) {
    for (const text of [entity.description, ...fields.flatMap(([, field]) => ('description' in field ? [field.description] : []))]) {
      expect(text).toMatch(/^[A-Z0-9].*\.$/);
    }
  }
});

test('consents are seen by who treats or watches over privacy, and by no analyst or engineer', () => {
  const seers = product.policy.grants
    .filter(({ tags, actions }) => tags.includes('consent') && actions.includes('read'))
    .map(({ role }) => role);
  expect([...new Set(seers)].sort()).toEqual(['clinician', 'privacy_officer']);
});

import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import type { GraphQLObjectType, GraphQLSchema } from 'graphql';
import { buildSchemaSync, type NonEmptyArray } from 'type-graphql';
import { buildClassSchema } from '../../../src/governance/class-schema.js';
import { assertClassified } from '../../../src/governance/coordinates.js';
import type { PolicyClass } from '../../../src/governance/decide.js';
import { classOf as makeClass } from '../../support/classes.js';
import { composePolicy } from '../../../src/governance/compose-policy.js';
import { DECLARATION, entityOf, type FieldDeclaration, type Mask, type Purpose, type Tag } from '../../../src/kernel/index.js';
import { product } from '../../../src/domains/notes/index.js';
import { assetOf } from './support.js';

const schema: GraphQLSchema = buildSchemaSync({
  resolvers: product.resolvers as unknown as NonEmptyArray<new () => object>,
  validate: false,
});
const policy = composePolicy([product.policy]);
const classOf = (role: string, purpose: Purpose): PolicyClass => makeClass(policy, [role], purpose, { schema, allSites: false });
const clinician = classOf('clinician', 'TREAT');
const analyst = classOf('analyst', 'HRESCH');
const MIGRATION = path.resolve(__dirname, '../../../migrations/20261122100400-create-notes.ts');
const NOTE: readonly Tag[] = ['pseudonym', 'note.structured'];

/** Masks under which a class reads a column; undefined where it may not. */
function maskOf(policyClass: PolicyClass, type: string, field: string): Mask | null | undefined {
  const declaration = fieldsOf(schema, type)[field]?.extensions[DECLARATION] as FieldDeclaration;
  return policyClass.decide([...NOTE, ...declaration.tags]).alternatives[0]?.mask;
}

function fieldsOf(of: GraphQLSchema, type: string): ReturnType<GraphQLObjectType['getFields']> {
  return (of.getType(type) as GraphQLObjectType | undefined)?.getFields() ?? {};
}

const argumentsOf = (of: GraphQLSchema, type: string, field: string): string[] =>
  (fieldsOf(of, type)[field]?.args ?? []).map((each) => each.name);

describe('the model of notes', () => {
  it('classifies every field, filter and order, and describes each by a sentence', () => {
    expect(() => {
      assertClassified(schema);
    }).not.toThrow();
    for (const type of product.types)
      for (const field of Object.values(fieldsOf(schema, type.name))) expect(field.description).toMatch(/^[A-Z].*\.$/);
  });

  it('serves only columns that the pipeline writes, with their types', () => {
    for (const type of product.types) {
      const { table, key } = entityOf(type);
      const { columns, key: written } = assetOf(table);
      expect(key).toEqual(written);
      for (const field of Object.values(fieldsOf(schema, type.name))) {
        const declaration = field.extensions[DECLARATION] as FieldDeclaration;
        if (declaration.kind !== 'column') continue;
        expect([field.name, columns[declaration.column]]).toEqual([field.name, declaration.type]);
        if (declaration.redacted !== undefined) expect(columns[declaration.redacted]).toBe(declaration.type);
      }
    }
  });

  it('orders by a column that is never null', () => {
    expect(argumentsOf(schema, 'Patient', 'notes')).toEqual(expect.arrayContaining(['type', 'from', 'to', 'text', 'orderBy']));
    expect(readFileSync(MIGRATION, 'utf8')).toMatch(/authored_key timestamptz not null/);
  });
});

describe('who sees notes', () => {
  it('lets clinicians at their site read all of a note, and nobody for another purpose', () => {
    for (const field of ['id', 'title', 'body', 'author', 'authoredAt']) expect(maskOf(clinician, 'Note', field)).toBeNull();
    expect(clinician.clearance).toBe(2);
    expect(JSON.stringify(clinician.rowRule(entityOf(product.types[0] as never)))).toContain('"sites"');
    expect(classOf('clinician', 'HRESCH').empty).toBe(true);
  });

  it('gives analysts the redacted text, hashed authors and years, and no labelled note', () => {
    expect(maskOf(analyst, 'Note', 'body')).toBe('REDACT');
    expect(maskOf(analyst, 'NoteSection', 'text')).toBe('REDACT');
    expect(maskOf(analyst, 'Note', 'author')).toBe('HASH');
    expect(maskOf(analyst, 'Note', 'authoredAt')).toBe('YEAR');
    expect(maskOf(analyst, 'NoteConcept', 'code')).toBeNull();
    expect(maskOf(analyst, 'NoteConcept', 'start')).toBe('REDACT');
    expect(analyst.clearance).toBe(0);
  });

  it('never shows a redacted view through a column that has no redacted twin', () => {
    for (const name of ['Note', 'NoteSection', 'NoteConcept']) {
      for (const field of Object.values(fieldsOf(schema, name))) {
        const declaration = field.extensions[DECLARATION] as FieldDeclaration;
        if (declaration.kind === 'column' && ['body', 'masked_body'].includes(declaration.column))
          expect(declaration.redacted).toBe('masked_body');
        if (declaration.kind === 'column' && declaration.column === 'title' && name === 'Note')
          expect(declaration.redacted).toBeUndefined();
      }
    }
  });

  it('lets analysts search, but neither filter nor order by time', () => {
    const seen = buildClassSchema(schema, analyst);
    expect(argumentsOf(seen, 'Query', 'notes')).toEqual(['first', 'after', 'type', 'text']);
    expect(argumentsOf(buildClassSchema(schema, clinician), 'Query', 'notes')).toEqual([
      'first',
      'after',
      'orderBy',
      'type',
      'from',
      'to',
      'text',
    ]);
  });

  it('hides notes from engineers, stewards and the privacy officer', () => {
    for (const [role, purpose] of [
      ['ml_engineer', 'HRESCH'],
      ['steward', 'HOPERAT'],
      ['privacy_officer', 'HOPERAT'],
    ] as const) {
      expect(classOf(role, purpose).decide(NOTE).alternatives).toEqual([]);
      expect(Object.keys(fieldsOf(buildClassSchema(schema, classOf(role, purpose)), 'Query'))).toEqual([]);
    }
  });

  it('lets stewards alone load notes', () => {
    const may = (role: string, purpose: Purpose): boolean => classOf(role, purpose).may('write', ['note.structured', 'phi.note']);
    expect([may('steward', 'HOPERAT'), may('clinician', 'TREAT'), may('analyst', 'HRESCH'), may('ml_engineer', 'HRESCH')]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it('gives features to those who run and train models, through one grant over all that they read', () => {
    const tags = product.features?.tags ?? [];
    const clear = (policyClass: PolicyClass, action: 'feature' | 'train'): boolean =>
      policyClass.decide(tags, action).alternatives.some((each) => each.mask === null);
    const engineer = classOf('ml_engineer', 'HRESCH');
    expect([
      clear(engineer, 'feature'),
      clear(engineer, 'train'),
      clear(analyst, 'feature'),
      clear(analyst, 'train'),
      clear(clinician, 'feature'),
    ]).toEqual([true, true, true, false, true]);
  });
});

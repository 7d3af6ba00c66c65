import 'reflect-metadata';
import { buildSchema, graphql, isInterfaceType, isObjectType, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { applyMiddleware } from 'graphql-middleware';
import { shield, type IRules } from 'graphql-shield';
import { composePolicy, guard, type PolicyClass } from '../../src/governance/index.js';
import { DECLARATION, everyRow, isCoded, type Grant, type Tag } from '../../src/kernel/index.js';
import { classOf } from '../support/classes.js';

/** The class of a reader who holds these tags and nothing else. */
export function readerOf(schema: GraphQLSchema, tags: readonly Tag[]): PolicyClass {
  const grant: Grant = {
    id: 'reader',
    reason: 'for a test',
    role: 'reader',
    purposes: ['TREAT'],
    actions: ['read'],
    tags: ['root', ...tags],
    rows: everyRow,
  };
  return classOf(composePolicy([{ grants: [grant] }]), ['reader'], 'TREAT', { schema });
}

export type Resolvers = Readonly<Record<string, unknown>>;

/** A schema from its text, with a resolver for each coordinate that has one (`subscribe:` before it for the source of a subscription). */
export function schemaOf(sdl: string, resolvers: Resolvers): GraphQLSchema {
  const schema = buildSchema(sdl);
  for (const [name, work] of Object.entries(resolvers)) {
    const [typeName = '', fieldName = ''] = name.replace('subscribe:', '').split('.');
    const type = schema.getType(typeName);
    const field = isObjectType(type) ? type.getFields()[fieldName] : undefined;
    if (!field) throw new Error(`there is no ${name}`);
    field[name.startsWith('subscribe:') ? 'subscribe' : 'resolve'] = work as never;
  }
  return schema;
}

/** The same with each field classified as a value: `secret` fields carry a tag that a plain reader is not granted. */
function classifiedOf(sdl: string, resolvers: Resolvers, secret: readonly string[]): GraphQLSchema {
  const schema = schemaOf(sdl, resolvers);
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__') || !(isObjectType(type) || isInterfaceType(type))) continue;
    for (const field of Object.values(type.getFields())) {
      const tags: Tag[] = secret.includes(`${type.name}.${field.name}`) ? ['pii.direct'] : ['pseudonym'];
      field.extensions = { [DECLARATION]: { kind: 'value', tags, safeHarbor: 'none', description: 'for a test' } };
    }
  }
  return schema;
}

/** The library as it comes, with the rules and options of a careless author. */
export const shielded = (schema: GraphQLSchema, rules: unknown, options: Parameters<typeof shield>[1] = {}): GraphQLSchema =>
  applyMiddleware(schema, shield(rules as IRules, options));

export const ask = (schema: GraphQLSchema, source: string, contextValue: unknown = {}): Promise<ExecutionResult> =>
  graphql({ schema, source, contextValue });
export const codesOf = (result: ExecutionResult): string[] =>
  (result.errors ?? []).map((error) => (isCoded(error.originalError) ? error.originalError.code : 'none'));

/** The generated guard over a schema for a reader who may not read what is secret. */
export function guarded(sdl: string, work: Resolvers, secret: readonly string[]) {
  const schema = classifiedOf(sdl, work, secret);
  const policyClass = readerOf(schema, ['pseudonym']);
  return { schema, policyClass, guarded: guard(schema, policyClass), context: () => ({ policyClass }) };
}

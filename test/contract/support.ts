import { getNamedType, isNonNullType, isObjectType, type GraphQLField, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import {
  DECLARATION,
  entityOf,
  type EntityDeclaration,
  type FieldDeclaration,
  type ProductName,
  type TypeThunk,
} from '../../src/kernel/index.js';
import { dataTypes } from '../../src/governance/index.js';
import type { TestMesh } from '../support/mesh.js';
import type { Values } from '../fuzz/values.js';

export const DOMAINS = ['patients', 'genomics', 'imaging', 'notes', 'wearables'] as const satisfies readonly ProductName[];

export const declarationOf = (field: GraphQLField<unknown, unknown>): FieldDeclaration | undefined =>
  field.extensions[DECLARATION] as FieldDeclaration | undefined;

export function targetOf(declaration: FieldDeclaration | undefined): TypeThunk | undefined {
  if (declaration?.kind === 'reference') return declaration.to;
  return declaration?.kind === 'collection' || declaration?.kind === 'aggregate' ? declaration.of : undefined;
}

/** Entities of one product: those of its types that have a table. */
export function entitiesOf(mesh: TestMesh, domain: ProductName): EntityDeclaration[] {
  const product = mesh.mesh.parts.products.find((each) => each.name === domain);
  const found: EntityDeclaration[] = [];
  for (const type of product?.types ?? []) {
    try {
      found.push(entityOf(type));
    } catch {
      // A type without a table.
    }
  }
  return found;
}

/** Fields of the whole schema with the entity whose rows they are read from. */
export function declaredFields(
  schema: GraphQLSchema,
): { coordinate: string; entity: EntityDeclaration | undefined; declaration: FieldDeclaration; required: boolean }[] {
  return dataTypes(schema).flatMap((type) =>
    Object.values(type.getFields()).flatMap((field) => {
      const declaration = declarationOf(field);
      const own = type.extensions[DECLARATION] as { kind: string } | undefined;
      const entity = own?.kind === 'entity' ? (own as EntityDeclaration) : undefined;
      return declaration ? [{ coordinate: `${type.name}.${field.name}`, entity, declaration, required: isNonNullType(field.type) }] : [];
    }),
  );
}

/** A question for everything below one root field, two rows of each list, as deep as `depth` types. */
export function everything(schema: GraphQLSchema, name: string, values: Values, depth: number): string {
  const field = schema.getQueryType()?.getFields()[name];
  if (!field) throw new Error(`no root field ${name}`);
  return `{ ${asked(field, values, depth) ?? '__typename'} }`;
}

function asked(field: GraphQLField<unknown, unknown>, values: Values, depth: number): string | null {
  const head = `${field.name}${argumentsOf(field, values)}`;
  const type = getNamedType(field.type);
  if (!isObjectType(type)) return head;
  const structure = type.name.endsWith('Connection') || type.name.endsWith('Edge') || type.name === 'PageInfo';
  if (depth === 0 && !structure) return null;
  return `${head} { __typename ${parts(type, values, structure ? depth : depth - 1)} }`;
}

const parts = (type: GraphQLObjectType, values: Values, depth: number): string =>
  Object.values(type.getFields())
    .filter((field) => depth > 0 || !leads(field))
    .flatMap((field) => asked(field, values, depth) ?? [])
    .join(' ');

const leads = (field: GraphQLField<unknown, unknown>): boolean =>
  ['reference', 'collection', 'reader'].includes(declarationOf(field)?.kind ?? '');

/** A reader of genotypes wants one of several arguments, which no type says. */
const ALSO: Readonly<Record<string, readonly string[]>> = { genotypes: ['gene'] };

function argumentsOf(field: GraphQLField<unknown, unknown>, values: Values): string {
  const given = field.args.flatMap((argument) => {
    if (argument.name === 'first') return ['first: 2'];
    const wanted = isNonNullType(argument.type) || (ALSO[field.name]?.includes(argument.name) ?? false);
    if (!wanted) return [];
    const known = values.get(`${field.name}.${argument.name}`) ?? values.get(argument.name) ?? [];
    // Instants are sorted from the oldest on: a year and a half is a range that a reader takes.
    const value =
      argument.name === 'from' ? known[2] : argument.name === 'to' ? known[3] : argument.name === 'size' ? known.at(-1) : known[0];
    return [`${argument.name}: ${JSON.stringify(value)}`];
  });
  return given.length > 0 ? `(${given.join(', ')})` : '';
}

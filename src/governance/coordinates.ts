import { isObjectType, type GraphQLField, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import {
  CodedError,
  DECLARATION,
  entityOf,
  isTag,
  type EntityDeclaration,
  type FieldDeclaration,
  type TypeDeclaration,
  type TypeThunk,
} from '../kernel/index.js';

export function fieldDeclaration(field: GraphQLField<unknown, unknown>): FieldDeclaration {
  const found = field.extensions[DECLARATION] as FieldDeclaration | undefined;
  if (!found) throw new CodedError('SCHEMA_UNCLASSIFIED', `The field ${field.name} has no declaration.`);
  return found;
}

export function typeDeclaration(type: GraphQLObjectType): TypeDeclaration | undefined {
  return type.extensions[DECLARATION] as TypeDeclaration | undefined;
}

export function entityOfType(type: GraphQLObjectType): EntityDeclaration | undefined {
  const found = typeDeclaration(type);
  return found?.kind === 'entity' ? found : undefined;
}

/** Object types that hold data: all but introspection. */
export function dataTypes(schema: GraphQLSchema): GraphQLObjectType[] {
  return Object.values(schema.getTypeMap()).filter((type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__'));
}

/**
 * Refuses a schema in which anything is unclassified: a field without declaration or tags, an unknown tag, a required field whose tags
 * go beyond those of its row (a policy could hide it and the null would tell), a filter on a column nobody classified.
 */
export function assertClassified(schema: GraphQLSchema): void {
  const faults: string[] = [];
  for (const type of dataTypes(schema)) {
    const entity = entityOfType(type);
    for (const field of Object.values(type.getFields())) {
      const coordinate = `${type.name}.${field.name}`;
      if (FEDERATION_FIELDS.has(coordinate)) continue;
      const declaration = field.extensions[DECLARATION] as FieldDeclaration | undefined;
      if (!declaration || declaration.tags.length === 0) {
        faults.push(coordinate);
        continue;
      }
      for (const tag of declaration.tags) if (!isTag(tag)) faults.push(`${coordinate} (unknown tag ${tag as string})`);
      if (!field.description) faults.push(`${coordinate} (no description)`);
      if (declaration.kind === 'column' && declaration.required && !declaration.tags.every((tag) => entity?.tags.includes(tag))) {
        faults.push(`${coordinate} (required, but its tags go beyond those of the row)`);
      }
      faults.push(...unclassifiedFilters(schema, coordinate, declaration));
    }
  }
  if (faults.length > 0) throw new CodedError('SCHEMA_UNCLASSIFIED', `Unclassified fields: ${faults.join(', ')}.`);
}

const FEDERATION_FIELDS = new Set(['Query._service', 'Query._entities', '_Service.sdl']);

function unclassifiedFilters(schema: GraphQLSchema, coordinate: string, declaration: FieldDeclaration): string[] {
  if (declaration.kind !== 'collection' && declaration.kind !== 'reference' && declaration.kind !== 'aggregate') return [];
  const target = declaration.kind === 'reference' ? declaration.to : declaration.of;
  const orders = declaration.kind === 'collection' ? (declaration.orders ?? []) : [];
  return [
    ...(declaration.filters ?? [])
      .filter((filter) => !filter.tags && !isClassified(schema, target, filter.column))
      .map((filter) => `${coordinate}(${filter.argument}:) (filters an unclassified column)`),
    ...orders
      .filter((order) => !order.tags && !isClassified(schema, target, order.column))
      .map((order) => `${coordinate}(orderBy: ${order.name}) (orders by an unclassified column)`),
  ];
}

/** The entity type that a field of kind reference or collection leads to. */
export function targetOf(declaration: FieldDeclaration): TypeThunk | undefined {
  if (declaration.kind === 'reference') return declaration.to;
  if (declaration.kind === 'collection' || declaration.kind === 'aggregate') return declaration.of;
  return undefined;
}

function isClassified(schema: GraphQLSchema, of: TypeThunk, column: string): boolean {
  const entity = entityOf(of());
  if (column === entity.patient) return true;
  return dataTypes(schema).some(
    (type) =>
      entityOfType(type)?.table === entity.table &&
      Object.values(type.getFields()).some((field) => {
        const declaration = field.extensions[DECLARATION] as FieldDeclaration | undefined;
        return declaration?.kind === 'column' && declaration.column === column;
      }),
  );
}

import 'reflect-metadata';
import { Arg, Directive, Extensions, Field, ObjectType, Query, Resolver } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { connectionOf, orderEnumOf, registerConnection } from './connection.js';
import {
  DECLARATION,
  type AggregateField,
  type CollectionField,
  type ColumnField,
  type ComputedField,
  type EntityDeclaration,
  type FieldDeclaration,
  type OperationField,
  type ReaderField,
  type ReferenceField,
  type SqlType,
  type TypeClass,
  type TypeThunk,
  type ValueField,
} from './field.js';
import { argumentType, enumOf, scalarOf, type OutputType } from './scalar.js';

/**
 * Decorators that declare a field once, as data: its kind, its classification tags and where it comes from. Each is a thin layer
 * over type-graphql and TypeORM; both executors, the policy compiler and the lineage read the same declaration from the extensions.
 */
type Declared = Exclude<FieldDeclaration, OperationField>;
const declared = new Map<TypeClass, Map<string, Declared>>();
const valueTypes = new Map<ValueField, { type: () => OutputType | [OutputType]; required: boolean }>();
const entities = new Map<TypeClass, EntityDeclaration>();

function note(declaration: Declared): PropertyDecorator {
  return (prototype, property) => {
    const fields = declared.get(prototype.constructor) ?? new Map<string, Declared>();
    fields.set(String(property), declaration);
    declared.set(prototype.constructor, fields);
  };
}

export const column = (field: Omit<ColumnField, 'kind'>): PropertyDecorator => note({ kind: 'column', ...field });
export const computed = (field: Omit<ComputedField, 'kind'>): PropertyDecorator => note({ kind: 'computed', ...field });
export const reference = (field: Omit<ReferenceField, 'kind'>): PropertyDecorator => note({ kind: 'reference', ...field });
export const collection = (field: Omit<CollectionField, 'kind'>): PropertyDecorator => note({ kind: 'collection', ...field });
export const aggregate = (field: Omit<AggregateField, 'kind'>): PropertyDecorator => note({ kind: 'aggregate', ...field });
export const reader = (field: Omit<ReaderField, 'kind'>): PropertyDecorator => note({ kind: 'reader', ...field });

/** A property of a value type; `type` names a scalar class of type-graphql or another value type, in a list where it is one. */
export function value(field: Omit<ValueField, 'kind'> & { type: () => OutputType | [OutputType]; required?: boolean }): PropertyDecorator {
  const { type, required = false, ...rest } = field;
  const declaration: ValueField = { kind: 'value', ...rest };
  valueTypes.set(declaration, { type, required });
  return note(declaration);
}

/** The classification of a hand-written operation; it stands beside type-graphql's own @Mutation, @Query or @Subscription. */
export function operation(field: Omit<OperationField, 'kind'>): MethodDecorator {
  const declaration: OperationField = { kind: 'operation', ...field };
  return Extensions({ [DECLARATION]: declaration });
}

/** A GraphQL type and its table at once. */
export function entity(name: string, declaration: Omit<EntityDeclaration, 'kind'>): ClassDecorator {
  return (target) => {
    const full: EntityDeclaration = { kind: 'entity', ...declaration };
    entities.set(target, full);
    ObjectType(name, { description: declaration.description, simpleResolvers: true })(target);
    Extensions({ [DECLARATION]: full })(target as never);
    if (declared.get(target)?.has('id')) Directive('@key(fields: "id")')(target as never);
    Entity(declaration.table)(target);
    declareFields(target, target, declaration.key);
    registerConnection(target, name);
  };
}

/** Fields that a product adds to a type of the kernel. */
export function extension(of: TypeThunk): ClassDecorator {
  return (target) => {
    declareFields(target, of(), []);
  };
}

/** A type without a table. */
export function valueType(name: string, description: string): ClassDecorator {
  return (target) => {
    ObjectType(name, { description, simpleResolvers: true })(target);
    Extensions({ [DECLARATION]: { kind: 'value-type', description } })(target as never);
    for (const [property, field] of declared.get(target) ?? []) {
      if (field.kind !== 'value' && field.kind !== 'reference')
        throw new Error(`${name}.${property}: a value type holds values and references only`);
      attach(target, property, field);
    }
  };
}

/** Root fields of the Query type, declared as collections, references, aggregates or readers. */
export function queries(): ClassDecorator {
  return (target) => {
    Resolver()(target);
    for (const [property, field] of declared.get(target) ?? []) {
      const { type, nullable } = outputOf(field);
      Query(type, { nullable, description: field.description })(target.prototype as object, property, {});
      Extensions({ [DECLARATION]: field })(target.prototype as object, property);
      declareArguments(target, property, field);
    }
  };
}

/** The table behind a class, for rooms that read declarations. */
export function entityOf(target: TypeClass): EntityDeclaration {
  const found = entities.get(target);
  if (!found) throw new Error(`${target.name} has no table`);
  return found;
}

/** All declared entity classes that were loaded in this process. */
export function entityClasses(): TypeClass[] {
  return [...entities.keys()];
}

function declareFields(source: TypeClass, target: TypeClass, key: readonly string[]): void {
  const served = new Set<string>();
  for (const [property, field] of declared.get(source) ?? []) {
    attach(target, property, field);
    if (field.kind !== 'column' || served.has(field.column)) continue;
    served.add(field.column);
    const isKey = key.includes(field.column);
    (isKey ? PrimaryColumn : Column)(typeormColumn(field.column, field.type))(target.prototype as object, property);
  }
  for (const name of key) if (!served.has(name)) PrimaryColumn(typeormColumn(name, 'text'))(target.prototype as object, name);
}

function attach(target: TypeClass, property: string, field: Declared): void {
  const { type, nullable } = outputOf(field);
  Field(type, { nullable, description: field.description })(target.prototype as object, property);
  Extensions({ [DECLARATION]: field })(target.prototype as object, property);
  declareArguments(target, property, field);
}

function outputOf(field: Declared): { type: () => never; nullable: boolean } {
  const of = (type: () => unknown, nullable: boolean): { type: () => never; nullable: boolean } => ({
    type: type as () => never,
    nullable,
  });
  switch (field.kind) {
    case 'column': {
      // type-graphql builds its enums first, so an enum has to be known when the field is declared.
      const type = field.values ? enumOf(field) : scalarOf(field);
      return of(() => type, !field.required);
    }
    case 'computed':
      return of(() => scalarOf(field), true);
    case 'reference':
      return of(field.to, true);
    case 'collection':
      return of(() => connectionOf(field.of()), true);
    case 'aggregate':
      return of(() => scalarOf(field.measure.op === 'count' ? { type: 'int' } : field.measure), true);
    case 'reader':
      return of(() => (field.list ? [field.returns()] : field.returns()), true);
    case 'value': {
      const found = valueTypes.get(field);
      if (!found) throw new Error('a value field without its type');
      return of(found.type, !found.required);
    }
    case 'structure':
      throw new Error('parts of connections are made by the kernel');
  }
}

function declareArguments(target: TypeClass, property: string, field: Declared): void {
  let index = 0;
  const add = (name: string, type: () => unknown, nullable: boolean, description: string): void => {
    Arg(name, type as () => never, { nullable, description })(target.prototype as object, property, index++);
  };
  if (field.kind === 'collection') {
    add('first', () => scalarOf({ type: 'int' }), true, 'Rows of the page; 50 when left out, 500 at most.');
    add('after', () => scalarOf({ type: 'text' }), true, 'Cursor of the row before the page, from the same query with the same arguments.');
    const { orders } = field;
    if (orders && orders.length > 0) {
      const order = orderEnumOf(target, property, orders);
      add('orderBy', () => order, true, 'Order of the rows.');
    }
  }
  const filters = 'filters' in field ? (field.filters ?? []) : 'arguments' in field ? field.arguments : [];
  for (const filter of filters) add(filter.argument, () => argumentType(filter.type), !filter.required, filter.description);
}

function typeormColumn(name: string, type: SqlType): { name: string; type: 'text'; array?: boolean } {
  if (type === 'text[]') return { name, type: 'text', array: true };
  const names: Partial<Record<SqlType, string>> = { json: 'jsonb', bool: 'boolean' };
  return { name, type: (names[type] ?? type) as 'text' };
}

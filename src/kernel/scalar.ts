import { GraphQLDateTimeISO, GraphQLJSON, GraphQLLocalDate } from 'graphql-scalars';
import { GraphQLBoolean, GraphQLFloat, GraphQLID, GraphQLInt, GraphQLString, type GraphQLScalarType } from 'graphql';
import { registerEnumType } from 'type-graphql';
import type { ColumnField, Filter, SqlType, TypeClass } from './field.js';

/** Scalars of the schema; both executors give the same text for each. */
export const SCALARS = {
  ID: GraphQLID,
  Int: GraphQLInt,
  Float: GraphQLFloat,
  String: GraphQLString,
  Boolean: GraphQLBoolean,
  /** An instant in UTC with milliseconds: 2026-01-31T08:15:00.000Z. */
  DateTime: GraphQLDateTimeISO,
  /** A calendar day: 2026-01-31. */
  LocalDate: GraphQLLocalDate,
  JSON: GraphQLJSON,
} as const;

export type OutputType = GraphQLScalarType | TypeClass | object;

const natural: Record<SqlType, keyof typeof SCALARS | 'StringList'> = {
  uuid: 'ID',
  text: 'String',
  int: 'Int',
  bigint: 'Float',
  float8: 'Float',
  bool: 'Boolean',
  date: 'LocalDate',
  timestamptz: 'DateTime',
  'text[]': 'StringList',
  json: 'JSON',
  bytea: 'String',
};

export function scalarOf(field: { type: SqlType; scalar?: ColumnField['scalar'] }): GraphQLScalarType | [GraphQLScalarType] {
  const name = field.scalar ?? natural[field.type];
  return name === 'StringList' ? [GraphQLString] : SCALARS[name];
}

export function argumentType(type: Filter['type']): GraphQLScalarType | [GraphQLScalarType] {
  if (type === 'IDList') return [GraphQLID];
  if (type === 'StringList') return [GraphQLString];
  return SCALARS[type];
}

const enums = new Map<string, object>();

/** The enum of a column with a closed set of values; one object a name, as type-graphql knows enums by identity. */
export function enumOf(field: { enumName?: string; values?: readonly string[]; description: string }): object {
  const name = field.enumName;
  if (!name || !field.values) throw new Error('a closed set of values needs enumName');
  const known = enums.get(name);
  if (known) return known;
  const made = Object.fromEntries(field.values.map((each) => [each, each]));
  registerEnumType(made, { name, description: field.description });
  enums.set(name, made);
  return made;
}

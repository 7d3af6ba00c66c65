import { printSchemaWithDirectives } from '@graphql-tools/utils';
import { isScalarType, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { assertAssetsClassified, assertClassified, dataTypes, fieldDeclaration } from '../governance/index.js';
import { CodedError, Patient, type Product } from '../kernel/index.js';

/** Fields that lead to rows: the reference path resolves them by their declaration. */
const LEADING = new Set(['reference', 'collection', 'aggregate', 'reader']);

/** The schema of the given products: type-graphql's, with every field classified and each leading field resolved by its kind. */
export function buildSchema(products: readonly Product[], resolve: GraphQLFieldResolver<unknown, never>): GraphQLSchema {
  const resolvers = products.flatMap((product) => product.resolvers);
  const [first, ...rest] = resolvers;
  if (!first) throw new CodedError('CONFIG_INVALID', 'There is no product to serve.');
  const schema = buildSchemaSync({
    resolvers: [first, ...rest],
    // A product may add to a person without a field that leads to one; alone, it would lose what it adds.
    orphanedTypes: [...new Set([Patient, ...products.flatMap((product) => [...product.types])])],
    // Directives of federation are unknown to graphql-js; composition checks them.
    skipCheck: true,
    validate: false,
  });
  specifyScalars(schema);
  assertAssetsClassified(products);
  assertClassified(schema);
  for (const type of dataTypes(schema)) {
    for (const field of Object.values(type.getFields())) {
      if (LEADING.has(fieldDeclaration(field).kind)) field.resolve = resolve as GraphQLFieldResolver<unknown, unknown>;
    }
  }
  return schema;
}

/** Where the scalars of graphql-scalars that do not say it themselves are specified. */
const SPECIFICATIONS: Readonly<Record<string, string>> = {
  DateTimeISO: 'https://scalars.graphql.org/andimarek/date-time.html',
  LocalDate: 'https://scalars.graphql.org/andimarek/local-date.html',
};

function specifyScalars(schema: GraphQLSchema): void {
  for (const [name, url] of Object.entries(SPECIFICATIONS)) {
    const type = schema.getType(name);
    if (isScalarType(type)) type.specifiedByURL ??= url;
  }
}

/** SDL with the directives that are applied; `printSchema` of graphql-js drops them. */
export function sdlOf(schema: GraphQLSchema): string {
  return printSchemaWithDirectives(schema, { assumeValid: true });
}

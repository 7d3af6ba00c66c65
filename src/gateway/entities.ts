import {
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
  Kind,
  isObjectType,
  isUnionType,
  visit,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLFieldConfig,
  type GraphQLResolveInfo,
  type OperationDefinitionNode,
  type SelectionNode,
} from 'graphql';
import { dataTypes, entityOfType, fieldDeclaration } from '../governance/index.js';
import {
  CodedError,
  DECLARATION,
  entityClasses,
  entityOf,
  isUuid,
  type ColumnField,
  type ReferenceField,
  type Scope,
} from '../kernel/index.js';
import type { ReferenceContext } from './reference.js';
import { checkArguments } from './step.js';

type Context = ReferenceContext & Pick<Scope, 'trace'>;
type Key = Readonly<Record<string, ColumnField>>;
type Args = Readonly<Record<string, unknown>>;

/** NUL, or half a surrogate pair. */
const NOT_STORABLE = /\0|\p{Surrogate}/u;
const KEY_CHARACTERS_MAX = 1_024;
const UNKNOWN = 'unknown';

/**
 * The schema with the two root fields that a Federation router asks (spec/gateway.md GW7): `_service` gives the SDL, `_entities` loads rows
 * by their keys. Only a router's requests run on it. Rows, cells, lineage and audit are those of the user for whom the router asks.
 */
export function withFederation(schema: GraphQLSchema, sdl: string): GraphQLSchema {
  const types = dataTypes(schema).filter((type) => keyOf(type) !== undefined);
  const service = new GraphQLObjectType({
    name: '_Service',
    description: 'This subgraph.',
    fields: { sdl: { type: new GraphQLNonNull(GraphQLString), description: 'Its schema.' } },
  });
  const fields: Record<string, GraphQLFieldConfig<unknown, Context>> = {
    _service: { type: new GraphQLNonNull(service), description: 'The subgraph as a router composes it.', resolve: () => ({ sdl }) },
  };
  if (types.length > 0) {
    const entity = new GraphQLUnionType({ name: '_Entity', description: 'Types that have a key.', types });
    const any = new GraphQLScalarType({ name: '_Any', description: 'A type name and the fields of its key.' });
    fields['_entities'] = {
      type: new GraphQLNonNull(new GraphQLList(entity)),
      description: 'Rows by their keys, in the order asked; null where there is none that the caller may see.',
      args: { representations: { type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(any))), description: 'Keys of the rows.' } },
      resolve: (_root, args: Args, context, info) => loadEntities(args, context, info),
    };
  }
  return withQueryFields(schema, (own) => ({ ...own, ...fields }) as typeof own);
}

async function loadEntities(args: Args, context: Context, info: GraphQLResolveInfo): Promise<unknown[]> {
  checkArguments('Query._entities', args);
  const representations = args['representations'] as readonly unknown[];
  const counts: Record<string, { asked: number; found: number }> = {};
  const loaded = await Promise.all(
    representations.map(async (each) => {
      const type = typeNamed(each, info.schema);
      const count = (counts[type?.name ?? UNKNOWN] ??= { asked: 0, found: 0 });
      count.asked += 1;
      const node = type ? await loadEntity(type, each as Args, context, info) : null;
      if (node !== null) count.found += 1;
      return node;
    }),
  );
  context.trace({ [`entities.${String(info.path.key)}`]: counts });
  return loaded;
}

/** The entity type that a representation names, if the caller may know of it. */
function typeNamed(representation: unknown, schema: GraphQLSchema): GraphQLObjectType | undefined {
  if (typeof representation !== 'object' || representation === null || Array.isArray(representation))
    throw new CodedError('BAD_INPUT', 'A representation is an object.', { place: 'Query._entities(representations:)' });
  const name: unknown = (representation as Args)['__typename'];
  if (typeof name !== 'string')
    throw new CodedError('BAD_INPUT', 'A representation names its type.', { place: 'Query._entities(representations:)' });
  const type = schema.getType(name);
  return isObjectType(type) && keyOf(type) !== undefined ? type : undefined;
}

/** Reads the fields of the key and no others; whatever else a representation holds is not looked at. */
async function loadEntity(type: GraphQLObjectType, representation: Args, context: Context, info: GraphQLResolveInfo): Promise<unknown> {
  const key = keyOf(type);
  if (!key) return null;
  const columns: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(key)) {
    const given: unknown = Object.hasOwn(representation, name) ? representation[name] : undefined;
    const value = keyValue(given, field);
    if (value === undefined) return null;
    columns[field.column] = value;
    Object.assign(columns, derivedColumns(info.schema, type, name, value));
  }
  const by = Object.keys(columns);
  // Type and columns keep the batches of different types apart.
  const found = await context.reference.resolve(referenceTo(type, by), columns, { type: type.name, by }, info);
  return found === null || found === undefined ? null : { ...found, __typename: type.name };
}

/** A value of a key as its column takes it; undefined where no row can have it. */
function keyValue(given: unknown, field: ColumnField): string | undefined {
  const text = typeof given === 'number' && Number.isSafeInteger(given) ? String(given) : given;
  if (typeof text !== 'string' || text.length > KEY_CHARACTERS_MAX || NOT_STORABLE.test(text)) return undefined;
  return field.type === 'uuid' && !isUuid(text) ? undefined : text;
}

/**
 * Further columns that follow from a value of the key, where the product says how: its own root field that finds one row of the type by this value
 * derives them, so that the primary key serves the search.
 */
function derivedColumns(schema: GraphQLSchema, type: GraphQLObjectType, name: string, value: string): Record<string, unknown> {
  const column = keyOf(type)?.[name]?.column;
  for (const root of Object.values(schema.getQueryType()?.getFields() ?? {})) {
    const declaration = root.extensions[DECLARATION] as ReferenceField | undefined;
    if (declaration?.kind !== 'reference' || entityOf(declaration.to()).table !== entityOfType(type)?.table) continue;
    const filter = declaration.filters?.find((each) => each.operator === 'eq' && each.column === column);
    if (!filter?.derive) return {};
    const [only, ...more] = filter.derive.values({ [filter.argument]: value });
    return only === undefined || more.length > 0 ? {} : { [filter.derive.column]: only };
  }
  return {};
}

/** Columns of the key that `@key` declares, by field; undefined where the type has none. */
function keyOf(type: GraphQLObjectType): Key | undefined {
  const known = keys.get(type);
  if (known !== undefined) return known ?? undefined;
  const made = findKey(type);
  keys.set(type, made ?? null);
  return made;
}

const keys = new WeakMap<GraphQLObjectType, Key | null>();

function findKey(type: GraphQLObjectType): Key | undefined {
  const argument = type.astNode?.directives
    ?.find((each) => each.name.value === 'key')
    ?.arguments?.find((each) => each.name.value === 'fields');
  if (argument?.value.kind !== Kind.STRING || !entityOfType(type)) return undefined;
  const fields: Record<string, ColumnField> = {};
  for (const name of argument.value.value.trim().split(/\s+/)) {
    const field = type.getFields()[name];
    const declaration = field && fieldDeclaration(field);
    // A class that may not see the key cannot ask by it.
    if (declaration?.kind !== 'column') return undefined;
    fields[name] = declaration;
  }
  return fields;
}

function referenceTo(type: GraphQLObjectType, columns: readonly string[]): ReferenceField {
  const entity = entityOfType(type);
  const target = entityClasses().find((each) => entityOf(each).table === entity?.table);
  if (!entity || !target) throw new CodedError('INTERNAL', 'An entity has no class.');
  return {
    kind: 'reference',
    to: () => target,
    on: columns.map((each) => [each, each] as const),
    tags: entity.tags,
    safeHarbor: 'none',
    description: `${type.name} by its key.`,
  };
}

/** True where an operation asks what only a router may ask. It runs on the reference path. */
export function asksFederation(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
): boolean {
  if (!schema.getQueryType()?.getFields()['_service']) return false;
  let asks = false;
  for (const part of [operation, ...Object.values(fragments)]) {
    visit(part, {
      Field(node) {
        if (node.name.value === '_entities' || node.name.value === '_service') asks = true;
      },
    });
  }
  return asks;
}

interface Planned {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Record<string, FragmentDefinitionNode>;
}

/**
 * What the planner reads to make the lineage of an operation that asks for entities: in place of `_entities` one reference a type, by its key. Whatever
 * else is asked stays as it is.
 */
export function lineageView({ schema, operation, fragments }: Planned): Planned {
  if (!asksFederation(schema, operation, fragments)) return { schema, operation, fragments };
  const union = schema.getType('_Entity');
  const types = isUnionType(union) ? union.getTypes() : [];
  const replaced = <T extends OperationDefinitionNode | FragmentDefinitionNode>(part: T): T =>
    visit(part, {
      SelectionSet: (set) => ({
        ...set,
        selections: set.selections.flatMap((each): readonly SelectionNode[] =>
          each.kind === Kind.FIELD ? asReferences(each, types) : [each],
        ),
      }),
    });
  return {
    schema: viewOf(schema, types),
    operation: replaced(operation),
    fragments: Object.fromEntries(Object.entries(fragments).map(([name, each]) => [name, replaced(each)])),
  };
}

const views = new WeakMap<GraphQLSchema, GraphQLSchema>();

function viewOf(schema: GraphQLSchema, types: readonly GraphQLObjectType[]): GraphQLSchema {
  const known = views.get(schema);
  if (known) return known;
  const made = withQueryFields(schema, (own) => {
    const rest = Object.fromEntries(Object.entries(own).filter(([name]) => !name.startsWith('_')));
    for (const type of types) {
      const columns = Object.values(keyOf(type) ?? {}).map((field) => field.column);
      rest[rootOf(type)] = { type, extensions: { [DECLARATION]: referenceTo(type, columns) } };
    }
    return rest;
  });
  views.set(schema, made);
  return made;
}

const rootOf = (type: GraphQLObjectType): string => `_entities_${type.name}`;

function asReferences(node: FieldNode, types: readonly GraphQLObjectType[]): FieldNode[] {
  if (node.name.value === '_service') return [];
  if (node.name.value !== '_entities') return [node];
  const key = node.alias?.value ?? node.name.value;
  return types.map((type) => ({
    ...node,
    name: { kind: Kind.NAME, value: rootOf(type) },
    alias: { kind: Kind.NAME, value: `${key}_${type.name}` },
    arguments: [],
  }));
}

type QueryFields = ReturnType<GraphQLObjectType['toConfig']>['fields'];

/** A schema that differs from another in the fields of its query type only. */
function withQueryFields(schema: GraphQLSchema, change: (own: QueryFields) => QueryFields): GraphQLSchema {
  const config = schema.toConfig();
  const { query } = config;
  if (!query) throw new CodedError('CONFIG_INVALID', 'The product has no query.');
  const own = query.toConfig();
  const changed = new GraphQLObjectType({ ...own, fields: change(own.fields) });
  return new GraphQLSchema({
    ...config,
    query: changed,
    types: config.types.filter((type) => type !== query && !type.name.startsWith('__')),
  });
}

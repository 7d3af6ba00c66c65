import { MapperKind, mapSchema } from '@graphql-tools/utils';
import {
  defaultFieldResolver,
  getNamedType,
  isLeafType,
  isObjectType,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { applyMiddleware } from 'graphql-middleware';
import { rule, shield, type IRules } from 'graphql-shield';
import { CodedError, DECLARATION, isCoded, type FieldDeclaration } from '../kernel/index.js';
import { cellPlan } from './cells.js';
import { fieldVisible } from './class-schema.js';
import { dataTypes, entityOfType } from './coordinates.js';
import type { PolicyClass } from './decide.js';

/** The verdict that a request carries: the class that its plan was made for. */
export interface Guarded {
  readonly policyClass: PolicyClass;
}

type Rule = ReturnType<ReturnType<typeof rule>>;
type GuardTree = Readonly<Record<string, Readonly<Record<string, Rule>>>>;

/**
 * The graphql-shield tree of a schema for one policy class: generated, never written. It is the last wall of the reference path. One rule object a field,
 * named by its coordinate; fallback deny; no cache; no operators. A rule asks that the request was planned for the very class it was
 * compiled for, so that a schema can never serve another class. graphql-shield ignores rules on interfaces, so the rules stand on their implementers.
 */
export function guardTree(schema: GraphQLSchema, policyClass: PolicyClass): GuardTree {
  const tree: Record<string, Record<string, Rule>> = {};
  for (const type of dataTypes(schema)) {
    const rules: Record<string, Rule> = {};
    for (const name of Object.keys(type.getFields())) {
      const visible = isVisible(schema, policyClass, type.name, name);
      rules[name] = rule(`${type.name}.${name}`, { cache: 'no_cache' })(
        (_parent: unknown, _args: unknown, context: Guarded) => visible && context.policyClass.key === policyClass.key,
      );
    }
    tree[type.name] = rules;
  }
  return tree;
}

/** A schema with the tree around its resolvers and its subscriptions. The schema that is passed in stays as it is. Throws INTERNAL where a field has no rule of its own. */
export function guard(schema: GraphQLSchema, policyClass: PolicyClass, tree: GuardTree = guardTree(schema, policyClass)): GraphQLSchema {
  assertWhole(schema, tree);
  const middleware = shield(tree as IRules, {
    fallbackRule: deny,
    allowExternalErrors: false,
    fallbackError: (thrown: unknown) =>
      isCoded(thrown)
        ? thrown
        : thrown instanceof Error
          ? new CodedError('INTERNAL', 'The field could not be answered.', { cause: thrown })
          : denied(),
  });
  const guarded = applyMiddleware(guardSubscriptions(schema, policyClass), middleware);
  prune(schema, guarded, policyClass);
  return guarded;
}

/**
 * Takes the wrapper off leaves whose verdict is the same for every row: the field that led to them carries the verdict of the class
 * already, and a wrapper on each cell of a list costs several times the list. Entrances, objects, and masked or row by row cells keep theirs.
 */
function prune(plain: GraphQLSchema, guarded: GraphQLSchema, policyClass: PolicyClass): void {
  const roots = new Set([plain.getQueryType()?.name, plain.getMutationType()?.name, plain.getSubscriptionType()?.name]);
  for (const type of dataTypes(guarded)) {
    const original = plain.getType(type.name);
    if (roots.has(type.name) || !isObjectType(original)) continue;
    for (const [name, field] of Object.entries(type.getFields())) {
      const before = original.getFields()[name];
      if (!before || !isLeafType(getNamedType(field.type)) || !isVisible(plain, policyClass, type.name, name)) continue;
      if (!isPlain(original, before.extensions, policyClass)) continue;
      if (before.resolve) field.resolve = before.resolve;
      else Reflect.deleteProperty(field, 'resolve');
    }
  }
}

/** True where a visible field shows what it holds on every row. */
function isPlain(type: GraphQLObjectType, extensions: GraphQLField<unknown, unknown>['extensions'], policyClass: PolicyClass): boolean {
  const declaration = extensions[DECLARATION] as FieldDeclaration | undefined;
  if (declaration?.kind === 'structure' || declaration?.kind === 'value') return true;
  if (declaration?.kind !== 'column' && declaration?.kind !== 'computed') return false;
  const entity = entityOfType(type);
  return entity !== undefined && cellPlan(policyClass, entity, declaration)?.cell.kind === 'clear';
}

/** The fields of federation carry no data of their own; the gateway lets only a router ask for them. */
const OF_FEDERATION: ReadonlySet<string> = new Set(['Query._service', 'Query._entities', '_Service.sdl']);

function isVisible(schema: GraphQLSchema, policyClass: PolicyClass, typeName: string, fieldName: string): boolean {
  const type = schema.getType(typeName);
  const field = type && 'getFields' in type ? type.getFields()[fieldName] : undefined;
  const declaration = field?.extensions[DECLARATION] as FieldDeclaration | undefined;
  if (!declaration) return OF_FEDERATION.has(`${typeName}.${fieldName}`);
  return fieldVisible(schema, policyClass, typeName, declaration);
}

/** One undefined rule makes graphql-shield drop all rules of its type without a word. */
function assertWhole(schema: GraphQLSchema, tree: GuardTree): void {
  const faults = dataTypes(schema).flatMap((type) =>
    Object.keys(type.getFields())
      .map((name) => ({ coordinate: `${type.name}.${name}`, rule: tree[type.name]?.[name] }))
      .filter((each) => each.rule?.name !== each.coordinate)
      .map((each) => each.coordinate),
  );
  if (faults.length > 0) throw new CodedError('INTERNAL', `The guard has no rule of its own for ${faults.join(', ')}.`);
}

/**
 * graphql-shield wraps `resolve` where a subscription has one, and then opens the source of a denied one. Here the verdict comes before the source is opened and
 * again before each event leaves; a stream whose class no longer holds is closed.
 */
function guardSubscriptions(schema: GraphQLSchema, policyClass: PolicyClass): GraphQLSchema {
  return mapSchema(schema, {
    [MapperKind.SUBSCRIPTION_ROOT_FIELD]: (config, fieldName, typeName) => {
      const { subscribe, resolve } = config;
      if (!subscribe) return undefined;
      const visible = isVisible(schema, policyClass, typeName, fieldName);
      const holds = (context: Partial<Guarded> | undefined): boolean => visible && context?.policyClass?.key === policyClass.key;
      const guarded: GraphQLFieldResolver<unknown, Partial<Guarded>> = async (parent, args, context, info) => {
        if (!holds(context)) throw denied();
        return whileTrue((await subscribe(parent, args, context, info)) as AsyncIterable<unknown>, () => holds(context));
      };
      // A function of its own, since the library leaves the default resolver of a subscription without a rule.
      const each: typeof guarded = (parent, args, context, info) => (resolve ?? defaultFieldResolver)(parent, args, context, info);
      return { ...config, subscribe: guarded, resolve: each };
    },
  });
}

/** The events of a source while the verdict holds. No generator, since one that was never asked for an event would leave its source open. */
function whileTrue(source: AsyncIterable<unknown>, holds: () => boolean): AsyncIterableIterator<unknown> {
  const events = source[Symbol.asyncIterator]();
  let closed = false;
  const close = async (): Promise<IteratorResult<unknown>> => {
    closed = true;
    await events.return?.();
    return { done: true, value: undefined };
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      // A source need not end when it is closed, and a right that comes back opens nothing again.
      if (closed) return { done: true, value: undefined };
      const event = await events.next();
      if (event.done === true || holds()) return event;
      await close();
      throw denied();
    },
    return: close,
  };
}

const deny = rule('deny', { cache: 'no_cache' })(() => false);

const denied = (): CodedError => new CodedError('FORBIDDEN', 'The field may not be read.');

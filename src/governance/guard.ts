import type { GraphQLSchema } from 'graphql';
import { applyMiddleware } from 'graphql-middleware';
import { rule, shield, type IRules } from 'graphql-shield';
import { CodedError, DECLARATION, isCoded, type FieldDeclaration } from '../kernel/index.js';
import { fieldVisible } from './class-schema.js';
import { dataTypes } from './coordinates.js';
import type { PolicyClass } from './decide.js';

/** The verdict that a request carries: the class that its plan was made for. */
export interface Guarded {
  readonly policyClass: PolicyClass;
}

/**
 * The graphql-shield tree of a schema for one policy class: generated, never written. It is the last wall of the reference path. One rule object a field,
 * named by its coordinate; fallback deny; no cache; no operators. A rule asks that the request was planned for the very class it was
 * compiled for, so that a schema can never serve another class (graphql-shield 7.6.5 traps T1, T2, T4, T5, T6 and T14).
 */
export function guardTree(schema: GraphQLSchema, policyClass: PolicyClass): IRules {
  const tree: Record<string, Record<string, ReturnType<ReturnType<typeof rule>>>> = {};
  for (const type of dataTypes(schema)) {
    const rules: Record<string, ReturnType<ReturnType<typeof rule>>> = {};
    for (const field of Object.values(type.getFields())) {
      const declaration = field.extensions[DECLARATION] as FieldDeclaration | undefined;
      // The fields of federation carry no data of their own; the gateway lets only a router ask for them.
      const visible = declaration
        ? fieldVisible(schema, policyClass, type.name, declaration)
        : field.name.startsWith('_') || type.name.startsWith('_');
      rules[field.name] = rule(`${type.name}.${field.name}`, { cache: 'no_cache' })(
        (_parent: unknown, _args: unknown, context: Guarded) => visible && context.policyClass.key === policyClass.key,
      );
    }
    tree[type.name] = rules;
  }
  return tree;
}

/** A schema with the tree around its resolvers. The schema that is passed in stays as it is. */
export function guard(schema: GraphQLSchema, policyClass: PolicyClass): GraphQLSchema {
  const middleware = shield(guardTree(schema, policyClass), {
    fallbackRule: deny,
    allowExternalErrors: false,
    fallbackError: (thrown: unknown) =>
      isCoded(thrown)
        ? thrown
        : thrown instanceof Error
          ? new CodedError('INTERNAL', 'The field could not be answered.', { cause: thrown })
          : denied(),
  });
  return applyMiddleware(schema, middleware);
}

const deny = rule('deny', { cache: 'no_cache' })(() => false);

const denied = (): CodedError => new CodedError('FORBIDDEN', 'The field may not be read.');

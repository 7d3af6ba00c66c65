import { MapperKind, mapSchema, pruneSchema } from '@graphql-tools/utils';
import type { GraphQLFieldConfig, GraphQLSchema } from 'graphql';
import { DECLARATION, entityOf, type Action, type CollectionField, type FieldDeclaration, type Order } from '../kernel/index.js';
import { entityOfType, filterTags, orderTags, readerTags, targetOf } from './coordinates.js';
import type { PolicyClass } from './decide.js';

/** Actions under which the properties of a result may be read back. */
const RESULT_ACTIONS: readonly Action[] = ['read', 'write', 'execute', 'train', 'release'];

/**
 * The schema that callers of one class see: what they may not read does not exist in it, so validation, introspection, suggestions and
 * generated clients all agree. Resolvers and extensions stay as they are.
 */
export function buildClassSchema(schema: GraphQLSchema, policyClass: PolicyClass): GraphQLSchema {
  const shaped = mapSchema(schema, {
    [MapperKind.OBJECT_FIELD]: (config, fieldName, typeName, of) => {
      const declaration = config.extensions?.[DECLARATION] as FieldDeclaration | undefined;
      if (!declaration) return fieldName.startsWith('_') || typeName.startsWith('_') ? undefined : null;
      if (!fieldVisible(of, policyClass, typeName, declaration)) return null;
      return withoutHiddenArguments(of, policyClass, config, declaration);
    },
  });
  return pruneSchema(shaped, { skipUnimplementedInterfacesPruning: true });
}

/** The verdict over one coordinate for a class, as every artefact uses it. */
export function fieldVisible(schema: GraphQLSchema, policyClass: PolicyClass, typeName: string, declaration: FieldDeclaration): boolean {
  const type = schema.getType(typeName);
  const parent = type && 'getFields' in type && 'isTypeOf' in type ? entityOfType(type) : undefined;
  const own = parent ? parent.tags : [];
  switch (declaration.kind) {
    case 'structure':
      return !policyClass.empty;
    case 'column':
    case 'computed':
      return rowsVisible(policyClass, parent) && policyClass.may('read', [...own, ...declaration.tags]);
    case 'reference':
    case 'collection':
    case 'aggregate': {
      const target = targetOf(declaration);
      if (!target) return false;
      const entity = entityOf(target());
      return policyClass.rowRule(entity).op !== 'false' && policyClass.rowRule(entity, declaration.tags).op !== 'false';
    }
    case 'reader':
      return policyClass.decide([...own, ...readerTags(schema, declaration)]).alternatives.some((each) => each.mask === null);
    case 'value':
      return RESULT_ACTIONS.some((action) => policyClass.decide(declaration.tags, action).alternatives.some((each) => each.mask === null));
    case 'operation':
      // What acts on values acts on them as they are, so a mask does not cover it.
      return policyClass.decide(declaration.tags, declaration.action).alternatives.some((each) => each.mask === null);
  }
}

function rowsVisible(policyClass: PolicyClass, entity: ReturnType<typeof entityOfType>): boolean {
  return entity === undefined || policyClass.rowRule(entity).op !== 'false';
}

type FieldConfig = GraphQLFieldConfig<unknown, unknown>;

/** Arguments that filter or order by what the class may not read in the clear do not exist for it (a filter tells as much as a value). */
function withoutHiddenArguments(
  schema: GraphQLSchema,
  policyClass: PolicyClass,
  config: FieldConfig,
  declaration: FieldDeclaration,
): FieldConfig | undefined {
  const target = targetOf(declaration);
  if (!target || !config.args || !('filters' in declaration)) return undefined;
  const args = { ...config.args };
  for (const filter of declaration.filters ?? []) {
    const decision = policyClass.decide(filterTags(schema, target, filter) ?? []);
    const clear = decision.alternatives.some((each) => each.mask === null);
    const searchable = filter.redacted !== undefined && decision.alternatives.some((each) => each.mask === 'REDACT');
    if (!clear && !searchable) Reflect.deleteProperty(args, filter.argument);
  }
  if (declaration.kind === 'collection' && !declaration.orders?.some((order) => orderAllowed(schema, policyClass, declaration, order))) {
    Reflect.deleteProperty(args, 'orderBy');
  }
  return { ...config, args };
}

/** Ordering tells the order of values: the column must be readable in the clear. */
export function orderAllowed(schema: GraphQLSchema, policyClass: PolicyClass, declaration: CollectionField, order: Order): boolean {
  const tags = orderTags(schema, declaration.of, order);
  return tags !== undefined && policyClass.decide(tags).alternatives.some((each) => each.mask === null);
}

import { MapperKind, mapSchema, pruneSchema } from '@graphql-tools/utils';
import type { GraphQLFieldConfig, GraphQLSchema } from 'graphql';
import {
  DECLARATION,
  entityOf,
  readerAction,
  type Action,
  type AggregateField,
  type CollectionField,
  type FieldDeclaration,
  type Order,
  type ReferenceField,
} from '../kernel/index.js';
import { entityOfType, targetOf } from './coordinates.js';
import type { Decision, PolicyClass, Reach } from './decide.js';

/** Actions under which the properties of a result may be read back. */
const RESULT_ACTIONS: readonly Action[] = ['read', 'count', 'write', 'execute', 'train', 'release', 'emergency', 'govern'];

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
      return withoutHiddenArguments(policyClass, config, declaration);
    },
  });
  return pruneSchema(shaped, { skipUnimplementedInterfacesPruning: true });
}

/** The verdict over one coordinate for a class, as every artefact uses it. */
export function fieldVisible(schema: GraphQLSchema, policyClass: PolicyClass, typeName: string, declaration: FieldDeclaration): boolean {
  const type = schema.getType(typeName);
  const parent = type && 'getFields' in type && 'isTypeOf' in type ? entityOfType(type) : undefined;
  const { classification } = policyClass;
  switch (declaration.kind) {
    case 'structure': {
      if (policyClass.empty || !declaration.needs) return !policyClass.empty;
      const entity = entityOf(declaration.needs.of());
      return policyClass.rowRule(entity, [], declaration.needs.action).op !== 'false';
    }
    case 'column':
    case 'computed':
      return (
        policyClass
          .cell(parent, declaration)
          .alternatives.some((each) => parent === undefined || policyClass.rowsOn(parent, each).op !== 'false') &&
        rowsVisible(policyClass, parent)
      );
    case 'reference':
    case 'collection':
    case 'aggregate':
      return leadingAction(policyClass, declaration) !== null;
    case 'reader':
      if (
        policyClass.narrowed &&
        declaration.reads.some(({ of }) => policyClass.rowRule(entityOf(of()), [], readerAction(declaration), 'many').op === 'false')
      )
        return false;
      return isClear(
        policyClass.decide(
          [...(parent ? classification.rowTags(parent) : []), ...classification.readerTags(declaration)],
          readerAction(declaration),
        ),
      );
    case 'value':
      return RESULT_ACTIONS.some((action) => isClear(policyClass.decide(classification.fieldTags(declaration), action)));
    case 'operation':
      // What acts on values acts on them as they are, so a mask does not cover it.
      return !policyClass.narrowed && isClear(policyClass.decide(classification.fieldTags(declaration), declaration.action));
  }
}

/** A reference leads to one row by its id; a page or a number is a search. */
export const reachOf = (field: Pick<FieldDeclaration, 'kind'>): Reach => (field.kind === 'reference' ? 'one' : 'many');

/**
 * What a class may do with the rows that a field leads to: read them, or, where it may read no row of the entity at all, count them; null
 * where neither. Schema, guard and both executors ask this one function.
 */
export function leadingAction(policyClass: PolicyClass, field: ReferenceField | CollectionField | AggregateField): 'read' | 'count' | null {
  const entity = entityOf(field.kind === 'reference' ? field.to() : field.of());
  const tags = policyClass.classification.fieldTags(field);
  if (policyClass.rowRule(entity).op !== 'false') {
    return policyClass.rowRule(entity, tags, 'read', reachOf(field)).op === 'false' ? null : 'read';
  }
  const counts = field.kind === 'collection' || (field.kind === 'aggregate' && field.measure.op === 'count');
  return counts && policyClass.rowRule(entity, tags, 'count').op !== 'false' ? 'count' : null;
}

const isClear = (decision: Decision): boolean => decision.alternatives.some((each) => each.mask === null);

function rowsVisible(policyClass: PolicyClass, entity: ReturnType<typeof entityOfType>): boolean {
  return entity === undefined || policyClass.rowRule(entity).op !== 'false';
}

type FieldConfig = GraphQLFieldConfig<unknown, unknown>;

/** Arguments that filter or order by what the class may not read in the clear do not exist for it (a filter tells as much as a value). */
function withoutHiddenArguments(policyClass: PolicyClass, config: FieldConfig, declaration: FieldDeclaration): FieldConfig | undefined {
  const target = targetOf(declaration);
  if (!target || !config.args || !('filters' in declaration)) return undefined;
  const args = { ...config.args };
  const action = leadingAction(policyClass, declaration) ?? 'read';
  for (const filter of declaration.filters ?? []) {
    const decision = policyClass.decide(policyClass.classification.filterTags(target, filter) ?? [], action);
    const clear = isClear(decision);
    const searchable = filter.redacted !== undefined && decision.alternatives.some((each) => each.mask === 'REDACT');
    if (!clear && !searchable) Reflect.deleteProperty(args, filter.argument);
  }
  if (declaration.kind === 'collection' && !declaration.orders?.some((order) => orderAllowed(policyClass, declaration, order))) {
    Reflect.deleteProperty(args, 'orderBy');
  }
  // Who may only count has no page.
  if (action === 'count') for (const name of ['first', 'after']) Reflect.deleteProperty(args, name);
  return { ...config, args };
}

/** Ordering tells the order of values: the column must be readable in the clear. */
export function orderAllowed(policyClass: PolicyClass, declaration: CollectionField, order: Order): boolean {
  const tags = policyClass.classification.orderTags(declaration.of, order);
  return tags !== undefined && isClear(policyClass.decide(tags));
}

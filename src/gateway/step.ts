import { clearGuard, leadingAction, orderAllowed, reachOf, type Decision, type PolicyClass } from '../governance/index.js';
import {
  CodedError,
  LIMITS,
  entityOf,
  type AggregateField,
  type CollectionField,
  type EntityDeclaration,
  type Filter,
  type FilterUse,
  type Order,
  type ReferenceField,
  type RowStep,
} from '../kernel/index.js';

export type LeadingField = ReferenceField | CollectionField | AggregateField;

export const targetEntity = (field: LeadingField): EntityDeclaration => entityOf(field.kind === 'reference' ? field.to() : field.of());

/** The rows that a field leads to, for one class and the arguments that are there. Both executors ask this one function. */
export function stepOf(
  policyClass: PolicyClass,
  coordinate: string,
  field: LeadingField,
  args: Readonly<Record<string, unknown>>,
  index: number,
): { step: RowStep; decision: Decision } {
  const entity = targetEntity(field);
  const action = leadingAction(policyClass, field);
  if (action === null) throw hidden(coordinate);
  // The tags of the field go with those of its rows: one grant must cover both.
  const rows = policyClass.rowRule(entity, policyClass.classification.fieldTags(field), action, reachOf(field));
  const filters = (field.filters ?? [])
    .filter((filter) => args[filter.argument] !== undefined && args[filter.argument] !== null)
    .map((filter) => filterUse(policyClass, coordinate, entity, field, filter, action));
  const decision = action === 'read' ? policyClass.cell(entity, field) : countDecision(policyClass, field);
  return { step: { entity, on: field.on, rows, filters, arguments: index }, decision };
}

function filterUse(
  policyClass: PolicyClass,
  coordinate: string,
  entity: EntityDeclaration,
  field: LeadingField,
  filter: Filter,
  action: 'read' | 'count',
): FilterUse {
  const tags = policyClass.classification.filterTags(field.kind === 'reference' ? field.to : field.of, filter) ?? [];
  const decision = policyClass.decide(tags, action);
  if (decision.alternatives.some((each) => each.mask === null))
    return { filter, column: filter.column, guard: clearGuard(policyClass, entity, tags, action) };
  if (filter.redacted !== undefined && decision.alternatives.some((each) => each.mask === 'REDACT'))
    return { filter, column: filter.redacted, guard: null };
  throw new CodedError('FORBIDDEN', 'The list may not be filtered by this value.', { place: `${coordinate}(${filter.argument}:)` });
}

/** The order that was asked for, or the default where the class may use it, or none: key order. */
export function orderOf(policyClass: PolicyClass, coordinate: string, field: CollectionField, name: unknown): Order | null {
  const asked = name !== undefined && name !== null;
  const chosen = asked ? field.orders?.find((each) => each.name === name) : field.orders?.[0];
  if (!chosen) return null;
  if (orderAllowed(policyClass, field, chosen)) return chosen;
  if (!asked) return null;
  throw new CodedError('FORBIDDEN', 'The list may not be ordered by this value.', { place: coordinate });
}

const countDecision = (policyClass: PolicyClass, field: LeadingField): Decision =>
  policyClass.decide(policyClass.classification.cellTags(targetEntity(field), field), 'count');

/**
 * From how many persons on the rows of a list are counted for the caller, 0 where they are counted as they are: rows about persons, of a list that
 * is not about one person whom the caller sees already.
 */
export function smallCellMin(policyClass: PolicyClass, field: CollectionField | AggregateField): number {
  const { patient } = targetEntity(field);
  if (patient === undefined || field.on.some(([, theirs]) => theirs === patient)) return 0;
  const { smallCellMin: min } = countDecision(policyClass, field);
  return min > 1 ? min : 0;
}

/** Arguments of one field against the limits. */
export function checkArguments(coordinate: string, args: Readonly<Record<string, unknown>>): void {
  const { first } = args;
  if (first !== undefined && first !== null && (typeof first !== 'number' || first < 0 || first > LIMITS.page_rows_max)) {
    throw new CodedError('BAD_INPUT', `first is from 0 to ${LIMITS.page_rows_max}.`, { place: `${coordinate}(first:)` });
  }
  for (const [name, value] of Object.entries(args)) {
    const place = `${coordinate}(${name}:)`;
    if (Array.isArray(value) && value.length > LIMITS.list_argument_items_max) {
      throw new CodedError('LIMIT_EXCEEDED', `A list argument holds at most ${LIMITS.list_argument_items_max} items.`, { place });
    }
    if ((Array.isArray(value) ? value : [value]).some((each) => typeof each === 'string' && !isStorable(each))) {
      throw new CodedError('BAD_INPUT', 'A text holds a NUL character or half a surrogate pair.', { place });
    }
  }
}

/** True where Postgres can hold a text: no NUL, no half of a surrogate pair. */
export const isStorable = (text: string): boolean => !text.includes('\0') && !LONE_SURROGATE.test(text);

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** The class schema has no such field; reaching it means that document and class do not belong together. */
export const hidden = (coordinate: string): CodedError => new CodedError('FORBIDDEN', 'The field may not be read.', { place: coordinate });

import { isObjectType, type GraphQLSchema } from 'graphql';
import {
  DECLARATION,
  entityOf,
  readerAction,
  canonical,
  type Action,
  type EntityDeclaration,
  type FieldDeclaration,
  type Mask,
  type Notice,
  type Predicate,
  type Tag,
} from '../kernel/index.js';
import { cellPlan } from './cells.js';
import { fieldVisible } from './class-schema.js';
import { entityOfType, targetOf } from './coordinates.js';
import type { Decision, PolicyClass } from './decide.js';

/**
 * What one class may see at one coordinate, whoever is asked about: `masked` through one mask on every row, `trimmed` by row (some rows
 * in the clear, others masked or not at all), `denied` where the coordinate does not exist for the class.
 */
export interface Verdict {
  readonly coordinate: string;
  readonly verdict: 'allowed' | 'masked' | 'trimmed' | 'denied';
  /** The mask where one applies to every row. */
  readonly mask: Mask | null;
  /** Grants that cover the coordinate, the clearest first; forbids that hide it where it is denied. */
  readonly ruleIds: readonly string[];
  /** Tags that no grant of the class covers; told to those who may ask about others. */
  readonly missing: readonly Tag[];
  readonly notices: readonly Notice[];
  /** True where each person's consent is asked row by row. */
  readonly consent: boolean;
}

/** The verdict over a coordinate of the whole schema. It reads no data and is what plans, schemas and statements are made from. */
export function verdictAt(schema: GraphQLSchema, policyClass: PolicyClass, typeName: string, fieldName: string): Verdict {
  const coordinate = `${typeName}.${fieldName}`;
  const type = schema.getType(typeName);
  const field = isObjectType(type) ? type.getFields()[fieldName] : undefined;
  const declaration = field?.extensions[DECLARATION] as FieldDeclaration | undefined;
  const denied: Verdict = { coordinate, verdict: 'denied', mask: null, ruleIds: [], missing: [], notices: [], consent: false };
  if (!isObjectType(type) || !declaration) return denied;
  const entity = entityOfType(type);
  const tags = tagsOf(policyClass, entity, declaration);
  if (!fieldVisible(schema, policyClass, typeName, declaration))
    return { ...denied, ruleIds: policyClass.forbidding(tags), missing: policyClass.uncovered(tags) };
  const found = (decision: Decision, verdict: Verdict['verdict'], mask: Mask | null, rows: Predicate | null): Verdict => {
    const used = decision.alternatives.filter((each) => verdict !== 'allowed' || each.mask === null);
    const ruleIds = used.map((each) => each.grantId);
    return { coordinate, verdict, mask, ruleIds, missing: [], notices: policyClass.noticesOf(ruleIds), consent: asksConsent(rows) };
  };
  if ((declaration.kind === 'column' || declaration.kind === 'computed') && entity) {
    const plan = cellPlan(policyClass, entity, declaration);
    if (!plan) return denied;
    const verdict = plan.cell.kind === 'clear' ? 'allowed' : plan.cell.kind === 'mask' ? 'masked' : 'trimmed';
    return found(plan.decision, verdict, plan.cell.kind === 'mask' ? plan.cell.mask : null, policyClass.rowRule(entity));
  }
  const target = targetOf(declaration);
  const rows = target ? policyClass.rowRule(entityOf(target()), policyClass.classification.fieldTags(declaration)) : null;
  return found(policyClass.decide(tags, actionOf(declaration)), 'allowed', null, rows);
}

/** What decides a coordinate row by row, as text: equal where nothing about it differs, the rows of its grants and forbids included. */
export function rulingAt(schema: GraphQLSchema, policyClass: PolicyClass, typeName: string, fieldName: string): string {
  const type = schema.getType(typeName);
  const declaration = isObjectType(type)
    ? (type.getFields()[fieldName]?.extensions[DECLARATION] as FieldDeclaration | undefined)
    : undefined;
  if (!isObjectType(type) || !declaration) return '';
  const entity = entityOfType(type);
  const { alternatives } = policyClass.decide(tagsOf(policyClass, entity, declaration), actionOf(declaration));
  return canonical([alternatives, entity ? policyClass.rowRule(entity) : null]);
}

/** Everything that one grant must cover for the coordinate. */
function tagsOf(policyClass: PolicyClass, entity: EntityDeclaration | undefined, declaration: FieldDeclaration): readonly Tag[] {
  const { classification } = policyClass;
  const target = targetOf(declaration);
  if (target) return classification.cellTags(entityOf(target()), declaration);
  if (declaration.kind === 'reader')
    return [...new Set([...(entity ? classification.rowTags(entity) : []), ...classification.readerTags(declaration)])];
  return declaration.kind === 'column' || declaration.kind === 'computed'
    ? classification.cellTags(entity, declaration)
    : classification.fieldTags(declaration);
}

function asksConsent(rows: Predicate | null): boolean {
  if (rows === null) return false;
  if (rows.op === 'and' || rows.op === 'or') return rows.of.some(asksConsent);
  return rows.op === 'consent';
}

/** The action under which a coordinate is decided. */
function actionOf(declaration: FieldDeclaration): Action {
  if (declaration.kind === 'operation') return declaration.action;
  return declaration.kind === 'reader' ? readerAction(declaration) : 'read';
}

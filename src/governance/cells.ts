import type { Action, CellPlan, EntityDeclaration, FieldDeclaration, LineageEdge, PlanDecision, Predicate, Tag } from '../kernel/index.js';
import type { Decision, PolicyClass } from './decide.js';

/**
 * The cell rule of a column on the rows of its entity: in the clear where every visible row has a clear grant, else by row, the weakest mask first.
 * Returns null where no grant covers the column (the coordinate is hidden).
 */
export function cellPlan(
  policyClass: PolicyClass,
  entity: EntityDeclaration,
  field: Pick<FieldDeclaration, 'tags'>,
): { cell: CellPlan; decision: Decision } | null {
  const decision = policyClass.cell(entity, field);
  if (decision.alternatives.length === 0) return null;
  // Columns with the same tags share a decision, and with it all of this.
  let made = plans.get(policyClass);
  if (!made) plans.set(policyClass, (made = new Map<EntityDeclaration, Map<Decision, CellPlan | null>>()));
  let known = made.get(entity);
  if (!known) made.set(entity, (known = new Map<Decision, CellPlan | null>()));
  let cell = known.get(decision);
  if (cell === undefined) known.set(decision, (cell = cellOf(policyClass, entity, decision)));
  return cell && { cell, decision };
}

const plans = new WeakMap<PolicyClass, Map<EntityDeclaration, Map<Decision, CellPlan | null>>>();

function cellOf(policyClass: PolicyClass, entity: EntityDeclaration, decision: Decision): CellPlan | null {
  const visible = branchesOf(policyClass.rowRule(entity));
  const branches: { when: Predicate; mask: (typeof decision.alternatives)[number]['mask'] }[] = [];
  const reached = new Set<string>();
  for (const each of decision.alternatives) {
    const when = policyClass.rowsOn(entity, each);
    if (when.op === 'false') continue;
    branches.push({ when, mask: each.mask });
    for (const part of branchesOf(when)) reached.add(part);
    if (reached.has(EVERY_ROW) || [...visible].every((part) => reached.has(part))) {
      if (branches.every((branch) => branch.mask === each.mask)) {
        return each.mask === null ? { kind: 'clear' } : { kind: 'mask', mask: each.mask };
      }
      break;
    }
  }
  return branches.length === 0 ? null : { kind: 'case', branches };
}

const EVERY_ROW = JSON.stringify({ op: 'true' });

function branchesOf(predicate: Predicate): Set<string> {
  return new Set((predicate.op === 'or' ? predicate.of : [predicate]).map((each) => JSON.stringify(each)));
}

/** Rows on which a column may be used to filter or order: those where it is visible in the clear. null = every visible row. */
export function clearGuard(
  policyClass: PolicyClass,
  entity: EntityDeclaration,
  tags: readonly Tag[],
  action: Action = 'read',
): Predicate | null {
  const rule = policyClass.rowRule(entity, tags, action);
  return JSON.stringify(rule) === JSON.stringify(policyClass.rowRule(entity, [], action)) ? null : rule;
}

export function verdictOf(cell: CellPlan, decision: Decision): Pick<PlanDecision, 'verdict' | 'ruleIds'> {
  const verdict = cell.kind === 'clear' ? 'allowed' : cell.kind === 'mask' ? 'masked' : 'conditional';
  return { verdict, ruleIds: decision.alternatives.map((each) => each.grantId) };
}

/** Columns that a row rule reads; they stand behind the answer as INDIRECT influence. */
export function ruleColumns(entity: EntityDeclaration, rule: Predicate): string[] {
  switch (rule.op) {
    case 'and':
    case 'or':
      return [...new Set(rule.of.flatMap((each) => ruleColumns(entity, each)))];
    case 'in':
      return [
        `${entity.table}.${rule.attribute === 'site' ? 'site_id' : rule.attribute === 'principal' ? (entity.principal ?? '') : rule.attribute === 'patient' ? (entity.patient ?? '') : 'sensitivity'}`,
      ];
    case 'except':
      return ruleColumns(entity, rule.of);
    case 'compare':
    case 'one-of':
    case 'between':
    case 'is-null':
      return [`${entity.table}.${rule.column}`];
    case 'glass':
      return ['break_glass.sub', 'break_glass.patient_id', 'break_glass.started_at', 'break_glass.ends_at'];
    case '<=':
      return [`${entity.table}.sensitivity`];
    case 'consent':
      return [
        ...['patient_id', 'purpose', 'categories', 'sensitivity_max', 'labels', 'recipients'].map((column) => `consent_effect.${column}`),
        ...['data_from', 'data_to', 'refs', 'refs_not'].map((column) => `consent_effect.${column}`),
        ...['sensitivity', 'label_bits', 'refs', ...(entity.occurred === undefined ? [] : [entity.occurred])].map(
          (column) => `${entity.table}.${column}`,
        ),
      ];
    default:
      return [];
  }
}

export const edge = (coordinate: string, source: string, type: LineageEdge['type'], masking = false): LineageEdge => ({
  coordinate,
  source,
  type,
  masking,
});

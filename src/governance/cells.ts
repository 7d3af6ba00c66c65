import type { CellPlan, EntityDeclaration, LineageEdge, PlanDecision, Predicate, Tag } from '../kernel/index.js';
import type { Decision, PolicyClass } from './decide.js';

/**
 * The cell rule of a column on the rows of its entity: in the clear where every visible row has a clear grant, else by row, the weakest mask first.
 * Returns null where no grant covers the column (the coordinate is hidden).
 */
export function cellPlan(
  policyClass: PolicyClass,
  entity: EntityDeclaration,
  tags: readonly Tag[],
): { cell: CellPlan; decision: Decision } | null {
  const decision = policyClass.decide([...new Set([...entity.tags, ...tags])]);
  if (decision.alternatives.length === 0) return null;
  const visible = branchesOf(policyClass.rowRule(entity));
  const branches: { when: Predicate; mask: (typeof decision.alternatives)[number]['mask'] }[] = [];
  const reached = new Set<string>();
  for (const each of decision.alternatives) {
    const when = policyClass.rowsOn(entity, each.rows);
    if (when.op === 'false') continue;
    branches.push({ when, mask: each.mask });
    for (const part of branchesOf(when)) reached.add(part);
    if (reached.has(EVERY_ROW) || [...visible].every((part) => reached.has(part))) {
      if (branches.every((branch) => branch.mask === each.mask)) {
        return { cell: each.mask === null ? { kind: 'clear' } : { kind: 'mask', mask: each.mask }, decision };
      }
      break;
    }
  }
  return branches.length === 0 ? null : { cell: { kind: 'case', branches }, decision };
}

const EVERY_ROW = JSON.stringify({ op: 'true' });

function branchesOf(predicate: Predicate): Set<string> {
  return new Set((predicate.op === 'or' ? predicate.of : [predicate]).map((each) => JSON.stringify(each)));
}

/** Rows on which a column may be used to filter or order: those where it is visible in the clear. null = every visible row. */
export function clearGuard(policyClass: PolicyClass, entity: EntityDeclaration, tags: readonly Tag[]): Predicate | null {
  const rule = policyClass.rowRule(entity, tags);
  return JSON.stringify(rule) === JSON.stringify(policyClass.rowRule(entity)) ? null : rule;
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
        `${entity.table}.${rule.attribute === 'site' ? 'site_id' : rule.attribute === 'principal' ? (entity.principal ?? '') : 'sensitivity'}`,
      ];
    case '<=':
      return [`${entity.table}.sensitivity`];
    case 'consent':
      return ['consent_effect.patient_id', 'consent_effect.purpose', 'consent_effect.categories', 'consent_effect.sensitivity_max'];
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

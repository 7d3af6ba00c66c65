import type {
  Action,
  CellPlan,
  ColumnField,
  ComputedField,
  EntityDeclaration,
  FieldDeclaration,
  LineageEdge,
  Mask,
  PlanDecision,
  Predicate,
  SqlType,
  Tag,
} from '../kernel/index.js';
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

/** Columns of the row that a shown cell is made of. */
export interface CellColumns {
  /** The column itself, what a computed field is made of, or the redacted twin where that is shown in its place. */
  readonly direct: readonly string[];
  /** What the mask is keyed with. */
  readonly indirect: readonly string[];
}

/** Columns that a cell reads, exactly: one whose mask leaves nothing reads none. What decides between its branches is not in it. */
export function cellColumns(entity: EntityDeclaration, field: ColumnField | ComputedField, cell: CellPlan): CellColumns {
  const own = field.kind === 'column' ? [field.column] : field.from.map((each) => each.column);
  const redacted = field.kind === 'column' ? field.redacted : undefined;
  const direct = new Set<string>();
  const indirect = new Set<string>();
  for (const mask of cell.kind === 'clear' ? [null] : cell.kind === 'mask' ? [cell.mask] : cell.branches.map((each) => each.mask)) {
    if (mask === 'REDACT') {
      if (redacted !== undefined) direct.add(redacted);
    } else if (mask === null || MASKED_TYPES[mask].includes(field.type)) {
      if (mask === 'DATESHIFT') {
        if (entity.patient === undefined) continue;
        indirect.add(entity.patient);
      }
      for (const column of own) direct.add(column);
    }
  }
  return { direct: [...direct], indirect: [...indirect] };
}

/** Types of which a mask leaves anything. */
const MASKED_TYPES: Readonly<Record<Exclude<Mask, 'REDACT'>, readonly SqlType[]>> = {
  HASH: ['text', 'uuid'],
  LAST4: ['text', 'uuid'],
  FIRST4: ['text', 'uuid'],
  YEAR: ['date', 'timestamptz'],
  ZIP3: ['text'],
  AGE90: ['date', 'int'],
  DATESHIFT: ['date', 'timestamptz'],
  NULL: [],
};

/** Columns that a row rule reads; they stand behind the answer as INDIRECT influence. */
export function ruleColumns(entity: EntityDeclaration, rule: Predicate): string[] {
  const own = (column: string): string => `${entity.table}.${column}`;
  switch (rule.op) {
    case 'and':
    case 'or':
      return [...new Set(rule.of.flatMap((each) => ruleColumns(entity, each)))];
    case 'in':
      return [own(memberColumn(entity, rule.attribute))];
    case 'except':
      return ruleColumns(entity, rule.of);
    case 'compare':
    case 'between':
    case 'is-null':
      return [own(rule.column)];
    case 'one-of':
      return rule.literals.length === 0 ? [] : [own(rule.column)];
    case 'glass':
      return entity.patient === undefined ? [] : [...GLASS_COLUMNS, own(entity.patient)];
    case '<=':
      return [own('sensitivity')];
    case 'consent':
      return consentColumns(entity);
    default:
      return [];
  }
}

function memberColumn(entity: EntityDeclaration, attribute: (Predicate & { op: 'in' })['attribute']): string {
  switch (attribute) {
    case 'site':
      return 'site_id';
    case 'principal':
      return entity.principal ?? '';
    case 'patient':
      return entity.patient ?? '';
    default:
      return 'sensitivity';
  }
}

const GLASS_COLUMNS = [
  ...['sub', 'patient_id', 'started_at', 'ends_at', 'glass_id'].map((column) => `break_glass.${column}`),
  ...['glass_id', 'kind'].map((column) => `break_glass_event.${column}`),
];

/** A permission is looked up by person and purpose; the row of the person itself has no time and no author to be bound by. */
function consentColumns(entity: EntityDeclaration): string[] {
  const { patient, modality, occurred, table, key } = entity;
  if (patient === undefined || modality === undefined) return [];
  const ofPerson = key.length === 1 && key[0] === patient;
  return [
    ...['patient_id', 'purpose', 'categories', 'valid_from', 'valid_to', 'bound', 'recipients', 'refs_not'],
    ...['sensitivity_min', 'sensitivity_max', 'labels', 'labels_any'],
    ...(ofPerson ? [] : ['data_from', 'data_to', 'refs']),
  ]
    .map((column) => `consent_effect.${column}`)
    .concat(
      [patient, 'sensitivity', 'label_bits', 'refs', ...(ofPerson || occurred === undefined ? [] : [occurred])].map(
        (column) => `${table}.${column}`,
      ),
    );
}

export const edge = (coordinate: string, source: string, type: LineageEdge['type'], masking = false): LineageEdge => ({
  coordinate,
  source,
  type,
  masking,
});

/** What the compiled artefacts of one policy class make of stored rows. */
import type { GraphQLSchema } from 'graphql';
import { cellPlan } from '../../src/governance/cells.js';
import { buildClassSchema } from '../../src/governance/class-schema.js';
import type { Classification } from '../../src/governance/classification.js';
import { PolicyClass, type ClassFacts } from '../../src/governance/decide.js';
import { guardTree } from '../../src/governance/guard.js';
import { maskPads, maskValue, type MaskedCell } from '../../src/governance/mask.js';
import type { Policy } from '../../src/governance/compose-policy.js';
import type { CellPlan, PlanField, PlanValues, Predicate, RowStep, SqlType } from '../../src/kernel/index.js';
import { selectRows } from '../../src/store/select-rows.js';
import type { ReadSession } from '../../src/store/session.js';
import { compileSql, type ColumnTypes } from '../../src/store/sql.js';
import type { CellField, Table } from './coordinates.js';
import type { Asking } from './oracle.js';
import { IDENTITIES, NOW } from './world.js';

export const PADS = maskPads(Buffer.alloc(32, 5));

/** How a class is made; a test that plants a fault makes another. */
export type Maker = (policy: Policy, classification: Classification, facts: ClassFacts, now: number) => PolicyClass;
export const asItIs: Maker = (policy, classification, facts, now) => new PolicyClass(policy, classification, facts, now);

export function classFor(make: Maker, policy: Policy, classification: Classification, asking: Asking): PolicyClass {
  const { narrowing } = asking;
  return make(
    policy,
    classification,
    {
      roles: asking.roles,
      purpose: asking.purpose,
      allSites: asking.sites === '*',
      steppedUp: asking.steppedUp,
      clearances: asking.clearances ?? [],
      emergency: asking.emergency === true,
      actors: asking.actors.map((roles, i) => ({ sub: `actor-${i}`, roles })),
      ...(narrowing ? { narrowing: { key: JSON.stringify(asking.patient), rule: narrowing } } : {}),
    },
    NOW,
  );
}

/** A table as a class sees it: its row rule, and a cell rule for each field that is not hidden. */
export interface PlannedTable {
  readonly table: Table;
  readonly rows: Predicate;
  readonly cells: ReadonlyMap<string, CellPlan>;
}

export function planned(policyClass: PolicyClass, table: Table): PlannedTable {
  const cells = new Map<string, CellPlan>();
  for (const { name, field } of table.fields) {
    const found = cellPlan(policyClass, table.entity, field);
    if (found) cells.set(name, found.cell);
  }
  return { table, rows: policyClass.rowRule(table.entity), cells };
}

/** What one artefact shows: by key of the row, the values of its fields. A row that is not here is not visible. */
export type Shown = ReadonlyMap<string, ReadonlyMap<string, unknown>>;
export const keyOf = (values: readonly unknown[]): string => JSON.stringify(values.map(String));

export function valuesFor(asking: Asking): PlanValues {
  return {
    args: [{ first: 1_000 }],
    after: [null],
    cursorDigest: [''],
    sub: asking.sub,
    sites: asking.sites === '*' ? [] : asking.sites,
    identities: IDENTITIES,
    patient: asking.patient,
    purpose: asking.purpose,
    now: new Date(NOW).toISOString(),
    maskPads: PADS,
    nonce: 'n',
  };
}

const stepOf = ({ table, rows }: PlannedTable): RowStep => ({ entity: table.entity, on: [], rows, filters: [], arguments: 0 });
const SQL_TYPES: Readonly<Record<string, SqlType>> = { int4: 'int', int2: 'int', int8: 'bigint', _text: 'text[]', jsonb: 'json' };

/** The compiled statement: one for all tables that have a rule. */
export async function shownInSql(
  session: ReadSession,
  types: ColumnTypes,
  tables: readonly PlannedTable[],
  values: PlanValues,
): Promise<Map<string, Shown>> {
  const asked = tables.filter((each) => each.rows.op !== 'false');
  if (asked.length === 0) return new Map();
  const fields = asked.map((each): PlanField => {
    const { entity, fields: all } = each.table;
    const keys = entity.key.map((column, i): PlanField => {
      const type = types.get(entity.table)?.get(column) ?? 'text';
      const field = { kind: 'column', column, type: SQL_TYPES[type] ?? type, tags: [], safeHarbor: 'none', description: '' };
      return { kind: 'column', key: `key${i}`, field, cell: { kind: 'clear' } } as unknown as PlanField;
    });
    const cells = all.flatMap(({ name, field }): PlanField[] => {
      const cell = each.cells.get(name);
      return cell ? [{ kind: field.kind, key: name, field, cell } as PlanField] : [];
    });
    const node = { kind: 'node', key: 'node', fields: [...keys, ...cells] } as const;
    return {
      kind: 'collection',
      key: entity.table,
      step: stepOf(each),
      order: null,
      hasAfter: false,
      parts: [{ kind: 'edges', key: 'edges', items: [node] }],
      smallCellMin: 0,
    };
  });
  const sql = compileSql(fields, [], types);
  const { rows } = await session.query<Record<string, unknown>>({ text: sql.text, values: sql.binds.map((bind) => bind(values)) });
  const shown = new Map<string, Shown>();
  asked.forEach((each, i) => {
    const { edges } = JSON.parse(String(rows[0]?.[`j${i}`])) as { edges: { node: Record<string, unknown> }[] };
    const keys = each.table.entity.key.map((_, k) => `key${k}`);
    shown.set(
      each.table.entity.table,
      new Map(edges.map(({ node }) => [keyOf(keys.map((key) => node[key])), new Map(Object.entries(node))])),
    );
  });
  return shown;
}

/** The reference path: row and cell predicates in SQL, the choice of the mask and the mask itself in JavaScript. */
export async function shownInJavaScript(
  session: ReadSession,
  types: ColumnTypes,
  plannedTable: PlannedTable,
  values: PlanValues,
): Promise<Shown> {
  const { table, rows, cells } = plannedTable;
  if (rows.op === 'false') return new Map();
  const predicates = new Map<string, Predicate>();
  for (const cell of cells.values())
    if (cell.kind === 'case') for (const { when } of cell.branches) predicates.set(JSON.stringify(when), when);
  const names = [...predicates.keys()];
  const found = await selectRows(session, types, {
    step: stepOf(plannedTable),
    columns: columnsOf(table),
    predicates: [...predicates.values()],
    parents: null,
    order: null,
    limit: 1_000,
    after: null,
    values,
  });
  return new Map(
    found.map((row) => {
      const holds = (predicate: Predicate): boolean => row.holds[names.indexOf(JSON.stringify(predicate))] === true;
      return [keyOf(table.entity.key.map((column) => row.cells[column])), cellsOf(table, cells, row.cells, holds)];
    }),
  );
}

export function columnsOf({ entity, fields }: Table): string[] {
  const columns = new Set(entity.key);
  if (entity.patient !== undefined)
    for (const column of [entity.patient, 'site_id', 'sensitivity', 'label_bits', 'refs']) columns.add(column);
  for (const column of [entity.occurred, entity.principal]) if (column !== undefined) columns.add(column);
  for (const { field } of fields) {
    if (field.kind === 'computed') for (const from of field.from) columns.add(from.column);
    else columns.add(field.column).add(field.redacted ?? field.column);
  }
  return [...columns];
}

/** The cells of one row under their rules, `holds` telling which branches do. */
export function cellsOf(
  { entity, fields }: Table,
  cells: ReadonlyMap<string, CellPlan>,
  row: Readonly<Record<string, unknown>>,
  holds: (predicate: Predicate) => boolean,
): ReadonlyMap<string, unknown> {
  const shown = new Map<string, unknown>();
  for (const each of fields) {
    const cell = cells.get(each.name);
    if (!cell) continue;
    const branch = cell.kind === 'case' ? cell.branches.find(({ when }) => holds(when)) : { mask: cell.kind === 'mask' ? cell.mask : null };
    shown.set(each.name, branch ? maskedValue(entity.patient, each, row, branch.mask) : null);
  }
  return shown;
}

/** The value of a cell through a mask, in the form that answers have. */
export function maskedValue(
  patient: string | undefined,
  { field }: CellField,
  row: Readonly<Record<string, unknown>>,
  mask: MaskedCellMask,
): unknown {
  const value = field.kind === 'column' ? row[field.column] : field.js(row);
  if (mask === null) return value ?? null;
  const column = field.kind === 'column' ? field : undefined;
  const cell: MaskedCell = {
    type: field.type,
    pads: PADS,
    redacted: column?.redacted === undefined ? null : row[column.redacted],
    patient: patient === undefined ? null : (row[patient] as string | null),
    now: NOW,
    identifier: column?.identifier,
  };
  return maskValue(mask, value, cell) ?? null;
}

type MaskedCellMask = Parameters<typeof maskValue>[0] | null;

/** The fields of the schema of a class. */
export function shownInSchema(schema: GraphQLSchema, policyClass: PolicyClass): Set<string> {
  const made = buildClassSchema(schema, policyClass);
  return new Set(
    Object.values(made.getTypeMap()).flatMap((type) =>
      type.name.startsWith('__') || !('getFields' in type) || !('isTypeOf' in type)
        ? []
        : Object.keys(type.getFields()).map((name) => `${type.name}.${name}`),
    ),
  );
}

/** Coordinates that the rules of the shield tree allow to a context of `policyClass`, out of the tree of `of`. */
export async function shownByShield(schema: GraphQLSchema, of: PolicyClass, policyClass = of): Promise<Set<string>> {
  const allowed = new Set<string>();
  for (const [type, rules] of Object.entries(guardTree(schema, of)))
    for (const [field, rule] of Object.entries(rules)) {
      const verdict: unknown = await rule.resolve({}, {}, { policyClass } as never, {} as never, { debug: false } as never);
      if (verdict === true) allowed.add(`${type}.${field}`);
    }
  return allowed;
}

import { cellColumns, edge, ruleColumns } from '../governance/index.js';
import type { CellPlan, ColumnField, ComputedField, EntityDeclaration, LineageEdge, Order, RowStep } from '../kernel/index.js';
import type { SourceRead } from '../store/index.js';

/**
 * Which columns the parts of a statement read, said once for both executors: the planner asks before a statement runs, the reference reader
 * and the sources of hand-written code as each of theirs runs. A column that is shown is DIRECT; one that chooses, joins, orders, counts or keys a mask is INDIRECT.
 */
export function cellEdges(
  coordinate: string,
  entity: EntityDeclaration,
  field: ColumnField | ComputedField,
  cell: CellPlan,
): LineageEdge[] {
  const { direct, indirect } = cellColumns(entity, field, cell);
  return [
    ...direct.map((column) => edge(coordinate, `${entity.table}.${column}`, 'DIRECT', cell.kind !== 'clear')),
    ...columnEdges(coordinate, entity, indirect),
    ...(cell.kind === 'case' ? cell.branches.flatMap(({ when }) => sourceEdges(coordinate, ruleColumns(entity, when))) : []),
  ];
}

/** What chooses the rows of a step: joins on their side, rules and filters. */
export const rowEdges = (coordinate: string, { entity, on, rows, filters }: RowStep): LineageEdge[] => [
  ...sourceEdges(coordinate, ruleColumns(entity, rows)),
  ...columnEdges(
    coordinate,
    entity,
    on.map(([, theirs]) => theirs),
  ),
  ...filters.flatMap(({ column, guard }) => [
    ...(guard ? sourceEdges(coordinate, ruleColumns(entity, guard)) : []),
    ...columnEdges(coordinate, entity, [column]),
  ]),
];

/** What puts rows into their order and finds the place of a cursor. */
export const orderEdges = (coordinate: string, entity: EntityDeclaration, order: Pick<Order, 'column'> | null): LineageEdge[] =>
  columnEdges(coordinate, entity, [...(order ? [order.column] : []), ...entity.key]);

/** Whom rows are about. */
export const personEdges = (coordinate: string, entity: EntityDeclaration): LineageEdge[] =>
  columnEdges(coordinate, entity, entity.patient === undefined ? [] : [entity.patient]);

/** What one statement of a reader, a feature view or a hand-written operation reads. */
export const sourceReadEdges = (coordinate: string, { entity, columns, by, rule }: SourceRead): LineageEdge[] => [
  ...columns.map((column) => edge(coordinate, `${entity.table}.${column}`, 'DIRECT')),
  ...columnEdges(coordinate, entity, by),
  ...sourceEdges(coordinate, ruleColumns(entity, rule)),
];

export const columnEdges = (coordinate: string, entity: EntityDeclaration, columns: readonly string[]): LineageEdge[] =>
  sourceEdges(
    coordinate,
    columns.map((column) => `${entity.table}.${column}`),
  );

const sourceEdges = (coordinate: string, sources: readonly string[]): LineageEdge[] =>
  sources.map((source) => edge(coordinate, source, 'INDIRECT'));

/** Each edge once, in the order of their first. */
export const distinctEdges = (edges: readonly LineageEdge[]): LineageEdge[] => [
  ...new Map(edges.map((each) => [`${each.coordinate} ${each.source} ${each.type} ${each.masking}`, each])).values(),
];

import { isUuid, type PlanValues, type Predicate, type RowStep } from '../kernel/index.js';
import { SqlBuilder, quoted } from './sql-builder.js';
import { jsonForm, predicateSql } from './sql-rules.js';
import type { ColumnTypes } from './sql.js';
import type { ReadSession } from './session.js';

/** What the reference path asks of one table for many parents at once. */
export interface RowRequest {
  readonly step: RowStep;
  readonly columns: readonly string[];
  /** Cell predicates; column p<i> tells whether the i-th holds for the row. */
  readonly predicates: readonly Predicate[];
  /** Values of the columns that join, one list a parent; null at the root. */
  readonly parents: readonly (readonly unknown[])[] | null;
  readonly order: { readonly column: string; readonly descending: boolean } | null;
  /** Rows wanted for each parent. */
  readonly limit: number;
  readonly after: readonly unknown[] | null;
  readonly values: PlanValues;
}

export interface SelectedRow {
  readonly cells: Readonly<Record<string, unknown>>;
  readonly holds: readonly boolean[];
  /** Which parent of the request the row belongs to. */
  readonly parent: number;
  /** Sort key and row key as text, for the cursor. */
  readonly position: readonly string[];
}

/** Rows of the reference path: filters, rules and the page in SQL; masks are applied by the caller, row by row. */
export async function selectRows(session: ReadSession, types: ColumnTypes, request: RowRequest): Promise<SelectedRow[]> {
  const { entity } = request.step;
  const { builder, where, order } = prepare(types, request);
  const type = (name: string): string => types.get(entity.table)?.get(name) ?? 'text';
  const columns = request.columns.map((name, i) => `${cellForm(`t.${quoted(name)}`, type(name))} as c${i}`);
  const predicates = request.predicates.map((each, i) => `(${predicateSql(builder, entity, 't', each)}) as p${i}`);
  const positions = order.map((each, i) => `t.${quoted(each)}::text as k${i}`);
  const { source, parent } = joined(builder, types, request);
  const sort = order.map((each) => `t.${quoted(each)}${request.order?.descending ? ' desc' : ''}`).join(', ');
  const list = [
    ...columns,
    ...predicates,
    ...positions,
    `${parent} as parent`,
    `row_number() over (partition by ${parent} order by ${sort}) as rn`,
  ];
  const limit = builder.bind('limit', 'int', () => request.limit);
  const text = `select * from (select ${list.join(', ')} from ${source} where ${where.join(' and ')}) r where r.rn <= ${limit} order by r.parent, r.rn`;
  const { rows } = await session.query<Record<string, unknown>>({ text, values: builder.binds.map((bind) => bind(request.values)) });
  return rows.map((row) => ({
    cells: Object.fromEntries(request.columns.map((name, i) => [name, row[`c${i}`]])),
    holds: request.predicates.map((_, i) => row[`p${i}`] === true),
    parent: Number(row['parent']),
    position: order.map((_, i) => String(row[`k${i}`])),
  }));
}

/** Numbers over the rows of each parent: a count, or a measure of one column. */
export async function aggregateRows(
  session: ReadSession,
  types: ColumnTypes,
  request: RowRequest,
  measure: { op: string; column?: string },
): Promise<Map<number, unknown>> {
  const { builder, where } = prepare(types, { ...request, after: null });
  const { source, parent } = joined(builder, types, request);
  const value = measure.column === undefined ? 'count(*)::int' : `${measure.op}(t.${quoted(measure.column)})`;
  const text = `select ${parent} as parent, ${value} as value from ${source} where ${where.join(' and ')} group by 1`;
  const { rows } = await session.query<{ parent: number | string; value: unknown }>({
    text,
    values: builder.binds.map((bind) => bind(request.values)),
  });
  return new Map(rows.map((row) => [Number(row.parent), row.value]));
}

/** Whom the rows of each parent are about, and how many rows each person has. */
export async function countedRows(
  session: ReadSession,
  types: ColumnTypes,
  request: RowRequest,
): Promise<Map<number, { persons: string[]; rows: number[] }>> {
  const { builder, where } = prepare(types, { ...request, after: null });
  const { source, parent } = joined(builder, types, request);
  const person = `t.${quoted(request.step.entity.patient ?? '')}`;
  const text = `select ${parent} as parent, ${person} as person, count(*)::int as n from ${source} where ${where.join(' and ')} group by 1, 2 order by 1, 2`;
  const { rows } = await session.query<{ parent: number | string; person: string; n: number }>({
    text,
    values: builder.binds.map((bind) => bind(request.values)),
  });
  const found = new Map<number, { persons: string[]; rows: number[] }>();
  for (const row of rows) {
    const of = found.get(Number(row.parent)) ?? { persons: [], rows: [] };
    of.persons.push(row.person);
    of.rows.push(row.n);
    found.set(Number(row.parent), of);
  }
  return found;
}

function prepare(types: ColumnTypes, request: RowRequest): { builder: SqlBuilder; where: string[]; order: string[] } {
  const { step } = request;
  const builder = new SqlBuilder();
  const columns = types.get(step.entity.table);
  const where = [predicateSql(builder, step.entity, 't', step.rows)];
  for (const use of step.filters) {
    if (use.guard) where.push(predicateSql(builder, step.entity, 't', use.guard));
    where.push(filterSql(builder, types, step, use));
  }
  const order = [...(request.order ? [request.order.column] : []), ...step.entity.key.filter((name) => name !== request.order?.column)];
  const { after } = request;
  if (after) {
    const bound = order.map((name, i) => builder.bind(`after:${i}`, columns?.get(name) ?? 'text', () => after[i] ?? null));
    where.push(`(${order.map((name) => `t.${quoted(name)}`).join(', ')}) ${request.order?.descending ? '<' : '>'} (${bound.join(', ')})`);
  }
  return { builder, where, order };
}

function joined(builder: SqlBuilder, types: ColumnTypes, request: RowRequest): { source: string; parent: string } {
  const { step, parents } = request;
  if (parents === null) return { source: `${step.entity.table} t`, parent: '0' };
  const columns = step.on.map(([, theirs]) => types.get(step.entity.table)?.get(theirs) ?? 'text');
  const lists = columns.map((type, i) => builder.bind(`parents:${i}`, `${type}[]`, () => parents.map((each) => each[i] ?? null)));
  const on = step.on.map(([, theirs], i) => `t.${quoted(theirs)} = q.v${i}`).join(' and ');
  const names = step.on.map((_, i) => `v${i}`).join(', ');
  return {
    source: `unnest(${lists.join(', ')}) with ordinality as q(${names}, n) join ${step.entity.table} t on ${on}`,
    parent: '(q.n - 1)',
  };
}

function filterSql(builder: SqlBuilder, types: ColumnTypes, step: RowStep, use: RowStep['filters'][number]): string {
  const { filter, column } = use;
  const target = `t.${quoted(column)}`;
  const type = types.get(step.entity.table)?.get(column) ?? 'text';
  const argument = (as: string): string =>
    builder.bind(filter.argument, as, (values) => {
      const given = values.args[0]?.[filter.argument] ?? null;
      return as === 'uuid' && (typeof given !== 'string' || !isUuid(given)) ? null : given;
    });
  const forms: Record<typeof filter.operator, () => string> = {
    eq: () => `${target} = ${argument(type)}`,
    in: () => `${target} = any(${argument(`${type}[]`)})`,
    gte: () => `${target} >= ${argument(type)}`,
    lte: () => `${target} <= ${argument(type)}`,
    lt: () => `${target} < ${argument(type)}`,
    overlaps: () => `${target} && ${argument('text[]')}`,
    contains: () => `${argument('text')} = any(${target})`,
    search: () => `${target} @@ websearch_to_tsquery('english', ${argument('text')})`,
  };
  return forms[filter.operator]();
}

function cellForm(expression: string, type: string): string {
  if (type === 'timestamptz' || type === 'date' || type === 'float8') return jsonForm(expression, type);
  return type === 'int8' ? `${expression}::float8` : expression;
}

import { entityOf, type EntityDeclaration, type PlanValues, type Predicate, type RowSource } from '../kernel/index.js';
import { SqlBuilder, quoted } from './sql-builder.js';
import { jsonForm, predicateSql } from './sql-rules.js';
import type { ColumnTypes } from './sql.js';
import type { ReadSession } from './session.js';
import { statementName } from './statement-name.js';
import { storedFiles } from './stored-files.js';

/** What stands behind a source: which rows its caller may use, and who is told what was read. */
export interface SourceRules {
  /** Rows of the entity that one grant covers together with everything else the reader needs. */
  rule(entity: EntityDeclaration): Predicate;
  readonly values: PlanValues;
  readonly now: number;
  touched(patientIds: Iterable<string>): void;
  /** Hears of each statement before it runs. */
  readonly read?: ((what: SourceRead) => void) | undefined;
}

/** What one statement of a source reads: columns that are given back, columns that choose or order the rows, and the rule on them. */
export interface SourceRead {
  readonly entity: EntityDeclaration;
  readonly columns: readonly string[];
  readonly by: readonly string[];
  readonly rule: Predicate;
}

/** Rows for readers and feature views: ruled, batched, and traced. */
export function rowSource(session: ReadSession, types: ColumnTypes, rules: SourceRules): RowSource {
  return {
    now: rules.now,
    touched: (ids) => {
      rules.touched(ids);
    },
    async rows<T>(request: Parameters<RowSource['rows']>[0]): Promise<T[]> {
      const entity = entityOf(request.of());
      const rule = rules.rule(entity);
      const statement = statementOf(entity, types, { rule, values: rules.values }, request);
      const by = [...Object.keys(request.where), ...bounded(request.between ?? {}), ...(request.order ?? [])];
      rules.read?.({ entity, columns: request.columns, by: entity.patient === undefined ? by : [...by, entity.patient], rule });
      const { rows } = await session.query<Record<string, unknown>>(statement);
      const { patient } = entity;
      if (patient !== undefined) {
        rules.touched(new Set(rows.map((row) => row['thalamus_person']).filter((id): id is string => typeof id === 'string')));
      }
      return rows as T[];
    },
    async fileLinks(files) {
      const { fileLink } = rules.values;
      if (!fileLink) return files.map(() => null);
      const stored = await storedFiles(
        session,
        files.map((each) => each.digest),
      );
      return files.map((file) => {
        const found = stored.get(file.digest);
        return found ? { ...fileLink(file), mediaType: found.mediaType, bytes: found.bytes } : null;
      });
    },
  };
}

function statementOf(
  entity: EntityDeclaration,
  types: ColumnTypes,
  { rule, values }: { readonly rule: Predicate; readonly values: PlanValues },
  request: Parameters<RowSource['rows']>[0],
): { text: string; values: unknown[]; name: string } {
  const builder = new SqlBuilder();
  const alias = 't';
  const columns = types.get(entity.table);
  const typeOf = (name: string): string => {
    const found = columns?.get(name);
    if (!found) throw new Error(`the table ${entity.table} has no column ${name}`);
    return found;
  };
  const extra: unknown[] = [];
  const bind = (value: unknown, type: string): string => builder.bind(`extra:${extra.push(value) - 1}`, type, () => value);
  const selected = request.columns.map((name) => `${resultForm(`${alias}.${quoted(name)}`, typeOf(name))} as ${quoted(name)}`);
  if (entity.patient !== undefined) selected.push(`${alias}.${quoted(entity.patient)} as thalamus_person`);
  const terms = [predicateSql(builder, entity, alias, rule)];
  for (const [name, value] of Object.entries(request.where)) {
    const type = typeOf(name);
    terms.push(
      Array.isArray(value)
        ? `${alias}.${quoted(name)} = any(${bind(value, `${type}[]`)})`
        : `${alias}.${quoted(name)} = ${bind(value, type)}`,
    );
  }
  for (const [name, { from, to }] of Object.entries(request.between ?? {})) {
    if (from !== undefined) terms.push(`${alias}.${quoted(name)} >= ${bind(from, typeOf(name))}`);
    if (to !== undefined) terms.push(`${alias}.${quoted(name)} <= ${bind(to, typeOf(name))}`);
  }
  const order =
    request.order && request.order.length > 0 ? ` order by ${request.order.map((name) => `${alias}.${quoted(name)}`).join(', ')}` : '';
  const limit = request.limit === undefined ? '' : ` limit ${Math.max(0, Math.trunc(request.limit))}`;
  const text = `select ${selected.join(', ')} from ${entity.table} ${alias} where ${terms.join(' and ')}${order}${limit}`;
  return { text, values: builder.binds.map((each) => each(values)), name: statementName(text) };
}

/** Columns with a bound; a bound that is left open asks nothing. */
const bounded = (between: Readonly<Record<string, { readonly from?: unknown; readonly to?: unknown }>>): string[] =>
  Object.keys(between).filter((name) => between[name]?.from !== undefined || between[name]?.to !== undefined);

function resultForm(expression: string, type: string): string {
  if (type === 'timestamptz' || type === 'date') return jsonForm(expression, type);
  if (type === 'int8' || type === 'numeric') return `${expression}::float8`;
  return expression;
}

import type { CellPlan, ColumnField, ComputedField, ConnectionItem, Order, PlanField, RowStep } from '../kernel/index.js';
import { LIMITS, isUuid } from '../kernel/index.js';
import { SqlBuilder, quoted, type Bind } from './sql-builder.js';
import { castOf, jsonForm, maskSql, predicateSql } from './sql-rules.js';

/** Types of columns, read from the catalogue of the database: table -> column -> type. */
export type ColumnTypes = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** One statement that answers all root fields that Postgres can answer. Column j<i> is the JSON text of field i, p<i> its persons. */
export interface CompiledSql {
  readonly text: string;
  readonly binds: readonly Bind[];
  /** Index of the plan's field for each j/p pair. */
  readonly fields: readonly number[];
}

type Collection = PlanField & { kind: 'collection' };

/** Compiles the root fields of a plan. Pages come first and children are asked for the page only (the shape that Citus takes too). */
export function compileSql(fields: readonly PlanField[], datasets: readonly string[], types: ColumnTypes): CompiledSql {
  const compiler = new Compiler(types);
  const parts: string[] = [];
  const columns: string[] = [];
  const answered: number[] = [];
  fields.forEach((field, index) => {
    if (field.kind !== 'reference' && field.kind !== 'collection' && field.kind !== 'aggregate') return;
    const name = `f${parts.length}`;
    parts.push(`(${compiler.root(field)}) ${name}`);
    columns.push(`${name}.j::text as j${answered.length}, ${name}.p as p${answered.length}`);
    answered.push(index);
  });
  const names = compiler.builder.bind('datasets', 'text[]', () => datasets);
  columns.push(`(select json_object_agg(dataset, version)::text from dataset_version where dataset = any(${names})) as versions`);
  const text = `select ${columns.join(', ')}${parts.length > 0 ? ` from ${parts.join(' cross join ')}` : ''}`;
  return { text, binds: compiler.builder.binds, fields: answered };
}

class Compiler {
  readonly builder = new SqlBuilder();

  constructor(private readonly types: ColumnTypes) {}

  root(field: PlanField & { kind: 'reference' | 'collection' | 'aggregate' }): string {
    switch (field.kind) {
      case 'reference': {
        const alias = this.rowAlias(field.step);
        const person = field.step.entity.patient;
        const persons = person ? `array_agg(r.person) filter (where r.person is not null)` : 'null::uuid[]';
        return (
          `select (array_agg(r.j))[1] as j, ${persons} as p from (select ${this.object(alias, field.fields)} as j, ${person ? `${alias}.${person}` : 'null::uuid'} as person` +
          ` from ${field.step.entity.table} ${alias} where ${this.where(field.step, alias, null)} limit 1) r`
        );
      }
      case 'collection': {
        const persons = field.step.entity.patient && showsRows(field) ? 'a.persons' : 'null::uuid[]';
        return `select ${this.connectionObject(field, 'a')} as j, ${persons} as p from (${this.page(field, null, true)}) a`;
      }
      case 'aggregate':
        return `select ${this.aggregate(field, null)} as j, null::uuid[] as p`;
    }
  }

  private field(field: PlanField, alias: string): string {
    switch (field.kind) {
      case 'typename':
        return `'${field.value}'::text`;
      case 'column':
        return jsonForm(this.cell(field.field, field.cell, alias), field.field.type);
      case 'computed':
        return jsonForm(this.cell(field.field, field.cell, alias), field.field.type);
      case 'reference': {
        const inner = this.rowAlias(field.step);
        return `(select ${this.object(inner, field.fields)} from ${field.step.entity.table} ${inner} where ${this.where(field.step, inner, alias)} limit 1)`;
      }
      case 'collection': {
        const inner = this.builder.alias('a');
        return `(select ${this.connectionObject(field, inner)} from (${this.page(field, alias, false)}) ${inner})`;
      }
      case 'aggregate':
        return this.aggregate(field, alias);
      case 'reader': {
        const nonce = this.builder.bind('nonce', 'text', (values) => values.nonce);
        const columns = field.field.parent.map((name) => `${alias}.${quoted(name)}`).join(', ');
        const key = `translate(encode(convert_to(json_build_array(${columns})::text, 'UTF8'), 'base64'), E'\\n', '')`;
        return `${nonce} || ':${field.arguments}:' || ${key} || ':'`;
      }
    }
  }

  private object(alias: string, fields: readonly PlanField[]): string {
    const inner = this.builder.alias('o');
    return `(select row_to_json(${inner}) from (select ${fields.map((each) => `${this.field(each, alias)} as ${quoted(each.key)}`).join(', ')}) ${inner})`;
  }

  private cell(field: ColumnField | ComputedField, cell: CellPlan, alias: string): string {
    const expression =
      field.kind === 'column'
        ? `${alias}.${quoted(field.column)}`
        : field.sql.replaceAll(/\{(\w+)\}/g, (_, name: string) => `${alias}.${quoted(name)}`);
    if (cell.kind === 'clear') return expression;
    const entity = this.entityOf(alias);
    const masking = { expression, type: field.type, alias, entity, field: field.kind === 'column' ? field : undefined };
    const masked = (mask: (CellPlan & { kind: 'mask' })['mask'] | null): string =>
      mask === null ? expression : maskSql(this.builder, mask, masking);
    if (cell.kind === 'mask') return masked(cell.mask);
    const branches = cell.branches.map(
      // Masks of a uuid give text, and all branches of one case have one type.
      (branch) =>
        `when ${predicateSql(this.builder, entity, alias, branch.when)} then ${masked(branch.mask)}${field.type === 'uuid' ? '::text' : ''}`,
    );
    return `case ${branches.join(' ')} end`;
  }

  /** Entities by alias, so that a cell rule finds the table of its row. */
  private readonly entities = new Map<string, RowStep['entity']>();

  /** A name for rows whose cells are written before their condition is. */
  private rowAlias(step: RowStep): string {
    const alias = this.builder.alias();
    this.entities.set(alias, step.entity);
    return alias;
  }

  private entityOf(alias: string): RowStep['entity'] {
    const found = this.entities.get(alias);
    if (!found) throw new Error(`no entity behind ${alias}`);
    return found;
  }

  private where(step: RowStep, alias: string, outer: string | null): string {
    this.entities.set(alias, step.entity);
    const terms: string[] = [];
    for (const [ours, theirs] of step.on) terms.push(`${alias}.${quoted(theirs)} = ${outer ?? 'null'}.${quoted(ours)}`);
    if (step.rows.op !== 'true') terms.push(predicateSql(this.builder, step.entity, alias, step.rows));
    for (const use of step.filters) {
      if (use.guard) terms.push(predicateSql(this.builder, step.entity, alias, use.guard));
      terms.push(this.filter(step, alias, use.filter, use.column));
    }
    return terms.length === 0 ? 'true' : terms.join(' and ');
  }

  private filter(step: RowStep, alias: string, filter: RowStep['filters'][number]['filter'], column: string): string {
    const target = `${alias}.${quoted(column)}`;
    const type = this.typeOf(step.entity.table, column);
    const argument = (as: string): string => this.builder.argument(step.arguments, filter.argument, as);
    const derived = filter.derive ? this.derived(step, alias, filter) : '';
    switch (filter.operator) {
      case 'eq':
        return type === 'uuid' ? `${target} = ${this.uuid(step, filter.argument)}${derived}` : `${target} = ${argument(type)}${derived}`;
      case 'in':
        return `${target} = any(${argument(`${type}[]`)})${derived}`;
      case 'gte':
        return `${target} >= ${argument(type)}${derived}`;
      case 'lte':
        return `${target} <= ${argument(type)}${derived}`;
      case 'lt':
        return `${target} < ${argument(type)}${derived}`;
      case 'overlaps':
        return `${target} && ${argument('text[]')}${derived}`;
      case 'contains':
        return `${argument('text')} = any(${target})${derived}`;
      case 'search':
        return `${target} @@ websearch_to_tsquery('english', ${argument('text')})${derived}`;
    }
  }

  /** An identifier that is no UUID names nobody; it must not become an error of the database. */
  private uuid(step: RowStep, argument: string): string {
    const { arguments: index } = step;
    return this.builder.bind(`uuid:${index}:${argument}`, 'uuid', (values) => {
      const given = values.args[index]?.[argument];
      return typeof given === 'string' && isUuid(given) ? given : null;
    });
  }

  private derived(step: RowStep, alias: string, filter: RowStep['filters'][number]['filter']): string {
    const { derive } = filter;
    if (!derive) return '';
    const index = step.arguments;
    const type = this.typeOf(step.entity.table, derive.column);
    const bound = this.builder.bind(`derived:${index}:${filter.argument}`, `${type}[]`, (values) =>
      derive.values(values.args[index] ?? {}),
    );
    return ` and ${alias}.${quoted(derive.column)} = any(${bound})`;
  }

  private ordering(field: Collection): { column: string; type: string; descending: boolean }[] {
    const { entity } = field.step;
    const order: Order | null = field.order;
    const descending = order?.descending ?? false;
    const names = [...(order ? [order.column] : []), ...entity.key.filter((name) => name !== order?.column)];
    return names.map((column) => ({ column, type: this.typeOf(entity.table, column), descending }));
  }

  /** One row: the parts of the connection as x0, x1 .. and, for a root page, the persons behind it. */
  private page(field: Collection, outer: string | null, withPersons: boolean): string {
    const { step } = field;
    const ordering = this.ordering(field);
    const by = (alias: string): string => ordering.map((each, i) => `${alias}.k${i}${each.descending ? ' desc' : ''}`).join(', ');
    const alias = this.builder.alias();
    this.entities.set(alias, step.entity);
    const inner: string[] = ordering.map((each, i) => `${alias}.${quoted(each.column)} as k${i}`);
    const outerColumns: string[] = [];
    field.parts.forEach((part, i) => {
      if (part.kind === 'edges') {
        inner.push(`${this.edge(part.items, field, alias, ordering)} as e${i}`);
        outerColumns.push(`coalesce(json_agg(r.e${i} order by ${by('r')}), '[]'::json) as x${i}`);
      } else if (part.kind === 'pageInfo') {
        if (part.items.some((item) => item.kind === 'endCursor')) {
          inner.push(`${this.cursor(field, alias, ordering)} as c${i}`);
          const backwards = ordering.map((each, k) => `r.k${k}${each.descending ? '' : ' desc'}`).join(', ');
          outerColumns.push(`(array_agg(r.c${i} order by ${backwards}))[1] as c${i}`);
        }
      }
    });
    // Persons whose rows are shown stand behind the answer; those who are counted do not.
    if (withPersons && step.entity.patient && showsRows(field)) {
      inner.push(`${alias}.${step.entity.patient} as person`);
      outerColumns.push('array_agg(distinct r.person) as persons');
    }
    const facts = this.pageFacts(field, outer);
    // Facts and names alone need no page; over its rows they would come as often as there are rows, or not at all.
    if (outerColumns.length === 0) return `select ${facts.length > 0 ? facts.join(', ') : '1 as one'}`;
    const rows = this.pageRows(field, outer, ordering);
    return `select ${[...outerColumns, ...facts].join(', ')} from (select ${inner.join(', ')} from ${rows(alias, columnsAsked(inner, alias))}) r`;
  }

  /** hasNextPage, totalCount and exists look at rows of their own, and only where they are asked for. */
  private pageFacts(field: Collection, outer: string | null): string[] {
    const columns: string[] = [];
    const { entity } = field.step;
    const ordering = this.ordering(field);
    if (field.parts.some((part) => part.kind === 'pageInfo' && part.items.some((item) => item.kind === 'hasNextPage'))) {
      const alias = this.builder.alias();
      const where = this.pageWhere(field, alias, outer, ordering);
      const first = this.first(field);
      columns.push(
        `(select count(*) from (select 1 from ${entity.table} ${alias} where ${where} limit ${first} + 1) n) > ${first} as more`,
      );
    }
    const asks = (kind: 'totalCount' | 'exists'): boolean => field.parts.some((part) => part.kind === kind);
    const rows = (write: (alias: string, where: string) => string): string => {
      const alias = this.builder.alias();
      return write(alias, this.where(field.step, alias, outer));
    };
    if (field.smallCellMin > 0) {
      if (asks('totalCount') || asks('exists'))
        columns.push(rows((alias, where) => `${this.counted(field.step, alias, where)} as counted`));
      return columns;
    }
    if (asks('totalCount'))
      columns.push(rows((alias, where) => `(select count(*)::int from ${entity.table} ${alias} where ${where}) as total`));
    if (asks('exists')) columns.push(rows((alias, where) => `exists (select 1 from ${entity.table} ${alias} where ${where}) as found`));
    return columns;
  }

  private connectionObject(field: Collection, alias: string): string {
    const inner = this.builder.alias('o');
    const columns = field.parts.map((part, i) => {
      switch (part.kind) {
        case 'typename':
          return `'${part.value}'::text as ${quoted(part.key)}`;
        case 'edges':
          return `${alias}.x${i} as ${quoted(part.key)}`;
        case 'totalCount':
          return `${field.smallCellMin > 0 ? this.countMark(field.step, 'n', `${alias}.counted`) : `${alias}.total`} as ${quoted(part.key)}`;
        case 'exists':
          return `${field.smallCellMin > 0 ? this.countMark(field.step, 'e', `${alias}.counted`) : `${alias}.found`} as ${quoted(part.key)}`;
        case 'pageInfo': {
          const info = this.builder.alias('o');
          const items = part.items.map((item) => `${this.pageInfoItem(item, alias, i)} as ${quoted(item.key)}`);
          return `(select row_to_json(${info}) from (select ${items.join(', ')}) ${info}) as ${quoted(part.key)}`;
        }
      }
    });
    return `(select row_to_json(${inner}) from (select ${columns.join(', ')}) ${inner})`;
  }

  private pageInfoItem(item: ConnectionItem, alias: string, part: number): string {
    if (item.kind === 'typename') return `'${item.value}'::text`;
    return item.kind === 'hasNextPage' ? `${alias}.more` : `${alias}.c${part}`;
  }

  private edge(items: readonly ConnectionItem[], field: Collection, alias: string, ordering: ReturnType<Compiler['ordering']>): string {
    const inner = this.builder.alias('o');
    const columns = items.map((item) => {
      if (item.kind === 'typename') return `'${item.value}'::text as ${quoted(item.key)}`;
      if (item.kind === 'node') return `${this.object(alias, item.fields)} as ${quoted(item.key)}`;
      return `${this.cursor(field, alias, ordering)} as ${quoted(item.key)}`;
    });
    return `(select row_to_json(${inner}) from (select ${columns.join(', ')}) ${inner})`;
  }

  /** Digest of the collection, sort key and row key, in base64. */
  private cursor(field: Collection, alias: string, ordering: ReturnType<Compiler['ordering']>): string {
    const index = field.step.arguments;
    const digest = this.builder.bind(`cursor:${index}`, 'text', (values) => values.cursorDigest[index] ?? '');
    const columns = ordering.map((each) => `${alias}.${quoted(each.column)}::text`).join(', ');
    return `translate(encode(convert_to(json_build_array(${digest}, ${columns})::text, 'UTF8'), 'base64'), E'\\n', '')`;
  }

  private first(field: Collection): string {
    const index = field.step.arguments;
    return this.builder.bind(`first:${index}`, 'int', (values) => values.args[index]?.['first'] ?? LIMITS.page_rows_default);
  }

  private pageWhere(field: Collection, alias: string, outer: string | null, ordering: ReturnType<Compiler['ordering']>): string {
    const where = this.where(field.step, alias, outer);
    if (!field.hasAfter) return where;
    const index = field.step.arguments;
    const left = ordering.map((each) => `${alias}.${quoted(each.column)}`).join(', ');
    const right = ordering
      .map((each, i) => this.builder.bind(`after:${index}:${i}`, each.type, (values) => values.after[index]?.[i] ?? null))
      .join(', ');
    return `${where} and (${left}) ${ordering[0]?.descending ? '<' : '>'} (${right})`;
  }

  /** Writes the rows of a page under an alias, with no more columns than are asked of it. */
  private pageRows(
    field: Collection,
    outer: string | null,
    ordering: ReturnType<Compiler['ordering']>,
  ): (alias: string, columns: readonly string[]) => string {
    const { entity } = field.step;
    const inner = this.builder.alias();
    const where = this.pageWhere(field, inner, outer, ordering);
    const order = ordering.map((each) => `${inner}.${quoted(each.column)}${each.descending ? ' desc' : ''}`).join(', ');
    const tail = `from ${entity.table} ${inner} where ${where} order by ${order} limit ${this.first(field)}`;
    if (outer === null && entity.patient !== undefined && entity.key.length === 1) {
      return (alias) =>
        `${entity.table} ${alias} where ${alias}.${entity.patient ?? ''} = any(array(select ${inner}.${entity.patient ?? ''} ${tail}))`;
    }
    return (alias, columns) => `(select ${columns.map((name) => `${inner}.${quoted(name)}`).join(', ')} ${tail}) ${alias}`;
  }

  private aggregate(field: PlanField & { kind: 'aggregate' }, outer: string | null): string {
    const alias = this.builder.alias();
    const { measure } = field;
    const where = this.where(field.step, alias, outer);
    if (measure.op === 'count' && field.smallCellMin > 0) {
      const mark = this.countMark(field.step, 'n', this.counted(field.step, alias, where));
      return outer === null ? `(select to_json(${mark}))` : mark;
    }
    if (measure.op === 'count') return `(select count(*)::int from ${field.step.entity.table} ${alias} where ${where})`;
    const value = `${measure.op}(${alias}.${quoted(measure.column)})`;
    return jsonForm(`(select ${value}::${castOf(measure.type)} from ${field.step.entity.table} ${alias} where ${where})`, measure.type);
  }

  /** Whom the rows are about and how many rows each has, in base64: 16 bytes of the identifier and 4 of the number, one after another. */
  private counted(step: RowStep, alias: string, where: string): string {
    const person = `${alias}.${quoted(step.entity.patient ?? '')}`;
    const inner = this.builder.alias('g');
    const each = `select ${person} as person, count(*)::int as n from ${step.entity.table} ${alias} where ${where} group by 1`;
    const bytes = `string_agg(uuid_send(${inner}.person) || int4send(${inner}.n), ''::bytea order by ${inner}.person)`;
    return `(select translate(encode(coalesce(${bytes}, ''::bytea), 'base64'), E'\\n', '') from (${each}) ${inner})`;
  }

  /** A place in the text where a count or its being there is filled in once it was decided whether it may be told. */
  private countMark(step: RowStep, kind: 'n' | 'e', counted: string): string {
    const nonce = this.builder.bind('nonce', 'text', (values) => values.nonce);
    return `${nonce} || ':${kind}${step.arguments}:' || ${counted} || ':'`;
  }

  private typeOf(table: string, column: string): string {
    const found = this.types.get(table)?.get(column);
    if (!found) throw new Error(`the table ${table} has no column ${column}`);
    return found;
  }
}

/** True where a page of rows is asked for, not only what can be counted. */
const showsRows = (field: Collection): boolean => field.parts.some((part) => part.kind === 'edges' || part.kind === 'pageInfo');

/** Columns that texts ask of an alias. Names come from declarations, in quotes or bare; a value is never part of a text. */
function columnsAsked(texts: readonly string[], alias: string): string[] {
  const name = new RegExp(`\\b${alias}\\.(?:"([^"]+)"|(\\w+))`, 'g');
  return [...new Set(texts.flatMap((text) => [...text.matchAll(name)].map(([, inQuotes, bare]) => inQuotes ?? bare ?? '')))];
}

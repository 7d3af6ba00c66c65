import DataLoader from 'dataloader';
import type { GraphQLFieldResolver, GraphQLObjectType, GraphQLResolveInfo } from 'graphql';
import { cellPlan, entityOfType, fieldDeclaration, maskValue, readerTags, type PolicyClass } from '../governance/index.js';
import {
  CodedError,
  LIMITS,
  type AggregateField,
  type CellPlan,
  type CollectionField,
  type ColumnField,
  type ComputedField,
  type EntityDeclaration,
  type PlanValues,
  type Predicate,
  type ReaderField,
  type ReferenceField,
} from '../kernel/index.js';
import {
  aggregateRows,
  rowSource,
  selectRows,
  type ColumnTypes,
  type ReadSession,
  type RowRequest,
  type SelectedRow,
} from '../store/index.js';
import { decodeCursor, encodeCursor, positionTypes } from './cursor.js';
import { valueTags } from './plan.js';
import { checkArguments, hidden, orderOf, smallCellMin, stepOf, targetEntity, type LeadingField } from './step.js';

/** Columns of a row as they are stored, for joins; never part of an answer. */
const STORED = Symbol('stored row');
type Node = Record<string, unknown> & { [STORED]?: SelectedRow };

/** What the resolvers of the declared model read through: one a request, so that no batch mixes callers. */
export interface ReferenceContext {
  readonly policyClass: PolicyClass;
  readonly reference: ReferenceReader;
}

/** The resolver of every field that leads to rows. Plain fields have none. */
export const resolveDeclared: GraphQLFieldResolver<unknown, ReferenceContext> = (parent, args, context, info) => {
  const declaration = fieldDeclaration(info.parentType.getFields()[info.fieldName] as never);
  return context.reference.resolve(
    declaration as LeadingField | ReaderField,
    (parent ?? {}) as Node,
    args as Record<string, unknown>,
    info,
  );
};

interface Cell {
  readonly name: string;
  readonly field: ColumnField | ComputedField;
  readonly plan: CellPlan;
}

/** Reads rows for the declared model: one statement a field for all its parents, rules in SQL, masks in JavaScript. */
export class ReferenceReader {
  private readonly loaders = new Map<string, DataLoader<readonly unknown[], unknown, string>>();
  private readonly cells = new Map<string, readonly Cell[]>();

  constructor(
    private readonly session: ReadSession,
    private readonly types: ColumnTypes,
    private readonly policyClass: PolicyClass,
    private readonly values: Omit<PlanValues, 'args' | 'after' | 'cursorDigest'>,
    private readonly now: number,
    private readonly touched: (ids: Iterable<string>) => void,
  ) {}

  resolve(field: LeadingField | ReaderField, parent: Node, args: Record<string, unknown>, info: GraphQLResolveInfo): Promise<unknown> {
    const coordinate = `${info.parentType.name}.${info.fieldName}`;
    checkArguments(coordinate, args);
    const pairs = field.kind === 'reader' ? field.parent : field.on.map(([ours]) => ours);
    const key = pairs.map((column) => storedValue(parent, column));
    if (key.some((each) => each === null || each === undefined) && field.kind !== 'reader')
      return Promise.resolve(field.kind === 'reference' ? null : this.empty(field));
    // What is asked of the rows decides what is read, so equal lists under two names share a load only where they ask alike.
    const asked = field.kind === 'reader' ? JSON.stringify(valueTags(info)) : field.kind === 'collection' && asksTotal(info) ? 'total' : '';
    const name = `${coordinate}:${JSON.stringify(args)}:${asked}`;
    let loader = this.loaders.get(name);
    if (!loader) {
      loader = new DataLoader((keys) => this.load(field, coordinate, keys, args, info), { cacheKeyFn: (each) => JSON.stringify(each) });
      this.loaders.set(name, loader);
    }
    return loader.load(key);
  }

  private empty(field: LeadingField): unknown {
    return field.kind === 'collection' ? { edges: [], pageInfo: { hasNextPage: false, endCursor: null }, totalCount: 0 } : 0;
  }

  private load(
    field: LeadingField | ReaderField,
    coordinate: string,
    keys: readonly (readonly unknown[])[],
    args: Record<string, unknown>,
    info: GraphQLResolveInfo,
  ): Promise<unknown[]> {
    switch (field.kind) {
      case 'reader':
        return this.reader(field, keys, args, info);
      case 'reference':
        return this.references(field, coordinate, keys, args, info);
      case 'collection':
        return this.collections(field, coordinate, keys, args, info);
      case 'aggregate':
        return this.aggregates(field, coordinate, keys, args, info);
    }
  }

  private async references(
    field: ReferenceField,
    coordinate: string,
    keys: readonly (readonly unknown[])[],
    args: Record<string, unknown>,
    info: GraphQLResolveInfo,
  ): Promise<unknown[]> {
    const request = this.request(field, coordinate, keys, args, info, 1);
    const rows = await this.select(request.request, request.entity);
    const nodes = new Map(rows.map((row) => [row.parent, this.node(row, request.cells, request.predicates)]));
    return keys.map((_, i) => nodes.get(i) ?? null);
  }

  private async collections(
    field: CollectionField,
    coordinate: string,
    keys: readonly (readonly unknown[])[],
    args: Record<string, unknown>,
    info: GraphQLResolveInfo,
  ): Promise<unknown[]> {
    const order = orderOf(info.schema, this.policyClass, coordinate, field, args['orderBy']);
    const digest = { coordinate, args, order: order?.name ?? '' };
    const after =
      typeof args['after'] === 'string'
        ? decodeCursor(args['after'], digest, positionTypes(this.types, targetEntity(field), order?.column))
        : null;
    const first = typeof args['first'] === 'number' ? args['first'] : LIMITS.page_rows_default;
    const made = this.request(field, coordinate, keys, args, info, first + 1);
    const request: RowRequest = {
      ...made.request,
      after,
      order: order ? { column: order.column, descending: order.descending ?? false } : null,
    };
    const rows = await this.select(request, made.entity, first);
    const counts = asksTotal(info) ? await aggregateRows(this.session, this.types, made.request, { op: 'count' }) : null;
    const min = smallCellMin(this.policyClass, made.entity);
    return keys.map((_, i) => {
      const own = rows.filter((row) => row.parent === i);
      const page = own
        .slice(0, first)
        .map((row) => ({ cursor: encodeCursor(digest, row.position), node: this.node(row, made.cells, made.predicates) }));
      return {
        edges: page,
        pageInfo: { hasNextPage: own.length > first, endCursor: page.at(-1)?.cursor ?? null },
        totalCount: counts ? withheld(Number(counts.get(i) ?? 0), min) : null,
      };
    });
  }

  private async aggregates(
    field: AggregateField,
    coordinate: string,
    keys: readonly (readonly unknown[])[],
    args: Record<string, unknown>,
    info: GraphQLResolveInfo,
  ): Promise<unknown[]> {
    const { request, entity } = this.request(field, coordinate, keys, args, info, 1);
    const { measure } = field;
    const values = await aggregateRows(this.session, this.types, request, measure.op === 'count' ? { op: 'count' } : measure);
    const min = smallCellMin(this.policyClass, entity);
    return keys.map((_, i) => (measure.op === 'count' ? withheld(Number(values.get(i) ?? 0), min) : (values.get(i) ?? null)));
  }

  private async reader(
    field: ReaderField,
    keys: readonly (readonly unknown[])[],
    args: Record<string, unknown>,
    info: GraphQLResolveInfo,
  ): Promise<unknown[]> {
    const parents = keys.map((key) => Object.fromEntries(field.parent.map((column, i) => [column, key[i]])));
    const tags = [...new Set([...(entityOfType(info.parentType)?.tags ?? []), ...readerTags(info.schema, field), ...valueTags(info)])];
    const source = rowSource(this.session, this.types, {
      rule: (entity) => this.policyClass.rowRule(entity, tags),
      values: { ...this.values, args: [args], after: [null], cursorDigest: [''] },
      now: this.now,
      touched: this.touched,
    });
    return [...(await field.load(source, parents, args))];
  }

  private request(
    field: LeadingField,
    coordinate: string,
    keys: readonly (readonly unknown[])[],
    args: Record<string, unknown>,
    info: GraphQLResolveInfo,
    limit: number,
  ) {
    const { step } = stepOf(info.schema, this.policyClass, coordinate, field, args, 0);
    const entity = targetEntity(field);
    const cells = this.cellsOf(info, entity);
    const predicates: Predicate[] = [];
    for (const cell of cells)
      if (cell.plan.kind === 'case')
        for (const branch of cell.plan.branches) if (!includes(predicates, branch.when)) predicates.push(branch.when);
    const request: RowRequest = {
      step,
      columns: this.columnsOf(info, entity, cells),
      predicates,
      parents: field.on.length === 0 ? null : keys,
      order: null,
      limit,
      after: null,
      values: { ...this.values, args: [args], after: [null], cursorDigest: [''] },
    };
    return { request, entity, cells, predicates };
  }

  private async select(request: RowRequest, entity: EntityDeclaration, shown = request.limit): Promise<SelectedRow[]> {
    const rows = await selectRows(this.session, this.types, request);
    const { patient } = entity;
    if (patient !== undefined) {
      const seen = new Map<number, number>();
      for (const row of rows) {
        const nth = (seen.get(row.parent) ?? 0) + 1;
        seen.set(row.parent, nth);
        const id = row.cells[patient];
        if (nth <= shown && typeof id === 'string') this.touched([id]);
      }
    }
    return rows;
  }

  /** Cells of an entity that the class may see, by field name. */
  private cellsOf(info: GraphQLResolveInfo, entity: EntityDeclaration): readonly Cell[] {
    const known = this.cells.get(entity.table);
    if (known) return known;
    const type = typeOf(info, entity);
    const made: Cell[] = [];
    for (const each of Object.values(type.getFields())) {
      const field = fieldDeclaration(each);
      if (field.kind !== 'column' && field.kind !== 'computed') continue;
      const found = cellPlan(this.policyClass, entity, field.tags);
      if (!found) throw hidden(`${type.name}.${each.name}`);
      made.push({ name: each.name, field, plan: found.cell });
    }
    this.cells.set(entity.table, made);
    return made;
  }

  /** Columns of cells and of everything that joins on from here. */
  private columnsOf(info: GraphQLResolveInfo, entity: EntityDeclaration, cells: readonly Cell[]): string[] {
    const columns = new Set<string>(entity.key);
    if (entity.patient !== undefined) columns.add(entity.patient);
    for (const { field } of cells) {
      if (field.kind === 'computed') for (const each of field.from) columns.add(each.column);
      else {
        columns.add(field.column);
        if (field.redacted !== undefined) columns.add(field.redacted);
      }
    }
    for (const each of Object.values(typeOf(info, entity).getFields())) {
      const field = fieldDeclaration(each);
      if (field.kind === 'reader') for (const column of field.parent) columns.add(column);
      else if ('on' in field) for (const [ours] of field.on) columns.add(ours);
    }
    return [...columns];
  }

  private node(row: SelectedRow, cells: readonly Cell[], predicates: readonly Predicate[]): Node {
    const node: Node = { [STORED]: row };
    for (const { name, field, plan } of cells) node[name] = this.cell(row, field, plan, predicates);
    return node;
  }

  private cell(row: SelectedRow, field: ColumnField | ComputedField, plan: CellPlan, predicates: readonly Predicate[]): unknown {
    const read = field.kind === 'column' ? row.cells[field.column] : field.js(row.cells);
    // NaN and infinities have no JSON form.
    const value = typeof read === 'number' && !Number.isFinite(read) ? null : read;
    const redacted = field.kind === 'column' && field.redacted !== undefined ? row.cells[field.redacted] : null;
    const through = (mask: (CellPlan & { kind: 'mask' })['mask'] | null): unknown =>
      mask === null ? (value ?? null) : maskValue(mask, value, field.type, this.values.maskPads, redacted);
    if (plan.kind === 'clear') return value ?? null;
    if (plan.kind === 'mask') return through(plan.mask);
    const branch = plan.branches.find((each) => row.holds[indexOf(predicates, each.when)] === true);
    return branch ? through(branch.mask) : null;
  }
}

function storedValue(parent: Node, column: string): unknown {
  const row = parent[STORED];
  // A value type names its own properties where it refers to a row.
  return row ? row.cells[column] : parent[column];
}

function typeOf(info: GraphQLResolveInfo, entity: EntityDeclaration): GraphQLObjectType {
  for (const type of Object.values(info.schema.getTypeMap()))
    if ('getFields' in type && 'isTypeOf' in type && entityOfType(type)?.table === entity.table) return type;
  throw new CodedError('INTERNAL', 'An entity has no type in the schema of its class.');
}

const includes = (list: readonly Predicate[], one: Predicate): boolean => indexOf(list, one) >= 0;
const indexOf = (list: readonly Predicate[], one: Predicate): number =>
  list.findIndex((each) => JSON.stringify(each) === JSON.stringify(one));
const withheld = (count: number, min: number): number | null => (count > 0 && count < min ? null : count);

const totals = new WeakMap<GraphQLResolveInfo['fieldNodes'], boolean>();

function asksTotal(info: GraphQLResolveInfo): boolean {
  const known = totals.get(info.fieldNodes);
  if (known !== undefined) return known;
  const made =
    JSON.stringify(info.fieldNodes.map((node) => node.selectionSet)).includes('"totalCount"') ||
    Object.values(info.fragments).some((each) => each.typeCondition.name.value.endsWith('Connection'));
  totals.set(info.fieldNodes, made);
  return made;
}

import DataLoader from 'dataloader';
import type { GraphQLFieldResolver, GraphQLResolveInfo } from 'graphql';
import { edge, entityOfType, fieldDeclaration, maskValue, type MaskedCell, type PolicyClass, type Tell } from '../governance/index.js';
import {
  LIMITS,
  readerAction,
  type AggregateField,
  type CellPlan,
  type CollectionField,
  type EntityDeclaration,
  type LineageEdge,
  type Order,
  type PlanValues,
  type Predicate,
  type ReaderField,
  type ReferenceField,
  type RowStep,
} from '../kernel/index.js';
import {
  aggregateRows,
  countedRows,
  isPersonItself,
  rowSource,
  selectRows,
  type ColumnTypes,
  type ReadSession,
  type RowRequest,
  type SelectedRow,
} from '../store/index.js';
import { decodeCursor, encodeCursor, positionTypes } from './cursor.js';
import { AskedRows, valueTags, type Cell } from './asked.js';
import { cellEdges, columnEdges, orderEdges, personEdges, rowEdges, sourceReadEdges } from './lineage-edges.js';
import { checkArguments, orderOf, smallCellMin, stepOf, targetEntity, type LeadingField } from './step.js';

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

/** Reads rows for the declared model: one statement a field for all its parents, rules in SQL, masks in JavaScript. */
export class ReferenceReader {
  private readonly loaders = new Map<string, DataLoader<readonly unknown[], unknown, string>>();
  private readonly asked: AskedRows;
  private edges: LineageEdge[] = [];

  constructor(
    private readonly session: ReadSession,
    private readonly types: ColumnTypes,
    private readonly policyClass: PolicyClass,
    private readonly values: Omit<PlanValues, 'args' | 'after' | 'cursorDigest'>,
    private readonly now: number,
    private readonly touched: (ids: Iterable<string>) => void,
    /** Which counts over persons the caller is told. */
    private readonly tell: Tell,
  ) {
    this.asked = new AskedRows(policyClass);
  }

  /** Columns enter the lineage of the request as they are read: what had no rows above it is never read. */
  traceInto(edges: LineageEdge[]): void {
    this.edges = edges;
  }

  resolve(field: LeadingField | ReaderField, parent: Node, args: Record<string, unknown>, info: GraphQLResolveInfo): Promise<unknown> {
    const coordinate = `${info.parentType.name}.${info.fieldName}`;
    checkArguments(coordinate, args);
    const pairs = field.kind === 'reader' ? field.parent : field.on.map(([ours]) => ours);
    const key = pairs.map((column) => storedValue(parent, column));
    if (key.some((each) => each === null || each === undefined) && field.kind !== 'reader')
      return Promise.resolve(field.kind === 'reference' ? null : this.empty(field));
    // What is asked of the rows decides what is read, so equal lists under two names share a load only where they ask alike.
    const name = `${coordinate}:${JSON.stringify(args)}:${this.askedName(field, info)}`;
    let loader = this.loaders.get(name);
    if (!loader) {
      loader = new DataLoader(async (keys) => await this.load(field, coordinate, keys, args, info), {
        cacheKeyFn: (each) => JSON.stringify(each),
      });
      this.loaders.set(name, loader);
    }
    return loader.load(key);
  }

  private askedName(field: LeadingField | ReaderField, info: GraphQLResolveInfo): string {
    if (field.kind === 'reader') return JSON.stringify(valueTags(this.policyClass.classification, info));
    return field.kind === 'aggregate' ? '' : this.asked.of(field, info).name;
  }

  private empty(field: LeadingField): unknown {
    return field.kind === 'collection' ? { edges: [], pageInfo: { hasNextPage: false, endCursor: null }, totalCount: 0, exists: false } : 0;
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
        return this.reader(field, coordinate, keys, args, info);
      case 'reference':
        return this.references(field, coordinate, keys, args, info);
      case 'collection':
        return this.collections(field, coordinate, keys, args, info);
      case 'aggregate':
        return this.aggregates(field, coordinate, keys, args);
    }
  }

  private async references(
    field: ReferenceField,
    coordinate: string,
    keys: readonly (readonly unknown[])[],
    args: Record<string, unknown>,
    info: GraphQLResolveInfo,
  ): Promise<unknown[]> {
    const request = this.request(field, coordinate, keys, args, info, null, 1);
    const rows = await this.select(request.request, request.entity);
    const nodes = new Map(rows.map((row) => [row.parent, this.node(row, request.cells, request.predicates)]));
    return keys.map((_, i) => nodes.get(i) ?? null);
  }

  private collections(
    field: CollectionField,
    coordinate: string,
    keys: readonly (readonly unknown[])[],
    args: Record<string, unknown>,
    info: GraphQLResolveInfo,
  ): Promise<unknown[]> {
    const order = orderOf(this.policyClass, coordinate, field, args['orderBy']);
    const digest = { coordinate, args, order: order?.name ?? '' };
    const after =
      typeof args['after'] === 'string'
        ? decodeCursor(args['after'], digest, positionTypes(this.types, targetEntity(field), order?.column))
        : null;
    const first = typeof args['first'] === 'number' ? args['first'] : LIMITS.page_rows_default;
    const { step } = stepOf(this.policyClass, coordinate, field, args, 0);
    // What nobody asks for is not read: rows shown have persons behind them, and each count told is remembered.
    const page = once(async () => {
      const made = this.request(field, coordinate, keys, args, info, order, first + 1);
      return { rows: await this.select({ ...made.request, after }, made.entity, first), cells: made.cells, predicates: made.predicates };
    });
    const counts = once(() => this.counts(field, coordinate, this.requestOf(step, field, keys, args)));
    const ofParent = (i: number) =>
      page().then(({ rows, cells, predicates }) => {
        const own = rows.filter((row) => row.parent === i);
        const edges = own
          .slice(0, first)
          .map((row) => ({ cursor: encodeCursor(digest, row.position), node: this.node(row, cells, predicates) }));
        return { edges, pageInfo: { hasNextPage: own.length > first, endCursor: edges.at(-1)?.cursor ?? null } };
      });
    const lists = keys.map((_, i) => ({
      edges: async () => (await ofParent(i)).edges,
      pageInfo: async () => (await ofParent(i)).pageInfo,
      totalCount: async () => (await counts())(i),
      exists: async () => {
        const count = await (await counts())(i);
        return count === null ? null : count > 0;
      },
    }));
    return Promise.resolve(lists);
  }

  /** The number of rows of a parent, by its place, as the caller may be told it. */
  private async counts(
    field: CollectionField | AggregateField,
    coordinate: string,
    request: RowRequest,
  ): Promise<(i: number) => Promise<number | null>> {
    const min = smallCellMin(this.policyClass, field);
    this.edges.push(...rowEdges(coordinate, request.step));
    if (min === 0) {
      const counts = await aggregateRows(this.session, this.types, request, { op: 'count' });
      return (i) => Promise.resolve(Number(counts.get(i) ?? 0));
    }
    const { entity } = request.step;
    this.edges.push(...personEdges(coordinate, entity));
    const counted = await countedRows(this.session, this.types, request);
    return async (i) => {
      const { persons, rows } = counted.get(i) ?? { persons: [], rows: [] };
      const group = isPersonItself(entity) ? { dataset: entity.table, persons } : { dataset: entity.table, persons, rows };
      const [told = null] = await this.tell(min, [group]);
      return told;
    };
  }

  private async aggregates(
    field: AggregateField,
    coordinate: string,
    keys: readonly (readonly unknown[])[],
    args: Record<string, unknown>,
  ): Promise<unknown[]> {
    const { step } = stepOf(this.policyClass, coordinate, field, args, 0);
    const request = this.requestOf(step, field, keys, args);
    const { measure } = field;
    if (measure.op === 'count') {
      const told = await this.counts(field, coordinate, request);
      return Promise.all(keys.map((_, i) => told(i)));
    }
    this.edges.push(...rowEdges(coordinate, step), edge(coordinate, `${step.entity.table}.${measure.column}`, 'DIRECT'));
    const values = await aggregateRows(this.session, this.types, request, measure);
    return keys.map((_, i) => values.get(i) ?? null);
  }

  private async reader(
    field: ReaderField,
    coordinate: string,
    keys: readonly (readonly unknown[])[],
    args: Record<string, unknown>,
    info: GraphQLResolveInfo,
  ): Promise<unknown[]> {
    const parents = keys.map((key) => Object.fromEntries(field.parent.map((column, i) => [column, key[i]])));
    const { classification } = this.policyClass;
    const parent = entityOfType(info.parentType);
    const asked = valueTags(classification, info);
    const tags = [...new Set([...(parent ? classification.rowTags(parent) : []), ...classification.readerTags(field), ...asked])];
    const source = rowSource(this.session, this.types, {
      rule: (entity) => this.policyClass.rowRule(entity, tags, readerAction(field), 'many'),
      values: { ...this.values, args: [args], after: [null], cursorDigest: [''] },
      now: this.now,
      touched: this.touched,
      read: (what) => {
        this.edges.push(...sourceReadEdges(coordinate, what));
      },
    });
    return [...(await field.load(source, parents, args))];
  }

  private request(
    field: ReferenceField | CollectionField,
    coordinate: string,
    keys: readonly (readonly unknown[])[],
    args: Record<string, unknown>,
    info: GraphQLResolveInfo,
    order: Order | null,
    limit: number,
  ) {
    const { step } = stepOf(this.policyClass, coordinate, field, args, 0);
    const { entity } = step;
    const { type, cells, joins, columns } = this.asked.of(field, info);
    const predicates: Predicate[] = [];
    for (const cell of cells)
      if (cell.plan.kind === 'case')
        for (const branch of cell.plan.branches) if (!includes(predicates, branch.when)) predicates.push(branch.when);
    this.edges.push(...rowEdges(coordinate, step), ...orderEdges(coordinate, entity, order), ...personEdges(coordinate, entity));
    for (const { name, field: shown, plan } of cells) this.edges.push(...cellEdges(`${type?.name ?? ''}.${name}`, entity, shown, plan));
    for (const { name, by } of joins) this.edges.push(...columnEdges(`${type?.name ?? ''}.${name}`, entity, by));
    const request: RowRequest = {
      ...this.requestOf(step, field, keys, args),
      columns,
      predicates,
      limit,
      order: order && { column: order.column, descending: order.descending ?? false },
    };
    return { request, entity, cells, predicates };
  }

  /** Rows of a step without their cells. */
  private requestOf(step: RowStep, field: LeadingField, keys: readonly (readonly unknown[])[], args: Record<string, unknown>): RowRequest {
    return {
      step,
      columns: [],
      predicates: [],
      parents: field.on.length === 0 ? null : keys,
      order: null,
      limit: 1,
      after: null,
      values: { ...this.values, args: [args], after: [null], cursorDigest: [''] },
    };
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

  private node(row: SelectedRow, cells: readonly Cell[], predicates: readonly Predicate[]): Node {
    const node: Node = { [STORED]: row };
    for (const cell of cells) node[cell.name] = this.cell(row, cell, predicates);
    return node;
  }

  private cell(row: SelectedRow, { field, plan, person }: Cell, predicates: readonly Predicate[]): unknown {
    const read = field.kind === 'column' ? row.cells[field.column] : field.js(row.cells);
    // NaN and infinities have no JSON form.
    const value = typeof read === 'number' && !Number.isFinite(read) ? null : read;
    const column = field.kind === 'column' ? field : undefined;
    const patient = person === undefined ? null : row.cells[person];
    const masked: MaskedCell = {
      type: field.type,
      pads: this.values.maskPads,
      redacted: column?.redacted === undefined ? null : row.cells[column.redacted],
      patient: typeof patient === 'string' ? patient : null,
      now: this.now,
      identifier: column?.identifier,
    };
    const through = (mask: (CellPlan & { kind: 'mask' })['mask'] | null): unknown =>
      mask === null ? (value ?? null) : maskValue(mask, value, masked);
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

const includes = (list: readonly Predicate[], one: Predicate): boolean => indexOf(list, one) >= 0;
const indexOf = (list: readonly Predicate[], one: Predicate): number =>
  list.findIndex((each) => JSON.stringify(each) === JSON.stringify(one));

/** A function that does its work the first time and gives the same result from then on. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= work());
}

import type { GraphQLSchema } from 'graphql';
import {
  CodedError,
  DECLARATION,
  PRODUCT_NAMES,
  entityOf,
  type EntityDeclaration,
  type FieldDeclaration,
  type Filter,
  type Order,
  type Tag,
  type TypeClass,
  type TypeThunk,
} from '../kernel/index.js';
import { dataTypes, entityOfType } from './coordinates.js';

/** Which product owns a type: the first level of the names of its assets. */
export interface Owned {
  readonly name: string;
  readonly owner: string;
  readonly types: readonly TypeClass[];
}

/** Tags that the policy in force puts on assets, by name: `product`, `product.dataset` or `product.dataset.column`, `*` for any one level. */
export type TagAssignments = Readonly<Record<string, readonly Tag[]>>;

type Tagged = Pick<FieldDeclaration, 'tags'>;

/**
 * Every dataset and column with its tags: declared by its product, put on it by the policy in force, and inherited downwards from product
 * to dataset to column. All decisions ask this one place, so a tag that a steward adds acts everywhere at once.
 */
export class Classification {
  /** Datasets by table, with their governed tags. */
  readonly datasets = new Map<string, { readonly product: string; readonly owner: string; readonly entity: EntityDeclaration }>();
  private readonly columns = new Map<string, readonly Tag[]>();
  private readonly fields = new Map<Tagged, readonly Tag[]>();
  private readonly unions = new Map<EntityDeclaration | undefined, Map<Tagged, readonly Tag[]>>();

  constructor(
    readonly schema: GraphQLSchema,
    products: readonly Owned[],
    private readonly assigned: TagAssignments = {},
    /** Products that this process reads without serving them: their datasets are governed all the same. */
    elsewhere: readonly Owned[] = [],
  ) {
    for (const product of [...elsewhere, ...products]) {
      for (const type of product.types) this.addDataset(product, type);
    }
    for (const type of dataTypes(schema)) {
      const entity = entityOfType(type);
      for (const field of Object.values(type.getFields())) {
        const declaration = field.extensions[DECLARATION] as FieldDeclaration | undefined;
        if (declaration) this.addField(entity, declaration);
      }
    }
    this.refuseUnknownAssets(products);
  }

  /** Tags that one grant must cover for a row of the dataset to exist for a caller. */
  rowTags(entity: EntityDeclaration): readonly Tag[] {
    return this.datasets.get(entity.table)?.entity.tags ?? entity.tags;
  }

  /** Tags of a field alone: declared, governed, and its Safe Harbor letter. */
  fieldTags(field: Tagged): readonly Tag[] {
    return this.fields.get(field) ?? field.tags;
  }

  /** Tags of a cell: those of its row together with those of its field. */
  cellTags(entity: EntityDeclaration | undefined, field: Tagged): readonly Tag[] {
    let known = this.unions.get(entity);
    if (!known) this.unions.set(entity, (known = new Map<Tagged, readonly Tag[]>()));
    let tags = known.get(field);
    if (!tags) known.set(field, (tags = union(entity ? this.rowTags(entity) : [], this.fieldTags(field))));
    return tags;
  }

  /** Tags that a caller must read in the clear to filter or order by a column; undefined where nobody classified it. */
  columnTags(of: TypeThunk, column: string): readonly Tag[] | undefined {
    const entity = entityOf(of());
    if (column === entity.patient) return this.rowTags(entity);
    const own = this.columns.get(`${entity.table}.${column}`);
    return own && union(this.rowTags(entity), own);
  }

  filterTags(of: TypeThunk, filter: Filter): readonly Tag[] | undefined {
    return filter.tags ? union(this.unservedTags(of), filter.tags) : this.columnTags(of, filter.column);
  }

  orderTags(of: TypeThunk, order: Order): readonly Tag[] | undefined {
    return order.tags ? union(this.unservedTags(of), order.tags) : this.columnTags(of, order.column);
  }

  /** Everything that one grant must cover for a reader: its own tags and those of all rows and columns that it reads. */
  readerTags(declaration: FieldDeclaration & { kind: 'reader' }): readonly Tag[] {
    return union(this.fieldTags(declaration), this.readTags(declaration.reads));
  }

  /** Tags of rows and columns that code reads: of readers, feature views and labels. */
  readTags(reads: readonly { readonly of: TypeThunk; readonly columns: readonly string[] }[]): readonly Tag[] {
    return union(
      ...reads.map(({ of }) => this.rowTags(entityOf(of()))),
      ...reads.flatMap(({ of, columns }) => columns.map((column) => this.columnTags(of, column) ?? this.unservedTags(of))),
    );
  }

  /**
   * A column that no field serves may be the twin of one that is governed (its sort key, its packed form, its text index): it carries
   * the governed tags of all columns of its dataset.
   */
  private unservedTags(of: TypeThunk): readonly Tag[] {
    const entity = entityOf(of());
    const product = this.datasets.get(entity.table)?.product;
    const below = Object.entries(this.assigned).filter(([pattern]) => {
      const [first, second, third] = pattern.split('.');
      return third !== undefined && (first === '*' || first === product) && (second === '*' || second === entity.table);
    });
    return union(this.rowTags(entity), ...below.map(([, tags]) => tags));
  }

  /** Tags of an asset that come from assignments to it or to what it lies in. */
  governed(...levels: readonly string[]): readonly Tag[] {
    return Object.entries(this.assigned).flatMap(([pattern, tags]) => {
      const wanted = pattern.split('.');
      return wanted.length <= levels.length && wanted.every((part, i) => part === '*' || part === levels[i]) ? tags : [];
    });
  }

  private addDataset(product: Owned, type: TypeClass): void {
    let entity: EntityDeclaration;
    try {
      entity = entityOf(type);
    } catch {
      // A type without a table is no dataset.
      return;
    }
    const tags = union(entity.tags, this.governed(product.name, entity.table));
    this.datasets.set(entity.table, { product: product.name, owner: product.owner, entity: { ...entity, tags } });
  }

  private addField(entity: EntityDeclaration | undefined, field: FieldDeclaration): void {
    const dataset = entity && this.datasets.get(entity.table);
    const names = field.kind === 'column' ? [field.column] : field.kind === 'computed' ? field.from.map((each) => each.column) : [];
    const governed = dataset ? names.flatMap((name) => this.governed(dataset.product, dataset.entity.table, name)) : [];
    const tags = union(field.tags, governed, letterTags(field));
    this.fields.set(field, tags);
    if (field.kind === 'column' && entity) this.columns.set(`${entity.table}.${field.column}`, tags);
  }

  private refuseUnknownAssets(products: readonly Owned[]): void {
    const known = new Set(products.map((product) => product.name));
    for (const [table, { product }] of this.datasets) known.add(`${product}.${table}`);
    for (const column of this.columns.keys()) known.add(`${this.datasets.get(column.split('.')[0] ?? '')?.product ?? ''}.${column}`);
    const names = [...known].map((name) => name.split('.'));
    const served = new Set(products.map((product) => product.name));
    const isElsewhere = (first: string): boolean =>
      first === '*' ? PRODUCT_NAMES.some((name) => !served.has(name)) : PRODUCT_NAMES.some((name) => name === first && !served.has(name));
    for (const pattern of Object.keys(this.assigned)) {
      const wanted = pattern.split('.');
      // What another process serves is checked where the document was proposed.
      if (products.length > 0 && isElsewhere(wanted[0] ?? '')) continue;
      const hit = names.some((name) => name.length === wanted.length && wanted.every((part, i) => part === '*' || part === name[i]));
      if (!hit) throw new CodedError('POLICY_INVALID', `The policy is refused. It tags ${pattern}, and there is no such asset.`);
    }
  }
}

/** The letter of a field as a tag. A random code assigned to a person is allowed by 45 CFR 164.514(c) and carries none. */
function letterTags(field: FieldDeclaration): readonly Tag[] {
  if (!('safeHarbor' in field) || field.safeHarbor === 'none') return [];
  if (field.safeHarbor === 'R' && field.tags.includes('pseudonym')) return [];
  const detail = field.kind !== 'column' ? undefined : field.redacted === undefined ? field.identifier : 'text';
  return [detail === undefined ? `safeharbor.${field.safeHarbor}` : `safeharbor.${field.safeHarbor}.${detail}`];
}

const union = (...lists: readonly (readonly Tag[])[]): readonly Tag[] => [...new Set(lists.flat())];

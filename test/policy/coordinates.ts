/** Which coordinates of a schema exist for a caller, worked out from the declarations: the class schema and the guard must say the same. */
import { getNamedType, isObjectType, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import {
  ACTIONS,
  DECLARATION,
  entityOf,
  type Action,
  type EntityDeclaration,
  type FieldDeclaration,
  type Tag,
  type TypeClass,
  type TypeDeclaration,
  type TypeThunk,
} from '../../src/kernel/index.js';
import { oracleCovers, type Asking, type Rules } from './oracle.js';

export interface Assigned {
  readonly [pattern: string]: readonly Tag[];
}

export interface Owning {
  readonly name: string;
  readonly types: readonly TypeClass[];
}

/** A column or computed field of an entity. */
export interface CellField {
  readonly name: string;
  readonly field: FieldDeclaration & { kind: 'column' | 'computed' };
}

export interface Table {
  readonly type: string;
  readonly entity: EntityDeclaration;
  readonly fields: readonly CellField[];
}

const typesOf = (schema: GraphQLSchema): GraphQLObjectType[] =>
  Object.values(schema.getTypeMap()).filter((type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__'));

const fieldOf = (extensions: Readonly<Record<string, unknown>>): FieldDeclaration | undefined =>
  extensions[DECLARATION] as FieldDeclaration | undefined;

function entityBehind(type: GraphQLObjectType): EntityDeclaration | undefined {
  const found = type.extensions[DECLARATION] as TypeDeclaration | undefined;
  return found?.kind === 'entity' ? found : undefined;
}

/** Entity types with their cells. */
export function tablesOf(schema: GraphQLSchema): Table[] {
  return typesOf(schema).flatMap((type) => {
    const entity = entityBehind(type);
    if (!entity) return [];
    const fields = Object.values(type.getFields()).flatMap((each): CellField[] => {
      const field = fieldOf(each.extensions);
      return field?.kind === 'column' || field?.kind === 'computed' ? [{ name: each.name, field }] : [];
    });
    return [{ type: type.name, entity, fields }];
  });
}

/** Tags of rows and fields: what is declared, what the policy puts on the asset or on what it lies in, and the letter of an identifier. */
export class Tags {
  private readonly tables: readonly Table[];
  private readonly cells = new Map<FieldDeclaration, Tag[]>();

  constructor(
    schema: GraphQLSchema,
    private readonly products: readonly Owning[],
    private readonly assigned: Assigned = {},
  ) {
    this.tables = tablesOf(schema);
  }

  ofRow(entity: EntityDeclaration): Tag[] {
    return [...new Set([...entity.tags, ...this.put([this.productOf(entity), entity.table])])];
  }

  ofField(field: FieldDeclaration, entity: EntityDeclaration | undefined): Tag[] {
    const tags: Tag[] = [...field.tags];
    const columns = field.kind === 'column' ? [field.column] : field.kind === 'computed' ? field.from.map((each) => each.column) : [];
    if (entity) for (const column of columns) tags.push(...this.put([this.productOf(entity), entity.table, column]));
    if ('safeHarbor' in field && field.safeHarbor !== 'none' && !(field.safeHarbor === 'R' && field.tags.includes('pseudonym'))) {
      const detail = field.kind !== 'column' ? undefined : field.redacted !== undefined ? 'text' : field.identifier;
      tags.push(`safeharbor.${field.safeHarbor}${detail === undefined ? '' : `.${detail}`}`);
    }
    return [...new Set(tags)];
  }

  ofCell(field: FieldDeclaration, entity: EntityDeclaration): Tag[] {
    let tags = this.cells.get(field);
    if (!tags) this.cells.set(field, (tags = [...new Set([...this.ofRow(entity), ...this.ofField(field, entity)])]));
    return tags;
  }

  /** Tags of a column wherever a field serves it. */
  ofColumn(of: TypeThunk, column: string): Tag[] | undefined {
    const entity = entityOf(of());
    if (column === entity.patient) return this.ofRow(entity);
    const served = this.tables
      .filter((each) => each.entity.table === entity.table)
      .flatMap((each) => each.fields.filter(({ field }) => field.kind === 'column' && field.column === column));
    const [first] = served;
    return first && this.ofCell(first.field, entity);
  }

  /** Tags of a column that no field serves: it may be the twin of any column of its table that the policy tags. */
  ofTwin(of: TypeThunk): Tag[] {
    const entity = entityOf(of());
    const levels = [this.productOf(entity), entity.table];
    const below = Object.keys(this.assigned)
      .map((name) => name.split('.'))
      .filter((name) => name.length === 3 && levels.every((level, i) => name[i] === '*' || name[i] === level))
      .flatMap((name) => this.assigned[name.join('.')] ?? []);
    return [...new Set([...this.ofRow(entity), ...below])];
  }

  private productOf(entity: EntityDeclaration): string {
    const named = (type: TypeClass): boolean => {
      try {
        return entityOf(type).table === entity.table;
      } catch {
        return false;
      }
    };
    return this.products.find((product) => product.types.some(named))?.name ?? '';
  }

  private put(levels: readonly string[]): Tag[] {
    const tags: Tag[] = [];
    for (const [pattern, given] of Object.entries(this.assigned)) {
      const parts = pattern.split('.');
      if (parts.length > levels.length) continue;
      if (parts.every((part, i) => part === '*' || part === levels[i])) tags.push(...given);
    }
    return tags;
  }
}

/** The coordinates that a caller's grants open, before what cannot be reached is left out. */
export function openCoordinates(schema: GraphQLSchema, tags: Tags, rules: Rules, asking: Asking, now: number): Set<string> {
  const open = new Set<string>();
  for (const type of typesOf(schema)) {
    for (const field of Object.values(type.getFields())) {
      const declaration = fieldOf(field.extensions);
      if (declaration && isOpen(declaration, entityBehind(type), tags, rules, asking, now)) open.add(`${type.name}.${field.name}`);
    }
  }
  return open;
}

function isOpen(
  field: FieldDeclaration,
  parent: EntityDeclaration | undefined,
  tags: Tags,
  rules: Rules,
  asking: Asking,
  now: number,
): boolean {
  const clear = (wanted: readonly Tag[], entity?: EntityDeclaration, action: Action = 'read'): boolean =>
    oracleCovers(rules, asking, wanted, now, entity, action).clear;
  switch (field.kind) {
    case 'structure': {
      const anybody = [asking.roles, ...asking.actors].every(
        (roles) =>
          oracleCovers(
            { ...rules, forbids: [] },
            { ...asking, roles, actors: [], emergency: asking.emergency === true && asking.actors.length === 0 },
            ['root'],
            now,
          ).clear,
      );
      const entity = field.needs && entityOf(field.needs.of());
      return anybody && (entity === undefined || clear(tags.ofRow(entity), entity, field.needs?.action));
    }
    case 'column':
    case 'computed':
      if (!parent) return false;
      return clear(tags.ofRow(parent), parent) && oracleCovers(rules, asking, tags.ofCell(field, parent), now, parent).covered;
    case 'reference':
    case 'collection':
    case 'aggregate': {
      const entity = entityOf((field.kind === 'reference' ? field.to : field.of)());
      const wanted = [...tags.ofRow(entity), ...tags.ofField(field, undefined)];
      if (clear(tags.ofRow(entity), entity)) return clear(wanted, entity);
      // Who may read no row at all may still be allowed to count them.
      const counts = field.kind === 'collection' || (field.kind === 'aggregate' && field.measure.op === 'count');
      return counts && clear(wanted, entity, 'count');
    }
    case 'reader': {
      const read = field.reads.flatMap(({ of, columns }) => [
        ...tags.ofRow(entityOf(of())),
        ...columns.flatMap((column) => tags.ofColumn(of, column) ?? tags.ofTwin(of)),
      ]);
      return clear(
        [...(parent ? tags.ofRow(parent) : []), ...tags.ofField(field, undefined), ...read],
        undefined,
        field.file === undefined ? 'read' : 'file',
      );
    }
    case 'value':
      return ACTIONS.some(
        (action) => action !== 'file' && action !== 'feature' && clear(tags.ofField(field, undefined), undefined, action),
      );
    case 'operation':
      return clear(field.tags, undefined, field.action);
  }
}

/** What is left of open coordinates once types without any field are gone, and fields of them, and what no root leads to. */
export function reachableCoordinates(schema: GraphQLSchema, open: ReadonlySet<string>): Set<string> {
  const left = new Set(open);
  const isEmpty = (type: GraphQLObjectType): boolean => !Object.keys(type.getFields()).some((name) => left.has(`${type.name}.${name}`));
  for (let before = -1; before !== left.size;) {
    before = left.size;
    for (const type of typesOf(schema))
      for (const field of Object.values(type.getFields())) {
        const leads = getNamedType(field.type);
        if (isObjectType(leads) && isEmpty(leads)) left.delete(`${type.name}.${field.name}`);
      }
  }
  const reached = new Set<string>();
  const waiting = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].filter(
    (each) => each !== undefined && each !== null,
  );
  const seen = new Set(waiting);
  for (let type = waiting.pop(); type; type = waiting.pop())
    for (const field of Object.values(type.getFields())) {
      if (!left.has(`${type.name}.${field.name}`)) continue;
      reached.add(`${type.name}.${field.name}`);
      const leads = getNamedType(field.type);
      if (!isObjectType(leads) || seen.has(leads)) continue;
      seen.add(leads);
      waiting.push(leads);
    }
  return reached;
}

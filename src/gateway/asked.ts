import { getNamedType, isObjectType, type FieldNode, type GraphQLObjectType, type GraphQLResolveInfo } from 'graphql';
import { collectSubfields } from 'graphql/execution/collectFields.js';
import { cellColumns, cellPlan, entityOfType, fieldDeclaration, type Classification, type PolicyClass } from '../governance/index.js';
import {
  type CellPlan,
  type CollectionField,
  type ColumnField,
  type ComputedField,
  type EntityDeclaration,
  type ReferenceField,
  type Tag,
} from '../kernel/index.js';
import { hidden, targetEntity } from './step.js';

export interface Cell {
  readonly name: string;
  readonly field: ColumnField | ComputedField;
  readonly plan: CellPlan;
  /** Column of the person of the row. */
  readonly person: string | undefined;
}

/** What is asked of the rows behind one field. */
export interface Asked {
  /** Equal for fields of which the same is asked. */
  readonly name: string;
  /** Null where the class knows the rows by their number alone. */
  readonly type: GraphQLObjectType | null;
  readonly cells: readonly Cell[];
  /** Fields that lead on from the rows, and the columns that they do it by. */
  readonly joins: readonly { readonly name: string; readonly by: readonly string[] }[];
  /** Columns of the rows for all of this, and the person whom each is about. */
  readonly columns: readonly string[];
}

/** Looks up once a field what is asked of its rows, so that nothing else is read of them. */
export class AskedRows {
  /** graphql-js gives one list of nodes to a field, however many rows stand above it. */
  private readonly known = new WeakMap<readonly FieldNode[], Map<string, Asked>>();

  constructor(private readonly policyClass: PolicyClass) {}

  of(field: ReferenceField | CollectionField, info: GraphQLResolveInfo): Asked {
    const entity = targetEntity(field);
    let known = this.known.get(info.fieldNodes);
    if (!known) this.known.set(info.fieldNodes, (known = new Map<string, Asked>()));
    let made = known.get(entity.table);
    if (!made) known.set(entity.table, (made = this.find(entity, field.kind === 'collection', info)));
    return made;
  }

  private find(entity: EntityDeclaration, list: boolean, info: GraphQLResolveInfo): Asked {
    const type = typeOf(info, entity);
    if (!type) return { name: '', type, cells: [], joins: [], columns: entity.patient === undefined ? [] : [entity.patient] };
    const names = rowFieldsAsked(info, type, list);
    const cells: Cell[] = [];
    const joins: Asked['joins'][number][] = [];
    const columns = new Set<string>(entity.patient === undefined ? [] : [entity.patient]);
    for (const name of names) {
      const definition = type.getFields()[name];
      const field = definition && fieldDeclaration(definition);
      if (field?.kind === 'column' || field?.kind === 'computed') {
        const found = cellPlan(this.policyClass, entity, field);
        if (!found) throw hidden(`${type.name}.${name}`);
        cells.push({ name, field, plan: found.cell, person: entity.patient });
        const { direct, indirect } = cellColumns(entity, field, found.cell);
        for (const column of [...direct, ...indirect]) columns.add(column);
      } else if (field?.kind === 'reader' || (field && 'on' in field)) {
        const by = field.kind === 'reader' ? field.parent : field.on.map(([ours]) => ours);
        joins.push({ name, by });
        for (const column of by) columns.add(column);
      }
    }
    return { name: names.join(','), type, cells, joins, columns: [...columns] };
  }
}

/** Names of the fields that are asked of the rows behind a field, whatever their keys: below the nodes of a list, or of the row itself. */
function rowFieldsAsked(info: GraphQLResolveInfo, row: GraphQLObjectType, list: boolean): string[] {
  const below = (type: GraphQLObjectType, nodes: readonly FieldNode[]): (readonly FieldNode[])[] => [
    ...collectSubfields(info.schema, info.fragments, info.variableValues, type, nodes).values(),
  ];
  const named = getNamedType(info.returnType);
  let holders: readonly (readonly FieldNode[])[] = [info.fieldNodes];
  if (list && isObjectType(named)) {
    const edge = getNamedType(named.getFields()['edges']?.type);
    const edges = below(named, info.fieldNodes).filter((nodes) => nodes[0]?.name.value === 'edges');
    holders = isObjectType(edge) ? edges.flatMap((nodes) => below(edge, nodes).filter((each) => each[0]?.name.value === 'node')) : [];
  }
  const names = holders.flatMap((nodes) => below(row, nodes).map((each) => each[0]?.name.value ?? ''));
  return [...new Set(names)].filter((name) => !name.startsWith('__')).sort();
}

/** A class that only counts rows has no type for them. */
function typeOf(info: GraphQLResolveInfo, entity: EntityDeclaration): GraphQLObjectType | null {
  for (const type of Object.values(info.schema.getTypeMap()))
    if ('getFields' in type && 'isTypeOf' in type && entityOfType(type)?.table === entity.table) return type;
  return null;
}

/** Tags of the value fields that are asked of a reader, at any depth; its rows must be covered by one grant together with them. */
export function valueTags(classification: Classification, info: GraphQLResolveInfo): Tag[] {
  const tags = new Set<Tag>();
  const visit = (type: GraphQLObjectType, nodes: readonly FieldNode[]): void => {
    for (const [, children] of collectSubfields(info.schema, info.fragments, info.variableValues, type, nodes)) {
      const definition = type.getFields()[children[0]?.name.value ?? ''];
      if (!definition) continue;
      for (const tag of classification.fieldTags(fieldDeclaration(definition))) tags.add(tag);
      const named = getNamedType(definition.type);
      if (isObjectType(named) && !entityOfType(named)) visit(named, children);
    }
  };
  const named = getNamedType(info.returnType);
  if (isObjectType(named)) visit(named, info.fieldNodes);
  return [...tags].sort();
}

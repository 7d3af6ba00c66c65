import {
  Kind,
  getArgumentValues,
  getNamedType,
  isObjectType,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { collectFields, collectSubfields } from 'graphql/execution/collectFields.js';
import { cellPlan, edge, entityOfType, fieldDeclaration, ruleColumns, verdictOf, type PolicyClass } from '../governance/index.js';
import {
  entityOf,
  readerAction,
  type AggregateField,
  type CollectionField,
  type ColumnField,
  type ComputedField,
  type ConnectionItem,
  type ConnectionPlan,
  type EntityDeclaration,
  type LineageEdge,
  type OperationField,
  type Plan,
  type PlanDecision,
  type PlanField,
  type ReaderField,
  type ReferenceField,
  type RowStep,
  type Tag,
  type ValueSelection,
} from '../kernel/index.js';
import { cellEdges, columnEdges, distinctEdges, orderEdges, personEdges, rowEdges } from './lineage-edges.js';
import { checkArguments, hidden, orderOf, smallCellMin, stepOf, type LeadingField } from './step.js';

/** Raised where a document holds something that the compiled path does not do; the reference path answers then. */
export class PlanUnsupported extends Error {}

/** A field of the document whose arguments are bound when the plan runs. */
export interface ArgumentSite {
  readonly definition: GraphQLField<unknown, unknown>;
  readonly node: FieldNode;
  readonly coordinate: string;
}

export interface PlannedOperation {
  readonly plan: Plan;
  readonly sites: readonly ArgumentSite[];
}

type Fragments = Record<string, FragmentDefinitionNode>;

/** Makes the plan of a query for one policy class: selection set and decisions become rows, cells and readers. */
export function planQuery(input: {
  schema: GraphQLSchema;
  policyClass: PolicyClass;
  operation: OperationDefinitionNode;
  fragments: Fragments;
  variables: Record<string, unknown>;
  /** For the record of the reference path: what only that path does is planned too, for its decisions. Its columns are told as they are read. */
  lenient?: boolean;
}): PlannedOperation {
  return new Planner(input.schema, input.policyClass, input.fragments, input.variables, input.lenient ?? false).operation(input.operation);
}

class Planner {
  private readonly sites: ArgumentSite[] = [];
  private readonly statement: LineageEdge[] = [];
  private readonly declared: LineageEdge[] = [];
  private readonly decisions = new Map<string, PlanDecision>();
  private readonly datasets = new Set<string>();

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly policyClass: PolicyClass,
    private readonly fragments: Fragments,
    private readonly variables: Record<string, unknown>,
    private readonly lenient: boolean,
  ) {}

  operation(operation: OperationDefinitionNode): PlannedOperation {
    const query = this.schema.getQueryType();
    if (!query) throw new PlanUnsupported('no query type');
    const groups = collectFields(this.schema, this.fragments, this.variables, query, operation.selectionSet);
    const fields = [...groups].map(([key, nodes]) => this.field(query, undefined, key, nodes));
    const statement = distinctEdges(this.statement);
    const columns = distinctEdges([...statement, ...this.declared]);
    // Consent decides rows as the tables do that hold them, so its version belongs to the answer too.
    for (const { source } of columns) this.datasets.add(source.slice(0, source.indexOf('.')));
    const told = this.lenient ? { columns: [], statement: [] } : { columns, statement };
    return {
      plan: { fields, ...told, decisions: [...this.decisions.values()], datasets: [...this.datasets].sort() },
      sites: this.sites,
    };
  }

  private fields(type: GraphQLObjectType, nodes: readonly FieldNode[]): PlanField[] {
    const groups = collectSubfields(this.schema, this.fragments, this.variables, type, nodes);
    return [...groups].map(([key, children]) => this.field(type, entityOfType(type), key, children));
  }

  private field(parent: GraphQLObjectType, entity: EntityDeclaration | undefined, key: string, nodes: readonly FieldNode[]): PlanField {
    const [node] = nodes;
    if (!node) throw new PlanUnsupported('empty group');
    this.fits(key);
    const name = node.name.value;
    // Beside fields with data, graphql-js answers what is asked of the schema.
    if (name === '__typename' || (this.lenient && name.startsWith('__'))) return { kind: 'typename', key, value: parent.name };
    const definition = parent.getFields()[name];
    if (!definition) throw new PlanUnsupported('introspection');
    const declaration = fieldDeclaration(definition);
    const coordinate = `${parent.name}.${name}`;
    switch (declaration.kind) {
      case 'column':
      case 'computed':
        return this.cell(coordinate, entity, key, declaration);
      case 'reference':
        return this.reference(coordinate, entity, key, definition, nodes, declaration);
      case 'collection':
        return this.collection(coordinate, entity, key, definition, nodes, declaration);
      case 'aggregate':
        return this.aggregate(coordinate, entity, key, definition, node, declaration);
      case 'reader':
        return this.reader(coordinate, entity, key, definition, nodes, declaration);
      case 'operation':
        return this.operationField(coordinate, key, definition, nodes, declaration);
      default:
        throw new PlanUnsupported(declaration.kind);
    }
  }

  /** A hand-written query: the reference path runs it, and what it reads enters the lineage there. */
  private operationField(
    coordinate: string,
    key: string,
    definition: GraphQLField<unknown, unknown>,
    nodes: readonly FieldNode[],
    field: OperationField,
  ): PlanField {
    if (!this.lenient) throw new PlanUnsupported(field.kind);
    const decision = this.policyClass.decide(this.policyClass.classification.fieldTags(field), field.action);
    this.decide(coordinate, { verdict: 'allowed', ruleIds: decision.alternatives.map((each) => each.grantId) });
    const named = getNamedType(definition.type);
    if (isObjectType(named) && !entityOfType(named)) this.values(named, nodes);
    return { kind: 'typename', key, value: coordinate };
  }

  /** Postgres cuts names at 63 bytes, so two long aliases could become one. */
  private fits(key: string): void {
    if (Buffer.byteLength(key) > 63 && !this.lenient) throw new PlanUnsupported('long response key');
  }

  private cell(coordinate: string, entity: EntityDeclaration | undefined, key: string, field: ColumnField | ComputedField): PlanField {
    const found = entity && cellPlan(this.policyClass, entity, field);
    if (!found) throw hidden(coordinate);
    this.decide(coordinate, verdictOf(found.cell, found.decision));
    this.statement.push(...cellEdges(coordinate, entity, field, found.cell));
    return field.kind === 'column' ? { kind: 'column', key, field, cell: found.cell } : { kind: 'computed', key, field, cell: found.cell };
  }

  private reference(
    coordinate: string,
    parent: EntityDeclaration | undefined,
    key: string,
    definition: GraphQLField<unknown, unknown>,
    nodes: readonly FieldNode[],
    field: ReferenceField,
  ): PlanField {
    const step = this.step(coordinate, definition, nodes[0], field);
    this.rows(coordinate, parent, step);
    if (!parent) this.statement.push(...personEdges(coordinate, step.entity));
    return { kind: 'reference', key, step, fields: this.fields(objectOf(definition), nodes) };
  }

  private collection(
    coordinate: string,
    parent: EntityDeclaration | undefined,
    key: string,
    definition: GraphQLField<unknown, unknown>,
    nodes: readonly FieldNode[],
    field: CollectionField,
  ): PlanField {
    const step = this.step(coordinate, definition, nodes[0], field);
    const args = this.argumentsAt(step.arguments);
    const order = orderOf(this.policyClass, coordinate, field, args['orderBy']);
    const parts = this.connection(objectOf(definition), nodes);
    const hasAfter = typeof args['after'] === 'string';
    const min = smallCellMin(this.policyClass, field);
    const asks = askedOf(parts);
    const persons = !parent && step.entity.patient !== undefined && (asks.rows || asks.info);
    const pages = asks.rows || persons;
    if (pages || asks.more || asks.counts) this.rows(coordinate, parent, step);
    if (pages || (asks.more && hasAfter)) this.statement.push(...orderEdges(coordinate, step.entity, order));
    if (persons || (asks.counts && min > 0)) this.statement.push(...personEdges(coordinate, step.entity));
    return { kind: 'collection', key, step, order, hasAfter, parts, smallCellMin: min };
  }

  private connection(type: GraphQLObjectType, nodes: readonly FieldNode[]): ConnectionPlan[] {
    const groups = collectSubfields(this.schema, this.fragments, this.variables, type, nodes);
    return [...groups].map(([key, children]): ConnectionPlan => {
      this.fits(key);
      const name = children[0]?.name.value ?? '';
      if (name === '__typename') return { kind: 'typename', key, value: type.name };
      if (name === 'totalCount' || name === 'exists') return { kind: name, key };
      const definition = type.getFields()[name];
      if (!definition || (name !== 'edges' && name !== 'pageInfo')) throw new PlanUnsupported(name);
      return { kind: name, key, items: this.items(objectOf(definition), children) };
    });
  }

  private items(type: GraphQLObjectType, nodes: readonly FieldNode[]): ConnectionItem[] {
    const groups = collectSubfields(this.schema, this.fragments, this.variables, type, nodes);
    return [...groups].map(([key, children]): ConnectionItem => {
      this.fits(key);
      const name = children[0]?.name.value ?? '';
      if (name === '__typename') return { kind: 'typename', key, value: type.name };
      if (name === 'cursor' || name === 'hasNextPage' || name === 'endCursor') return { kind: name, key };
      const definition = type.getFields()[name];
      if (!definition || name !== 'node') throw new PlanUnsupported(name);
      return { kind: 'node', key, fields: this.fields(objectOf(definition), children) };
    });
  }

  private aggregate(
    coordinate: string,
    parent: EntityDeclaration | undefined,
    key: string,
    definition: GraphQLField<unknown, unknown>,
    node: FieldNode,
    field: AggregateField,
  ): PlanField {
    const step = this.step(coordinate, definition, node, field);
    const { measure } = field;
    const min = measure.op === 'count' ? smallCellMin(this.policyClass, field) : 0;
    this.rows(coordinate, parent, step);
    if (measure.op !== 'count') this.statement.push(edge(coordinate, `${step.entity.table}.${measure.column}`, 'DIRECT'));
    if (min > 0) this.statement.push(...personEdges(coordinate, step.entity));
    return { kind: 'aggregate', key, step, measure, smallCellMin: min };
  }

  private reader(
    coordinate: string,
    entity: EntityDeclaration | undefined,
    key: string,
    definition: GraphQLField<unknown, unknown>,
    nodes: readonly FieldNode[],
    field: ReaderField,
  ): PlanField {
    const { classification } = this.policyClass;
    const tags = [...new Set([...(entity ? classification.rowTags(entity) : []), ...classification.readerTags(field)])];
    const action = readerAction(field);
    const decision = this.policyClass.decide(tags, action);
    if (!decision.alternatives.some((each) => each.mask === null)) throw hidden(coordinate);
    this.decide(coordinate, {
      verdict: 'allowed',
      ruleIds: decision.alternatives.filter((each) => each.mask === null).map((each) => each.grantId),
    });
    for (const { of, columns } of field.reads) {
      const read = entityOf(of());
      this.datasets.add(read.table);
      const rule = ruleColumns(read, this.policyClass.rowRule(read, tags, action));
      for (const column of columns) this.declared.push(edge(coordinate, `${read.table}.${column}`, 'DIRECT'));
      for (const source of rule) this.declared.push(edge(coordinate, source, 'INDIRECT'));
    }
    if (entity) this.statement.push(...columnEdges(coordinate, entity, field.parent));
    const selection = this.values(objectOf(definition), nodes);
    return {
      kind: 'reader',
      key,
      coordinate,
      field,
      arguments: this.site(coordinate, definition, nodes[0]),
      selection,
      tags: [...new Set([...tags, ...this.selectedTags(objectOf(definition), nodes)])],
    };
  }

  private selectedTags(type: GraphQLObjectType, nodes: readonly FieldNode[]): Tag[] {
    const tags: Tag[] = [];
    for (const [, children] of collectSubfields(this.schema, this.fragments, this.variables, type, nodes)) {
      const definition = type.getFields()[children[0]?.name.value ?? ''];
      if (!definition) continue;
      tags.push(...this.policyClass.classification.fieldTags(fieldDeclaration(definition)));
      const named = getNamedType(definition.type);
      if (isObjectType(named) && !entityOfType(named)) tags.push(...this.selectedTags(named, children));
    }
    return tags;
  }

  private values(type: GraphQLObjectType, nodes: readonly FieldNode[]): ValueSelection {
    const groups = collectSubfields(this.schema, this.fragments, this.variables, type, nodes);
    return [...groups].map(([key, children]) => {
      const name = children[0]?.name.value ?? '';
      if (name === '__typename') return { kind: 'typename' as const, key, value: type.name };
      const definition = type.getFields()[name];
      if (!definition) throw new PlanUnsupported('introspection');
      if (fieldDeclaration(definition).kind !== 'value') {
        if (!this.lenient) throw new PlanUnsupported('reference inside a value');
        this.field(type, undefined, key, children);
        return { kind: 'typename' as const, key, value: type.name };
      }
      const named = getNamedType(definition.type);
      return { kind: 'value' as const, key, name, of: isObjectType(named) ? this.values(named, children) : null };
    });
  }

  private step(coordinate: string, definition: GraphQLField<unknown, unknown>, node: FieldNode | undefined, field: LeadingField): RowStep {
    const index = this.site(coordinate, definition, node);
    const { step, decision } = stepOf(this.policyClass, coordinate, field, this.argumentsAt(index), index);
    this.datasets.add(step.entity.table);
    this.decide(coordinate, {
      verdict: 'allowed',
      ruleIds: decision.alternatives.filter((each) => each.mask === null).map((each) => each.grantId),
    });
    return step;
  }

  /** What finds the rows of a step: their side of the join and ours, rules, filters, and the columns that filters derive. */
  private rows(coordinate: string, parent: EntityDeclaration | undefined, step: RowStep): void {
    this.statement.push(...rowEdges(coordinate, step));
    const derived = step.filters.flatMap(({ filter }) => (filter.derive ? [filter.derive.column] : []));
    this.statement.push(...columnEdges(coordinate, step.entity, derived));
    if (!parent) return;
    const ours = step.on.map(([column]) => column);
    this.statement.push(...columnEdges(coordinate, parent, ours));
  }

  private site(coordinate: string, definition: GraphQLField<unknown, unknown>, node: FieldNode | undefined): number {
    if (!node) throw new PlanUnsupported('empty group');
    this.sites.push({ definition, node, coordinate });
    return this.sites.length - 1;
  }

  private argumentsAt(index: number): Record<string, unknown> {
    const site = this.sites[index];
    return site ? argumentsOf(site, this.variables) : {};
  }

  private decide(coordinate: string, verdict: Pick<PlanDecision, 'verdict' | 'ruleIds'>): void {
    this.decisions.set(coordinate, { coordinate, ...verdict });
  }
}

/** What is asked of a connection: rows or their places, anything of its page info, whether there are more, how many there are. */
function askedOf(parts: readonly ConnectionPlan[]): { rows: boolean; info: boolean; more: boolean; counts: boolean } {
  const items = parts.flatMap((part) => (part.kind === 'pageInfo' ? part.items.map((item) => item.kind) : []));
  const has = (...kinds: ConnectionPlan['kind'][]): boolean => parts.some((part) => kinds.includes(part.kind));
  return {
    rows: has('edges') || items.includes('endCursor'),
    info: has('pageInfo'),
    more: items.includes('hasNextPage'),
    counts: has('totalCount', 'exists'),
  };
}

/** The arguments of one field, checked against the limits. */
export function argumentsOf(site: ArgumentSite, variables: Record<string, unknown>): Record<string, unknown> {
  const args = getArgumentValues(site.definition, site.node, variables);
  checkArguments(site.coordinate, args);
  return args;
}

/** Names of the variables that decide whether parts of the document take part at all. */
export function conditionVariables(operation: OperationDefinitionNode, fragments: Fragments): string[] {
  const names = new Set<string>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const each of node) visit(each);
      return;
    }
    if (node === null || typeof node !== 'object') return;
    const part = node as { kind?: Kind; name?: { value: string }; arguments?: { value: { kind: Kind; name?: { value: string } } }[] };
    if (part.kind === Kind.DIRECTIVE && (part.name?.value === 'skip' || part.name?.value === 'include')) {
      for (const argument of part.arguments ?? [])
        if (argument.value.kind === Kind.VARIABLE && argument.value.name) names.add(argument.value.name.value);
    }
    for (const [key, value] of Object.entries(node)) if (key !== 'loc') visit(value);
  };
  visit(operation.selectionSet);
  for (const fragment of Object.values(fragments)) visit(fragment.selectionSet);
  return [...names].sort();
}

function objectOf(definition: GraphQLField<unknown, unknown>): GraphQLObjectType {
  const named = getNamedType(definition.type);
  if (!isObjectType(named)) throw new PlanUnsupported('abstract type');
  return named;
}

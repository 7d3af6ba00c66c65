import {
  Kind,
  getArgumentValues,
  getNamedType,
  isObjectType,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { collectFields, collectSubfields } from 'graphql/execution/collectFields.js';
import {
  cellPlan,
  edge,
  entityOfType,
  fieldDeclaration,
  ruleColumns,
  verdictOf,
  type Classification,
  type PolicyClass,
} from '../governance/index.js';
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
  /** For the lineage of the reference path: what only that path does is planned too, for its columns and decisions. */
  lenient?: boolean;
}): PlannedOperation {
  return new Planner(input.schema, input.policyClass, input.fragments, input.variables, input.lenient ?? false).operation(input.operation);
}

class Planner {
  private readonly sites: ArgumentSite[] = [];
  private readonly columns: LineageEdge[] = [];
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
    const columns = [...new Map(this.columns.map((each) => [JSON.stringify(each), each])).values()];
    return {
      plan: { fields, columns, decisions: [...this.decisions.values()], datasets: [...this.datasets].sort() },
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
        return this.reference(coordinate, key, definition, nodes, declaration);
      case 'collection':
        return this.collection(coordinate, key, definition, nodes, declaration);
      case 'aggregate':
        return this.aggregate(coordinate, key, definition, node, declaration);
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
    const masking = found.cell.kind !== 'clear';
    const read = field.kind === 'column' ? [field.column] : field.from.map((each) => each.column);
    for (const column of read) this.columns.push(edge(coordinate, `${entity.table}.${column}`, 'DIRECT', masking));
    if (found.cell.kind === 'case') {
      for (const branch of found.cell.branches) this.indirect(coordinate, ruleColumns(entity, branch.when));
    }
    return field.kind === 'column' ? { kind: 'column', key, field, cell: found.cell } : { kind: 'computed', key, field, cell: found.cell };
  }

  private reference(
    coordinate: string,
    key: string,
    definition: GraphQLField<unknown, unknown>,
    nodes: readonly FieldNode[],
    field: ReferenceField,
  ): PlanField {
    const step = this.step(coordinate, definition, nodes[0], field);
    return { kind: 'reference', key, step, fields: this.fields(objectOf(definition), nodes) };
  }

  private collection(
    coordinate: string,
    key: string,
    definition: GraphQLField<unknown, unknown>,
    nodes: readonly FieldNode[],
    field: CollectionField,
  ): PlanField {
    const step = this.step(coordinate, definition, nodes[0], field);
    const args = this.argumentsAt(step.arguments);
    const order = orderOf(this.policyClass, coordinate, field, args['orderBy']);
    if (order) this.indirect(coordinate, [`${step.entity.table}.${order.column}`]);
    const parts = this.connection(objectOf(definition), nodes);
    return {
      kind: 'collection',
      key,
      step,
      order,
      hasAfter: typeof args['after'] === 'string',
      parts,
      smallCellMin: smallCellMin(this.policyClass, field),
    };
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
    key: string,
    definition: GraphQLField<unknown, unknown>,
    node: FieldNode,
    field: AggregateField,
  ): PlanField {
    const step = this.step(coordinate, definition, node, field);
    const { measure } = field;
    if (measure.op !== 'count') this.columns.push(edge(coordinate, `${step.entity.table}.${measure.column}`, 'DIRECT'));
    return { kind: 'aggregate', key, step, measure, smallCellMin: measure.op === 'count' ? smallCellMin(this.policyClass, field) : 0 };
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
      for (const column of columns) this.columns.push(edge(coordinate, `${read.table}.${column}`, 'DIRECT'));
      this.indirect(coordinate, ruleColumns(read, this.policyClass.rowRule(read, tags, action)));
    }
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
    this.indirect(coordinate, ruleColumns(step.entity, step.rows));
    this.indirect(
      coordinate,
      field.on.map(([, theirs]) => `${step.entity.table}.${theirs}`),
    );
    this.indirect(
      coordinate,
      step.filters.map((use) => `${step.entity.table}.${use.column}`),
    );
    this.decide(coordinate, {
      verdict: 'allowed',
      ruleIds: decision.alternatives.filter((each) => each.mask === null).map((each) => each.grantId),
    });
    return step;
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

  private indirect(coordinate: string, sources: readonly string[]): void {
    for (const source of sources) this.columns.push(edge(coordinate, source, 'INDIRECT'));
  }
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

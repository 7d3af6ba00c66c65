import { type DocumentNode, GraphQLError, Kind, OperationTypeNode, execute, getVariableValues } from 'graphql';
import { lineagePlan, literalsOf, type LineagePlan } from '../evidence/index.js';
import { CodedError, isCoded, readerAction, type LineageEdge, type PlanValues } from '../kernel/index.js';
import { EpochMoved, runPlan, withReadSession, type ReadSession } from '../store/index.js';
import { cursorDigest, decodeCursor, positionTypes } from './cursor.js';
import { asksSchema, partsOf, type OperationParts } from './document.js';
import { codedCause } from './errors.js';
import { argumentsOf, planQuery, type PlannedOperation } from './plan.js';
import type { ReadyPlan } from './class-runtime.js';
import { asksFederation, lineageView } from './entities.js';
import { distinctEdges, sourceReadEdges } from './lineage-edges.js';
import { ReferenceReader } from './reference.js';
import { Lru } from './lru.js';
import type { MeshRequest } from './request.js';
import { RequestScope } from './scope.js';

/** An answer whose audit record is durable: it may leave. */
export interface MeshAnswer {
  /** JSON text of `data`; null where there is none. */
  readonly data: string | null;
  readonly errors: readonly GraphQLError[];
  readonly path: 'compiled' | 'reference' | 'schema' | 'refused';
}

export type ExecutionChoice = 'auto' | 'reference';

/** Runs one operation of a validated document for a request, and records it before it returns. */
export async function runOperation(
  request: MeshRequest,
  document: DocumentNode,
  operationName: string | undefined,
  rawVariables: Readonly<Record<string, unknown>>,
  choice: ExecutionChoice = 'auto',
): Promise<MeshAnswer> {
  try {
    const parts = partsOf(document, operationName);
    const variables = coerce(request, parts, rawVariables);
    request.question = { operationName: operationName ?? null, literals: literalsIn(document), variables: rawVariables };
    request.verdicts = request.runtime.verdicts(parts, variables);
    if (parts.operation.operation === OperationTypeNode.SUBSCRIPTION)
      throw new CodedError('BAD_INPUT', 'This transport does not carry subscriptions.');
    if (parts.operation.operation === OperationTypeNode.MUTATION) return await viaReference(request, parts, variables);
    if (asksSchema(parts)) return await viaSchema(request, parts, variables);
    const ready =
      choice === 'auto' && !asksFederation(request.runtime.schema, parts.operation, parts.fragments)
        ? request.runtime.plan(parts, variables)
        : null;
    return ready ? await viaPlan(request, parts, ready, variables) : await viaReference(request, parts, variables);
  } catch (error) {
    // Rights have changed since they were decided: nothing was read, and whoever called asks again.
    if (error instanceof EpochMoved) throw error;
    if (isCoded(error) && error.code === 'AUDIT_UNAVAILABLE') throw error;
    const refusal =
      isCoded(error) || error instanceof GraphQLError
        ? error
        : new CodedError('INTERNAL', 'The request could not be answered.', {
            cause: error,
            detail: error instanceof Error ? (error.stack ?? '') : '',
          });
    // Its table alone: the whole place, with a day or a position, is for the operator.
    if (isCoded(refusal) && refusal.code === 'DATA_CORRUPT') request.facts['corrupt'] = refusal.place?.split(' ', 1)[0] ?? '';
    // What was read before the refusal was read all the same.
    const read = distinctEdges(request.columns);
    const plan = read.length > 0 ? lineagePlan(document, read, [], request.runtime.policyClass.policyVersion) : null;
    await request.record({ kind: 'refused', plan, data: null, code: isCoded(refusal) ? refusal.code : 'BAD_INPUT' });
    return {
      data: null,
      errors: [refusal instanceof GraphQLError ? refusal : new GraphQLError(refusal.message, { originalError: refusal })],
      path: 'refused',
    };
  }
}

function coerce(request: MeshRequest, parts: OperationParts, raw: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { coerced, errors } = getVariableValues(request.runtime.schema, parts.operation.variableDefinitions ?? [], raw, { maxErrors: 5 });
  if (errors)
    throw new CodedError(
      'BAD_INPUT',
      `A variable does not fit its type: ${(parts.operation.variableDefinitions ?? []).map((each) => `$${each.variable.name.value}`).join(', ')}.`,
    );
  return coerced;
}

/** The compiled path: one statement, JSON text from the store to the socket. */
async function viaPlan(
  request: MeshRequest,
  parts: OperationParts,
  ready: ReadyPlan,
  variables: Record<string, unknown>,
): Promise<MeshAnswer> {
  const values = bindPlan(request, ready, variables);
  const { parts: mesh } = request.mesh;
  const answer = await withReadSession(mesh.pools.reader, request.wall, (session) => {
    request.columns.push(...ready.plan.statement);
    return runPlan(session, mesh.types, {
      plan: ready.plan,
      sql: ready.sql,
      values,
      now: request.now,
      readerRule: (reader, entity) => request.runtime.readerRule(reader.tags, entity, readerAction(reader.field)),
      read: (reader, what) => {
        request.columns.push(...sourceReadEdges(reader.coordinate, what));
      },
      tell: request.tell,
    });
  });
  request.touched(answer.patients);
  request.facts['path'] = 'compiled';
  const plan = planLineage(parts.document, ready, request.columns, request.runtime.policyClass.policyVersion);
  await request.record({ kind: 'query', plan, data: answer.data, versions: answer.versions, rows: answer.patients.size });
  return { data: answer.data, errors: [], path: 'compiled' };
}

const literals = new WeakMap<DocumentNode, readonly string[]>();

/** Documents are parsed once and asked often. */
function literalsIn(document: DocumentNode): readonly string[] {
  const known = literals.get(document);
  if (known) return known;
  const found = literalsOf(document);
  literals.set(document, found);
  return found;
}

const lineages = new WeakMap<ReadyPlan, WeakMap<DocumentNode, Lru<LineagePlan>>>();
/** What readers look at depends on the rows above them, in few ways. */
const READ_WAYS_MAX = 64;

/** The lineage of a run; made once for all runs of a plan that read the same. A plan belongs to one class, and so to one policy. */
function planLineage(document: DocumentNode, ready: ReadyPlan, read: readonly LineageEdge[], policyVersion: string): LineagePlan {
  const { statement, decisions } = ready.plan;
  const byDocument = lineages.get(ready) ?? new WeakMap<DocumentNode, Lru<LineagePlan>>();
  lineages.set(ready, byDocument);
  const byRead = byDocument.get(document) ?? new Lru<LineagePlan>(READ_WAYS_MAX);
  byDocument.set(document, byRead);
  const key = read.slice(statement.length).map(keyOfEdge).join(' ');
  const known = byRead.get(key);
  if (known) return known;
  const made = lineagePlan(document, distinctEdges(read), decisions, policyVersion);
  byRead.set(key, made);
  return made;
}

const keyOfEdge = ({ coordinate, source, type, masking }: LineageEdge): string => `${coordinate}|${source}|${type}|${masking}`;

/** Values of a plan for this request: arguments, cursors and what the rules ask of the caller. */
export function bindPlan(request: MeshRequest, ready: PlannedOperation, variables: Record<string, unknown>): PlanValues {
  const args = ready.sites.map((site) => argumentsOf(site, variables));
  const lists = new Map<number, Collection>();
  collectLists(ready.plan.fields, lists);
  const scopes = ready.sites.map((site, i) => ({
    coordinate: site.coordinate,
    args: args[i] ?? {},
    order: lists.get(i)?.order?.name ?? '',
  }));
  const position = (i: number): string[] => {
    const list = lists.get(i);
    return list ? positionTypes(request.mesh.parts.types, list.step.entity, list.order?.column) : [];
  };
  return {
    ...request.values,
    args,
    cursorDigest: scopes.map((scope) => cursorDigest(scope)),
    after: scopes.map((scope, i) =>
      typeof scope.args['after'] === 'string' ? decodeCursor(scope.args['after'], scope, position(i)) : null,
    ),
  };
}

type Fields = ReadyPlan['plan']['fields'];
type Collection = Extract<Fields[number], { kind: 'collection' }>;

function collectLists(fields: Fields, into: Map<number, Collection>): void {
  for (const field of fields) {
    if (field.kind === 'reference') collectLists(field.fields, into);
    if (field.kind !== 'collection') continue;
    into.set(field.step.arguments, field);
    for (const part of field.parts)
      if (part.kind === 'edges') for (const item of part.items) if (item.kind === 'node') collectLists(item.fields, into);
  }
}

/** The declared model under its generated shield: mutations, and queries that the compiled path does not do. */
async function viaReference(request: MeshRequest, parts: OperationParts, variables: Record<string, unknown>): Promise<MeshAnswer> {
  const { operation, fragments, document } = parts;
  const mutation = operation.operation === OperationTypeNode.MUTATION;
  const { parts: mesh } = request.mesh;
  const { policyClass, schema, guardedSchema } = request.runtime;
  const ready = mutation ? null : planQuery({ ...lineageView({ schema, operation, fragments }), policyClass, variables, lenient: true });
  // Arguments and cursors are refused before anything is read, as on the compiled path.
  if (ready) bindPlan(request, ready, variables);
  const planned = ready?.plan;
  const run = async (
    session: ReadSession,
  ): Promise<{ data?: unknown; errors?: readonly GraphQLError[]; versions: Record<string, number> }> => {
    const reader = new ReferenceReader(session, mesh.types, policyClass, request.values, request.now, request.touched, request.tell);
    const result = await execute({
      schema: guardedSchema,
      document,
      operationName: operation.name?.value,
      variableValues: variables,
      contextValue: new RequestScope(request, reader, runOperation),
    });
    const read = request.columns.map((each) => each.source.slice(0, each.source.indexOf('.')));
    const versions = await versionsOf(session, [...new Set([...(planned?.datasets ?? []), ...read])]);
    return { ...result, versions };
  };
  const result = await withReadSession(mesh.pools.reader, request.wall, run);
  const errors = result.errors ?? [];
  // A query is answered whole or refused whole, on either path: what is missing from an answer must never look like absent data.
  if (!mutation && errors[0]) {
    // Nothing leaves, so nobody stands behind the refusal.
    request.patients.clear();
    throw codedCause(errors[0]) ?? errors[0];
  }
  const data = result.data === undefined || result.data === null ? null : JSON.stringify(result.data);
  request.facts['path'] = 'reference';
  const plan = lineagePlan(document, distinctEdges(request.columns), planned?.decisions ?? [], request.runtime.policyClass.policyVersion);
  const code = errors.length > 0 ? codeOf(errors[0]) : null;
  await request.record({ kind: mutation ? 'mutation' : 'query', plan, data, versions: result.versions, code, rows: request.patients.size });
  return { data, errors, path: 'reference' };
}

async function versionsOf(session: ReadSession, datasets: readonly string[]): Promise<Record<string, number>> {
  const { rows } = await session.query<{ dataset: string; version: string }>({
    text: 'select dataset, version from dataset_version where dataset = any($1::text[])',
    values: [datasets],
  });
  return Object.fromEntries(rows.map((row) => [row.dataset, Number(row.version)]));
}

/** Questions about the schema: graphql-js answers them from what the class may see. */
async function viaSchema(request: MeshRequest, parts: OperationParts, variables: Record<string, unknown>): Promise<MeshAnswer> {
  const asked = parts.operation.selectionSet.selections.every((each) => each.kind !== Kind.FIELD || each.name.value.startsWith('__'));
  if (!asked) return viaReference(request, parts, variables);
  if (await request.mesh.refresh()) throw new EpochMoved(request.mesh.epoch);
  const result = request.runtime.introspect(parts.document, variables, parts.operation.name?.value);
  const data = result.data ? JSON.stringify(result.data) : null;
  await request.record({ kind: 'query', plan: lineagePlan(parts.document, [], [], request.runtime.policyClass.policyVersion), data });
  return { data, errors: result.errors ?? [], path: 'schema' };
}

function codeOf(error: GraphQLError | undefined): string {
  return isCoded(error?.originalError) ? error.originalError.code : 'INTERNAL';
}

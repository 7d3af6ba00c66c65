import type { Receipt } from '../evidence/index.js';
import { GraphQLError, parse, specifiedRules, validate } from 'graphql';
import { CodedError, LIMITS, type Principal } from '../kernel/index.js';
import { maskError, tell } from './errors.js';
import { bindPlan, runOperation, type ExecutionChoice } from './executor.js';
import { partsOf } from './document.js';
import { limitRules } from './limits.js';
import { pathVerdicts } from './access.js';
import type { Verdicts } from './class-runtime.js';
import { EpochMoved } from '../store/index.js';
import type { Mesh } from './mesh.js';
import { MeshRequest } from './request.js';

export interface Question {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly operationName?: string;
}

export interface Answer {
  readonly data: unknown;
  readonly errors: readonly { message: string; code: string; place?: string }[];
  readonly lineageId: string;
  readonly receipt: Receipt | null;
  readonly path: string;
  /** What policy did at each path; empty for those who may not know rules. */
  readonly governance: NonNullable<Verdicts['governance']>;
}

/** Asks the mesh in this process: the same class schema, limits, executors and audit as over HTTP. */
export async function ask(mesh: Mesh, principal: Principal, question: Question, choice: ExecutionChoice = 'auto'): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    try {
      return await askOnce(mesh, principal, question, choice);
    } catch (error) {
      if (!(error instanceof EpochMoved)) throw error;
      if (tries >= EPOCH_TRIES_MAX) throw new CodedError('UNAVAILABLE', 'The policy changes faster than the request can be decided.');
      await mesh.refresh();
    }
  }
}

async function askOnce(mesh: Mesh, principal: Principal, question: Question, choice: ExecutionChoice): Promise<Answer> {
  const runtime = mesh.runtimeFor(principal);
  const request = new MeshRequest(mesh, principal, runtime);
  const errorsOf = (errors: readonly GraphQLError[]): Answer['errors'] =>
    errors.map((error) => {
      const masked = maskError(error.toJSON(), error, request.runId);
      if (masked.detail) tell(mesh.parts.log, `${request.runId} ${masked.detail}`);
      const { extensions, message } = masked.error;
      const place = extensions?.['place'];
      return { message, code: String(extensions?.['code']), ...(typeof place === 'string' ? { place } : {}) };
    });
  let document;
  try {
    document = documentOf(question.query);
  } catch (error) {
    await request.record({ kind: 'refused', plan: null, data: null, code: 'BAD_INPUT' });
    throw error;
  }
  const faults = validate(runtime.schema, document, [...specifiedRules, ...limitRules], { maxErrors: 20 });
  if (faults.length > 0) {
    if (await mesh.refresh()) throw new EpochMoved(mesh.epoch);
    const receipt = await request.record({ kind: 'refused', plan: null, data: null, code: 'BAD_INPUT' });
    const plain = faults.map((fault) =>
      fault.originalError
        ? fault
        : new GraphQLError(fault.message, { originalError: new CodedError('BAD_INPUT', withoutSuggestion(fault.message)) }),
    );
    return { data: null, errors: errorsOf(plain), lineageId: request.runId, receipt, path: 'refused', governance: [] };
  }
  const answer = await runOperation(request, document, question.operationName, question.variables ?? {}, choice);
  return {
    data: answer.data === null ? null : (JSON.parse(answer.data) as unknown),
    errors: errorsOf(answer.errors),
    lineageId: request.runId,
    receipt: request.receipt ?? null,
    path: answer.path,
    governance: request.verdicts?.governance ?? [],
  };
}

const EPOCH_TRIES_MAX = 4;

/** What a query would do, without doing it: verdicts, columns and the statement. Nothing about persons is read. */
export function explain(mesh: Mesh, principal: Principal, question: Question) {
  const runtime = mesh.runtimeFor(principal);
  const document = documentOf(question.query);
  const faults = validate(runtime.schema, document, [...specifiedRules, ...limitRules]);
  if (faults[0]) throw new CodedError('BAD_INPUT', withoutSuggestion(faults[0].message));
  const variables = { ...question.variables };
  const parts = partsOf(document, question.operationName);
  const { operation, fragments } = parts;
  const access = pathVerdicts(mesh.schema, runtime.policyClass, { schema: runtime.schema, operation, fragments, variables });
  const ready = runtime.plan(parts, variables);
  if (!ready) return { path: 'reference' as const, access, decisions: [], columns: [], datasets: [], sql: null, parameters: 0 };
  bindPlan(new MeshRequest(mesh, principal, runtime), ready, variables);
  const { decisions, columns, datasets } = ready.plan;
  return { path: 'compiled' as const, access, decisions, columns, datasets, sql: ready.sql.text, parameters: ready.sql.binds.length };
}

function documentOf(query: string) {
  try {
    return parse(query, { maxLexicalTokens: LIMITS.document_tokens_max });
  } catch (error) {
    throw new CodedError('BAD_INPUT', error instanceof GraphQLError ? error.message : 'The document is no GraphQL.');
  }
}

/** A suggestion would name what the caller did not. */
const withoutSuggestion = (message: string): string => message.replace(/ Did you mean .*$/s, '');

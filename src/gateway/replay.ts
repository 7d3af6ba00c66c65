import {
  parseCheckpoint,
  openQuestion,
  originOf,
  publicKeyOf,
  verifierKey,
  verifyNote,
  withLiterals,
  type Question,
} from '../evidence/index.js';
import { readPolicyDocument } from '../governance/index.js';
import { CodedError, PURPOSES, decodeOrdinals, isCoded, type Principal, type ReplayFacts, type ReplayChange } from '../kernel/index.js';
import type { PastRun, Wall } from '../store/index.js';
import { GraphQLError, specifiedRules, validate } from 'graphql';
import { limitRules } from './limits.js';
import type { InForce, Mesh } from './mesh.js';
import { MeshRequest, type RunOperation } from './request.js';
import type { ClassRuntime } from './class-runtime.js';

type Outcome = Pick<ReplayFacts, 'verdict' | 'changes'> & { readonly digest: string | null };

const told = (verdict: ReplayFacts['verdict'], ...changes: ReplayChange[]): Outcome => ({ verdict, changes, digest: null });

/**
 * Asks a past question again: its document, variables and caller as they were recorded, under the policy in force then, on the data as of the recorded
 * versions. Nothing of the answer leaves: what is told is whether its digest is the one recorded, and if not, what has changed or was erased.
 * Nothing is written either; the record of the replay is that of the request in which it is asked.
 */
export async function replayRun(mesh: Mesh, run: PastRun, runOperation: RunOperation): Promise<Omit<ReplayFacts, 'id'>> {
  const outcome = await outcomeOf(mesh, run, runOperation);
  const { verdict, changes, digest } = outcome;
  return { verdict, changes, recordedDigest: run.resultDigest, replayedDigest: digest };
}

async function outcomeOf(mesh: Mesh, run: PastRun, runOperation: RunOperation): Promise<Outcome> {
  if (run.kind !== 'query' || run.resultDigest === null || run.document === null || run.facts['path'] === undefined)
    return told('NOT_REPLAYABLE', { what: 'kind', name: run.kind });
  if (run.facts['replay'] !== undefined) return told('NOT_REPLAYABLE', { what: 'kind', name: 'replay' });
  const ordinals = run.ordinals ? decodeOrdinals(run.ordinals) : [];
  const { keys } = mesh.parts.evidence;
  const personKeys = await keys.byOrdinals(ordinals);
  if (!personKeys) return told('ERASED', { what: 'persons', name: String(ordinals.length - (await keys.patientsOf(ordinals)).size) });
  const question = run.sealed && openQuestion(run.sealed, mesh.sealKey, personKeys, run.runId);
  if (!question) return told('NOT_REPLAYABLE', { what: 'question', name: run.sealed ? 'key' : 'not kept' });
  const document = withLiterals(run.document, question.literals);
  const policy = await policyOf(mesh, run.policyVersion);
  if (!policy) return told('CHANGED', { what: 'policy', name: run.policyVersion });
  if (!document) return told('NOT_REPLAYABLE', { what: 'question', name: 'document' });
  const principal = principalOf(run, question);
  const runtime = mesh.runtimeAt(policy, principal, run.caller['emergency'] === true, presentOf(run));
  if (validate(runtime.schema, document, [...specifiedRules, ...limitRules]).length > 0)
    return told('CHANGED', { what: 'schema', name: 'document' });
  const request = new PastRequest(mesh, principal, runtime, run, await versionsThen(mesh, run));
  try {
    const choice = run.facts['path'] === 'reference' ? 'reference' : 'auto';
    await runOperation(request, document, question.operationName ?? undefined, question.variables, choice);
  } catch (error) {
    return told('CHANGED', notKept(error));
  }
  const { replayed } = request;
  if (replayed?.digest === run.resultDigest) return { verdict: 'EQUAL', changes: [], digest: replayed.digest };
  const changes = await changesOf(mesh, run, replayed);
  const verdict = changes.some((each) => each.what === 'persons') ? 'ERASED' : 'CHANGED';
  return { verdict, changes, digest: replayed?.digest ?? null };
}

/** The policy that had this digest, made anew from the versions that were in force; null where the rules in code are others now. */
async function policyOf(mesh: Mesh, version: string): Promise<InForce | null> {
  if (mesh.policy.version === version) return mesh;
  const documents = (await mesh.parts.governance.versions()).filter((each) => each.status === 'in force' || each.status === 'superseded');
  for (const document of [{}, ...documents.map((each) => each.document)]) {
    const made = mesh.compose(readPolicyDocument(document));
    if (made.policy.version === version) return made;
  }
  return null;
}

function principalOf({ principal, roles, purpose, caller }: PastRun, question: Question): Principal {
  const facts = caller as Partial<Principal>;
  if (!(purpose in PURPOSES) && !purpose.startsWith('study:')) throw new CodedError('INTERNAL', 'A run has no purpose.');
  return {
    ...facts,
    sub: principal,
    roles,
    purpose: purpose as Principal['purpose'],
    sites: facts.sites ?? [],
    kind: facts.kind ?? 'person',
    tokenId: 'replay',
    ...(question.patient === null ? {} : { patient: question.patient }),
  };
}

/** Versions of the tables behind the answer; one that had no version yet was empty. */
async function versionsThen(mesh: Mesh, { versions, columns }: PastRun): Promise<Readonly<Record<string, number>>> {
  const kept = new Set(await mesh.parts.evidence.versionedTables());
  const read = new Set(columns.map(({ source }) => source.slice(0, source.indexOf('.'))));
  const before = [...read].filter((table) => kept.has(table) && !(table in versions)).map((table) => [table, 0] as const);
  return { ...Object.fromEntries(before), ...Object.fromEntries(Object.entries(versions).filter(([table]) => kept.has(table))) };
}

/** The present of a request: its id is a UUID version 7, whose first 48 bits are milliseconds since 1970 (RFC 9562 section 5.7). */
const presentOf = ({ runId }: PastRun): number => Number.parseInt(runId.replaceAll('-', '').slice(0, 12), 16);

/** A request that reads the past and leaves no trace of its own. */
class PastRequest extends MeshRequest {
  replayed: { readonly digest: string | null; readonly plan: string | null; readonly datasets: readonly string[] } | undefined;

  constructor(
    mesh: Mesh,
    principal: Principal,
    runtime: ClassRuntime,
    private readonly run: PastRun,
    private readonly versions: Readonly<Record<string, number>>,
  ) {
    super(mesh, principal, runtime, { runId: run.runId, now: presentOf(run) });
    this.tell = (_min, groups) => this.mesh.disclosure.toldBefore(this.principal.sub, groups);
  }

  override get wall(): Wall {
    const { caller, ...wall } = super.wall;
    return { ...wall, ...(caller ? { caller: { ...caller, opened: () => undefined } } : {}), asOf: this.versions };
  }

  override record(entry: Parameters<MeshRequest['record']>[0]): ReturnType<MeshRequest['record']> {
    const datasets = [...new Set((entry.plan?.columns ?? []).map(({ source }) => source.slice(0, source.indexOf('.'))))];
    this.replayed = { digest: this.digestOf(entry.data), plan: entry.plan?.digest ?? null, datasets };
    const { runId: id, logId, logIndex } = this.run;
    return Promise.resolve({ id, logId, logIndex, checkpoint: '' });
  }
}

const notKept = (error: unknown): ReplayChange => {
  const cause = error instanceof GraphQLError ? error.originalError : error;
  if (isCoded(cause) && cause.code === 'NOT_FOUND') return { what: 'dataset', name: cause.place ?? 'unknown' };
  return { what: 'answer', name: isCoded(cause) ? cause.code : 'INTERNAL' };
};

/** Why an answer is another one: somebody was erased who was counted in it, the plan is another, or data are read of which no versions are kept. */
async function changesOf(mesh: Mesh, run: PastRun, replayed: PastRequest['replayed']): Promise<readonly ReplayChange[]> {
  if (!replayed || replayed.digest === null) return [{ what: 'answer', name: 'refused' }];
  const erased = await mesh.parts.evidence.erasuresSince(run.at);
  if (erased > 0) return [{ what: 'persons', name: `${erased} erased since` }];
  if (replayed.plan !== run.planDigest) return [{ what: 'plan', name: replayed.plan ?? '' }];
  const kept = new Set(await mesh.parts.evidence.versionedTables());
  const others = replayed.datasets.filter((dataset) => !kept.has(dataset));
  return others.length > 0 ? others.map((name) => ({ what: 'dataset', name })) : [{ what: 'unexplained', name: '' }];
}

/** True where the checkpoint of a receipt was signed by this installation for the log that it names, and covers the record. */
export function isOwnReceipt(mesh: Mesh, run: PastRun, checkpoint: string): boolean {
  const origin = originOf(run.logId);
  const keys = mesh.parts.keyring().publicKeys.map((key) => verifierKey(origin, publicKeyOf(Buffer.from(key, 'base64'))));
  const head = verifyNote(checkpoint, keys) ? parseCheckpoint(checkpoint) : null;
  return head?.origin === origin && head.size > run.logIndex;
}

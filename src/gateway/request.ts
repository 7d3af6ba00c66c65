import { createHash } from 'node:crypto';
import type { DocumentNode } from 'graphql';
import { entryOf, type EvidenceEntry, type LineagePlan, type Question, type Receipt, type RecipientRef } from '../evidence/index.js';
import { recipientOf, type Tell } from '../governance/index.js';
import {
  CodedError,
  type Clearance,
  type LineageEdge,
  type PlanValues,
  type Principal,
  isCoded,
  isFlagged,
  isUuid,
  newUuid,
} from '../kernel/index.js';
import type { Epoch, EpochMoved, Wall } from '../store/index.js';
import type { ClassRuntime, Verdicts } from './class-runtime.js';
import type { Mesh } from './mesh.js';

/** Runs one operation of a validated document for a request; the executor hands it to what asks the past again. */
export type RunOperation = (
  request: MeshRequest,
  document: DocumentNode,
  operationName: string | undefined,
  variables: Readonly<Record<string, unknown>>,
  choice: 'auto' | 'reference',
) => Promise<unknown>;

/** One request from its verified token to its audit record. */
export class MeshRequest {
  readonly runId: string;
  readonly now: number;
  /** What the rights of the caller were decided by. */
  readonly epoch: Epoch;
  /** Persons whose data stand behind the answer. */
  readonly patients = new Set<string>();
  readonly facts: Record<string, unknown> = {};
  /** Person by glass of the caller that was broken when the data were read. */
  private readonly glass: Record<string, string> = {};
  /** What hand-written operations read, beside what their plan says. */
  readonly columns: LineageEdge[] = [];
  receipt: Receipt | undefined;
  /** Why the record could not be made. It is tried once: a second record of a run would be another run. */
  fault: CodedError | undefined;

  /** What is asked, without the patient in context; set once a document is there. */
  question: Omit<Question, 'patient'> | undefined;
  /** What policy did at each path of the document. */
  verdicts: Verdicts | undefined;
  /** Set where rights have changed since they were decided: the request is asked anew, and this one leaves no trace. */
  moved: EpochMoved | undefined;

  constructor(
    readonly mesh: Mesh,
    readonly principal: Principal,
    readonly runtime: ClassRuntime,
    /** A run that is looked at again: when it was, and its id. */
    past?: { readonly runId: string; readonly now: number },
  ) {
    this.epoch = mesh.epoch;
    this.now = past?.now ?? mesh.parts.clock();
    this.runId = past?.runId ?? newUuid(this.now);
    Object.assign(this.facts, grounds(principal, runtime));
  }

  readonly touched = (ids: Iterable<string>): void => {
    for (const id of ids) this.patients.add(id);
  };

  /** Which counts over persons the caller is told, after what this principal was told before. */
  tell: Tell = (min, groups) => this.mesh.disclosure.tell(this.principal.sub, min, groups, this.now);

  /** What every statement of this request binds, its arguments apart. */
  get values(): Omit<PlanValues, 'args' | 'after' | 'cursorDigest'> {
    const { principal, mesh } = this;
    return {
      sub: principal.sub,
      sites: principal.sites === '*' ? [] : principal.sites,
      identities: [principal.sub, ...(principal.identities ?? [])],
      // Persons have such ids here; any other name is of nobody.
      patient: isUuid(principal.patient ?? '') ? (principal.patient ?? null) : null,
      purpose: principal.purpose,
      now: new Date(this.now).toISOString(),
      maskPads: mesh.padsFor(principal.purpose),
      nonce: mesh.newNonce(),
      fileLink: (file) => mesh.fileTokens.linkTo(file, principal, this.now),
    };
  }

  get wall(): Wall {
    const { principal, now } = this;
    return {
      sites: principal.sites,
      clearance: this.runtime.policyClass.clearance,
      caller: {
        sub: principal.sub,
        now,
        epoch: this.epoch,
        emergency: this.runtime.policyClass.emergency,
        opened: (glass) => {
          Object.assign(this.glass, glass);
          this.mesh.glassOf(principal.sub, glass !== null);
        },
      },
    };
  }

  /** Glass of the caller for persons behind the answer: it may stand on an emergency. */
  private get emergencies(): readonly string[] {
    return Object.keys(this.glass).filter((id) => this.patients.has(this.glass[id] ?? ''));
  }

  /** SHA-256 of the JSON text of data, hexadecimal. */
  protected digestOf(data: string | null): string | null {
    return data === null ? null : createHash('sha256').update(data).digest('hex');
  }

  private get recipient(): RecipientRef {
    const recipient = recipientOf(this.mesh.policy, this.principal);
    return { id: recipient.id, flagged: isFlagged(recipient) };
  }

  /** By what beside subject, roles and purpose the caller was decided: with it a past answer can be decided again. */
  private get caller(): Readonly<Record<string, unknown>> {
    const { sites, kind, issuer, groups, identities, steppedUp, actors, scopes, project, clearances } = this.principal;
    const { emergency } = this.runtime.policyClass;
    return { sites, kind, issuer, groups, identities, steppedUp, actors, scopes, project, clearances, emergency };
  }

  /** Makes the record durable; nothing of an answer may leave before this returns. Throws AUDIT_UNAVAILABLE. */
  async record(entry: {
    kind: EvidenceEntry['kind'];
    plan: LineagePlan | null;
    data: string | null;
    versions?: Readonly<Record<string, number>>;
    code?: string | null;
    rows?: number;
    /** Where what leaves is no data of an answer. */
    bytes?: number;
  }): Promise<Receipt> {
    const { principal, mesh, emergencies } = this;
    if (emergencies.length > 0) this.facts['breakGlass'] = emergencies;
    if (this.verdicts && this.verdicts.denied > 0) this.facts['denied'] = this.verdicts.denied;
    const told = entry.kind === 'query' || entry.kind === 'mutation';
    const appended = mesh.audit.append(
      entryOf({
        runId: this.runId,
        kind: entry.kind,
        at: mesh.parts.clock(),
        principal: principal.sub,
        roles: principal.roles,
        purpose: principal.purpose,
        recipient: told ? this.recipient : null,
        caller: this.caller,
        policyVersion: this.runtime.policyClass.policyVersion,
        plan: entry.plan,
        patients: this.patients,
        rows: entry.rows ?? 0,
        resultDigest: this.digestOf(entry.data),
        bytes: entry.bytes ?? (entry.data === null ? 0 : Buffer.byteLength(entry.data)),
        versions: entry.versions ?? {},
        code: entry.code ?? null,
        facts: this.facts,
        question: entry.plan && this.question ? { ...this.question, patient: principal.patient ?? null } : null,
      }),
    );
    try {
      return (this.receipt = await appended);
    } catch (error) {
      // Refused for what it says: nothing leaves, and the refusal gets a record of its own.
      if (isCoded(error) && error.code !== 'AUDIT_UNAVAILABLE') {
        this.patients.clear();
        throw error;
      }
      this.fault = isCoded(error)
        ? error
        : new CodedError('AUDIT_UNAVAILABLE', 'The audit record could not be made durable.', { cause: error });
      throw this.fault;
    }
  }
}

/** What beside roles and purpose decided for the caller, for the record: the verdict of data use conditions, and visas by number only. */
function grounds({ clearances = [], visasIgnored }: Principal, { policyClass: { dataUse } }: ClassRuntime): Record<string, unknown> {
  const count = (kind: Clearance): number => clearances.filter((each) => each.kind === kind).length;
  const passport = { registered: count('registered'), controlled: count('controlled'), ignored: visasIgnored ?? 0 };
  return {
    ...(dataUse ? { dataUse } : {}),
    ...(clearances.length > 0 || visasIgnored !== undefined ? { passport } : {}),
  };
}

import { createHash } from 'node:crypto';
import type { EvidenceEntry, LineagePlan, Receipt } from '../evidence/index.js';
import type { Tell } from '../governance/index.js';
import {
  CodedError,
  type Clearance,
  type LineageEdge,
  type PlanValues,
  type Principal,
  isCoded,
  isUuid,
  newUuid,
} from '../kernel/index.js';
import type { Epoch, EpochMoved, Wall } from '../store/index.js';
import type { ClassRuntime, Verdicts } from './class-runtime.js';
import type { Mesh } from './mesh.js';

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

  /** What policy did at each path of the document. */
  verdicts: Verdicts | undefined;
  /** Set where rights have changed since they were decided: the request is asked anew, and this one leaves no trace. */
  moved: EpochMoved | undefined;

  constructor(
    readonly mesh: Mesh,
    readonly principal: Principal,
    readonly runtime: ClassRuntime,
  ) {
    this.epoch = mesh.epoch;
    this.now = mesh.parts.clock();
    this.runId = newUuid(this.now);
    Object.assign(this.facts, grounds(principal, runtime));
  }

  readonly touched = (ids: Iterable<string>): void => {
    for (const id of ids) this.patients.add(id);
  };

  /** Which counts over persons the caller is told, after what this principal was told before. */
  readonly tell: Tell = (min, groups) => this.mesh.disclosure.tell(this.principal.sub, min, groups, this.now);

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

  /** Makes the record durable; nothing of an answer may leave before this returns. Throws AUDIT_UNAVAILABLE. */
  async record(entry: {
    kind: EvidenceEntry['kind'];
    plan: LineagePlan | null;
    data: string | null;
    versions?: Readonly<Record<string, number>>;
    code?: string | null;
    rows?: number;
  }): Promise<Receipt> {
    const { principal, mesh, emergencies } = this;
    if (emergencies.length > 0) this.facts['breakGlass'] = emergencies;
    const appended = mesh.audit.append({
      runId: this.runId,
      kind: entry.kind,
      at: mesh.parts.clock(),
      principal: principal.sub,
      roles: principal.roles,
      purpose: principal.purpose,
      policyVersion: this.runtime.policyClass.policyVersion,
      plan: entry.plan,
      patients: this.patients,
      rows: entry.rows ?? 0,
      resultDigest: entry.data === null ? null : createHash('sha256').update(entry.data).digest('hex'),
      bytes: entry.data === null ? 0 : Buffer.byteLength(entry.data),
      versions: entry.versions ?? {},
      code: entry.code ?? null,
      facts: this.facts,
    });
    try {
      return (this.receipt = await appended);
    } catch (error) {
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

import { createHash } from 'node:crypto';
import { type EvidenceEntry, type LineagePlan, type Receipt } from '../governance/index.js';
import { CodedError, type LineageEdge, type PlanValues, type Principal, isCoded, newUuid } from '../kernel/index.js';
import type { ClassRuntime } from './class-runtime.js';
import type { Mesh } from './mesh.js';

/** One request from its verified token to its audit record. */
export class MeshRequest {
  readonly runId: string;
  readonly now: number;
  /** Persons whose data stand behind the answer. */
  readonly patients = new Set<string>();
  readonly facts: Record<string, unknown> = {};
  /** What hand-written operations read, beside what their plan says. */
  readonly columns: LineageEdge[] = [];
  receipt: Receipt | undefined;
  /** Why the record could not be made. It is tried once: a second record of a run would be another run. */
  fault: CodedError | undefined;

  constructor(
    readonly mesh: Mesh,
    readonly principal: Principal,
    readonly runtime: ClassRuntime,
  ) {
    this.now = mesh.parts.clock();
    this.runId = newUuid(this.now);
  }

  readonly touched = (ids: Iterable<string>): void => {
    for (const id of ids) this.patients.add(id);
  };

  /** What every statement of this request binds, its arguments apart. */
  get values(): Omit<PlanValues, 'args' | 'after' | 'cursorDigest'> {
    const { principal, mesh } = this;
    return {
      sub: principal.sub,
      sites: principal.sites === '*' ? [] : principal.sites,
      purpose: principal.purpose,
      now: new Date(this.now).toISOString(),
      maskPads: mesh.padsFor(principal.purpose),
      nonce: mesh.newNonce(),
    };
  }

  get wall(): { sites: readonly string[] | '*'; clearance: number } {
    return { sites: this.principal.sites, clearance: this.runtime.policyClass.clearance };
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
    const { principal, mesh } = this;
    const appended = mesh.audit.append({
      runId: this.runId,
      kind: entry.kind,
      at: mesh.parts.clock(),
      principal: principal.sub,
      roles: principal.roles,
      purpose: principal.purpose,
      policyVersion: mesh.policy.version,
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

import { createHash } from 'node:crypto';
import { CodedError, canonical, digestOf, encodeOrdinals } from '../kernel/index.js';
import type { LineagePlan } from './lineage.js';

/** Something that happened and has to be provable afterwards. It holds names, digests and counts, never a value of the data. */
export interface EvidenceEntry {
  readonly runId: string;
  readonly kind: 'query' | 'mutation' | 'refused' | 'ingest' | 'log';
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly principal: string;
  readonly roles: readonly string[];
  readonly purpose: string;
  readonly policyVersion: string;
  readonly plan: LineagePlan | null;
  readonly patients: ReadonlySet<string>;
  readonly rows: number;
  readonly resultDigest: string | null;
  readonly bytes: number;
  readonly versions: Readonly<Record<string, number>>;
  /** Stable code of the refusal, where there is one. */
  readonly code: string | null;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface AuditRow {
  readonly logId: string;
  readonly seq: number;
  readonly at: number;
  readonly prev: Buffer;
  readonly hash: Buffer;
  /** Canonical JSON; later the leaf of a Merkle log. */
  readonly record: string;
}

export interface RunRow {
  readonly entry: EvidenceEntry;
  readonly setDigest: string | null;
  readonly logId: string;
  readonly seq: number;
}

export interface PatientSetRow {
  readonly digest: string;
  readonly patients: number;
  readonly ordinals: Buffer;
}

export interface EvidenceBatch {
  readonly audit: readonly AuditRow[];
  readonly plans: readonly LineagePlan[];
  readonly sets: readonly PatientSetRow[];
  readonly runs: readonly RunRow[];
}

/** Where evidence becomes durable; the store provides it. `write` returns after the commit, or throws and has written nothing. */
export interface EvidenceSink {
  heads(): Promise<readonly { logId: string; seq: number; hash: string }[]>;
  ordinals(patientIds: ReadonlySet<string>): Promise<readonly number[]>;
  write(batch: EvidenceBatch): Promise<void>;
}

export interface Receipt {
  readonly logId: string;
  readonly seq: number;
  readonly hash: string;
}

const BATCH_RECORDS_MAX = 64;
const PLANS_KNOWN_MAX = 10_000;
const FIRST = Buffer.alloc(32);

/** Hash of a record in its chain: SHA-256(0x00 ‖ previous hash ‖ record). */
export function chainHash(prev: Uint8Array, record: string): Buffer {
  return createHash('sha256').update(Buffer.of(0)).update(prev).update(record).digest();
}

interface Waiting {
  readonly entry: EvidenceEntry;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: CodedError) => void;
}

/**
 * The audit log of one gateway process: append-only, hash-chained, one writer. `append` resolves once the record is durable; requests that wait at the same
 * time share one commit. Its first record names the heads of all logs before it, so that cutting an older log shows.
 * Where the record cannot be made durable, it throws AUDIT_UNAVAILABLE and no data may leave.
 */
export class AuditLog {
  private seq = -1;
  private head: Buffer = FIRST;
  private opened = false;
  /** End of a commit of which nobody knows whether it was made: its answer was lost. */
  private doubtful: { readonly seq: number; readonly head: Buffer } | null = null;
  private readonly waiting: Waiting[] = [];
  private flushing: Promise<void> | null = null;
  private readonly plansKnown = new Set<string>();

  constructor(
    private readonly sink: EvidenceSink,
    readonly logId: string,
    private readonly clock: () => number,
  ) {}

  append(entry: EvidenceEntry): Promise<Receipt> {
    const done = new Promise<Receipt>((resolve, reject) => {
      this.waiting.push({ entry, resolve, reject });
    });
    this.flushing ??= this.flush();
    return done;
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    while (this.flushing) await this.flushing;
  }

  private async flush(): Promise<void> {
    // The requests of this turn of the event loop join the first commit.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, BATCH_RECORDS_MAX);
      try {
        const receipts = await this.commit(batch.map((each) => each.entry));
        batch.forEach((each, i) => {
          const receipt = receipts[i];
          if (receipt) each.resolve(receipt);
        });
      } catch (error) {
        const detail = error instanceof Error ? error.message : 'unknown';
        const refusal = new CodedError('AUDIT_UNAVAILABLE', 'The audit record could not be made durable.', { detail, cause: error });
        for (const each of batch) each.reject(refusal);
      }
    }
    this.flushing = null;
  }

  private async commit(entries: readonly EvidenceEntry[]): Promise<Receipt[]> {
    await this.settle();
    const audit: AuditRow[] = [];
    let { seq, head } = this;
    const push = (at: number, content: Record<string, unknown>): AuditRow => {
      seq += 1;
      const record = canonical({ seq, at: new Date(at).toISOString(), ...content });
      const row: AuditRow = { logId: this.logId, seq, at, prev: head, hash: chainHash(head, record), record };
      head = row.hash;
      audit.push(row);
      return row;
    };
    // The log opens with its first record, which was made some milliseconds ago.
    if (!this.opened)
      push(Math.min(this.clock(), ...entries.map((entry) => entry.at)), { kind: 'log.opened', heads: await this.sink.heads() });
    const sets = new Map<string, PatientSetRow>();
    const plans = new Map<string, LineagePlan>();
    const runs: RunRow[] = [];
    const rows: AuditRow[] = [];
    for (const entry of entries) {
      const set = await this.patientSet(entry.patients);
      if (set) sets.set(set.digest, set);
      if (entry.plan && !this.plansKnown.has(entry.plan.digest)) plans.set(entry.plan.digest, entry.plan);
      const row = push(entry.at, recordOf(entry, set?.digest ?? null));
      rows.push(row);
      runs.push({ entry, setDigest: set?.digest ?? null, logId: this.logId, seq: row.seq });
    }
    this.doubtful = { seq, head };
    await this.sink.write({ audit, plans: [...plans.values()], sets: [...sets.values()], runs });
    this.doubtful = null;
    this.opened = true;
    this.seq = seq;
    this.head = head;
    if (this.plansKnown.size > PLANS_KNOWN_MAX) this.plansKnown.clear();
    for (const digest of plans.keys()) this.plansKnown.add(digest);
    return rows.map((row) => ({ logId: row.logId, seq: row.seq, hash: row.hash.toString('hex') }));
  }

  /** After a failed commit: goes on behind it where the store holds it after all, else writes its place anew. */
  private async settle(): Promise<void> {
    const { doubtful } = this;
    if (!doubtful) return;
    const found = (await this.sink.heads()).find((each) => each.logId === this.logId);
    if (found?.seq === doubtful.seq && found.hash === doubtful.head.toString('hex')) {
      this.opened = true;
      this.seq = doubtful.seq;
      this.head = doubtful.head;
    }
    this.doubtful = null;
  }

  private async patientSet(patients: ReadonlySet<string>): Promise<PatientSetRow | null> {
    if (patients.size === 0) return null;
    const ordinals = encodeOrdinals(await this.sink.ordinals(patients));
    return { digest: digestOf(ordinals), patients: patients.size, ordinals };
  }
}

function recordOf(entry: EvidenceEntry, set: string | null): Record<string, unknown> {
  return {
    kind: entry.kind,
    run: entry.runId,
    principal: entry.principal,
    roles: entry.roles,
    purpose: entry.purpose,
    policy: entry.policyVersion,
    plan: entry.plan?.digest ?? null,
    patients: entry.patients.size,
    set,
    rows: entry.rows,
    result: entry.resultDigest,
    bytes: entry.bytes,
    versions: entry.versions,
    code: entry.code,
    facts: entry.facts,
  };
}

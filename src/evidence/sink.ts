import type { EvidenceEntry } from './entry.js';
import type { LineagePlan } from './lineage.js';

/** A record of the log as it is stored. */
export interface AuditRow {
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Hash of the leaf. */
  readonly hash: Buffer;
  /** Canonical JSON. */
  readonly record: string;
}

/** The same as a row of lineage, for questions. */
export interface RunRow {
  readonly entry: EvidenceEntry;
  readonly seq: number;
  readonly setDigest: string | null;
  readonly callerDigest: string | null;
  readonly sealed: Buffer | null;
}

export interface PatientSetRow {
  readonly digest: string;
  readonly patients: number;
  readonly ordinals: Buffer;
}

export interface CallerRow {
  readonly digest: string;
  readonly caller: string;
}

/** Persons whose data went to a recipient, for the meter of bulk data. */
export interface Charge {
  readonly recipient: string;
  /** True where thresholds hold the recipient back. */
  readonly flagged: boolean;
  readonly categories: readonly string[];
  readonly ordinals: readonly number[];
  readonly at: number;
}

/** The end of a log. */
export interface LogHead {
  readonly size: number;
  /** Roots of the perfect subtrees, largest first. */
  readonly frontier: Buffer;
  readonly checkpoint: string;
  /** Base64 of the Ed25519 key that signs the next checkpoint. */
  readonly publicKey: string;
}

export interface ClaimedHead extends LogHead {
  readonly logId: string;
  /** Grows with each claim; a writer with an older one writes nothing more. */
  readonly fence: number;
}

export interface CheckpointRow {
  readonly size: number;
  readonly at: number;
  readonly checkpoint: string;
}

/** What one commit makes durable. */
export interface EvidenceBatch {
  readonly logId: string;
  readonly fence: number;
  /** Size of the log before. */
  readonly from: number;
  readonly head: LogHead;
  readonly audit: readonly AuditRow[];
  readonly runs: readonly RunRow[];
  readonly plans: readonly LineagePlan[];
  readonly callers: readonly CallerRow[];
  readonly sets: readonly PatientSetRow[];
  readonly charges: readonly Charge[];
  /** Checkpoints that are kept for good. */
  readonly kept: readonly CheckpointRow[];
}

export interface PersonKey {
  readonly ordinal: number;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** Where evidence becomes durable; the store provides it. */
export interface EvidenceSink {
  /**
   * A log that nobody writes and whose key is one of these, else a new one by this name; `held` names the log that the caller had, which nobody else
   * has claimed since. Its fence is raised.
   */
  claim(request: {
    readonly newLogId: string;
    readonly writer: string;
    readonly publicKeys: readonly string[];
    readonly held: { readonly logId: string; readonly fence: number } | null;
  }): Promise<ClaimedHead>;
  release(logId: string, fence: number): Promise<void>;
  /** Ordinals and keys of persons, in the order of their ordinals. Throws for a person that is not registered. */
  persons(patientIds: ReadonlySet<string>): Promise<readonly PersonKey[]>;
  /** Returns after the commit, or throws and has written nothing, unless the connection was lost; a coded fault says that a record is refused. */
  write(batch: EvidenceBatch): Promise<void>;
  /** Keeps a checkpoint, or the signatures of a witness under it. */
  keep(logId: string, row: CheckpointRow & { readonly witness?: string }): Promise<void>;
}

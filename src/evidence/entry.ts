import type { LineagePlan } from './lineage.js';

export const RECORD_KINDS = ['query', 'mutation', 'refused', 'ingest', 'export', 'replay', 'admin', 'log.opened', 'log.key'] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

/** What was asked, as far as its plan does not say it: needed to ask again. */
export interface Question {
  readonly operationName: string | null;
  /** Literals of the document as GraphQL text, in the order in which `withoutLiterals` met them. */
  readonly literals: readonly string[];
  readonly variables: Readonly<Record<string, unknown>>;
  /** The patient in context of the token. */
  readonly patient: string | null;
}

/** Something that happened and has to be provable afterwards. It holds names, digests and counts, never a value of the data. */
export interface EvidenceEntry {
  readonly runId: string;
  readonly kind: Exclude<RecordKind, 'log.opened' | 'log.key'>;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly principal: string;
  readonly roles: readonly string[];
  readonly purpose: string;
  /** Organisation to which the answer went, by its id in the policy in force; null where nothing went anywhere. */
  readonly recipient: RecipientRef | null;
  /** By what beside roles and purpose the caller was decided: stored once, named by its digest. */
  readonly caller: Readonly<Record<string, unknown>> | null;
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
  /** Kept encrypted. */
  readonly question: Question | null;
}

export interface RecipientRef {
  readonly id: string;
  /** True where the person-by-person threshold of bulk data holds for it. */
  readonly flagged: boolean;
}

/** An entry that says nothing but what is given. */
export function entryOf(
  given: Pick<EvidenceEntry, 'runId' | 'kind' | 'at' | 'principal' | 'roles' | 'purpose' | 'policyVersion'> & Partial<EvidenceEntry>,
): EvidenceEntry {
  return {
    recipient: null,
    caller: null,
    plan: null,
    patients: new Set(),
    rows: 0,
    resultDigest: null,
    bytes: 0,
    versions: {},
    code: null,
    facts: {},
    question: null,
    ...given,
  };
}

/** A record of the log as JSON, parsed. */
export interface AuditRecord {
  readonly seq: number;
  readonly at: string;
  /** Microseconds on the monotonic clock of the writing process. */
  readonly mono: number;
  /** The writing process: a new id each time that a log is claimed. */
  readonly writer: string;
  readonly kind: RecordKind;
  readonly run: string;
  readonly principal: string;
  readonly roles: readonly string[];
  readonly purpose: string;
  readonly recipient: string | null;
  readonly caller: string | null;
  readonly policy: string;
  readonly plan: string | null;
  readonly patients: number;
  readonly set: string | null;
  readonly rows: number;
  readonly result: string | null;
  readonly bytes: number;
  readonly versions: Readonly<Record<string, number>>;
  readonly code: string | null;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly sealed: string | null;
}

/** What a caller holds of an answer: where its record stands, and the signed checkpoint that covers it. */
export interface Receipt {
  /** Run id of the answer. */
  readonly id: string;
  readonly logId: string;
  readonly logIndex: number;
  /** Signed note (C2SP tlog-checkpoint). */
  readonly checkpoint: string;
}

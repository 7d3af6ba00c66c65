import type { LineageDesk } from './lineage-graph.js';

/** What has been proved afterwards, and who holds how much; the gateway provides it to hand-written operations. */
export interface EvidenceDesk {
  /** Where data came from and where they went. */
  readonly lineage: LineageDesk;
  /**
   * Accounting of disclosures of one person (45 CFR 164.528). Throws BAD_INPUT for a range that runs back or leaves the last six years, and NOT_FOUND
   * for a person who is unknown or of a site that is not the caller's, in the same words.
   */
  accounting(question: AccountingQuestion): Promise<readonly AccountingEntry[]>;
  /** Persons of whom a recipient got data within the window, by category; an unknown recipient holds nothing. */
  bulkMeter(recipient: string): Promise<BulkMeterFacts>;
  /** Holds back entries for an agency until an instant. Throws NOT_FOUND as above, BAD_INPUT for an instant that is over or too far. */
  suspend(request: SuspensionRequest): Promise<AccountingHold>;
  /**
   * Asks a past question again on the versions that its record names. Throws NOT_FOUND, in the same words, for an id that is unknown, of somebody else's
   * answer, or whose receipt is not of this installation.
   */
  replay(receipt: { readonly id: string; readonly checkpoint: string | null }): Promise<ReplayFacts>;
  /** Ends a hold before its time; null where there is none of that id that is live. */
  resume(holdId: string, reason: string): Promise<AccountingHold | null>;
}

/** What asking again gave; the answer itself is not told. */
export interface ReplayFacts {
  readonly id: string;
  /** EQUAL: byte for byte the same answer. ERASED: persons of the answer were erased. */
  readonly verdict: 'EQUAL' | 'CHANGED' | 'ERASED' | 'NOT_REPLAYABLE';
  readonly recordedDigest: string | null;
  readonly replayedDigest: string | null;
  /** Why the verdict is not EQUAL. */
  readonly changes: readonly ReplayChange[];
}

export interface ReplayChange {
  readonly what: 'persons' | 'policy' | 'schema' | 'plan' | 'dataset' | 'answer' | 'question' | 'kind' | 'unexplained';
  /** Number, digest, table or code. */
  readonly name: string;
}

/** Instants are milliseconds since 1970: from `from` on and before `to`. */
export interface AccountingQuestion {
  readonly patientId: string;
  readonly from: number;
  readonly to: number;
}

/** Agencies that may suspend an accounting (45 CFR 164.528(a)(2)). */
export const HOLD_KINDS = ['law-enforcement', 'health-oversight'] as const;
export type HoldKind = (typeof HOLD_KINDS)[number];

export interface SuspensionRequest {
  readonly patientId: string;
  readonly kind: HoldKind;
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly reason: string;
}

/** Instants are ISO texts. */
export interface AccountingHold {
  readonly id: string;
  readonly kind: HoldKind;
  readonly at: string;
  readonly until: string;
  readonly endedAt: string | null;
}

/** One line of an accounting: disclosures to one recipient for one purpose, or a research protocol. Dates are UTC days, YYYY-MM-DD. */
export interface AccountingEntry {
  readonly kind: 'DISCLOSURES' | 'PROTOCOL';
  /** The first disclosure in the range. */
  readonly date: string;
  readonly lastDate: string;
  /** How many; null for a protocol, which stands for all persons of it. */
  readonly number: number | null;
  readonly recipient: string;
  readonly address: string | null;
  /** What was disclosed, by kind of data. */
  readonly description: string;
  readonly purpose: string;
  readonly protocol: AccountingProtocol | null;
}

export interface AccountingProtocol {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly sponsor: string;
  readonly researcher: string;
  readonly statement: string;
}

export interface BulkMeterFacts {
  readonly recipient: string;
  readonly name: string;
  /** True where thresholds hold the recipient back. */
  readonly flagged: boolean;
  readonly windowMonths: number;
  /** First UTC day that counts. */
  readonly since: string;
  /** By category, and `combined` where several are held. */
  readonly counts: readonly BulkCountFacts[];
}

export interface BulkCountFacts {
  readonly category: string;
  readonly persons: number;
  readonly threshold: number;
  /** Days until the first of the persons falls out of the window. */
  readonly daysUntilOldestFallsOut: number;
}

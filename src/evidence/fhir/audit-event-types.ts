import type { CodeableConcept, Coding, absent } from './audit-event-codes.js';

type Absent = ReturnType<typeof absent>;

export interface Identifier {
  readonly system?: string;
  readonly value: string;
}

export interface Reference {
  readonly reference?: string;
  readonly type?: string;
  readonly identifier?: Identifier;
  readonly display?: string;
  readonly extension?: Absent['extension'];
}

export interface Network {
  readonly address?: string;
  readonly type?: '1' | '2' | '3' | '4' | '5';
  readonly extension?: Absent['extension'];
}

export interface AuditEventAgent {
  readonly type: CodeableConcept;
  readonly role?: readonly CodeableConcept[];
  readonly who?: Reference;
  readonly name?: string;
  readonly requestor: boolean;
  readonly location?: Reference;
  readonly policy?: readonly string[];
  readonly network?: Network;
  readonly purposeOfUse?: readonly CodeableConcept[];
}

export interface AuditEventEntity {
  readonly what?: Reference;
  readonly type: Coding;
  readonly role?: Coding;
  readonly description?: string;
  /** Base64. */
  readonly query?: string;
  readonly _query?: Absent;
  readonly detail?: readonly { readonly type: string; readonly valueString: string }[];
}

export type AuditEventAction = 'C' | 'R' | 'U' | 'D' | 'E';

/** AuditEvent of FHIR R4 (4.0.1), as far as it is written here. */
export interface AuditEvent {
  readonly resourceType: 'AuditEvent';
  readonly id: string;
  readonly meta?: { readonly profile: readonly string[] };
  readonly type: Coding;
  readonly subtype?: readonly Coding[];
  readonly action: AuditEventAction;
  /** Instant. */
  readonly recorded: string;
  /** 0 success, 4 minor failure, 8 serious failure, 12 major failure. */
  readonly outcome: '0' | '4' | '8' | '12';
  readonly outcomeDesc?: string;
  readonly purposeOfEvent?: readonly CodeableConcept[];
  readonly agent: readonly AuditEventAgent[];
  readonly source: { readonly site: string; readonly observer: Reference; readonly type: readonly Coding[] };
  readonly entity: readonly AuditEventEntity[];
}

/** An organisation outside, or the one of the caller. */
export interface AuditParty {
  readonly id: string;
  readonly name: string;
  /** Postal address, where known. */
  readonly address: string | null;
  /** Host name, IP address or URL, where known. */
  readonly network: string | null;
}

/** What is known of the access token: the last 32 letters of an opaque one, its jti alone, or jti with client and issuer. */
export type AuditToken =
  | { readonly kind: 'opaque'; readonly last32: string }
  | { readonly kind: 'minimal'; readonly jti: string }
  | { readonly kind: 'comprehensive'; readonly jti: string; readonly clientId: string; readonly issuer: string };

/** What the events of one record need beside it. Persons stand here as the ids of Patient that the reader of the events may see. */
export interface AuditEventContext {
  /** The gateway that recorded it. */
  readonly site: { readonly id: string; readonly name: string; readonly url: string };
  readonly patients: readonly string[];
  readonly client?: { readonly id: string; readonly address: string | null };
  /** The organisation for which the user acted. */
  readonly organization?: AuditParty;
  readonly token?: AuditToken;
  /** Only where a disclosure is accountable. */
  readonly recipient?: AuditParty;
  /** From whom data came, where they came from another organisation. */
  readonly sender?: AuditParty;
  /** Ids of the consents that decided, by person; a person without one is named with an empty list. */
  readonly consents?: ReadonlyMap<string, readonly string[]>;
  /** X-Request-Id, where the transport had one; else the run stands for it. */
  readonly requestId?: string;
  /** Text of the question; it is written only where the reader may see it. */
  readonly query?: string;
  readonly mayReadQuery: boolean;
}

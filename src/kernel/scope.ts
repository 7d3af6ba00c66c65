import type { CrossTable, CrossTableRequest } from './cohort.js';
import type { Tag } from './classification.js';
import type { EvidenceDesk } from './evidence.js';
import type { FeatureRows, FeatureView, LabelView } from './feature.js';
import type { TypeClass } from './field.js';
import type { Governing } from './governing.js';
import type { IngestReport } from './pipeline.js';
import type { Action, Clearance, Purpose } from './policy.js';

/** Who asks, and for what. It comes from a verified token and from nothing else. */
export interface Principal {
  readonly sub: string;
  readonly roles: readonly string[];
  readonly purpose: Purpose;
  /** Sites of care of the caller; '*' where the token names all. */
  readonly sites: readonly string[] | '*';
  readonly kind: 'person' | 'service';
  /** Issuer of the token (claim iss); absent where the installation itself vouches for the caller. */
  readonly issuer?: string;
  /** jti of the token. */
  readonly tokenId: string;
  /** Log-in session of the identity provider (claim sid), or the token where there is none; it ends when idle. */
  readonly session?: string;
  /** Groups of the identity provider as the token names them (claim groups). */
  readonly groups?: readonly string[];
  /** FHIR references and codes that a consent may name as recipient: fhirUser, organisation, PractitionerRole, groups. */
  readonly identities?: readonly string[];
  /** True where the log-in used several factors (acr, amr). */
  readonly steppedUp?: boolean;
  /** Who acts for `sub`, outermost first (RFC 8693, claim act); rights are the intersection of all of them. */
  readonly actors?: readonly Actor[];
  /** SMART App Launch v2 scopes as granted; undefined where the token carries none of that form. */
  readonly scopes?: readonly string[];
  /** The patient in context (launch/patient): `patient/` scopes reach only this person. */
  readonly patient?: string;
  /** The registered research project that the data are asked for; data use conditions are matched against it. */
  readonly project?: string;
  /** What the visas of a GA4GH passport give the caller. */
  readonly clearances?: readonly HeldClearance[];
  /** How many visas of the token count for nothing. */
  readonly visasIgnored?: number;
}

/** Registered access, or controlled access to one dataset (GA4GH Passport v1). */
export interface HeldClearance {
  readonly kind: Clearance;
  /** URL of the dataset, as the policy in force names it; for controlled access only. */
  readonly dataset?: string;
  /** Milliseconds since 1970; it holds before this instant. */
  readonly until: number;
}

export interface Actor {
  readonly sub: string;
  readonly roles: readonly string[];
}

/** Small documents of a product (models, runs): written once, found by equality. Bulk data never pass here. */
export interface RecordStore {
  insert(of: TypeClass, row: Readonly<Record<string, unknown>>): Promise<void>;
  find(
    of: TypeClass,
    where: Readonly<Record<string, unknown>>,
    order?: { column: string; descending: boolean },
  ): Promise<Record<string, unknown>[]>;
}

export interface FeatureAnswer extends FeatureRows {
  /** True where role or purpose bars the modality whatever the person; nothing was read then. */
  readonly barred: boolean;
  /**
   * Persons that exist for the caller but whose rows of the modality are withheld from this purpose; known only to callers who may
   * tell withheld from absent, else empty.
   */
  readonly withheld: readonly string[];
}

/** Glass that somebody broke for one person. Times are ISO instants. */
export interface BrokenGlass {
  readonly id: string;
  readonly startedAt: string;
  readonly endsAt: string;
  readonly endedAt: string | null;
  readonly reviewedAt: string | null;
}

/** Emergency access to one person; each act is audited before it holds. */
export interface GlassDesk {
  /** Breaks the glass for the caller. Whether there is such a person is not told. LIMIT_EXCEEDED where the caller holds as many as allowed. */
  open(request: { readonly patientId: string; readonly reason: string; readonly minutes: number }): Promise<BrokenGlass>;
  /** Ends it; null where it is unknown, over, or not the caller's own and only that is asked for. */
  end(id: string, whose: 'own' | 'any'): Promise<BrokenGlass | null>;
  /** Closes the review; null where it is unknown or reviewed already. CONFLICT while it is not over, FORBIDDEN for the caller's own. */
  review(id: string, verdict: string, note: string): Promise<BrokenGlass | null>;
}

/** What a hand-written operation may ask. Everything here is decided, traced and audited by the rooms that provide it. */
export interface Scope {
  /** Id of the lineage and audit record of this request. */
  readonly lineageId: string;
  readonly principal: Principal;
  /** Milliseconds since 1970. */
  readonly now: number;
  may(action: Action, tags: readonly Tag[]): boolean;
  newId(): string;
  /** Which of these persons the caller may know of. */
  visiblePatients(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Every person the caller may know of, in the order of their ids. */
  allPatients(limit: number): Promise<readonly string[]>;
  /** Feature views of the products in this process, one a modality. */
  readonly views: readonly FeatureView[];
  /** Outcomes that models may learn. */
  readonly labelViews: readonly LabelView[];
  /** Labels of these persons; those about whom the caller may not know are left out. */
  labels(view: LabelView, patientIds: readonly string[], code: string): Promise<ReadonlyMap<string, 0 | 1>>;
  features(view: FeatureView, patientIds: readonly string[], asOf: number, action: 'feature' | 'train'): Promise<FeatureAnswer>;
  /**
   * Counts persons by some columns, which one grant must let the caller count in the clear together. Small numbers are withheld where the class
   * has a small-cell minimum. Throws FORBIDDEN, and LIMIT_EXCEEDED where there are too many cells.
   */
  crossTable(request: CrossTableRequest): Promise<CrossTable>;
  ingest(file: { product: string; name: string; bytes: Uint8Array; assembly?: string }): Promise<IngestReport>;
  /** Runs held records through the pipeline as it is now; what passes enters under its original record id. */
  release(quarantineIds: readonly string[], reason: string): Promise<{ readonly released: number; readonly held: number }>;
  readonly records: RecordStore;
  readonly glass: GlassDesk;
  /** What policy tells about itself and how it is changed. */
  readonly governing: Governing;
  /** What evidence tells: accounting of disclosures, who holds how much. */
  readonly evidence: EvidenceDesk;
  /** Adds facts to the lineage of the request: model versions, modalities withheld, counts. Names and digests only. */
  trace(facts: Readonly<Record<string, unknown>>): void;
}

import type { Tag } from './classification.js';

/** Purposes of use: HL7 v3 ActReason codes (the closed list of the product). */
export const PURPOSES = {
  TREAT: 'treatment',
  ETREAT: 'emergency treatment',
  HPAYMT: 'healthcare payment',
  HOPERAT: 'healthcare operations',
  HRESCH: 'healthcare research',
  PUBHLTH: 'public health',
} as const;
/** A v3 code, or the code of a study that the policy in force registers. */
export type Purpose = keyof typeof PURPOSES | `study:${string}`;

/**
 * What a grant allows: read cells; learn counts and existence only; fetch files; use cells as model input; run a model; train; write;
 * release from quarantine; break the glass in an emergency; change policy, tags and owners. None implies a purpose, and of the others
 * only `read` implies one: `count`.
 */
export const ACTIONS = ['read', 'count', 'file', 'feature', 'execute', 'train', 'write', 'release', 'emergency', 'govern'] as const;
export type Action = (typeof ACTIONS)[number];

/**
 * Masks in the order in which a tie is settled. HASH is a keyed HMAC, joinable inside one purpose only; DATESHIFT moves all dates of
 * one person by the same number of days; AGE90 makes ages over 89 one group (45 CFR 164.514(b)(2)(i)(C)).
 */
export const MASKS = ['NULL', 'HASH', 'LAST4', 'FIRST4', 'YEAR', 'ZIP3', 'AGE90', 'DATESHIFT', 'REDACT'] as const;
export type Mask = (typeof MASKS)[number];

/** How much of a value a mask leaves: NULL nothing, HASH equality only, all others a part. The clear ranks above all of them. */
export const maskRank = (mask: Mask | null): number => (mask === null ? 3 : mask === 'NULL' ? 0 : mask === 'HASH' ? 1 : 2);

/** Areas of three-digit postal codes with 20,000 people or fewer (45 CFR 164.514(b)(2)(i)(B), 2000 census); ZIP3 gives 000 for them. */
export const SMALL_ZIP3 = [
  '036',
  '059',
  '063',
  '102',
  '203',
  '556',
  '692',
  '790',
  '821',
  '823',
  '830',
  '831',
  '878',
  '879',
  '884',
  '890',
  '893',
] as const;

/** What a predicate may ask of the caller. */
export type MeAttribute = 'sub' | 'sites' | 'patient';

/** The attributes that every row of patient data has, whatever its table. */
export type RowAttribute = 'site' | 'sensitivity' | 'principal' | 'patient';

export type Literal = string | number | boolean;

/**
 * The closed predicate language of row rules. Values follow three-valued logic: a comparison with NULL is unknown, and a row is shown
 * only where a rule is true. There is no negation but `except`, which holds only where its part is false for certain.
 * `consent` asks whether the person permits the purpose of the request for the row; `glass` whether the caller broke the glass for the
 * person and the time is not over. Comparisons with columns stand under the name of their dataset only (`Grant.datasets`).
 */
export type Predicate =
  | { readonly op: 'true' }
  | { readonly op: 'false' }
  | { readonly op: 'and' | 'or'; readonly of: readonly Predicate[] }
  | { readonly op: 'except'; readonly of: Predicate }
  | { readonly op: 'in'; readonly attribute: RowAttribute; readonly me: MeAttribute }
  | { readonly op: '<='; readonly attribute: 'sensitivity'; readonly literal: number }
  | { readonly op: 'compare'; readonly column: string; readonly operator: '=' | '<' | '<=' | '>' | '>='; readonly literal: Literal }
  | { readonly op: 'one-of'; readonly column: string; readonly literals: readonly Literal[] }
  | { readonly op: 'between'; readonly column: string; readonly from: Literal; readonly to: Literal }
  | { readonly op: 'is-null'; readonly column: string }
  | { readonly op: 'glass' }
  | { readonly op: 'consent' };

export const everyRow: Predicate = { op: 'true' };
export const noRow: Predicate = { op: 'false' };
export const ownSite: Predicate = { op: 'in', attribute: 'site', me: 'sites' };
export const ownRecord: Predicate = { op: 'in', attribute: 'principal', me: 'sub' };
/** Confidentiality N = 0, R = 1, V = 2 (HL7 v3 Confidentiality). */
export const upToSensitivity = (level: 0 | 1 | 2): Predicate => ({ op: '<=', attribute: 'sensitivity', literal: level });
/** Rows of the person for whom the caller broke the glass. */
export const underGlass: Predicate = { op: 'glass' };
export const allOf = (...of: Predicate[]): Predicate => ({ op: 'and', of });

/** De-identification profiles: which mask each Safe Harbor letter takes. */
export const PROFILES = ['safe-harbor', 'limited-data-set'] as const;
export type Profile = (typeof PROFILES)[number];

/** What only a passport opens: registered access, or controlled access (GA4GH Passport v1; the upper rungs of Beacon v2's access levels). */
export const CLEARANCES = ['registered', 'controlled'] as const;
export type Clearance = (typeof CLEARANCES)[number];

/** Statements that go with an answer. */
export const NOTICES = {
  'part2-redisclosure':
    '42 CFR part 2 prohibits unauthorized use or disclosure of these records: substance use disorder treatment records may not be disclosed further without consent or as the rule permits.',
  'research-only': 'These data were released for the stated research use only; no attempt to identify a person may be made.',
  'data-use-ethics': 'These data may be used only while the ethics approval of the project holds (DUO:0000021).',
  'data-use-collaboration': 'Use of these data takes collaboration with the investigators of the primary study (DUO:0000020).',
  'data-use-publication': 'Results of studies with these data are to be made available to the larger scientific community (DUO:0000019).',
  'data-use-return': 'Derived and enriched data are to be returned to where these data come from (DUO:0000029).',
  'data-use-moratorium': 'Results of studies with these data are not to be published before the date that goes with them (DUO:0000024).',
} as const;
export type Notice = keyof typeof NOTICES;

/** What goes with the use of a grant. */
export interface Obligations {
  /** Counts of persons from 1 to this number less one are withheld. */
  readonly kMin?: number;
  /** The grant lives only where the log-in used several factors. */
  readonly stepUp?: boolean;
  readonly notices?: readonly Notice[];
}

/**
 * A grant is live when its role is held, its purpose is that of the request and the present lies inside its validity.
 * A cell is visible when ONE live grant covers all tags of its column and holds for its row: rows and columns are never joined across grants.
 */
export interface Grant {
  /** Stable and unique, for example 'notes.clinician.treat'. */
  readonly id: string;
  /** Why it exists, as a sentence for the page that says who sees what. */
  readonly reason: string;
  readonly role: string;
  readonly purposes: readonly Purpose[];
  readonly actions: readonly Action[];
  readonly tags: readonly Tag[];
  /** Tags that are covered, but only through this mask. */
  readonly masks?: Readonly<Partial<Record<Tag, Mask>>>;
  /** Masks by Safe Harbor letter, in addition to `masks`; the strongest of all that apply is used. */
  readonly profile?: Profile;
  /** Rows of patient data that it reaches; consent is asked in addition, save for rows under broken glass. */
  readonly rows: Predicate;
  /** Narrower rules for rows of single datasets, by table; they are asked in addition. */
  readonly datasets?: Readonly<Record<string, Predicate>>;
  /** The grant lives only for callers whose passport gives this. */
  readonly clearance?: Clearance;
  readonly obligations?: Obligations;
  readonly validFrom?: string;
  readonly validTo?: string;
}

/** Always wins over every grant: what carries one of its tags is hidden, on all rows or where `rows` is not false for certain. */
export interface Forbid {
  readonly id: string;
  readonly reason: string;
  readonly role: string;
  readonly purposes: readonly Purpose[];
  readonly tags: readonly Tag[];
  readonly actions?: readonly Action[];
  readonly rows?: Predicate;
  /** Does not hold for rows under broken glass. */
  readonly breakable?: boolean;
  readonly validFrom?: string;
  readonly validTo?: string;
}

/** What a product declares; all of them together are the one policy. */
export interface PolicyDeclaration {
  readonly grants: readonly Grant[];
  readonly forbids?: readonly Forbid[];
}

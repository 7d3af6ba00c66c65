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
export type Purpose = keyof typeof PURPOSES;

/** What a grant allows: read cells, use them as model input, run a model, train, write, release from quarantine. */
export const ACTIONS = ['read', 'feature', 'execute', 'train', 'write', 'release'] as const;
export type Action = (typeof ACTIONS)[number];

/** Masks from the strongest to the weakest. HASH is a keyed HMAC, joinable inside one purpose only. */
export const MASKS = ['NULL', 'HASH', 'LAST4', 'YEAR', 'ZIP3', 'REDACT'] as const;
export type Mask = (typeof MASKS)[number];

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
export type MeAttribute = 'sub' | 'sites';

/** The attributes that every row of patient data has, whatever its table. */
export type RowAttribute = 'site' | 'sensitivity' | 'principal';

/**
 * The closed predicate language of row rules (no negation over nullable columns; comparison with NULL is false everywhere).
 * `exists consent` asks whether the person permits the purpose of the request for the modality of the row.
 */
export type Predicate =
  | { readonly op: 'true' }
  | { readonly op: 'false' }
  | { readonly op: 'and' | 'or'; readonly of: readonly Predicate[] }
  | { readonly op: 'in'; readonly attribute: RowAttribute; readonly me: MeAttribute }
  | { readonly op: '<='; readonly attribute: 'sensitivity'; readonly literal: number }
  | { readonly op: 'consent' };

export const everyRow: Predicate = { op: 'true' };
export const noRow: Predicate = { op: 'false' };
export const ownSite: Predicate = { op: 'in', attribute: 'site', me: 'sites' };
export const ownRecord: Predicate = { op: 'in', attribute: 'principal', me: 'sub' };
/** Confidentiality N = 0, R = 1, V = 2 (HL7 v3 Confidentiality). */
export const upToSensitivity = (level: 0 | 1 | 2): Predicate => ({ op: '<=', attribute: 'sensitivity', literal: level });
export const allOf = (...of: Predicate[]): Predicate => ({ op: 'and', of });

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
  /** Rows of patient data that it reaches; consent is asked in addition, always. */
  readonly rows: Predicate;
  /** Counts of persons from 1 to this number less one are withheld. */
  readonly smallCellMin?: number;
  readonly validFrom?: string;
  readonly validTo?: string;
}

/** Always wins over every grant. */
export interface Forbid {
  readonly id: string;
  readonly reason: string;
  readonly role: string;
  readonly purposes: readonly Purpose[];
  readonly tags: readonly Tag[];
}

/** What a product declares; all of them together are the one policy. */
export interface PolicyDeclaration {
  readonly grants: readonly Grant[];
  readonly forbids?: readonly Forbid[];
}

import type { Modifier } from './duo-codes.js';

/**
 * What a project does with data. `methods` is development of software or algorithms; it may go with another kind and takes its bounds.
 * `other` is any use that is neither research nor care of patients.
 */
export const USE_KINDS = ['biomedical', 'biology', 'social', 'ancestry', 'methods', 'clinical-care', 'other'] as const;
export type UseKind = (typeof USE_KINDS)[number];

/** Modifiers that a project promises to keep, before it gets data. */
export const OBLIGATIONS = ['IRB', 'COL', 'PUB', 'RTN', 'MOR', 'TS'] as const satisfies readonly Modifier[];
export type Obligation = (typeof OBLIGATIONS)[number];

export interface EthicsApproval {
  readonly id: string;
  /** Milliseconds since 1970; it holds before this instant. */
  readonly until: number;
}

/** A registered project, as a steward has checked it. Null is 'not stated', which fails every condition that asks for it. */
export interface ResearchProject {
  readonly id: string;
  readonly uses: readonly UseKind[];
  /** What is studied or cared for; all of them must lie within a disease restriction. */
  readonly diseases: readonly string[];
  readonly organisation: 'not-for-profit' | 'for-profit' | null;
  readonly commercial: boolean | null;
  /** True where genotypes are studied, with or without phenotypes. */
  readonly genetic: boolean | null;
  readonly approvals: readonly EthicsApproval[];
  /** ISO 3166-1 alpha-2, as the conditions of the data name it. */
  readonly country: string | null;
  readonly institution: string | null;
  /** Everybody who will use the data. */
  readonly users: readonly string[];
  readonly studyTypes: readonly string[];
  readonly accepted: readonly Obligation[];
  /** Milliseconds since 1970: when use of the data begins. */
  readonly start: number | null;
  /** Milliseconds since 1970: when results are to be published. */
  readonly publication: number | null;
}

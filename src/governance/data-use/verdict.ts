import type { Obligation } from './project.js';

/** One condition of a dataset: a code of the ontology and what stands beside it (diseases, countries, names, a date, months). */
export interface DataUseCondition {
  readonly code: string;
  readonly values: readonly string[];
}

export type DenialReason =
  | 'code-unknown'
  | 'code-abstract'
  | 'parameter-missing'
  | 'parameter-invalid'
  | 'permission-missing'
  | 'use-not-stated'
  | 'use-not-permitted'
  | 'disease-not-stated'
  | 'disease-unknown'
  | 'disease-not-permitted'
  | 'condition-not-met'
  | 'obligation-not-accepted'
  | 'approval-missing'
  | 'time-ended'
  | 'not-started';

export interface DataUseReason {
  /** The code that denies; empty where it is the lack of one. */
  readonly code: string;
  readonly reason: DenialReason;
}

export interface DataUseVerdict {
  readonly permitted: boolean;
  /** Why not, in the order of the conditions; empty where permitted. */
  readonly reasons: readonly DataUseReason[];
  /** What the project has promised and must keep while it uses the data; empty where denied. */
  readonly obligations: readonly Obligation[];
  /** Milliseconds since 1970 at which a new verdict is due, because a time limit or an approval ends; null where nothing ends. */
  readonly until: number | null;
}

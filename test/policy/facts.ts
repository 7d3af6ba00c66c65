import { POLICY_FACTS } from './facts-policy.js';
import { CLASS_FACTS } from './facts-class.js';
import type { Subject } from './suite.js';

/** One thing that holds of the compiler; its check throws where it does not. */
export interface Fact {
  readonly name: string;
  readonly check: (subject: Subject) => void;
}

export const FACTS: readonly Fact[] = [...POLICY_FACTS, ...CLASS_FACTS];

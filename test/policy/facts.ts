import { CELL_FACTS } from './facts-cells.js';
import { MASK_FACTS } from './facts-masks.js';
import { POLICY_FACTS } from './facts-policy.js';
import { CLASS_FACTS } from './facts-class.js';
import { RULE_FACTS } from './facts-rules.js';
import type { Fact } from './suite.js';

export const FACTS: readonly Fact[] = [...POLICY_FACTS, ...MASK_FACTS, ...CLASS_FACTS, ...CELL_FACTS, ...RULE_FACTS];

import { HIPAA_SECURITY } from './hipaa-security.js';
import { OTHER_RULES } from './other-rules.js';
import type { Rule } from './rule.js';
import { SAFE_HARBOR } from './safe-harbor.js';

/** Every row that the product helps to meet, in the order of the page about them. */
export const RULES: readonly Rule[] = [...HIPAA_SECURITY, ...OTHER_RULES, ...SAFE_HARBOR];

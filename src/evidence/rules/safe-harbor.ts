import { ecfr, testsOf, type Rule } from './rule.js';

const LETTERS: readonly (readonly [letter: string, identifier: string, transform: string])[] = [
  ['A', 'Names', 'removed'],
  ['B', 'Geographic subdivisions smaller than a state', 'first three digits of the postal code, or 000 where few people live'],
  ['C', 'Dates except the year, and ages over 89', 'year only; 90 and more as one'],
  ['D', 'Telephone numbers', 'removed'],
  ['E', 'Fax numbers', 'removed'],
  ['F', 'E-mail addresses', 'removed'],
  ['G', 'Social security numbers', 'removed'],
  ['H', 'Medical record numbers', 'removed, or a random code that does not follow from the person'],
  ['I', 'Health plan beneficiary numbers', 'removed'],
  ['J', 'Account numbers', 'removed'],
  ['K', 'Certificate and license numbers', 'removed'],
  ['L', 'Vehicle identifiers and license plates', 'removed'],
  ['M', 'Device identifiers and serial numbers', 'removed'],
  ['N', 'Web addresses', 'removed'],
  ['O', 'IP addresses', 'removed'],
  ['P', 'Biometric identifiers', 'removed'],
  ['Q', 'Full-face photographs and comparable images', 'removed'],
  ['R', 'Any other unique identifying number, characteristic or code', 'removed'],
];

/** The eighteen identifiers of Safe Harbor. */
export const SAFE_HARBOR: readonly Rule[] = LETTERS.map(([letter, identifier, transform]) => ({
  id: `SH-${letter}`,
  citation: `45 CFR 164.514(b)(2)(i)(${letter})`,
  title: identifier,
  binds: null,
  status: 'in force',
  inForceFrom: '2003-04-14',
  pending: null,
  text: ecfr(45, '164.514'),
  evidence: `Every column carries its letter; under a de-identification profile: ${transform}.`,
  remains: 'The attestation that nobody knows how the rest could identify a person.',
  checks: testsOf('test/gateway/policy-change.test.ts', 'under a de-identification profile masks by Safe Harbor letter'),
}));

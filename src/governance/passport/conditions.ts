import { PATTERN_CHARACTERS_MAX, matchesPattern } from './pattern.js';

/** Claims of a visa object that a clause may ask for, beside its type; timestamps and conditions it may not. */
const CLAUSE_CLAIMS = ['value', 'source', 'by'] as const;
type ClauseClaim = (typeof CLAUSE_CLAIMS)[number];

const ALTERNATIVES_MAX = 16;
const CLAUSES_MAX = 16;

interface ClaimTest {
  readonly claim: ClauseClaim;
  /** A prefix that is not one of the three fails to match. */
  readonly prefix: string;
  readonly wanted: string;
}

export interface Clause {
  readonly type: string;
  readonly tests: readonly ClaimTest[];
}

/** Disjunctive normal form: met where all clauses of one list are met. */
export type Conditions = readonly (readonly Clause[])[];

/** What a clause looks at. */
export interface ClauseSubject {
  readonly type: string;
  readonly value: string;
  readonly source: string;
  readonly by: string | null;
}

/**
 * Reads the `conditions` claim (GA4GH Passport v1). The form of every clause is checked before any is matched: a clause without type,
 * without a further claim, with a claim that is not one of a visa object or with a pattern beyond the limit makes the visa invalid,
 * and so does an empty list, which no visa could meet.
 */
export function readConditions(claim: unknown): Conditions | 'invalid' {
  if (!isList(claim, ALTERNATIVES_MAX)) return 'invalid';
  const alternatives: Clause[][] = [];
  for (const list of claim) {
    if (!isList(list, CLAUSES_MAX)) return 'invalid';
    const clauses = list.map(readClause).filter((clause) => clause !== null);
    if (clauses.length < list.length) return 'invalid';
    alternatives.push(clauses);
  }
  return alternatives;
}

const isList = (value: unknown, max: number): value is readonly unknown[] =>
  Array.isArray(value) && value.length > 0 && value.length <= max;

function readClause(value: unknown): Clause | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const { type, ...claims } = value as Readonly<Record<string, unknown>>;
  const tests = Object.entries(claims).map(([claim, wanted]) => readTest(claim, wanted));
  if (typeof type !== 'string' || type === '' || tests.length === 0) return null;
  const read = tests.filter((test) => test !== null);
  return read.length < tests.length ? null : { type, tests: read };
}

function readTest(name: string, text: unknown): ClaimTest | null {
  const claim = CLAUSE_CLAIMS.find((each) => each === name);
  if (claim === undefined || typeof text !== 'string') return null;
  const colon = text.indexOf(':');
  const wanted = text.slice(colon + 1);
  return colon < 0 || wanted.length > PATTERN_CHARACTERS_MAX ? null : { claim, prefix: text.slice(0, colon), wanted };
}

/** All claims of the clause match this one visa. A claim that the visa lacks matches nothing, not even `*`. */
export const clauseMatches = ({ type, tests }: Clause, visa: ClauseSubject): boolean =>
  visa.type === type && tests.every(({ claim, prefix, wanted }) => testMatches(prefix, wanted, visa[claim]));

function testMatches(prefix: string, wanted: string, given: string | null): boolean {
  if (given === null) return false;
  switch (prefix) {
    case 'const':
      return given === wanted;
    case 'pattern':
      return matchesPattern(wanted, given);
    case 'split_pattern':
      return given.split(';').some((part) => matchesPattern(wanted, part));
    default:
      return false;
  }
}

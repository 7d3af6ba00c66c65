import { LIMITS } from '../../kernel/index.js';
import { clauseMatches, type Conditions } from './conditions.js';
import { identityReach } from './linked.js';
import { tokenForm, tokenTimes, type DecodedToken, type TokenFault } from './token.js';
import type { PassportPolicy, VisaIdentity, VisaType } from './trust.js';
import { affiliationOf, readVisa, type Visa, type VisaFault } from './visa.js';

const VISAS_MAX = 256;
const PASSPORT_TYP = 'vnd.ga4gh.passport+jwt';

/** Something that holds until an instant, in milliseconds since 1970, and not at it. */
export type Until<T> = T & { readonly until: number };

/** What the accepted visas give their subject. Whatever rests on several visas ends with the first of them. */
export interface Clearance {
  /** Controlled access: values of ControlledAccessGrants, each a dataset that the policy names. */
  readonly datasets: readonly Until<{ dataset: string }>[];
  readonly researcher: readonly Until<{ status: string }>[];
  readonly terms: readonly Until<{ terms: string }>[];
  /** Registered access: the same document stands in accepted terms and in a researcher status. */
  readonly registered: readonly Until<{ document: string }>[];
  readonly roles: readonly Until<{ role: string; affiliation: string }>[];
  /** Visas that count for nothing, by their place in the list, and why. For the record, never for the caller. */
  readonly ignored: readonly { readonly visa: number; readonly reason: VisaFault }[];
}

/** A passport whose signature the gateway has checked, with its visas decoded in their order. */
export interface DecodedPassport extends DecodedToken {
  readonly visas: readonly DecodedToken[];
}

export type PassportFault = TokenFault | 'too-large' | 'broker-untrusted' | 'visas-invalid';

/**
 * The clearinghouse (GA4GH Passport v1.2, AAI OIDC profile 1.2): a passport that fails a check refuses the request, a visa that fails
 * one is ignored. The subject is the identity of the passport; visas of other identities count only through LinkedIdentities.
 * Nothing outlives the passport.
 */
export function clearPassport(
  passport: DecodedPassport,
  policy: PassportPolicy,
  now: number,
): Clearance | { readonly refused: PassportFault } {
  const { header, claims, visas, bytes } = passport;
  if (bytes > LIMITS.token_bytes_max * VISAS_MAX) return { refused: 'too-large' };
  const fault = tokenForm(passport, policy.audience);
  if (fault !== null) return { refused: fault };
  if (typeof header['typ'] !== 'string' || header['typ'].toLowerCase().replace(/^application\//, '') !== PASSPORT_TYP)
    return { refused: 'typ-invalid' };
  const identity = { iss: String(claims['iss']), sub: String(claims['sub']) };
  if (!policy.brokers.includes(identity.iss)) return { refused: 'broker-untrusted' };
  const { ga4gh_passport_v1: listed } = claims;
  const times = tokenTimes(passport, policy.clockToleranceSeconds, now);
  if (typeof times === 'string') return { refused: times };
  if (!Array.isArray(listed) || listed.length !== visas.length || visas.length > VISAS_MAX) return { refused: 'visas-invalid' };
  return clearVisas(visas, identity, policy, now, times.exp * 1000);
}

/**
 * Clears visas whose broker is trusted already, for the subject that it names. `now` and `ends` are milliseconds since 1970; `ends` is
 * when that trust ends at the latest.
 */
export function clearVisas(
  tokens: readonly DecodedToken[],
  subject: VisaIdentity,
  policy: PassportPolicy,
  now: number,
  ends = Infinity,
): Clearance {
  const ignored: { visa: number; reason: VisaFault }[] = [];
  const read = tokens.slice(0, VISAS_MAX).map((token) => readVisa(token, policy, now));
  tokens.slice(VISAS_MAX).forEach((_, at) => ignored.push({ visa: VISAS_MAX + at, reason: 'too-large' }));
  const reach = identityReach(
    subject,
    read.filter((visa) => typeof visa !== 'string'),
  );
  const bounded = read.map((visa) => (typeof visa === 'string' ? visa : ofSubject(visa, Math.min(reach(visa.identity), ends), now)));
  const support = bounded.filter((visa) => typeof visa !== 'string').filter(({ conditions }) => conditions === null);
  const accepted: Visa[] = [];
  bounded.forEach((visa, at) => {
    const judged = typeof visa === 'string' ? visa : underConditions(visa, support, now);
    if (typeof judged === 'string') ignored.push({ visa: at, reason: judged });
    else accepted.push(judged);
  });
  return { ...granted(accepted), ignored: ignored.sort((one, other) => one.visa - other.visa) };
}

function ofSubject(visa: Visa, reached: number, now: number): Visa | VisaFault {
  const until = Math.min(visa.until, reached);
  return until > now ? { ...visa, until } : 'identity-unlinked';
}

function underConditions(visa: Visa, support: readonly Visa[], now: number): Visa | VisaFault {
  if (visa.conditions === null) return visa;
  if (visa.type === 'LinkedIdentities') return 'conditions-unmet';
  const until = Math.min(visa.until, metUntil(visa.conditions, support));
  return until > now ? { ...visa, until } : 'conditions-unmet';
}

/** Until when the conditions are met: of the lists the longest, of the clauses of a list the shortest, of matching visas the longest. */
const metUntil = (conditions: Conditions, support: readonly Visa[]): number =>
  longest(
    conditions.map((clauses) =>
      Math.min(...clauses.map((clause) => longest(support.filter((visa) => clauseMatches(clause, visa)).map(({ until }) => until)))),
    ),
  );

const longest = (ends: readonly number[]): number => Math.max(0, ...ends);

function granted(visas: readonly Visa[]): Omit<Clearance, 'ignored'> {
  const valuesOf = (type: VisaType): Map<string, number> => {
    const values = new Map<string, number>();
    for (const visa of visas) if (visa.type === type) values.set(visa.value, longest([visa.until, values.get(visa.value) ?? 0]));
    return values;
  };
  const terms = valuesOf('AcceptedTermsAndPolicies');
  const researcher = valuesOf('ResearcherStatus');
  return {
    datasets: [...valuesOf('ControlledAccessGrants')].map(([dataset, until]) => ({ dataset, until })),
    researcher: [...researcher].map(([status, until]) => ({ status, until })),
    terms: [...terms].map(([value, until]) => ({ terms: value, until })),
    registered: [...terms]
      .filter(([document]) => researcher.has(document))
      .map(([document, until]) => ({ document, until: Math.min(until, researcher.get(document) ?? 0) })),
    roles: [...valuesOf('AffiliationAndRole')].flatMap(([value, until]) => {
      const affiliation = affiliationOf(value);
      return affiliation === null ? [] : [{ ...affiliation, until }];
    }),
  };
}

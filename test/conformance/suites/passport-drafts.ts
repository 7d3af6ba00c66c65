import { BROKER, ONE, TERMS, TWO, UNIVERSITY, USER, type PassportDraft, type VisaDraft } from './passport-kit.js';

export interface PassportCase {
  readonly kind: string;
  /** What the standard demands. */
  readonly id: string;
  readonly visas: readonly VisaDraft[];
  readonly passport?: PassportDraft;
  readonly expected: string;
}

/** A lone grant that is accepted. */
export const GRANTED = '710 3600 s';
/** The identity of the passport, which every visa of the user from another issuer needs a link to. */
export const LINK: VisaDraft = {
  claims: { iss: BROKER, sub: USER },
  object: {
    type: 'LinkedIdentities',
    value: `${USER},${encodeURIComponent(ONE)};u2,${encodeURIComponent(TWO)}`,
    source: BROKER,
    by: 'system',
  },
};
export const GRANT: VisaDraft = {};
export const ROLE: VisaDraft = { object: { type: 'AffiliationAndRole', value: 'faculty@med.example.edu', source: UNIVERSITY, by: 'so' } };
export const ACCEPTED: VisaDraft = { object: { type: 'AcceptedTermsAndPolicies', value: TERMS, source: UNIVERSITY, by: 'self' } };
export const STATUS: VisaDraft = { object: { type: 'ResearcherStatus', value: TERMS, source: UNIVERSITY, by: 'so' } };
export const ROLE_GIVEN = 'faculty at med.example.edu 3600 s';

export const with_ = (visa: VisaDraft, change: VisaDraft): VisaDraft => ({
  ...visa,
  ...change,
  header: { ...visa.header, ...change.header },
  claims: { ...visa.claims, ...change.claims },
  object: { ...visa.object, ...change.object },
});
export const under = (...conditions: readonly unknown[]): VisaDraft => with_(GRANT, { object: { conditions } });
/** Claims of a payload exchanged after it was signed. */
export const otherPayload = (jwt: string): string => {
  const [header, payload = '', signature] = jwt.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  return [header, Buffer.from(JSON.stringify({ ...claims, sub: 'somebody-else' })).toString('base64url'), signature].join('.');
};

export const passport = (id: string, draft: PassportDraft, expected: string): PassportCase => ({
  kind: 'passport',
  id,
  visas: [GRANT, LINK],
  passport: draft,
  expected,
});
export const one = (kind: string, id: string, visa: VisaDraft, expected: string): PassportCase => ({
  kind,
  id,
  visas: [visa, LINK],
  expected,
});
export const several = (kind: string, id: string, visas: readonly VisaDraft[], expected: string): PassportCase => ({
  kind,
  id,
  visas: [...visas, LINK],
  expected,
});

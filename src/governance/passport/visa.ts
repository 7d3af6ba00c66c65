import { LIMITS } from '../../kernel/index.js';
import { readConditions, type Conditions } from './conditions.js';
import { tokenForm, tokenTimes, type DecodedToken, type TokenFault } from './token.js';
import { AUTHORITIES, VISA_TYPES, type Authority, type PassportPolicy, type VisaIdentity, type VisaType } from './trust.js';

const URL_CHARACTERS_MAX = 255;
/** Lists of linked identities are the one value that may be longer than a URL; longer ones are refused, not cut. */
const LINKED_CHARACTERS_MAX = 2_048;
const LINKED_IDENTITIES_MAX = 16;
/** A visa that is an access token and is not asked after counts for an hour (AAI OIDC profile, Conformance for Clearinghouses 5.2.2). */
const ACCESS_TOKEN_SECONDS = 3_600;
const VISA_TYP: Readonly<Record<'document' | 'access', readonly string[]>> = {
  document: ['vnd.ga4gh.visa+jwt', 'jwt'],
  access: ['at+jwt', 'jwt', 'vnd.ga4gh.visa+jwt'],
};

export type VisaFault =
  | TokenFault
  | 'too-large'
  | 'issuer-untrusted'
  | 'form-unclear'
  | 'jku-untrusted'
  | 'access-token-old'
  | 'visa-claims'
  | 'type-unsupported'
  | 'value-invalid'
  | 'by-missing'
  | 'not-needed'
  | 'asserted-invalid'
  | 'source-untrusted'
  | 'authority-insufficient'
  | 'conditions-invalid'
  | 'conditions-unmet'
  | 'identity-unlinked';

/** A visa whose token, claims, issuer, source and authority are accepted; its conditions and its identity are judged beside others. */
export interface Visa {
  readonly type: VisaType;
  readonly identity: VisaIdentity;
  readonly value: string;
  readonly source: string;
  readonly by: Authority | null;
  readonly conditions: Conditions | null;
  /** Milliseconds since 1970 at which nothing rests on it any more: its expiry, or the age of its statement if that ends earlier. */
  readonly until: number;
}

/** Reads one visa by the form rules of GA4GH Passport v1.2 and its AAI OIDC profile. `now` is milliseconds since 1970. */
export function readVisa(token: DecodedToken, policy: PassportPolicy, now: number): Visa | VisaFault {
  if (token.bytes > LIMITS.token_bytes_max) return 'too-large';
  const form = tokenForm(token, policy.audience) ?? issuerFault(token, policy);
  if (form !== null) return form;
  const times = tokenTimes(token, policy.clockToleranceSeconds, now);
  if (typeof times === 'string') return times;
  const access = hasOpenid(token);
  if (access && times.iat + ACCESS_TOKEN_SECONDS <= now / 1000) return 'access-token-old';
  const exp = access ? Math.min(times.exp, times.iat + ACCESS_TOKEN_SECONDS) : times.exp;
  return readObject(token, exp, policy, now);
}

const hasOpenid = ({ claims }: DecodedToken): boolean => {
  const scope = claims['scope'];
  return typeof scope === 'string' && scope.split(' ').includes('openid');
};

/** Exactly one of two forms: a document names its key set (jku), an access token has the scope openid. */
function issuerFault(token: DecodedToken, policy: PassportPolicy): VisaFault | null {
  const issuer = policy.issuers.find((each) => each.issuer === token.claims['iss']);
  if (issuer === undefined) return 'issuer-untrusted';
  const { scope } = token.claims;
  if (scope !== undefined && typeof scope !== 'string') return 'form-unclear';
  const { jku, typ } = token.header;
  const access = hasOpenid(token);
  if (access === (jku !== undefined)) return 'form-unclear';
  if (!access && (typeof jku !== 'string' || !issuer.jku.includes(jku))) return 'jku-untrusted';
  if (typ === undefined) return null;
  const name = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : '';
  return VISA_TYP[access ? 'access' : 'document'].includes(name) ? null : 'typ-invalid';
}

function readObject({ claims }: DecodedToken, exp: number, policy: PassportPolicy, now: number): Visa | VisaFault {
  const object = claims['ga4gh_visa_v1'];
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return 'visa-claims';
  const { type, value, source, by, asserted, conditions } = object as Readonly<Record<string, unknown>>;
  if (typeof type !== 'string' || typeof value !== 'string' || !isUrlClaim(source)) return 'visa-claims';
  if (!isVisaType(type)) return 'type-unsupported';
  if (!VALUE_FORM[type](value)) return 'value-invalid';
  const authority = AUTHORITIES.find((each) => each === by) ?? null;
  if (BY_REQUIRED.includes(type) && authority === null) return 'by-missing';
  if (typeof asserted !== 'number' || !(asserted >= 0 && asserted <= now / 1000 + policy.clockToleranceSeconds)) return 'asserted-invalid';
  const until = Math.min(exp, asserted + policy.assertedSecondsMax) * 1000;
  if (!(until > now)) return 'expired';
  const distrust = ruleFault({ type, value, source, by: authority }, policy);
  if (distrust !== null) return distrust;
  const read = conditions === undefined ? null : readConditions(conditions);
  if (read === 'invalid') return 'conditions-invalid';
  const identity = { iss: String(claims['iss']), sub: String(claims['sub']) };
  return { type, identity, value, source, by: authority, conditions: read, until };
}

const BY_REQUIRED: readonly VisaType[] = ['AcceptedTermsAndPolicies', 'ControlledAccessGrants'];
const isVisaType = (type: string): type is VisaType => (VISA_TYPES as readonly string[]).includes(type);

function ruleFault(visa: Pick<Visa, 'type' | 'value' | 'source' | 'by'>, policy: PassportPolicy): VisaFault | null {
  const { type, value, source, by } = visa;
  const rule = type === 'ControlledAccessGrants' ? policy.datasets.find((each) => each.value === value) : policy.rules[type];
  if (rule === undefined) return 'not-needed';
  if (!rule.sources.includes(source)) return 'source-untrusted';
  return rule.by === undefined || (by !== null && rule.by.includes(by)) ? null : 'authority-insufficient';
}

/** An opaque absolute URL of at most 255 characters. It is compared, never taken apart and never fetched. */
const isUrlClaim = (text: unknown): text is string =>
  typeof text === 'string' && text.length <= URL_CHARACTERS_MAX && /^[A-Za-z][A-Za-z0-9+.-]*:[^\s]+$/.test(text);

const PLAIN_ROLES: readonly string[] = ['faculty', 'student', 'member'];
const CUSTOM_ROLE = /^[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*$/;

/** Role and affiliation, parted at the first @; null where either is missing or the role is none that the standard knows. */
export function affiliationOf(value: string): { readonly role: string; readonly affiliation: string } | null {
  const at = value.indexOf('@');
  const role = value.slice(0, at);
  const affiliation = value.slice(at + 1);
  if (at < 0 || affiliation === '' || value.length > URL_CHARACTERS_MAX) return null;
  return PLAIN_ROLES.includes(role) || CUSTOM_ROLE.test(role) ? { role, affiliation } : null;
}

/** The identities of a LinkedIdentities value: `sub,iss` URI-encoded, separated by semicolons; null where any part is malformed. */
export function linkedOf(value: string): readonly VisaIdentity[] | null {
  const entries = value.split(';');
  if (value.length > LINKED_CHARACTERS_MAX || entries.length > LINKED_IDENTITIES_MAX) return null;
  const found: VisaIdentity[] = [];
  for (const entry of entries) {
    const [sub, iss, more] = entry.split(',').map(decoded);
    if (!sub || !iss || more !== undefined) return null;
    found.push({ sub, iss });
  }
  return found;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

const VALUE_FORM: Readonly<Record<VisaType, (value: string) => boolean>> = {
  AffiliationAndRole: (value) => affiliationOf(value) !== null,
  AcceptedTermsAndPolicies: isUrlClaim,
  ResearcherStatus: isUrlClaim,
  ControlledAccessGrants: isUrlClaim,
  LinkedIdentities: (value) => linkedOf(value) !== null,
};

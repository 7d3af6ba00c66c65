import type { JWTPayload } from 'jose';
import { CodedError, PURPOSES, type Actor, type Principal, type Purpose } from '../kernel/index.js';

/** What turns the claims of a verified token into a principal. */
export interface ClaimRules {
  /** Roles that the policy names at this moment. A token or an actor with any other role is refused. */
  readonly roles: () => ReadonlySet<string>;
  /** Roles of a caller from the claims `roles` and `groups`; what it returns must be known too. Without it groups give no role. */
  readonly rolesOf?: (roles: readonly string[], groups: readonly string[]) => readonly string[];
  /** Purposes beside the v3 codes: the studies that the policy registers at this moment. */
  readonly purposes?: () => ReadonlySet<string>;
}

/** The one refusal of a token: whatever is wrong with it, the caller is told the same. */
export const refusedToken = (): CodedError => new CodedError('UNAUTHENTICATED', 'The access token is missing or not valid.');

const TEXT = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;
const NAME = /^[A-Za-z0-9][\w.:-]{0,127}$/;
const SITE = /^[\w.-]{1,64}$/;
const FHIR_ID = /^[A-Za-z0-9.-]{1,64}$/;
/** Resources that the claim fhirUser may name (SMART App Launch 2.2, section 'Scopes for requesting identity data'). */
const FHIR_USER =
  /^(?:https?:\/\/[^\s#?]{1,160}\/)?(?:Patient|Practitioner|PractitionerRole|RelatedPerson|Person|Device)\/[A-Za-z0-9.-]{1,64}$/;
const ORGANIZATION = /^(?:(?:https?:\/\/[^\s#?]{1,160}\/)?Organization\/)?[A-Za-z0-9.-]{1,64}$/;
/** RFC 6749 section 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,512}$/;
/** What means to be a SMART resource scope, well-formed or not: one that is not understood may not count as 'no scope'. */
const RESOURCE_SCOPE = /^(?!https?:|launch(?:\/|$))(?:.*(?:\/|%2f)|[A-Z][A-Za-z]+\.)/i;

const ITEMS_MAX = { roles: 64, groups: 200, sites: 1_000, organization: 20, amr: 20, scope: 200 } as const;
const ACTORS_MAX = 4;
const SCOPE_CHARACTERS_MAX = 8_192;

/** Names that many share or nobody answers for (governance rule: a reader of health data is one person or one service). */
const NOBODY = new Set(
  'anonymous anon guest shared public nobody unknown everyone everybody generic default kiosk user none null undefined'.split(' '),
);

/** Claims that only an ID token has (OpenID Connect Core 1.0, section 3.3.2.11), and the one that binds a token to a key we were not shown. */
const FOREIGN = ['at_hash', 'c_hash', 's_hash', 'cnf'] as const;

/**
 * The principal of a verified token. Every claim is checked in form and size; one that is malformed refuses the token.
 * Throws UNAUTHENTICATED, FORBIDDEN (no known role) or PURPOSE_MISSING.
 */
export function principalOf(payload: JWTPayload, rules: ClaimRules, stepUpAcr: readonly string[] = []): Principal {
  if (FOREIGN.some((claim) => payload[claim] !== undefined) || payload['token_use'] === 'id') throw refusedToken();
  const sub = subject(payload.sub);
  const tokenId = text(payload.jti);
  const kind = kindOf(payload['kind']);
  const groups = list(payload, 'groups', TEXT);
  const roles = rolesOf(list(payload, 'roles', NAME), groups, rules);
  const { purpose } = payload;
  if (typeof purpose !== 'string' || !(Object.hasOwn(PURPOSES, purpose) || rules.purposes?.().has(purpose) === true))
    throw new CodedError('PURPOSE_MISSING', 'The token names no purpose of use that is known here.');
  const actors = actorsOf(payload['act'], rules);
  const scopes = scopesOf(payload['scope']);
  const identities = identitiesOf(payload, groups);
  const session = optional(payload['sid'], TEXT);
  const patient = optional(payload['patient'], FHIR_ID);
  const project = optional(payload['project'], TEXT);
  const steppedUp = hasSteppedUp(payload, stepUpAcr);
  return {
    sub,
    roles,
    purpose: purpose as Purpose,
    sites: payload['sites'] === '*' ? '*' : list(payload, 'sites', SITE),
    kind,
    tokenId,
    // A service has no session to end and no second factor to show.
    ...(kind === 'person' ? { session: session ?? tokenId, ...(steppedUp ? { steppedUp } : {}) } : {}),
    ...(groups.length > 0 ? { groups } : {}),
    ...(identities.length > 0 ? { identities } : {}),
    ...(actors.length > 0 ? { actors } : {}),
    ...(scopes ? { scopes } : {}),
    ...(patient === undefined ? {} : { patient }),
    ...(project === undefined ? {} : { project }),
  };
}

function text(value: unknown, form = TEXT): string {
  if (typeof value !== 'string' || !form.test(value)) throw refusedToken();
  return value;
}

const optional = (value: unknown, form: RegExp): string | undefined => (value === undefined ? undefined : text(value, form));

function list(payload: JWTPayload, claim: keyof typeof ITEMS_MAX, form: RegExp): readonly string[] {
  const value = payload[claim];
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > ITEMS_MAX[claim]) throw refusedToken();
  return [...new Set(value.map((item) => text(item, form)))].sort();
}

/** A subject that is one person or one service. */
function subject(value: unknown): string {
  const sub = text(value);
  if (NOBODY.has(sub.toLowerCase())) throw refusedToken();
  return sub;
}

function kindOf(value: unknown): Principal['kind'] {
  if (value === undefined || value === 'person') return 'person';
  if (value !== 'service') throw refusedToken();
  return 'service';
}

function rolesOf(claimed: readonly string[], groups: readonly string[], { roles: known, rolesOf: map }: ClaimRules): readonly string[] {
  const mapped = map ? map(claimed, groups) : claimed;
  const names = known();
  if (mapped.length === 0 || [...claimed, ...mapped].some((role) => !names.has(role)))
    throw new CodedError('FORBIDDEN', 'The token names no role that is known here.');
  return [...new Set(mapped)].sort();
}

/** The chain of RFC 8693 section 4.1, outermost actor first. An actor that names no role has none, and so leaves none to anybody. */
function actorsOf(act: unknown, { roles: known }: ClaimRules): readonly Actor[] {
  const actors: Actor[] = [];
  const names = known();
  for (let next = act; next !== undefined; next = (next as JWTPayload)['act']) {
    if (typeof next !== 'object' || next === null || Array.isArray(next) || actors.length === ACTORS_MAX) throw refusedToken();
    const actor = next as JWTPayload;
    const roles = list(actor, 'roles', NAME);
    if (roles.some((role) => !names.has(role))) throw new CodedError('FORBIDDEN', 'The token names no role that is known here.');
    actors.push({ sub: subject(actor.sub), roles });
  }
  return actors;
}

/** All scopes of the token where any of them means to be a SMART resource scope, else none. */
function scopesOf(value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.length > SCOPE_CHARACTERS_MAX) throw refusedToken();
  const scopes = value.split(' ').filter((scope) => scope !== '');
  if (scopes.length > ITEMS_MAX.scope || scopes.some((scope) => !SCOPE.test(scope))) throw refusedToken();
  return scopes.some((scope) => RESOURCE_SCOPE.test(scope)) ? [...new Set(scopes)] : undefined;
}

/** Names by which a consent may mean the caller. Each claim keeps to its own kind of reference, so that a group cannot pass as a person. */
function identitiesOf(payload: JWTPayload, groups: readonly string[]): readonly string[] {
  const fhirUser = optional(payload['fhirUser'], FHIR_USER);
  const { organization } = payload;
  const organizations = typeof organization === 'string' ? [text(organization, ORGANIZATION)] : list(payload, 'organization', ORGANIZATION);
  return [
    ...(fhirUser === undefined ? [] : [fhirUser]),
    ...organizations.map((name) => (name.includes('/') ? name : `Organization/${name}`)),
    ...groups.filter((name) => FHIR_ID.test(name)).map((name) => `Group/${name}`),
  ];
}

/** True where the log-in used several factors (RFC 8176 'mfa'), or the issuer's configuration says that its acr means so. */
function hasSteppedUp(payload: JWTPayload, stepUpAcr: readonly string[]): boolean {
  const acr = optional(payload['acr'], TEXT);
  return list(payload, 'amr', NAME).includes('mfa') || (acr !== undefined && stepUpAcr.includes(acr));
}

import { createHash } from 'node:crypto';
import { compactVerify, decodeJwt, decodeProtectedHeader, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import type { DecodedToken } from '../governance/index.js';
import { LIMITS, type Principal } from '../kernel/index.js';
import { PASSPORT_CLAIM, type Cleared, type Clearinghouse } from './clearinghouse.js';
import type { TrustedIssuer } from './issuers.js';
import type { LoginSessions } from './login-session.js';
import { Lru } from './lru.js';
import type { Revocations } from './revocation.js';
import { principalOf, refusedToken, type ClaimRules } from './token-claims.js';

export interface IdentityOptions extends ClaimRules {
  readonly issuers: readonly TrustedIssuer[];
  readonly revocations: Revocations;
  readonly sessions: LoginSessions;
  /** Judges the visas of a token; without it they count for nothing. */
  readonly clearinghouse?: Clearinghouse;
  /** The epoch of revocations that some transaction has seen; an older list is read again before it is used. */
  readonly revocationEpoch?: () => number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Of a router in front of subgraphs. No grant names it, so that its token alone reads nothing. */
export const ROUTER_ROLE = 'router';

const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];
/** Of the AAI OIDC profile of GA4GH. */
const VISA_ALGORITHMS = ['ES256', 'RS256'];
const CACHE_SECONDS_MAX = 60;
const CACHE_ENTRIES_MAX = 10_000;

interface Verified {
  readonly payload: JWTPayload;
  readonly issuer: TrustedIssuer;
  readonly cleared: Cleared | undefined;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/**
 * Verifies access tokens (RFC 9068) with every check of jose on: issuer, audience, algorithms, required claims, age, type. A verified
 * token is remembered by its digest for at most 60 s; roles, revocation and idleness are judged anew for each request.
 * Whatever is wrong with a token, the caller is told the same.
 */
export class Identity {
  private readonly verified = new Lru<Verified>(CACHE_ENTRIES_MAX);

  constructor(private readonly options: IdentityOptions) {}

  /**
   * The principal of an Authorization header.
   * Throws UNAUTHENTICATED, PURPOSE_MISSING, FORBIDDEN (no known role), or UNAVAILABLE where revocations cannot be read.
   */
  async principal(authorization: string | undefined): Promise<Principal> {
    const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
    if (token === undefined) throw refusedToken();
    const { payload, issuer, cleared } = await this.known(token);
    const of = issuer.own === true ? {} : { issuer: issuer.issuer };
    const principal: Principal = { ...principalOf(payload, this.options, issuer.stepUpAcr), ...cleared, ...of };
    await this.assertNotRevoked(principal);
    if (tiring(principal, payload) && !(await this.options.sessions.touch(principal))) throw refusedToken();
    return principal;
  }

  /** The subject of a router's own token, null where none was sent. Throws UNAUTHENTICATED where it is anything but a router's. */
  async router(header: string | string[] | undefined): Promise<string | null> {
    if (header === undefined) return null;
    if (typeof header !== 'string') throw refusedToken();
    const { payload } = await this.known(header);
    const { roles } = payload;
    if (!Array.isArray(roles) || roles.length !== 1 || roles[0] !== ROUTER_ROLE) throw refusedToken();
    const sub = String(payload.sub);
    await this.assertNotRevoked({ sub, tokenId: String(payload.jti) });
    return sub;
  }

  /** Takes up revocations up to an epoch that a transaction saw. */
  upTo(epoch: number): Promise<void> {
    return this.options.revocations.upTo(epoch);
  }

  private async assertNotRevoked(bearer: Parameters<Revocations['isRevoked']>[0]): Promise<void> {
    const { revocations, revocationEpoch } = this.options;
    await revocations.fresh();
    await revocations.upTo(revocationEpoch?.() ?? 0);
    if (revocations.isRevoked(bearer)) throw refusedToken();
  }

  private async known(token: string): Promise<Verified> {
    if (token.length > LIMITS.token_bytes_max) throw refusedToken();
    const digest = createHash('sha256').update(token).digest('base64');
    const remembered = this.verified.get(digest);
    const now = this.options.clock();
    if (remembered && remembered.until > now) return remembered;
    const issuer = this.issuerOf(token);
    const payload = await verify(token, issuer, now);
    const cleared = await this.clearedBy(payload, now);
    const ends = (cleared?.clearances ?? []).map((each) => each.until);
    const until = Math.min((payload.exp ?? 0) * 1000, now + CACHE_SECONDS_MAX * 1000, ...ends);
    const verified = { payload, issuer, cleared, until };
    this.verified.set(digest, verified);
    return verified;
  }

  private async clearedBy(payload: JWTPayload, now: number): Promise<Cleared | undefined> {
    const claim = payload[PASSPORT_CLAIM];
    if (claim === undefined) return undefined;
    const { clearinghouse } = this.options;
    const subject = { iss: String(payload.iss), sub: String(payload.sub) };
    const read = (text: unknown): Promise<DecodedToken> => readSigned(text, (issuer) => clearinghouse?.keys.get(issuer));
    return clearinghouse?.clear({ claim, subject, ends: (payload.exp ?? 0) * 1000, now, read });
  }

  /** The issuer is chosen by what the token says before anything is verified; then the keys of that issuer only may prove it. */
  private issuerOf(token: string): TrustedIssuer {
    // One text a token: encodings that differ and decode to the same bytes would be remembered, and revoked, apart.
    const parts = token.split('.');
    if (parts.length !== 3 || parts.some((part) => Buffer.from(part, 'base64url').toString('base64url') !== part)) throw refusedToken();
    let named: unknown;
    try {
      named = decodeJwt(token).iss;
    } catch {
      throw refusedToken();
    }
    const issuer = this.options.issuers.find((each) => each.issuer === named);
    if (!issuer) throw refusedToken();
    return issuer;
  }
}

async function verify(token: string, { issuer, audience, keys }: TrustedIssuer, now: number): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      requiredClaims: ['exp', 'iat', 'sub', 'jti'],
      maxTokenAge: LIMITS.token_age_seconds_max,
      clockTolerance: 5,
      typ: 'at+jwt',
      currentDate: new Date(now),
    });
    return payload;
  } catch {
    // What is wrong is nobody's business.
    throw refusedToken();
  }
}

/** A visa or a passport as it is, with whether its issuer signed it. Keys and addresses that it brings are not looked at. */
async function readSigned(text: unknown, keysOf: (issuer: string) => JWTVerifyGetKey | undefined): Promise<DecodedToken> {
  const nothing: DecodedToken = { header: {}, claims: {}, verified: false, bytes: 0 };
  if (typeof text !== 'string') return nothing;
  try {
    const token = { claims: decodeJwt(text), header: decodeProtectedHeader(text), bytes: text.length };
    const keys = keysOf(token.claims.iss ?? '');
    const verified = keys !== undefined && (await isSigned(text, keys));
    return { ...token, verified };
  } catch {
    return { ...nothing, bytes: text.length };
  }
}

async function isSigned(text: string, keys: JWTVerifyGetKey): Promise<boolean> {
  try {
    await compactVerify(text, keys, { algorithms: VISA_ALGORITHMS });
    return true;
  } catch {
    // Keys that cannot be read prove nothing either.
    return false;
  }
}

/** True where the log-in could outlive its activity. A token of no session that ends sooner than idleness would needs no watch. */
function tiring({ session, tokenId }: Principal, { iat = 0, exp = 0 }: JWTPayload): boolean {
  return session !== undefined && (session !== tokenId || exp - iat > LIMITS.session_idle_seconds_max);
}

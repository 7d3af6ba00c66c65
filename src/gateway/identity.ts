import { createHash } from 'node:crypto';
import {
  SignJWT,
  createLocalJWKSet,
  createRemoteJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
  jwtVerify,
  type JWK,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import { CodedError, LIMITS, PURPOSES, type Principal, type Purpose } from '../kernel/index.js';

/** Whose tokens are accepted. */
export interface TrustedIssuer {
  readonly issuer: string;
  readonly audience: string;
  readonly keys: JWTVerifyGetKey;
}

const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const CACHE_SECONDS_MAX = 60;
const CACHE_ENTRIES_MAX = 10_000;

const refused = (): CodedError => new CodedError('UNAUTHENTICATED', 'The access token is missing or not valid.');

/**
 * Verifies access tokens with every check of jose on: issuer, audience, algorithms, required claims, age. A verified token is
 * remembered by its digest for at most 60 s. Whatever is wrong with a token, the caller is told the same.
 */
export class Identity {
  private readonly verified = new Map<string, { principal: Principal; until: number }>();

  constructor(
    private readonly trusted: readonly TrustedIssuer[],
    private readonly roles: ReadonlySet<string>,
    private readonly clock: () => number,
  ) {}

  /** The principal of an Authorization header. Throws UNAUTHENTICATED, PURPOSE_MISSING or FORBIDDEN (no known role). */
  async principal(authorization: string | undefined): Promise<Principal> {
    const token = /^Bearer ([A-Za-z0-9._~+/=-]+)$/.exec(authorization ?? '')?.[1];
    if (!token || token.length > LIMITS.token_bytes_max) throw refused();
    const digest = createHash('sha256').update(token).digest('base64');
    const known = this.verified.get(digest);
    if (known && known.until > this.clock()) return known.principal;
    const payload = await this.verify(token);
    const principal = principalOf(payload, this.roles);
    if (this.verified.size >= CACHE_ENTRIES_MAX) this.verified.clear();
    const until = Math.min((payload.exp ?? 0) * 1000, this.clock() + CACHE_SECONDS_MAX * 1000);
    this.verified.set(digest, { principal, until });
    return principal;
  }

  /** The subject of a router's own token, null where none was sent. Throws UNAUTHENTICATED where it is anything but a router's. */
  async router(header: string | string[] | undefined): Promise<string | null> {
    if (header === undefined) return null;
    if (typeof header !== 'string' || header.length > LIMITS.token_bytes_max) throw refused();
    const payload = await this.verify(header);
    const { roles } = payload;
    if (!Array.isArray(roles) || roles.length !== 1 || roles[0] !== ROUTER_ROLE) throw refused();
    return String(payload.sub);
  }

  private async verify(token: string): Promise<JWTPayload> {
    for (const { issuer, audience, keys } of this.trusted) {
      try {
        const { payload } = await jwtVerify(token, keys, {
          issuer,
          audience,
          algorithms: ALGORITHMS,
          requiredClaims: ['exp', 'iat', 'sub', 'jti'],
          maxTokenAge: LIMITS.token_age_seconds_max,
          clockTolerance: 5,
          typ: 'at+jwt',
          currentDate: new Date(this.clock()),
        });
        return payload;
      } catch {
        // The next issuer may know it; what is wrong is nobody's business.
      }
    }
    throw refused();
  }
}

function principalOf(payload: JWTPayload, known: ReadonlySet<string>): Principal {
  const roles = Array.isArray(payload['roles']) ? payload['roles'].filter((role): role is string => typeof role === 'string') : [];
  if (roles.length === 0 || roles.some((role) => !known.has(role)))
    throw new CodedError('FORBIDDEN', 'The token names no role that is known here.');
  const { purpose } = payload;
  if (typeof purpose !== 'string' || !Object.hasOwn(PURPOSES, purpose))
    throw new CodedError('PURPOSE_MISSING', 'The token names no purpose of use that is known here.');
  const { sites } = payload;
  return {
    sub: String(payload.sub),
    roles: [...new Set(roles)].sort(),
    purpose: purpose as Purpose,
    sites:
      sites === '*'
        ? '*'
        : Array.isArray(sites)
          ? sites.filter((site): site is string => typeof site === 'string' && /^[\w.-]+$/.test(site))
          : [],
    kind: payload['kind'] === 'service' ? 'service' : 'person',
    tokenId: String(payload.jti),
  };
}

/** Keys of an issuer by its JWKS document. At most one fetch in 30 s; known keys serve while the issuer is away. */
export function remoteIssuer(issuer: string, audience: string, jwks: URL): TrustedIssuer {
  return { issuer, audience, keys: createRemoteJWKSet(jwks, { cooldownDuration: 30_000, cacheMaxAge: 600_000 }) };
}

export const DEMO_ISSUER = 'urn:thalamus:demo';
export const AUDIENCE = 'urn:thalamus:gateway';
const TOKEN_SECONDS = 900;
/** Of a router in front of subgraphs. No grant names it, so that its token alone reads nothing. */
const ROUTER_ROLE = 'router';

export interface SigningKey {
  readonly privateKey: JWK;
  readonly publicKey: JWK;
}

export async function makeSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const named = { alg: 'EdDSA', use: 'sig', kid: 'demo' };
  return { privateKey: { ...(await exportJWK(privateKey)), ...named }, publicKey: { ...(await exportJWK(publicKey)), ...named } };
}

export function localIssuer(key: SigningKey): TrustedIssuer {
  return { issuer: DEMO_ISSUER, audience: AUDIENCE, keys: createLocalJWKSet({ keys: [key.publicKey] }) };
}

/** A token of 15 minutes for a demo identity. */
export async function signToken(
  key: SigningKey,
  identity: { sub: string; roles: readonly string[]; purpose: string; sites: readonly string[] | '*' },
  now: number,
  id: string,
): Promise<string> {
  const seconds = Math.floor(now / 1000);
  return new SignJWT({
    roles: [...identity.roles],
    purpose: identity.purpose,
    sites: identity.sites === '*' ? '*' : [...identity.sites],
    kind: 'person',
  })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'demo', typ: 'at+jwt' })
    .setIssuer(DEMO_ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(identity.sub)
    .setJti(id)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + TOKEN_SECONDS)
    .sign(await importJWK(key.privateKey, 'EdDSA'));
}

/** A token of 15 minutes for a router of this installation, for the header x-thalamus-router. */
export function signRouterToken(key: SigningKey, now: number, id: string): Promise<string> {
  return signToken(key, { sub: 'local-router', roles: [ROUTER_ROLE], purpose: 'HOPERAT', sites: [] }, now, id);
}

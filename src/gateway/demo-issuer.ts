import { SignJWT, createLocalJWKSet, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { ROUTER_ROLE } from './identity.js';
import type { TrustedIssuer } from './issuers.js';

export const DEMO_ISSUER = 'urn:thalamus:demo';
export const AUDIENCE = 'urn:thalamus:gateway';
const TOKEN_SECONDS = 900;

export interface SigningKey {
  readonly privateKey: JWK;
  readonly publicKey: JWK;
}

export async function makeSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const named = { alg: 'EdDSA', use: 'sig', kid: 'demo' };
  return { privateKey: { ...(await exportJWK(privateKey)), ...named }, publicKey: { ...(await exportJWK(publicKey)), ...named } };
}

/** The installation as its own issuer: for demo identities, and for a developer on the same machine. */
export function localIssuer(key: SigningKey): TrustedIssuer {
  return { issuer: DEMO_ISSUER, audience: AUDIENCE, keys: createLocalJWKSet({ keys: [key.publicKey] }), own: true };
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

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, exportJWK, generateKeyPair, importJWK, type JWK, type JWTPayload } from 'jose';
import { Identity, LoginSessions, Revocations, type IdentityOptions, type TrustedIssuer } from '../../../src/gateway/index.js';

export const AUDIENCE = 'https://mesh.example/graphql';
/** The present of these tests: Unix seconds. */
export const NOW_SECONDS = 1_780_000_000;

export interface Key {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: JWK;
  readonly publicKey: JWK;
}

export async function makeKey(kid: string, alg = 'ES256'): Promise<Key> {
  const pair = await generateKeyPair(alg, { extractable: true });
  const named = { kid, alg, use: 'sig' };
  return {
    kid,
    alg,
    privateKey: { ...(await exportJWK(pair.privateKey)), ...named },
    publicKey: { ...(await exportJWK(pair.publicKey)), ...named },
  };
}

let serial = 0;

/** A token of a clinician, made different by `claims` and `header`; undefined takes a claim out. */
export async function sign(
  key: Key,
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  serial += 1;
  const all: JWTPayload = {
    aud: AUDIENCE,
    sub: 'dr-ada',
    jti: `token-${String(serial)}`,
    iat: NOW_SECONDS,
    exp: NOW_SECONDS + 900,
    roles: ['clinician'],
    purpose: 'TREAT',
    sites: ['north'],
    ...claims,
  };
  return new SignJWT(JSON.parse(JSON.stringify(all)) as JWTPayload)
    .setProtectedHeader(JSON.parse(JSON.stringify({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header })) as { alg: string })
    .sign(await importJWK(key.privateKey, key.alg));
}

/** A real issuer of OpenID Connect on loopback. What it answers may be changed while it runs. */
export interface LocalIssuer {
  readonly url: string;
  keys: JWK[];
  /** Members of the discovery document that differ. */
  discovery: Record<string, unknown>;
  /** Answers instead of the key set: status and body. */
  instead: { status: number; body: string; headers?: Record<string, string> } | null;
  /** How often each path was asked. */
  readonly asked: Map<string, number>;
  stop(): Promise<void>;
}

export async function startIssuer(keys: readonly Key[]): Promise<LocalIssuer> {
  const asked = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.set(path, (asked.get(path) ?? 0) + 1);
    response.setHeader('content-type', 'application/json');
    if (path === '/.well-known/openid-configuration') {
      response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/jwks`, ...issuer.discovery }));
    } else if (path === '/jwks' && issuer.instead === null) {
      response.end(JSON.stringify({ keys: issuer.keys }));
    } else {
      const { status, body, headers = {} } = issuer.instead ?? { status: 404, body: '{}' };
      response.writeHead(status, headers);
      response.end(body);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer: LocalIssuer = {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    keys: keys.map((key) => key.publicKey),
    discovery: {},
    instead: null,
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return issuer;
}

export const ROLES = new Set(['clinician', 'analyst', 'steward']);

/** An identity over these issuers where nothing is revoked and no session ends. */
export function identityOver(issuers: readonly TrustedIssuer[], more: Partial<IdentityOptions> = {}): Identity {
  const clock = (): number => NOW_SECONDS * 1000;
  return new Identity({
    issuers,
    roles: () => ROLES,
    revocations: new Revocations({ revocations: () => Promise.resolve({ epoch: 0, entries: [] }) }, clock, () => 0),
    sessions: new LoginSessions({ touchSession: () => Promise.resolve(true) }, clock),
    clock,
    ...more,
  });
}

/** The code with which a promise is refused, 'accepted' where it is not. */
export const verdict = async (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'accepted',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );

export const bearer = async (identity: Identity, token: string): Promise<string> => verdict(identity.principal(`Bearer ${token}`));

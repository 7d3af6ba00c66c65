import { localIssuer, oidcIssuer, type SigningKey, type TrustedIssuer } from '../gateway/index.js';
import { CodedError } from '../kernel/index.js';

type Environment = Readonly<Record<string, string | undefined>>;

const SETTINGS = ['OIDC_ISSUER', 'OIDC_AUDIENCE', 'OIDC_JWKS_URL', 'OIDC_STEP_UP_ACR'] as const;

/** True where the environment names an issuer of tokens. */
export const hasIssuer = (env: Environment): boolean => SETTINGS.some((name) => env[name] !== undefined);

/**
 * Whose tokens are accepted: the issuer of the environment, and where none is named the installation itself.
 * Beside a real issuer no token of the installation's own key is accepted.
 */
export function issuersOf(env: Environment, key: SigningKey, log: (line: string) => void): TrustedIssuer[] {
  if (!hasIssuer(env)) return [localIssuer(key)];
  const { OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience, OIDC_JWKS_URL: jwksUrl, OIDC_STEP_UP_ACR: acr } = env;
  if (!issuer || !audience) {
    throw new CodedError(
      'CONFIG_INVALID',
      'OIDC_ISSUER and OIDC_AUDIENCE go together; OIDC_JWKS_URL and OIDC_STEP_UP_ACR may be added to them.',
    );
  }
  return [
    oidcIssuer({
      issuer,
      audience,
      steady: () => performance.now(),
      log,
      ...(jwksUrl === undefined ? {} : { jwksUrl }),
      ...(acr === undefined ? {} : { stepUpAcr: namesOf(acr) }),
    }),
  ];
}

/** Values with commas or blanks between them. */
const namesOf = (text: string): string[] => text.split(/[\s,]+/).filter((name) => name !== '');

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * The address to serve at. It goes beyond this machine only with an issuer of tokens, and with TLS in front: the gateway itself speaks
 * plain HTTP, and a token that is read on its way is a token that is stolen. Throws CONFIG_INVALID.
 */
export function addressOf(env: Environment, demo: boolean): { host: string; port: number } {
  const host = env['HOST'] ?? '127.0.0.1';
  const text = env['PORT'] ?? '4000';
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
  if (port > 65_535) throw new CodedError('CONFIG_INVALID', 'PORT is a number from 0 to 65535.');
  if (LOOPBACK.has(host)) return { host, port };
  if (demo) throw new CodedError('CONFIG_INVALID', 'The demo serves on loopback only: its identities have no passwords.');
  if (!hasIssuer(env)) {
    throw new CodedError(
      'CONFIG_INVALID',
      'OIDC_ISSUER and OIDC_AUDIENCE are required to serve beyond this machine; without them HOST is a loopback address.',
    );
  }
  if (env['TRUST_PROXY_TLS'] !== '1') {
    throw new CodedError(
      'CONFIG_INVALID',
      'HOST goes beyond this machine, and the gateway speaks plain HTTP: set TRUST_PROXY_TLS=1 where TLS ends in front of it.',
    );
  }
  return { host, port };
}

import type { JWTVerifyGetKey } from 'jose';
import { CodedError } from '../kernel/index.js';
import { fetchDocument, issuerUrl, type Fetch } from './issuers-fetch.js';
import { RotatingKeys } from './issuers-keys.js';

/** Whose tokens are accepted. */
export interface TrustedIssuer {
  readonly issuer: string;
  readonly audience: string;
  /** Keys of this issuer and of no other. */
  readonly keys: JWTVerifyGetKey;
  /** Values of the claim acr by which this issuer says that several factors were used. */
  readonly stepUpAcr?: readonly string[];
  /** True where the installation itself vouches for the subjects: they are its workforce unless the policy says otherwise. */
  readonly own?: boolean;
}

export interface OidcOptions {
  /** The issuer exactly as its tokens and its discovery document name it. */
  readonly issuer: string;
  readonly audience: string;
  /** Address of the key set; without it the discovery document names it. */
  readonly jwksUrl?: string;
  readonly stepUpAcr?: readonly string[];
  /** True for the identity provider of the installation's own workforce; a provider that others share is not. */
  readonly own?: boolean;
  /** Milliseconds of a clock that only goes forward. */
  readonly steady: () => number;
  readonly log?: (line: string) => void;
  readonly fetch?: Fetch;
}

const DISCOVERY_MS_MAX = 3_600_000;

/**
 * An issuer by OpenID Connect Discovery 1.0, or by the address of its key set. Nothing is fetched before the first token arrives.
 * Throws CONFIG_INVALID for an address that is not https (http is for this machine only).
 */
export function oidcIssuer(options: OidcOptions): TrustedIssuer {
  const { issuer, audience, stepUpAcr, own } = options;
  const get: Fetch = options.fetch ?? ((url, init) => fetch(url, init));
  const keys = new RotatingKeys(
    options.jwksUrl === undefined ? discovered(options, get) : fixed(options.jwksUrl, get),
    options.steady,
    options.log ?? (() => undefined),
  );
  return { issuer, audience, keys: keys.find, ...(stepUpAcr ? { stepUpAcr } : {}), ...(own === true ? { own } : {}) };
}

function fixed(jwksUrl: string, get: Fetch): () => Promise<unknown> {
  const url = issuerUrl(jwksUrl, true);
  if (!url) throw new CodedError('CONFIG_INVALID', 'The address of a key set is no https address (http is for this machine only).');
  return () => fetchDocument(url, get);
}

/** Reads the key set whose address the discovery document names; the document is kept for an hour, or until the keys cannot be read. */
function discovered({ issuer, steady }: OidcOptions, get: Fetch): () => Promise<unknown> {
  const base = issuerUrl(issuer, true);
  if (!base || base.search !== '')
    throw new CodedError('CONFIG_INVALID', 'OIDC_ISSUER is not an https address (http is for this machine only).');
  const document = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  let known: { readonly url: URL; readonly at: number } | undefined;
  return async () => {
    if (!known || steady() - known.at > DISCOVERY_MS_MAX) {
      const { issuer: named, jwks_uri: address } = await fetchDocument(document, get);
      // Section 4.3: a document that names another issuer says nothing about this one.
      if (named !== issuer) throw new CodedError('UNAVAILABLE', 'The discovery document names another issuer.');
      // An issuer elsewhere may not point the gateway at services of its own machine.
      const url = issuerUrl(address, base.protocol === 'http:');
      if (!url) throw new CodedError('UNAVAILABLE', 'The discovery document names no usable address of keys.');
      known = { url, at: steady() };
    }
    try {
      return await fetchDocument(known.url, get);
    } catch (error) {
      known = undefined;
      throw error;
    }
  };
}

/**
 * A signed JWT after decoding. Who decodes it verifies it, too: `verified` is true where the signature was checked with a key that
 * belongs to the issuer named in `iss` (never with a key that the token brings).
 */
export interface DecodedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly verified: boolean;
  /** Length of the compact serialisation. */
  readonly bytes: number;
}

export type TokenFault =
  | 'not-verified'
  | 'algorithm-refused'
  | 'header-refused'
  | 'typ-invalid'
  | 'claims-missing'
  | 'times-invalid'
  | 'issued-ahead'
  | 'expired'
  | 'audience-other';

/** The AAI OIDC profile names these two and no other. */
const ALGORITHMS: readonly unknown[] = ['ES256', 'RS256'];
/** Headers that bring a key along, or that ask for an extension which is not understood. */
const REFUSED_HEADERS = ['jwk', 'x5u', 'x5c', 'crit'];

const isName = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isSeconds = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value < 1e11;

/**
 * What passports and visas have in common: a checked signature, one of two algorithms, a key id, issuer and subject, and an audience
 * that is ours where one is named (RFC 7519 section 4.1.3).
 */
export function tokenForm({ header, claims, verified }: DecodedToken, audience: string): TokenFault | null {
  if (!verified) return 'not-verified';
  if (!ALGORITHMS.includes(header['alg'])) return 'algorithm-refused';
  if (!isName(header['kid']) || REFUSED_HEADERS.some((name) => header[name] !== undefined)) return 'header-refused';
  if (!isName(claims['iss']) || !isName(claims['sub'])) return 'claims-missing';
  const { aud } = claims;
  const ours = aud === undefined || aud === audience || (Array.isArray(aud) && aud.includes(audience));
  return ours ? null : 'audience-other';
}

/** Issue and expiry in seconds since 1970. Only the future of `iat` and `nbf` is tolerated a little, never the past of `exp`. */
export function tokenTimes({ claims }: DecodedToken, toleranceSeconds: number, now: number): { iat: number; exp: number } | TokenFault {
  const { iat, exp, nbf } = claims;
  if (iat === undefined || exp === undefined) return 'claims-missing';
  if (!isSeconds(iat) || !isSeconds(exp) || (nbf !== undefined && !isSeconds(nbf))) return 'times-invalid';
  const seconds = now / 1000;
  if (!(Math.max(iat, nbf ?? 0) <= seconds + toleranceSeconds)) return 'issued-ahead';
  return exp > seconds ? { iat, exp } : 'expired';
}

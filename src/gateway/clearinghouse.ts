import { compactVerify, decodeJwt, decodeProtectedHeader, type JWTVerifyGetKey } from 'jose';
import { clearPassport, clearVisas, type DecodedToken, type PassportPolicy, type VisaClearance } from '../governance/index.js';
import type { HeldClearance, Principal } from '../kernel/index.js';
import { refusedToken } from './token-claims.js';

/** Claim of GA4GH Passport v1: a passport, or its visas, each a signed JWT. */
export const PASSPORT_CLAIM = 'ga4gh_passport_v1';

/** What a passport gives its holder. */
export type Cleared = Required<Pick<Principal, 'clearances' | 'visasIgnored'>>;

/** The two algorithms of the AAI OIDC profile. */
const ALGORITHMS = ['ES256', 'RS256'];
const NOTHING: DecodedToken = { header: {}, claims: {}, verified: false, bytes: 0 };

/**
 * The Passport clearinghouse of the gateway. Signatures are checked with the keys that the configuration gives for an issuer, whatever
 * keys or addresses a token brings; what a visa is then worth is for the rules of governance to say.
 */
export class Clearinghouse {
  constructor(
    private readonly policy: PassportPolicy,
    /** By issuer of visas and passports. */
    private readonly keys: ReadonlyMap<string, JWTVerifyGetKey>,
  ) {}

  /**
   * Clears the claim of an access token that was verified, for the subject that it names. `ends` (when the token ends) and `now` are
   * milliseconds since 1970. A visa that fails a check is ignored and counted; a passport that fails one, or is somebody else's, refuses
   * the token (UNAUTHENTICATED).
   */
  async clear(claim: unknown, subject: { readonly iss: string; readonly sub: string }, ends: number, now: number): Promise<Cleared> {
    if (Array.isArray(claim)) return clearedOf(clearVisas(await this.decodeAll(claim), subject, this.policy, now, ends), ends);
    const passport = await this.decode(claim);
    if (passport.claims['iss'] !== subject.iss || passport.claims['sub'] !== subject.sub) throw refusedToken();
    const listed = passport.claims[PASSPORT_CLAIM];
    const visas = await this.decodeAll(Array.isArray(listed) ? listed : []);
    const cleared = clearPassport({ ...passport, visas }, this.policy, now);
    if ('refused' in cleared) throw refusedToken();
    return clearedOf(cleared, ends);
  }

  private decodeAll(texts: readonly unknown[]): Promise<readonly DecodedToken[]> {
    return Promise.all(texts.map((text) => this.decode(text)));
  }

  private async decode(text: unknown): Promise<DecodedToken> {
    if (typeof text !== 'string') return NOTHING;
    try {
      const claims = decodeJwt(text);
      const header = decodeProtectedHeader(text);
      return { header, claims, verified: await this.isSigned(text, claims.iss), bytes: text.length };
    } catch {
      return { ...NOTHING, bytes: text.length };
    }
  }

  private async isSigned(text: string, issuer: string | undefined): Promise<boolean> {
    const keys = this.keys.get(issuer ?? '');
    if (!keys) return false;
    try {
      await compactVerify(text, keys, { algorithms: ALGORITHMS });
      return true;
    } catch {
      // Keys that cannot be read prove nothing either.
      return false;
    }
  }
}

function clearedOf({ registered, datasets, ignored }: VisaClearance, ends: number): Cleared {
  const until = (each: { readonly until: number }): number => Math.min(each.until, ends);
  const clearances: HeldClearance[] = [
    ...registered.map((each) => ({ kind: 'registered' as const, until: until(each) })),
    ...datasets.map((each) => ({ kind: 'controlled' as const, dataset: each.dataset, until: until(each) })),
  ];
  return { clearances, visasIgnored: ignored.length };
}

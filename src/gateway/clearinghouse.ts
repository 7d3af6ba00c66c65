import type { JWTVerifyGetKey } from 'jose';
import { clearPassport, clearVisas, type DecodedToken, type PassportPolicy, type VisaClearance } from '../governance/index.js';
import type { HeldClearance, Principal } from '../kernel/index.js';
import { refusedToken } from './token-claims.js';

/** Claim of GA4GH Passport v1: a passport, or its visas, each a signed JWT. */
export const PASSPORT_CLAIM = 'ga4gh_passport_v1';

/** What a passport gives its holder. */
export type Cleared = Required<Pick<Principal, 'clearances' | 'visasIgnored'>>;

/** Decodes a token and checks its signature with the keys of the issuer that it names. It never throws. */
export type ReadToken = (text: unknown) => Promise<DecodedToken>;

export interface ClearedClaim {
  readonly claim: unknown;
  /** Whom the verified access token names. */
  readonly subject: { readonly iss: string; readonly sub: string };
  /** Milliseconds since 1970: when the access token ends. */
  readonly ends: number;
  readonly now: number;
  readonly read: ReadToken;
}

/**
 * The Passport clearinghouse of the gateway. Signatures are checked with the keys that the configuration gives for an issuer, whatever
 * keys or addresses a token brings; what a visa is then worth is for the rules of governance to say.
 */
export class Clearinghouse {
  constructor(
    private readonly policy: PassportPolicy,
    /** By issuer of visas and passports. */
    readonly keys: ReadonlyMap<string, JWTVerifyGetKey>,
  ) {}

  /**
   * Clears the claim of an access token that was verified. A visa that fails a check is ignored and counted; a passport that fails one, or is somebody else's, refuses
   * the token (UNAUTHENTICATED).
   */
  async clear({ claim, subject, ends, now, read }: ClearedClaim): Promise<Cleared> {
    if (Array.isArray(claim)) return clearedOf(clearVisas(await readAll(claim, read), subject, this.policy, now, ends), ends);
    const passport = await read(claim);
    if (passport.claims['iss'] !== subject.iss || passport.claims['sub'] !== subject.sub) throw refusedToken();
    const listed = passport.claims[PASSPORT_CLAIM];
    const visas = await readAll(Array.isArray(listed) ? listed : [], read);
    const cleared = clearPassport({ ...passport, visas }, this.policy, now);
    if ('refused' in cleared) throw refusedToken();
    return clearedOf(cleared, ends);
  }
}

const readAll = (texts: readonly unknown[], read: ReadToken): Promise<readonly DecodedToken[]> => Promise.all(texts.map(read));

function clearedOf({ registered, datasets, ignored }: VisaClearance, ends: number): Cleared {
  const until = (each: { readonly until: number }): number => Math.min(each.until, ends);
  const clearances: HeldClearance[] = [
    ...registered.map((each) => ({ kind: 'registered' as const, until: until(each) })),
    ...datasets.map((each) => ({ kind: 'controlled' as const, dataset: each.dataset, until: until(each) })),
  ];
  return { clearances, visasIgnored: ignored.length };
}

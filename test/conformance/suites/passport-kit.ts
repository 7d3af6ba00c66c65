import { CompactSign, compactVerify, decodeJwt, decodeProtectedHeader, generateKeyPair, type CryptoKey, type JWTPayload } from 'jose';
import { clearPassport, type Clearance, type DecodedPassport } from '../../../src/governance/passport/clearance.js';
import type { DecodedToken } from '../../../src/governance/passport/token.js';
import type { PassportPolicy } from '../../../src/governance/passport/trust.js';

export const NOW = Date.parse('2026-06-01T00:00:00Z');
export const SECONDS = NOW / 1000;
export const BROKER = 'https://broker.example.org/oidc';
export const AUDIENCE = 'urn:thalamus:gateway';
export const ONE = 'https://one.example.org/oidc';
export const TWO = 'https://two.example.org/oidc';
export const ROGUE = 'https://rogue.example.org/oidc';
export const UNIVERSITY = 'https://grid.example.org/institutes/grid.1';
export const COMMITTEE = 'https://archive.example.org/dacs/1';
export const DATASET = 'https://archive.example.org/datasets/710';
export const OTHER_DATASET = 'https://archive.example.org/datasets/432';
export const TERMS = 'https://doi.org/10.1038/s41431-018-0219-y';
export const USER = 'user-1';
const jkuOf = (issuer: string): string => `${issuer}/jwks.json`;

export const POLICY: PassportPolicy = {
  brokers: [BROKER],
  audience: AUDIENCE,
  issuers: [BROKER, ONE, TWO].map((issuer) => ({ issuer, jku: [jkuOf(issuer)] })),
  rules: {
    AffiliationAndRole: { sources: [UNIVERSITY], by: ['so', 'system'] },
    AcceptedTermsAndPolicies: { sources: [UNIVERSITY, 'https://no.organization'] },
    ResearcherStatus: { sources: [UNIVERSITY], by: ['so', 'peer', 'system'] },
    LinkedIdentities: { sources: [BROKER, ONE, TWO] },
  },
  datasets: [
    { value: DATASET, sources: [COMMITTEE], by: ['dac'] },
    { value: OTHER_DATASET, sources: ['https://archive.example.org/dacs/2'], by: ['dac'] },
  ],
  assertedSecondsMax: 365 * 86_400,
  clockToleranceSeconds: 5,
};

type Claims = Readonly<Record<string, unknown>>;

/** What a case changes in a visa; `undefined` as a value takes the claim away. */
export interface VisaDraft {
  readonly header?: Claims;
  readonly claims?: Claims;
  readonly object?: Claims;
  /** Whose key signs; the issuer's where it is not said. */
  readonly signer?: string;
}

export interface PassportDraft {
  readonly header?: Claims;
  readonly claims?: Claims;
  readonly signer?: string;
  readonly policy?: Partial<PassportPolicy>;
  /** Changes the finished text of the passport, for example its payload. */
  readonly tamper?: (jwt: string) => string;
}

const grant = { type: 'ControlledAccessGrants', asserted: SECONDS - 86_400, value: DATASET, source: COMMITTEE, by: 'dac' };
const dates = { iat: SECONDS - 60, exp: SECONDS + 3_600 };
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Issuers with keys of their own (ES256), who sign real passports and visas; and the reading side, which verifies them. */
export class Issuers {
  private constructor(private readonly keys: ReadonlyMap<string, { privateKey: CryptoKey; publicKey: CryptoKey }>) {}

  static async make(): Promise<Issuers> {
    const names = [BROKER, ONE, TWO, ROGUE];
    return new Issuers(new Map(await Promise.all(names.map(async (name) => [name, await generateKeyPair('ES256')] as const))));
  }

  private sign(header: Claims, payload: Claims, signer: string): Promise<string> {
    const key = this.keys.get(signer)!.privateKey;
    const sign = new CompactSign(bytesOf(payload)).setProtectedHeader({ alg: 'ES256', ...header });
    return sign.sign(key, header['crit'] === undefined ? {} : { crit: { urgent: true } });
  }

  /** A grant of the committee for the dataset, unless the draft says otherwise. */
  visa({ header = {}, claims = {}, object = {}, signer }: VisaDraft = {}): Promise<string> {
    const payload: Claims = { iss: ONE, sub: USER, ...dates, ga4gh_visa_v1: { ...grant, ...object }, ...claims };
    const issuer = String(payload['iss']);
    const document = { typ: 'vnd.ga4gh.visa+jwt', kid: 'k', jku: jkuOf(issuer), ...header };
    return this.sign(document, payload, signer ?? (this.keys.has(issuer) ? issuer : ROGUE));
  }

  /** Header and claims as they stand, and whether the key of the issuer that they name has signed them. */
  private async decode(jwt: string): Promise<DecodedToken> {
    const claims: JWTPayload = decodeJwt(jwt);
    const key = this.keys.get(String(claims.iss))?.publicKey;
    const verified =
      key !== undefined &&
      (await compactVerify(jwt, key).then(
        () => true,
        () => false,
      ));
    return { header: decodeProtectedHeader(jwt), claims, verified, bytes: jwt.length };
  }

  /** Signs a passport round the visas, reads it back and clears it. */
  async clear(visas: readonly string[], draft: PassportDraft = {}): Promise<Clearance | { readonly refused: string }> {
    const payload = { iss: BROKER, sub: USER, ...dates, ga4gh_passport_v1: visas, ...draft.claims };
    const header = { typ: 'vnd.ga4gh.passport+jwt', kid: 'k', ...draft.header };
    const jwt = await this.sign(header, payload, draft.signer ?? BROKER);
    const passport: DecodedPassport = {
      ...(await this.decode(draft.tamper?.(jwt) ?? jwt)),
      visas: await Promise.all(visas.map((visa) => this.decode(visa))),
    };
    return clearPassport(passport, { ...POLICY, ...draft.policy }, NOW);
  }
}

/** The parts of a clearance in words: what, and for how many seconds from now. Why visas were ignored stands at the end. */
export function inWords(clearance: Clearance | { readonly refused: string }): string {
  if ('refused' in clearance) return `refused: ${clearance.refused}`;
  const { datasets, researcher, terms, registered, roles, ignored } = clearance;
  const part = (name: string, values: readonly { readonly until: number }[]): string[] =>
    values.map(({ until }) => `${name} ${(until - NOW) / 1000} s`);
  return [
    ...datasets.flatMap(({ dataset, until }) => part(dataset.split('/').at(-1) ?? '', [{ until }])),
    ...part('researcher', researcher),
    ...part('terms', terms),
    ...part('registered', registered),
    ...roles.flatMap(({ role, affiliation, until }) => part(`${role} at ${affiliation}`, [{ until }])),
    ...ignored.map(({ reason }) => `ignored: ${reason}`),
  ].join(', ');
}

/** Standard visa types of GA4GH Passport v1; any other type is custom and is ignored. */
export const VISA_TYPES = [
  'AffiliationAndRole',
  'AcceptedTermsAndPolicies',
  'ResearcherStatus',
  'ControlledAccessGrants',
  'LinkedIdentities',
] as const;
export type VisaType = (typeof VISA_TYPES)[number];

/** The level of authority inside the source; a visa without one has unknown authority, which no policy that wants one accepts. */
export const AUTHORITIES = ['self', 'peer', 'system', 'so', 'dac'] as const;
export type Authority = (typeof AUTHORITIES)[number];

/** A visa identity: a subject inside the system of its issuer. */
export interface VisaIdentity {
  readonly iss: string;
  readonly sub: string;
}

export interface TrustedVisaIssuer {
  readonly issuer: string;
  /** Key set URLs that a visa of this issuer may name, character by character; they are compared, never fetched here. */
  readonly jku: readonly string[];
}

/** Who is believed for one type of visa. */
export interface VisaRule {
  readonly sources: readonly string[];
  /** Levels of authority that are accepted; undefined where any will do. */
  readonly by?: readonly Authority[];
}

/** A dataset of controlled access, and the committees that may grant it; the committee of one cannot grant another. */
export interface ControlledDataset extends VisaRule {
  /** URL that grants name as their value; an opaque text. */
  readonly value: string;
}

/** Whom the clearinghouse trusts. What is not named here is ignored (GA4GH Passport v1, General Requirements 8.2 and 8.3). */
export interface PassportPolicy {
  /** Issuers of passports (brokers). */
  readonly brokers: readonly string[];
  /** The name of this clearinghouse: a token for somebody else is refused. */
  readonly audience: string;
  readonly issuers: readonly TrustedVisaIssuer[];
  readonly rules: Readonly<Partial<Record<Exclude<VisaType, 'ControlledAccessGrants'>, VisaRule>>>;
  readonly datasets: readonly ControlledDataset[];
  /** How long after `asserted` a statement is believed, in seconds (maxAuthzTTL). */
  readonly assertedSecondsMax: number;
  /** How far clocks of issuers may run ahead, in seconds. Expiry is never stretched. */
  readonly clockToleranceSeconds: number;
}

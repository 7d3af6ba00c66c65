import type { Recipient } from '../../kernel/index.js';

/** Why a disclosure need not be accounted for (45 CFR 164.528(a)(1)(i) to (ix)), or that it must be. */
export const DISCLOSURE_CLASSES = {
  ACCOUNTABLE: '164.528(a)(1)',
  TPO: '164.528(a)(1)(i)',
  TO_INDIVIDUAL: '164.528(a)(1)(ii)',
  INCIDENTAL: '164.528(a)(1)(iii)',
  AUTHORISED: '164.528(a)(1)(iv)',
  DIRECTORY: '164.528(a)(1)(v)',
  NATIONAL_SECURITY: '164.528(a)(1)(vi)',
  CUSTODIAL: '164.528(a)(1)(vii)',
  LIMITED_DATA_SET: '164.528(a)(1)(viii)',
} as const;
export type DisclosureClass = keyof typeof DISCLOSURE_CLASSES;

/** What the class of a disclosure follows from. */
export interface DisclosureFacts {
  /** Purpose of use of the token. */
  readonly purpose: string;
  readonly recipient: Pick<Recipient, 'kind' | 'dataUseAgreement' | 'authorisation'>;
  /** Persons behind the answer. */
  readonly persons: number;
  /** True where at most a limited data set left. */
  readonly limited: boolean;
  /** True where every row was shown because its person consents to the purpose. */
  readonly consented: boolean;
}

type Kind = Recipient['kind'];

/** Treatment, payment and health care operations (164.506(c)): who may be served for which of them. */
const TPO: Readonly<Record<string, ReadonlySet<Kind>>> = {
  TREAT: new Set<Kind>(['workforce', 'business-associate', 'treatment-provider']),
  ETREAT: new Set<Kind>(['workforce', 'business-associate', 'treatment-provider']),
  HPAYMT: new Set<Kind>(['workforce', 'business-associate', 'treatment-provider', 'payer']),
  HOPERAT: new Set<Kind>(['workforce', 'business-associate', 'treatment-provider', 'payer']),
};

/** What a limited data set may be disclosed for (164.514(e)(3)(i)); studies are research. */
const isLimitedPurpose = (purpose: string): boolean =>
  purpose === 'HRESCH' || purpose === 'PUBHLTH' || purpose === 'HOPERAT' || purpose.startsWith('study:');

/**
 * The class of a disclosure. It follows from what is recorded and from the policy, and nobody states it; what none of the exemptions covers for certain is
 * accounted for. The own workforce outside of treatment, payment and operations is: too much is told rather than too little.
 */
export function disclosureClass({ purpose, recipient, persons, limited, consented }: DisclosureFacts): DisclosureClass {
  const { kind } = recipient;
  const ordinary = Object.hasOwn(TPO, purpose);
  switch (kind) {
    case 'individual':
      // An answer about several persons is not one to the individual.
      return persons === 1 ? 'TO_INDIVIDUAL' : 'ACCOUNTABLE';
    case 'national-security':
      return 'NATIONAL_SECURITY';
    case 'correctional':
      return 'CUSTODIAL';
    case 'directory':
      return 'DIRECTORY';
    case 'incidental':
      return ordinary ? 'INCIDENTAL' : 'ACCOUNTABLE';
    default:
      if (ordinary && TPO[purpose]?.has(kind) === true) return 'TPO';
      if (limited && recipient.dataUseAgreement !== null && isLimitedPurpose(purpose)) return 'LIMITED_DATA_SET';
      if (consented && recipient.authorisation !== null) return 'AUTHORISED';
      return 'ACCOUNTABLE';
  }
}

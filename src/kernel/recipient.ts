/**
 * What an organisation or person to whom data go is to the installation. Whether a disclosure has to be accounted for, and whether thresholds of
 * bulk data bite, follows from it (45 CFR 164.528(a)(1); 28 CFR part 202).
 */
export const RECIPIENT_KINDS = {
  workforce: 'the own workforce',
  'business-associate': 'a business associate',
  'treatment-provider': 'a provider of treatment',
  payer: 'a payer of health care',
  research: 'a research organisation',
  'public-health': 'a public health authority',
  'law-enforcement': 'law enforcement',
  'health-oversight': 'a health oversight agency',
  individual: 'the individual or a personal representative',
  directory: 'persons who ask the directory of the facility, or who are involved in the care',
  'national-security': 'a federal official for national security or intelligence',
  correctional: 'a correctional institution or another lawful custodian',
  incidental: 'somebody who comes across data while doing permitted work for the installation',
  other: 'another recipient',
} as const;
export type RecipientKind = keyof typeof RECIPIENT_KINDS;

/** Whether a recipient is a country of concern or a covered person (28 CFR 202.211, 202.601); what is not known counts as if it were. */
export const BULK_STATUSES = ['domestic', 'of-concern', 'unknown'] as const;
export type BulkStatus = (typeof BULK_STATUSES)[number];

/** To whom an answer goes. */
export interface Recipient {
  /** Stable id: under it events are recorded and persons are metered. */
  readonly id: string;
  readonly name: string;
  readonly address: string | null;
  /** 'unknown' where the policy in force names nobody. */
  readonly kind: RecipientKind | 'unknown';
  readonly bulk: BulkStatus;
  /** Id of the data use agreement for limited data sets (45 CFR 164.514(e)(4)). */
  readonly dataUseAgreement: string | null;
  /** Id of the form by which persons authorise disclosures to this recipient (45 CFR 164.508); their consents stand for the signed forms. */
  readonly authorisation: string | null;
  /** Id of the research protocol for which it gets data. */
  readonly protocol: string | null;
}

/** A research protocol as an accounting names it (45 CFR 164.528(b)(4)(i)). */
export interface ResearchProtocol {
  readonly name: string;
  /** In plain language: what it is for and by which criteria records are selected. */
  readonly description: string;
  /** Name, address and telephone number of the sponsor. */
  readonly sponsor: string;
  /** Name, address and telephone number of the researcher to whom data went. */
  readonly researcher: string;
}

/** True where thresholds of bulk data hold back what passes them: all but recipients who are known to be neither of concern nor covered. */
export const isFlagged = ({ bulk }: Pick<Recipient, 'bulk'>): boolean => bulk !== 'domestic';

import { SCALARS, value, valueType } from '../kernel/index.js';

const office = { tags: ['evidence', 'evidence.patients'], safeHarbor: 'R' } as const;
const plain = { tags: ['evidence', 'evidence.patients'], safeHarbor: 'none' } as const;

@valueType('AccountingProtocol', 'A research protocol for which records were disclosed (45 CFR 164.528(b)(4)).')
export class AccountingProtocol {
  @value({ ...plain, type: () => SCALARS.ID, required: true, description: 'Id in the policy in force.' })
  id!: string;
  @value({ ...plain, type: () => SCALARS.String, required: true, description: 'Name of the protocol.' })
  name!: string;
  @value({
    ...plain,
    type: () => SCALARS.String,
    required: true,
    description: 'What it is for and how records are selected, in plain language.',
  })
  description!: string;
  @value({ ...plain, type: () => SCALARS.String, required: true, description: 'Name, address and telephone number of the sponsor.' })
  sponsor!: string;
  @value({ ...plain, type: () => SCALARS.String, required: true, description: 'Name, address and telephone number of the researcher.' })
  researcher!: string;
  @value({ ...plain, type: () => SCALARS.String, required: true, description: 'What the listing says of the person.' })
  statement!: string;
}

@valueType(
  'AccountingEntry',
  'One line of an accounting of disclosures: a series to one recipient for one purpose, or a research protocol.',
)
export class AccountingEntry {
  @value({ ...office, type: () => SCALARS.String, required: true, description: 'DISCLOSURES or PROTOCOL.' })
  kind!: string;
  @value({
    ...office,
    type: () => SCALARS.LocalDate,
    required: true,
    safeHarbor: 'C',
    description: 'UTC day of the first disclosure in the range.',
  })
  date!: string;
  @value({ ...office, type: () => SCALARS.LocalDate, required: true, safeHarbor: 'C', description: 'UTC day of the last one.' })
  lastDate!: string;
  @value({ ...office, type: () => SCALARS.Int, description: 'How many there were; null for a protocol.' })
  number!: number | null;
  @value({ ...plain, type: () => SCALARS.String, required: true, description: 'Who received it.' })
  recipient!: string;
  @value({ ...plain, type: () => SCALARS.String, description: 'Address of the recipient, where it is known.' })
  address!: string | null;
  @value({ ...office, type: () => SCALARS.String, required: true, description: 'What was disclosed, by kind of data; never a value.' })
  description!: string;
  @value({ ...office, type: () => SCALARS.String, required: true, description: 'What it was for.' })
  purpose!: string;
  @value({ ...office, type: () => AccountingProtocol, description: 'The research protocol, where there is one.' })
  protocol!: AccountingProtocol | null;
}

@valueType('AccountingHold', 'A suspension of the accounting of disclosures to an agency (45 CFR 164.528(a)(2)).')
export class AccountingHold {
  @value({ ...office, type: () => SCALARS.ID, required: true, description: 'Identifier, to end it by.' })
  id!: string;
  @value({ ...office, type: () => SCALARS.String, required: true, description: 'law-enforcement or health-oversight.' })
  kind!: string;
  @value({ ...office, type: () => SCALARS.DateTime, required: true, safeHarbor: 'C', description: 'From when on.' })
  at!: string;
  @value({
    ...office,
    type: () => SCALARS.DateTime,
    required: true,
    safeHarbor: 'C',
    description: 'Until when; held entries appear again then.',
  })
  until!: string;
  @value({ ...office, type: () => SCALARS.DateTime, safeHarbor: 'C', description: 'When it was ended before its time.' })
  endedAt!: string | null;
}

@valueType('BulkCount', 'Persons of whom a recipient got data of one category, or of several.')
export class BulkCount {
  @value({ ...plain, type: () => SCALARS.String, required: true, description: 'Category of 28 CFR 202.205, or combined.' })
  category!: string;
  @value({ ...plain, type: () => SCALARS.Int, required: true, description: 'Persons within the window, each once.' })
  persons!: number;
  @value({ ...plain, type: () => SCALARS.Int, required: true, description: 'So many are allowed to a flagged recipient.' })
  threshold!: number;
  @value({ ...plain, type: () => SCALARS.Int, required: true, description: 'Days until the first of them falls out of the window.' })
  daysUntilOldestFallsOut!: number;
}

@valueType('BulkMeter', 'How much bulk sensitive data a recipient holds (28 CFR part 202).')
export class BulkMeter {
  @value({ ...plain, type: () => SCALARS.ID, required: true, description: 'Id of the recipient.' })
  recipient!: string;
  @value({ ...plain, type: () => SCALARS.String, required: true, description: 'Name of the recipient.' })
  name!: string;
  @value({
    ...plain,
    type: () => SCALARS.Boolean,
    required: true,
    description: 'Whether thresholds hold it back: it is of concern, or not known.',
  })
  flagged!: boolean;
  @value({ ...plain, type: () => SCALARS.Int, required: true, description: 'Length of the rolling window in months.' })
  windowMonths!: number;
  @value({ ...plain, type: () => SCALARS.LocalDate, required: true, description: 'First UTC day that counts.' })
  since!: string;
  @value({ ...plain, type: () => [BulkCount], required: true, description: 'By category; empty where nothing is held.' })
  counts!: readonly BulkCount[];
}

import fc from 'fast-check';
import {
  DISCLOSURE_CLASSES,
  accountingOf,
  disclosureClass,
  type Accounting,
  type DisclosureEvent,
  type Hold,
  type ProtocolFacts,
} from '../../src/evidence/index.js';
import { isCoded, type AccountingEntry, type Recipient } from '../../src/kernel/index.js';

const at = (day: string): number => Date.parse(`${day}T09:30:00Z`);

const recipient = (id: string, kind: Recipient['kind'], name: string, more: Partial<Recipient> = {}): Recipient => ({
  id,
  name,
  kind,
  address: null,
  bulk: 'domestic',
  dataUseAgreement: null,
  authorisation: null,
  protocol: null,
  ...more,
});

const WORKFORCE = recipient('workforce', 'workforce', 'Workforce of this installation');
const LAB = recipient('lab', 'business-associate', 'Northern Laboratory', { address: '1 Test Lane, Albany NY' });
const CLINIC = recipient('clinic', 'treatment-provider', 'Hill Clinic');
const INSURER = recipient('insurer', 'payer', 'Mutual Insurer');
const UNIVERSITY = recipient('university', 'research', 'State University', { protocol: 'P-1' });
const INSTITUTE = recipient('institute', 'research', 'Heart Institute', { protocol: 'P-2', address: '7 Atrium Way, Boston MA' });
const REGISTRY = recipient('registry', 'research', 'Cancer Registry', { dataUseAgreement: 'DUA-7' });
const TRIAL = recipient('trial', 'research', 'Trial Office', { authorisation: 'FORM-3' });
const DEPARTMENT = recipient('department', 'public-health', 'Department of Health', { address: '9 Capitol Square, Albany NY' });
const POLICE = recipient('police', 'law-enforcement', 'State Police');
const INSPECTORATE = recipient('inspectorate', 'health-oversight', 'Inspectorate');
const PERSON = recipient('portal', 'individual', 'Portal of patients');
const DESK = recipient('desk', 'directory', 'Information desk');
const BUREAU = recipient('bureau', 'national-security', 'Bureau');
const PRISON = recipient('prison', 'correctional', 'County Prison');
const TECHNICIAN = recipient('technician', 'incidental', 'Machine Maintenance');
const CORONER = recipient('coroner', 'other', 'County Coroner');
const STRANGER = recipient('issuer:https://idp.example', 'unknown', 'Unknown recipient of https://idp.example', { bulk: 'unknown' });

type Row = readonly [to: Recipient, purpose: string, first: string, months: number, source: string, more?: Partial<DisclosureEvent>];

/** One row is a series on one day of successive months: the recipient, the purpose, the first day, how many, what was read. */
const FIXTURE: readonly Row[] = [
  [WORKFORCE, 'TREAT', '2020-06-05', 24, 'observation.value'],
  [WORKFORCE, 'ETREAT', '2021-06-06', 3, 'note.title'],
  [WORKFORCE, 'HOPERAT', '2022-06-07', 10, 'patient.mrn'],
  [WORKFORCE, 'HRESCH', '2024-01-10', 6, 'observation.value'],
  [LAB, 'HOPERAT', '2021-01-02', 20, 'observation.code'],
  [LAB, 'HRESCH', '2021-02-01', 12, 'condition.code'],
  [LAB, 'HRESCH', '2021-07-15', 1, 'patient.family_name'],
  [CLINIC, 'TREAT', '2020-08-08', 15, 'condition.code'],
  [CLINIC, 'HRESCH', '2022-03-03', 1, 'note.title'],
  [INSURER, 'HPAYMT', '2022-01-04', 12, 'condition.code'],
  [INSURER, 'TREAT', '2023-05-05', 1, 'condition.code'],
  [UNIVERSITY, 'HRESCH', '2022-01-20', 10, 'genotype_block.codes', { protocol: 'P-1' }],
  [UNIVERSITY, 'TREAT', '2022-02-02', 1, 'genotype_block.codes', { protocol: 'P-1' }],
  [INSTITUTE, 'HRESCH', '2023-02-14', 8, 'wear_chunk.mx', { protocol: 'P-2' }],
  [REGISTRY, 'HRESCH', '2024-01-15', 9, 'condition.code', { limited: true }],
  [REGISTRY, 'HRESCH', '2024-02-01', 2, 'condition.code'],
  [REGISTRY, 'TREAT', '2024-04-04', 1, 'condition.code', { limited: true }],
  [TRIAL, 'HRESCH', '2024-06-12', 11, 'observation.value', { consented: true }],
  [TRIAL, 'HRESCH', '2025-01-09', 1, 'observation.value'],
  [DEPARTMENT, 'PUBHLTH', '2020-07-01', 30, 'condition.code'],
  [DEPARTMENT, 'HOPERAT', '2023-01-01', 1, 'imaging_instance.file_digest'],
  [POLICE, 'HOPERAT', '2025-11-03', 4, 'patient.birth_date'],
  [INSPECTORATE, 'HOPERAT', '2025-03-01', 5, 'note.title'],
  [PERSON, 'TREAT', '2023-10-10', 6, 'note.title'],
  [PERSON, 'TREAT', '2024-09-09', 1, 'note.title', { persons: 2 }],
  [DESK, 'HOPERAT', '2021-03-03', 5, 'patient.family_name'],
  [BUREAU, 'HOPERAT', '2021-04-04', 3, 'patient.family_name'],
  [PRISON, 'TREAT', '2021-05-05', 4, 'condition.code'],
  [TECHNICIAN, 'HOPERAT', '2022-05-06', 7, 'imaging_study.description'],
  [TECHNICIAN, 'HRESCH', '2025-05-05', 1, 'imaging_study.description'],
  [STRANGER, 'TREAT', '2026-03-15', 3, 'what_nobody_declared.value'],
  [CORONER, 'study:cardio', '2023-03-01', 2, 'condition.code'],
  [CORONER, 'PUBHLTH', '2022-03-03', 1, 'patient.deceased_at'],
  // Before the range, and after it.
  [LAB, 'HRESCH', '2020-05-31', 1, 'condition.code'],
  [LAB, 'HRESCH', '2026-06-01', 1, 'condition.code'],
];

function eventsOf([to, purpose, first, months, source, more = {}]: Row): DisclosureEvent[] {
  return Array.from({ length: months }, (_, i) => {
    const date = new Date(at(first));
    date.setUTCMonth(date.getUTCMonth() + i);
    const plain = { persons: 1, limited: false, consented: false, protocol: null, sources: [source] };
    return { at: date.getTime(), purpose, recipient: to, ...plain, ...more };
  });
}

const events = FIXTURE.flatMap(eventsOf);

const holds: readonly Hold[] = [
  { kind: 'law-enforcement', at: at('2026-02-10'), until: at('2026-05-20'), endedAt: null },
  { kind: 'health-oversight', at: at('2025-08-01'), until: at('2027-01-01'), endedAt: at('2026-04-01') },
];

const protocolFacts = (name: string, persons: number, first: string, last: string): ProtocolFacts => ({
  name,
  description: `${name}: records of adults with a heart rhythm disorder`,
  sponsor: 'Sponsor, 2 Fund Street, 555-0100',
  researcher: `Researcher of ${name}, 3 Lab Street, 555-0101`,
  persons,
  firstAt: at(first),
  lastAt: at(last),
});
const protocols = new Map([
  ['P-1', protocolFacts('First protocol', 50, '2021-12-01', '2023-01-15')],
  ['P-2', protocolFacts('Second protocol', 49, '2023-01-01', '2023-12-31')],
]);

const accounting = (more: Partial<Accounting> = {}): readonly AccountingEntry[] =>
  accountingOf({
    events,
    holds,
    protocols,
    studies: { cardio: 'Heart study' },
    from: Date.parse('2020-06-01T00:00:00Z'),
    to: Date.parse('2026-06-01T00:00:00Z'),
    now: Date.parse('2026-06-01T00:00:00Z'),
    ...more,
  });

const RESEARCHER_1 = 'Researcher of First protocol, 3 Lab Street, 555-0101';
const HEALTH = '9 Capitol Square, Albany NY';

/** The answer as it was worked out by hand: first day, last day, number, recipient, address, what, what for, protocol. */
const ANSWER: readonly (readonly [string, string, number | null, string, string | null, string, string, string | null])[] = [
  ['2020-07-01', '2022-12-01', 30, 'Department of Health', HEALTH, 'diagnoses', 'public health, to a public health authority', null],
  [
    '2021-02-01',
    '2022-01-01',
    13,
    'Northern Laboratory',
    '1 Test Lane, Albany NY',
    'diagnoses; names and contact data',
    'healthcare research, to a business associate',
    null,
  ],
  ['2021-12-01', '2023-01-15', null, RESEARCHER_1, null, 'genomic data', 'healthcare research, to a research organisation', 'P-1'],
  ['2022-02-02', '2022-02-02', 1, 'State University', null, 'genomic data', 'treatment, to a research organisation', 'P-1'],
  ['2022-03-03', '2022-03-03', 1, 'County Coroner', null, 'diagnoses', 'public health, to another recipient', null],
  ['2022-03-03', '2022-03-03', 1, 'Hill Clinic', null, 'clinical notes', 'healthcare research, to a provider of treatment', null],
  ['2023-01-01', '2023-01-01', 1, 'Department of Health', HEALTH, 'images', 'healthcare operations, to a public health authority', null],
  [
    '2023-02-14',
    '2023-09-14',
    8,
    'Heart Institute',
    '7 Atrium Way, Boston MA',
    'wearable data',
    'healthcare research, to a research organisation',
    'P-2',
  ],
  ['2023-03-01', '2023-04-01', 2, 'County Coroner', null, 'diagnoses', 'research: Heart study, to another recipient', null],
  ['2023-05-05', '2023-05-05', 1, 'Mutual Insurer', null, 'diagnoses', 'treatment, to a payer of health care', null],
  [
    '2024-01-10',
    '2024-06-10',
    6,
    'Workforce of this installation',
    null,
    'measurements and laboratory results',
    'healthcare research, to the own workforce',
    null,
  ],
  ['2024-02-01', '2024-03-01', 2, 'Cancer Registry', null, 'diagnoses', 'healthcare research, to a research organisation', null],
  ['2024-04-04', '2024-04-04', 1, 'Cancer Registry', null, 'diagnoses', 'treatment, to a research organisation', null],
  [
    '2024-09-09',
    '2024-09-09',
    1,
    'Portal of patients',
    null,
    'clinical notes',
    'treatment, to the individual or a personal representative',
    null,
  ],
  [
    '2025-01-09',
    '2025-01-09',
    1,
    'Trial Office',
    null,
    'measurements and laboratory results',
    'healthcare research, to a research organisation',
    null,
  ],
  ['2025-03-01', '2025-07-01', 5, 'Inspectorate', null, 'clinical notes', 'healthcare operations, to a health oversight agency', null],
  [
    '2025-05-05',
    '2025-05-05',
    1,
    'Machine Maintenance',
    null,
    'imaging records',
    'healthcare research, to somebody who comes across data while doing permitted work for the installation',
    null,
  ],
  ['2025-11-03', '2026-02-03', 4, 'State Police', null, 'demographic data', 'healthcare operations, to law enforcement', null],
  [
    '2026-03-15',
    '2026-05-15',
    3,
    'Unknown recipient of https://idp.example',
    null,
    'health records',
    'treatment, to a recipient of unknown standing',
    null,
  ],
];

const rowOf = (entry: AccountingEntry): readonly unknown[] => [
  entry.date,
  entry.lastDate,
  entry.number,
  entry.recipient,
  entry.address,
  entry.description,
  entry.purpose,
  entry.protocol?.id ?? null,
];

describe('an accounting of disclosures', () => {
  it('equals the answer worked out by hand, on 223 events of every class', () => {
    expect(events).toHaveLength(223);
    expect(new Set(events.map((event) => disclosureClass(event)))).toEqual(new Set(Object.keys(DISCLOSURE_CLASSES)));
    expect(accounting().map(rowOf)).toEqual(ANSWER);
  });

  it('leaves out what an agency holds back while it does, and nothing else; it is there again after the end of the hold', () => {
    const held = ANSWER.filter(([, , , name]) => name !== 'State Police');
    expect(accounting({ now: at('2026-05-10') }).map(rowOf)).toEqual(held);
    expect(accounting({ now: at('2026-05-20') - 1 }).map(rowOf)).toEqual(held);
    expect(accounting({ now: at('2026-05-20') }).map(rowOf)).toEqual(ANSWER);
    const oversight = ANSWER.filter(([, , , name]) => name !== 'Inspectorate' && name !== 'State Police');
    expect(accounting({ now: at('2026-03-31') }).map(rowOf)).toEqual(oversight);
  });

  it('lists research with 50 persons by protocol, with what the rule wants of it', () => {
    const [listed] = accounting().filter((entry) => entry.kind === 'PROTOCOL');
    expect(listed?.protocol).toEqual({
      id: 'P-1',
      name: 'First protocol',
      description: 'First protocol: records of adults with a heart rhythm disorder',
      sponsor: 'Sponsor, 2 Fund Street, 555-0100',
      researcher: RESEARCHER_1,
      statement: 'Health information of the person may or may not have been disclosed for this protocol or research activity.',
    });
    expect(accounting().filter((entry) => entry.kind === 'PROTOCOL')).toHaveLength(1);
  });

  it('has the same bytes in whatever order its events are read', () => {
    const bytes = JSON.stringify(accounting());
    fc.assert(
      fc.property(fc.shuffledSubarray(events, { minLength: events.length }), (shuffled) => {
        expect(JSON.stringify(accounting({ events: shuffled }))).toBe(bytes);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['2026-01-02', '2026-01-01', 'ends after it begins'],
    ['2020-01-01', '2026-01-02', 'covers at most 6 years'],
    ['2020-05-31', '2026-05-31', 'begins at most 6 years ago'],
    ['no day', '2026-01-01', 'takes two instants'],
  ])('refuses the range from %s to %s', (from, to, words) => {
    const midnight = (day: string): number => Date.parse(`${day}T00:00:00Z`);
    let thrown: unknown;
    try {
      accounting({ from: midnight(from), to: midnight(to) });
    } catch (error) {
      thrown = error;
    }
    expect(isCoded(thrown) && thrown.code).toBe('BAD_INPUT');
    expect(isCoded(thrown) && thrown.message).toContain(words);
  });

  it('takes six years to the day, a leap day included', () => {
    const leap = Date.parse('2028-02-29T00:00:00Z');
    expect(accounting({ from: Date.parse('2022-02-28T00:00:00Z'), to: leap, now: leap, events: [] })).toEqual([]);
    expect(() => accounting({ from: Date.parse('2022-02-27T00:00:00Z'), to: leap, now: leap, events: [] })).toThrow('at most 6 years');
  });
});

describe('the class of a disclosure', () => {
  const facts = { purpose: 'TREAT', recipient: WORKFORCE, persons: 1, limited: false, consented: false };

  it('is exempt only where the exemption covers it for certain', () => {
    expect(disclosureClass(facts)).toBe('TPO');
    expect(disclosureClass({ ...facts, recipient: STRANGER })).toBe('ACCOUNTABLE');
    expect(disclosureClass({ ...facts, recipient: POLICE })).toBe('ACCOUNTABLE');
    expect(disclosureClass({ ...facts, purpose: 'constructor' })).toBe('ACCOUNTABLE');
    // A limited data set without an agreement, an agreement without a limited data set, a consent that is no authorisation.
    expect(disclosureClass({ ...facts, purpose: 'HRESCH', recipient: UNIVERSITY, limited: true })).toBe('ACCOUNTABLE');
    expect(disclosureClass({ ...facts, purpose: 'HRESCH', recipient: REGISTRY })).toBe('ACCOUNTABLE');
    expect(disclosureClass({ ...facts, purpose: 'HRESCH', recipient: UNIVERSITY, consented: true })).toBe('ACCOUNTABLE');
    expect(disclosureClass({ ...facts, purpose: 'study:cardio', recipient: REGISTRY, limited: true })).toBe('LIMITED_DATA_SET');
  });
});

import { ALL_LABELS, LABELS } from '../../../../src/kernel/index.js';
import { compileConsent } from '../../../../src/domains/patients/formats/consent-effect.js';
import type { ConsentEffect } from '../../../../src/domains/patients/formats/consent-effect.js';
import { TPO, actor, category, consent, data, levels, reasons } from './consent-support.js';
import { readConsent } from '../../../../src/domains/patients/formats/fhir-consent.js';
import type { ConsentRecord } from '../../../../src/domains/patients/formats/fhir-consent.js';

const day = (instant: string | null): string => instant?.slice(0, 10) ?? '';
const names = (bits: number): string =>
  Object.entries(LABELS)
    .filter(([, bit]) => bits & (1 << bit))
    .map(([name]) => name)
    .join('|');

/** `TREAT 31 N` or `TREAT 31 N from..to`, days only; then what else bounds it. */
function show(effects: readonly ConsentEffect[]): string[] {
  return effects.map((one) => {
    const usual = one.maxSensitivity === 'N' ? 0 : ALL_LABELS;
    return [
      `${one.purpose} ${one.categories} ${one.minSensitivity === 'N' ? '' : `${one.minSensitivity}-`}${one.maxSensitivity}`,
      one.validFrom === null && one.validTo === null ? '' : ` ${day(one.validFrom)}..${day(one.validTo)}`,
      one.labels === usual ? '' : ` labels ${one.labels === ALL_LABELS ? 'all' : names(one.labels)}`,
      one.labelsAny === 0 ? '' : ` any ${names(one.labelsAny)}`,
      one.recipients === null ? '' : ` to ${one.recipients.join()}`,
      one.dataFrom === null && one.dataTo === null ? '' : ` data ${day(one.dataFrom)}..${day(one.dataTo)}`,
      one.refs === null ? '' : ` refs ${one.refs.join()}`,
      one.refsNot === null ? '' : ` not ${one.refsNot.join()}`,
    ].join('');
  });
}

const tpo = (rest: string): string[] => ['TREAT', 'HPAYMT', 'HOPERAT'].map((purpose) => `${purpose} ${rest}`);
const IMPLIED = tpo('31 N');

const TABLE: [string, ConsentRecord[], string[]][] = [
  ['no consent: implied', [], IMPLIED],
  ['PCF-B1 basic-treat', [consent({ type: 'permit', purpose: TPO })], tpo('31 V')],
  [
    'PCF-B4 expired: as without consent after the last day',
    [consent({ type: 'permit', purpose: TPO, period: { end: '2022-12-31' } })],
    ['TREAT', 'HPAYMT', 'HOPERAT'].flatMap((purpose) => [`${purpose} 31 N 2023-01-01..`, `${purpose} 31 V ..2023-01-01`]),
  ],
  ['PCF-B5 basic-reject', [consent({ type: 'deny', purpose: TPO })], []],
  ['PCF-B6 basic-research', [consent({ type: 'permit', purpose: reasons('HRESCH') })], ['HRESCH 31 V']],
  [
    'PCF-I1 data period',
    [consent({ type: 'permit', purpose: TPO, dataPeriod: { start: '2022-01-01', end: '2022-12-31' } })],
    tpo('31 V data 2022-01-01..2023-01-01'),
  ],
  [
    'PCF-I2 all but a data period',
    [consent({ type: 'permit', purpose: TPO, provision: [{ type: 'deny', dataPeriod: { start: '2022-01-01', end: '2022-12-31' } }] })],
    [...tpo('31 V data ..2022-01-01'), ...tpo('31 V data 2023-01-01..')],
  ],
  [
    'PCF-I7 listed objects',
    [consent({ type: 'permit', purpose: TPO, data: data('instance', 'Observation/1', 'Encounter/2/_history/3') })],
    tpo('31 V refs self=Encounter/2,self=Observation/1'),
  ],
  [
    'PCF-I8 all but listed objects',
    [consent({ type: 'permit', purpose: TPO, provision: [{ type: 'deny', data: data('instance', 'Observation/1') }] })],
    tpo('31 V not self=Observation/1'),
  ],
  [
    'PCF-I3 one author',
    [consent({ type: 'permit', purpose: TPO, data: data('authoredby', 'Practitioner/x') })],
    tpo('31 V refs author=Practitioner/x'),
  ],
  [
    'PCF-I4 all but one author, and but authors who are not told apart',
    [consent({ type: 'permit', purpose: TPO, provision: [{ type: 'deny', data: data('authoredby', 'Practitioner/x') }] })],
    tpo('31 V not author=?,author=Practitioner/x'),
  ],
  [
    'PCF-I5 one encounter',
    [consent({ type: 'permit', purpose: TPO, data: data('related', 'Encounter/y') })],
    tpo('31 V refs encounter=Encounter/y,self=Encounter/y'),
  ],
  [
    'PCF-I6 all but one encounter',
    [consent({ type: 'permit', purpose: TPO, provision: [{ type: 'deny', data: data('related', 'Encounter/y') }] })],
    tpo('31 V not encounter=?,encounter=Encounter/y,self=Encounter/y'),
  ],
  [
    'a denial of what rows cannot show denies all',
    [consent({ type: 'permit', purpose: TPO, provision: [{ type: 'deny', data: data('related', 'CarePlan/1') }] })],
    [],
  ],
  [
    'a denied author of another server denies all',
    [
      consent({
        type: 'permit',
        purpose: TPO,
        provision: [{ type: 'deny', data: data('authoredby', 'https://other.example/Practitioner/x') }],
      }),
    ],
    [],
  ],
  [
    'a denied document takes all notes, which have no FHIR id',
    [consent({ type: 'permit', purpose: TPO, provision: [{ type: 'deny', data: data('instance', 'DocumentReference/d') }] })],
    tpo('27 V not self=DocumentReference/d'),
  ],
  [
    'PCF-I9 a study and its recipient',
    [consent({ type: 'permit', purpose: [{ system: 'http://example.org/p', code: 'FooBar' }], actor })],
    ['study:FooBar 31 V to Practitioner/x'],
  ],
  [
    'PCF-I10 break-glass',
    [consent({ type: 'deny', provision: [{ type: 'permit', purpose: reasons('BTG'), actor }] })],
    ['BTG 31 V to Practitioner/x'],
  ],
  ['PCF-A1 normal', [consent({ type: 'permit', purpose: TPO, securityLabel: levels('N') })], tpo('31 N')],
  ['PCF-A2 normal-restricted', [consent({ type: 'permit', purpose: TPO, securityLabel: levels('N', 'R') })], tpo('31 R')],
  [
    'PCF-A3 normal-not-restricted',
    [consent({ type: 'permit', purpose: TPO, securityLabel: levels('N'), provision: [{ type: 'deny', securityLabel: levels('R') }] })],
    tpo('31 N'),
  ],
  [
    'PCF-A4 restricted to one practitioner',
    [
      consent({
        type: 'permit',
        purpose: TPO,
        securityLabel: levels('N'),
        provision: [{ type: 'permit', securityLabel: levels('R'), actor }],
      }),
    ],
    [...tpo('31 N'), ...tpo('31 R-R to Practitioner/x')],
  ],
  [
    'PCF-A6 two sensitivities to one practitioner',
    [
      consent({
        type: 'permit',
        purpose: TPO,
        securityLabel: levels('N'),
        provision: [{ type: 'permit', securityLabel: [{ code: 'PSY' }, { code: 'SDV' }], actor }],
      }),
    ],
    [...tpo('31 N'), ...tpo('31 R labels PSY|SDV any PSY|SDV to Practitioner/x')],
  ],
  [
    'PCF-A7 restricted data for break-glass',
    [
      consent({
        type: 'permit',
        purpose: TPO,
        securityLabel: levels('N'),
        provision: [{ type: 'permit', purpose: reasons('BTG'), securityLabel: levels('R'), actor }],
      }),
    ],
    [...tpo('31 N'), 'BTG 31 R-R to Practitioner/x'],
  ],
  ['R alone', [consent({ type: 'permit', purpose: TPO, securityLabel: levels('R') })], tpo('31 R-R')],
  [
    'a denied level takes those above it',
    [consent({ type: 'permit', purpose: TPO, provision: [{ type: 'deny', securityLabel: levels('R') }] })],
    tpo('31 N labels all'),
  ],
  [
    'a denied sensitivity takes what restricted data may be',
    [consent({ type: 'permit', purpose: TPO, provision: [{ type: 'deny', securityLabel: [{ code: 'HIV' }] }] })],
    ['TREAT', 'HPAYMT', 'HOPERAT'].flatMap((purpose) => {
      const others = names(ALL_LABELS & ~(1 << LABELS.HIV));
      return [`${purpose} 31 N labels ${others}`, `${purpose} 31 R-V labels ${others} any ${others}`];
    }),
  ],
  [
    'ETH permits what lies below it',
    [consent({ type: 'permit', purpose: TPO, securityLabel: [{ code: 'ETH' }] })],
    tpo('31 R labels ETH|SUD|ETHUD|OPIOIDUD any ETH|SUD|ETHUD|OPIOIDUD'),
  ],
  [
    'no purpose names neither break-glass nor studies',
    [consent({ type: 'deny', provision: [{ type: 'permit', actor }] })],
    ['TREAT', 'ETREAT', 'HPAYMT', 'HOPERAT', 'HRESCH', 'PUBHLTH'].map((purpose) => `${purpose} 31 V to Practitioner/x`),
  ],
  [
    'a category is kept back',
    [consent({ type: 'permit', purpose: reasons('HRESCH'), provision: [{ type: 'deny', class: category('GENOMICS', 'NOTES') }] })],
    ['HRESCH 26 V'],
  ],
  [
    'only some categories',
    [consent({ type: 'permit', purpose: reasons('TREAT'), code: [{ coding: category('IMAGING') }] })],
    ['TREAT 2 V'],
  ],
  [
    'a permit inside a deny',
    [consent({ type: 'deny', provision: [{ type: 'permit', purpose: reasons('TREAT'), securityLabel: levels('N') }] })],
    ['TREAT 31 N'],
  ],
  [
    'an exception to a nested denial restores no more than was permitted',
    [
      consent({
        type: 'permit',
        purpose: TPO,
        securityLabel: levels('N'),
        provision: [{ type: 'deny', purpose: reasons('TREAT'), provision: [{ type: 'permit', class: category('NOTES') }] }],
      }),
    ],
    ['TREAT 4 N', 'HPAYMT 31 N', 'HOPERAT 31 N'],
  ],
  [
    'a denied actor counts for all',
    [consent({ type: 'permit', purpose: reasons('TREAT', 'HRESCH'), provision: [{ type: 'deny', purpose: reasons('HRESCH'), actor }] })],
    ['TREAT 31 V'],
  ],
  [
    'a denied part of research denies research',
    [consent({ type: 'permit', purpose: reasons('TREAT', 'HRESCH'), provision: [{ type: 'deny', purpose: reasons('BIORCH') }] })],
    ['TREAT 31 V'],
  ],
  [
    'a denial for a time',
    [consent({ type: 'permit', purpose: reasons('TREAT'), provision: [{ type: 'deny', period: { start: '2023', end: '2023' } }] })],
    ['TREAT 31 V ..2023-01-01', 'TREAT 31 V 2024-01-01..'],
  ],
  ['the latest wins', [consent({ type: 'deny' }, { dateTime: '2023-01-01' }), consent({ type: 'permit' }, { dateTime: '2022' })], []],
  [
    'consents of one day: both must permit',
    [consent({ type: 'permit', purpose: TPO }), consent({ type: 'permit', purpose: reasons('TREAT'), securityLabel: levels('N') })],
    ['TREAT 31 N'],
  ],
  [
    'a later consent counts from its start',
    [
      consent({ type: 'deny' }),
      consent({ type: 'permit', purpose: reasons('TREAT'), period: { start: '2024-01-01' } }, { dateTime: '2023-05-05' }),
    ],
    ['TREAT 31 V 2024-01-01..'],
  ],
  [
    'inactive and draft ones do not count',
    [consent({ type: 'deny' }, { status: 'inactive' }), consent({ type: 'deny' }, { status: 'draft' })],
    IMPLIED,
  ],
  [
    'research scope adds research',
    [consent({ type: 'permit' }, { scope: { coding: [{ code: 'research' }] } })],
    [...IMPLIED, 'HRESCH 31 V'],
  ],
  [
    'research scope gives way to a denial of privacy scope',
    [
      consent({ type: 'permit', provision: [{ type: 'deny', purpose: reasons('HRESCH'), class: category('GENOMICS') }] }),
      consent({ type: 'permit' }, { scope: { coding: [{ code: 'research' }] } }),
    ],
    ['TREAT 31 V', 'ETREAT 31 V', 'HPAYMT 31 V', 'HOPERAT 31 V', 'HRESCH 30 V', 'PUBHLTH 31 V'],
  ],
  ['an advance directive is not about data', [consent({ type: 'deny' }, { scope: { coding: [{ code: 'adr' }] } })], IMPLIED],
  [
    'OPTOUT without a provision',
    [
      readConsent(
        { status: 'active', scope: { coding: [{ code: 'patient-privacy' }] }, policyRule: { coding: [{ code: 'OPTOUT' }] } },
        'c',
      ),
    ],
    [],
  ],
];

test.each(TABLE)('%s', (_name, consents, expected) => {
  expect(show(compileConsent(consents)).sort()).toEqual([...expected].sort());
});

describe('what is not understood denies', () => {
  const permit = { type: 'permit', purpose: TPO };
  const cases: [string, ConsentRecord, string][] = [
    ['an action', consent({ ...permit, action: [{ coding: [{ code: 'use' }] }] }), 'Consent.provision.action'],
    ['a modifier extension', consent({ ...permit, modifierExtension: [{ url: 'x' }] }), 'Consent.provision.modifierExtension'],
    ['a label', consent({ ...permit, securityLabel: [{ code: 'ODD' }] }), 'Consent.provision.securityLabel[0]'],
    [
      'a class of another system',
      consent({ ...permit, class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Observation' }] }),
      'Consent.provision.class[0]',
    ],
    [
      'a meaning',
      consent({ ...permit, data: [{ meaning: 'near', reference: { reference: 'X/1' } }] }),
      'Consent.provision.data[0].meaning',
    ],
    ['a nested rule without type', consent({ ...permit, provision: [{ purpose: TPO }] }), 'Consent.provision.provision[0].type'],
    ['a date', consent({ ...permit, period: { end: '31.12.2022' } }), 'Consent.provision.period.end'],
    [
      'a denied purpose of another system',
      consent({ type: 'deny', purpose: [{ system: 'http://example.org/p', code: 'FooBar' }] }),
      'Consent.provision.purpose[0]',
    ],
    ['a purpose without system', consent({ type: 'permit', purpose: [{ code: 'FooBar' }] }), 'Consent.provision.purpose[0]'],
    ['a status', consent(permit, { status: 'odd' }), 'Consent.status'],
    ['a scope', consent(permit, { scope: { coding: [{ code: 'odd' }] } }), 'Consent.scope'],
    ['an empty list of purposes', consent({ type: 'permit', purpose: [] }), 'Consent.provision.purpose'],
  ];
  test.each(cases)('%s', (_name, record, path) => {
    expect(record.notUnderstood).toEqual([path]);
    expect(compileConsent([record])).toEqual([]);
  });
});

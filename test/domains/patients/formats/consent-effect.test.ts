import fc from 'fast-check';
import { compileConsent } from '../../../../src/domains/patients/formats/consent-effect.js';
import type { ConsentEffect } from '../../../../src/domains/patients/formats/consent-effect.js';
import { readConsent } from '../../../../src/domains/patients/formats/fhir-consent.js';
import type { ConsentRecord } from '../../../../src/domains/patients/formats/fhir-consent.js';

const reasons = (...codes: string[]): object[] =>
  codes.map((code) => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code }));
const levels = (...codes: string[]): object[] =>
  codes.map((code) => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code }));
const category = (...codes: string[]): object[] => codes.map((code) => ({ system: 'urn:thalamus:category', code }));
const actor = [{ role: { text: 'recipient' }, reference: { reference: 'Practitioner/x' } }];
const TPO = reasons('TREAT', 'HPAYMT', 'HOPERAT');

function consent(provision: object, more: object = {}): ConsentRecord {
  return readConsent(
    {
      resourceType: 'Consent',
      status: 'active',
      scope: { coding: [{ code: 'patient-privacy' }] },
      dateTime: '2022-06-13',
      provision: provision,
      ...more,
    },
    'c',
  );
}

/** `TREAT 31 N` or `TREAT 31 N from..to`, days only. */
function show(effects: readonly ConsentEffect[]): string[] {
  const day = (instant: string | null): string => instant?.slice(0, 10) ?? '';
  return effects.map(
    (one) =>
      `${one.purpose} ${one.categories} ${one.maxSensitivity}${one.validFrom === null && one.validTo === null ? '' : ` ${day(one.validFrom)}..${day(one.validTo)}`}`,
  );
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
  ['PCF-I1 data period', [consent({ type: 'permit', purpose: TPO, dataPeriod: { start: '2022-01-01', end: '2022-12-31' } })], []],
  [
    'PCF-I2 all but a data period',
    [consent({ type: 'permit', purpose: TPO, provision: [{ type: 'deny', dataPeriod: { start: '2022-01-01' } }] })],
    [],
  ],
  [
    'PCF-I7 listed objects',
    [consent({ type: 'permit', purpose: TPO, data: [{ meaning: 'instance', reference: { reference: 'Observation/1' } }] })],
    [],
  ],
  [
    'PCF-I9 a study code that is not registered',
    [consent({ type: 'permit', purpose: [{ system: 'http://example.org/p', code: 'FooBar' }] })],
    [],
  ],
  ['PCF-I10 break-glass', [consent({ type: 'deny', provision: [{ type: 'permit', purpose: reasons('BTG'), actor }] })], []],
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
    tpo('31 N'),
  ],
  ['R alone cannot be said', [consent({ type: 'permit', purpose: TPO, securityLabel: levels('R') })], []],
  [
    'a denied sensitivity leaves normal data',
    [consent({ type: 'permit', purpose: TPO, provision: [{ type: 'deny', securityLabel: [{ code: 'PSY' }] }] })],
    tpo('31 N'),
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
    ['a status', consent(permit, { status: 'odd' }), 'Consent.status'],
    ['a scope', consent(permit, { scope: { coding: [{ code: 'odd' }] } }), 'Consent.scope'],
    ['an empty list of purposes', consent({ type: 'permit', purpose: [] }), 'Consent.provision.purpose'],
  ];
  test.each(cases)('%s', (_name, record, path) => {
    expect(record.notUnderstood).toEqual([path]);
    expect(compileConsent([record])).toEqual([]);
  });
});

describe('for any consents', () => {
  const provision = fc.letrec((tie) => ({
    rule: fc.record(
      {
        type: fc.constantFrom('permit', 'deny'),
        purpose: fc.subarray(['TREAT', 'ETREAT', 'HRESCH', 'PUBHLTH', 'BIORCH'], { minLength: 1 }).map((codes) => reasons(...codes)),
        class: fc.subarray(['GENOMICS', 'NOTES', 'CLINICAL'], { minLength: 1 }).map((codes) => category(...codes)),
        securityLabel: fc.subarray(['N', 'R', 'V'], { minLength: 1 }).map((codes) => levels(...codes)),
        period: fc.constantFrom({ end: '2022' }, { start: '2023-05' }, { start: '2021', end: '2024-02-03' }),
        actor: fc.constant(actor),
        provision: fc.array(tie('rule'), { minLength: 1, maxLength: 3 }),
      },
      { requiredKeys: ['type'] },
    ),
  })).rule as fc.Arbitrary<object>;

  const covers = (wide: readonly ConsentEffect[], narrow: ConsentEffect): boolean =>
    [1, 2, 4, 8, 16]
      .filter((bit) => narrow.categories & bit)
      .every((bit) =>
        wide.some(
          (one) =>
            one.purpose === narrow.purpose &&
            (one.categories & bit) !== 0 &&
            one.maxSensitivity >= 'N' &&
            'NRV'.indexOf(one.maxSensitivity) >= 'NRV'.indexOf(narrow.maxSensitivity),
        ),
      );

  test('one more denial under the root never permits more', () => {
    fc.assert(
      fc.property(provision, provision, (root, extra) => {
        const nested = (root as { provision?: object[] }).provision ?? [];
        const plain = compileConsent([consent({ ...root, period: undefined })]);
        const denied = compileConsent([
          consent({ ...root, period: undefined, provision: [...nested, { ...extra, type: 'deny', provision: undefined }] }),
        ]);
        expect(denied.filter((one) => !covers(plain, one))).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  test('rows of one purpose and category never overlap in time', () => {
    fc.assert(
      fc.property(fc.array(provision, { maxLength: 3 }), (roots) => {
        const rows = compileConsent(roots.map((root, at) => consent(root, { dateTime: `202${at}-01-01` })));
        for (const [at, one] of rows.entries()) {
          for (const other of rows.slice(at + 1)) {
            if (one.purpose !== other.purpose || (one.categories & other.categories) === 0) continue;
            expect((one.validTo ?? '9') <= (other.validFrom ?? '') || (other.validTo ?? '9') <= (one.validFrom ?? '')).toBe(true);
          }
        }
      }),
      { numRuns: 400 },
    );
  });
});

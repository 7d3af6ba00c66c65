import fc from 'fast-check';
import { compileConsent } from '../../../../src/domains/patients/formats/consent-effect.js';
import { permits, type ConsentRequest } from '../../../../src/domains/patients/formats/consent-permits.js';
import type { ConsentRecord } from '../../../../src/domains/patients/formats/fhir-consent.js';
import { actor, category, consent, data, reasons } from './consent-support.js';

describe('for any consents', () => {
  const AUTHORS = ['Practitioner/x', 'Practitioner/y'];
  const provision = fc.letrec((tie) => ({
    rule: fc.record(
      {
        type: fc.constantFrom('permit', 'deny'),
        purpose: fc.subarray(['TREAT', 'ETREAT', 'HRESCH', 'PUBHLTH', 'BIORCH', 'BTG'], { minLength: 1 }).map((codes) => reasons(...codes)),
        class: fc.subarray(['GENOMICS', 'NOTES', 'CLINICAL'], { minLength: 1 }).map((codes) => category(...codes)),
        securityLabel: fc
          .subarray(['N', 'R', 'V', 'PSY', 'ETH', 'ETHUD'], { minLength: 1 })
          .map((codes) => codes.map((code) => ({ code }))),
        period: fc.constantFrom({ end: '2022' }, { start: '2023-05' }, { start: '2021', end: '2024-02-03' }),
        dataPeriod: fc.constantFrom({ end: '2022' }, { start: '2021-06' }),
        data: fc
          .tuple(fc.constantFrom('authoredby', 'instance'), fc.constantFrom(...AUTHORS))
          .map(([meaning, name]) => data(meaning, name)),
        actor: fc.constant(actor),
        provision: fc.array(tie('rule'), { minLength: 1, maxLength: 3 }),
      },
      { requiredKeys: ['type'] },
    ),
  })).rule as fc.Arbitrary<object>;
  const roots = fc.array(provision, { maxLength: 3 });
  const recordsOf = (list: readonly object[]): ConsentRecord[] => list.map((root, at) => consent(root, { dateTime: `202${at}-01-01` }));
  const request: fc.Arbitrary<ConsentRequest> = fc.record({
    purpose: fc.constantFrom('TREAT', 'ETREAT', 'HRESCH', 'BTG', 'study:s'),
    category: fc.constantFrom(1, 2, 4, 8, 16),
    sensitivity: fc.constantFrom('N', 'R', 'V'),
    labels: fc.constantFrom(0, 1, 4, 5, 16, 20, 4096),
    occurred: fc.constantFrom(null, Date.UTC(2020), Date.UTC(2021, 8), Date.UTC(2024)),
    refs: fc.subarray(['author=Practitioner/x', 'author=Practitioner/y', 'author=?', 'self=Practitioner/x']),
    identities: fc.subarray(AUTHORS),
    at: fc.constantFrom(Date.UTC(2020, 5), Date.UTC(2022, 2), Date.UTC(2023, 2), Date.UTC(2025)),
  });
  const requests = fc.array(request, { minLength: 20, maxLength: 20 });

  test('one more denial under the root never permits more', () => {
    fc.assert(
      fc.property(provision, provision, requests, (root, extra, asked) => {
        const nested = (root as { provision?: object[] }).provision ?? [];
        const plain = compileConsent([consent(root)]);
        const denied = compileConsent([consent({ ...root, provision: [...nested, { ...extra, type: 'deny', provision: undefined }] })]);
        for (const one of asked) expect(permits(denied, one) && !permits(plain, one)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test('neither further identities nor a known time take a permission away', () => {
    fc.assert(
      fc.property(roots, requests, (list, asked) => {
        const effects = compileConsent(recordsOf(list));
        for (const one of asked) {
          if (!permits(effects, one)) continue;
          expect(permits(effects, { ...one, identities: AUTHORS })).toBe(true);
          if (one.occurred === null) expect(permits(effects, { ...one, occurred: Date.UTC(2020) })).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('break-glass and studies are permitted only where they are named', () => {
    fc.assert(
      fc.property(roots, (list) => {
        const effects = compileConsent(recordsOf(list));
        if (!JSON.stringify(list).includes('BTG')) expect(effects.filter((one) => one.purpose === 'BTG')).toEqual([]);
        expect(effects.filter((one) => one.purpose.startsWith('study:'))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test('no two rows are the same but for their time, and none lies inside out', () => {
    fc.assert(
      fc.property(roots, (list) => {
        const effects = compileConsent(recordsOf(list));
        for (const one of effects) {
          expect((one.validFrom ?? '') < (one.validTo ?? '9')).toBe(true);
          expect((one.dataFrom ?? '') < (one.dataTo ?? '9')).toBe(true);
          const same = effects.filter(
            (other) => JSON.stringify({ ...other, validFrom: 0, validTo: 0 }) === JSON.stringify({ ...one, validFrom: 0, validTo: 0 }),
          );
          for (const other of same)
            if (other !== one)
              expect((one.validTo ?? '9') < (other.validFrom ?? '') || (other.validTo ?? '9') < (one.validFrom ?? '')).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

test('consents that are too involved permit nothing, and soon', () => {
  const rule = (at: number): object => ({
    type: at % 2 === 0 ? 'deny' : 'permit',
    purpose: reasons(['TREAT', 'HRESCH', 'PUBHLTH'][at % 3] as string),
    dataPeriod: { start: `${1900 + at}`, end: `${1905 + ((at * 7) % 90) + at}` },
    period: { start: `${1900 + ((at * 13) % 120)}` },
    data: data('authoredby', `Practitioner/p${at}`),
  });
  const many = consent({ type: 'permit', provision: Array.from({ length: 250 }, (_, at) => rule(at)) });
  expect(many.notUnderstood).toEqual([]);
  const started = performance.now();
  expect(compileConsent([many]).filter((one) => one.validTo === null)).toEqual([]);
  expect(performance.now() - started).toBeLessThan(10_000);
});

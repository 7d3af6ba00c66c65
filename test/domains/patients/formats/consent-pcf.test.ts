import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { instancesOf } from '../../../conformance/fsh.js';
import { suite } from '../../../conformance/suites/pcf.js';
import { EXPECTED } from '../../../conformance/suites/pcf-expected.js';

const FOLDER = resolve(__dirname, '../../../../../shared/data/governance/pcf');
const CONSENTS = 23;
const REQUESTS_MIN = 40;

if (existsSync(FOLDER)) {
  test('each example consent of the profile gets the verdicts that are written for it, permissions and denials', async () => {
    const { cases, figures } = await suite.run(FOLDER, () => undefined);
    expect(cases.filter(({ verdict }) => verdict !== 'passed')).toEqual([]);
    expect(figures).toMatchObject({ agreed_ratio: 1, not_applicable: [] });
    const verdicts = new Map<string, string[]>();
    for (const { id, got } of cases) {
      const name = id.slice(0, id.indexOf(':'));
      verdicts.set(name, [...(verdicts.get(name) ?? []), got]);
    }
    expect([...verdicts.keys()].sort()).toEqual(Object.keys(EXPECTED).sort());
    expect(verdicts.size).toBe(CONSENTS);
    for (const [name, got] of verdicts) {
      expect(got.length).toBeGreaterThanOrEqual(REQUESTS_MIN);
      expect(got).toContain('deny');
      expect(got.includes('permit')).toBe(name !== 'ex-consent-basic-reject');
    }
  });

  test('the text is read with all its consents', () => {
    const text = readFileSync(resolve(FOLDER, 'consent.fsh'), 'utf8');
    expect(instancesOf(text, 'Consent')).toHaveLength(CONSENTS);
    expect(instancesOf(text, 'Group').map(({ id }) => id)).toEqual(['ex-privilegedUsers']);
  });
} else if (process.env['CI'] !== undefined)
  test('the example consents of the profile', () => {
    throw new Error('../shared/data/governance/pcf is absent');
  });
else test.skip('the example consents of the profile (skipped: ../shared/data/governance/pcf is absent)', () => undefined);

test('a reader of FHIR Shorthand sets lists, slices, codes and references', () => {
  const text = `
Alias: $reason = http://terminology.hl7.org/CodeSystem/v3-ActReason
RuleSet: Common
* status = #active
Profile: Narrow
Parent: Consent
* provision 1..1 MS
* insert Common
Instance: one // a comment
InstanceOf: Narrow
Description: """
* status = #draft
"""
* insert Common
* scope = http://terminology.hl7.org/CodeSystem/consentscope#research "Research"
/* * dateTime = "2020" */
* provision.purpose[+] = $reason#TREAT
* provision.purpose[+] = $reason#HRESCH
* provision.dataPeriod.start = 2022-01-01
* provision.provision.data[a][+].meaning = #instance
* provision.provision.data[a][=].reference = Reference(Observation/1)
* provision.provision.data[b].meaning = #related
* provision.provision.data[a][+].meaning = #authoredby
* provision.provision[1].type = #deny
`;
  const reason = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
  expect(instancesOf(text, 'Consent').map(({ json }) => json)).toEqual([
    {
      resourceType: 'Consent',
      id: 'one',
      status: 'active',
      scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'research', display: 'Research' }] },
      provision: {
        purpose: [
          { system: reason, code: 'TREAT' },
          { system: reason, code: 'HRESCH' },
        ],
        dataPeriod: { start: '2022-01-01' },
        provision: [
          {
            data: [{ meaning: 'instance', reference: { reference: 'Observation/1' } }, { meaning: 'related' }, { meaning: 'authoredby' }],
          },
          { type: 'deny' },
        ],
      },
    },
  ]);
});

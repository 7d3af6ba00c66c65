import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fhir } from '../../../../src/domains/patients/formats/fhir.js';
import type { ClinicalRecord } from '../../../../src/domains/patients/formats/fhir.js';
import { ReferenceIndex } from '../../../../src/domains/patients/formats/fhir-reference.js';
import { isObject } from '../../../../src/domains/patients/formats/fhir-element.js';
import type { JsonObject } from '../../../../src/domains/patients/formats/fhir-element.js';
import { CLINICAL, describeWithData, faults, readAs, values } from './support.js';

const bundle = (type: string, ...resources: object[]): object => ({
  resourceType: 'Bundle',
  type,
  entry: resources.map((resource) => ('resource' in resource || 'request' in resource ? resource : { resource })),
});
const patient = (more: object = {}): object => ({ resourceType: 'Patient', id: 'p1', ...more });
const weight = (more: object = {}): object => ({
  resourceType: 'Observation',
  id: 'o1',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
  subject: { reference: 'Patient/p1' },
  valueQuantity: { value: 70.5, unit: 'kg', code: 'kg' },
  ...more,
});
const refOf = (record: ClinicalRecord | undefined): unknown =>
  record !== undefined && 'patientRef' in record ? record.patientRef : undefined;

function references(node: unknown, owner: JsonObject, visit: (reference: string, owner: JsonObject) => void): void {
  if (Array.isArray(node)) node.forEach((one) => references(one, owner, visit));
  else if (isObject(node)) {
    if (typeof node['reference'] === 'string') visit(node['reference'], owner);
    Object.values(node).forEach((one) => references(one, owner, visit));
  }
}

describeWithData('Synthea R4 bundles (CL44, CL81)', () => {
  const folder = resolve(CLINICAL, 'synthea-r4');
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));

  test('every resource is read once and every reference resolves inside its own bundle', async () => {
    const counts: Record<string, number> = {};
    const identifiers: Record<string, number> = {};
    let resolved = 0;
    let dangling = 0;
    let withPatient = 0;
    for (const name of names) {
      const bytes = readFileSync(resolve(folder, name));
      const parsed = await readAs(fhir, bytes, { size: 65_536 });
      expect(faults(parsed)).toEqual([]);
      const records = values(parsed);
      const resources = new Map(records.map((record) => [record.raw.byteOffset, JSON.parse(record.raw.toString()) as JsonObject]));
      const index = new ReferenceIndex();
      for (const one of resources.values()) {
        const type = String(one['resourceType']);
        counts[type] = (counts[type] ?? 0) + 1;
        expect(index.add({ type, id: String(one['id']) }, `urn:uuid:${String(one['id'])}`, one)).toBe(true);
      }
      for (const one of resources.values())
        references(one, one, (reference, owner) => (index.resolve(reference, owner) === null ? dangling++ : resolved++));
      const people = new Set(records.flatMap((record) => (record.kind === 'patient' ? [record.patient.resourceId] : [])));
      for (const record of records) {
        if (record.kind === 'patient') {
          for (const { type } of record.patient.identifiers) identifiers[type] = (identifiers[type] ?? 0) + 1;
          expect(record.patient.birthDate).toMatch(/^\d{4}-\d\d-\d\d$/);
        } else if (record.patientRef !== null) {
          withPatient++;
          expect(people.has(record.patientRef)).toBe(true);
        }
      }
    }
    expect(names).toHaveLength(24);
    expect(counts).toEqual({
      Observation: 1145,
      Claim: 192,
      Immunization: 165,
      Encounter: 164,
      ExplanationOfBenefit: 164,
      Organization: 131,
      DiagnosticReport: 70,
      Condition: 66,
      Procedure: 56,
      Practitioner: 29,
      MedicationRequest: 28,
      Patient: 23,
      CarePlan: 13,
      ImagingStudy: 1,
    });
    expect(identifiers).toEqual({ OTHER: 23, MR: 23, SS: 23, DL: 20, PPN: 20 });
    expect([resolved, dangling]).toEqual([6942, 0]);
    // 2,064 resources of a patient; 99 observations hold two components each instead of a value.
    expect(withPatient).toBe(2064 + 99);
  });

  test('the bytes of a resource are those of the file', async () => {
    const bytes = readFileSync(resolve(folder, names[0] as string));
    for (const record of values(await readAs(fhir, bytes))) {
      expect(bytes.includes(record.raw)).toBe(true);
      expect(record.raw[0]).toBe(0x7b);
    }
  });

  test('its head is known as FHIR', () => {
    expect(fhir.sniff(readFileSync(resolve(folder, names[0] as string)).subarray(0, 4096), 'x.json')).toBe(true);
    expect(fhir.sniff(Buffer.from('{"header": {"schema_id": {}}}'), 'x.json')).toBe(false);
  });
});

describe('references to the patient', () => {
  const cases: [string, object[], unknown][] = [
    [
      'urn:uuid of a later entry',
      [weight({ subject: { reference: 'urn:uuid:u-1' } }), { fullUrl: 'urn:uuid:u-1', resource: patient() }],
      'p1',
    ],
    [
      'a POST without an id takes the id of its fullUrl',
      [weight({ subject: { reference: 'urn:uuid:u-1' } }), { fullUrl: 'urn:uuid:u-1', resource: patient({ id: undefined }) }],
      'u-1',
    ],
    ['relative, with a version', [weight({ subject: { reference: 'Patient/p1/_history/2' } })], 'p1'],
    [
      'absolute, of an entry',
      [weight({ subject: { reference: 'http://a.test/Patient/9' } }), { fullUrl: 'http://a.test/Patient/9', resource: patient() }],
      'p1',
    ],
    [
      'absolute, of another server, is not taken for the same id here',
      [weight({ subject: { reference: 'http://b.test/Patient/p1' } }), patient()],
      'http://b.test/Patient/p1',
    ],
    [
      'conditional',
      [weight({ subject: { reference: 'Patient?identifier=urn:x%7C7' } }), patient({ identifier: [{ system: 'urn:x', value: '7' }] })],
      'p1',
    ],
    ['conditional, outside the bundle', [weight({ subject: { reference: 'Patient?identifier=urn:x%7C7' } })], 'urn:x|7'],
    [
      'contained, by its identifier',
      [
        weight({
          subject: { reference: '#c' },
          contained: [{ resourceType: 'Patient', id: 'c', identifier: [{ system: 'urn:x', value: '7' }] }],
        }),
        patient({ identifier: [{ system: 'urn:x', value: '7' }] }),
      ],
      'p1',
    ],
    ['of a device', [weight({ subject: { reference: 'Device/d' } })], null],
  ];
  test.each(cases)('%s', async (_name, resources, expected) => {
    const parsed = await readAs(fhir, bundle('collection', ...resources));
    expect(faults(parsed)).toEqual([]);
    expect(refOf(values(parsed).find((record) => record.kind !== 'patient'))).toBe(expected);
  });

  test('an identifier of two patients decides nothing', async () => {
    const shared = { identifier: [{ system: 'urn:x', value: '7' }] };
    const parsed = await readAs(
      fhir,
      bundle(
        'collection',
        patient(shared),
        patient({ id: 'p2', ...shared }),
        weight({ subject: { reference: 'Patient?identifier=urn:x|7' } }),
      ),
    );
    expect(refOf(values(parsed)[2])).toBe('urn:x|7');
  });
});

describe('faults', () => {
  const broken: [string, object, string][] = [
    ['a birth date that no calendar has', patient({ birthDate: '2019-02-30' }), 'birthDate'],
    ['a gender that is no code', patient({ gender: 'm' }), 'gender'],
    ['a list that is an object', patient({ identifier: { value: '1' } }), 'identifier'],
    ['a dangling urn', weight({ subject: { reference: 'urn:uuid:none' } }), 'subject.reference'],
    ['a value that is text', weight({ valueQuantity: { value: '70' } }), 'valueQuantity.value'],
    ['a condition without a subject', { resourceType: 'Condition', id: 'c', code: { text: 'x' } }, 'subject'],
    ['no id', { resourceType: 'Group' }, 'id'],
  ];
  test.each(broken)('%s is named by its path; the rest of a collection is kept', async (_name, resource, path) => {
    const parsed = await readAs(fhir, bundle('collection', patient({ id: 'good' }), resource, weight({ id: 'good' })));
    expect(faults(parsed)).toEqual([['FHIR_RESOURCE', `Bundle.entry[1].resource.${path}`]]);
    expect(values(parsed)).toHaveLength(2);
    expect(parsed.map((one) => one.ordinal)).toEqual([0, 1, 2]);
  });

  test('a transaction is all or nothing', async () => {
    const parsed = await readAs(fhir, bundle('transaction', patient(), weight({ status: 'odd' })));
    expect(faults(parsed)).toEqual([
      ['FHIR_RESOURCE', 'Bundle.entry[0].resource'],
      ['FHIR_RESOURCE', 'Bundle.entry[1].resource.status'],
    ]);
  });

  test('a second entry of one id is refused', async () => {
    expect(faults(await readAs(fhir, bundle('collection', patient(), patient())))).toEqual([
      ['FHIR_RESOURCE', 'Bundle.entry[1].resource.id'],
    ]);
  });

  test('no reason holds a value from the data', async () => {
    const parsed = await readAs(fhir, bundle('collection', patient({ birthDate: 'SECRET', gender: 'SECRET' }), patient({ id: 'SECRET!' })));
    for (const one of parsed) if (!one.ok) expect(`${one.reason} ${one.place}`).not.toContain('SECRET');
    expect(faults(parsed)).toHaveLength(2);
  });

  const whole: [string, string | Buffer, object][] = [
    ['broken JSON', '{"resourceType":"Patient",\n "id": }', { code: 'JSON_INVALID', place: 'line 2 column 8' }],
    ['an early end', '{"resourceType":"Patient"', { code: 'JSON_INVALID', place: 'line 1 column 26' }],
    ['too deep', `{"resourceType":"Patient","x":${'['.repeat(64)}`, { code: 'LIMIT_RECORD' }],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), { code: 'ENCODING_INVALID' }],
    ['no bytes', '', { code: 'FILE_EMPTY' }],
    ['no resource', '{"a":1}', { code: 'FHIR_RESOURCE', place: 'resourceType' }],
    ['entries hidden behind an escape', '{"resourceType":"Bundle","\\u0065ntry":[{}]}', { code: 'FHIR_RESOURCE', place: 'Bundle.entry' }],
  ];
  test.each(whole)('%s refuses the file', async (_name, content, expected) => {
    await expect(readAs(fhir, content)).rejects.toMatchObject(expected);
  });
});

describe('NDJSON', () => {
  const lines = [
    JSON.stringify(patient()),
    '{"resourceType":"Patient",]',
    '',
    JSON.stringify(weight()),
    JSON.stringify(patient({ id: 'p2', birthDate: 'x' })),
  ].join('\r\n');

  test.each([1, 7, 65_536])('a broken line is one fault, in pieces of %d bytes', async (size) => {
    const parsed = await readAs(fhir, lines, { name: 'x.ndjson', size });
    expect(faults(parsed)).toEqual([
      ['JSON_INVALID', 'line 2 column 27'],
      ['FHIR_RESOURCE', 'line 5 Patient.birthDate'],
    ]);
    expect(values(parsed).map((record) => record.kind)).toEqual(['patient', 'observation']);
  });

  test('is known by its form when the name does not tell, and a pretty-printed bundle is not taken for it', async () => {
    expect(values(await readAs(fhir, `${JSON.stringify(patient())}\n${JSON.stringify(weight())}\n`, { size: 5 }))).toHaveLength(2);
    expect(values(await readAs(fhir, JSON.stringify(bundle('searchset', patient(), weight()), null, 1), { size: 5 }))).toHaveLength(2);
  });
});

describe('what is kept of a resource', () => {
  test('a patient of partial birth date, site, labels and synthetic mark', async () => {
    const [record] = values(
      await readAs(
        fhir,
        patient({
          birthDate: '1950-05',
          gender: 'female',
          deceasedBoolean: true,
          managingOrganization: { reference: 'Organization/north' },
          name: [
            { use: 'old', family: 'Before' },
            { use: 'official', family: 'Now', given: ['A', 'B'] },
          ],
          meta: { security: [{ code: 'R' }, { code: 'PSY' }], tag: [{ code: 'SYNTHETIC' }] },
        }),
      ),
    );
    expect(record?.kind === 'patient' ? record.patient : null).toMatchObject({
      resourceId: 'p1',
      birthDate: '1950-05',
      birthYear: 1950,
      sex: 'female',
      deceased: true,
      deceasedAt: null,
      site: 'north',
      given: 'A B',
      family: 'Now',
      labels: ['R', 'PSY'],
      synthetic: true,
    });
  });

  test('a site tag goes before the managing organisation', async () => {
    const [record] = values(
      await readAs(
        fhir,
        patient({ managingOrganization: { display: 'X' }, meta: { tag: [{ system: 'urn:thalamus:site', code: 'south' }] } }),
      ),
    );
    expect(record?.kind === 'patient' && record.patient.site).toBe('south');
  });

  test('components become records of their own, a comparator stays beside its value', async () => {
    const component = (code: string, value: number): object => ({
      code: { coding: [{ code }] },
      valueQuantity: { value, comparator: '<', unit: 'mmHg', code: 'mm[Hg]' },
    });
    const parsed = values(
      await readAs(fhir, weight({ valueQuantity: undefined, component: [component('8462-4', 80), component('8480-6', 120)] })),
    );
    expect(parsed).toMatchObject([
      { resourceId: 'o1#0', code: '8462-4', value: 80, unit: 'mm[Hg]', comparator: '<', patientRef: 'p1' },
      { resourceId: 'o1#1', code: '8480-6', value: 120 },
    ]);
  });

  test('a consent that is not understood is a record and a fault at each part', async () => {
    const consent = {
      resourceType: 'Consent',
      id: 'c',
      status: 'active',
      scope: { coding: [{ code: 'patient-privacy' }] },
      patient: { reference: 'Patient/p1' },
      provision: {
        type: 'permit',
        provision: [{ type: 'deny', purpose: [{ code: 'TREAT' }, { system: 'http://example.org/p', code: 'FooBar' }] }],
      },
    };
    const parsed = await readAs(fhir, bundle('transaction', patient(), consent));
    expect(faults(parsed)).toEqual([['FHIR_CONSENT', 'Bundle.entry[1].resource.provision.provision[0].purpose[1]']]);
    expect(values(parsed)[1]).toMatchObject({
      kind: 'consent',
      patientRef: 'p1',
      consent: { notUnderstood: ['Consent.provision.provision[0].purpose[1]'] },
    });
  });
});

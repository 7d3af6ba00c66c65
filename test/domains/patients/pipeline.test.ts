import 'reflect-metadata';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { generateCohort } from '../../../src/demo/index.js';
import type { CrosswalkRow } from '../../../src/domains/patients/formats/crosswalk.js';
import { crosswalk } from '../../../src/domains/patients/formats/crosswalk.js';
import { pipeline } from '../../../src/domains/patients/pipeline.js';
import { sensitivityOf, stageCrosswalk } from '../../../src/domains/patients/stage.js';
import { ISSUERS, type Staged } from '../../../src/kernel/index.js';
import { CLINICAL, describeWithData, readAs, values } from './formats/support.js';
import { ACT_REASON, V2_0203, assetOf, bundle, coded, person, registered, rowsOf, stageText, type Row } from './support.js';

const key = (one: { issuer: string; value: string }): string => `${one.issuer} ${one.value}`;
const linksOf = (rows: readonly CrosswalkRow[]): Extract<Staged, { kind: 'link' }>[] =>
  rows.flatMap((row) => [...stageCrosswalk(row)]).filter((one) => one.kind === 'link');

/** Columns that the runner fills. */
const FILLED = ['patient_id', 'site_id', 'source_digest', 'source_ordinal', 'ordinal'];

describe('a patient', () => {
  test('is registered with every key that names one person, the issuer as stated first', async () => {
    const [found] = registered(
      await stageText(
        person({
          identifier: [
            { system: 'urn:insurance', value: 'FAMILY-7' },
            { type: coded(V2_0203, 'MR'), system: 'urn:site-a', value: 'A1' },
            { type: coded(V2_0203, 'MR'), value: 'B2' },
            { system: 'http://hl7.org/fhir/sid/us-ssn', value: '999-00-1111' },
            { type: coded(V2_0203, 'DL'), system: 'urn:dmv', value: 'S1' },
            { type: coded(V2_0203, 'PPN'), value: 'X9' },
          ],
          meta: { tag: [{ system: 'urn:thalamus:site', code: 'north' }] },
        }),
      ),
    );
    expect(found?.keys.map(key)).toEqual([
      'urn:site-a A1',
      `${ISSUERS.fhir} p1`,
      `${ISSUERS.mrn} A1`,
      `${ISSUERS.mrn} B2`,
      'http://hl7.org/fhir/sid/us-ssn 999-00-1111',
      'urn:dmv S1',
    ]);
    expect(found).toMatchObject({ asset: 'patient', site: 'north', row: { mrn: 'A1', social_security_number: '999-00-1111' } });
  });

  test.each([
    ['1970-05-04', '1970-05-04', 1970],
    ['1970-05', null, 1970],
    ['1970', null, 1970],
  ])('born %s has a birth date only when it is complete', async (birthDate, date, year) => {
    expect(registered(await stageText(person({ birthDate })))[0]?.row).toMatchObject({ birth_date: date, birth_year: year });
  });

  test('is dead where only the fact is recorded', async () => {
    expect(registered(await stageText(person({ deceasedBoolean: true })))[0]?.row).toMatchObject({ deceased: true, deceased_at: null });
    expect(registered(await stageText(person({ deceasedDateTime: '2020-02' })))[0]?.row).toMatchObject({
      deceased: true,
      deceased_at: '2020-02-01T00:00:00.000Z',
    });
  });

  test('without a number that other files could name breaks the expectation', async () => {
    const { holds } = assetOf('patient').expectations.find((one) => one.name === 'patient_has_identifier') ?? {};
    expect(holds?.(registered(await stageText(person()))[0]?.row ?? {})).toBe(true);
    expect(holds?.(registered(await stageText(person({ identifier: [{ value: 'x' }] })))[0]?.row ?? {})).toBe(false);
  });
});

describe('a clinical fact', () => {
  const condition = (more: object): object => ({ resourceType: 'Condition', id: 'c1', subject: { reference: 'Patient/p1' }, ...more });
  const observation = (more: object): object => ({
    resourceType: 'Observation',
    id: 'o1',
    status: 'final',
    code: coded('http://loinc.org', '1-8'),
    subject: { reference: 'Patient/p1' },
    ...more,
  });

  test('has the start of a partial date, and the person as the source names it', async () => {
    const [found] = rowsOf(
      await stageText(condition({ code: coded('urn:icd', 'I10'), onsetDateTime: '2019', recordedDate: '2019-05-04T10:00:00+02:00' })),
      'condition',
    );
    expect(found?.keys).toEqual([{ issuer: ISSUERS.fhir, value: 'p1' }]);
    expect(found?.row).toMatchObject({
      condition_id: 'c1',
      code: 'I10',
      onset_at: '2019-01-01T00:00:00.000Z',
      recorded_at: '2019-05-04T08:00:00.000Z',
      sensitivity: 0,
    });
  });

  test('of a person named by an identifier has that issuer, and none without its system', async () => {
    const by = (reference: string): Promise<Staged[]> => stageText(condition({ subject: { reference } }));
    expect(rowsOf(await by('Patient?identifier=urn:site-a|A|1'), 'condition')[0]?.keys).toEqual([{ issuer: 'urn:site-a', value: 'A|1' }]);
    await expect(by('Patient?identifier=p1')).rejects.toMatchObject({ code: 'PATIENT_UNKNOWN' });
  });

  test('with a component has one row for each', async () => {
    const found = rowsOf(
      await stageText(
        observation({
          component: [1, 2].map((value) => ({ code: coded('http://loinc.org', `${value}-0`), valueQuantity: { value, code: 'mm[Hg]' } })),
        }),
      ),
      'observation',
    );
    expect(found.map(({ row }) => [row['observation_id'], row['value'], row['unit']])).toEqual([
      ['o1#0', 1, 'mm[Hg]'],
      ['o1#1', 2, 'mm[Hg]'],
    ]);
  });

  test('that is only a bound is not a value', async () => {
    const [found] = rowsOf(await stageText(observation({ valueQuantity: { value: 5, comparator: '<', code: 'ng/L' } })), 'observation');
    expect(found?.row).toMatchObject({ value: null, value_text: '<5', unit: 'ng/L' });
  });

  test('of another type is kept as it came, with its labels; one about nobody is not a row', async () => {
    const plan = {
      resourceType: 'CarePlan',
      id: 'k',
      subject: { reference: 'Patient/p1' },
      meta: { security: [{ code: 'V' }] },
      note: 1.5,
    };
    const staged = await stageText(bundle(plan, { resourceType: 'Organization', id: 'org' }));
    expect(staged).toHaveLength(1);
    const [found] = rowsOf(staged, 'fhir_resource');
    expect(found?.row).toMatchObject({ type: 'CarePlan', resource_id: 'k', sensitivity: 2 });
    expect(JSON.parse(String(found?.row['body']))).toEqual(plan);
  });

  test.each(['{"a":"\\u0000"}', '{"\\u0000":1}', '{"a":"\\ud800"}', '{"a":1e99999}'])(
    'with %s cannot be stored and is refused',
    async (extra) => {
      const text = `{"resourceType":"CarePlan","id":"k","subject":{"reference":"Patient/p1"},"x":${extra}}`;
      await expect(stageText(text)).rejects.toMatchObject({ code: 'FHIR_RESOURCE' });
      const sound = text.replace(extra, '"\\u00e9\\ud83d\\ude00 \\\\u0000 urn:uuid:1e99999-0"');
      expect(rowsOf(await stageText(sound), 'fhir_resource')).toHaveLength(1);
    },
  );

  test.each([
    [[], 0],
    [['N', 'HTEST'], 0],
    [['R'], 1],
    [['ETHUD', 'OPIOIDUD'], 1],
    [['HIV', 'V'], 2],
    [['a label nobody knows'], 1],
  ])('labelled %j has sensitivity %i', (labels, expected) => {
    expect(sensitivityOf(labels)).toBe(expected);
  });

  test('a further label never lowers the sensitivity', () => {
    const labels = fc.array(fc.constantFrom('U', 'N', 'R', 'V', 'ETH', 'HIV', 'odd'));
    fc.assert(fc.property(labels, labels, (some, more) => sensitivityOf([...some, ...more]) >= sensitivityOf(some)));
  });
});

describe('consent_effect', () => {
  const derived = pipeline.derived?.find((one) => one.table === 'consent_effect');
  const show = (stored: readonly Row[]): string[] =>
    (derived?.rows('P', stored) ?? []).map((row) =>
      ['purpose', 'categories', 'sensitivity_max', 'valid_from', 'valid_to'].map((column) => row[column]).join(' '),
    );
  const always = (effect: string): string => `${effect} -infinity infinity`;
  const purposes = (...codes: string[]): object[] => codes.map((code) => ({ system: ACT_REASON, code }));
  const CARE = ['TREAT', 'HPAYMT', 'HOPERAT'];

  const consent = (provision: { type: string }, more: object = {}): object => ({
    resourceType: 'Consent',
    id: 'k1',
    status: 'active',
    scope: coded('http://terminology.hl7.org/CodeSystem/consentscope', 'patient-privacy'),
    patient: { reference: 'Patient/p1' },
    dateTime: '2024-03-01T10:00:00+01:00',
    policyRule: coded('http://terminology.hl7.org/CodeSystem/v3-ActCode', provision.type === 'deny' ? 'OPTOUT' : 'OPTIN'),
    provision,
    ...more,
  });
  const research = { type: 'permit', purpose: purposes(...CARE, 'HRESCH') };
  const stored = async (...consents: object[]): Promise<Row[]> =>
    rowsOf(await stageText(bundle(...consents)), 'consent').map(({ row }) => row);

  test('follows from no consent as the implied permissions, which a registered person gets', () => {
    expect(derived).toMatchObject({ from: 'consent', alsoOnRegister: true });
    expect(show([])).toEqual(CARE.map((purpose) => always(`${purpose} 31 0`)));
  });

  const without = (category: string): object => ({
    ...research,
    provision: [{ type: 'deny', purpose: purposes('HRESCH'), class: [{ system: 'urn:thalamus:category', code: category }] }],
  });
  const later = { id: 'k2', dateTime: '2024-06-01' };
  test.each<[string, object[], string[]]>([
    ['research', [consent(research)], ['TREAT 31 2', 'HPAYMT 31 2', 'HOPERAT 31 2', 'HRESCH 31 2']],
    ['research without genomics', [consent(without('GENOMICS') as never)], ['TREAT 31 2', 'HPAYMT 31 2', 'HOPERAT 31 2', 'HRESCH 30 2']],
    ['research without notes', [consent(without('NOTES') as never)], ['TREAT 31 2', 'HPAYMT 31 2', 'HOPERAT 31 2', 'HRESCH 27 2']],
    ['care only', [consent({ type: 'permit', purpose: purposes(...CARE) } as never)], ['TREAT 31 2', 'HPAYMT 31 2', 'HOPERAT 31 2']],
    ['treatment only', [consent({ type: 'permit', purpose: purposes('TREAT') } as never)], ['TREAT 31 2']],
    ['a later denial', [consent(research), consent({ type: 'deny', purpose: purposes('HRESCH') } as never, later)], []],
    [
      'an ended consent and a later one for care',
      [consent(research, { status: 'inactive' }), consent({ type: 'permit', purpose: purposes(...CARE) } as never, later)],
      ['TREAT 31 2', 'HPAYMT 31 2', 'HOPERAT 31 2'],
    ],
    ['a part that is not understood', [consent({ ...research, securityLabel: [{ code: 'ODD' }] } as never)], []],
  ])('of %s', async (_name, consents, expected) => {
    expect(show(await stored(...consents))).toEqual(expected.map(always));
  });

  test('of a period has its bounds', async () => {
    const rows = await stored(consent({ type: 'deny', period: { start: '2025', end: '2025-06' } } as never));
    expect(show(rows)).toEqual(
      CARE.flatMap((purpose) => [
        `${purpose} 31 0 -infinity 2025-01-01T00:00:00.000Z`,
        `${purpose} 31 0 2025-07-01T00:00:00.000Z infinity`,
      ]),
    );
  });

  test('is the same whether the driver parses json or not', async () => {
    const rows = await stored(consent(without('NOTES') as never));
    expect(show(rows.map((row) => ({ ...row, provisions: JSON.parse(String(row['provisions'])) as unknown })))).toEqual(show(rows));
  });

  test('a consent with text that cannot be stored is kept as a denial, never refused', async () => {
    const text = JSON.stringify(consent(research)).replace('"status"', '"language":"\\u0000","status"');
    const rows = rowsOf(await stageText(text), 'consent').map(({ row }) => row);
    expect(rows).toMatchObject([{ consent_id: 'k1', understood: false, provisions: '[]' }]);
    expect(show(rows)).toEqual([]);
    expect(assetOf('consent').expectations[0]?.holds(rows[0] ?? {})).toBe(false);
  });
});

describe('a row of a crosswalk', () => {
  const row: CrosswalkRow = {
    personKey: 'P1',
    mrn: 'A1',
    fhirPatientId: 'p1',
    sampleId: 'HG1',
    dicomPatientId: 'D1',
    dicomIssuer: 'urn:pacs',
    deviceId: 'Watch.fit',
    basis: 'SYNTHETIC',
  };

  test('links the keys of all modalities to the person', () => {
    const [link] = linksOf([row]);
    expect(link?.anchors.map(key)).toEqual([`${ISSUERS.mrn} A1`, `${ISSUERS.fhir} p1`]);
    expect(link?.keys.map(key)).toEqual([
      `${ISSUERS.sample} HG1`,
      'urn:pacs D1',
      `${ISSUERS.dicom} D1`,
      `${ISSUERS.device} Watch.fit`,
      `${ISSUERS.device} watch.fit`,
      `${ISSUERS.mrn} A1`,
      `${ISSUERS.fhir} p1`,
    ]);
    expect(link?.basis).toBe('SYNTHETIC');
  });

  test('that only proposes, or names nobody, is refused', () => {
    expect(() => linksOf([{ ...row, basis: 'PROBABILISTIC' }])).toThrow(expect.objectContaining({ code: 'CROSSWALK_ROW' }));
    expect(() => linksOf([{ ...row, mrn: null, fhirPatientId: null }])).toThrow(expect.objectContaining({ code: 'CROSSWALK_ROW' }));
  });
});

test('staged rows hold the columns of their asset and no others', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cohort-'));
  try {
    const summary = await generateCohort({ patients: 60, seed: 7, outDir: folder, now: Date.UTC(2026, 0, 1) });
    const files = readdirSync(join(folder, 'clinical'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
    const staged: Staged[] = [];
    for (const file of files) staged.push(...(await stageText(readFileSync(join(folder, 'clinical', file)))));
    expect(registered(staged)).toHaveLength(60);
    for (const one of staged) {
      if (one.kind === 'link') throw new Error('FHIR yields no link');
      const { columns, expectations } = assetOf(one.asset);
      expect([...Object.keys(one.row), ...FILLED.filter((name) => name in columns)].sort()).toEqual(Object.keys(columns).sort());
      for (const { holds } of expectations) expect(holds(one.row)).toBe(true);
    }
    expect(rowsOf(staged, 'condition').filter(({ row }) => row['sensitivity'] === 1)).toHaveLength(summary.part2);
    const known = new Set(registered(staged).flatMap((one) => one.keys.map(key)));
    const links = linksOf(values(await readAs(crosswalk, readFileSync(join(folder, 'crosswalk.csv')))));
    expect(links).toHaveLength(60);
    for (const link of links) expect(link.anchors.map(key).filter((name) => !known.has(name))).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describeWithData('Synthea', () => {
  const folder = resolve(CLINICAL, 'synthea-r4');
  const staged: Staged[][] = [];
  beforeAll(async () => {
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json')))
      staged.push(await stageText(readFileSync(join(folder, file))));
  });

  test('every person is registered, and every row is about a person of its own file', () => {
    for (const file of staged) {
      const known = new Set(registered(file).flatMap((one) => one.keys.map(key)));
      for (const one of file) if (one.kind === 'row') expect(one.keys?.some((name) => known.has(key(name)))).toBe(true);
    }
    const all = staged.flat();
    expect(registered(all)).toHaveLength(23);
    expect(registered(all).map(({ keys }) => keys.filter(({ issuer }) => issuer === 'http://hl7.org/fhir/sid/us-ssn').length)).toEqual(
      new Array(23).fill(1),
    );
    expect(rowsOf(all, 'condition')).toHaveLength(66);
    const types = rowsOf(all, 'fhir_resource').map(({ row }) => row['type']);
    expect(['Claim', 'Immunization', 'Encounter', 'DiagnosticReport'].map((type) => types.filter((one) => one === type).length)).toEqual([
      192, 165, 164, 70,
    ]);
    expect(new Set(rowsOf(all, 'observation').map(({ row }) => String(row['observation_id']).split('#')[0])).size).toBe(1145);
  });

  test('the rows meet the expectations that quarantine', () => {
    for (const one of staged.flat()) {
      if (one.kind === 'link') continue;
      for (const { action, holds } of assetOf(one.asset).expectations) if (action === 'quarantine') expect(holds(one.row)).toBe(true);
    }
  });

  test('the crosswalk links all 23 persons by both keys, and no key to two of them', async () => {
    const links = linksOf(values(await readAs(crosswalk, readFileSync(resolve(CLINICAL, 'crosswalk.SYNTHETIC.csv')))));
    expect(links).toHaveLength(23);
    const known = new Map(registered(staged.flat()).flatMap((one, at) => one.keys.map((name): [string, number] => [key(name), at])));
    for (const link of links) {
      const persons = link.anchors.map((anchor) => known.get(key(anchor)));
      expect(persons[0]).toBeDefined();
      expect(new Set(persons).size).toBe(1);
      expect(link.basis).toBe('SYNTHETIC');
    }
    const samples = links.flatMap(({ keys }) => keys.filter(({ issuer }) => issuer === ISSUERS.sample));
    expect(samples).toHaveLength(18);
    const all = links.flatMap(({ keys }) => keys.map(key));
    expect(new Set(all).size).toBe(all.length);
  });
});

import { principalOf } from '../../src/cli/who.js';
import { OPERATOR } from '../../src/cli/wire.js';
import { ask } from '../../src/gateway/index.js';
import { ingestPaths } from '../../src/pipeline/index.js';
import type { Principal } from '../../src/kernel/index.js';
import { openTestMesh, type TestMesh } from '../support/mesh.js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

jest.setTimeout(60_000);

let mesh: TestMesh;
let folder: string;
let patient: string;
beforeAll(async () => {
  mesh = await openTestMesh();
  folder = mkdtempSync(join(tmpdir(), 'thalamus-consent-'));
  await load('person', [
    {
      resourceType: 'Patient',
      id: 'labelled',
      meta: { tag: [{ system: 'urn:thalamus:site', code: 'north' }] },
      identifier: [{ type: concept('http://terminology.hl7.org/CodeSystem/v2-0203', 'MR'), system: 'urn:test', value: 'L-1' }],
      birthDate: '1970-01-01',
    },
    condition('asthma', 'J45', '2022-03-01', 'Practitioner/x'),
    condition('gout', 'M10', '2020-03-01', 'Practitioner/y'),
  ]);
  const { rows } = await mesh.pools.owner.query<{ id: string }>(`select patient_id as id from patient where mrn = 'L-1'`);
  patient = rows[0]?.id ?? '';
}, 180_000);
afterAll(async () => {
  await mesh.close();
  rmSync(folder, { recursive: true, force: true });
});

const concept = (system: string, code: string): object => ({ coding: [{ system, code }] });
const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem';

function condition(id: string, code: string, onset: string, author: string, ...labels: string[]): object {
  return {
    resourceType: 'Condition',
    id,
    meta: { security: labels.map((label) => ({ system: `${TERMINOLOGY}/v3-ActCode`, code: label })) },
    subject: { reference: 'Patient/labelled' },
    recorder: { reference: author },
    code: concept('http://hl7.org/fhir/sid/icd-10-cm', code),
    onsetDateTime: onset,
  };
}

const consent = (id: string, dateTime: string, provision: object): object => ({
  resourceType: 'Consent',
  id,
  status: 'active',
  scope: concept(`${TERMINOLOGY}/consentscope`, 'patient-privacy'),
  patient: { reference: 'Patient/labelled' },
  dateTime,
  provision,
});
const purposes = (...codes: string[]): object[] => codes.map((code) => ({ system: `${TERMINOLOGY}/v3-ActReason`, code }));

async function load(name: string, resources: readonly object[]): Promise<void> {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify({ resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) }));
  expect(await ingestPaths([file], mesh.pipeline(OPERATOR))).toMatchObject({ ingested: 1 });
}

/** Everything that the clinician learns of the person's conditions, as text, and their codes. */
async function seen(more: Partial<Principal> = {}): Promise<{ codes: string[]; count: number | null }> {
  const query = `query($id: ID!) { patient(id: $id) { conditions(first: 9) { totalCount edges { node { code } } } } }`;
  const answer = await ask(mesh.mesh, { ...principalOf('clinician'), ...more }, { query, variables: { id: patient } });
  expect(answer.errors).toEqual([]);
  const person = (answer.data as { patient: { conditions: { totalCount: number; edges: { node: { code: string } }[] } } | null }).patient;
  if (person === null) return { codes: [], count: null };
  return { codes: person.conditions.edges.map(({ node }) => node.code).sort(), count: person.conditions.totalCount };
}

test('records of substance use treatment change nothing without a consent, and appear on the next request with one', async () => {
  const before = await seen();
  expect(before).toEqual({ codes: ['J45', 'M10'], count: 2 });
  await load('part2', [condition('opioid', 'F11.20', '2022-03-01', 'Practitioner/x', 'OPIOIDUD')]);
  expect(await seen()).toEqual(before);
  await load('agreed', [
    consent('c1', '2024-01-01', { type: 'permit', purpose: purposes('TREAT'), securityLabel: [{ code: 'N' }, { code: 'ETH' }] }),
  ]);
  expect(await seen()).toEqual({ codes: ['F11.20', 'J45', 'M10'], count: 3 });
});

test('a withdrawal acts on the next request', async () => {
  await load('withdrawn', [
    consent('c2', '2024-02-01', {
      type: 'permit',
      purpose: purposes('TREAT'),
      provision: [{ type: 'deny', securityLabel: [{ code: 'ETH' }] }],
    }),
  ]);
  expect(await seen()).toEqual({ codes: ['J45', 'M10'], count: 2 });
});

test('a permission to one recipient is for the caller who is that recipient', async () => {
  const actor = [{ role: concept(`${TERMINOLOGY}/v3-ParticipationType`, 'IRCP'), reference: { reference: 'Practitioner/ex' } }];
  const provision = { type: 'permit', purpose: purposes('TREAT'), securityLabel: [{ code: 'N' }] };
  await load('focused', [
    consent('c3', '2024-03-01', { ...provision, provision: [{ type: 'permit', securityLabel: [{ code: 'ETH' }], actor }] }),
  ]);
  expect((await seen()).codes).toEqual(['J45', 'M10']);
  expect((await seen({ identities: ['Practitioner/other'] })).codes).toEqual(['J45', 'M10']);
  expect((await seen({ identities: ['Practitioner/ex'] })).codes).toEqual(['F11.20', 'J45', 'M10']);
});

test('a denied author and a denied period hide rows, not the person', async () => {
  const except = (denied: object): object => ({ type: 'permit', purpose: purposes('TREAT'), provision: [{ type: 'deny', ...denied }] });
  await load('author', [
    consent('c4', '2024-04-01', except({ data: [{ meaning: 'authoredby', reference: { reference: 'Practitioner/x' } }] })),
  ]);
  expect((await seen()).codes).toEqual(['M10']);
  await load('period', [consent('c5', '2024-05-01', except({ dataPeriod: { start: '2019', end: '2021' } }))]);
  expect((await seen()).codes).toEqual(['F11.20', 'J45']);
  await load('only', [
    consent('c6', '2024-06-01', { type: 'permit', purpose: purposes('TREAT'), dataPeriod: { start: '2019', end: '2021' } }),
  ]);
  expect(await seen()).toEqual({ codes: ['M10'], count: 1 });
  await load('none', [consent('c7', '2024-07-01', { type: 'deny' })]);
  expect(await seen()).toEqual({ codes: [], count: null });
});

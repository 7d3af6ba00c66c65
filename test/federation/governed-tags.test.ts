import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMesh, type Running } from '../../src/cli/wire.js';
import { principalOf } from '../../src/cli/who.js';
import { ask } from '../../src/gateway/index.js';
import { Patient, entityOf } from '../../src/kernel/index.js';
import { TEST_NOW, openTestMesh, type TestMesh } from '../support/mesh.js';

let whole: TestMesh;
const opened: Running[] = [];
const home = mkdtempSync(join(tmpdir(), 'thalamus-part-'));

beforeAll(async () => {
  whole = await openTestMesh();
}, 60_000);
afterAll(async () => {
  for (const each of opened) await each.close();
  await whole.close();
  rmSync(home, { recursive: true, force: true });
}, 20_000);

/** Puts a document in force as two persons would. */
async function inForce(document: unknown): Promise<void> {
  const { governance } = whole.mesh.parts;
  const by = (actor: string) => ({ reason: 'for a test', actor, now: TEST_NOW });
  const { version } = await governance.propose({ document, digest: 'd', impact: [], ...by('one') });
  await governance.decide({ version, approve: true, ...by('another') });
  await whole.mesh.refresh();
}

const tags = { 'gov.sealed': 'Sealed for a test' };

it('a process of one product starts under tags on what others serve, and holds to those on persons', async () => {
  await inForce({ tags, assets: { 'patients.patient': ['gov.sealed'], 'notes.note.body': ['gov.sealed'] } });
  const part = await openMesh({ engine: whole.engine, home, products: ['genomics'], clock: () => TEST_NOW });
  opened.push(part);
  expect(part.mesh.classification.rowTags(entityOf(Patient))).toContain('gov.sealed');
  const answer = await ask(part.mesh, principalOf('clinician'), { query: '{ variants(first: 1) { edges { node { id } } } }' });
  expect(answer.errors).toEqual([]);
});

it('a tag on a column bars every model that reads it', async () => {
  const query = `mutation($ids: [ID!]!) { runFusion(input: { modelId: "heart-failure-demo", patientIds: $ids }) { results { mask missing { modality reason } } } }`;
  const { rows } = await whole.pools.owner.query<{ id: string }>(
    `select p.patient_id as id from patient p join note n using (patient_id) join observation o using (patient_id) where p.site_id = 'north' and p.sensitivity = 0 limit 1`,
  );
  const masks = async (): Promise<string> =>
    JSON.stringify(await ask(whole.mesh, principalOf('clinician'), { query, variables: { ids: [rows[0]?.id] } }));
  await inForce({});
  const before = await masks();
  await inForce({ tags, assets: { 'notes.note_concept.code': ['gov.sealed'] } });
  const after = await masks();
  expect(before).toContain('"mask"');
  expect(before).not.toContain('"modality":"NOTES"');
  expect(after).toContain('"modality":"NOTES"');
});

it('a tag on a column takes the sort keys and packed forms of its dataset along', async () => {
  await inForce({ tags, assets: { 'imaging.imaging_study.started_at': ['gov.sealed'] } });
  const sorted = '{ imagingStudies(first: 1, orderBy: STARTED_AT_DESC) { edges { node { id } } } }';
  const plain = '{ imagingStudies(first: 1) { edges { node { id } } } }';
  expect((await ask(whole.mesh, principalOf('clinician'), { query: plain })).errors).toEqual([]);
  expect((await ask(whole.mesh, principalOf('clinician'), { query: sorted })).errors.map((each) => each.code)).toEqual(['BAD_INPUT']);
  await inForce({});
  expect((await ask(whole.mesh, principalOf('clinician'), { query: sorted })).errors).toEqual([]);
});

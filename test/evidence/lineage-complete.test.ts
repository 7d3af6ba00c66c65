import { TEST_NOW, openTestMesh, type TestMesh } from '../support/mesh.js';
import { askAfterRevocation, askBlindSpot, askEntities, blindSpots, somePersons } from '../lineage/blind-spots.js';
import { runLineageCampaign } from '../lineage/campaign.js';
import { Tally } from '../lineage/check.js';
import { Oracle } from '../lineage/oracle.js';
import { hookDriver, traced } from '../lineage/trace.js';

/** Recorded lineage against what Postgres says that the executed statements read: nothing is missing, and nothing is said that was not read. */
const QUERIES = 36;
let mesh: TestMesh;
let oracle: Oracle;
const unhook = hookDriver();

beforeAll(async () => {
  mesh = await openTestMesh(() => TEST_NOW + 86_400_000);
  oracle = new Oracle(mesh.pools.owner);
}, 180_000);
afterAll(async () => {
  unhook();
  await mesh.close();
});

test('the blind spots of lineage are none', async () => {
  const persons = await somePersons(mesh.pools.owner);
  for (const spot of blindSpots(persons)) {
    const { checked, wrong } = await askBlindSpot(mesh, oracle, spot);
    expect({ name: spot.name, wrong, missed: checked.missed, extra: checked.extra }).toEqual({
      name: spot.name,
      wrong: null,
      missed: [],
      extra: [],
    });
  }
  for (const checked of [await askEntities(mesh, oracle, 'clinician', persons), await askAfterRevocation(mesh, oracle, 'clinician')]) {
    expect([checked.missed, checked.extra]).toEqual([[], []]);
    expect(checked.read).toBeGreaterThan(2);
  }
}, 30_000);

test(`${QUERIES} random questions on both paths are recorded as they were read`, async () => {
  const tally = new Tally();
  const { paths } = await runLineageCampaign(mesh, oracle, tally, { seed: 20_260_601, queries: QUERIES });
  const { recall, precision, columns_read: read, missed, extra } = tally.report;
  expect({ recall, precision, missed, extra }).toEqual({ recall: 1, precision: 1, missed: [], extra: [] });
  expect(read).toBeGreaterThan(QUERIES * 5);
  expect(paths['compiled']).toBeGreaterThan(5);
  expect(paths['reference']).toBeGreaterThan(5);
}, 30_000);

test('the oracle sees columns wherever they stand, and refuses what it cannot see into', async () => {
  const { statements } = await traced(() =>
    mesh.pools.reader.query(
      'select p.sex from patient p where exists (select 1 from note n where n.patient_id = p.patient_id) order by p.birth_year, $1::text',
      [''],
    ),
  );
  expect([...(await oracle.read(statements))]).toEqual(['note.patient_id', 'patient.birth_year', 'patient.patient_id', 'patient.sex']);
  await expect(oracle.read([{ text: 'select row_to_json(p) from patient p', name: null }])).rejects.toThrow('whole row');
  await expect(oracle.read([{ text: 'delete from patient', name: null }])).rejects.toThrow('not on the list');
});

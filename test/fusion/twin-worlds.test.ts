import { ask, type Answer } from '../../src/gateway/index.js';
import { DEMO_MODEL } from '../../src/cli/demo.js';
import { principalOf } from '../../src/cli/who.js';
import { openTestMesh, type TestMesh } from '../support/mesh.js';

/**
 * Two databases that differ only in notes which a person withholds from research: nobody in research may be able to tell them apart
 * (spec fusion F8, patients CL94).
 */
const NOTES = 4;
let withheld: TestMesh;
let absent: TestMesh;
let patient: string;

beforeAll(async () => {
  withheld = await openTestMesh();
  absent = await openTestMesh();
  const { rows } = await withheld.pools.owner.query<{ patient_id: string }>(
    `select n.patient_id from note n join consent_effect c on c.patient_id = n.patient_id and c.purpose = 'HRESCH'
      where n.sensitivity = 0 group by n.patient_id having bool_and(c.categories & $1 = 0) order by n.patient_id limit 1`,
    [NOTES],
  );
  patient = rows[0]!.patient_id;
  for (const table of ['note_concept', 'note_section', 'note'])
    await absent.pools.owner.query(`delete from ${table} where patient_id = $1`, [patient]);
}, 120_000);
afterAll(async () => {
  await withheld.close();
  await absent.close();
});

const plain = ({ data, errors, path }: Answer): string =>
  JSON.stringify({ data, errors, path }).replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) =>
    id === patient ? 'patient' : 'id',
  );

async function both(who: string, query: string, variables: Record<string, unknown>): Promise<[string, string]> {
  const question = { query, variables };
  return [plain(await ask(withheld.mesh, principalOf(who), question)), plain(await ask(absent.mesh, principalOf(who), question))];
}

test('the worlds do differ: the clinician reads the notes in the one and finds none in the other', async () => {
  const notes = async (mesh: TestMesh): Promise<number> =>
    (await mesh.pools.owner.query<{ n: number }>('select count(*)::int as n from note where patient_id = $1', [patient])).rows[0]!.n;
  expect(await notes(withheld)).toBeGreaterThan(0);
  expect(await notes(absent)).toBe(0);
});

test.each([['analyst'], ['engineer']])('a fusion run of the %s is the same in both', async (who) => {
  const query = `mutation Run($input: RunFusionInput!) { runFusion(input: $input) { modelVersion results {
    patientId status probability labelSet mask missing { modality reason } contributions { modality contribution } abstainReason warnings } } }`;
  const [one, other] = await both(who, query, { input: { modelId: DEMO_MODEL, patientIds: [patient], explain: true } });
  expect(one).toContain('UNAVAILABLE');
  expect(one).toBe(other);
});

test('lists, counts and searches of the analyst are the same in both', async () => {
  const query = `query Look($id: ID!) { patient(id: $id) { noteCount notes(first: 5) { totalCount pageInfo { hasNextPage endCursor } edges { node { id body } } }
    noteConcepts(first: 5) { totalCount edges { node { code } } } } }`;
  const [one, other] = await both('analyst', query, { id: patient });
  expect(one).toContain('"noteCount":0');
  expect(one).toBe(other);
});

test('what the caller may see of the run itself is the same in both', async () => {
  const input = { modelId: DEMO_MODEL, patientIds: [patient] };
  const facts = async ({ mesh }: TestMesh): Promise<unknown> => {
    const run = await ask(mesh, principalOf('analyst'), {
      query: 'mutation Run($input: RunFusionInput!) { runFusion(input: $input) { modelVersion } }',
      variables: { input },
    });
    const query = 'query L($id: ID!) { lineage(id: $id) { kind patientCount facts plan { columns decisions } } }';
    return (await ask(mesh, principalOf('analyst'), { query, variables: { id: run.lineageId } })).data;
  };
  const [one, other] = [await facts(withheld), await facts(absent)];
  expect(one).toMatchObject({ lineage: { kind: 'mutation', patientCount: 1 } });
  expect(one).toEqual(other);
});

test('the lineage of a run names the columns behind the features, and those of no barred modality', async () => {
  const query = 'mutation Run($input: RunFusionInput!) { runFusion(input: $input) { modelVersion } }';
  const answer = await ask(withheld.mesh, principalOf('analyst'), {
    query,
    variables: { input: { modelId: DEMO_MODEL, patientIds: [patient] } },
  });
  const found = await ask(withheld.mesh, principalOf('analyst'), {
    query: 'query L($id: ID!) { lineage(id: $id) { versions plan { columns } } }',
    variables: { id: answer.lineageId },
  });
  const { lineage } = found.data as {
    lineage: { versions: Record<string, number>; plan: { columns: { coordinate: string; source: string; type: string }[] } };
  };
  const direct = lineage.plan.columns.filter((each) => each.type === 'DIRECT').map((each) => `${each.coordinate}: ${each.source}`);
  expect(direct).toContain('features NOTES: note_concept.negation');
  expect(direct).toContain('features GENOMICS: genotype_block.codes');
  // Wearables are not open to analysts as model input, so nothing of them was read.
  expect(direct.filter((each) => each.includes('wear_chunk'))).toEqual([]);
  expect(lineage.versions['note_concept']).toBeGreaterThan(0);
});

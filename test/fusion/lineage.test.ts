import { DEMO_MODEL } from '../../src/cli/demo.js';
import { principalOf } from '../../src/cli/who.js';
import { ask } from '../../src/gateway/index.js';
import { openTestMesh, type TestMesh } from '../support/mesh.js';

/** The record of every fusion run names the model by its digest, what each modality supplied, what was missing, and what the model was trained on. */
interface Facts {
  readonly model: { readonly id: string; readonly version: string; readonly hash: string };
  readonly training: { readonly data: string; readonly lineageId: string };
  readonly inputs: Readonly<Record<string, { readonly features: string; readonly supply: string; readonly persons: number }>>;
  readonly groups: readonly {
    readonly status: string;
    readonly used: readonly string[];
    readonly missing: Readonly<Record<string, string>>;
    readonly results: number;
  }[];
}
interface Result {
  readonly status: string;
  readonly mask: readonly string[] | null;
  readonly missing: readonly { readonly modality: string; readonly reason: string }[] | null;
}

const NOBODY = '00000000-0000-7000-8000-000000000000';
const RUN = `mutation Run($input: RunFusionInput!) { runFusion(input: $input) { modelVersion lineageId
  results { status mask missing { modality reason } } } }`;
const TRAIN = 'mutation Train($input: TrainFusionInput!) { trainFusionModel(input: $input) { hash lineageId } }';
let mesh: TestMesh;
let ids: string[];

beforeAll(async () => {
  mesh = await openTestMesh();
  const { rows } = await mesh.pools.owner.query<{ id: string }>('select patient_id as id from patient order by mrn');
  ids = rows.map((row) => row.id);
}, 120_000);
afterAll(async () => {
  await mesh.close();
});

const one = async <T>(query: string, ...values: unknown[]): Promise<T> =>
  (await mesh.pools.owner.query<{ v: T }>(query, values)).rows[0]!.v;
const factsOf = (runId: string): Promise<Facts> => one<Facts>('select facts as v from lineage_run where run_id = $1', runId);

async function run(who: string, input: Record<string, unknown>): Promise<{ facts: Facts; results: Result[]; lineageId: string }> {
  const answer = await ask(mesh.mesh, principalOf(who), { query: RUN, variables: { input: { modelId: DEMO_MODEL, ...input } } });
  expect(answer.errors).toEqual([]);
  const { results } = (answer.data as { runFusion: { results: Result[] } }).runFusion;
  return { facts: await factsOf(answer.lineageId), results, lineageId: answer.lineageId };
}

const groupOf = ({ status, mask, missing }: Result): string =>
  JSON.stringify([status, mask ?? [], (missing ?? []).map(({ modality, reason }) => [modality, reason]).sort()]);

test.each([
  ['engineer', {}],
  ['engineer', { modalities: ['NOTES', 'IMAGING'] }],
  ['analyst', {}],
])('every result of a run of the %s with %j lies in a group of its record', async (who, more) => {
  const { facts, results } = await run(who, { patientIds: [...ids, NOBODY], ...more });
  const told = new Map(
    facts.groups.map((each) => [JSON.stringify([each.status, each.used, Object.entries(each.missing).sort()]), each.results] as const),
  );
  const counted = new Map<string, number>();
  for (const result of results) counted.set(groupOf(result), (counted.get(groupOf(result)) ?? 0) + 1);
  expect([...told].sort()).toEqual([...counted].sort());
  expect([...told.values()].reduce((sum, n) => sum + n, 0)).toBe(results.length);
});

test('the model is named by the digest that the register holds, and each of its modalities by the version of its features', async () => {
  const { facts } = await run('engineer', { patientIds: ids });
  const [hash, modalities] = await Promise.all([
    one<string>('select hash as v from fusion_model where model_id = $1', DEMO_MODEL),
    one<string[]>('select modalities as v from fusion_model where model_id = $1', DEMO_MODEL),
  ]);
  expect(facts.model.hash).toBe(hash);
  expect(Object.keys(facts.inputs).sort()).toEqual([...modalities].sort());
  for (const { features, supply } of Object.values(facts.inputs)) {
    expect(features).toMatch(/\S/);
    expect(supply).toBe('READ');
  }
});

test('the version of the training data leads to the record of the training, and is that of the data', async () => {
  const { facts } = await run('engineer', { patientIds: ids.slice(0, 3) });
  expect(facts.training.data).toMatch(/^[0-9a-f]{64}$/);
  const training = await factsOf(facts.training.lineageId);
  expect(training.training.data).toBe(facts.training.data);
  const versions = await one<Record<string, number>>('select versions as v from lineage_run where run_id = $1', facts.training.lineageId);
  expect(Object.keys(versions)).toEqual(expect.arrayContaining(['condition', 'imaging_instance', 'note_concept', 'wear_chunk']));
});

test('a training on other data has another version of them', async () => {
  const variables = { input: { modelId: 'other', label: 'condition', code: 'I50.9', modalities: ['NOTES', 'IMAGING'] } };
  const train = async (): Promise<Facts> => {
    const answer = await ask(mesh.mesh, principalOf('engineer'), { query: TRAIN, variables });
    expect(answer.errors).toEqual([]);
    return factsOf(answer.lineageId);
  };
  const [first, again] = [await train(), await train()];
  expect(again.training.data).toBe(first.training.data);
  await mesh.pools.owner.query(
    `update note_concept set negation = 'NEGATED' where patient_id in (select distinct patient_id from note_concept order by 1 limit 40)`,
  );
  expect((await train()).training.data).not.toBe(first.training.data);
}, 60_000);

import { principalOf } from '../../src/cli/who.js';
import { ask } from '../../src/gateway/index.js';
import { askMany, type Asked } from '../replay/world.js';
import { openTestMesh, TEST_NOW, type TestMesh } from '../support/mesh.js';

let mesh: TestMesh;
let now = TEST_NOW + 86_400_000;
beforeAll(async () => {
  mesh = await openTestMesh(() => now);
}, 90_000);
afterAll(() => mesh.close(), 20_000);

const REPLAY =
  'query R($receipt: ReceiptInput!) { replay(receipt: $receipt) { id verdict recordedDigest replayedDigest changes { what name } } }';

interface Told {
  readonly verdict: string;
  readonly recordedDigest: string;
  readonly replayedDigest: string | null;
  readonly changes: readonly { readonly what: string; readonly name: string }[];
}

async function replay(who: string, receipt: Record<string, unknown>): Promise<Told> {
  const answer = await ask(mesh.mesh, principalOf(who), { query: REPLAY, variables: { receipt } });
  const told = (answer.data as { replay: Told } | null)?.replay;
  if (!told) throw new Error(answer.errors.map((error) => `${error.code} ${error.message}`).join('; '));
  return told;
}

const PATIENT =
  'query P($n: Int!) { patients(first: $n) { edges { node { id familyName city observations(first: 5) { edges { node { code value } } } } } } }';

describe('a past answer', () => {
  it('comes out byte for byte the same, on either path and for every caller', async () => {
    const asked: Asked[] = await askMany(mesh, 11, 60);
    const told: { readonly each: Asked; readonly told: Told }[] = [];
    for (const each of asked) told.push({ each, told: await replay('officer', { id: each.runId }) });
    expect(told.filter(({ told: { verdict, changes } }) => verdict !== 'EQUAL' && changes.some(({ what }) => what !== 'dataset'))).toEqual(
      [],
    );
    expect(told.filter(({ told: { verdict } }) => verdict === 'EQUAL').length).toBeGreaterThan(50);
  }, 60_000);

  it('comes out the same after the data have changed, though the same question has another answer now', async () => {
    const query = { query: PATIENT, variables: { n: 5 } };
    const before = await ask(mesh.mesh, principalOf('clinician'), query);
    now += 1_000;
    await mesh.pools.owner.query(`update patient set city = 'Elsewhere', family_name = 'Changed'`);
    const after = await ask(mesh.mesh, principalOf('clinician'), query);
    expect(after.data).not.toEqual(before.data);
    for (const { lineageId } of [before, after])
      expect(await replay('clinician', { id: lineageId })).toMatchObject({ verdict: 'EQUAL', changes: [] });
  });

  it('is told only to whoever may see its record, and unknown, foreign and forged receipts look alike', async () => {
    const own = await ask(mesh.mesh, principalOf('clinician'), { query: PATIENT, variables: { n: 1 } });
    const receipt = { ...own.receipt };
    expect((await replay('clinician', receipt)).verdict).toBe('EQUAL');
    const refusals = await Promise.all(
      [
        ['analyst', receipt],
        ['clinician', { id: '00000000-0000-7000-8000-000000000000' }],
        ['clinician', { ...receipt, checkpoint: String(receipt.checkpoint).replace(/\n\u2014 (\S+) \S+\n$/u, '\n\u2014 $1 AAAAAAAA\n') }],
        ['clinician', { ...receipt, checkpoint: 'x' }],
      ].map(([who, given]) => replay(who as string, given as Record<string, unknown>).catch((error: unknown) => String(error))),
    );
    expect(new Set(refusals)).toEqual(new Set(['Error: NOT_FOUND There is no such answer.']));
  });

  it('names what was not kept: a mutation is not asked again, and erased persons are counted', async () => {
    const own = await ask(mesh.mesh, principalOf('clinician'), { query: PATIENT, variables: { n: 2 } });
    const id = (own.data as { patients: { edges: { node: { id: string } }[] } }).patients.edges[0]?.node.id ?? '';
    await mesh.mesh.parts.evidence.keys.destroy(id);
    expect(await replay('officer', { id: own.lineageId })).toMatchObject({ verdict: 'ERASED', changes: [{ what: 'persons', name: '1' }] });
    const again = await replay('officer', { id: own.lineageId });
    expect(again.replayedDigest).toBeNull();
  });

  it('leaves the counts that the caller is told as they were', async () => {
    const books = async (): Promise<unknown> => (await mesh.pools.owner.query('select count(*) from disclosed_set')).rows;
    const counted = await ask(mesh.mesh, principalOf('analyst'), { query: '{ patientCount patients(sex: "female") { totalCount } }' });
    const before = await books();
    expect((await replay('officer', { id: counted.lineageId })).verdict).toBe('EQUAL');
    expect(await books()).toEqual(before);
  });
});

/** Operations that are denied, whole or in part. */
import { DEMO_MODEL } from '../../../src/cli/demo.js';
import { ask, askAs, codesOf, column, like, openWorld, statementsDuring, type World } from './support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 180_000);
afterAll(() => world.close(), 20_000);

/** Rows of every table that is not evidence of the asking itself. */
async function counts(): Promise<Record<string, number>> {
  const tables = await column<string>(
    world,
    `select relname::text as value from pg_class where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace
      and relname not in ('audit_log', 'lineage_run', 'lineage_plan', 'lineage_patient_set', 'audit_head', 'audit_checkpoint', 'lineage_caller', 'person_key', 'bulk_meter') order by 1`,
  );
  const entries: [string, number][] = [];
  for (const table of tables) entries.push([table, (await column<number>(world, `select count(*)::int as value from ${table}`))[0] ?? -1]);
  return Object.fromEntries(entries);
}

const PROPOSE = (alias: string): string => `${alias}: proposePolicy(document: {}, reason: "a reason that is long enough") { version }`;

describe('ATK-58 a mutation that may be done in part', () => {
  it('with one field that the class does not have is refused whole: nobody writes a row', async () => {
    const before = await counts();
    const file = 'file: { name: "n.txt", contentBase64: "bm90ZQ==" }';
    for (const [who, query] of [
      ['officer', `mutation { ${PROPOSE('a')} ingestPatients(${file}) { status } }`],
      ['officer', `mutation { ingestNotes(${file}) { status } ${PROPOSE('b')} }`],
      ['steward', `mutation { ${PROPOSE('a')} runFusion(input: { modelId: "${DEMO_MODEL}", patientIds: ["x"] }) { modelId } }`],
      ['engineer', `mutation { runFusion(input: { modelId: "${DEMO_MODEL}", patientIds: ["x"] }) { modelId } ${PROPOSE('b')} }`],
    ] as const) {
      const reply = await ask(world, who, query);
      expect([who, reply.status, codesOf(reply)[0], reply.body.data ?? null]).toEqual([who, 400, 'BAD_INPUT', null]);
    }
    expect(await counts()).toEqual(before);
  });

  it('with a part that is denied as it runs keeps what was done, and the denied part leaves no row', async () => {
    const [before] = await column<number>(world, 'select coalesce(max(version), 0) as value from policy_event');
    const [epoch] = await column<number>(world, 'select policy as value from governance_epoch');
    const version = Number(before) + 1;
    const rows = await counts();
    const reply = await ask(
      world,
      'steward',
      `mutation { ${PROPOSE('a')} b: decidePolicy(version: ${version}, approve: true, reason: "I approve my own") { status } }`,
    );
    // The field is not null, so that its denial takes the data of the answer along; the refusal itself is told.
    expect([codesOf(reply), reply.body.data ?? null]).toEqual([['FORBIDDEN'], null]);
    const events = await column<string>(world, 'select kind as value from policy_event where version = $1', [version]);
    expect([events, await column<number>(world, 'select policy as value from governance_epoch')]).toEqual([['proposed'], [epoch]]);
    const after = await counts();
    expect({ ...after, policy_event: 0 }).toEqual({ ...rows, policy_event: 0 });
    expect(after['policy_event']).toBe(Number(rows['policy_event']) + 1);
    const [code] = await column<string>(world, `select record::jsonb ->> 'code' as value from audit_log a where (log_id, seq) = ($1, $2)`, [
      reply.body.extensions?.receipt?.logId,
      reply.body.extensions?.receipt?.logIndex,
    ]);
    expect(code).toBe('FORBIDDEN');
  });

  it('a denied part that comes first writes nothing, and what follows it is not done in its name', async () => {
    const rows = await counts();
    const reply = await ask(
      world,
      'officer',
      'mutation { a: decidePolicy(version: 9999, approve: true, reason: "there is no such version") { status } b: decidePolicy(version: 9998, approve: true, reason: "there is no such version") { status } }',
    );
    expect([codesOf(reply)[0], reply.body.data ?? null]).toEqual(['NOT_FOUND', null]);
    expect(await counts()).toEqual(rows);
  });

  it('a file of which a part is refused stores the rest, and of the refused part its reason only', async () => {
    const person = (id: string, more: object) => ({
      resourceType: 'Patient',
      id,
      identifier: [{ type: { coding: [{ code: 'MR' }] }, system: 'urn:test:mrn', value: id }],
      ...more,
    });
    const data = Buffer.from(
      [
        person('part-ok', { gender: 'female' }),
        { resourceType: 'Observation', id: 'orphan', status: 'final', subject: { reference: 'Patient/nobody-here' } },
      ]
        .map((each) => JSON.stringify(each))
        .join('\n'),
    ).toString('base64');
    const before = await counts();
    const reply = await ask(
      world,
      'steward',
      `mutation { ingestPatients(file: { name: "part.ndjson", contentBase64: "${data}" }) { status quarantined } }`,
    );
    const after = await counts();
    expect([reply.text.slice(0, 300), after['observation']]).toEqual([expect.stringContaining('partly'), before['observation']]);
    expect(after['patient']).toBe(Number(before['patient']) + 1);
  });
});

describe('ATK-60 a fusion run on a patient without consent', () => {
  const RUN = `mutation Run($input: RunFusionInput!) { runFusion(input: $input) { modelVersion results {
    patientId status probability baseline labelSet mask missing { modality reason } contributions { modality contribution } abstainReason warnings } } }`;
  /** Tables that features of any modality are made from. */
  const INPUTS = /\b(?:genotype_block|variant|callset|imaging_\w+|note|note_\w+|wear_\w+|wearable_\w+|condition|observation)\b/;
  const run = (who: string, patientIds: readonly string[]) =>
    statementsDuring(world, () =>
      askAs(world, like(who), { query: RUN, variables: { input: { modelId: DEMO_MODEL, patientIds, explain: true } } }),
    );
  const withConsent = (purpose: string, permitted: boolean): Promise<string[]> =>
    column<string>(
      world,
      `select patient_id::text as value from patient p where (exists (select 1 from consent_effect c where c.patient_id = p.patient_id and c.purpose = $1 and c.categories = 31)) = $2
        and not exists (select 1 from consent_effect c where c.patient_id = p.patient_id and c.purpose = $1 and c.categories <> 31) order by 1`,
      [purpose, permitted],
    );

  it.each(['analyst', 'engineer'])('of the %s is DENIED as for an unknown person, and no table of model inputs is read', async (who) => {
    const [none = ''] = await withConsent('HRESCH', false);
    const unknown = '00000000-0000-7000-8000-000000000000';
    const { statements, result } = await run(who, [none, unknown, none]);
    expect(codesOf(result)).toEqual([]);
    const bare = {
      probability: null,
      baseline: null,
      labelSet: null,
      mask: null,
      missing: null,
      contributions: null,
      abstainReason: null,
      warnings: null,
    };
    expect((result.body.data?.['runFusion'] as { results: unknown }).results).toEqual(
      [none, unknown, none].map((patientId) => ({ patientId, status: 'DENIED', ...bare })),
    );
    const read = statements.map(({ text }) => text).filter((text) => INPUTS.test(text) && !/insert into|dataset_version/.test(text));
    expect([statements.length > 3, read]).toEqual([true, []]);
    const [persons] = await column<number>(world, 'select patients as value from lineage_run where run_id = $1', [
      result.body.extensions?.lineageId,
    ]);
    expect(persons).toBe(0);
  });

  it('beside one with consent, the person without is in no statement that reads model inputs', async () => {
    const [none = ''] = await withConsent('HRESCH', false);
    const [some = ''] = await withConsent('HRESCH', true);
    const { statements, result } = await run('analyst', [none, some]);
    const { results } = result.body.data?.['runFusion'] as { results: { patientId: string; status: string }[] };
    expect(results.map(({ patientId, status }) => [patientId, status === 'DENIED'])).toEqual([
      [none, true],
      [some, false],
    ]);
    const reading = statements.filter(({ text }) => INPUTS.test(text) && !/insert into|dataset_version/.test(text));
    expect(reading.length).toBeGreaterThan(0);
    expect(reading.filter(({ values }) => JSON.stringify(values ?? []).includes(none))).toEqual([]);
    expect(reading.some(({ values }) => JSON.stringify(values).includes(some))).toBe(true);
  });

  it('of a clinician of another site is DENIED and reads nothing', async () => {
    const [south = ''] = await column<string>(
      world,
      `select patient_id::text as value from patient where site_id = 'south' order by 1 limit 1`,
    );
    const { statements, result } = await run('clinician', [south]);
    expect((result.body.data?.['runFusion'] as { results: { status: string }[] }).results.map((each) => each.status)).toEqual(['DENIED']);
    expect(statements.filter(({ text }) => INPUTS.test(text) && !/insert into|dataset_version/.test(text)).map(({ text }) => text)).toEqual(
      [],
    );
  });

  it('where consent leaves one modality out, that one is not used and not told from one never collected', async () => {
    const [id = ''] = await column<string>(
      world,
      `select c.patient_id::text as value from consent_effect c where c.purpose = 'HRESCH' and c.categories & 4 = 0 and exists (select 1 from note n where n.patient_id = c.patient_id) order by 1 limit 1`,
    );
    const { result } = await run('analyst', [id]);
    const [one] = (result.body.data?.['runFusion'] as { results: { mask: string[]; missing: { modality: string; reason: string }[] }[] })
      .results;
    expect([one?.mask.includes('NOTES'), one?.missing]).toEqual([
      false,
      expect.arrayContaining([{ modality: 'NOTES', reason: 'UNAVAILABLE' }]),
    ]);
  });
});

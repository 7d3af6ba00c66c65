import { LIMITS, newUuid } from '../../src/kernel/index.js';
import { ask, codesOf, column, openWorld, type World } from './support.js';
import { GRAPH, IMPACT, BIRTHS, YEAR, walk, told, graph, runOf, kinds, ids, days, personOf } from './lineage-support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world.close(), 20_000);

describe('the graph of lineage', () => {
  let analystRun: string;
  let clinicianRun: string;

  it('leads from a run back to the files behind it, for a steward', async () => {
    analystRun = runOf(await ask(world, 'analyst', BIRTHS));
    clinicianRun = runOf(await ask(world, 'clinician', BIRTHS));
    const back = await graph(world, 'steward', [`run:${analystRun}`], 'UPSTREAM');
    expect(kinds(back)).toEqual(expect.arrayContaining(['COLUMN', 'DATASET', 'FIELD', 'FILE', 'PLAN', 'RUN']));
    expect(back.nodes.find((node) => node.id === YEAR)).toEqual({
      id: YEAR,
      kind: 'COLUMN',
      name: 'patients.patient.birth_year',
      hidden: false,
    });
    const year = back.edges.filter((edge) => edge.from === YEAR && edge.to.endsWith('#Patient.birthYear'));
    expect(year.map((edge) => edge.type)).toContain('DIRECT');
    const loaded = back.edges.filter((edge) => edge.from.startsWith('file:') && edge.to === 'dataset:patient');
    const files = await column<string>(
      world,
      `select count(distinct result_digest)::text as value from lineage_run where kind = 'ingest' and versions ? 'patient' and code is null`,
    );
    expect(new Set(loaded.map((edge) => edge.from)).size).toBe(Number(files[0]));
    expect(loaded.every((edge) => Number(edge.version) > 0)).toBe(true);
    expect(ids(back)).not.toContain('hidden');
  });

  it('leads from a column on to callers and from training to results', async () => {
    const on = await graph(world, 'steward', [YEAR], 'DOWNSTREAM');
    expect(ids(on)).toEqual(
      expect.arrayContaining([`run:${analystRun}`, 'principal:demo-analyst', `run:${clinicianRun}`, 'principal:demo-clinician']),
    );
    const [learned = ''] = await column<string>(
      world,
      `select e->>'source' as value from lineage_run r join lineage_plan p using (plan_digest), jsonb_array_elements(p.columns) e
       where r.facts->'model' ? 'known' and e->>'type' = 'DIRECT' and e->>'coordinate' like 'features %' limit 1`,
    );
    const model = (await graph(world, 'steward', [`column:${learned}`], 'DOWNSTREAM')).nodes.find((node) => node.kind === 'MODEL');
    expect(model?.id).toMatch(/^model:.+@[0-9a-f]{12}$/);
    const ran = await ask(
      world,
      'clinician',
      `mutation { runFusion(input: { modelId: "${(model?.name ?? '').split('@')[0]}", patientIds: ["${personOf(await ask(world, 'clinician', BIRTHS))}"] }) { runId } }`,
    );
    const results = await graph(world, 'officer', [`run:${runOf(ran)}`], 'UPSTREAM', 3);
    expect(results.edges).toContainEqual(expect.objectContaining({ from: model?.id, to: `run:${runOf(ran)}` }));
    expect(results.edges.filter((edge) => edge.to === model?.id).map((edge) => edge.from)).toEqual([expect.stringMatching(/^run:/)]);
  });

  it('tells how many runs of one caller on one day an edge stands for', async () => {
    const [plan = ''] = ids(await graph(world, 'steward', [`run:${analystRun}`], 'UPSTREAM', 1)).filter((id) => id.startsWith('plan:'));
    const before = (await graph(world, 'steward', [plan], 'DOWNSTREAM', 1)).edges;
    const again = runOf(await ask(world, 'analyst', BIRTHS));
    const after = (await graph(world, 'steward', [plan], 'DOWNSTREAM', 1)).edges;
    expect(before.map((edge) => edge.runs)).toEqual([1]);
    expect(after).toEqual([{ from: plan, to: `run:${again}`, type: null, masking: null, runs: 2, version: null }]);
  });

  it('folds what a caller may not see into one node of which nothing is told', async () => {
    await ask(world, 'clinician', '{ patients(first: 3) { edges { node { id givenName birthYear } } } }');
    const own = await graph(world, 'analyst', [YEAR]);
    const hidden = own.nodes.filter((node) => node.hidden);
    expect(hidden).toEqual([{ id: 'hidden', kind: 'HIDDEN', name: null, hidden: true }]);
    for (const edge of own.edges.filter((each) => each.from === 'hidden' || each.to === 'hidden'))
      expect([edge.type, edge.masking, edge.runs, edge.version]).toEqual([null, null, null, null]);
    expect(own.edges.filter((edge) => edge.to === 'hidden').length).toBe(
      new Set(own.edges.filter((edge) => edge.to === 'hidden').map((edge) => edge.from)).size,
    );
    expect(ids(own)).toContain('principal:demo-analyst');
    expect(JSON.stringify(own)).not.toMatch(/clinician|given_name|steward|file:/);
    expect(JSON.stringify(own)).not.toContain(clinicianRun);
    // A steward sees the same column without anything hidden.
    expect(ids(await graph(world, 'steward', [YEAR]))).not.toContain('hidden');
  });

  it('answers alike for a node that is hidden and one that is not there', async () => {
    const refused = async (root: string): Promise<unknown> => {
      const reply = await walk(world, 'analyst', [root]);
      return (reply.body.errors ?? []).map(({ message, extensions }) => [message, extensions.code, extensions['place']]);
    };
    const theirs = (await column<string>(world, 'select plan_digest as value from lineage_run where run_id = $1', [clinicianRun]))[0] ?? '';
    const [file = ''] = await column<string>(world, 'select digest as value from raw_file limit 1');
    const pairs = [
      [`run:${clinicianRun}`, `run:${newUuid(world.now)}`],
      [`plan:${theirs}`, `plan:${'0'.repeat(64)}`],
      [`field:${theirs}#Patient.birthYear`, `field:${'0'.repeat(64)}#Patient.birthYear`],
      [`file:${file}`, `file:${'0'.repeat(64)}`],
      ['column:audit_log.record', 'column:audit_log.no_such_column'],
      ['dataset:audit_log', 'dataset:no_such_table'],
      ['principal:demo-clinician', 'principal:nobody'],
    ];
    for (const [hidden = '', absent = ''] of pairs) {
      expect(await refused(hidden)).toEqual([['There is no such node.', 'NOT_FOUND', 'roots.0']]);
      expect(await refused(absent)).toEqual(await refused(hidden));
      expect(codesOf(await walk(world, 'steward', [hidden], 'UPSTREAM', 0))).toEqual([]);
    }
  });

  it('has limits, and names them', async () => {
    for (const wrong of [
      { roots: [] },
      { roots: ['patient'] },
      { roots: ['column:PATIENT.x'] },
      { roots: [YEAR], depth: -1 },
      { roots: [YEAR], direction: 'UP' },
    ])
      expect(codesOf(await ask(world, 'steward', GRAPH, wrong))).toEqual(['BAD_INPUT']);
    for (const wide of [
      { roots: Array.from({ length: LIMITS.lineage_roots_max + 1 }, () => YEAR) },
      { roots: [YEAR], depth: LIMITS.lineage_depth_max + 1 },
    ])
      expect(codesOf(await ask(world, 'steward', GRAPH, wide))).toEqual(['LIMIT_EXCEEDED']);
    await world.running.pools.owner.query(
      `insert into lineage_load select 'patient', i, lpad(i::text, 64, '0'), gen_random_uuid(), now(), 'x', null from generate_series(100001, 100001 + $1::int) i`,
      [LIMITS.lineage_nodes_max],
    );
    expect(codesOf(await walk(world, 'steward', ['dataset:patient'], 'UPSTREAM', 1))).toEqual(['LIMIT_EXCEEDED']);
    await world.running.pools.owner.query('delete from lineage_load where version > 100000');
  });
});

describe('impact of a column', () => {
  it('tells plans, fields, purposes, callers and models, and others only their own', async () => {
    const all = told(await ask(world, 'steward', IMPACT, { column: 'patient.birth_year', ...days(world) }), 'impact') as {
      runs: number;
      purposes: { purpose: string }[];
      principals: { principal: string }[];
      plans: { runs: number }[];
    };
    const [counted] = await column<number>(
      world,
      `select count(*)::int as value from lineage_run r join lineage_plan p using (plan_digest)
       where r.code is null and r.at >= $1 and r.at < $2 and p.columns @> '[{"source":"patient.birth_year"}]'`,
      [days(world).from, days(world).to],
    );
    expect(all.runs).toBe(counted);
    expect(all.plans.reduce((sum, plan) => sum + plan.runs, 0)).toBe(counted);
    expect(all.purposes.map((each) => each.purpose)).toEqual(expect.arrayContaining(['HRESCH', 'TREAT']));
    expect(all.principals.map((each) => each.principal)).toEqual(expect.arrayContaining(['demo-analyst', 'demo-clinician']));
    const own = told(await ask(world, 'clinician', IMPACT, { column: 'patient.birth_year', ...days(world) }), 'impact') as {
      runs: number;
      principals: unknown;
      purposes: { purpose: string }[];
    };
    expect(own.principals).toBeNull();
    expect(own.purposes.map((each) => each.purpose)).toEqual(['TREAT']);
    expect(own.runs).toBeLessThan(all.runs);
  });

  it('names the models that learned from it', async () => {
    const reply = await ask(world, 'steward', IMPACT, { column: 'consent_effect.purpose', ...days(world) });
    expect((told(reply, 'impact') as { models: string[] }).models).toEqual(
      await column<string>(world, 'select id as value from fusion_model'),
    );
  });

  it('answers alike for a column that is hidden and one that is not there', async () => {
    const code = async (name: string, who: string): Promise<unknown> =>
      ((await ask(world, who, IMPACT, { column: name, ...days(world) })).body.errors ?? []).map((each) => [
        each.message,
        each.extensions.code,
      ]);
    expect(await code('audit_log.record', 'analyst')).toEqual([['There is no such column.', 'NOT_FOUND']]);
    expect(await code('patient.nothing', 'analyst')).toEqual(await code('audit_log.record', 'analyst'));
    expect(await code('patient', 'steward')).toEqual([[expect.any(String), 'BAD_INPUT']]);
    const back = { column: 'patient.birth_year', from: days(world).to, to: days(world).from };
    expect(codesOf(await ask(world, 'steward', IMPACT, back))).toEqual(['BAD_INPUT']);
  });
});

import { principalOf } from '../../src/cli/who.js';
import { ask as askMesh } from '../../src/gateway/index.js';
import { LIMITS, newUuid, type Principal } from '../../src/kernel/index.js';
import { ask, codesOf, column, openWorld, type Reply, type World } from './support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world.close(), 20_000);

interface Node {
  readonly id: string;
  readonly kind: string;
  readonly name: string | null;
  readonly hidden: boolean;
}
interface Edge {
  readonly from: string;
  readonly to: string;
  readonly type: string | null;
  readonly masking: boolean | null;
  readonly runs: number | null;
  readonly version: number | null;
}
interface Graph {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
}

const GRAPH = `query G($roots: [String!]!, $depth: Int, $direction: String) { lineageGraph(roots: $roots, depth: $depth, direction: $direction) {
  nodes { id kind name hidden } edges { from to type masking runs version } } }`;
const IMPACT = `query I($column: String!, $from: LocalDate!, $to: LocalDate!) { impact(column: $column, from: $from, to: $to) {
  column runs firstAt lastAt plans { plan runs fields { coordinate type masking } } purposes { purpose runs } principals { principal runs } models } }`;
const SAW = `query S($id: ID!, $from: DateTimeISO!, $to: DateTimeISO!, $first: Int, $after: String) {
  whoSaw(patientId: $id, from: $from, to: $to, first: $first, after: $after) { next
    sightings { run at principal roles purpose plan document breakGlass } } }`;
const BIRTHS = '{ patients(first: 5) { edges { node { id birthYear } } } }';
const YEAR = 'column:patient.birth_year';

const walk = (who: string, roots: readonly string[], direction = 'BOTH', depth = 6): Promise<Reply> =>
  ask(world, who, GRAPH, { roots, depth, direction });
const told = (reply: Reply, field: string): unknown => {
  expect(codesOf(reply)).toEqual([]);
  return reply.body.data?.[field];
};
const graph = async (...args: Parameters<typeof walk>): Promise<Graph> => told(await walk(...args), 'lineageGraph') as Graph;
const runOf = (reply: Reply): string => {
  expect(codesOf(reply)).toEqual([]);
  return reply.body.extensions?.lineageId ?? '';
};
const kinds = ({ nodes }: Graph): string[] => [...new Set(nodes.map((node) => node.kind))].sort();
const ids = ({ nodes }: Graph): string[] => nodes.map((node) => node.id);
const instant = (ms: number): string => new Date(ms).toISOString();
const days = (): { from: string; to: string } => ({
  from: instant(world.now - 86_400_000).slice(0, 10),
  to: instant(world.now + 86_400_000).slice(0, 10),
});
const span = (): { from: string; to: string } => ({ from: instant(world.now - 86_400_000), to: instant(world.now + 86_400_000) });
const personOf = (reply: Reply): string => {
  const { patients } = reply.body.data as { patients: { edges: { node: { id: string } }[] } };
  return patients.edges[0]?.node.id ?? '';
};

describe('the graph of lineage', () => {
  let analystRun: string;
  let clinicianRun: string;

  it('leads from a run back to the files behind it, for a steward', async () => {
    analystRun = runOf(await ask(world, 'analyst', BIRTHS));
    clinicianRun = runOf(await ask(world, 'clinician', BIRTHS));
    const back = await graph('steward', [`run:${analystRun}`], 'UPSTREAM');
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
    const on = await graph('steward', [YEAR], 'DOWNSTREAM');
    expect(ids(on)).toEqual(
      expect.arrayContaining([`run:${analystRun}`, 'principal:demo-analyst', `run:${clinicianRun}`, 'principal:demo-clinician']),
    );
    const [learned = ''] = await column<string>(
      world,
      `select e->>'source' as value from lineage_run r join lineage_plan p using (plan_digest), jsonb_array_elements(p.columns) e
       where r.facts->'model' ? 'known' and e->>'type' = 'DIRECT' and e->>'coordinate' like 'features %' limit 1`,
    );
    const model = (await graph('steward', [`column:${learned}`], 'DOWNSTREAM')).nodes.find((node) => node.kind === 'MODEL');
    expect(model?.id).toMatch(/^model:.+@[0-9a-f]{12}$/);
    const ran = await ask(
      world,
      'clinician',
      `mutation { runFusion(input: { modelId: "${(model?.name ?? '').split('@')[0]}", patientIds: ["${personOf(await ask(world, 'clinician', BIRTHS))}"] }) { runId } }`,
    );
    const results = await graph('officer', [`run:${runOf(ran)}`], 'UPSTREAM', 3);
    expect(results.edges).toContainEqual(expect.objectContaining({ from: model?.id, to: `run:${runOf(ran)}` }));
    expect(results.edges.filter((edge) => edge.to === model?.id).map((edge) => edge.from)).toEqual([expect.stringMatching(/^run:/)]);
  });

  it('tells how many runs of one caller on one day an edge stands for', async () => {
    const [plan = ''] = ids(await graph('steward', [`run:${analystRun}`], 'UPSTREAM', 1)).filter((id) => id.startsWith('plan:'));
    const before = (await graph('steward', [plan], 'DOWNSTREAM', 1)).edges;
    const again = runOf(await ask(world, 'analyst', BIRTHS));
    const after = (await graph('steward', [plan], 'DOWNSTREAM', 1)).edges;
    expect(before.map((edge) => edge.runs)).toEqual([1]);
    expect(after).toEqual([{ from: plan, to: `run:${again}`, type: null, masking: null, runs: 2, version: null }]);
  });

  it('folds what a caller may not see into one node of which nothing is told', async () => {
    await ask(world, 'clinician', '{ patients(first: 3) { edges { node { id givenName birthYear } } } }');
    const own = await graph('analyst', [YEAR]);
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
    expect(ids(await graph('steward', [YEAR]))).not.toContain('hidden');
  });

  it('answers alike for a node that is hidden and one that is not there', async () => {
    const refused = async (root: string): Promise<unknown> => {
      const reply = await walk('analyst', [root]);
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
      expect(codesOf(await walk('steward', [hidden], 'UPSTREAM', 0))).toEqual([]);
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
    expect(codesOf(await walk('steward', ['dataset:patient'], 'UPSTREAM', 1))).toEqual(['LIMIT_EXCEEDED']);
    await world.running.pools.owner.query('delete from lineage_load where version > 100000');
  });
});

describe('impact of a column', () => {
  it('tells plans, fields, purposes, callers and models, and others only their own', async () => {
    const all = told(await ask(world, 'steward', IMPACT, { column: 'patient.birth_year', ...days() }), 'impact') as {
      runs: number;
      purposes: { purpose: string }[];
      principals: { principal: string }[];
      plans: { runs: number }[];
    };
    const [counted] = await column<number>(
      world,
      `select count(*)::int as value from lineage_run r join lineage_plan p using (plan_digest)
       where r.code is null and r.at >= $1 and r.at < $2 and p.columns @> '[{"source":"patient.birth_year"}]'`,
      [days().from, days().to],
    );
    expect(all.runs).toBe(counted);
    expect(all.plans.reduce((sum, plan) => sum + plan.runs, 0)).toBe(counted);
    expect(all.purposes.map((each) => each.purpose)).toEqual(expect.arrayContaining(['HRESCH', 'TREAT']));
    expect(all.principals.map((each) => each.principal)).toEqual(expect.arrayContaining(['demo-analyst', 'demo-clinician']));
    const own = told(await ask(world, 'clinician', IMPACT, { column: 'patient.birth_year', ...days() }), 'impact') as {
      runs: number;
      principals: unknown;
      purposes: { purpose: string }[];
    };
    expect(own.principals).toBeNull();
    expect(own.purposes.map((each) => each.purpose)).toEqual(['TREAT']);
    expect(own.runs).toBeLessThan(all.runs);
  });

  it('names the models that learned from it', async () => {
    const reply = await ask(world, 'steward', IMPACT, { column: 'consent_effect.purpose', ...days() });
    expect((told(reply, 'impact') as { models: string[] }).models).toEqual(
      await column<string>(world, 'select id as value from fusion_model'),
    );
  });

  it('answers alike for a column that is hidden and one that is not there', async () => {
    const code = async (name: string, who: string): Promise<unknown> =>
      ((await ask(world, who, IMPACT, { column: name, ...days() })).body.errors ?? []).map((each) => [each.message, each.extensions.code]);
    expect(await code('audit_log.record', 'analyst')).toEqual([['There is no such column.', 'NOT_FOUND']]);
    expect(await code('patient.nothing', 'analyst')).toEqual(await code('audit_log.record', 'analyst'));
    expect(await code('patient', 'steward')).toEqual([[expect.any(String), 'BAD_INPUT']]);
    const back = { column: 'patient.birth_year', from: days().to, to: days().from };
    expect(codesOf(await ask(world, 'steward', IMPACT, back))).toEqual(['BAD_INPUT']);
  });
});

describe('who saw a person', () => {
  interface Page {
    readonly next: string | null;
    readonly sightings: readonly { run: string; principal: string; purpose: string; document: string; breakGlass: boolean }[];
  }
  let person: string;

  it('tells every answer once, page by page, and touches the person', async () => {
    const first = await ask(world, 'clinician', BIRTHS);
    person = personOf(first);
    const runs = [runOf(first), runOf(await ask(world, 'clinician', `{ patient(id: "${person}") { birthYear } }`))];
    const { from } = span();
    world.now += 1_000;
    const to = instant(world.now - 1);
    const reply = await ask(world, 'officer', SAW, { id: person, from, to });
    const whole = told(reply, 'whoSaw') as Page;
    expect(whole.sightings.map((each) => each.run)).toEqual(expect.arrayContaining(runs));
    expect(whole.sightings.find((each) => each.run === runs[1])).toMatchObject({
      principal: 'demo-clinician',
      purpose: 'TREAT',
      breakGlass: false,
      document: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    const pages: string[] = [];
    for (let after: string | null = null; ;) {
      const page: Page = told(await ask(world, 'officer', SAW, { id: person, from, to, first: 2, after }), 'whoSaw') as Page;
      pages.push(...page.sightings.map((each) => each.run));
      after = page.next;
      if (after === null) break;
    }
    expect(pages).toEqual(whole.sightings.map((each) => each.run));
    const [patients] = await column<number>(world, 'select patients as value from lineage_run where run_id = $1', [runOf(reply)]);
    expect(patients).toBe(1);
    expect(codesOf(await ask(world, 'officer', SAW, { id: person, ...span(), after: 'x' }))).toEqual(['CURSOR_INVALID']);
  });

  it('marks what stood on broken glass', async () => {
    const stranger =
      (await column<string>(world, `select patient_id::text as value from patient where site_id <> 'north' limit 1`))[0] ?? '';
    const open = `mutation { breakGlass(patientId: "${stranger}", reason: "unconscious in the emergency room", minutes: 5) { id } }`;
    const { id: glass } = told(await ask(world, 'clinician', open), 'breakGlass') as { id: string };
    const read = runOf(await ask(world, 'clinician', `{ patient(id: "${stranger}") { birthYear } }`));
    const page = told(await ask(world, 'officer', SAW, { id: stranger, ...span() }), 'whoSaw') as Page;
    expect(page.sightings.find((each) => each.run === read)).toMatchObject({ breakGlass: true });
    world.now += 6 * 60_000;
    const found = told(
      await ask(
        world,
        'officer',
        `{ examineLog(from: "${span().from}", to: "${span().to}") { findings { kind at principal subject runs persons usual } unanswerable } }`,
      ),
      'examineLog',
    ) as { findings: { kind: string; subject: string }[]; unanswerable: string[] };
    expect(found.findings).toContainEqual(
      expect.objectContaining({ kind: 'UNREVIEWED_BREAK_GLASS', subject: glass, principal: 'demo-clinician' }),
    );
    expect(found.unanswerable.length).toBeGreaterThan(0);
  });

  it('is for the privacy officer, and a person of elsewhere is as unknown', async () => {
    for (const who of ['analyst', 'clinician', 'steward', 'engineer']) {
      const text = `{ whoSaw(patientId: "${person}", from: "${span().from}", to: "${span().to}") { next } }`;
      expect(codesOf(await ask(world, who, text))).toEqual(['BAD_INPUT']);
    }
    const local: Principal = { ...principalOf('officer'), sites: ['nowhere'] };
    const refused = async (id: string): Promise<unknown> =>
      (
        await askMesh(world.running.mesh, local, {
          query: `{ whoSaw(patientId: "${id}", from: "${span().from}", to: "${span().to}") { next } }`,
        })
      ).errors.map(({ code, message }) => [code, message]);
    expect(await refused(person)).toEqual([['NOT_FOUND', 'There is no such person.']]);
    expect(await refused(newUuid(world.now))).toEqual(await refused(person));
  });
});

describe('models and their past', () => {
  const TRAINED = `query T($model: ID!) { trainedOn(model: $model) { model persons run trainedBy policyVersion consentVersion trainingData hidden
    datasets { name version } columns { name type } files { digest dataset version } features { modality version } } }`;
  interface Trained {
    readonly model: string;
    readonly persons: number;
    readonly run: string | null;
    readonly trainedBy: string | null;
    readonly hidden: boolean;
    readonly datasets: readonly { name: string; version: number }[];
    readonly columns: readonly { name: string }[];
    readonly files: readonly { dataset: string; version: number }[] | null;
  }

  it('tells everything that a model was trained on, as far as the caller may see', async () => {
    const [id = ''] = await column<string>(world, 'select model_id as value from fusion_model limit 1');
    const whole = told(await ask(world, 'steward', TRAINED, { model: id }), 'trainedOn') as Trained;
    const [row] = await column<{ run: string; persons: number }>(
      world,
      `select json_build_object('run', lineage_id, 'persons', trained_on) as value from fusion_model limit 1`,
    );
    expect(whole).toMatchObject({ run: row?.run, persons: row?.persons, hidden: false });
    const version = new Map(whole.datasets.map((each) => [each.name, each.version]));
    expect(whole.datasets.map((each) => each.name)).toEqual(expect.arrayContaining(['patient', 'consent_effect']));
    expect(whole.files?.length).toBeGreaterThan(0);
    expect(whole.files?.every((file) => file.version <= (version.get(file.dataset) ?? 0))).toBe(true);
    const some = told(await ask(world, 'clinician', TRAINED, { model: whole.model }), 'trainedOn') as Trained;
    expect(some).toMatchObject({ run: null, trainedBy: null, files: null, hidden: true });
    expect(some.columns.length).toBeLessThan(whole.columns.length);
    expect(codesOf(await ask(world, 'clinician', TRAINED, { model: 'no-such-model' }))).toEqual(['NOT_FOUND']);
  });

  it('tells the runs of a model that a person stood behind', async () => {
    const person = personOf(await ask(world, 'clinician', BIRTHS));
    const [id = ''] = await column<string>(world, 'select model_id as value from fusion_model limit 1');
    const run = runOf(
      await ask(world, 'clinician', `mutation { runFusion(input: { modelId: "${id}", patientIds: ["${person}"] }) { runId } }`),
    );
    const runs = told(
      await ask(
        world,
        'officer',
        `{ modelRuns(model: "${id}", patientId: "${person}") { run at model act principal purpose modalities } }`,
      ),
      'modelRuns',
    ) as { run: string; act: string; principal: string }[];
    expect(runs.at(-1)).toMatchObject({ run, act: 'RUN', principal: 'demo-clinician' });
  });
});

describe('what was in force', () => {
  it('tells the policy of an instant', async () => {
    const POLICY = 'query P($time: DateTimeISO!) { policyAt(time: $time) { version document inForceFrom inForceTo decidedBy } }';
    const at = async (ms: number): Promise<unknown> => told(await ask(world, 'officer', POLICY, { time: instant(ms) }), 'policyAt');
    const before = world.now;
    const document = { studies: { heart: 'A study of hearts' } };
    const propose = `mutation P($document: JSON!) { proposePolicy(document: $document, reason: "a reason that is long enough") { version } }`;
    world.now += 1_000;
    const { version } = told(await ask(world, 'steward', propose, { document }), 'proposePolicy') as { version: number };
    await ask(
      world,
      'officer',
      `mutation { decidePolicy(version: ${version}, approve: true, reason: "looked at it closely") { version } }`,
    );
    const decided = world.now;
    world.now += 1_000;
    expect(await at(before)).toEqual({ version: null, document: {}, inForceFrom: null, inForceTo: instant(decided), decidedBy: null });
    expect(await at(decided)).toEqual({ version, document, inForceFrom: instant(decided), inForceTo: null, decidedBy: 'demo-officer' });
    expect(codesOf(await ask(world, 'officer', POLICY, { time: instant(world.now + 1) }))).toEqual(['BAD_INPUT']);
  });

  it('tells the consents of a person before and after they changed', async () => {
    const CONSENT = `query C($id: ID!, $time: DateTimeISO!) { consentAt(patientId: $id, time: $time) { version consents { consentId status knownFrom knownTo } permits { purpose modalities } } }`;
    interface State {
      readonly version: number;
      readonly consents: readonly { consentId: string; status: string; knownTo: string | null }[];
      readonly permits: readonly { purpose: string }[];
    }
    const [person = ''] = await column<string>(
      world,
      `select patient_id::text as value from consent where status = 'active' and patient_id in (select patient_id from consent_effect) limit 1`,
    );
    const change = async (): Promise<number> => {
      const [at] = await column<string>(
        world,
        `select max(at)::text as value from dataset_change where dataset in ('consent', 'consent_effect')`,
      );
      return Date.parse((at ?? '').replace(' ', 'T').replace(/\+00$/, 'Z'));
    };
    const before = await change();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await world.running.pools.owner.query('alter table consent no force row level security');
    await world.running.pools.owner.query(
      `with gone as (delete from consent_effect where patient_id = $1) update consent set status = 'inactive' where patient_id = $1`,
      [person],
    );
    await world.running.pools.owner.query('alter table consent force row level security');
    const after = await change();
    expect(after).toBeGreaterThan(before);
    world.now = Math.max(world.now, after + 60_000);
    const at = async (ms: number): Promise<State> =>
      told(await ask(world, 'officer', CONSENT, { id: person, time: instant(ms) }), 'consentAt') as State;
    const was = await at(after - 10);
    const is = await at(after + 10);
    expect(was.consents.map((each) => each.status)).toContain('active');
    expect(was.permits.length).toBeGreaterThan(0);
    expect(was.consents.every((each) => each.knownTo !== null)).toBe(true);
    expect(is.consents.map((each) => each.status)).toEqual(is.consents.map(() => 'inactive'));
    expect(is.permits).toEqual([]);
    expect(is.version).toBe(was.version + 1);
  });

  it('names columns and actions that a role was granted and nobody used', async () => {
    const LEAST = `query L($role: String!) { leastPrivilege(role: $role) { grant runs columns unusedColumns unusedActions lastAt } }`;
    interface Use {
      readonly grant: string;
      readonly runs: number;
      readonly unusedColumns: readonly string[];
      readonly unusedActions: readonly string[];
    }
    await ask(world, 'analyst', BIRTHS);
    const unused = async (): Promise<ReadonlySet<string>> =>
      new Set(
        (told(await ask(world, 'steward', LEAST, { role: 'analyst' }), 'leastPrivilege') as Use[]).flatMap((each) => each.unusedColumns),
      );
    expect(await unused()).toContain('observation.category');
    expect(await unused()).not.toContain('patient.birth_year');
    await ask(world, 'analyst', '{ patients(first: 1) { edges { node { observations(first: 1) { edges { node { category } } } } } } }');
    expect(await unused()).not.toContain('observation.category');
    expect(codesOf(await ask(world, 'steward', LEAST, { role: 'nobody' }))).toEqual(['BAD_INPUT']);
    expect(codesOf(await ask(world, 'analyst', '{ leastPrivilege(role: "analyst") { grant } }'))).toEqual(['BAD_INPUT']);
  });
});

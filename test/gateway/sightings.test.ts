import { principalOf } from '../../src/cli/who.js';
import { ask as askMesh } from '../../src/gateway/index.js';
import { newUuid, type Principal } from '../../src/kernel/index.js';
import { ask, codesOf, column, openWorld, type World } from './support.js';
import { SAW, BIRTHS, told, runOf, instant, span, personOf } from './lineage-support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world.close(), 20_000);

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
    const { from } = span(world);
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
    expect(codesOf(await ask(world, 'officer', SAW, { id: person, ...span(world), after: 'x' }))).toEqual(['CURSOR_INVALID']);
  });

  it('marks what stood on broken glass', async () => {
    const stranger =
      (await column<string>(world, `select patient_id::text as value from patient where site_id <> 'north' limit 1`))[0] ?? '';
    const open = `mutation { breakGlass(patientId: "${stranger}", reason: "unconscious in the emergency room", minutes: 5) { id } }`;
    const { id: glass } = told(await ask(world, 'clinician', open), 'breakGlass') as { id: string };
    const read = runOf(await ask(world, 'clinician', `{ patient(id: "${stranger}") { birthYear } }`));
    const page = told(await ask(world, 'officer', SAW, { id: stranger, ...span(world) }), 'whoSaw') as Page;
    expect(page.sightings.find((each) => each.run === read)).toMatchObject({ breakGlass: true });
    world.now += 6 * 60_000;
    const found = told(
      await ask(
        world,
        'officer',
        `{ examineLog(from: "${span(world).from}", to: "${span(world).to}") { findings { kind at principal subject runs persons usual } unanswerable } }`,
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
      const text = `{ whoSaw(patientId: "${person}", from: "${span(world).from}", to: "${span(world).to}") { next } }`;
      expect(codesOf(await ask(world, who, text))).toEqual(['BAD_INPUT']);
    }
    const local: Principal = { ...principalOf('officer'), sites: ['nowhere'] };
    const refused = async (id: string): Promise<unknown> =>
      (
        await askMesh(world.running.mesh, local, {
          query: `{ whoSaw(patientId: "${id}", from: "${span(world).from}", to: "${span(world).to}") { next } }`,
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

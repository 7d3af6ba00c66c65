import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { principalOf } from '../../src/cli/who.js';
import { ask, signRouterToken, signToken } from '../../src/gateway/index.js';
import { newUuid } from '../../src/kernel/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { openTestMesh, type TestMesh } from '../support/mesh.js';
import { demoTemplateOf } from '../support/template.js';

/** Data of an answer, as the test asked for them. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the shape is the query's
type Data = any;

/** A genomics subgraph in a process of its own, on the demo cohort; a mesh of one process on a copy of the same cohort says what is true. */
const ROOT = path.resolve(__dirname, '../..');
const START_MS_MAX = 60_000;
const now = (): number => Date.now();

let mesh: TestMesh;
let database: TestDatabase;
let home: string;
let child: ChildProcess;
let url: string;

beforeAll(async () => {
  mesh = await openTestMesh(now);
  const template = demoTemplateOf(process.env['THALAMUS_TEST_TEMPLATE'] ?? '');
  database = await createDatabase(template.name);
  home = mkdtempSync(path.join(tmpdir(), 'thalamus-subgraph-'));
  cpSync(template.home, home, { recursive: true });
  child = spawn(process.execPath, ['bin/ts.js', 'src/cli.ts', 'serve', '--product', 'genomics'], {
    cwd: ROOT,
    env: { ...process.env, DATABASE_URL: database.url, THALAMUS_HOME: home, PORT: '0', HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  url = await addressOf(child);
}, START_MS_MAX);

afterAll(async () => {
  if (child.exitCode === null) {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  }
  await database.drop();
  await mesh.close();
  rmSync(home, { recursive: true, force: true });
}, 30_000);

function addressOf(started: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const hear = (chunk: Buffer): void => {
      text += chunk.toString();
      const found = /serves at (\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    };
    started.stdout?.on('data', hear);
    started.stderr?.on('data', hear);
    started.once('exit', (code) => reject(new Error(`the subgraph ended with ${String(code)}: ${text}`)));
  });
}

interface Reply {
  readonly status: number;
  readonly body: { data?: Data; errors?: { message: string; extensions: { code: string } }[]; extensions?: { lineageId: string } };
}

async function send(
  who: string,
  query: string,
  options: { variables?: object; router?: string | null; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const router = options.router === undefined ? await signRouterToken(mesh.key, now(), newUuid(now())) : options.router;
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await tokenOf(who)}`,
      ...(router === null ? {} : { 'x-thalamus-router': router }),
      ...options.headers,
    },
    body: JSON.stringify({ query, variables: options.variables ?? {} }),
  });
  return { status: response.status, body: (await response.json()) as Reply['body'] };
}

const tokenOf = (who: string): Promise<string> => signToken(mesh.key, principalOf(who), now(), newUuid(now()));

const ENTITIES =
  'query E($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Patient { id } ... on Variant { id pos gene } } }';
const entities = async (who: string, representations: readonly unknown[], query = ENTITIES): Promise<Data[]> => {
  const { body } = await send(who, query, { variables: { r: representations } });
  expect(body.errors).toBeUndefined();
  return body.data._entities as Data[];
};
const patient = (id: string, more: object = {}): object => ({ __typename: 'Patient', id, ...more });

/** Identifiers of persons of a site whom an identity sees in the mesh of one process. */
async function seenBy(who: string): Promise<string[]> {
  const { data } = await ask(mesh.mesh, principalOf(who), { query: '{ patients(first: 200) { edges { node { id } } } }' });
  return (data as Data).patients.edges.map((each: Data) => each.node.id);
}

async function allPersons(): Promise<string[]> {
  const { rows } = await mesh.pools.owner.query<{ patient_id: string }>('select patient_id from patient order by 1');
  return rows.map((row) => row.patient_id);
}

async function runOf(id: string): Promise<Record<string, Data> | undefined> {
  const { default: pg } = await import('pg');
  const client = new pg.Client(database.config);
  await client.connect();
  try {
    const { rows } = await client.query(
      'select r.*, p.columns, p.decisions, p.document, a.record from lineage_run r left join lineage_plan p using (plan_digest) left join audit_log a on a.log_id = r.log_id and a.seq = r.log_seq where r.run_id = $1',
      [id],
    );
    return rows[0] as Record<string, Data> | undefined;
  } finally {
    await client.end();
  }
}

describe('what only a router may ask', () => {
  it('gives the SDL as it is committed', async () => {
    const { body } = await send('analyst', '{ _service { sdl } }');
    const committed = readFileSync(path.join(ROOT, 'schema/genomics.graphql'), 'utf8');
    expect(committed).toContain(body.data._service.sdl);
  });

  it('does not exist without the identity of a router, and answers as unknown fields do', async () => {
    const unknown = await send('analyst', '{ nothing { sdl } }', { router: null });
    const service = await send('analyst', '{ _service { sdl } }', { router: null });
    const rows = await send('analyst', ENTITIES, { router: null, variables: { r: [] } });
    expect(service.status).toBe(unknown.status);
    const [said] = unknown.body.errors!;
    expect(service.body.errors![0]).toMatchObject({
      message: said!.message.replace('nothing', '_service'),
      extensions: { code: said!.extensions.code },
    });
    expect(rows.status).toBe(unknown.status);
    expect(JSON.stringify(rows.body.errors)).toContain('_Any');
    const names = await send('analyst', '{ __schema { types { name } queryType { fields { name } } } }', { router: null });
    expect(JSON.stringify(names.body.data)).not.toMatch(/"_[^_]/);
  });

  it.each([
    ['a token of a user', () => tokenOf('clinician')],
    ['no token', () => Promise.resolve('router')],
    ['a token that is past its time', () => signRouterToken(mesh.key, now() - 2 * 3_600_000, newUuid(now()))],
  ])("is refused for %s in place of the router's", async (_what, token) => {
    const { status, body } = await send('analyst', '{ _service { sdl } }', { router: await token() });
    expect([status, body.errors![0]!.extensions.code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('gives a router no rights of its own', async () => {
    const token = await signRouterToken(mesh.key, now(), newUuid(now()));
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'x-thalamus-router': token },
      body: '{"query":"{ variantCount }"}',
    });
    expect(response.status).toBe(403);
  });
});

describe('_entities', () => {
  it('gives each caller the persons that the mesh of one process gives', async () => {
    const persons = await allPersons();
    for (const who of ['analyst', 'clinician', 'officer']) {
      const seen = new Set(await seenBy(who));
      const found = await entities(
        who,
        persons.map((id) => patient(id)),
        'query E($r: [_Any!]!) { _entities(representations: $r) { ... on Patient { id } } }',
      );
      expect(found).toEqual(persons.map((id) => (seen.has(id) ? { id } : null)));
    }
    const [analyst, clinician] = [await seenBy('analyst'), await seenBy('clinician')];
    expect(new Set(analyst)).not.toEqual(new Set(clinician));
    expect(analyst.length).toBeGreaterThan(0);
  });

  it('answers a person of another site as one who does not exist', async () => {
    const seen = new Set(await seenBy('clinician'));
    const foreign = (await allPersons()).find((id) => !seen.has(id))!;
    const [own] = [...seen];
    const found = await entities('clinician', [
      patient(foreign),
      patient(own!),
      patient('00000000-0000-7000-8000-000000000000'),
      patient('not an id'),
      patient('\0'),
    ]);
    expect(found).toEqual([null, { __typename: 'Patient', id: own }, null, null, null]);
  });

  it('reads the key and nothing else of a representation', async () => {
    const seen = new Set(await seenBy('clinician'));
    const foreign = (await allPersons()).find((id) => !seen.has(id))!;
    const [own] = [...seen];
    const found = await entities('clinician', [
      patient(own!, { site: 'north', patient_id: foreign, sensitivity: 0, roles: ['privacy_officer'] }),
      patient(foreign, { site: 'north', site_id: 'north', patient_id: own }),
      { __typename: 'Patient', patient_id: own },
      { __typename: 'Patient', id: { $ne: null } },
      { __typename: 'AuditRecord', id: own },
      { __typename: 'PageInfo', hasNextPage: true },
    ]);
    expect(found).toEqual([{ __typename: 'Patient', id: own }, null, null, null, null, null]);
  });

  it('loads variants by the key that the product derives, beside persons, in the order asked', async () => {
    const { data } = await ask(mesh.mesh, principalOf('analyst'), { query: '{ variants(first: 20) { edges { node { id pos gene } } } }' });
    const variants = (data as Data).variants.edges.map((each: Data) => each.node);
    const [person] = await seenBy('analyst');
    const asked = variants.flatMap((each: Data) => [{ __typename: 'Variant', id: each.id, pos: 1 }, patient(person!)]);
    const found = await entities('analyst', [...asked, { __typename: 'Variant', id: 'GRCh38-1-1-A-T' }]);
    expect(found).toEqual([
      ...variants.flatMap((each: Data) => [
        { __typename: 'Variant', ...each },
        { __typename: 'Patient', id: person },
      ]),
      null,
    ]);
  });

  it('gives the cells of the caller: genotypes to the clinician, no such field to the analyst', async () => {
    const genes = (
      await mesh.pools.owner.query<{ gene: string }>(
        'select gene from variant where gene is not null group by 1 order by count(*) desc limit 1',
      )
    ).rows[0]!.gene;
    const query = `query G($r: [_Any!]!) { _entities(representations: $r) { ... on Patient { id genotypes(gene: "${genes}") { variantId genotype } } } }`;
    const own = await seenBy('clinician');
    const found = await entities(
      'clinician',
      own.map((id) => patient(id)),
      query,
    );
    const { data } = await ask(mesh.mesh, principalOf('clinician'), {
      query: `{ patients(first: 200) { edges { node { id genotypes(gene: "${genes}") { variantId genotype } } } } }`,
    });
    expect(found).toEqual((data as Data).patients.edges.map((each: Data) => each.node));
    expect(JSON.stringify(found)).toContain('variantId');
    const refused = await send('analyst', query, { variables: { r: own.map((id) => patient(id)) } });
    expect(refused.body.errors![0]!.message).toContain('genotypes');
    expect(refused.body.data ?? null).toBeNull();
  });

  it('takes no identity from other headers', async () => {
    const seen = new Set(await seenBy('clinician'));
    const foreign = (await allPersons()).find((id) => !seen.has(id))!;
    const headers = {
      'x-user': 'demo-officer',
      'x-forwarded-user': 'demo-officer',
      'x-roles': 'privacy_officer',
      'x-purpose': 'HOPERAT',
      'x-sites': '*',
    };
    const { body } = await send('clinician', ENTITIES, { variables: { r: [patient(foreign)] }, headers });
    expect(body.data._entities).toEqual([null]);
    expect(await runOf(body.extensions!.lineageId)).toMatchObject({ principal: 'demo-clinician', purpose: 'TREAT' });
  });

  it('leaves lineage and an audit record, with the persons behind the answer and what was not found', async () => {
    const own = (await seenBy('clinician')).slice(0, 3);
    const seen = new Set(await seenBy('clinician'));
    const foreign = (await allPersons()).find((id) => !seen.has(id))!;
    const { body } = await send('clinician', ENTITIES, { variables: { r: [...own, foreign].map((id) => patient(id)) } });
    const run = (await runOf(body.extensions!.lineageId))!;
    expect(run).toMatchObject({ kind: 'query', principal: 'demo-clinician', patients: 3 });
    expect(run['facts']).toMatchObject({ router: 'local-router', 'entities._entities': { Patient: { asked: 4, found: 3 } } });
    expect(run['columns']).toContainEqual({ coordinate: 'Patient.id', source: 'patient.patient_id', type: 'DIRECT', masking: false });
    expect(run['decisions'].map((each: Data) => each.coordinate)).toEqual(expect.arrayContaining(['Patient.id', 'Variant.gene']));
    expect(run['versions']).toHaveProperty('patient');
    expect(run['record']).toContain(body.extensions!.lineageId);
    expect(run['record']).not.toContain(foreign);
  });

  it('refuses what is no list of keys, with a code', async () => {
    for (const r of [[1], ['Patient'], [{ id: 'x' }], [[]], null]) {
      const { body } = await send('analyst', ENTITIES, { variables: { r } });
      expect(body.errors![0]!.extensions.code).toBe('BAD_INPUT');
      expect(body.data ?? null).toBeNull();
    }
  });
});

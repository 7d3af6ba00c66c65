/** Traps of graphql-shield and of federation behind the real gateway, on a real database: what is denied reads and writes nothing. */
import { graphql, parse, type GraphQLResolveInfo } from 'graphql';
import { allow, deny } from 'graphql-shield';
import { principalOf } from '../../src/cli/who.js';
import { Mesh, signRouterToken, startGateway, type Gateway } from '../../src/gateway/index.js';
import { runOperation } from '../../src/gateway/executor.js';
import { planQuery } from '../../src/gateway/plan.js';
import { MeshRequest } from '../../src/gateway/request.js';
import { guard } from '../../src/governance/index.js';
import { newUuid } from '../../src/kernel/index.js';
import { ask, codesOf, column, openWorld, send, type Reply, type World } from '../gateway/support.js';
import { schemaOf, shielded } from './shield-support.js';

let world: World;
/** The same mesh as a subgraph that a router asks. */
let federated: Mesh;
let subgraph: Gateway;
beforeAll(async () => {
  world = await openWorld();
  federated = new Mesh({ ...world.running.mesh.parts, subgraph: true });
  subgraph = await startGateway({
    mesh: federated,
    identity: world.running.identity,
    host: '127.0.0.1',
    port: 0,
    ready: () => Promise.resolve(true),
  });
}, 60_000);
afterAll(async () => {
  await subgraph.stop();
  await world.close();
}, 20_000);

/** How often the reader took a connection while `work` ran. */
async function readsDuring<T>(work: () => Promise<T>): Promise<{ reads: number; result: T }> {
  const spy = jest.spyOn(world.running.pools.reader, 'connect');
  try {
    const result = await work();
    return { reads: spy.mock.calls.length, result };
  } finally {
    spy.mockRestore();
  }
}

/** Rows of every table that is not evidence of the asking itself. */
async function counts(): Promise<Record<string, number>> {
  const tables = await column<string>(
    world,
    `select relname::text as value from pg_class where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace
      and relname not in ('audit_log', 'lineage_run', 'lineage_plan', 'lineage_patient_set') order by 1`,
  );
  const entries = await Promise.all(
    tables.map(async (table) => [table, (await column<number>(world, `select count(*)::int as value from ${table}`))[0] ?? -1] as const),
  );
  return Object.fromEntries(entries);
}

const RELEASE = 'mutation { releaseQuarantine(ids: ["00000000-0000-7000-8000-000000000000"], reason: "x") { released } }';

describe('a subscription over POST', () => {
  it('opens nothing: it is refused before a resolver or a connection', async () => {
    for (const who of ['clinician', 'analyst', 'steward']) {
      const { reads, result } = await readsDuring(() => ask(world, who, 'subscription { auditRecords { totalCount } }'));
      expect([reads, result.status, codesOf(result), result.body.data ?? null]).toEqual([0, 400, ['BAD_INPUT'], null]);
    }
  });

  it('is refused by the executor too, should a schema ever have one', async () => {
    const { mesh } = world.running;
    const principal = principalOf('clinician');
    const request = new MeshRequest(mesh, principal, mesh.runtimeFor(principal));
    const { reads, result } = await readsDuring(() => runOperation(request, parse('subscription { patientCount }'), undefined, {}));
    expect([reads, result.path, result.data, request.receipt !== undefined]).toEqual([0, 'refused', null, true]);
  });
});

describe('a mutation without the right', () => {
  const RUN = 'mutation { runFusion(input: { modelId: "x", patientIds: [] }) { __typename } }';
  it.each([
    ['analyst', RELEASE],
    ['clinician', RELEASE],
    ['engineer', RELEASE],
    ['steward', RUN],
  ])('of the %s writes no row and runs no resolver', async (who, mutation) => {
    const before = await counts();
    const { mesh } = world.running;
    const release = jest.spyOn(mesh.parts.ingestion, 'release');
    const find = jest.spyOn(mesh.parts.records, 'find');
    try {
      const { reads, result } = await readsDuring(() => ask(world, who, mutation));
      expect([reads, result.status, codesOf(result)]).toEqual([0, 400, expect.arrayContaining(['BAD_INPUT'])]);
      expect(release.mock.calls.length + find.mock.calls.length).toBe(0);
    } finally {
      release.mockRestore();
      find.mockRestore();
    }
    expect(await counts()).toEqual(before);
  });

  it('is stopped by the guard alone, where the schema of the class is not asked', async () => {
    const { mesh } = world.running;
    const release = jest.fn(() => Promise.resolve({ released: 0, held: 0 }));
    const told = async (who: string) => {
      const { policyClass } = mesh.runtimeFor(principalOf(who));
      const result = await graphql({ schema: guard(mesh.schema, policyClass), source: RELEASE, contextValue: { policyClass, release } });
      return [release.mock.calls.length, (result.errors ?? []).length];
    };
    expect(await told('analyst')).toEqual([0, 1]);
    expect((await told('steward'))[0]).toBe(1);
  });
});

describe('a field that is denied', () => {
  const HIDDEN = '{ patients(first: 1) { edges { node { familyName } } } }';

  it('costs no statement, though its parent might be read', async () => {
    const { reads, result } = await readsDuring(() => ask(world, 'officer', HIDDEN));
    expect([reads, result.body.data ?? null]).toEqual([0, null]);
  });

  it('is refused by the planner before there is SQL, where the schema of the class is not asked', () => {
    const { mesh } = world.running;
    const { policyClass } = mesh.runtimeFor(principalOf('officer'));
    const [operation] = parse(HIDDEN).definitions;
    const plan = () => planQuery({ schema: mesh.schema, policyClass, operation: operation as never, fragments: {}, variables: {} });
    expect(plan).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }) as Error);
  });
});

it('users who ask at the same moment in one process each get their own verdicts', async () => {
  const QUERY = '{ patients(first: 3) { edges { node { id familyName } } } }';
  const shape = (reply: Reply): string => JSON.stringify(reply.body.data ?? reply.body.errors?.map((each) => each.message));
  const users = ['clinician', 'analyst', 'officer', 'steward'];
  const alone = new Map<string, string>();
  for (const who of users) alone.set(who, shape(await ask(world, who, QUERY)));
  expect(new Set(alone.values()).size).toBeGreaterThanOrEqual(3);
  const mixed = Array.from({ length: 24 }, (_, i) => users[i % users.length] ?? '');
  const replies = await Promise.all(mixed.map((who) => ask(world, who, QUERY)));
  replies.forEach((reply, i) => expect([mixed[i], shape(reply)]).toEqual([mixed[i], alone.get(mixed[i] ?? '')]));
});

describe('federation', () => {
  const SDL = `type Query { patient: Patient _entities(representations: [_Any!]!): [_Entity] _service: _Service! }
    scalar _Any union _Entity = Patient type _Service { sdl: String! } type Patient { id: ID ssn: String }`;
  const loaded = { __typename: 'Patient', id: '1', ssn: 'secret-1' };
  const work = {
    'Query.patient': () => loaded,
    'Query._service': () => ({ sdl: SDL }),
    // A resolver as it is often written: what the representation says is taken as true.
    'Query._entities': (
      _root: unknown,
      args: { representations: Record<string, unknown>[] },
      _context: unknown,
      _info: GraphQLResolveInfo,
    ) => args.representations.map((each) => ({ ...loaded, ...each })),
  };
  const plain = (rules: unknown, fallbackRule: typeof allow | typeof deny, source: string) =>
    graphql({ schema: shielded(schemaOf(SDL, work), rules, { fallbackRule }), source, contextValue: {} });
  const ENTITY = '{ _entities(representations: [{ __typename: "Patient", id: "1" }]) { ... on Patient { ssn } } }';

  /** Asks the subgraph of this mesh, as a router does unless told otherwise. */
  async function asRouter(who: string, query: string, r: readonly unknown[] = [], router = true): Promise<Reply> {
    const token = await signRouterToken(world.running.key, world.now, newUuid(world.now));
    return send(subgraph.url, {
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await world.token(who)}`,
        ...(router ? { 'x-thalamus-router': token } : {}),
      },
      body: JSON.stringify({ query, variables: { r } }),
    });
  }
  const entities = (fields: string): string => `query($r: [_Any!]!) { _entities(representations: $r) { ... on Patient { ${fields} } } }`;
  const south = (): Promise<string[]> =>
    column<string>(world, `select patient_id::text as value from patient where site_id <> 'north' order by 1 limit 2`);
  const north = (): Promise<string[]> =>
    column<string>(
      world,
      `select patient_id::text as value from patient where site_id = 'north' and exists (select 1 from consent_effect c
        where c.patient_id = patient.patient_id and c.purpose = 'TREAT' and c.categories & 1 <> 0 and c.sensitivity_max >= patient.sensitivity) order by 1 limit 2`,
    );

  it('gives in the library what only a root field was ruled for', async () => {
    const result = await plain({ Query: { patient: deny } }, allow, `{ patient { ssn } ${ENTITY.slice(1)}`);
    expect(result.data).toEqual({ patient: null, _entities: [{ ssn: 'secret-1' }] });
  });

  it('rules fields and rows here whatever root leads to them', async () => {
    const [own = ''] = await north();
    const [foreign = ''] = await south();
    const keys = [own, foreign].map((id) => ({ __typename: 'Patient', id }));
    expect((await asRouter('clinician', entities('id familyName'), keys)).body.data).toEqual({
      _entities: [{ id: own, familyName: expect.any(String) as string }, null],
    });
    const { reads, result } = await readsDuring(() => asRouter('officer', entities('familyName'), keys));
    expect([reads, result.status, codesOf(result)]).toEqual([0, 400, ['BAD_INPUT']]);
  });

  it('is refused whole by a deny of the library until it is let through', async () => {
    const result = await plain({}, deny, `{ _service { sdl } ${ENTITY.slice(1)}`);
    expect([result.data ?? null, result.errors?.length]).toEqual([null, 2]);
  });

  it('shows its whole schema in the library once it is let through', async () => {
    const rules = { Query: { _service: allow, _entities: allow }, _Service: { sdl: allow }, Patient: { id: allow } };
    const result = await plain(rules, deny, `{ _service { sdl } ${ENTITY.slice(1)}`);
    expect(result.data).toEqual({ _service: { sdl: SDL }, _entities: [{ ssn: null }] });
  });

  it('is there for a router only, and does not exist for its users', async () => {
    expect((await asRouter('clinician', '{ _service { sdl } }')).body.data).toEqual({
      _service: { sdl: expect.stringContaining('@key') as string },
    });
    for (const query of ['{ _service { sdl } }', entities('id'), '{ __type(name: "_Service") { fields { name } } }']) {
      const reply = await asRouter('clinician', query, [], false);
      expect([query, reply.body.data?.['_service'], reply.body.data?.['_entities'], reply.body.data?.['__type'] ?? null]).toEqual([
        query,
        undefined,
        undefined,
        null,
      ]);
      const mesh = await ask(world, 'clinician', query);
      expect(mesh.text).not.toContain('@key');
    }
  });

  it('believes in the library what a representation says of itself', async () => {
    const source = '{ _entities(representations: [{ __typename: "Patient", id: "1", ssn: "injected" }]) { ... on Patient { ssn } } }';
    expect((await plain({}, allow, source)).data).toEqual({ _entities: [{ ssn: 'injected' }] });
    const foreign = '{ _entities(representations: [{ __typename: "Query" }]) { ... on Patient { ssn } } }';
    expect((await plain({}, allow, foreign)).errors?.[0]?.message).toContain('not a possible type');
  });

  it('reads the key alone here: nothing else that a representation says has an effect', async () => {
    const [own = ''] = await north();
    const [foreign = ''] = await south();
    const clean = await asRouter('clinician', entities('id familyName'), [{ __typename: 'Patient', id: own }]);
    const planted = {
      familyName: 'Planted',
      site_id: 'north',
      siteId: 'north',
      patient_id: foreign,
      sensitivity: 0,
      __proto__: { id: foreign },
    };
    const injected = await asRouter('clinician', entities('id familyName'), [
      { ...planted, __typename: 'Patient', id: own },
      { ...planted, __typename: 'Patient', id: foreign },
    ]);
    expect(injected.body.data).toEqual({ _entities: [...(clean.body.data?.['_entities'] as unknown[]), null] });
    expect(injected.text).not.toContain('Planted');
    const odd = await asRouter(
      'clinician',
      entities('id'),
      ['Query', '_Service', 'AuditRecord', 'Nothing', '__Schema', 'constructor'].map((name) => ({ __typename: name, id: own })),
    );
    expect([odd.status, odd.body.data]).toEqual([200, { _entities: [null, null, null, null, null, null] }]);
  });
});

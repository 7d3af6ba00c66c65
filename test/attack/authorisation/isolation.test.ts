/** What is kept between requests and between callers: batches, contexts, caches. */
import { graphql } from 'graphql';
import { principalOf } from '../../../src/cli/who.js';
import { ask as askInProcess } from '../../../src/gateway/index.js';
import { MeshRequest } from '../../../src/gateway/request.js';
import { runOperation } from '../../../src/gateway/executor.js';
import { RequestScope } from '../../../src/gateway/scope.js';
import { ReferenceReader } from '../../../src/gateway/reference.js';
import { withReadSession } from '../../../src/store/index.js';
import type { Principal } from '../../../src/kernel/index.js';
import { askAs, codesOf, fieldOf, like, openWorld, send, tokenOf, treatedAt, withoutRun, type World } from './support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 180_000);
afterAll(() => world.close(), 20_000);

const QUESTION =
  '{ patients(first: 200) { edges { cursor node { id familyName site observations(first: 2) { edges { node { id code } } } notes(first: 2) { edges { node { id } } } } } } }';
/** Callers of one policy class who differ in what the statement binds, and callers of other classes. */
const CALLERS: readonly Principal[] = [
  like('clinician'),
  like('clinician', { sub: 'dr-south', sites: ['south'] }),
  like('clinician', { sub: 'dr-west', sites: ['west'] }),
  like('clinician', { sub: 'dr-none', sites: [] }),
  like('clinician', { sub: 'dr-two', sites: ['south', 'west'] }),
  like('analyst'),
  like('analyst', { sub: 'second-analyst' }),
];

describe('ATK-62 two users in one tick', () => {
  it('whose rows are batched never share a batch: each has what he has alone', async () => {
    const { mesh } = world.running;
    const told = async (principal: Principal): Promise<string> =>
      JSON.stringify((await askInProcess(mesh, principal, { query: QUESTION }, 'reference')).data);
    const alone: string[] = [];
    for (const each of CALLERS) alone.push(await told(each));
    expect(new Set(alone).size).toBe(CALLERS.length - 1);
    for (let round = 0; round < 3; round += 1) {
      const order = [...CALLERS.keys(), ...CALLERS.keys()];
      const together = await Promise.all(order.map((i) => told(CALLERS[i] as Principal)));
      expect(together).toEqual(order.map((i) => alone[i]));
    }
  });

  it('no load of one request is the load of another: every request has a reader of its own', async () => {
    const { mesh } = world.running;
    const ids = await treatedAt(world, 'north', 3);
    const query = 'query($id: ID!) { patient(id: $id) { id familyName } }';
    const asked = CALLERS.flatMap((principal) => ids.map((id) => ({ principal, id })));
    const answers = await Promise.all(
      asked.map(({ principal, id }) => askInProcess(mesh, principal, { query, variables: { id } }, 'reference')),
    );
    answers.forEach(({ data }, i) => {
      const { principal, id } = asked[i]!;
      const found = (data as { patient: { id: string; familyName: string } | null }).patient;
      if (principal.roles[0] === 'clinician' && !principal.sites.includes('north')) expect(found).toBeNull();
      else if (principal.roles[0] === 'clinician') expect(found).toEqual({ id, familyName: expect.not.stringMatching(/^h:/) as string });
      else expect(found?.familyName ?? 'h:').toMatch(/^h:/);
    });
  });
});

describe('ATK-63 a context that is used again', () => {
  const source = '{ patients(first: 2) { edges { node { id familyName } } } }';
  /** Runs a document on the guarded schema of one caller with the context of another. */
  const crossed = (schemaOf: Principal, contextOf: Principal) => {
    const { mesh } = world.running;
    const schema = mesh.runtimeFor(schemaOf).guardedSchema;
    const request = new MeshRequest(mesh, contextOf, mesh.runtimeFor(contextOf));
    return withReadSession(mesh.parts.pools.reader, request.wall, async (session) => {
      const { policyClass } = request.runtime;
      const reader = new ReferenceReader(
        session,
        mesh.parts.types,
        policyClass,
        request.values,
        request.now,
        request.touched,
        request.tell,
      );
      const context = new RequestScope(request, reader, runOperation);
      return {
        context,
        schema,
        result: await graphql({ schema, source, contextValue: context }),
        again: () => graphql({ schema, source, contextValue: context }),
      };
    });
  };
  const codes = (result: { errors?: readonly unknown[] | undefined }): unknown[] =>
    (result.errors ?? []).map((error) => (error as { originalError?: { code?: string } }).originalError?.code);

  it('has no verdict for the schema of another class, in either direction', async () => {
    for (const [one, other] of [
      ['clinician', 'analyst'],
      ['analyst', 'clinician'],
      ['steward', 'clinician'],
      ['clinician', 'officer'],
    ] as const) {
      const { result } = await crossed(principalOf(one), principalOf(other));
      expect([one, other, codes(result), result.data]).toEqual([one, other, ['FORBIDDEN'], { patients: null }]);
    }
  });

  it('keeps no verdict: when its class is another one the next field is denied', async () => {
    const { mesh } = world.running;
    const clinician = principalOf('clinician');
    const request = new MeshRequest(mesh, clinician, mesh.runtimeFor(clinician));
    const schema = mesh.runtimeFor(clinician).guardedSchema;
    await withReadSession(mesh.parts.pools.reader, request.wall, async (session) => {
      const { policyClass } = request.runtime;
      const reader = new ReferenceReader(
        session,
        mesh.parts.types,
        policyClass,
        request.values,
        request.now,
        request.touched,
        request.tell,
      );
      const context = new RequestScope(request, reader, runOperation) as { policyClass: unknown };
      expect(codes(await graphql({ schema, source, contextValue: context }))).toEqual([]);
      Object.defineProperty(context, 'policyClass', { value: mesh.runtimeFor(principalOf('officer')).policyClass });
      const again = await graphql({ schema, source, contextValue: context });
      expect([codes(again), again.data]).toEqual([['FORBIDDEN'], { patients: null }]);
      expect(JSON.stringify((context as { _shield?: { cache?: unknown } })._shield?.cache ?? {})).toBe('{}');
    });
  });

  it('is none of another request: each has its own object, though principal and class are the same', async () => {
    const seen = new Set<unknown>();
    const { mesh } = world.running;
    const runtime = mesh.runtimeFor(principalOf('clinician'));
    for (let i = 0; i < 5; i += 1) seen.add(new MeshRequest(mesh, principalOf('clinician'), runtime).facts);
    const first = await askAs(world, like('clinician'), source);
    const second = await askAs(world, like('clinician'), source);
    expect([seen.size, first.body.extensions?.lineageId === second.body.extensions?.lineageId]).toEqual([5, false]);
  });
});

describe('ATK-64 what is cached', () => {
  it('is keyed by class, and holds nothing of a principal: callers of one class each get their own rows, interleaved', async () => {
    const { mesh } = world.running;
    const [one, other] = CALLERS as [Principal, Principal];
    // They do share their schema, their plans and their server, so that nothing but what is bound keeps them apart.
    expect(mesh.runtimeFor(one)).toBe(mesh.runtimeFor(other));
    const alone: string[] = [];
    for (const each of CALLERS) alone.push(JSON.stringify((await askAs(world, each, QUESTION)).body.data));
    const order = Array.from({ length: 42 }, (_, i) => (i * 5) % CALLERS.length);
    const together = await Promise.all(order.map((i) => askAs(world, CALLERS[i] as Principal, QUESTION)));
    expect(together.map((reply) => JSON.stringify(reply.body.data))).toEqual(order.map((i) => alone[i]));
    expect(fieldOf(together[0]!.body.data, 'patients', 'site')).not.toContain('south');
  });

  it('keeps patients in context apart, who share a class by their scopes', async () => {
    const ids = await treatedAt(world, 'north', 4);
    const holder = (patient: string, i: number): Principal => like('clinician', { sub: `app-${i}`, scopes: ['patient/*.rs'], patient });
    const { mesh } = world.running;
    expect(mesh.runtimeFor(holder(ids[0]!, 0))).toBe(mesh.runtimeFor(holder(ids[1]!, 1)));
    const query = '{ patients(first: 50) { edges { node { id } } } }';
    const order = Array.from({ length: 24 }, (_, i) => i % ids.length);
    const replies = await Promise.all(order.map((i) => askAs(world, holder(ids[i]!, i), query)));
    expect(replies.map((reply) => fieldOf(reply.body.data, 'patients'))).toEqual(order.map((i) => [ids[i]]));
  });

  it('is another one where roles, purpose, all sites, scopes or the log-in differ', () => {
    const { mesh } = world.running;
    const all = [
      like('clinician'),
      like('clinician', { sites: '*' }),
      like('clinician', { roles: ['clinician', 'steward'] }),
      like('clinician', { steppedUp: true }),
      like('clinician', { scopes: ['patient/*.rs'] }),
      like('clinician', { scopes: ['user/*.rs'] }),
      like('clinician', { actors: [{ sub: 'helper', roles: ['clinician'] }] }),
      like('analyst'),
      like('steward'),
    ];
    expect(new Set(all.map((each) => mesh.runtimeFor(each))).size).toBe(all.length);
  });

  it('is no answer: nothing may be kept on the way, and no validator stands for rows', async () => {
    for (const each of CALLERS) {
      const reply = await askAs(world, each, QUESTION, { 'if-none-match': '*' });
      expect([reply.status, reply.headers.get('cache-control'), reply.headers.get('etag'), reply.headers.get('last-modified')]).toEqual([
        200,
        'no-store',
        null,
        null,
      ]);
    }
  });

  it('by its tag tells the schema of a class: equal in it, different between classes, never taken for another', async () => {
    const url = new URL('/schema.graphql', world.gateway.url).href;
    const schemaOf = async (principal: Principal, known = ''): Promise<{ status: number; etag: string; text: string }> => {
      const headers = { authorization: `Bearer ${await tokenOf(world, principal)}`, ...(known === '' ? {} : { 'if-none-match': known }) };
      const reply = await send(url, { method: 'GET', headers });
      return { status: reply.status, etag: reply.headers.get('etag') ?? '', text: reply.text };
    };
    const [north, south, analyst] = [await schemaOf(CALLERS[0]!), await schemaOf(CALLERS[1]!), await schemaOf(like('analyst'))];
    expect([north.etag === south.etag, north.text === south.text, north.etag === analyst.etag]).toEqual([true, true, false]);
    expect((await schemaOf(CALLERS[1]!, north.etag)).status).toBe(304);
    const other = await schemaOf(like('analyst'), north.etag);
    expect([other.status, other.text === analyst.text]).toEqual([200, true]);
  });

  it('is no refusal either: a caller who is denied does not spoil the next, nor is he helped by him', async () => {
    const hidden = '{ patients(first: 1) { edges { node { id familyName phone } } } }';
    for (let i = 0; i < 3; i += 1) {
      expect(codesOf(await askAs(world, like('officer'), hidden))).toEqual(expect.arrayContaining(['BAD_INPUT']));
      expect(codesOf(await askAs(world, like('clinician'), hidden))).toEqual([]);
    }
    const [one, other] = [await askAs(world, like('officer'), hidden), await askAs(world, like('officer'), hidden)];
    expect(withoutRun(one)).toBe(withoutRun(other));
  });
});

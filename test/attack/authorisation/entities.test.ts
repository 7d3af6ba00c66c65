/** The entrance of a federation router, on a subgraph that serves the product of persons. */
import { openMesh, type Running } from '../../../src/cli/wire.js';
import { signRouterToken, startGateway, type Gateway } from '../../../src/gateway/index.js';
import { newUuid } from '../../../src/kernel/index.js';
import { codesOf, column, openWorld, recordOf, send, treatedAt, withoutRun, type Reply, type World } from './support.js';

let world: World;
let subgraph: Running;
let gateway: Gateway;
let own: string;
let foreign: string;

beforeAll(async () => {
  world = await openWorld();
  const { engine, home } = world.running;
  subgraph = await openMesh({ engine, home, products: ['patients'], clock: () => world.now });
  gateway = await startGateway({
    mesh: subgraph.mesh,
    identity: subgraph.identity,
    host: '127.0.0.1',
    port: 0,
    ready: () => Promise.resolve(true),
  });
  [own = ''] = await treatedAt(world, 'north', 1);
  [foreign = ''] = await treatedAt(world, 'south', 1);
}, 180_000);
afterAll(async () => {
  await gateway.stop();
  await subgraph.close();
  await world.close();
}, 20_000);

async function entities(who: string, representations: readonly unknown[], fields = 'id familyName site'): Promise<Reply> {
  return send(gateway.url, {
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await world.token(who)}`,
      'x-thalamus-router': await signRouterToken(world.running.key, world.now, newUuid(world.now)),
    },
    body: JSON.stringify({
      query: `query($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Patient { ${fields} } } }`,
      variables: { r: representations },
    }),
  });
}

const patient = (id: unknown, more: object = {}): object => ({ ...more, __typename: 'Patient', id });
const UNKNOWN = '00000000-0000-7000-8000-000000000000';

describe('ATK-43 _entities on a patient of another site', () => {
  it('is null as for a patient who does not exist, beside own ones who are found', async () => {
    expect([own, foreign]).toEqual([expect.stringMatching(/-/), expect.stringMatching(/-/)]);
    const reply = await entities('clinician', [patient(foreign), patient(own), patient(UNKNOWN)]);
    expect([reply.status, codesOf(reply)]).toEqual([200, []]);
    expect(reply.body.data).toEqual({
      _entities: [null, { __typename: 'Patient', id: own, familyName: expect.any(String) as string, site: 'north' }, null],
    });
    const [alone, absent] = [await entities('clinician', [patient(foreign)]), await entities('clinician', [patient(UNKNOWN)])];
    expect([alone.status, withoutRun(alone)]).toEqual([absent.status, withoutRun(absent)]);
  });

  it('leaves an audit record that names who asked and how many were asked for and found, and not the patient', async () => {
    const reply = await entities('clinician', [patient(foreign)]);
    const record = await recordOf(world, reply);
    expect(record).toMatchObject({ kind: 'query', principal: 'demo-clinician', purpose: 'TREAT', run: reply.body.extensions?.lineageId });
    expect(JSON.stringify(record)).not.toContain(foreign);
    const [facts] = await column<unknown>(world, 'select facts as value from lineage_run where run_id = $1', [
      reply.body.extensions?.lineageId,
    ]);
    expect(facts).toMatchObject({ router: 'local-router', 'entities._entities': { Patient: { asked: 1, found: 0 } } });
    const [persons] = await column<number>(world, 'select patients as value from lineage_run where run_id = $1', [
      reply.body.extensions?.lineageId,
    ]);
    expect(persons).toBe(0);
  });

  it('is null in every nesting and under every alias', async () => {
    const reply = await send(gateway.url, {
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await world.token('clinician')}`,
        'x-thalamus-router': await signRouterToken(world.running.key, world.now, newUuid(world.now)),
      },
      body: JSON.stringify({
        query:
          'query($r: [_Any!]!) { a: _entities(representations: $r) { ...F } b: _entities(representations: $r) { ... on Patient { conditions(first: 5) { totalCount edges { node { id } } } } } patient: _entities(representations: $r) { __typename } } fragment F on Patient { id familyName observationCount }',
        variables: { r: [patient(foreign)] },
      }),
    });
    expect(reply.body.data).toEqual({ a: [null], b: [null], patient: [null] });
  });
});

describe('ATK-44 _entities with injected extra keys', () => {
  it.each([
    ['columns of the wall', { site: 'north', site_id: 'north', siteId: 'north', sensitivity: 0, ordinal: 1 }],
    ['the key under the name of its column', { patient_id: 'OWN', patientId: 'OWN' }],
    ['claims of the caller', { sub: 'demo-officer', roles: ['privacy_officer'], sites: '*', purpose: 'HOPERAT' }],
    ['what an answer would hold', { familyName: 'Planted', site: 'north', __resolveType: 'Patient' }],
    ['keys of every object', { constructor: { name: 'Patient' }, toString: 'x', hasOwnProperty: true }],
    ['operators', { $or: [{}], where: 'true', $where: '1' }],
  ])('%s changes nothing', async (_, planted) => {
    const more = JSON.parse(JSON.stringify(planted).replaceAll('OWN', own)) as object;
    const plain = await entities('clinician', [patient(own), patient(foreign)]);
    const injected = await entities('clinician', [patient(own, more), patient(foreign, more)]);
    expect(withoutRun(injected)).toBe(withoutRun(plain));
    expect(injected.text).not.toContain('Planted');
  });

  it('a key that is no text, or stands on the prototype, finds nobody', async () => {
    const odd = [{ $ne: null }, [own], { id: own }, true, 1, '', `${own}' or true --`, `${own}\0`, own.toUpperCase().replace(/.$/, '')];
    const reply = await entities(
      'clinician',
      odd.map((id) => patient(id)),
    );
    expect([codesOf(reply), reply.body.data?.['_entities']]).toEqual([[], odd.map(() => null)]);
    const inherited = await send(gateway.url, {
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await world.token('clinician')}`,
        'x-thalamus-router': await signRouterToken(world.running.key, world.now, newUuid(world.now)),
      },
      body: `{"query":"query($r: [_Any!]!) { _entities(representations: $r) { ... on Patient { id } } }","variables":{"r":[{"__typename":"Patient","__proto__":{"id":"${own}"}}]}}`,
    });
    expect(inherited.body.data).toEqual({ _entities: [null] });
  });

  it('a __typename that is foreign, hidden, abstract or no type finds nothing and tells no difference', async () => {
    const names = [
      'Query',
      'Mutation',
      '_Service',
      '_Entity',
      '_Any',
      '__Schema',
      'AuditRecord',
      'Note',
      'PageInfo',
      'String',
      'Nothing',
      '',
      '__proto__',
    ];
    for (const name of names) {
      const reply = await entities('clinician', [{ __typename: name, id: own }]);
      expect([name, reply.status, codesOf(reply), reply.body.data]).toEqual([name, 200, [], { _entities: [null] }]);
    }
    const own2 = await entities('clinician', [{ __typename: 'Condition', id: own }, patient(own)]);
    expect((own2.body.data?.['_entities'] as unknown[])[0]).toBeNull();
  });
});

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openMesh, type Running } from '../../../src/cli/wire.js';
import { principalOf } from '../../../src/cli/who.js';
import { makeSigningKey, signRouterToken, signToken, startGateway, type Gateway } from '../../../src/gateway/index.js';
import { newUuid } from '../../../src/kernel/index.js';
import { codesOf, column, openWorld, send, withoutRun, type Reply, type World } from '../../gateway/support.js';
import { createDatabase, type TestDatabase } from '../../support/database.js';
import { demoTemplateOf } from '../../support/template.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 180_000);
afterAll(() => world.close(), 20_000);

const QUESTION = '{ patients(first: 3) { edges { node { id familyName } } } }';

describe('ATK-97 a header that says who asks', () => {
  it.each([
    { 'x-user': 'demo-steward' },
    { 'x-user-id': 'demo-steward' },
    { 'x-forwarded-user': 'root' },
    { 'x-forwarded-email': 'root@example.org' },
    { 'x-auth-request-user': 'root' },
    { 'x-remote-user': 'root' },
    { 'x-roles': 'privacy_officer' },
    { 'x-forwarded-groups': 'privacy_officer' },
    { 'x-purpose': 'HRESCH' },
    { 'x-thalamus-sub': 'demo-steward' },
    { 'x-thalamus-roles': 'privacy_officer' },
    { 'x-thalamus-purpose': 'ETREAT' },
    { 'x-thalamus-sites': '*' },
    { 'x-hasura-role': 'admin' },
    { 'x-original-url': '/livez' },
    { 'x-forwarded-authorization': 'Bearer x' },
    { 'proxy-authorization': 'Bearer x' },
    // The mesh of one process has no router; its header tells nothing there.
    { 'x-thalamus-router': 'x' },
  ])('%j changes nothing, in the answer as in the record', async (headers) => {
    const authorization = `Bearer ${await world.token('clinician')}`;
    const asked = (more: Record<string, string>): Promise<Reply> =>
      send(world.gateway.url, {
        headers: { 'content-type': 'application/json', authorization, ...more },
        body: JSON.stringify({ query: QUESTION }),
      });
    const plain = await asked({});
    const reply = await asked(headers);
    expect(plain.status).toBe(200);
    expect(withoutRun(reply)).toBe(withoutRun(plain));
    const { logId, logIndex: seq } = reply.body.extensions?.receipt ?? {};
    const [record] = await column<string>(world, 'select record as value from audit_log where log_id = $1 and seq = $2', [logId, seq]);
    expect(JSON.parse(record ?? '{}')).toMatchObject({ principal: 'demo-clinician', purpose: 'TREAT', roles: ['clinician'] });
  });

  it('takes the place of no token', async () => {
    const reply = await send(world.gateway.url, {
      headers: { 'content-type': 'application/json', 'x-user': 'demo-steward', 'x-roles': 'steward', 'x-thalamus-sub': 'demo-steward' },
      body: JSON.stringify({ query: QUESTION }),
    });
    expect([reply.status, codesOf(reply)]).toEqual([401, ['UNAUTHENTICATED']]);
  });
});

describe('ATK-96 a subgraph', () => {
  let database: TestDatabase;
  let home: string;
  let genomics: Running;
  let gateway: Gateway;
  const clock = (): number => world.now;
  beforeAll(async () => {
    const template = demoTemplateOf(process.env['THALAMUS_TEST_TEMPLATE'] ?? '');
    database = await createDatabase(template.name);
    home = mkdtempSync(path.join(tmpdir(), 'thalamus-subgraph-'));
    cpSync(template.home, home, { recursive: true });
    genomics = await openMesh({ engine: database.engine, home, products: ['genomics'], clock });
    gateway = await startGateway({
      mesh: genomics.mesh,
      identity: genomics.identity,
      host: '127.0.0.1',
      port: 0,
      ready: () => Promise.resolve(true),
    });
  }, 60_000);
  afterAll(async () => {
    await gateway.stop();
    await genomics.close();
    await database.drop();
    rmSync(home, { recursive: true, force: true });
  }, 30_000);

  const ENTITIES = 'query E($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Patient { id } } }';
  const user = (): Promise<string> => signToken(genomics.key, principalOf('clinician'), clock(), newUuid(clock()));
  const router = (): Promise<string> => signRouterToken(genomics.key, clock(), newUuid(clock()));
  async function entities(headers: Record<string, string>): Promise<Reply> {
    return send(gateway.url, {
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query: ENTITIES, variables: { r: [{ __typename: 'Patient', id: newUuid(clock()) }] } }),
    });
  }

  it('answers a router that signs and says for whom it asks', async () => {
    const reply = await entities({ authorization: `Bearer ${await user()}`, 'x-thalamus-router': await router() });
    expect([reply.status, reply.body.errors]).toEqual([200, undefined]);
    expect(reply.body.data).toHaveProperty('_entities');
  });

  it('knows no entities for anybody without a router token, and gives none to a router alone', async () => {
    const withoutRouter = await entities({ authorization: `Bearer ${await user()}` });
    expect(withoutRouter.body.data?.['_entities']).toBeUndefined();
    expect(withoutRouter.body.errors).not.toEqual([]);
    expect((await entities({ 'x-thalamus-router': await router() })).status).toBe(401);
    expect((await entities({ authorization: `Bearer ${await router()}`, 'x-thalamus-router': await router() })).status).toBe(403);
  });

  it.each<[string, () => Promise<string>]>([
    ['a user', user],
    ['a router of another installation', async () => signRouterToken(await makeSigningKey(), clock(), 'x')],
    ['a router of an hour ago', () => signRouterToken(genomics.key, clock() - 3_600_000, 'x')],
    ['nobody', () => Promise.resolve('')],
  ])('refuses the token of %s in the place of a router’s', async (_, make) => {
    const reply = await entities({ authorization: `Bearer ${await user()}`, 'x-thalamus-router': await make() });
    expect([reply.status, codesOf(reply)]).toEqual([401, ['UNAUTHENTICATED']]);
  });
});

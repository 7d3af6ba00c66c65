import { gzipSync } from 'node:zlib';
import { ask, codesOf, column, openWorld, send, type Reply, type World } from './support.js';

let world: World;
let json: Record<string, string>;
beforeAll(async () => {
  world = await openWorld();
  json = { 'content-type': 'application/json', authorization: `Bearer ${await world.token('steward')}` };
}, 60_000);
afterAll(() => world.close(), 20_000);

const TYPENAME = JSON.stringify({ query: '{ __typename }' });
const MUTATION = 'mutation { releaseQuarantine(ids: ["00000000-0000-7000-8000-000000000000"], reason: "test") { released } }';
const byGet = (query: string): string => `${world.gateway.url}?query=${encodeURIComponent(query)}`;

/** Number of records of refused requests. */
const refusals = async (): Promise<number> =>
  (await column<number>(world, `select count(*)::int as value from audit_log where record like '%"kind":"refused"%'`))[0] ?? 0;

type Case = readonly [string, () => Promise<Reply>, number, string];
const CASES: readonly Case[] = [
  ['a batch', () => send(world.gateway.url, { headers: json, body: `[${TYPENAME}]` }), 400, 'BAD_INPUT'],
  ['text/plain', () => send(world.gateway.url, { headers: { ...json, 'content-type': 'text/plain' }, body: TYPENAME }), 400, 'BAD_INPUT'],
  [
    'a form',
    () =>
      send(world.gateway.url, { headers: { ...json, 'content-type': 'application/x-www-form-urlencoded' }, body: 'query={__typename}' }),
    400,
    'BAD_INPUT',
  ],
  [
    'a form of parts',
    () => send(world.gateway.url, { headers: { ...json, 'content-type': 'multipart/form-data; boundary=x' }, body: '--x--' }),
    400,
    'BAD_INPUT',
  ],
  [
    'a GET that a page of another site could send',
    () => send(byGet('{ __typename }'), { method: 'GET', headers: { authorization: json['authorization'] ?? '' } }),
    400,
    'BAD_INPUT',
  ],
  [
    'a GET for a mutation',
    () =>
      send(byGet(MUTATION), { method: 'GET', headers: { authorization: json['authorization'] ?? '', 'apollo-require-preflight': '1' } }),
    405,
    'BAD_INPUT',
  ],
  ['PUT', () => send(world.gateway.url, { method: 'PUT', headers: json, body: TYPENAME }), 405, 'BAD_INPUT'],
  ['a body that is no JSON', () => send(world.gateway.url, { headers: json, body: '{"query":' }), 400, 'BAD_INPUT'],
  ['an empty body', () => send(world.gateway.url, { headers: json, body: '' }), 400, 'BAD_INPUT'],
  ['null as body', () => send(world.gateway.url, { headers: json, body: 'null' }), 400, 'BAD_INPUT'],
  ['a query that is a number', () => send(world.gateway.url, { headers: json, body: '{"query":1}' }), 400, 'BAD_INPUT'],
  [
    'gzip that is none',
    () => send(world.gateway.url, { headers: { ...json, 'content-encoding': 'gzip' }, body: TYPENAME }),
    400,
    'BAD_INPUT',
  ],
  [
    'an encoding that is not read',
    () => send(world.gateway.url, { headers: { ...json, 'content-encoding': 'br' }, body: TYPENAME }),
    400,
    'BAD_INPUT',
  ],
  [
    'a character set that is not read',
    () => send(world.gateway.url, { headers: { ...json, 'content-type': 'application/json; charset=bogus' }, body: TYPENAME }),
    400,
    'BAD_INPUT',
  ],
  [
    '20 MB',
    () => send(world.gateway.url, { headers: json, body: JSON.stringify({ query: '{ __typename }', filler: 'x'.repeat(20_000_000) }) }),
    400,
    'LIMIT_EXCEEDED',
  ],
  ['a gzip bomb', () => send(world.gateway.url, { headers: { ...json, 'content-encoding': 'gzip' }, body: bomb }), 400, 'LIMIT_EXCEEDED'],
  [
    'a reply in a form that there is not',
    () => send(world.gateway.url, { headers: { ...json, accept: 'image/png' }, body: TYPENAME }),
    406,
    'BAD_INPUT',
  ],
  [
    'two operations and no name',
    () => send(world.gateway.url, { headers: json, body: JSON.stringify({ query: 'query A { __typename } query B { __typename }' }) }),
    400,
    'BAD_INPUT',
  ],
];
const bomb = Uint8Array.from(gzipSync(Buffer.alloc(50_000_000, 32)));

describe('a request that is none', () => {
  it.each(CASES)('is refused with a code, without data, and recorded: %s', async (_, request, status, code) => {
    const before = await refusals();
    const reply = await request();
    expect([reply.status, codesOf(reply)]).toEqual([status, [code]]);
    expect(reply.body).not.toHaveProperty('data.__typename');
    expect(reply.text).not.toMatch(/ at .*:\d+:\d+|node_modules|stack/);
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.body.errors?.[0]?.extensions['lineageId']).toMatch(/^[0-9a-f-]{36}$/);
    if (status !== 406) expect(await refusals()).toBe(before + 1);
  });

  it('does not break the next one', async () => {
    expect((await send(world.gateway.url, { headers: json, body: TYPENAME })).body.data).toEqual({ __typename: 'Query' });
    expect(
      (await send(world.gateway.url, { headers: { ...json, 'content-encoding': 'gzip' }, body: Uint8Array.from(gzipSync(TYPENAME)) }))
        .status,
    ).toBe(200);
    expect(
      (
        await send(byGet('{ __typename }'), {
          method: 'GET',
          headers: { authorization: json['authorization'] ?? '', 'apollo-require-preflight': '1' },
        })
      ).status,
    ).toBe(200);
  });
});

describe('every reply', () => {
  it('may not be kept, names its run and opens no door to other sites', async () => {
    const reply = await send(world.gateway.url, { headers: { ...json, origin: 'https://elsewhere.example' }, body: TYPENAME });
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.headers.get('x-lineage-id')).toBe(reply.body.extensions?.lineageId);
    expect(reply.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('takes the last of two equal keys, and no key of a prototype as a variable', async () => {
    const twice = await send(world.gateway.url, { headers: json, body: '{"query":"{ a: __typename }","query":"{ b: __typename }"}' });
    expect(twice.body.data).toEqual({ b: 'Query' });
    const keys = await send(world.gateway.url, {
      headers: json,
      body: '{"query":"query($sex: String) { patientCount(sex: $sex) }","variables":{"sex":"none of these","__proto__":{"sex":"female"},"constructor":{"prototype":{"sex":"female"}}}}',
    });
    expect(keys.body.data).toEqual({ patientCount: 0 });
  });
});

describe('beside GraphQL', () => {
  const at = (path: string): string => world.gateway.url.replace('/graphql', path);

  it('liveness and readiness need no token, and other paths tell nothing', async () => {
    expect((await send(at('/livez'), { method: 'GET' })).status).toBe(200);
    expect((await send(at('/readyz'), { method: 'GET' })).body).toEqual({ ready: true });
    for (const path of ['/', '/admin', '/graphql/', '/../../etc/passwd', '/%2e%2e/secret.json'])
      expect((await send(at(path), { method: 'GET' })).status).toBe(404);
  });

  it('the schema is that of the class of the caller, and not sent again where it is known', async () => {
    expect((await send(at('/schema.graphql'), { method: 'GET' })).status).toBe(401);
    const officer = { authorization: `Bearer ${await world.token('officer')}` };
    const mine = await send(at('/schema.graphql'), { method: 'GET', headers: officer });
    expect(mine.text).toContain('auditRecords');
    expect(mine.text).not.toContain('familyName');
    const etag = mine.headers.get('etag') ?? '';
    expect((await send(at('/schema.graphql'), { method: 'GET', headers: { ...officer, 'if-none-match': etag } })).status).toBe(304);
    const other = await send(at('/schema.graphql'), {
      method: 'GET',
      headers: { authorization: json['authorization'] ?? '', 'if-none-match': etag },
    });
    expect([other.status, other.text.includes('auditRecords')]).toEqual([200, false]);
  });
});

it('a mutation over POST is done by whom it is granted to, and does not exist for others', async () => {
  expect((await ask(world, 'steward', MUTATION)).body.data).toEqual({ releaseQuarantine: { released: 0 } });
  const refused = await ask(world, 'analyst', MUTATION);
  expect(refused.body.errors?.[0]?.message).toBe('Cannot query field "releaseQuarantine" on type "Mutation".');
});

import { createHmac } from 'node:crypto';
import { request } from 'node:http';
import { SignJWT, importJWK, type JWTPayload } from 'jose';
import { AUDIENCE, DEMO_ISSUER, makeSigningKey, type SigningKey } from '../../../src/gateway/index.js';
import { codesOf, column, openWorld, send, withoutRun, type Reply, type World } from '../../gateway/support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world.close(), 20_000);

const QUESTION = '{ patients(first: 1) { edges { node { id familyName } } } }';

/** Asks with whatever stands in the Authorization header. */
function asked(authorization: string | undefined, headers: Record<string, string> = {}): Promise<Reply> {
  return send(world.gateway.url, {
    headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }), ...headers },
    body: JSON.stringify({ query: QUESTION }),
  });
}

interface Making {
  readonly claims?: JWTPayload;
  readonly drop?: readonly string[];
  readonly header?: Record<string, unknown>;
  readonly key?: SigningKey;
}

/** A token like that of the clinician, made different in one way. */
async function token({ claims = {}, drop = [], header = {}, key = world.running.key }: Making = {}): Promise<string> {
  const now = Math.floor(world.now / 1000);
  const all: JWTPayload = {
    iss: DEMO_ISSUER,
    aud: AUDIENCE,
    sub: 'demo-clinician',
    jti: 'made-by-a-test',
    iat: now,
    exp: now + 900,
    roles: ['clinician'],
    purpose: 'TREAT',
    sites: ['north'],
    kind: 'person',
    ...claims,
  };
  const kept = Object.fromEntries(Object.entries(all).filter(([name]) => !drop.includes(name)));
  const protectedHeader = Object.fromEntries(
    Object.entries<unknown>({ alg: 'EdDSA', kid: 'demo', typ: 'at+jwt', ...header }).filter(([, value]) => value !== null),
  );
  return new SignJWT(kept).setProtectedHeader(protectedHeader as { alg: string }).sign(await importJWK(key.privateKey, 'EdDSA'));
}

const coded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token put together by hand, where the library would refuse to sign it. */
async function handmade(header: Record<string, unknown>, sign: (text: string) => string): Promise<string> {
  const payload = (await token()).split('.')[1] ?? '';
  const text = `${coded({ typ: 'at+jwt', kid: 'demo', ...header })}.${payload}`;
  return `${text}.${sign(text)}`;
}

const seconds = (offset: number): number => Math.floor(world.now / 1000) + offset;
const bearer = async (making: Making): Promise<string> => `Bearer ${await token(making)}`;

const REFUSED: readonly (readonly [string, () => Promise<string | undefined>])[] = [
  ['no token', () => Promise.resolve(undefined)],
  ['another scheme', () => Promise.resolve('Basic ZGVtbzpkZW1v')],
  ['an empty token', () => Promise.resolve('Bearer ')],
  ['a text that is no token', () => Promise.resolve('Bearer not.a.token')],
  ['a bad signature', async () => `Bearer ${(await token()).slice(0, -4)}AAAA`],
  [
    'ATK-90 a payload that was changed',
    async () =>
      `Bearer ${(await token())
        .split('.')
        .map((part, i) => (i === 1 ? coded({ roles: ['steward'] }) : part))
        .join('.')}`,
  ],
  ['a key of somebody else', async () => bearer({ key: await makeSigningKey() })],
  ['ATK-79 alg none', async () => `Bearer ${await handmade({ alg: 'none' }, () => '')}`],
  [
    'ATK-80 HS256 with the public key as secret',
    async () =>
      `Bearer ${await handmade({ alg: 'HS256' }, (text) => createHmac('sha256', String(world.running.key.publicKey.x)).update(text).digest('base64url'))}`,
  ],
  ['ATK-81 a key id that is a path', async () => bearer({ header: { kid: '../../etc/passwd' } })],
  [
    'ATK-82 a key that the token brings along',
    async () => {
      const key = await makeSigningKey();
      return bearer({ key, header: { jwk: key.publicKey } });
    },
  ],
  [
    'ATK-83 a key set that the token names',
    async () => bearer({ key: await makeSigningKey(), header: { jku: 'http://127.0.0.1:9/jwks' } }),
  ],
  ['ATK-89 an unknown critical header', async () => `Bearer ${await handmade({ alg: 'EdDSA', crit: ['x'], x: 1 }, () => 'AAAA')}`],
  ['ATK-85 an end in the past', () => bearer({ claims: { iat: seconds(-1000), exp: seconds(-10) } })],
  ['ATK-84 no end', () => bearer({ drop: ['exp'] })],
  ['no beginning', () => bearer({ drop: ['iat'] })],
  ['no subject', () => bearer({ drop: ['sub'] })],
  ['no token id', () => bearer({ drop: ['jti'] })],
  ['ATK-86 a beginning in the future', () => bearer({ claims: { nbf: seconds(600) } })],
  ['ATK-91 an issue in the future', () => bearer({ claims: { iat: seconds(600), exp: seconds(1200) } })],
  ['ATK-92 an issue 25 hours ago with a fresh end', () => bearer({ claims: { iat: seconds(-90_000), exp: seconds(600) } })],
  ['ATK-87 another audience', () => bearer({ claims: { aud: 'urn:somebody:else' } })],
  ['ATK-88 another issuer', () => bearer({ claims: { iss: 'urn:somebody:else' } })],
  ['the type of an identity token', () => bearer({ header: { typ: 'JWT' } })],
  ['no type', () => bearer({ header: { typ: null } })],
  ['a hash that only an identity token has', () => bearer({ claims: { at_hash: 'x' } })],
  ['a binding to a key that was not shown', () => bearer({ claims: { cnf: { jkt: 'x' } } })],
  ['a subject that many share', () => bearer({ claims: { sub: 'Anonymous' } })],
  ['a subject with a line break', () => bearer({ claims: { sub: 'a\nb' } })],
  ['another kind of caller', () => bearer({ claims: { kind: 'root' } })],
  ['two tokens in one header', async () => `${await bearer({})}, ${await bearer({})}`],
  ['more than 16 kB', () => bearer({ claims: { filler: 'x'.repeat(14_000) } })],
];

describe('a token that is not valid', () => {
  it.each(REFUSED)('%s is refused with 401 and recorded', async (_, make) => {
    const before = await column<number>(
      world,
      `select count(*)::int as value from audit_log where record like '%"code":"UNAUTHENTICATED"%'`,
    );
    const reply = await asked(await make());
    expect([reply.status, codesOf(reply)]).toEqual([401, ['UNAUTHENTICATED']]);
    expect(reply.body).not.toHaveProperty('data');
    expect(reply.headers.get('cache-control')).toBe('no-store');
    const after = await column<number>(
      world,
      `select count(*)::int as value from audit_log where record like '%"code":"UNAUTHENTICATED"%'`,
    );
    expect(after).toEqual(before.map((count) => count + 1));
  });

  it('gets the same answer whatever is wrong with it', async () => {
    const replies = new Set<string>();
    for (const [, make] of REFUSED) replies.add(withoutRun(await asked(await make())));
    expect([...replies]).toHaveLength(1);
  });
});

const COUNT = `select count(*)::int as value from audit_log where record like '%"code":"UNAUTHENTICATED"%'`;
const refusals = async (): Promise<number> => (await column<number>(world, COUNT))[0] ?? 0;

describe('a token that comes another way', () => {
  it.each(['access_token', 'token', 'JWT', 'x'])('is refused with 401 and recorded where it stands in the address as %s', async (name) => {
    const before = await refusals();
    const search = `?${name}=${await token()}&query=${encodeURIComponent('{ patientCount }')}`;
    for (const headers of [{}, { authorization: await bearer({}) }]) {
      const reply = await send(`${world.gateway.url}${search}`, {
        method: 'GET',
        headers: { 'apollo-require-preflight': '1', ...headers },
      });
      expect([reply.status, codesOf(reply)]).toEqual([401, ['UNAUTHENTICATED']]);
    }
    const schema = await send(`${world.gateway.url.replace('/graphql', '/schema.graphql')}${search}`, { method: 'GET' });
    expect(schema.status).toBe(401);
    expect(await refusals()).toBe(before + 3);
    expect(await column<number>(world, `select count(*)::int as value from audit_log where record like '%eyJ%'`)).toEqual([0]);
  });

  it.each(['access_token', 'Access_Token', 'id_token', 'bearer', 'authorization'])(
    'is refused as %s whatever it looks like, though the header is right',
    async (name) => {
      const search = `?${name}=opaque&query=${encodeURIComponent('{ patientCount }')}`;
      const headers = { authorization: await bearer({}), 'apollo-require-preflight': '1' };
      expect((await send(`${world.gateway.url}${search}`, { method: 'GET', headers })).status).toBe(401);
    },
  );

  it('is refused where a second Authorization header stands beside it, even one that is the same', async () => {
    const before = await refusals();
    const mine = await bearer({});
    for (const second of [mine, 'Basic ZGVtbzpkZW1v', '']) expect(await withTwoHeaders(mine, second)).toBe(401);
    expect(await refusals()).toBe(before + 3);
  });

  it('is refused in a cookie or a form', async () => {
    const cookie = await send(world.gateway.url, {
      headers: { 'content-type': 'application/json', cookie: `access_token=${await token()}` },
      body: JSON.stringify({ query: QUESTION }),
    });
    const form = await send(world.gateway.url, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `access_token=${await token()}&query=${encodeURIComponent(QUESTION)}`,
    });
    expect([cookie.status, form.status]).toEqual([401, 401]);
  });
});

/** The status of a request with two lines of the Authorization header, which fetch would join. */
function withTwoHeaders(first: string, second: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      world.gateway.url,
      { method: 'POST', headers: { 'content-type': 'application/json', authorization: [first, second] as never } },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    outgoing.once('error', reject);
    outgoing.end(JSON.stringify({ query: QUESTION }));
  });
}

it('the control: a token whose audiences hold the gateway is accepted', async () => {
  for (const aud of [AUDIENCE, ['urn:other', AUDIENCE]]) expect((await asked(await bearer({ claims: { aud } }))).status).toBe(200);
});

it('no rule against a token stops a question that only looks like one', async () => {
  const search = `?query=${encodeURIComponent('{ eyJ: patientCount }')}`;
  const headers = { authorization: await bearer({}), 'apollo-require-preflight': '1' };
  expect((await send(`${world.gateway.url}${search}`, { method: 'GET', headers })).status).toBe(200);
});

import { createHmac } from 'node:crypto';
import { SignJWT, importJWK, type JWTPayload } from 'jose';
import { AUDIENCE, DEMO_ISSUER, makeSigningKey, type SigningKey } from '../../src/gateway/index.js';
import { codesOf, column, openWorld, send, withoutRun, type Reply, type World } from './support.js';

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
    'a payload that was changed',
    async () =>
      `Bearer ${(await token())
        .split('.')
        .map((part, i) => (i === 1 ? coded({ roles: ['steward'] }) : part))
        .join('.')}`,
  ],
  ['a key of somebody else', async () => bearer({ key: await makeSigningKey() })],
  ['alg none', async () => `Bearer ${await handmade({ alg: 'none' }, () => '')}`],
  [
    'HS256 with the public key as secret',
    async () =>
      `Bearer ${await handmade({ alg: 'HS256' }, (text) => createHmac('sha256', String(world.running.key.publicKey.x)).update(text).digest('base64url'))}`,
  ],
  ['a key id that is a path', async () => bearer({ header: { kid: '../../etc/passwd' } })],
  [
    'a key that the token brings along',
    async () => {
      const key = await makeSigningKey();
      return bearer({ key, header: { jwk: key.publicKey } });
    },
  ],
  ['a key set that the token names', async () => bearer({ key: await makeSigningKey(), header: { jku: 'http://127.0.0.1:9/jwks' } })],
  ['an unknown critical header', async () => `Bearer ${await handmade({ alg: 'EdDSA', crit: ['x'], x: 1 }, () => 'AAAA')}`],
  ['an end in the past', () => bearer({ claims: { iat: seconds(-1000), exp: seconds(-10) } })],
  ['no end', () => bearer({ drop: ['exp'] })],
  ['no beginning', () => bearer({ drop: ['iat'] })],
  ['no subject', () => bearer({ drop: ['sub'] })],
  ['no token id', () => bearer({ drop: ['jti'] })],
  ['a beginning in the future', () => bearer({ claims: { nbf: seconds(600) } })],
  ['an issue in the future', () => bearer({ claims: { iat: seconds(600), exp: seconds(1200) } })],
  ['an issue 25 hours ago', () => bearer({ claims: { iat: seconds(-90_000), exp: seconds(600) } })],
  ['another audience', () => bearer({ claims: { aud: 'urn:somebody:else' } })],
  ['another issuer', () => bearer({ claims: { iss: 'urn:somebody:else' } })],
  ['the type of an identity token', () => bearer({ header: { typ: 'JWT' } })],
  ['no type', () => bearer({ header: { typ: null } })],
  ['more than 16 kB', () => bearer({ claims: { filler: 'x'.repeat(14_000) } })],
];

describe('a token that is not valid', () => {
  it.each(REFUSED)('is refused with 401 and recorded: %s', async (_, make) => {
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

describe('a token that is valid', () => {
  it('is accepted, also among several audiences', async () => {
    expect((await asked(await bearer({}))).status).toBe(200);
    expect((await asked(await bearer({ claims: { aud: ['urn:other', AUDIENCE] } }))).status).toBe(200);
  });

  it('ends when it ends, though it was seen before', async () => {
    const mine = await bearer({ claims: { exp: seconds(30) } });
    expect((await asked(mine)).status).toBe(200);
    world.now += 40_000;
    expect((await asked(mine)).status).toBe(401);
  });

  it.each([
    ['an unknown role', ['wizard']],
    ['no role', []],
    ['a known role beside an unknown one', ['clinician', 'wizard']],
  ])('is refused with 403 for %s', async (_, roles) => {
    const reply = await asked(await bearer({ claims: { roles } }));
    expect([reply.status, codesOf(reply)]).toEqual([403, ['FORBIDDEN']]);
  });

  it.each([
    ['is missing', { drop: ['purpose'] }],
    ['is unknown', { claims: { purpose: 'CURIOSITY' } }],
    ['is a property of every object', { claims: { purpose: 'constructor' } }],
    ['is a list', { claims: { purpose: ['TREAT'] } }],
  ])('is refused with PURPOSE_MISSING where the purpose %s', async (_, making: Making) => {
    const reply = await asked(await bearer(making));
    expect([reply.status, codesOf(reply)]).toEqual([403, ['PURPOSE_MISSING']]);
  });

  it('is refused for a purpose that no grant of its role has', async () => {
    const reply = await asked(await bearer({ claims: { purpose: 'HRESCH' } }));
    expect([reply.status, codesOf(reply)]).toEqual([403, ['FORBIDDEN']]);
  });

  it('sees no row without sites', async () => {
    const reply = await asked(await bearer({ drop: ['sites'] }));
    expect(reply.body.data).toEqual({ patients: { edges: [] } });
  });

  it.each([
    { 'x-purpose': 'HRESCH' },
    { 'x-thalamus-purpose': 'ETREAT' },
    { 'x-user': 'demo-steward' },
    { 'x-roles': 'privacy_officer' },
    { 'x-forwarded-user': 'root' },
  ])('is all that says who asks and for what: %j changes nothing', async (headers) => {
    const mine = await bearer({});
    const plain = await asked(mine);
    const reply = await asked(mine, headers);
    expect(withoutRun(reply)).toBe(withoutRun(plain));
    const { logId, seq } = reply.body.extensions?.receipt ?? {};
    const [record] = await column<string>(world, 'select record as value from audit_log where log_id = $1 and seq = $2', [logId, seq]);
    expect(JSON.parse(record ?? '{}')).toMatchObject({ principal: 'demo-clinician', purpose: 'TREAT', roles: ['clinician'] });
  });
});

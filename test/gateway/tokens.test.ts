import { SignJWT, importJWK, type JWTPayload } from 'jose';
import { AUDIENCE, DEMO_ISSUER } from '../../src/gateway/index.js';
import { codesOf, openWorld, send, type Reply, type World } from './support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world.close(), 20_000);

const QUESTION = '{ patients(first: 1) { edges { node { id familyName } } } }';

function asked(authorization: string): Promise<Reply> {
  return send(world.gateway.url, {
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ query: QUESTION }),
  });
}

interface Making {
  readonly claims?: JWTPayload;
  readonly drop?: readonly string[];
}

/** A token like that of the clinician, made different in one way. */
async function token({ claims = {}, drop = [] }: Making = {}): Promise<string> {
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
  return new SignJWT(kept)
    .setProtectedHeader({ alg: 'EdDSA', kid: 'demo', typ: 'at+jwt' })
    .sign(await importJWK(world.running.key.privateKey, 'EdDSA'));
}

const seconds = (offset: number): number => Math.floor(world.now / 1000) + offset;
const bearer = async (making: Making): Promise<string> => `Bearer ${await token(making)}`;

describe('a token that is valid', () => {
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
});

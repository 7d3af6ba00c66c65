import { Identity, LoginSessions, oidcIssuer, startGateway, type Gateway } from '../../../src/gateway/index.js';
import { newUuid } from '../../../src/kernel/index.js';
import { identityDigest } from '../../../src/store/index.js';
import { codesOf, column, openWorld, send, type Reply, type World } from '../../gateway/support.js';
import { AUDIENCE, makeKey, sign, startIssuer, type Key, type LocalIssuer } from './support.js';

/** Delegated tokens (RFC 8693 section 4.1) from an issuer of their own. */
let world: World;
let issuer: LocalIssuer;
let key: Key;
let identity: Identity;
let gateway: Gateway;
beforeAll(async () => {
  world = await openWorld();
  key = await makeKey('delegating');
  issuer = await startIssuer([key]);
  const { mesh, revocations, identities } = world.running;
  const clock = (): number => world.now;
  identity = new Identity({
    issuers: [oidcIssuer({ issuer: issuer.url, audience: AUDIENCE, steady: () => 0 })],
    roles: () => mesh.roles,
    revocations,
    sessions: new LoginSessions(identities, clock),
    clock,
  });
  gateway = await startGateway({ mesh, identity, host: '127.0.0.1', port: 0, ready: () => Promise.resolve(true) });
}, 180_000);
afterAll(async () => {
  await gateway.stop();
  await issuer.stop();
  await world.close();
}, 30_000);

const token = (claims: Record<string, unknown>): Promise<string> => {
  const now = Math.floor(world.now / 1000);
  return sign(key, { iss: issuer.url, jti: newUuid(world.now), iat: now, exp: now + 900, ...claims });
};
const principal = async (claims: Record<string, unknown>) => identity.principal(`Bearer ${await token(claims)}`);
const ask = async (claims: Record<string, unknown>): Promise<Reply> =>
  send(gateway.url, {
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await token(claims)}` },
    body: JSON.stringify({ query: '{ patients(first: 1) { edges { node { id } } } }' }),
  });
const nested = (depth: number): unknown =>
  depth === 0 ? undefined : { sub: `actor-${String(depth)}`, roles: ['clinician'], act: nested(depth - 1) };

describe('ATK-99 a delegated token', () => {
  it('names the whole chain, outermost actor first, each with its own roles', async () => {
    const act = { sub: 'scribe', roles: ['analyst'], act: { sub: 'scheduler', roles: ['clinician', 'analyst'], client_id: 'x' } };
    expect((await principal({ act })).actors).toEqual([
      { sub: 'scribe', roles: ['analyst'] },
      { sub: 'scheduler', roles: ['analyst', 'clinician'] },
    ]);
  });

  it('gives an actor without roles none, and takes none from groups or from the subject', async () => {
    expect((await principal({ act: { sub: 'scribe', groups: ['clinician'] } })).actors).toEqual([{ sub: 'scribe', roles: [] }]);
  });

  it('leaves the chain, and the digest of its session, in the record of the request', async () => {
    const reply = await ask({
      sid: 'sid-of-ada',
      act: { sub: 'scribe', roles: ['clinician'], act: { sub: 'scheduler', roles: ['clinician'] } },
    });
    expect(reply.status).toBe(200);
    const [facts] = await column<Record<string, unknown>>(world, 'select facts as value from lineage_run where run_id = $1', [
      reply.body.extensions?.lineageId,
    ]);
    expect(facts).toMatchObject({ actors: ['scribe', 'scheduler'], session: identityDigest('session', 'sid-of-ada') });
    expect(await column(world, `select count(*)::int as value from audit_log where record like '%sid-of-ada%'`)).toEqual([0]);
  });

  it('is taken up to four actors deep', async () => {
    expect((await principal({ act: nested(4) })).actors).toHaveLength(4);
  });

  it.each<[string, unknown]>([
    ['five deep', nested(5)],
    ['a name', 'scribe'],
    ['nothing', null],
    ['a list', [{ sub: 'scribe', roles: ['clinician'] }]],
    ['an actor without a subject', { roles: ['clinician'] }],
    ['an actor that is a number', { sub: 7, roles: ['clinician'] }],
    ['an actor that many share', { sub: 'anonymous', roles: ['clinician'] }],
    ['roles that are a text', { sub: 'scribe', roles: 'clinician' }],
    ['roles that are no names', { sub: 'scribe', roles: [{ name: 'clinician' }] }],
    ['a malformed actor further down', { sub: 'scribe', roles: ['clinician'], act: { sub: '' } }],
  ])('is refused where the chain is %s', async (_, act) => {
    const reply = await ask({ act });
    expect([reply.status, codesOf(reply)]).toEqual([401, ['UNAUTHENTICATED']]);
  });

  it('is refused where an actor has a role that nobody knows', async () => {
    const reply = await ask({ act: { sub: 'scribe', roles: ['clinician', 'wizard'] } });
    expect([reply.status, codesOf(reply)]).toEqual([403, ['FORBIDDEN']]);
  });
});

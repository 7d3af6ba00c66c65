import { revoke } from '../../../src/cli/revoke.js';
import { Revocations, oidcIssuer, signRouterToken, type Identity } from '../../../src/gateway/index.js';
import { identityDigest, identityStore, openPools, type IdentityStore, type Pools } from '../../../src/store/index.js';
import { ask, column, openWorld, type World } from '../../gateway/support.js';
import { createDatabase, type TestDatabase } from '../../support/database.js';
import { AUDIENCE, NOW_SECONDS, bearer, identityOver, makeKey, sign, startIssuer, verdict, type Key, type LocalIssuer } from './support.js';

const NOW = NOW_SECONDS * 1000;

let database: TestDatabase;
let pools: Pools;
let store: IdentityStore;
let issuer: LocalIssuer;
let key: Key;
/** Clocks that are moved by hand: since 1970, and one that only goes forward. Milliseconds. */
let now = NOW;
let time = 0;
beforeAll(async () => {
  database = await createDatabase();
  pools = await openPools(database.engine);
  store = identityStore(pools.writer);
  key = await makeKey('first');
  issuer = await startIssuer([key]);
}, 60_000);
afterAll(async () => {
  await issuer.stop();
  await pools.end();
  await database.drop();
}, 20_000);
beforeEach(() => {
  now = NOW;
  time = 0;
});

/** One process of several: it knows of the others by the database only. */
function process(source: { revocations: IdentityStore['revocations'] } = store): { identity: Identity; revocations: Revocations } {
  const revocations = new Revocations(
    source,
    () => now,
    () => time,
  );
  const trusted = oidcIssuer({ issuer: issuer.url, audience: AUDIENCE, steady: () => 0 });
  return { identity: identityOver([trusted], { revocations, clock: () => now }), revocations };
}
const token = (claims: Record<string, unknown> = {}): Promise<string> => sign(key, { iss: issuer.url, ...claims });
const entry = { at: NOW, until: NOW + 3_610_000, reason: 'stolen laptop', by: 'officer' };

describe('a revocation', () => {
  it.each([
    ['token', 'jti-1', { jti: 'jti-1' }, { jti: 'jti-2' }],
    ['session', 'sid-1', { sid: 'sid-1' }, { sid: 'sid-2' }],
    ['subject', 'dr-eve', { sub: 'dr-eve' }, { sub: 'dr-adam' }],
    ['subject', 'scribe', { act: { sub: 'scribe', roles: ['clinician'] } }, { act: { sub: 'clerk', roles: ['clinician'] } }],
  ] as const)(
    'of a %s (%s) holds in every process within 5 s, also for tokens that were verified before',
    async (kind, value, mine, others) => {
      const [a, b] = [process(), process()];
      const [bad, good] = [await token(mine), await token(others)];
      for (const { identity } of [a, b])
        expect([await bearer(identity, bad), await bearer(identity, good)]).toEqual(['accepted', 'accepted']);
      await store.revoke({ ...entry, kind, value });
      time += 5_000;
      for (const { identity } of [a, b])
        expect([await bearer(identity, bad), await bearer(identity, good)]).toEqual(['UNAUTHENTICATED', 'accepted']);
    },
  );

  it('of one kind is none of another: values are kept apart', async () => {
    await store.revoke({ ...entry, kind: 'token', value: 'same' });
    const { identity } = process();
    expect(await bearer(identity, await token({ jti: 'same' }))).toBe('UNAUTHENTICATED');
    expect(await bearer(identity, await token({ sub: 'same', sid: 'same' }))).toBe('accepted');
  });

  it('holds at once where a transaction saw its epoch', async () => {
    const { identity, revocations } = process();
    const bad = await token({ jti: 'jti-epoch' });
    expect(await bearer(identity, bad)).toBe('accepted');
    const epoch = await store.revoke({ ...entry, kind: 'token', value: 'jti-epoch' });
    expect(await bearer(identity, bad)).toBe('accepted');
    await revocations.upTo(epoch);
    expect([revocations.epoch, await bearer(identity, bad)]).toEqual([epoch, 'UNAUTHENTICATED']);
    expect(await verdict(revocations.upTo(epoch + 1))).toBe('UNAVAILABLE');
  });

  it('ends when no token can be left of what it means, and holds for good where it has no end', async () => {
    const { revocations } = process();
    await store.revoke({ ...entry, kind: 'subject', value: 'ends' });
    await store.revoke({ ...entry, kind: 'session', value: 'stays', until: null });
    const ends = { sub: 'ends', tokenId: 'x' };
    const stays = { sub: 'y', tokenId: 'z', session: 'stays' };
    await revocations.refresh();
    expect([revocations.isRevoked(ends), revocations.isRevoked(stays)]).toEqual([true, true]);
    now = entry.until;
    expect([revocations.isRevoked(ends), revocations.isRevoked(stays)]).toEqual([false, true]);
  });

  it('is not lost among many that are made at once', async () => {
    const { revocations } = process();
    await revocations.refresh();
    const values = Array.from({ length: 40 }, (_, i) => `many-${String(i)}`);
    const reading = Promise.all(values.map(async () => revocations.refresh()));
    await Promise.all(values.map((value) => store.revoke({ ...entry, kind: 'token', value })));
    await reading;
    await revocations.refresh();
    expect(values.filter((tokenId) => !revocations.isRevoked({ sub: 's', tokenId }))).toEqual([]);
  });

  it('keeps digests only, and what is written stays', async () => {
    await store.revoke({ ...entry, kind: 'session', value: 'secret-session' });
    const { rows } = await pools.owner.query<{ text: string }>(`select token_revocation::text as text from token_revocation`);
    expect(rows.some(({ text }) => text.includes(identityDigest('session', 'secret-session')))).toBe(true);
    expect(rows.some(({ text }) => text.includes('secret-session'))).toBe(false);
    for (const statement of [`delete from token_revocation`, `update token_revocation set until = now()`, `truncate token_revocation`]) {
      await expect(pools.writer.query(statement)).rejects.toThrow();
      await expect(pools.owner.query(statement)).rejects.toThrow();
    }
  });
});

describe('a list of revocations that cannot be read', () => {
  it('lets nothing pass after 5 s, and all again when it is back', async () => {
    let away = false;
    const { identity } = process({
      revocations: (since) => (away ? Promise.reject(new Error('connection to 10.0.0.7 refused')) : store.revocations(since)),
    });
    const mine = await token();
    expect(await bearer(identity, mine)).toBe('accepted');
    away = true;
    time = 4_900;
    expect(await bearer(identity, mine)).toBe('accepted');
    time = 5_100;
    expect(await bearer(identity, mine)).toBe('UNAVAILABLE');
    await expect(identity.principal(`Bearer ${mine}`)).rejects.toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('10.0') }),
    );
    away = false;
    expect(await bearer(identity, mine)).toBe('accepted');
  });

  it('lets nothing pass where it was never read', async () => {
    const { identity } = process({ revocations: () => Promise.reject(new Error('away')) });
    expect(await bearer(identity, await token())).toBe('UNAVAILABLE');
  });

  it('is asked at most once in a second, however many ask', async () => {
    let reads = 0;
    const { identity } = process({
      revocations: () => {
        reads += 1;
        return Promise.resolve({ epoch: 0, entries: [] });
      },
    });
    const mine = await token();
    for (time = 0; time < 10_000; time += 100) await Promise.all([bearer(identity, mine), bearer(identity, mine), bearer(identity, mine)]);
    expect(reads).toBeLessThanOrEqual(10);
    expect(reads).toBeGreaterThanOrEqual(5);
  });
});

describe('the verb revoke', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  }, 180_000);
  afterAll(() => world.close(), 20_000);
  const QUESTION = '{ patients(first: 1) { edges { node { id } } } }';

  it('shuts a subject out of a gateway that runs, within 5 s and with a record', async () => {
    expect((await ask(world, 'analyst', QUESTION)).status).toBe(200);
    const revoked = await revoke(world.running, { subject: 'demo-analyst', reason: 'left the project' });
    expect(revoked).toEqual({ kind: 'subject', until: new Date(world.now + 3_610_000).toISOString() });
    const started = performance.now();
    let status = 200;
    while (status === 200 && performance.now() - started < 5_000) {
      status = (await ask(world, 'analyst', QUESTION)).status;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(status).toBe(401);
    expect((await ask(world, 'clinician', QUESTION)).status).toBe(200);
    const digest = identityDigest('subject', 'demo-analyst');
    expect(await column(world, `select count(*)::int as value from audit_log where record like '%' || $1 || '%'`, [digest])).toEqual([1]);
  }, 20_000);

  it('shuts out a router too', async () => {
    await revoke(world.running, { token: 'router-token', reason: 'lost' });
    await world.running.revocations.refresh();
    const router = await signRouterToken(world.running.key, world.now, 'router-token');
    expect(await verdict(world.running.identity.router(router))).toBe('UNAUTHENTICATED');
  });

  it.each([[{}], [{ token: 'a', session: 'b' }], [{ token: '' }], [{ subject: 'x'.repeat(300) }], [{ subject: 'x', reason: ' ' }]])(
    'wants one thing to revoke and a reason: %j',
    async (options) => {
      expect(await verdict(revoke(world.running, { reason: 'because', ...options }))).toBe('BAD_INPUT');
    },
  );
});

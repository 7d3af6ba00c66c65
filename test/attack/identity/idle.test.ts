import { LoginSessions, oidcIssuer, type Identity } from '../../../src/gateway/index.js';
import { LIMITS } from '../../../src/kernel/index.js';
import { identityDigest, identityStore, openPools, type IdentityStore, type Pools, type SessionTouch } from '../../../src/store/index.js';
import { createDatabase, type TestDatabase } from '../../support/database.js';
import { AUDIENCE, NOW_SECONDS, bearer, identityOver, makeKey, sign, startIssuer, type Key, type LocalIssuer } from './support.js';

const IDLE = LIMITS.session_idle_seconds_max;

let database: TestDatabase;
let pools: Pools;
let store: IdentityStore;
let issuer: LocalIssuer;
let key: Key;
/** Seconds since the log-in. */
let second = 0;
const clock = (): number => (NOW_SECONDS + second) * 1000;
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
  second = 0;
});

const writes: SessionTouch[] = [];
/** One process: it knows of the others, and of what was before it started, by the database only. */
function started(): Identity {
  const source = {
    touchSession: (touch: SessionTouch) => {
      writes.push(touch);
      return store.touchSession(touch);
    },
  };
  const trusted = oidcIssuer({ issuer: issuer.url, audience: AUDIENCE, steady: () => 0 });
  return identityOver([trusted], { sessions: new LoginSessions(source, clock), clock });
}
/** Asks with a token that was made just now. */
const asks = async (identity: Identity, sid: string | undefined, claims: Record<string, unknown> = {}): Promise<string> =>
  bearer(identity, await sign(key, { iss: issuer.url, iat: NOW_SECONDS + second, exp: NOW_SECONDS + second + 900, sid, ...claims }));

describe('a log-in session', () => {
  it(`ends after ${String(IDLE)} s without a request; a new token of it is refused, a new log-in is not`, async () => {
    const identity = started();
    expect(await asks(identity, 'a')).toBe('accepted');
    second = IDLE;
    expect(await asks(identity, 'a')).toBe('accepted');
    second = 2 * IDLE + 1;
    expect(await asks(identity, 'a')).toBe('UNAUTHENTICATED');
    expect(await asks(identity, 'a2')).toBe('accepted');
    for (const later of [10, 100, 100_000]) {
      second += later;
      expect(await asks(identity, 'a')).toBe('UNAUTHENTICATED');
    }
  });

  it('goes on while it is used, up to the last second, though activity is written every 30 s only', async () => {
    const identity = started();
    expect(await asks(identity, 'b')).toBe('accepted');
    second = 29;
    expect(await asks(identity, 'b')).toBe('accepted');
    second = 29 + IDLE;
    expect(await asks(identity, 'b')).toBe('accepted');
    second = 30 + 2 * IDLE;
    expect(await asks(identity, 'b')).toBe('UNAUTHENTICATED');
  });

  it('is written at most every 30 s', async () => {
    const identity = started();
    writes.length = 0;
    for (second = 0; second < 300; second += 1) expect(await asks(identity, 'c')).toBe('accepted');
    expect(writes).toHaveLength(10);
    const known = await store.session(identityDigest('session', 'c'));
    expect(known).toEqual({ sub: 'dr-ada', firstAt: NOW_SECONDS * 1000, lastAt: (NOW_SECONDS + 270) * 1000 });
  });

  it('is one for two processes: what keeps it in one keeps it in the other', async () => {
    const [here, there] = [started(), started()];
    expect([await asks(here, 'd'), await asks(there, 'd')]).toEqual(['accepted', 'accepted']);
    for (second = 0; second <= 1_200; second += 60) expect(await asks(here, 'd')).toBe('accepted');
    expect(await asks(there, 'd')).toBe('accepted');
    second += IDLE + 1;
    expect([await asks(there, 'd'), await asks(here, 'd')]).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
  });

  it('that ended stays ended over a restart, and one that was used goes on', async () => {
    expect([await asks(started(), 'e'), await asks(started(), 'f')]).toEqual(['accepted', 'accepted']);
    second = 600;
    expect(await asks(started(), 'f')).toBe('accepted');
    second = 1_000;
    const restarted = started();
    expect([await asks(restarted, 'e'), await asks(restarted, 'f')]).toEqual(['UNAUTHENTICATED', 'accepted']);
  });

  it('is of one subject: another who names it is refused, and does not keep it open', async () => {
    const identity = started();
    expect(await asks(identity, 'g')).toBe('accepted');
    second = 800;
    expect(await asks(identity, 'g', { sub: 'dr-eve' })).toBe('UNAUTHENTICATED');
    second = 1_000;
    expect(await asks(identity, 'g')).toBe('UNAUTHENTICATED');
  });

  it('is kept by its digest', async () => {
    await asks(started(), 'secret-session');
    const { rows } = await pools.owner.query<{ text: string }>(`select login_session::text as text from login_session`);
    expect(rows.some(({ text }) => text.includes('secret-session'))).toBe(false);
    expect(await store.session(identityDigest('session', 'secret-session'))).not.toBeNull();
    expect(await store.session(identityDigest('session', 'never'))).toBeNull();
  });
});

describe('a token of no session', () => {
  it('that lives longer than idleness may last ends when idle too', async () => {
    const identity = started();
    const long = await sign(key, { iss: issuer.url, exp: NOW_SECONDS + 3_000 });
    expect(await bearer(identity, long)).toBe('accepted');
    second = IDLE + 1;
    expect(await bearer(identity, long)).toBe('UNAUTHENTICATED');
  });

  it('that ends sooner, and one of a service, cost no write', async () => {
    const identity = started();
    writes.length = 0;
    expect(await asks(identity, undefined)).toBe('accepted');
    expect(await asks(identity, 'sid-of-a-service', { kind: 'service', exp: NOW_SECONDS + 3_000 })).toBe('accepted');
    expect(writes).toEqual([]);
  });
});

it('a session that cannot be looked up lets nobody in', async () => {
  const trusted = oidcIssuer({ issuer: issuer.url, audience: AUDIENCE, steady: () => 0 });
  const sessions = new LoginSessions({ touchSession: () => Promise.reject(new Error('away')) }, clock);
  expect(await asks(identityOver([trusted], { sessions, clock }), 'h')).toBe('UNAVAILABLE');
});

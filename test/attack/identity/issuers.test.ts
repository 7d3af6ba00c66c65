import fc from 'fast-check';
import { createHmac, createPublicKey, createSign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Identity, oidcIssuer } from '../../../src/gateway/index.js';
import { AUDIENCE, bearer, identityOver, makeKey, sign, startIssuer, type Key, type LocalIssuer } from './support.js';

let first: Key;
let second: Key;
let rsa: Key;
let issuer: LocalIssuer;
/** A clock of milliseconds that only goes forward, moved by hand. */
let time = 0;
let identity: Identity;
const logged: string[] = [];
const steady = (): number => time;

beforeAll(async () => {
  [first, second, rsa] = await Promise.all([makeKey('first'), makeKey('second'), makeKey('rsa', 'RS256')]);
});
beforeEach(async () => {
  time = 1_000_000;
  logged.length = 0;
  issuer = await startIssuer([first]);
  identity = identityOver([trusted()]);
});
afterEach(() => issuer.stop());

const trusted = (of: LocalIssuer = issuer) =>
  oidcIssuer({ issuer: of.url, audience: AUDIENCE, steady, stepUpAcr: ['urn:loa:3'], log: (line) => logged.push(line) });
const token = (key: Key, claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> =>
  sign(key, { iss: issuer.url, ...claims }, header);
const asked = async (key: Key, claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> =>
  bearer(identity, await token(key, claims, header));
const fetches = (): number => issuer.asked.get('/jwks') ?? 0;

/** Waits for a reading that goes on beside the requests. */
async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !holds(); tries++) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('an issuer that is found by discovery', () => {
  it('is asked once for its document and once for its keys, whatever the number of tokens', async () => {
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => asked(first)));
    expect(new Set(verdicts)).toEqual(new Set(['accepted']));
    expect(Object.fromEntries(issuer.asked)).toEqual({ '/.well-known/openid-configuration': 1, '/jwks': 1 });
  });

  it('is not asked before a token names it', async () => {
    expect(await asked(first, { iss: 'https://somebody.example' })).toBe('UNAUTHENTICATED');
    expect(issuer.asked.size).toBe(0);
  });

  it.each<[string, (issuer: LocalIssuer) => void]>([
    ['names another issuer', (each) => (each.discovery = { issuer: 'https://somebody.example' })],
    ['names itself with a slash more', (each) => (each.discovery = { issuer: `${each.url}/` })],
    ['names no keys', (each) => (each.discovery = { jwks_uri: null })],
    ['names keys at a plain address elsewhere', (each) => (each.discovery = { jwks_uri: 'http://169.254.169.254/latest' })],
    ['names keys in a file', (each) => (each.discovery = { jwks_uri: 'file:///etc/passwd' })],
    ['has keys behind a password', (each) => (each.discovery = { jwks_uri: each.url.replace('//', '//a:b@') + '/jwks' })],
    ['is sent elsewhere for its keys', (each) => (each.instead = { status: 302, body: '', headers: { location: `${each.url}/other` } })],
    ['answers with an error', (each) => (each.instead = { status: 500, body: JSON.stringify({ keys: each.keys }) })],
    ['answers with what is no JSON', (each) => (each.instead = { status: 200, body: '<html>' })],
    [
      'answers with more than 64 kB',
      (each) => (each.instead = { status: 200, body: JSON.stringify({ keys: each.keys, x: 'x'.repeat(70_000) }) }),
    ],
    ['has no list of keys', (each) => (each.instead = { status: 200, body: '{"keys":{}}' })],
    ['gives a shared secret', (each) => (each.keys = [{ kty: 'oct', k: 'c2VjcmV0', kid: 'first' }])],
    ['gives its private key away', (each) => (each.keys = [first.privateKey])],
    ['has a key for encryption', (each) => (each.keys = [{ ...first.publicKey, use: 'enc' }])],
  ])('is not believed where it %s', async (_, change) => {
    change(issuer);
    expect(await asked(first)).toBe('UNAUTHENTICATED');
    expect(issuer.asked.get('/other')).toBeUndefined();
  });

  it.each([
    'http://id.example/jwks',
    'http://127.0.0.1:8500/jwks',
    'http://169.254.169.254/latest',
    'https://a:b@id.example/jwks',
    'file:///etc/passwd',
    'data:application/json,{}',
    '/jwks',
    7,
  ])('is not followed from elsewhere to %s', async (address) => {
    const visited: string[] = [];
    const elsewhere = oidcIssuer({
      issuer: 'https://id.example',
      audience: AUDIENCE,
      steady,
      fetch: (url) => {
        visited.push(url);
        return Promise.resolve(Response.json(url.includes('well-known') ? { issuer: 'https://id.example', jwks_uri: address } : issuer));
      },
    });
    expect(await bearer(identityOver([elsewhere]), await token(first, { iss: 'https://id.example' }))).toBe('UNAUTHENTICATED');
    expect(visited).toEqual(['https://id.example/.well-known/openid-configuration']);
  });

  it.each([
    'http://id.example',
    'ftp://id.example',
    'id.example',
    'https://a:b@id.example',
    'https://id.example/?x=1',
    'https://id.example/#x',
  ])('has an https address, or one of this machine: not %s', (url) => {
    expect(() => oidcIssuer({ issuer: url, audience: AUDIENCE, steady })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it('may have its key set named instead', async () => {
    const named = identityOver([oidcIssuer({ issuer: issuer.url, audience: AUDIENCE, jwksUrl: `${issuer.url}/jwks`, steady })]);
    expect(await bearer(named, await token(first))).toBe('accepted');
    expect([...issuer.asked.keys()]).toEqual(['/jwks']);
    expect(() => oidcIssuer({ issuer: issuer.url, audience: AUDIENCE, jwksUrl: 'http://id.example/jwks', steady })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });

  it('says by its acr, or by mfa, that several factors were used', async () => {
    const steppedUp = async (claims: Record<string, unknown>) =>
      (await identity.principal(`Bearer ${await token(first, claims)}`)).steppedUp ?? false;
    expect(await steppedUp({ acr: 'urn:loa:3' })).toBe(true);
    expect(await steppedUp({ amr: ['pwd', 'mfa'] })).toBe(true);
    expect(await steppedUp({ acr: 'urn:loa:1', amr: ['pwd'] })).toBe(false);
    expect(await steppedUp({ acr: 'urn:loa:3', kind: 'service' })).toBe(false);
  });
});

describe('keys that change', () => {
  it('ATK-93 a new key is accepted within 60 s and the old one refused after the overlap', async () => {
    expect(await asked(first)).toBe('accepted');
    issuer.keys = [first.publicKey, second.publicKey];
    time += 31_000;
    expect([await asked(second), await asked(first)]).toEqual(['accepted', 'accepted']);
    // The overlap ends: the old key leaves the document, and is refused once that was read again beside the requests.
    issuer.keys = [second.publicKey];
    time += 61_000;
    const before = fetches();
    expect(await asked(second)).toBe('accepted');
    await until(() => fetches() > before);
    let old = await asked(first);
    for (let tries = 0; tries < 100 && old === 'accepted'; tries++) old = await asked(first);
    expect([old, await asked(second)]).toEqual(['UNAUTHENTICATED', 'accepted']);
  });

  it('ATK-94 a flood of unknown key ids causes one fetch in 30 s', async () => {
    expect(await asked(first)).toBe('accepted');
    expect(fetches()).toBe(1);
    time += 31_000;
    const flood = Array.from({ length: 300 }, async (_, i) => asked(second, {}, { kid: `unknown-${String(i)}` }));
    expect(new Set(await Promise.all(flood))).toEqual(new Set(['UNAUTHENTICATED']));
    expect(fetches()).toBe(2);
    for (let step = 0; step < 10; step++) {
      time += 2_900;
      expect(await asked(second)).toBe('UNAUTHENTICATED');
    }
    expect(fetches()).toBe(2);
    time += 2_000;
    expect(await asked(second)).toBe('UNAUTHENTICATED');
    expect(fetches()).toBe(3);
    expect(await asked(first)).toBe('accepted');
  });

  it('ATK-95 while the key set is away known keys serve until they are too old, then nothing does', async () => {
    expect(await asked(first)).toBe('accepted');
    await issuer.stop();
    for (const minute of [1, 3, 5, 9]) {
      time = 1_000_000 + minute * 60_000;
      expect([await asked(first), await asked(second)]).toEqual(['accepted', 'UNAUTHENTICATED']);
    }
    time = 1_000_000 + 601_000;
    expect([await asked(first), await asked(second)]).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.join('\n')).not.toContain('eyJ');
  });

  it('an issuer that comes back is believed again', async () => {
    issuer.instead = { status: 503, body: '{}' };
    expect(await asked(first)).toBe('UNAUTHENTICATED');
    issuer.instead = null;
    expect(await asked(first)).toBe('UNAUTHENTICATED');
    time += 30_000;
    expect(await asked(first)).toBe('accepted');
  });
});

describe('a key that is not the issuer’s', () => {
  it('of another trusted issuer verifies nothing', async () => {
    const other = await startIssuer([second]);
    try {
      identity = identityOver([trusted(), trusted(other)]);
      expect([await asked(first), await asked(second, { iss: other.url })]).toEqual(['accepted', 'accepted']);
      expect([await asked(second), await asked(first, { iss: other.url })]).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
      // Not even where both give their keys the same name.
      const namesake = { ...second, kid: 'first' };
      expect(await asked(namesake)).toBe('UNAUTHENTICATED');
    } finally {
      await other.stop();
    }
  });

  it('ATK-80 an RSA public key is no HMAC secret, in whatever form', async () => {
    issuer.keys = [rsa.publicKey];
    expect(await asked(rsa)).toBe('accepted');
    const pem = createPublicKey({ key: rsa.publicKey as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    for (const secret of [pem, String(rsa.publicKey.n), JSON.stringify(rsa.publicKey)]) {
      for (const alg of ['HS256', 'HS384', 'HS512']) {
        const head = Buffer.from(JSON.stringify({ alg, kid: 'rsa', typ: 'at+jwt' })).toString('base64url');
        const body = (await token(rsa)).split('.')[1] ?? '';
        const mac = createHmac(alg.replace('HS', 'sha'), secret).update(`${head}.${body}`).digest('base64url');
        expect(await bearer(identity, `${head}.${body}.${mac}`)).toBe('UNAUTHENTICATED');
      }
    }
  });

  it.each(['jku', 'x5u'])('ATK-83 an address in the token (%s) is never fetched', async (name) => {
    let visits = 0;
    const trap = createServer((_, response) => {
      visits += 1;
      response.end(JSON.stringify({ keys: [second.publicKey] }));
    });
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
    try {
      const address = `http://127.0.0.1:${String((trap.address() as AddressInfo).port)}/jwks`;
      expect(await asked(second, {}, { [name]: address })).toBe('UNAUTHENTICATED');
      expect(await asked({ ...second, kid: 'first' }, {}, { [name]: address })).toBe('UNAUTHENTICATED');
      expect(visits).toBe(0);
    } finally {
      trap.closeAllConnections();
      trap.close();
    }
  });
});

it('no byte of a token may change: a valid token with any other byte, cut or lengthened is refused', async () => {
  const valid = await token(first);
  expect(await bearer(identity, valid)).toBe('accepted');
  const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/~'.split('');
  const at = fc.nat(valid.length - 1);
  const mutations = fc.oneof(
    fc.tuple(at, fc.constantFrom(...characters)).map(([i, c]) => valid.slice(0, i) + c + valid.slice(i + 1)),
    fc.tuple(at, fc.constantFrom(...characters)).map(([i, c]) => valid.slice(0, i) + c + valid.slice(i)),
    at.map((i) => valid.slice(0, i)),
    at.map((i) => valid.slice(0, i) + valid.slice(i + 1)),
    fc.tuple(at, at).map(([i, j]) => valid.slice(0, Math.min(i, j)) + valid.slice(Math.max(i, j))),
  );
  await fc.assert(
    fc.asyncProperty(
      mutations.filter((each) => each !== valid),
      async (mutant) => (await bearer(identity, mutant)) !== 'accepted',
    ),
    { numRuns: 1_500 },
  );
  // The last character of a signature carries bits that decode to nothing: each other spelling of the same bytes is refused too.
  const spellings = characters.map((c) => valid.slice(0, -1) + c).filter((each) => each !== valid);
  expect(new Set(await Promise.all(spellings.map((each) => bearer(identity, each))))).toEqual(new Set(['UNAUTHENTICATED']));
}, 20_000);

it('claims that come twice count once: the last one is what both the choice of keys and the checks see', async () => {
  const other = await startIssuer([second]);
  try {
    identity = identityOver([trusted(), trusted(other)]);
    const claims = JSON.parse(Buffer.from((await token(second)).split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
    // Signed by the second issuer, and naming the first one at the end.
    const doubled = `{"iss":"${other.url}",${JSON.stringify(claims).slice(1)}`;
    expect(doubled.match(/"iss"/g)).toHaveLength(2);
    const head = Buffer.from(JSON.stringify({ alg: 'ES256', kid: 'second', typ: 'at+jwt' })).toString('base64url');
    const body = Buffer.from(doubled).toString('base64url');
    const key = { key: second.privateKey as never, format: 'jwk', dsaEncoding: 'ieee-p1363' } as const;
    const signature = createSign('sha256').update(`${head}.${body}`).sign(key).toString('base64url');
    expect(await bearer(identity, `${head}.${body}.${signature}`)).toBe('UNAUTHENTICATED');
  } finally {
    await other.stop();
  }
});

import { addressOf, issuersOf } from '../../../src/cli/issuers.js';
import { DEMO_ISSUER, makeSigningKey, type SigningKey } from '../../../src/gateway/index.js';

let key: SigningKey;
beforeAll(async () => {
  key = await makeSigningKey();
});

const OIDC = { OIDC_ISSUER: 'https://id.example/realms/north', OIDC_AUDIENCE: 'mesh' };
const quiet = (): void => undefined;
const invalid = expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error;

describe('where tokens come from', () => {
  it('is the installation itself where no issuer is named, and never beside one', () => {
    expect(issuersOf({}, key, quiet).map((each) => each.issuer)).toEqual([DEMO_ISSUER]);
    const [named, ...more] = issuersOf({ ...OIDC, OIDC_STEP_UP_ACR: 'urn:loa:3, phr' }, key, quiet);
    expect(named).toMatchObject({ issuer: OIDC.OIDC_ISSUER, audience: 'mesh', stepUpAcr: ['urn:loa:3', 'phr'] });
    expect(more).toEqual([]);
  });

  it.each([
    { OIDC_ISSUER: OIDC.OIDC_ISSUER },
    { OIDC_AUDIENCE: 'mesh' },
    { OIDC_JWKS_URL: 'https://id.example/jwks' },
    { OIDC_STEP_UP_ACR: 'x' },
    { ...OIDC, OIDC_AUDIENCE: '' },
    { ...OIDC, OIDC_ISSUER: 'http://id.example' },
    { ...OIDC, OIDC_JWKS_URL: 'http://id.example/jwks' },
    { ...OIDC, OIDC_JWKS_URL: '' },
  ])('is refused where it is said by half: %j', (env) => {
    expect(() => issuersOf(env, key, quiet)).toThrow(invalid);
  });
});

describe('where the gateway serves', () => {
  it.each(['127.0.0.1', '::1', 'localhost'])('is this machine without further ado: %s', (HOST) => {
    expect(addressOf({ HOST, PORT: '0' }, false)).toEqual({ host: HOST, port: 0 });
    expect(addressOf({ HOST }, true)).toEqual({ host: HOST, port: 4000 });
  });

  it('is another address only with an issuer, and with TLS in front of it', () => {
    expect(addressOf({ HOST: '0.0.0.0', TRUST_PROXY_TLS: '1', ...OIDC }, false)).toEqual({ host: '0.0.0.0', port: 4000 });
  });

  it.each<[string, Record<string, string>, boolean]>([
    ['without an issuer', { HOST: '0.0.0.0', TRUST_PROXY_TLS: '1' }, false],
    ['without TLS in front', { HOST: '0.0.0.0', ...OIDC }, false],
    ['where TLS is meant by another word', { HOST: '0.0.0.0', TRUST_PROXY_TLS: 'true', ...OIDC }, false],
    ['for the demo', { HOST: '0.0.0.0', TRUST_PROXY_TLS: '1', ...OIDC }, true],
    ['on a name that only looks like this machine', { HOST: '127.0.0.1.example.org' }, false],
    ['on every address', { HOST: '' }, false],
    ['on a port that is none', { PORT: '4000x' }, false],
  ])('is refused %s', (_, env, demo) => {
    expect(() => addressOf(env, demo)).toThrow(invalid);
  });
});

import { CompactSign, createLocalJWKSet, exportJWK, generateKeyPair, type CryptoKey, type JWTPayload } from 'jose';
import {
  AUDIENCE,
  Clearinghouse,
  DEMO_ISSUER,
  Identity,
  LoginSessions,
  localIssuer,
  startGateway,
  type Gateway,
} from '../../src/gateway/index.js';
import { rolesOf, type PassportPolicy, type PolicyDocument } from '../../src/governance/index.js';
import { clearinghouseOf } from '../../src/cli/visas.js';
import { askAs, enforce, factsOf, nodesOf, tokenOf } from './narrowing-support.js';
import { codesOf, openWorld, send, type Reply, type World } from './support.js';

const VISAS = 'https://visas.example.org/oidc';
const JKU = `${VISAS}/jwks.json`;
const DATASET = 'https://archive.example.org/datasets/710';
const COMMITTEE = 'https://archive.example.org/dacs/1';
const UNIVERSITY = 'https://grid.example.org/institutes/grid.1';
const TERMS = 'https://doi.org/10.1038/s41431-018-0219-y';

const TRUST: PassportPolicy = {
  brokers: [DEMO_ISSUER],
  audience: AUDIENCE,
  issuers: [VISAS, DEMO_ISSUER].map((issuer) => ({ issuer, jku: [JKU] })),
  rules: {
    AcceptedTermsAndPolicies: { sources: [UNIVERSITY] },
    ResearcherStatus: { sources: [UNIVERSITY] },
    LinkedIdentities: { sources: [VISAS] },
  },
  datasets: [{ value: DATASET, sources: [COMMITTEE], by: ['dac'] }],
  assertedSecondsMax: 86_400,
  clockToleranceSeconds: 5,
};

let world: World;
let gateway: Gateway;
let key: CryptoKey;
let stranger: CryptoKey;

beforeAll(async () => {
  world = await openWorld();
  const pair = await generateKeyPair('ES256', { extractable: true });
  key = pair.privateKey;
  stranger = (await generateKeyPair('ES256')).privateKey;
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'v', alg: 'ES256' }] });
  const { mesh, identities, revocations } = world.running;
  const identity = new Identity({
    issuers: [localIssuer(world.running.key)],
    roles: () => mesh.roles,
    rolesOf: (roles, groups) => rolesOf(mesh.policy, roles, groups),
    revocations,
    sessions: new LoginSessions(identities, () => world.now),
    revocationEpoch: () => mesh.epoch.revocation,
    clock: () => world.now,
    clearinghouse: new Clearinghouse(TRUST, new Map([VISAS, DEMO_ISSUER].map((issuer) => [issuer, keys]))),
  });
  gateway = await startGateway({ mesh, identity, host: '127.0.0.1', port: 0, ready: () => Promise.resolve(true) });
}, 60_000);
afterAll(async () => {
  await gateway.stop();
  await world.close();
}, 20_000);
afterEach(() => enforce(world, {}));

interface Making {
  /** Seconds from now. */
  readonly exp?: number;
  readonly claims?: JWTPayload;
  readonly header?: Record<string, unknown>;
  readonly signer?: CryptoKey;
}

const seconds = (): number => Math.floor(world.now / 1000);
const signed = (payload: JWTPayload, header: Record<string, unknown>, signer = key): Promise<string> =>
  new CompactSign(new TextEncoder().encode(JSON.stringify(payload))).setProtectedHeader({ alg: 'ES256', kid: 'v', ...header }).sign(signer);

function visa(
  type: string,
  value: string,
  more: Record<string, unknown>,
  { exp = 600, claims = {}, header = {}, signer }: Making = {},
): Promise<string> {
  const object = { type, value, asserted: seconds() - 60, ...more };
  const payload = { iss: VISAS, sub: 'researcher-7', iat: seconds() - 60, exp: seconds() + exp, ga4gh_visa_v1: object, ...claims };
  return signed(payload, { jku: JKU, ...header }, signer);
}

const linked = () =>
  visa('LinkedIdentities', `${encodeURIComponent('demo-analyst')},${encodeURIComponent(DEMO_ISSUER)}`, { source: VISAS, by: 'system' });
const dataset = (making: Making = {}) => visa('ControlledAccessGrants', DATASET, { source: COMMITTEE, by: 'dac' }, making);
const terms = () => visa('AcceptedTermsAndPolicies', TERMS, { source: UNIVERSITY, by: 'self' });
const researcher = (making: Making = {}) => visa('ResearcherStatus', TERMS, { source: UNIVERSITY, by: 'so' }, making);

const ANALYST: JWTPayload = { sub: 'demo-analyst', roles: ['analyst'], purpose: 'HRESCH', sites: '*' };
const PERSONS = '{ patients(first: 500) { edges { node { id site } } } }';
const asked = (passport: unknown, query = PERSONS, claims: JWTPayload = {}): Promise<Reply> =>
  askAs(world, { ...ANALYST, ...(passport === undefined ? {} : { ga4gh_passport_v1: passport }), ...claims }, query, {}, gateway.url);
const sitesOf = (reply: Reply): string[] => [...new Set(nodesOf(reply.body.data?.['patients']).map((each) => String(each['site'])))].sort();
const CONTROLLED: PolicyDocument = { controlled: { [DATASET]: ['north'] } };

describe('controlled access', () => {
  it('opens a site to holders of a grant for its dataset, and to nobody else', async () => {
    await enforce(world, CONTROLLED);
    expect(sitesOf(await asked(undefined))).toEqual(['south', 'west']);
    const reply = await asked([await linked(), await dataset()]);
    expect(sitesOf(reply)).toEqual(['north', 'south', 'west']);
    expect((await factsOf(world, reply))['passport']).toEqual({ registered: 0, controlled: 1, ignored: 0 });
    // Care of patients is no research.
    const clinician = { sub: 'demo-clinician', roles: ['clinician'], purpose: 'TREAT', sites: ['north'] };
    expect(sitesOf(await askAs(world, clinician, PERSONS, {}, gateway.url))).toEqual(['north']);
  });

  it('ends with the visa, though the token lives on', async () => {
    await enforce(world, CONTROLLED);
    const started = world.now;
    const passport = [await linked(), await dataset({ exp: 30 })];
    const authorization = `Bearer ${await tokenOf(world, { ...ANALYST, ga4gh_passport_v1: passport })}`;
    const again = () =>
      send(gateway.url, { headers: { 'content-type': 'application/json', authorization }, body: JSON.stringify({ query: PERSONS }) });
    expect(sitesOf(await again())).toContain('north');
    world.now = started + 29_999;
    expect(sitesOf(await again())).toContain('north');
    world.now = started + 30_000;
    expect(sitesOf(await again())).toEqual(['south', 'west']);
    world.now = started;
  });

  it.each([
    ['of an identity that is not linked', async () => [await dataset()]],
    ['signed by somebody else', async () => [await linked(), await dataset({ signer: stranger })]],
    ['with a key of its own', async () => [await linked(), await dataset({ header: { jwk: await exportJWK(key) } })]],
    ['that points at other keys', async () => [await linked(), await dataset({ header: { jku: 'https://rogue.example.org/jwks.json' } })]],
    ['of an issuer that nobody trusts', async () => [await linked(), await dataset({ claims: { iss: 'https://rogue.example.org' } })]],
    ['that is over', async () => [await linked(), await dataset({ exp: -1 })]],
    [
      'of another committee',
      async () => [await linked(), await visa('ControlledAccessGrants', DATASET, { source: UNIVERSITY, by: 'dac' })],
    ],
    ['that is no token', async () => [await linked(), 'visa']],
    ['that is no text', async () => [await linked(), { value: DATASET }]],
  ])('a visa %s is ignored, and counted', async (_, passport) => {
    await enforce(world, CONTROLLED);
    const reply = await asked(await passport());
    expect(sitesOf(reply)).toEqual(['south', 'west']);
    expect((await factsOf(world, reply))['passport']).toEqual({ registered: 0, controlled: 0, ignored: 1 });
  });
});

describe('a passport', () => {
  const passport = async (claims: JWTPayload = {}, signer = key): Promise<string> => {
    const payload = {
      iss: DEMO_ISSUER,
      sub: 'demo-analyst',
      iat: seconds() - 5,
      exp: seconds() + 60,
      ga4gh_passport_v1: [await linked(), await dataset()],
    };
    return signed({ ...payload, ...claims }, { typ: 'vnd.ga4gh.passport+jwt' }, signer);
  };

  it('is cleared as its visas are', async () => {
    await enforce(world, CONTROLLED);
    expect(sitesOf(await asked(await passport()))).toContain('north');
  });

  it('that fails a check refuses the token', async () => {
    const faults = [
      await passport({}, stranger),
      await passport({ sub: 'somebody-else' }),
      await passport({ iss: 'https://rogue.example.org' }),
      await passport({ exp: seconds() - 1 }),
      await passport({ ga4gh_passport_v1: 'visas' }),
      'passport',
      7,
      {},
    ];
    for (const fault of faults) expect([(await asked(fault)).status, codesOf(await asked(fault))]).toEqual([401, ['UNAUTHENTICATED']]);
  });
});

describe('registered access', () => {
  const SEX = '{ patients(first: 3) { edges { node { id sex } } } }';
  const document: PolicyDocument = {
    suspended: ['patients.analyst.research'],
    grants: [
      {
        id: 'local.registered',
        reason: 'Registered researchers who accepted the terms see demographic data.',
        role: 'analyst',
        purposes: ['HRESCH'],
        actions: ['read'],
        tags: ['root', 'pseudonym', 'demographic'],
        rows: { op: '<=', attribute: 'sensitivity', literal: 0 },
        clearance: 'registered',
      },
    ],
  };

  it('opens what a grant keeps for it, while both of its visas hold', async () => {
    await enforce(world, document);
    expect(codesOf(await asked(undefined, SEX))).toEqual(['BAD_INPUT']);
    expect(codesOf(await asked([await linked(), await terms()], SEX))).toEqual(['BAD_INPUT']);
    expect(codesOf(await asked([await linked(), await dataset()], SEX))).toEqual(['BAD_INPUT']);
    const visas = [await linked(), await terms(), await researcher({ exp: 20 })];
    expect(nodesOf((await asked(visas, SEX)).body.data?.['patients'])).toHaveLength(3);
    const started = world.now;
    world.now = started + 20_000;
    expect(codesOf(await asked(visas, SEX))).toEqual(['BAD_INPUT']);
    world.now = started;
  });
});

it('without a clearinghouse visas count for nothing, and the token is as good as without them', async () => {
  await enforce(world, CONTROLLED);
  const reply = await askAs(world, { ...ANALYST, ga4gh_passport_v1: [await linked(), await dataset()] }, PERSONS);
  expect(sitesOf(reply)).toEqual(['south', 'west']);
});

describe('the settings of a clearinghouse', () => {
  const made = (issuers?: string, trust?: unknown) =>
    clearinghouseOf(
      {
        ...(issuers === undefined ? {} : { GA4GH_VISA_ISSUERS: issuers }),
        ...(trust === undefined ? {} : { GA4GH_TRUST: JSON.stringify(trust) }),
      },
      AUDIENCE,
      () => undefined,
    );

  it('are a list or an object of issuers with their keys, and whom to believe', () => {
    expect(made()).toBeUndefined();
    expect(made(`${VISAS}=${JKU}`)).toBeInstanceOf(Clearinghouse);
    expect(made(`${VISAS}=${JKU}, https://two.example.org=https://two.example.org/keys?a=b`)).toBeInstanceOf(Clearinghouse);
    const { brokers, rules, datasets } = TRUST;
    expect(made(JSON.stringify({ [VISAS]: JKU }), { brokers, rules, datasets, assertedSecondsMax: 60 })).toBeInstanceOf(Clearinghouse);
  });

  it.each([
    [undefined, {}],
    ['https://visas.example.org', undefined],
    [`${VISAS}=http://keys.example.org/jwks.json`, undefined],
    ['{"a":', undefined],
    [`${VISAS}=${JKU}`, { rules: { ControlledAccessGrants: { sources: [COMMITTEE] } } }],
    [`${VISAS}=${JKU}`, { rules: { ResearcherStatus: { sources: [] } } }],
    [`${VISAS}=${JKU}`, { rules: { ResearcherStatus: { sources: [UNIVERSITY], by: ['king'] } } }],
    [`${VISAS}=${JKU}`, { datasets: [{ sources: [COMMITTEE] }] }],
    [`${VISAS}=${JKU}`, { wishes: [] }],
    [`${VISAS}=${JKU}`, { assertedSecondsMax: -1 }],
    [`${VISAS}=${JKU}`, []],
  ])('are refused where they are not understood (%#)', (issuers, trust) => {
    expect(() => made(issuers, trust)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error);
  });
});

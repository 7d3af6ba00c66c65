/** Persisted documents, asked for by the hash of their text (the automatic ones of Apollo). */
import { createHash } from 'node:crypto';
import type { Principal } from '../../../src/kernel/index.js';
import { askAs, codesOf, fieldOf, like, openWorld, recordOf, send, tokenOf, withoutRun, type Reply, type World } from './support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 180_000);
afterAll(() => world.close(), 20_000);

const hashOf = (query: string): string => createHash('sha256').update(query).digest('hex');
const extension = (query: string): object => ({ persistedQuery: { version: 1, sha256Hash: hashOf(query) } });
const register = (who: Principal, query: string): Promise<Reply> => askAs(world, who, { query, extensions: extension(query) });
const byHash = (who: Principal, query: string): Promise<Reply> => askAs(world, who, { extensions: extension(query) });
const message = (reply: Reply): string | undefined => reply.body.errors?.[0]?.message;

describe('ATK-65 the id of a document that another tenant persisted', () => {
  const clinician = like('clinician');

  it('serves who persisted it', async () => {
    const query = '{ mine: patients(first: 2) { edges { node { id familyName } } } }';
    expect(message(await byHash(clinician, query))).toBe('PersistedQueryNotFound');
    const first = await register(clinician, query);
    const again = await byHash(clinician, query);
    expect([again.status, again.body.data]).toEqual([200, first.body.data]);
    expect(fieldOf(again.body.data, 'mine')).toHaveLength(2);
  });

  it.each([
    ['another class', like('analyst')],
    ['the same class at another site', like('clinician', { sub: 'dr-south', sites: ['south'] })],
    ['the same class at the same site', like('clinician', { sub: 'dr-colleague' })],
    ['the same roles for scopes of an app', like('clinician', { sub: 'app', scopes: ['user/*.rs'] })],
  ])('is unknown to %s, as one that nobody persisted', async (_, other) => {
    const query = `{ a${hashOf(other.sub).slice(0, 8)}: patients(first: 2) { edges { node { id } } } }`;
    expect((await register(clinician, query)).status).toBe(200);
    const [known, unknown] = [await byHash(other, query), await byHash(other, `${query} `)];
    expect([message(known), known.body.data ?? null]).toEqual(['PersistedQueryNotFound', null]);
    expect([known.status, withoutRun(known)]).toEqual([unknown.status, withoutRun(unknown)]);
    expect(codesOf(known)).toEqual(['BAD_INPUT']);
    expect(await recordOf(world, known)).toMatchObject({ kind: 'refused', principal: other.sub });
  });

  it('gives its own rows to who persists the same text himself', async () => {
    const query = '{ both: patients(first: 50) { edges { node { id site } } } }';
    const south = like('clinician', { sub: 'dr-south', sites: ['south'] });
    await register(clinician, query);
    await register(south, query);
    for (let i = 0; i < 2; i += 1) {
      expect(new Set(fieldOf((await byHash(clinician, query)).body.data, 'both', 'site'))).toEqual(new Set(['north']));
      expect(new Set(fieldOf((await byHash(south, query)).body.data, 'both', 'site'))).toEqual(new Set(['south']));
    }
  });

  it('does not keep what a right has ended: the document is judged by the schema of the caller each time', async () => {
    const query = '{ hidden: patients(first: 1) { edges { node { id familyName } } } }';
    const officer = like('officer');
    const refused = await register(officer, query);
    expect([refused.status, codesOf(refused)]).toEqual([400, ['BAD_INPUT']]);
    const again = await byHash(officer, query);
    // Nothing that was refused is kept.
    expect([message(again), codesOf(again), again.body.data ?? null]).toEqual(['PersistedQueryNotFound', ['BAD_INPUT'], null]);
  });

  it('cannot be put under a hash that is not its own', async () => {
    const query = '{ poisoned: patientCount }';
    const reply = await askAs(world, clinician, { query, extensions: extension('{ patientCount }') });
    expect([reply.status, codesOf(reply), reply.body.data ?? null]).toEqual([400, ['BAD_INPUT'], null]);
    expect(message(await byHash(clinician, '{ patientCount }'))).toBe('PersistedQueryNotFound');
  });

  it('is as unknown by GET', async () => {
    const query = '{ byGet: patientCount }';
    await register(clinician, query);
    const asked = async (who: Principal): Promise<Reply> =>
      send(`${world.gateway.url}?extensions=${encodeURIComponent(JSON.stringify(extension(query)))}`, {
        method: 'GET',
        headers: { authorization: `Bearer ${await tokenOf(world, who)}`, 'apollo-require-preflight': '1' },
      });
    expect((await asked(clinician)).status).toBe(200);
    expect(message(await asked(like('clinician', { sub: 'dr-colleague' })))).toBe('PersistedQueryNotFound');
  });
});

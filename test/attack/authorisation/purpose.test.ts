/** The purpose of use comes from the token and from nowhere else. */
import { askAs, codesOf, like, openWorld, recordOf, send, tokenOf, withoutRun, type World } from './support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 180_000);
afterAll(() => world.close(), 20_000);

const QUESTION = '{ patients(first: 4) { edges { node { id familyName birthDate } } } }';
const PURPOSES = ['TREAT', 'ETREAT', 'BTG', 'HPAYMT', 'HOPERAT', 'HRESCH', 'PUBHLTH', '*', ''];

describe('ATK-52 a purpose that the caller writes beside the token', () => {
  it.each([
    'x-purpose',
    'x-purpose-of-use',
    'purpose',
    'x-thalamus-purpose',
    'x-hl7-purpose',
    'sec-purpose',
    'prefer',
    'x-forwarded-purpose',
  ])('in the header %s widens and narrows nothing', async (header) => {
    const plain = await askAs(world, like('analyst'), QUESTION);
    for (const value of PURPOSES) {
      const reply = await askAs(world, like('analyst'), QUESTION, { [header]: value });
      expect(withoutRun(reply)).toBe(withoutRun(plain));
      expect(await recordOf(world, reply)).toMatchObject({ purpose: 'HRESCH' });
    }
  });

  it('in an argument or a directive is as unknown as any other name', async () => {
    for (const document of [
      '{ patients(first: 4, NAME: "TREAT") { edges { node { id } } } }',
      'query($NAME: String) { patients(first: 4) { edges { node { id } } } }',
      '{ patients(first: 4) @NAME(code: "TREAT") { edges { node { id familyName } } } }',
      'query Q @NAME(code: "TREAT") { patients(first: 4) { edges { node { id familyName } } } }',
    ]) {
      const [named, other] = [
        await askAs(world, like('analyst'), document.replace('NAME', 'purpose')),
        await askAs(world, like('analyst'), document.replace('NAME', 'purposf')),
      ];
      expect([named.status, codesOf(named), named.body.data ?? null]).toEqual([400, codesOf(other), null]);
      expect(withoutRun(named).replaceAll('purpose', 'purposf')).toBe(withoutRun(other));
    }
  });

  it('in a variable, in extensions or beside the query changes nothing', async () => {
    const plain = await askAs(world, like('analyst'), QUESTION);
    for (const more of [
      { variables: { purpose: 'TREAT', roles: ['clinician'] } },
      { extensions: { purpose: 'TREAT' } },
      { purpose: 'TREAT', context: { purpose: 'TREAT' } },
    ]) {
      const reply = await askAs(world, like('analyst'), { query: QUESTION, ...more });
      expect(withoutRun(reply)).toBe(withoutRun(plain));
      expect(await recordOf(world, reply)).toMatchObject({ purpose: 'HRESCH' });
    }
  });

  it('in the address changes nothing', async () => {
    const plain = await askAs(world, like('analyst'), QUESTION);
    const reply = await send(`${world.gateway.url}?purpose=TREAT&x-purpose=TREAT`, {
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await tokenOf(world, like('analyst'))}` },
      body: JSON.stringify({ query: QUESTION }),
    });
    expect(withoutRun(reply)).toBe(withoutRun(plain));
  });

  it('to be explained for another purpose takes the right to govern', async () => {
    const query = 'query($p: String) { explainAccess(query: "{ patientCount }", purpose: $p) { verdict } }';
    const reply = await askAs(world, like('analyst'), { query, variables: { p: 'TREAT' } });
    expect([codesOf(reply), reply.body.data ?? null]).toEqual([['FORBIDDEN'], null]);
  });

  it('that no grant of the role names gives no schema, though the token is genuine', async () => {
    for (const purpose of ['HPAYMT', 'PUBHLTH', 'ETREAT'] as const) {
      const reply = await askAs(world, like('analyst', { purpose }), QUESTION);
      expect([reply.status, codesOf(reply), reply.body.data ?? null]).toEqual([403, ['FORBIDDEN'], null]);
    }
    const treats = await askAs(world, like('analyst', { purpose: 'TREAT', roles: ['analyst'] }), QUESTION);
    expect([treats.status, codesOf(treats)]).toEqual([403, ['FORBIDDEN']]);
  });
});

describe('ATK-53 a token without a purpose', () => {
  it.each([
    ['none', undefined],
    ['null', null],
    ['an empty text', ''],
    ['an unknown code', 'FUN'],
    ['a code in lower case', 'treat'],
    ['a code with a space', ' TREAT'],
    ['a list', ['TREAT']],
    ['two in one text', 'TREAT HRESCH'],
    ['an object', { code: 'TREAT' }],
    ['a name of every object', 'constructor'],
    ['the prototype', '__proto__'],
    ['an unregistered study', 'study:none'],
  ])('%s is denied, whatever headers say', async (_, purpose) => {
    const token = await tokenOf(world, like('clinician'), { purpose });
    for (const headers of [{}, { 'x-purpose': 'TREAT', 'x-thalamus-purpose': 'TREAT' }] as Record<string, string>[]) {
      const reply = await send(world.gateway.url, {
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
        body: JSON.stringify({ query: QUESTION, variables: { purpose: 'TREAT' } }),
      });
      expect([reply.status, codesOf(reply), reply.body.data ?? null]).toEqual([403, ['PURPOSE_MISSING'], null]);
    }
  });
});

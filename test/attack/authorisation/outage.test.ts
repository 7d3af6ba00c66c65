/** Where policy cannot be told, or cannot be computed, nothing leaves. */
import { principalOf } from '../../../src/cli/who.js';
import type { Predicate } from '../../../src/kernel/index.js';
import { planted, tell, PLANTED } from '../../governance/fail-closed-support.js';
import { ask, codesOf, column, openWorld, type Reply, type World } from './support.js';

let world: World;
let names: readonly string[];
beforeAll(async () => {
  world = await openWorld();
  names = await column<string>(world, 'select distinct family_name as value from patient where length(family_name) > 3');
}, 180_000);
afterAll(() => world.close(), 20_000);

const USERS = ['analyst', 'clinician', 'steward', 'officer', 'engineer'];
const DOCUMENTS = [
  '{ patients(first: 3) { edges { node { id } } } }',
  '{ patientCount }',
  'query($id: ID!) { patient(id: $id) { id } }',
  '{ lineageRuns(first: 2) { edges { node { id } } } }',
  '{ __schema { types { name } } }',
  '{ assets { name } }',
];

describe('ATK-56 the policy database is down', () => {
  const down: readonly [string, string, string][] = [
    ['its number', 'alter table governance_epoch rename to epoch_away', 'alter table epoch_away rename to governance_epoch'],
    [
      'the right to read it',
      'revoke select on governance_epoch from thalamus_reader, thalamus_writer',
      'grant select on governance_epoch to thalamus_reader, thalamus_writer',
    ],
    [
      'its events, after a change',
      'update governance_epoch set policy = policy + 1; alter table policy_event rename to event_away',
      'alter table event_away rename to policy_event; update governance_epoch set policy = policy - 1',
    ],
  ];
  const all = async (): Promise<Reply[]> => {
    const id = '00000000-0000-7000-8000-000000000000';
    const replies: Reply[] = [];
    for (const who of USERS) for (const query of DOCUMENTS) replies.push(await ask(world, who, query, query.includes('$id') ? { id } : {}));
    return replies;
  };

  it.each(down)('%s: 100 %% of requests are denied with one code, and it heals', async (_, breaking, mending) => {
    const before = await all();
    expect(before.every((reply) => codesOf(reply).length === 0)).toBe(true);
    await world.running.pools.owner.query(breaking);
    let replies;
    try {
      replies = await all();
    } finally {
      await world.running.pools.owner.query(mending);
    }
    expect(replies.map((reply) => [reply.status, codesOf(reply), reply.body.data ?? null])).toEqual(
      replies.map(() => [503, ['UNAVAILABLE'], null]),
    );
    expect(replies.map((reply) => reply.text).join(' ')).not.toMatch(/governance_epoch|policy_event|relation|permission/);
    const after = await all();
    expect(after.map((reply) => [reply.status, codesOf(reply)])).toEqual(before.map((reply) => [reply.status, []]));
  });

  it('its server: 100 % of requests are denied with one code, and it heals', async () => {
    const { reader, writer } = world.running.pools;
    const spies = [reader, writer].map((pool) =>
      jest.spyOn(pool, 'connect').mockImplementation(((done?: (error: Error) => void) => {
        if (typeof done !== 'function') return Promise.reject(planted('ECONNREFUSED'));
        done(planted('ECONNREFUSED'));
        return undefined;
      }) as never),
    );
    let replies;
    try {
      replies = await all();
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    // Neither the policy nor the log can be reached, and of the two the log is what the refusal is about.
    expect(new Set(replies.map((reply) => JSON.stringify([reply.status, codesOf(reply), reply.body.data ?? null])))).toEqual(
      new Set(['[503,["AUDIT_UNAVAILABLE"],null]']),
    );
    expect(replies.map((reply) => reply.text).join(' ')).not.toContain(PLANTED);
    expect((await all()).every((reply) => codesOf(reply).length === 0)).toBe(true);
  });
});

describe('ATK-57 a rule that throws inside every operator', () => {
  const boom = (): never => {
    throw planted();
  };
  const OPERATORS = ['and', 'or', 'except', 'in', '<=', 'compare', 'one-of', 'between', 'is-null', 'glass', 'consent', 'true', 'false'];
  const OPERANDS = ['of', 'attribute', 'me', 'literal', 'literals', 'column', 'operator', 'from', 'to'];
  /** The operator with operands none of which can be read; where it takes none, the operator cannot be read itself. */
  const throwing = (op: string): Predicate => {
    const rule = { op };
    for (const name of OPERANDS) Object.defineProperty(rule, name, { get: boom, enumerable: true });
    if (['glass', 'consent', 'true', 'false'].includes(op)) Object.defineProperty(rule, 'op', { get: boom, enumerable: true });
    return rule as Predicate;
  };
  const AROUND: readonly [string, (rule: Predicate) => Predicate][] = [
    ['alone', (rule) => rule],
    ['in an and', (rule) => ({ op: 'and', of: [{ op: 'true' }, rule] })],
    ['in an or', (rule) => ({ op: 'or', of: [{ op: 'true' }, rule] })],
    ['in an except', (rule) => ({ op: 'except', of: rule })],
  ];
  let serial = 0;

  describe.each(['http', 'reference'] as const)('by the door %s', (door) => {
    it.each(OPERATORS)('%s gives no row', async (op) => {
      const { policyClass } = world.running.mesh.runtimeFor(principalOf('clinician'));
      for (const [where, wrap] of AROUND) {
        const spy = jest.spyOn(policyClass, 'rowRule').mockImplementation(() => wrap(throwing(op)));
        let told;
        try {
          told = await tell(world, { door }, `t${(serial += 1)}`);
        } finally {
          spy.mockRestore();
        }
        expect([where, told.data, told.codes.length, /UNAVAILABLE|INTERNAL|FORBIDDEN/.test(told.codes[0] ?? '')]).toEqual([
          where,
          null,
          1,
          true,
        ]);
        expect([names.some((name) => told.text.includes(name)), told.text.includes('planted')]).toEqual([false, false]);
      }
      const healed = await tell(world, { door }, `t${(serial += 1)}`);
      expect([healed.codes, names.some((name) => healed.text.includes(name))]).toEqual([[], true]);
    });
  });
});

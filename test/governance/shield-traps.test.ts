/**
 * Traps of graphql-shield 7.6.5, each shown on the library as it comes, so that a version that changes it is noticed, and then on the
 * guard that is generated here.
 */
import { allow, deny, inputRule, not, or, rule, type IRules } from 'graphql-shield';
import { buildClassSchema, guard, guardTree } from '../../src/governance/index.js';
import { ask, codesOf, guarded, readerOf, schemaOf, shielded, type Resolvers } from './shield-support.js';

const PERSON = 'type Query { me: Person people: [Person] } type Person { id: ID ssn: String }';
const people = [
  { id: '1', ssn: 'secret-1' },
  { id: '2', ssn: 'secret-2' },
];
const resolvers = { 'Query.me': () => people[0], 'Query.people': () => people };
const ours = (sdl = PERSON, work: Resolvers = resolvers, secret: readonly string[] = ['Person.ssn']) => guarded(sdl, work, secret);

describe('a field without a rule', () => {
  it('is answered by the library', async () => {
    const result = await ask(shielded(schemaOf(PERSON, resolvers), { Query: { me: allow } }), '{ me { ssn } }');
    expect(result.data).toEqual({ me: { ssn: 'secret-1' } });
  });

  it('is refused here, and what may be read beside it is answered', async () => {
    const { guarded, context } = ours();
    const refused = await ask(guarded, '{ me { id ssn } }', context());
    expect([refused.data, codesOf(refused)]).toEqual([{ me: { id: '1', ssn: null } }, ['FORBIDDEN']]);
  });

  it('that nobody classified is refused here, whatever its name', async () => {
    const { schema, policyClass } = ours(
      'type Query { me: Person } type Person { id: ID _ssn: String }',
      {
        'Query.me': () => ({ id: '1', _ssn: 'secret-1' }),
      },
      [],
    );
    const type = schema.getType('Person');
    if (type && 'getFields' in type && '_ssn' in type.getFields()) (type.getFields()['_ssn'] as { extensions: object }).extensions = {};
    const result = await ask(guard(schema, policyClass), '{ me { id _ssn } }', { policyClass });
    expect([result.data, codesOf(result)]).toEqual([{ me: { id: '1', _ssn: null } }, ['FORBIDDEN']]);
  });
});

describe('one undefined rule', () => {
  const withHole = { Person: { id: allow, ssn: deny, typo: undefined } };

  it('drops all rules of its type in the library', async () => {
    const { typo, ...Person } = withHole.Person;
    expect(typo).toBeUndefined();
    expect((await ask(shielded(schemaOf(PERSON, resolvers), { Person }), '{ me { ssn } }')).data).toEqual({ me: { ssn: null } });
    expect((await ask(shielded(schemaOf(PERSON, resolvers), withHole), '{ me { ssn } }')).data).toEqual({ me: { ssn: 'secret-1' } });
  });

  it.each([
    ['undefined', () => undefined],
    ['a rule of another field', (tree: Record<string, Record<string, unknown>>) => tree['Person']?.['id']],
    ['an operator', () => or(allow, deny)],
  ])('is refused here before anything is answered: %s', (_, planted) => {
    const { schema, policyClass } = ours();
    const tree = guardTree(schema, policyClass);
    const holed = { ...tree, Person: { ...tree['Person'], ssn: planted(tree) } };
    expect(() => guard(schema, policyClass, holed as never)).toThrow(
      expect.objectContaining({ code: 'INTERNAL', message: expect.stringContaining('Person.ssn') as string }) as Error,
    );
    expect(() => guard(schema, policyClass, { Query: tree['Query'] ?? {} })).toThrow(/Person\.id, Person\.ssn/);
  });
});

describe('a rule that throws', () => {
  const failing = rule('failing')(() => {
    throw new Error('the policy store is away');
  });

  it('allows in the library where it is negated', async () => {
    const guarded = shielded(schemaOf(PERSON, resolvers), { Person: { ssn: not(failing) } });
    expect((await ask(guarded, '{ me { ssn } }')).data).toEqual({ me: { ssn: 'secret-1' } });
    const returning = rule('returning')(() => new Error('no'));
    const second = shielded(schemaOf(PERSON, resolvers), { Person: { ssn: not(returning) } });
    expect((await ask(second, '{ me { ssn } }')).data).toEqual({ me: { ssn: 'secret-1' } });
  });

  it('denies in the library in an or beside one that says no', async () => {
    const result = await ask(shielded(schemaOf(PERSON, resolvers), { Person: { ssn: or(failing, deny) } }), '{ me { ssn } }');
    expect([result.data, result.errors?.length]).toEqual([{ me: { ssn: null } }, 1]);
  });

  it.each<[string, object]>([
    ['no class', {}],
    ['a class that is null', { policyClass: null }],
    [
      'a class whose key throws',
      {
        policyClass: {
          get key(): string {
            throw new Error('the policy store is away');
          },
        },
      },
    ],
    ['a key that is no text', { policyClass: { key: true } }],
  ])('denies every field here: a context with %s', async (_, context) => {
    const result = await ask(ours().guarded, '{ me { id } people { id } }', context);
    expect([result.data, codesOf(result)]).toEqual([{ me: null, people: null }, ['FORBIDDEN', 'FORBIDDEN']]);
  });
});

describe('a remembered verdict', () => {
  const own = (cache: 'contextual' | 'no_cache') => rule('own', { cache })((parent: { id: string }) => parent.id === '1');

  it('of the first row stands for all rows in the library where it is kept by context', async () => {
    const told = async (cache: 'contextual' | 'no_cache') =>
      (await ask(shielded(schemaOf(PERSON, resolvers), { Person: { ssn: own(cache) } }), '{ people { ssn } }')).data;
    expect(await told('contextual')).toEqual({ people: [{ ssn: 'secret-1' }, { ssn: 'secret-2' }] });
    expect(await told('no_cache')).toEqual({ people: [{ ssn: 'secret-1' }, { ssn: null }] });
  });

  it('of one field stands for another in the library where it is kept by parent and arguments', async () => {
    const notSsn = rule('not-ssn', { cache: 'strict' })((_p, _a, _c, info: { fieldName: string }) => info.fieldName !== 'ssn');
    const guarded = shielded(schemaOf(PERSON, resolvers), { Person: notSsn });
    expect((await ask(guarded, '{ me { ssn } }')).data).toEqual({ me: { ssn: null } });
    expect((await ask(guarded, '{ me { id ssn } }')).data).toEqual({ me: { id: '1', ssn: 'secret-1' } });
  });

  it('outlives its request in the library where the context does', async () => {
    const admin = rule('admin', { cache: 'contextual' })((_p, _a, context: { user: string }) => context.user === 'admin');
    const guarded = shielded(schemaOf(PERSON, resolvers), { Person: { ssn: admin } });
    const context = { user: 'admin' };
    await ask(guarded, '{ me { ssn } }', context);
    context.user = 'bob';
    expect((await ask(guarded, '{ me { ssn } }', context)).data).toEqual({ me: { ssn: 'secret-1' } });
    // The rules for arguments are kept that way without being asked.
    expect(inputRule('i')(() => ({ validate: () => Promise.resolve(true) }) as never)).toHaveProperty('cache', 'strict');
  });

  it('is none here: fields, rows and users that share one context are each decided anew', async () => {
    const { guarded, policyClass, schema } = ours();
    const other = readerOf(schema, ['pseudonym', 'pii.direct']);
    const context = { policyClass: other };
    expect((await ask(guard(schema, other), '{ people { id ssn } }', context)).data).toEqual({ people });
    expect((await ask(guarded, '{ people { id ssn } }', context)).data).toEqual({ people: null });
    context.policyClass = policyClass;
    const result = await ask(guarded, '{ people { id ssn } }', context);
    expect(result.data).toEqual({ people: people.map(({ id }) => ({ id, ssn: null })) });
    expect(context).toMatchObject({ _shield: { cache: {} } });
    expect((context as unknown as { _shield: { cache: object } })._shield.cache).toEqual({});
  });
});

describe('a fault of a resolver', () => {
  const failing = {
    'Query.me': () => {
      throw new Error('connect ECONNREFUSED 10.0.0.1 password=hunter2');
    },
  };

  it('looks like a denial in the library, or leaks its text', async () => {
    const told = async (options: object): Promise<string | undefined> =>
      (await ask(shielded(schemaOf(PERSON, failing), { Query: { me: allow } }, options), '{ me { id } }')).errors?.[0]?.message;
    expect(await told({})).toBe('Not Authorised!');
    expect(await told({ allowExternalErrors: true })).toContain('hunter2');
    expect(await told({ debug: true })).toContain('hunter2');
  });

  it('is told from a denial here by its code, and tells nothing', async () => {
    const { guarded, context } = ours(PERSON, failing);
    const result = await ask(guarded, '{ me { id } }', context());
    expect([codesOf(result), JSON.stringify(result)]).toEqual([['INTERNAL'], expect.not.stringMatching(/hunter2|ECONNREFUSED/)]);
  });
});

describe('introspection', () => {
  const NAMES = '{ __schema { types { name fields { name } } } __typename }';

  it('passes by every rule of the library', async () => {
    const guarded = shielded(schemaOf(PERSON, resolvers), {}, { fallbackRule: deny });
    const result = await ask(guarded, NAMES);
    expect([JSON.stringify(result.data), result.errors]).toEqual([expect.stringContaining('"ssn"'), undefined]);
    expect(result.data?.['__typename']).toBe('Query');
  });

  it('knows here only what the class may read', async () => {
    const { schema, policyClass } = ours();
    const told = JSON.stringify((await ask(guard(buildClassSchema(schema, policyClass), policyClass), NAMES, { policyClass })).data);
    expect(told).toContain('"Person"');
    expect(told).not.toContain('ssn');
  });
});

describe('a rule on an interface', () => {
  const NODE =
    'type Query { node: Node } interface Node { id: ID } type Person implements Node { id: ID } type Room implements Node { id: ID }';
  const work = { 'Query.node': () => ({ __typename: 'Person', id: 'secret-1' }) };

  it('is passed over by the library without a word', async () => {
    const result = await ask(shielded(schemaOf(NODE, work), { Node: { id: deny } }), '{ node { id } }');
    expect(result.data).toEqual({ node: { id: 'secret-1' } });
  });

  it('stands here on each type that implements it', async () => {
    const { schema, policyClass, guarded, context } = ours(NODE, work, ['Person.id', 'Room.id']);
    expect(Object.keys(guardTree(schema, policyClass))).toEqual(expect.arrayContaining(['Person', 'Room']));
    for (const query of ['{ node { id } }', '{ node { ... on Person { id } } }', '{ node { ... on Node { key: id } } }']) {
      const result = await ask(guarded, query, context());
      expect([JSON.stringify(result.data), codesOf(result)]).toEqual([expect.not.stringContaining('secret'), ['FORBIDDEN']]);
    }
  });

  it('lets no hidden field through the schema of a class', async () => {
    const { schema, policyClass } = ours(NODE, work, ['Person.id', 'Room.id']);
    const result = await ask(guard(buildClassSchema(schema, policyClass), policyClass), '{ node { id } }', { policyClass });
    expect(JSON.stringify(result)).not.toContain('secret');
  });
});

describe('a tree of the library', () => {
  it('with an unknown type or field is refused', () => {
    const schema = () => schemaOf(PERSON, resolvers);
    expect(() => shielded(schema(), { Persn: { id: allow } })).toThrow(/Persn/);
    expect(() => shielded(schema(), { Person: { sn: allow } })).toThrow(/Person\.sn/);
  });

  it('with two rules of one name is refused', () => {
    const twin = () => rule('twin')(() => true);
    expect(() => shielded(schemaOf(PERSON, resolvers), { Person: { id: twin(), ssn: twin() } })).toThrow(/multiple definitions/);
  });

  it.each([['yes'], [1], [{}], [null], [undefined]])('denies where a rule answers %p', async (answer) => {
    const odd = rule('odd')((() => answer) as never);
    const result = await ask(shielded(schemaOf(PERSON, resolvers), { Person: { ssn: odd } }), '{ me { ssn } }');
    expect([result.data, result.errors?.length]).toEqual([{ me: { ssn: null } }, 1]);
  });

  it('is taken whole from the one that is generated here', () => {
    const { schema, policyClass } = ours();
    expect(() => shielded(schema, guardTree(schema, policyClass) as IRules)).not.toThrow();
  });
});

describe('a mutation that is denied', () => {
  it('does not run, in the library and here', async () => {
    let writes = 0;
    const SDL = 'type Query { a: String } type Mutation { write: Int }';
    const work = { 'Mutation.write': () => (writes += 1) };
    await ask(shielded(schemaOf(SDL, work), { Mutation: { write: deny } }), 'mutation { write }');
    const { guarded, context } = ours(SDL, work, ['Mutation.write']);
    const result = await ask(guarded, 'mutation { write }', context());
    expect([writes, codesOf(result)]).toEqual([0, ['FORBIDDEN']]);
  });
});

describe('a parent', () => {
  it('is read by the library though all that is asked of it is denied', async () => {
    let reads = 0;
    const counting = { 'Query.me': () => ((reads += 1), people[0]) };
    const result = await ask(shielded(schemaOf(PERSON, counting), { Person: deny }), '{ me { ssn } }');
    expect([reads, result.data]).toEqual([1, { me: { ssn: null } }]);
  });
});

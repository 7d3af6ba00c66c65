/** Conditions of GraphQL around fields that are hidden, masked or ruled by row. */
import { askAs, byBothPaths, codesOf, column, fieldOf, like, openWorld, withoutRun, type World } from './support.js';

let world: World;
let names: readonly string[];
beforeAll(async () => {
  world = await openWorld();
  names = await column<string>(world, 'select distinct family_name as value from patient where length(family_name) > 3');
}, 180_000);
afterAll(() => world.close(), 20_000);

interface Case {
  readonly document: string;
  readonly variables: Record<string, boolean>;
  /** Whether GraphQL leaves the field in the answer. */
  readonly kept: boolean;
}

/** Every combination of skip and include, by literal and by variable, on the field, on what encloses it and on both, with and without an alias. */
function cases(field: string): Case[] {
  const found: Case[] = [];
  const conditions = [
    ['', true],
    ...(['skip', 'include'] as const).flatMap((name) =>
      [true, false].flatMap((value) => [
        [`@${name}(if: ${value})`, (name === 'include') === value] as const,
        [`@${name}(if: $${value ? 'yes' : 'no'})`, (name === 'include') === value] as const,
      ]),
    ),
    ['@skip(if: false) @include(if: true)', true],
    ['@skip(if: $yes) @include(if: $yes)', false],
    ['@include(if: $yes) @skip(if: $no)', true],
    ['@skip(if: $no) @include(if: $no)', false],
  ] as const;
  for (const [outer, outerKept] of conditions) {
    for (const [inner, innerKept] of conditions) {
      for (const aliased of ['', 'x: ']) {
        const selection = `${aliased}${field} ${inner}`;
        for (const [open, close, fragment] of [
          [`... ${outer} {`, '}', ''],
          [`... on Patient ${outer} {`, '}', ''],
          [`...F ${outer}`, '', `fragment F on Patient { ${selection} }`],
        ] as const) {
          const body = fragment === '' ? `${open} ${selection} ${close}` : open;
          const used = ['yes', 'no'].filter((name) => `${body}${fragment}`.includes(`$${name}`));
          const head = used.length > 0 ? `query(${used.map((name) => `$${name}: Boolean!`).join(', ')})` : 'query';
          found.push({
            document: `${head} { patients(first: 3) { edges { node { id ${body} } } } } ${fragment}`,
            variables: Object.fromEntries(used.map((name) => [name, name === 'yes'])),
            kept: outerKept && innerKept,
          });
        }
      }
    }
  }
  return found;
}

describe('ATK-59 skip and include around a ruled field', () => {
  it('a hidden field stays as unknown as any other name, in every combination', async () => {
    const all = cases('familyName').filter((_, i) => i % 7 === 0 || i < 60);
    expect(all.length).toBeGreaterThan(150);
    for (const { document, variables } of all) {
      const hidden = await askAs(world, like('officer'), { query: document, variables });
      expect([document, hidden.status, codesOf(hidden), hidden.body.data ?? null]).toEqual([document, 400, ['BAD_INPUT'], null]);
      const unknown = await askAs(world, like('officer'), { query: document.replace('familyName', 'familyNbme'), variables });
      expect(withoutRun(hidden).replaceAll('familyName', 'familyNbme')).toBe(withoutRun(unknown));
    }
  });

  it('a masked field is masked or left out, never clear, on both paths', async () => {
    for (const { document, variables, kept } of cases('familyName').filter((_, i) => i % 5 === 0)) {
      for (const { data, errors } of await byBothPaths(world, like('analyst'), { query: document, variables })) {
        expect(errors).toEqual([]);
        const text = JSON.stringify(data);
        expect([document, names.some((name) => text.includes(name)), text.includes('"h:')]).toEqual([document, false, kept]);
      }
    }
  });

  it('the same field asked for twice, once behind a condition, has one verdict', async () => {
    const query = `query($yes: Boolean!, $no: Boolean!) { patients(first: 3) { edges { node { id a: familyName @skip(if: $yes) b: familyName @include(if: $yes)
      ...G @skip(if: $no) ... on Patient @include(if: $no) { d: familyName } } } } } fragment G on Patient { c: familyName }`;
    for (const { data } of await byBothPaths(world, like('analyst'), { query, variables: { yes: true, no: false } })) {
      expect(fieldOf(data, 'patients', 'b')).toEqual(fieldOf(data, 'patients', 'c'));
      for (const value of fieldOf(data, 'patients', 'b')) expect(value).toMatch(/^h:/);
      expect(fieldOf(data, 'patients', 'a')).toEqual([undefined, undefined, undefined]);
    }
  });

  it('a plan that was made with a condition one way does not answer it the other way', async () => {
    const query =
      'query($yes: Boolean!) { patients(first: 3) { edges { node { id familyName @include(if: $yes) birthDate @skip(if: $yes) } } } }';
    const shown = async (who: string, yes: boolean) => {
      const reply = await askAs(world, like(who), { query, variables: { yes } });
      return [
        fieldOf(reply.body.data, 'patients', 'familyName').every((each) => each === undefined),
        /birthDate/.test(JSON.stringify(reply.body.data)),
      ];
    };
    for (let i = 0; i < 4; i += 1)
      for (const who of ['analyst', 'clinician']) {
        expect(await shown(who, true)).toEqual([false, false]);
        expect(await shown(who, false)).toEqual([true, true]);
      }
  });

  it('a condition on an operation that is denied does not run it', async () => {
    const [before] = await column<number>(world, 'select count(*)::int as value from policy_event');
    for (const condition of ['@skip(if: true)', '@include(if: false)', '@include(if: true)', '@skip(if: false)']) {
      const reply = await askAs(
        world,
        like('analyst'),
        `mutation { proposePolicy(document: {}, reason: "a reason that is long enough") ${condition} { version } }`,
      );
      expect([reply.status, codesOf(reply)]).toEqual([400, expect.arrayContaining(['BAD_INPUT'])]);
    }
    expect(await column<number>(world, 'select count(*)::int as value from policy_event')).toEqual([before]);
  });
});

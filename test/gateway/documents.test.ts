import { ask, codesOf, column, openWorld, withoutRun, type Reply, type World } from './support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await ask(world, 'clinician', '{ __typename }');
}, 60_000);
afterAll(() => world.close(), 20_000);

const clinician = (query: string, variables: Record<string, unknown> = {}): Promise<Reply> => ask(world, 'clinician', query, variables);
const many = (count: number, each: (i: number) => string): string => Array.from({ length: count }, (_, i) => each(i)).join(' ');
const nested = (levels: number): string =>
  `{ patients { edges { node { ${'imagingStudies { edges { node { patient { '.repeat(levels)} id ${'} } } } '.repeat(levels)} } } } }`;

const LARGE: readonly (readonly [string, string, string])[] = [
  ['1,000 aliases', `{ ${many(1000, (i) => `a${i}: patientCount`)} }`, 'LIMIT_EXCEEDED'],
  ['31 aliases', `{ patients { ${many(31, (i) => `a${i}: totalCount`)} } }`, 'LIMIT_EXCEEDED'],
  ['21 root fields', `{ ${many(21, () => 'patientCount')} }`, 'LIMIT_EXCEEDED'],
  ['5,000 equal fields', `{ ${'patientCount '.repeat(5000)} }`, 'LIMIT_EXCEEDED'],
  ['3,000 equal objects', `{ patients { ${'pageInfo { hasNextPage } '.repeat(3000)} } }`, 'LIMIT_EXCEEDED'],
  ['1,000 conditions', `{ patients { ${many(1000, () => 'totalCount @include(if: true)')} } }`, 'LIMIT_EXCEEDED'],
  ['1,000 unknown directives', `{ patientCount ${many(1000, (i) => `@d${i}`)} }`, 'BAD_INPUT'],
  ['1,000 unknown fields', `{ ${many(1000, (i) => `f${i}`)} }`, 'LIMIT_EXCEEDED'],
  ['1,000 unknown arguments', `{ patientCount(${many(1000, (i) => `f${i}: 1`)}) }`, 'BAD_INPUT'],
  ['a name of 100,000 letters', `{ ${'x'.repeat(100_000)} }`, 'BAD_INPUT'],
  ['16 levels', nested(3), 'LIMIT_EXCEEDED'],
  ['200 levels over a cycle of types', nested(50), 'LIMIT_EXCEEDED'],
  ['8,000 levels', `${'{ a '.repeat(8000)} ${'}'.repeat(8000)}`, 'LIMIT_EXCEEDED'],
  ['a value of 5,000 levels', `{ patient(id: ${'['.repeat(5000)}${']'.repeat(5000)}) { id } }`, 'LIMIT_EXCEEDED'],
  [
    'fragments in a circle',
    '{ patients { ...A } } fragment A on PatientConnection { ...B } fragment B on PatientConnection { ...A }',
    'BAD_INPUT',
  ],
  [
    '2^30 spreads',
    `{ patients { ...F0 } } ${many(30, (i) => `fragment F${i} on PatientConnection { ...F${i + 1} ...F${i + 1} }`)} fragment F30 on PatientConnection { totalCount }`,
    'LIMIT_EXCEEDED',
  ],
  [
    '300 overlapping fragments',
    `{ patients { ${many(300, (i) => `...F${i}`)} } } ${many(300, (i) => `fragment F${i} on PatientConnection { x: totalCount pageInfo { hasNextPage } }`)}`,
    'LIMIT_EXCEEDED',
  ],
  ['20,000 tokens', `{ ${'a '.repeat(20_000)} }`, 'LIMIT_EXCEEDED'],
  ['introspection that goes round', `{ __schema { types { ${'fields { type { '.repeat(12)} name ${'} } '.repeat(12)} } } }`, 'BAD_INPUT'],
];

describe('a document that is too much', () => {
  it.each(LARGE)('is refused in under 250 ms and 4 kB: %s', async (_, query, code) => {
    // The quickest of three: the machine may be busy with something else.
    const replies = [await clinician(query), await clinician(query), await clinician(query)];
    const reply = replies.reduce((a, b) => (a.ms < b.ms ? a : b));
    expect([...new Set(codesOf(reply))]).toContain(code);
    expect(reply.status).toBe(400);
    expect(reply.body.data ?? null).toBeNull();
    expect(reply.text.length).toBeLessThan(4096);
    expect(reply.text).not.toMatch(/call stack|Did you mean/);
    expect(reply.ms).toBeLessThan(250);
  });

  it('is not what brackets in a text or a comment make of it', async () => {
    const reply = await clinician(
      `# ${'{'.repeat(200)}\n{ patientCount(sex: "${'['.repeat(200)}", site: """ " ${'('.repeat(200)} \\""" """) }`,
    );
    expect(reply.body.data).toEqual({ patientCount: 0 });
  });
});

describe('arguments', () => {
  it.each([
    ['first: -1', '{ patients(first: -1) { totalCount } }'],
    ['first: 501', '{ patients(first: 501) { totalCount } }'],
    ['first: 2147483647', '{ patients(first: 2147483647) { totalCount } }'],
    ['first: 1e400', '{ patients(first: 1e400) { totalCount } }'],
    ['first: "1"', '{ patients(first: "1") { totalCount } }'],
    ['NaN', '{ patients(first: NaN) { totalCount } }'],
  ])('outside their range are BAD_INPUT: %s', async (_, query) => {
    expect(codesOf(await clinician(query))).toEqual(['BAD_INPUT']);
  });

  it.each(['a\0b', '\ud800', '\udc00x'])('hold no text that the store could not keep: %j', async (text) => {
    for (const query of [
      'query($t: String) { patients(sex: $t) { totalCount } }',
      'query($t: ID!) { patient(id: $t) { id } }',
      'query($t: [ID!]) { variants(ids: $t) { totalCount } }',
    ]) {
      const variables = query.includes('[ID!]') ? { t: [text] } : { t: text };
      expect(codesOf(await clinician(query, variables))).toEqual(['BAD_INPUT']);
    }
  });

  it('with a value of the wrong type are named, and their value is not repeated', async () => {
    const reply = await clinician('query($n: Int) { patients(first: $n) { totalCount } }', { n: 'Featherstone-Haugh' });
    expect([reply.status, codesOf(reply)]).toEqual([400, ['BAD_INPUT']]);
    expect(reply.text).not.toContain('Featherstone');
  });

  it('too many in a list are refused, many are answered', async () => {
    const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `1-${i}-A-C`);
    expect((await clinician('query($ids: [ID!]) { variants(ids: $ids) { totalCount } }', { ids: ids(10_000) })).body.data).toEqual({
      variants: { totalCount: 0 },
    });
    expect(codesOf(await clinician('query($ids: [ID!]) { variants(ids: $ids) { totalCount } }', { ids: ids(10_001) }))).toEqual([
      'LIMIT_EXCEEDED',
    ]);
  });

  it.each([
    "' or 1=1 --",
    "'; drop table patient; --",
    '%',
    '_',
    '\\',
    '$1',
    '{x}',
    "' || pg_sleep(9) --",
    '*/ select 1 /*',
    '\u2019 or true',
  ])('are data and never SQL: %s', async (text) => {
    const query =
      'query($t: String) { patients(first: 3, sex: $t, site: $t) { totalCount } variants(first: 3, gene: $t, rsId: $t) { totalCount } notes(first: 3, type: $t) { totalCount } }';
    const reply = await clinician(query, { t: text });
    expect(reply.body.errors).toBeUndefined();
    expect(reply.body.data).toEqual({ patients: { totalCount: 0 }, variants: { totalCount: 0 }, notes: { totalCount: 0 } });
    const search = await clinician('query($t: String) { notes(first: 3, text: $t) { edges { node { id } } } }', { t: text });
    expect(search.body.errors).toBeUndefined();
  });
});

describe('a cursor', () => {
  const PAGE =
    'query($after: String, $sex: String) { patients(first: 2, after: $after, sex: $sex) { edges { cursor node { id } } pageInfo { endCursor hasNextPage } } }';
  const pageOf = (reply: Reply) =>
    reply.body.data?.['patients'] as {
      edges: { cursor: string; node: { id: string } }[];
      pageInfo: { endCursor: string; hasNextPage: boolean };
    };

  it('goes on where the page ended, without gap or repeat, to the end', async () => {
    const seen: string[] = [];
    let after: string | null = null;
    for (;;) {
      const page = pageOf(await clinician(PAGE, { after }));
      seen.push(...page.edges.map((edge) => edge.node.id));
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor;
    }
    const expected = await column<string>(
      world,
      `select patient_id::text as value from patient p where site_id = 'north' and exists (select 1 from consent_effect c where c.patient_id = p.patient_id and c.purpose = 'TREAT'
        and c.categories & 16 <> 0 and c.sensitivity_max >= p.sensitivity and c.valid_from <= $1 and c.valid_to > $1) order by patient_id`,
      [new Date(world.now).toISOString()],
    );
    expect(seen).toEqual(expected);
    expect(seen.length).toBeGreaterThan(10);
  });

  it('of another list, of other arguments or of nobody is CURSOR_INVALID', async () => {
    const { endCursor } = pageOf(await clinician(PAGE)).pageInfo;
    const parts = JSON.parse(Buffer.from(endCursor, 'base64').toString()) as string[];
    const made = (values: readonly unknown[]): string => Buffer.from(JSON.stringify(values)).toString('base64');
    const bad = [
      '',
      'zzz',
      'null',
      made([]),
      made([parts[0]]),
      made([...parts, 'more']),
      made([parts[0], 7]),
      made([parts[0], 'no uuid']),
      made([parts[0], null]),
      made(['x', ...parts.slice(1)]),
    ];
    for (const after of bad) expect([after, codesOf(await clinician(PAGE, { after }))]).toEqual([after, ['CURSOR_INVALID']]);
    expect(codesOf(await clinician(PAGE, { after: endCursor, sex: 'female' }))).toEqual(['CURSOR_INVALID']);
    expect(
      codesOf(await clinician('query($after: String) { variants(first: 1, after: $after) { totalCount } }', { after: endCursor })),
    ).toEqual(['CURSOR_INVALID']);
  });

  it('of a row that the caller may not see shows no row of it', async () => {
    const [foreign] = await column<string>(
      world,
      `select patient_id::text as value from patient where site_id <> 'north' order by patient_id limit 1`,
    );
    const { endCursor } = pageOf(await clinician(PAGE)).pageInfo;
    const [digest] = JSON.parse(Buffer.from(endCursor, 'base64').toString()) as string[];
    const page = pageOf(await clinician(PAGE, { after: Buffer.from(`["${digest}", "${foreign}"]`).toString('base64') }));
    const sites = await column<string>(world, 'select distinct site_id as value from patient where patient_id = any($1::uuid[])', [
      page.edges.map((edge) => edge.node.id),
    ]);
    expect(sites).toEqual(['north']);
  });
});

describe('an identifier', () => {
  it('that is unknown, malformed or of another site gives one and the same answer', async () => {
    const [foreign] = await column<string>(world, `select patient_id::text as value from patient where site_id <> 'north' limit 1`);
    const query = 'query($id: ID!) { patient(id: $id) { id familyName notes(first: 1) { totalCount } } }';
    const replies = new Set<string>();
    for (const id of [foreign, '00000000-0000-7000-8000-000000000000', 'x', '', `${foreign} `, `{${foreign}}`, "' or 1=1 --"]) {
      const reply = await clinician(query, { id });
      expect([reply.status, reply.body.data]).toEqual([200, { patient: null }]);
      replies.add(withoutRun(reply));
    }
    expect(replies.size).toBe(1);
  });
});

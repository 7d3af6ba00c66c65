import { dataTypes } from '../../src/governance/index.js';
import { principalOf } from '../../src/cli/who.js';
import { ask, codesOf, column, openWorld, withoutRun, type Reply, type World } from './support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world.close(), 20_000);

const message = (reply: Reply): string | undefined => reply.body.errors?.[0]?.message;

describe('what a class may not see', () => {
  it.each([
    ['a hidden field', 'officer', '{ patients(first: 1) { edges { node { NAME } } } }', 'familyName'],
    ['a hidden list', 'steward', '{ patients(first: 1) { edges { node { NAME { totalCount } } } } }', 'conditions'],
    ['a hidden root field', 'analyst', '{ NAME(first: 1) { totalCount } }', 'auditRecords'],
    ['a hidden argument', 'officer', '{ patients(NAME: "x") { totalCount } }', 'sex'],
    ['a hidden type', 'analyst', 'query { patients(first: 1) { edges { node { ... on NAME { id } } } } }', 'Consent'],
    ['a hidden mutation', 'analyst', 'mutation { NAME(ids: ["x"], reason: "x") { released } }', 'releaseQuarantine'],
    ['a hidden enum', 'analyst', 'query($o: NAME) { imagingStudies(orderBy: $o) { totalCount } }', 'ImagingQueriesImagingStudiesOrder'],
  ])('answers like what does not exist: %s', async (_, who, document, hidden) => {
    const missing = hidden.replace(/.$/, 'Q');
    const [real, unreal] = [
      await ask(world, who, document.replace('NAME', hidden)),
      await ask(world, who, document.replace('NAME', missing)),
    ];
    expect(real.status).toBe(400);
    expect(withoutRun(real).replaceAll(hidden, 'NAME')).toBe(withoutRun(unreal).replaceAll(missing, 'NAME'));
    expect(real.text).not.toContain('Did you mean');
  });

  it('is not in the answer to introspection', async () => {
    const types = async (who: string): Promise<string[]> => {
      const reply = await ask(world, who, '{ __schema { types { name fields { name } } } }');
      const { types: found } = reply.body.data?.['__schema'] as { types: { name: string; fields: { name: string }[] | null }[] };
      return found.flatMap((type) => [type.name, ...(type.fields ?? []).map((field) => `${type.name}.${field.name}`)]);
    };
    const analyst = await types('analyst');
    expect(analyst).toEqual(expect.arrayContaining(['Patient', 'Patient.familyName', 'Query.variants']));
    for (const name of ['Consent', 'AuditRecord', 'QuarantineRecord', 'Patient.consents', 'Patient.genotypes', 'Query.auditRecords'])
      expect(analyst).not.toContain(name);
    expect(await types('officer')).not.toContain('Patient.familyName');
    const asked = await ask(
      world,
      'analyst',
      '{ hidden: __type(name: "Consent") { name } unknown: __type(name: "Consenx") { name } seen: __type(name: "Patient") { name } }',
    );
    expect(asked.body.data).toEqual({ hidden: null, unknown: null, seen: { name: 'Patient' } });
  });

  it('is not served through an alias, a fragment or a condition', async () => {
    for (const selection of [
      'a: familyName',
      '... on Patient { familyName }',
      '... @include(if: true) { familyName }',
      'familyName @skip(if: false)',
      '...F',
    ])
      expect(
        message(
          await ask(
            world,
            'officer',
            `{ patients(first: 1) { edges { node { ${selection} } } } } fragment F on Patient { familyName }`.replace(
              selection === '...F' ? '' : ' fragment F on Patient { familyName }',
              '',
            ),
          ),
        ),
      ).toBe('Cannot query field "familyName" on type "Patient".');
  });

  it('is not found by a list of words', async () => {
    const { schema } = world.running.mesh;
    const words = [...new Set(dataTypes(schema).flatMap((type) => Object.keys(type.getFields())))];
    const seen = new Set(
      dataTypes(world.running.mesh.runtimeFor(principalOf('officer')).schema)
        .filter((type) => type.name === 'Patient')
        .flatMap((type) => Object.keys(type.getFields())),
    );
    const hidden = words.filter((word) => !seen.has(word));
    expect(hidden.length).toBeGreaterThan(30);
    for (let i = 0; i < hidden.length; i += 10) {
      const reply = await ask(
        world,
        'officer',
        `{ patients(first: 1) { edges { node { ${hidden
          .slice(i, i + 10)
          .map((word) => `${word}x`)
          .join(' ')} } } } }`,
      );
      const told = (reply.body.errors ?? []).map((error) => error.message).join(' ');
      for (const word of hidden) expect(told).not.toContain(`"${word}"`);
    }
  });
});

describe('rows', () => {
  it('of another site do not exist, whichever way one asks', async () => {
    const [foreign] = await column<string>(world, `select patient_id::text as value from patient where site_id = 'south' limit 1`);
    const [note] = await column<string>(world, `select note_id::text as value from note where site_id = 'south' limit 1`);
    const reply = await ask(
      world,
      'clinician',
      'query($p: ID!, $n: ID!) { patient(id: $p) { id } note(id: $n) { id patient { id } } patients(site: "south") { totalCount } patientCount(site: "south") }',
      { p: foreign, n: note },
    );
    expect(reply.body.data).toEqual({ patient: null, note: null, patients: { totalCount: 0 }, patientCount: 0 });
  });

  it('leave the second page when consent is withdrawn after the first', async () => {
    const query = 'query($after: String) { patients(first: 3, after: $after) { edges { node { id } } pageInfo { endCursor } } }';
    const page = async (after: string | null): Promise<{ ids: string[]; end: string }> => {
      const { edges, pageInfo } = (await ask(world, 'clinician', query, { after })).body.data?.['patients'] as {
        edges: { node: { id: string } }[];
        pageInfo: { endCursor: string };
      };
      return { ids: edges.map((edge) => edge.node.id), end: pageInfo.endCursor };
    };
    const first = await page(null);
    const second = await page(first.end);
    const [gone = '', ...kept] = second.ids;
    await world.running.pools.writer.query(`delete from consent_effect where patient_id = $1`, [gone]);
    const again = await page(first.end);
    expect(again.ids.slice(0, 2)).toEqual(kept);
    expect(again.ids).not.toContain(gone);
    expect((await ask(world, 'clinician', 'query($id: ID!) { patient(id: $id) { id } }', { id: gone })).body.data).toEqual({
      patient: null,
    });
  });

  it('come back, and go, with the time at which a consent holds', async () => {
    const [id] = await column<string>(
      world,
      `select p.patient_id::text as value from patient p join consent_effect c using (patient_id) where site_id = 'north' and purpose = 'TREAT' and categories & 16 <> 0 order by 1 desc limit 1`,
    );
    const present = async (): Promise<boolean> =>
      ((await ask(world, 'clinician', 'query($id: ID!) { patient(id: $id) { id } }', { id })).body.data?.['patient'] ?? null) !== null;
    expect(await present()).toBe(true);
    await world.running.pools.writer.query(`update consent_effect set valid_to = $2 where patient_id = $1`, [
      id,
      new Date(world.now + 60_000).toISOString(),
    ]);
    expect(await present()).toBe(true);
    world.now += 60_000;
    expect(await present()).toBe(false);
    world.now -= 60_000;
  });

  it('of two callers in one tick do not mix', async () => {
    const query = '{ patients(first: 500) { edges { node { id familyName } } } }';
    const [clinician, analyst] = await Promise.all([ask(world, 'clinician', query), ask(world, 'analyst', query)]);
    const names = (reply: Reply): string[] =>
      (reply.body.data?.['patients'] as { edges: { node: { familyName: string } }[] }).edges.map((edge) => edge.node.familyName);
    expect(names(clinician).every((name) => !name.startsWith('h:'))).toBe(true);
    expect(names(analyst).every((name) => name.startsWith('h:'))).toBe(true);
  });

  it('in small numbers are not told where the policy says so', async () => {
    const counts = await column<number>(world, `select count(*)::int as value from patient p where birth_year = 1950`);
    expect(counts[0]).toBeLessThan(11);
    const reply = await ask(
      world,
      'analyst',
      '{ patientCount(bornFrom: 1950, bornTo: 1950) patients(bornFrom: 1950, bornTo: 1950) { totalCount } all: patientCount }',
    );
    expect(reply.body.data?.['patientCount'] ?? 0).toBe(0);
    expect((reply.body.data?.['patients'] as { totalCount: number | null }).totalCount ?? 0).toBe(0);
    expect(reply.body.data?.['all']).toBeGreaterThanOrEqual(11);
  });
});

describe('the served schema', () => {
  it('keeps plain fields without a resolver after requests (nothing wraps them)', async () => {
    for (const who of ['clinician', 'analyst', 'steward'])
      expect(codesOf(await ask(world, who, '{ patients(first: 2) { edges { node { id familyName } } } }'))).toEqual([]);
    for (const who of ['clinician', 'analyst', 'steward']) {
      const { schema } = world.running.mesh.runtimeFor(principalOf(who));
      const plain = dataTypes(schema)
        .filter((type) => type.name === 'Patient')
        .flatMap((type) => Object.values(type.getFields()))
        .filter((field) => ['id', 'familyName', 'birthDate', 'site'].includes(field.name));
      expect(plain.map((field) => [field.name, field.resolve])).toEqual([
        ['id', undefined],
        ['familyName', undefined],
        ['birthDate', undefined],
        ['site', undefined],
      ]);
    }
  });
});

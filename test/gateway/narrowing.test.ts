import type { JWTPayload } from 'jose';
import { EARLIER_GUIDE, GUIDE, PARAMETERS, REFUSED, V1 } from '../conformance/suites/smart-expected.js';
import { ACADEMIC } from '../conformance/suites/duo-expected.js';
import { askAs, enforce, factsOf, nodesOf } from './narrowing-support.js';
import { codesOf, column, openWorld, type Reply, type World } from './support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world.close(), 20_000);
afterEach(() => enforce(world, {}));

const CLINICIAN: JWTPayload = { sub: 'demo-clinician', roles: ['clinician'], purpose: 'TREAT', sites: '*' };
const ANALYST: JWTPayload = { sub: 'demo-analyst', roles: ['analyst'], purpose: 'HRESCH', sites: '*' };

type Node = Record<string, unknown>;
const PERSONS = '{ patients(first: 500) { edges { node { id site } } } }';
const personsOf = (reply: Reply): Node[] => nodesOf(reply.body.data?.['patients']);
const sitesOf = (reply: Reply): string[] => [...new Set(personsOf(reply).map((each) => String(each['site'])))].sort();

describe('SMART scopes', () => {
  const RECORD = 'query R($id: ID!) { patient(id: $id) { id observations(first: 500) { edges { node { id code system category } } } } }';
  const BOTH = (field: string): string =>
    `query B($one: ID!, $two: ID!) { one: patient(id: $one) { ${field} } two: patient(id: $two) { ${field} } }`;
  const OBSERVATIONS = BOTH('rows: observations(first: 500) { pageInfo { hasNextPage } edges { node { id code system category } } }');
  const CONDITIONS = BOTH('rows: conditions(first: 500) { pageInfo { hasNextPage } edges { node { id code system } } }');
  const LABS = 'patient/Observation.rs?category=laboratory';
  let one: string;
  let two: string;
  let all: Node[];
  let conditions: Node[];
  let persons: string[];

  const everything = async (query: string, claims: JWTPayload): Promise<Node[]> => {
    const { data } = (await askAs(world, claims, query, { one, two })).body;
    return [
      { id: one, found: data?.['one'] },
      { id: two, found: data?.['two'] },
    ].flatMap(({ id, found }) => {
      const rows = (found as { rows: { pageInfo: { hasNextPage: boolean } } } | null | undefined)?.rows;
      expect(rows?.pageInfo.hasNextPage ?? false).toBe(false);
      return nodesOf(rows).map((node) => ({ ...node, patient: id }));
    });
  };
  const observationsIn = (reply: Reply): Node[] => nodesOf((reply.body.data?.['patient'] as Node | undefined)?.['observations']);
  const idsOf = (nodes: readonly Node[]): unknown[] => nodes.map((each) => each['id']).sort();

  beforeAll(async () => {
    const ids = await column<string>(
      world,
      `select patient_id::text as value from observation where category = 'laboratory' group by 1 order by count(*) desc, 1`,
    );
    persons = personsOf(await askAs(world, CLINICIAN, PERSONS))
      .map((each) => String(each['id']))
      .sort();
    [one, two] = ids.filter((id) => persons.includes(id)) as [string, string];
    all = await everything(OBSERVATIONS, CLINICIAN);
    conditions = await everything(CONDITIONS, CLINICIAN);
  });

  it('open the labs of the person in context, and nothing else of anybody', async () => {
    const claims = { ...CLINICIAN, scope: `patient/Patient.r ${LABS}`, patient: one };
    const labs = all.filter((each) => each['patient'] === one && each['category'] === 'laboratory');
    expect(labs.length).toBeGreaterThan(0);
    expect(labs.length).toBeLessThan(all.filter((each) => each['patient'] === one).length);
    expect(idsOf(observationsIn(await askAs(world, claims, RECORD, { id: one })))).toEqual(idsOf(labs));
    expect((await askAs(world, claims, RECORD, { id: two })).body.data).toEqual({ patient: null });
    // What was not granted does not exist, operations and searches for persons among it.
    const fields = await askAs(
      world,
      claims,
      '{ __schema { queryType { fields { name } } mutationType { name } subscriptionType { name } } }',
    );
    const { queryType, ...others } = fields.body.data?.['__schema'] as { queryType: { fields: { name: string }[] } };
    expect(queryType.fields.map((each) => each.name)).toEqual(['patient']);
    expect(others).toEqual({ mutationType: null, subscriptionType: null });
    for (const query of [PERSONS, '{ patientCount }', '{ notes(first: 1) { edges { node { id } } } }', '{ assets { name } }'])
      expect(codesOf(await askAs(world, claims, query))).toEqual(['BAD_INPUT']);
  });

  it('give each caller of a class his own person in context', async () => {
    const scope = 'patient/Patient.rs patient/Observation.rs';
    for (const id of [one, two]) {
      const reply = await askAs(world, { ...CLINICIAN, scope, patient: id }, PERSONS);
      expect(personsOf(reply).map((each) => each['id'])).toEqual([id]);
    }
    for (const patient of ['smart-1', undefined]) {
      const reply = await askAs(world, { ...CLINICIAN, scope: `user/Patient.rs ${scope}`, patient }, RECORD, { id: one });
      expect(codesOf(reply)).toEqual(['BAD_INPUT']);
    }
  });

  it('count with s and not with r', async () => {
    const count = (scope: string) => askAs(world, { ...CLINICIAN, scope }, '{ patientCount }');
    expect((await count('user/Patient.s')).body.data).toEqual({ patientCount: persons.length });
    expect(codesOf(await count('user/Patient.r'))).toEqual(['BAD_INPUT']);
  });

  it('narrow in the reference path as in the compiled one', async () => {
    const claims = { ...CLINICIAN, scope: `patient/Patient.r ${LABS}`, patient: one };
    const long = 'a'.repeat(64);
    const reply = await askAs(world, claims, RECORD.replace('observations(', `${long}: observations(`), { id: one });
    const labs = all.filter((each) => each['patient'] === one && each['category'] === 'laboratory');
    expect(idsOf(nodesOf((reply.body.data?.['patient'] as Node)[long]))).toEqual(idsOf(labs));
  });

  /** What a scope says, read apart from the product. */
  const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category';
  const tokenFits = (name: string, token: string, row: Node): boolean => {
    const [first, second] = token.split('|');
    if (name === 'category') return second === undefined ? row['category'] === first : first === CATEGORY && row['category'] === second;
    if (second === undefined) return row['code'] === first;
    return row['system'] === first && (second === '' || row['code'] === second);
  };
  const granted = (text: string, type: string, row: Node): boolean => {
    const [path = '', query] = text.split('?');
    const [context = '', named = ''] = path.split(/[/.]/);
    if (context === 'system' || (named !== '*' && named !== type) || (context === 'patient' && row['patient'] !== one)) return false;
    return [...new URLSearchParams(query ?? '')].every(
      ([name, value]) =>
        (name === 'code' || (name === 'category' && type === 'Observation')) &&
        value.split(',').every((each) => each !== '') &&
        !value.includes('\\') &&
        value.split(',').some((each) => tokenFits(name, each, row)),
    );
  };

  it('give exactly the rows that scope and rights both give, for every scope of the conformance pack', async () => {
    const pack = [...GUIDE, ...EARLIER_GUIDE, ...V1, ...PARAMETERS];
    let rows = 0;
    for (const { text, rights } of pack) {
      const claims = { ...CLINICIAN, scope: `${text} user/Patient.r`, patient: one };
      const search = rights.includes('s');
      const expected = (type: string, of: readonly Node[]) => idsOf(of.filter((each) => search && granted(text, type, each)));
      const [observations, problems] = [await everything(OBSERVATIONS, claims), await everything(CONDITIONS, claims)];
      expect([text, idsOf(observations)]).toEqual([text, expected('Observation', all)]);
      expect([text, idsOf(problems)]).toEqual([text, expected('Condition', conditions)]);
      rows += observations.length + problems.length;
      if (!/[/](?:[*]|Patient)[.]/.test(text)) continue;
      const found = personsOf(await askAs(world, { ...CLINICIAN, scope: text, patient: one }, PERSONS)).map((each) => each['id']);
      const wanted = persons.filter((patient) => search && !text.includes('?') && granted(text, 'Patient', { patient }));
      expect([text, [...found].sort()]).toEqual([text, wanted]);
    }
    expect(rows).toBeGreaterThan(100);
  }, 30_000);

  it('that are malformed grant nothing', async () => {
    // Some are no scope token at all and refuse the token; those with a blank are two scopes, and well-formed.
    const single = REFUSED.filter((each) => !/ /.test(each));
    const tokens = single.filter((each) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(each));
    const claimed = (scope: string) => askAs(world, { ...CLINICIAN, scope, patient: one }, RECORD, { id: one });
    expect(observationsIn(await claimed([...tokens, 'user/Patient.r'].join(' ')))).toEqual([]);
    const others = single.filter((each) => !tokens.includes(each) && each !== '');
    for (const text of others) expect([text, (await claimed(`${text} user/Patient.r`)).status]).toEqual([text, 401]);
    expect(tokens.length).toBeGreaterThan(35);
  });
});

describe('data use conditions', () => {
  const projects = { [ACADEMIC.id]: { ...ACADEMIC, users: ['demo-analyst'] } };
  const GRU = { code: 'DUO:0000042', values: [] };
  const POA = { code: 'DUO:0000011', values: [] };
  const asked = (project: string | undefined = ACADEMIC.id) => askAs(world, { ...ANALYST, project }, PERSONS);

  it('act on the next request: sites whose conditions the project does not meet are gone', async () => {
    const before = await asked();
    expect(sitesOf(before)).toEqual(['north', 'south', 'west']);
    await enforce(world, { projects, dataUse: { north: [POA], south: [GRU] } });
    const after = await asked();
    expect(personsOf(after)).toEqual(personsOf(before).filter((each) => each['site'] !== 'north'));
    await enforce(world, { projects, dataUse: { north: [GRU], south: [GRU] } });
    expect(personsOf(await asked())).toEqual(personsOf(before));
    await enforce(world, { projects, dataUse: { north: [GRU], '*': [POA] } });
    expect(sitesOf(await asked())).toEqual(['north']);
  });

  it('deny an unknown code, and everybody without a project that names him', async () => {
    await enforce(world, { projects, dataUse: { north: [GRU, { code: 'DUO:9999999', values: [] }], south: [GRU] } });
    expect(sitesOf(await asked())).toEqual(['south', 'west']);
    expect(sitesOf(await asked('unregistered'))).toEqual(['west']);
    const other = await askAs(world, { ...ANALYST, sub: 'another-analyst', project: ACADEMIC.id }, PERSONS);
    expect(sitesOf(other)).toEqual(['west']);
    expect(personsOf(await askAs(world, { ...CLINICIAN, project: ACADEMIC.id }, PERSONS)).some((each) => each['site'] === 'north')).toBe(
      true,
    );
  });

  it('leave allele frequencies and counts without the persons of a denied site', async () => {
    const COUNTS = '{ patientCount variants(first: 20) { edges { node { id frequency { an } } } } }';
    const numbers = (reply: Reply) => {
      const chromosomes = nodesOf(reply.body.data?.['variants']).map(
        (each) => (each['frequency'] as { an: number | null } | null)?.an ?? 0,
      );
      return [Number(reply.body.data?.['patientCount']), chromosomes.reduce((sum, each) => sum + each, 0)] as const;
    };
    const before = numbers(await askAs(world, { ...ANALYST, project: ACADEMIC.id }, COUNTS));
    await enforce(world, { projects, dataUse: { north: [POA] } });
    const after = numbers(await askAs(world, { ...ANALYST, project: ACADEMIC.id }, COUNTS));
    expect(after[0]).toBe(personsOf(await asked()).length);
    expect(after[0]).toBeLessThan(before[0]);
    expect(after[1]).toBeLessThan(before[1]);
  });

  it('end with the approval that they rest on', async () => {
    const started = world.now;
    const approvals = [{ id: 'irb-1', until: started + 60_000 }];
    const project = { ...ACADEMIC, users: [], approvals };
    await enforce(world, { projects: { [project.id]: project }, dataUse: { north: [GRU, { code: 'DUO:0000021', values: [] }] } });
    expect(sitesOf(await asked())).toContain('north');
    world.now = started + 59_999;
    expect(sitesOf(await asked())).toContain('north');
    world.now = started + 60_000;
    expect(sitesOf(await asked())).not.toContain('north');
    world.now = started;
  });

  it('tell the caller what he promised, and the record what was decided', async () => {
    await enforce(world, { projects, dataUse: { north: [GRU, { code: 'DUO:0000019', values: [] }], south: [POA] } });
    const reply = await asked();
    expect((await factsOf(world, reply))['dataUse']).toEqual({ project: ACADEMIC.id, denied: ['south'], obligations: ['PUB'] });
    const { notices } = reply.body.extensions as unknown as { notices: { code: string }[] };
    expect(notices.map((each) => each.code)).toContain('data-use-publication');
  });
});

describe('delegation', () => {
  const act = { sub: 'imaging-service', roles: ['steward'] };

  it('leaves the intersection of the rights of all who act, and the record names them', async () => {
    const grants = [
      {
        id: 'local.service',
        reason: 'A service that knows persons by their pseudonyms.',
        role: 'steward',
        purposes: ['TREAT' as const],
        actions: ['read' as const],
        tags: ['root' as const, 'pseudonym' as const, 'site' as const],
        rows: { op: '<=' as const, attribute: 'sensitivity' as const, literal: 0 },
      },
    ];
    await enforce(world, { grants });
    const reply = await askAs(world, { ...CLINICIAN, act }, PERSONS);
    const own = await askAs(world, CLINICIAN, PERSONS);
    const ids = new Set(personsOf(own).map((each) => each['id']));
    expect(personsOf(reply).length).toBeGreaterThan(0);
    expect(personsOf(reply).every((each) => ids.has(each['id']))).toBe(true);
    expect(codesOf(await askAs(world, { ...CLINICIAN, act }, '{ patients(first: 1) { edges { node { familyName } } } }'))).toEqual([
      'BAD_INPUT',
    ]);
    expect((await factsOf(world, reply))['actors']).toEqual(['imaging-service']);
  });

  it('through somebody without rights for the purpose, or without a role, leaves none', async () => {
    for (const roles of [['steward'], []])
      expect(codesOf(await askAs(world, { ...CLINICIAN, act: { sub: 'some-service', roles } }, PERSONS))).toEqual(['FORBIDDEN']);
  });
});

describe('groups', () => {
  const asked = (groups: string[]) => askAs(world, { ...CLINICIAN, roles: undefined, groups }, PERSONS);

  it('give roles, through groups in groups, and circles end', async () => {
    const groups = { doctors: ['clinician'], house: ['doctors', 'staff'], staff: ['house'], lost: ['lost'] };
    await enforce(world, { groups });
    for (const group of ['doctors', 'house', 'staff']) expect((await asked([group])).status).toBe(200);
    for (const group of ['lost', 'unknown', 'clinician']) expect(codesOf(await asked([group]))).toEqual(['FORBIDDEN']);
    await enforce(world, { groups: { ...groups, doctors: ['lost'] } });
    expect(codesOf(await asked(['doctors']))).toEqual(['FORBIDDEN']);
  });
});

describe('step-up', () => {
  it('a grant that wants several factors is dead without them', async () => {
    const grants = [
      {
        id: 'local.names',
        reason: 'Names are for those who showed a second factor.',
        role: 'analyst',
        purposes: ['HRESCH' as const],
        actions: ['read' as const],
        tags: ['root' as const, 'pseudonym' as const, 'site' as const, 'demographic' as const],
        rows: { op: '<=' as const, attribute: 'sensitivity' as const, literal: 0 },
        obligations: { stepUp: true },
      },
    ];
    await enforce(world, { suspended: ['patients.analyst.research'], grants });
    const SEX = '{ patients(first: 5) { edges { node { id sex } } } }';
    expect(codesOf(await askAs(world, ANALYST, SEX))).toEqual(['BAD_INPUT']);
    expect(personsOf(await askAs(world, { ...ANALYST, amr: ['pwd', 'mfa'] }, SEX))).toHaveLength(5);
    expect(codesOf(await askAs(world, { ...ANALYST, amr: ['pwd'] }, SEX))).toEqual(['BAD_INPUT']);
    expect(codesOf(await askAs(world, { ...ANALYST, amr: ['mfa'], kind: 'service' }, SEX))).toEqual(['BAD_INPUT']);
  });
});

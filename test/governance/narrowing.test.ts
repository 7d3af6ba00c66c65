import fc from 'fast-check';
import { composePolicy, classKey, readPolicyDocument, type Narrowing, type PolicyDocument } from '../../src/governance/index.js';
import { narrowingOf, scopeNarrowing, type Narrowed } from '../../src/governance/narrowing.js';
import { controlledNarrowing, dataUseNarrowing } from '../../src/governance/site-narrowing.js';
import type { EntityDeclaration, Grant, Predicate } from '../../src/kernel/index.js';
import { ACADEMIC, AT } from '../conformance/suites/duo-expected.js';
import { classOf } from '../support/classes.js';

const ONE = '01890000-0000-7000-8000-000000000001';
const CALLER: Narrowed = { sub: 'ann', purpose: 'TREAT', kind: 'person' };
const RESEARCHER: Narrowed = { ...CALLER, purpose: 'HRESCH', project: ACADEMIC.id };
const table = (name: string, fhir?: string, patient: string | null = 'patient_id'): EntityDeclaration => ({
  kind: 'entity',
  table: name,
  key: ['patient_id'],
  tags: ['clinical'],
  description: 'of a test',
  ...(fhir === undefined ? {} : { fhir }),
  ...(patient === null ? {} : { patient, modality: 'CLINICAL' as const }),
});
const OBSERVATION = table('observation', 'Observation');
const WEARABLE = table('wear_chunk', 'Observation');
const VARIANT = table('variant', undefined, null);
const hasColumn = (name: string, column: string): boolean => name === 'observation' && ['category', 'code', 'system'].includes(column);
const scoped = (scopes: readonly string[], more: Partial<Narrowed> = {}): Narrowing =>
  scopeNarrowing({ ...CALLER, patient: ONE, ...more, scopes }, hasColumn)!;

const IN_CONTEXT: Predicate = { op: 'in', attribute: 'patient', me: 'patient' };
const is = (column: string, value: string): Predicate => ({ op: 'one-of', column, literals: [value] });
const NONE: Predicate = { op: 'false' };
const ALL: Predicate = { op: 'true' };

describe('scopes of the token', () => {
  it('leave nothing as it is where the token has none of that form', () => {
    expect(narrowingOf(CALLER, {}, hasColumn, AT)).toBeUndefined();
    expect(scopeNarrowing(CALLER, hasColumn)).toBeUndefined();
  });

  it('become rows of the person in context, restricted in columns', () => {
    const labs = scoped(['patient/Observation.rs?category=laboratory']);
    expect(labs.rule(OBSERVATION, 'read', 'many')).toEqual({ op: 'and', of: [IN_CONTEXT, is('category', 'laboratory')] });
    expect(labs.closed).toBe(true);
  });

  it('give nothing of what they do not name, cannot say in columns, or is no resource', () => {
    const labs = scoped(['patient/Observation.rs?category=laboratory']);
    const others = [table('condition', 'Condition'), WEARABLE, VARIANT, table('lineage_run'), table('odd', 'constructor')];
    expect(others.map((each) => labs.rule(each, 'read', 'either'))).toEqual([NONE, NONE, NONE, NONE, NONE]);
    expect(scoped(['user/*.cruds']).rule(VARIANT, 'read', 'many')).toEqual(NONE);
    expect(scoped(['user/Observation.rs']).rule(WEARABLE, 'read', 'many')).toEqual(ALL);
  });

  it('search with s and read by id with r; numbers are a search, and what is in a row is read by either', () => {
    const kinds = [
      ['read', 'one'],
      ['read', 'many'],
      ['read', 'either'],
      ['count', 'either'],
      ['file', 'either'],
    ] as const;
    const open = (scope: string): boolean[] =>
      kinds.map(([action, reach]) => scoped([scope]).rule(OBSERVATION, action, reach).op !== 'false');
    expect(open('user/Observation.r')).toEqual([true, false, true, false, true]);
    expect(open('user/Observation.s')).toEqual([false, true, true, true, false]);
    expect(open('user/Observation.cud')).toEqual([false, false, false, false, false]);
    for (const action of ['write', 'feature', 'train', 'execute', 'release', 'emergency', 'govern'] as const)
      expect(scoped(['user/*.cruds']).rule(OBSERVATION, action, 'either')).toEqual(NONE);
  });

  it('are joined by whole branches: the rows of one never meet the tests of another', () => {
    const both = scoped(['patient/Observation.s?category=exam', 'user/Observation.s?code=http://loinc.org|4548-4']);
    expect(both.rule(OBSERVATION, 'read', 'many')).toEqual({
      op: 'or',
      of: [
        { op: 'and', of: [IN_CONTEXT, is('category', 'exam')] },
        { op: 'and', of: [is('system', 'http://loinc.org'), is('code', '4548-4')] },
      ],
    });
  });

  it('of a patient grant nothing without a person in context, and a name that is no id is of nobody', () => {
    expect(scopeNarrowing({ ...CALLER, scopes: ['patient/*.rs'] }, hasColumn)!.rule(OBSERVATION, 'read', 'many')).toEqual(NONE);
    expect(scoped(['patient/*.rs'], { patient: 'smart-123' }).rule(OBSERVATION, 'read', 'many')).toEqual(NONE);
  });

  it('have one key whatever their order, and another wherever the rows differ', () => {
    const texts = fc.subarray(['patient/*.rs', 'user/Observation.r', 'user/Observation.s', 'openid', 'user/Patient.rs'], { minLength: 1 });
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        const [one, other] = [scoped(a), scoped([...b].reverse())];
        const same = [...a].sort().join(' ') === [...b].sort().join(' ');
        expect(one.key === other.key).toBe(same);
      }),
      { numRuns: 200 },
    );
    expect(scoped(['patient/*.rs'], { patient: ONE.replace('1', '2') }).key).toBe(scoped(['patient/*.rs']).key);
    const keys = [scoped(['user/*.rs']), scoped(['user/*.rs'], { kind: 'service' }), scoped(['user/*.rs'], { patient: 'x' })].map(
      ({ key }) => key,
    );
    expect(new Set(keys).size).toBe(3);
  });
});

const GRU = { code: 'DUO:0000042', values: [] };
const POA = { code: 'DUO:0000011', values: [] };
const IRB = { code: 'DUO:0000021', values: [] };
const only = (...sites: string[]): Predicate => ({ op: 'one-of', column: 'site_id', literals: sites });
const projects = { [ACADEMIC.id]: ACADEMIC };
const used = (document: PolicyDocument, caller: Narrowed = RESEARCHER, now = AT): Narrowing | undefined =>
  dataUseNarrowing(caller, { projects, ...document }, now);
const rows = (narrowing: Narrowing | undefined): Predicate | undefined => narrowing?.rule(OBSERVATION, 'read', 'many');

describe('data use conditions', () => {
  it('are asked for research alone, and only where a site states any', () => {
    expect(used({ dataUse: { north: [POA] } }, { ...RESEARCHER, purpose: 'TREAT' })).toBeUndefined();
    expect(used({ dataUse: { north: [POA] } }, { ...RESEARCHER, purpose: 'study:x' })).toBeDefined();
    expect(used({})).toBeUndefined();
  });

  it('take away the sites whose conditions the project does not meet, and keep those without', () => {
    expect(rows(used({ dataUse: { north: [GRU], south: [POA] } }))).toEqual({ op: 'except', of: only('south') });
    expect(rows(used({ dataUse: { north: [GRU] } }))).toEqual(ALL);
    expect(used({ dataUse: { south: [POA] } })!.rule(VARIANT, 'read', 'many')).toEqual(ALL);
  });

  it('of every other site stand under an asterisk', () => {
    expect(rows(used({ dataUse: { north: [GRU], east: [POA], '*': [POA] } }))).toEqual(only('north'));
    expect(rows(used({ dataUse: { north: [GRU], east: [POA], '*': [GRU] } }))).toEqual({ op: 'except', of: only('east') });
    expect(rows(used({ dataUse: { '*': [POA] } }))).toEqual(only());
  });

  it.each([
    ['no project', { ...RESEARCHER, project: undefined }],
    ['an unregistered project', { ...RESEARCHER, project: 'p-other' }],
    ['a property of every object', { ...RESEARCHER, project: 'constructor' }],
    ['a caller whom the project does not name', { ...RESEARCHER, sub: 'mallory' }],
  ])('deny for %s', (_, caller) => {
    const { project, ...rest } = caller;
    expect(rows(used({ dataUse: { north: [GRU] } }, project === undefined ? rest : { ...rest, project }))).toEqual({
      op: 'except',
      of: only('north'),
    });
  });

  it('deny under a code that is not known, and under a disease without a hierarchy', () => {
    const codes = ['DUO:9999999', 'constructor'].map((code) => ({ code, values: [] }));
    for (const each of [...codes, { code: 'DUO:0000007', values: ['MONDO:0005105'] }])
      expect(rows(used({ dataUse: { north: [GRU, each] } }))).toEqual({ op: 'except', of: only('north') });
  });

  it('tell what must be kept, and until when', () => {
    const found = used({ dataUse: { north: [GRU, IRB, { code: 'DUO:0000019', values: [] }] } })!;
    expect(found.dataUse).toEqual({ project: ACADEMIC.id, denied: [], obligations: ['IRB', 'PUB'] });
    expect(found.notices).toEqual(['data-use-ethics', 'data-use-publication']);
    expect(found.until).toBe(ACADEMIC.approvals[0]!.until);
    const after = used({ dataUse: { north: [GRU, IRB] } }, RESEARCHER, ACADEMIC.approvals[0]!.until)!;
    expect([after.dataUse?.denied, after.until]).toEqual([['north'], undefined]);
  });

  it('that deny only until a day are judged anew on that day', () => {
    const moratorium = { code: 'DUO:0000024', values: ['2026-09-01'] };
    const open = { ...ACADEMIC, accepted: [], publication: null };
    const document = { dataUse: { north: [GRU, moratorium] }, projects: { [ACADEMIC.id]: open } };
    const before = used(document)!;
    expect([before.dataUse?.denied, before.until]).toEqual([['north'], Date.parse('2026-09-01T00:00:00Z')]);
    expect(used(document, RESEARCHER, before.until)!.dataUse?.denied).toEqual([]);
    const later = { dataUse: { north: [GRU] }, projects: { [ACADEMIC.id]: { ...ACADEMIC, start: AT + 1_000 } } };
    expect(used({ dataUse: { north: [GRU, { code: 'DUO:0000025', values: ['12'] }] }, projects: later.projects })!.until).toBe(AT + 1_000);
  });
});

const DATASET = 'https://archive.example.org/datasets/710';
const OTHER = 'https://archive.example.org/datasets/432';
const held = (dataset: string, until = AT + 1_000) => ({ kind: 'controlled' as const, dataset, until });

describe('controlled datasets', () => {
  const controlled = { [DATASET]: ['north', 'south'], [OTHER]: ['south'] };
  const of = (...clearances: NonNullable<Narrowed['clearances']>) => controlledNarrowing({ ...RESEARCHER, clearances }, { controlled }, AT);

  it('are closed to those who hold no grant of theirs, and open to those who do', () => {
    expect(rows(of())).toEqual({ op: 'except', of: only('north', 'south') });
    expect(rows(of(held(OTHER)))).toEqual({ op: 'except', of: only('north') });
    expect(rows(of(held(DATASET)))).toEqual(ALL);
    expect(rows(of({ kind: 'registered', until: AT + 1_000 }))).toEqual(rows(of()));
    expect(controlledNarrowing({ ...RESEARCHER, purpose: 'TREAT' }, { controlled }, AT)).toBeUndefined();
  });

  it('close at the instant at which the grant ends', () => {
    expect(of(held(DATASET, AT + 5))?.until).toBe(AT + 5);
    expect(rows(of(held(DATASET, AT)))).toEqual(rows(of()));
  });
});

it('all that narrows holds together, under a joint key, until the first of it ends', () => {
  const document = { projects, dataUse: { east: [POA], north: [GRU, IRB] }, controlled: { [DATASET]: ['south'] } };
  const caller = { ...RESEARCHER, patient: ONE, scopes: ['patient/Observation.rs'], clearances: [held(DATASET)] };
  const joint = narrowingOf(caller, document, hasColumn, AT)!;
  expect(rows(joint)).toEqual({ op: 'and', of: [IN_CONTEXT, { op: 'except', of: only('east') }] });
  expect(joint).toMatchObject({ until: AT + 1_000, closed: true, dataUse: { denied: ['east'] }, notices: ['data-use-ethics'] });
  const others = [
    { ...caller, scopes: ['user/Observation.rs'] },
    { ...caller, clearances: [] },
    { ...caller, project: 'none' },
  ];
  const keys = [caller, ...others].map((each) => narrowingOf(each, document, hasColumn, AT)!.key);
  expect(new Set(keys).size).toBe(4);
});

describe('a grant for holders of a passport', () => {
  const grant = (clearance?: Grant['clearance']): Grant => ({
    id: `g.${clearance ?? 'open'}`,
    reason: 'for a test',
    role: 'analyst',
    purposes: ['HRESCH'],
    actions: ['read'],
    tags: [clearance === undefined ? 'root' : 'clinical'],
    rows: { op: 'true' },
    ...(clearance === undefined ? {} : { clearance }),
  });
  const policy = composePolicy([{ grants: [grant(), grant('registered')] }]);

  it('lives only with the clearance, and no longer', () => {
    expect(classOf(policy, ['analyst'], 'HRESCH').may('read', ['clinical'])).toBe(false);
    expect(classOf(policy, ['analyst'], 'HRESCH', { clearances: ['controlled'] }).may('read', ['clinical'])).toBe(false);
    const cleared = classOf(policy, ['analyst'], 'HRESCH', { clearances: ['registered'], clearedUntil: 7 });
    expect([cleared.may('read', ['clinical']), cleared.goodUntil]).toEqual([true, 7]);
  });

  it('makes another class', () => {
    const key = (clearances: readonly ('registered' | 'controlled')[]) =>
      classKey(policy.version, { roles: ['analyst'], purpose: 'HRESCH', allSites: true, clearances });
    expect(new Set([key([]), key(['registered']), key(['controlled', 'registered'])]).size).toBe(3);
    expect(key(['registered', 'controlled', 'registered'])).toBe(key(['controlled', 'registered']));
  });

  it('is refused where the clearance is none', () => {
    expect(() => composePolicy([{ grants: [{ ...grant('registered'), clearance: 'secret' as never }] }])).toThrow(
      'unknown clearance secret',
    );
  });
});

describe('a policy document', () => {
  it('states conditions, projects and controlled datasets in their shapes', () => {
    const document = { projects, dataUse: { '*': [GRU], north: [POA] }, controlled: { [DATASET]: ['north'] } };
    expect(readPolicyDocument(document)).toBe(document);
    expect(composePolicy([], document).document).toBe(document);
  });

  it.each([
    [{ dataUse: { north: [{ code: 'DUO:0000042' }] } }, 'document.dataUse.north[0].values'],
    [{ dataUse: { north: [{ ...GRU, note: 'x' }] } }, 'document.dataUse.north[0].note'],
    [{ projects: { p: { ...ACADEMIC, id: 'p', wish: true } } }, 'document.projects.p.wish'],
    [{ projects: { p: { ...ACADEMIC, uses: ['anything'] } } }, 'document.projects.p.uses[0]'],
    [{ projects: { p: { ...ACADEMIC, accepted: ['NPU'] } } }, 'document.projects.p.accepted[0]'],
    [{ projects: { p: { ...ACADEMIC, approvals: [{ id: 'irb' }] } } }, 'document.projects.p.approvals[0].until'],
    [{ controlled: { [DATASET]: 'north' } }, 'controlled'],
  ])('is refused with the place for what else it holds (%#)', (document, place) => {
    expect(() => readPolicyDocument(document)).toThrow(place);
  });

  it('is refused where a project stands under another name, or a site has none', () => {
    expect(() => composePolicy([], { projects: { other: ACADEMIC } })).toThrow('projects: other');
    expect(() => composePolicy([], { dataUse: { 'a b': [GRU] } })).toThrow('dataUse: a b');
    expect(() => composePolicy([], { controlled: { [DATASET]: ['*'] } })).toThrow('is no name of a site');
  });
});

import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { GraphQLSchema } from 'graphql';
import { policyImport } from '../../src/cli/policy-import.js';
import { Classification, PolicyClass, composePolicy, rolesOf } from '../../src/governance/index.js';
import { evaluateRanger } from '../../src/governance/interchange/ranger/evaluate.js';
import { importRanger, type RangerImport } from '../../src/governance/interchange/ranger/import.js';
import type { RangerRequest } from '../../src/governance/interchange/ranger/model.js';
import { readRanger } from '../../src/governance/interchange/ranger/read.js';
import { predicateOf } from '../../src/governance/interchange/ranger/row-filter.js';
import { inForce, scheduleOf } from '../../src/governance/interchange/ranger/schedule.js';
import { wildcardMatch, wildcardPrefix } from '../../src/governance/interchange/ranger/wildcard.js';
import type { Action, Tag } from '../../src/kernel/index.js';
import { suite } from '../conformance/suites/ranger.js';

const DATA = path.resolve(__dirname, '../../../shared/data/governance/ranger');

const SERVICE = {
  name: 'hive',
  resources: [
    { name: 'database', level: 1 },
    { name: 'table', level: 2, parent: 'database' },
    { name: 'column', level: 3, parent: 'table' },
  ],
  accessTypes: [{ name: 'select' }, { name: 'update' }, { name: 'drop' }, { name: 'all', impliedGrants: ['select', 'update', 'drop'] }],
  dataMaskDef: { resources: [{ name: 'database' }, { name: 'table' }, { name: 'column' }] },
  rowFilterDef: { resources: [{ name: 'database' }, { name: 'table' }] },
  policyConditions: [{ name: 'place', evaluator: 'com.example.Anything' }],
};
type Fields = Record<string, unknown>;
const item = (type: string, who: Fields, more: Fields = {}): Fields => ({ accesses: [{ type }], ...who, ...more });
const on = (database: string, table?: string, column?: string): Fields => ({
  database: { values: [database] },
  ...(table === undefined ? {} : { table: { values: [table] } }),
  ...(column === undefined ? {} : { column: { values: [column] } }),
});
let next = 0;
const policy = (resources: Fields, more: Fields): Fields => ({ id: (next += 1), name: `p${next}`, resources, ...more });
const documentOf = (...policies: Fields[]): Fields => ({ serviceDef: SERVICE, policies });

const asked = (column: string, more: Partial<RangerRequest> = {}): RangerRequest => {
  const [database = '', table = '', name = ''] = column.split('.');
  const nobody = {
    owner: null,
    user: 'somebody',
    groups: [],
    roles: [],
    at: 0,
    descendants: false,
    scopes: {},
    tags: null,
    context: {},
    attributes: {},
  };
  return { resource: { database, table, column: name }, accessType: 'select', ...nobody, ...more };
};
const allows = (document: Fields, request: RangerRequest): boolean => evaluateRanger(readRanger(document), request, 'access').allowed;

const CLINICAL: readonly Tag[] = ['clinical'];
const CATALOGUE = ['notes.note.text', 'notes.note.kind', 'imaging.study.modality'].map((name) => ({ name, tags: CLINICAL }));
const importing = (document: Fields): RangerImport => importRanger(document, CATALOGUE, { purposes: ['HRESCH'], everyone: 'everyone' });

/** What holders of roles get of a column by the policy class, under an imported document. */
function decided({ document, assets }: RangerImport, column: string, roles: readonly string[], action: Action = 'read', now = 0) {
  const composed = composePolicy([], document);
  const held = rolesOf(composed, ['everyone', ...roles], []);
  const ours = new PolicyClass(
    composed,
    new Classification(new GraphQLSchema({}), []),
    { roles: held, purpose: 'HRESCH', allSites: true },
    now,
  );
  const table = column.split('.').slice(0, 2).join('.');
  return ours.decide(['clinical', ...(assets[column] ?? []), ...(assets[table] ?? [])], action).alternatives;
}
const may = (imported: RangerImport, column: string, ...roles: string[]): boolean => decided(imported, column, roles).length > 0;

describe('patterns', () => {
  const letters = (...extra: string[]) => fc.string({ unit: fc.constantFrom('a', 'b', '/', ...extra), maxLength: 9 });
  /** Straight from the meaning of the two signs, by splitting in every way. */
  const naive = (pattern: string, text: string): boolean => {
    if (pattern === '') return text === '';
    if (pattern[0] === '*') return naive(pattern.slice(1), text) || (text !== '' && naive(pattern, text.slice(1)));
    return text !== '' && (pattern[0] === '?' || pattern[0] === text[0]) && naive(pattern.slice(1), text.slice(1));
  };

  test('match as the meaning of * and ? says', () => {
    fc.assert(
      fc.property(letters('*', '?'), letters('*'), (pattern, text) => wildcardMatch(pattern, text) === naive(pattern, text)),
      { numRuns: 2000 },
    );
  });

  test('a text is a prefix exactly where it can be completed', () => {
    fc.assert(
      fc.property(letters('*', '?'), letters(), letters(), (pattern, text, rest) => {
        if (naive(pattern, text + rest)) expect(wildcardPrefix(pattern, text)).toBe(true);
      }),
      { numRuns: 2000 },
    );
    expect(wildcardPrefix('ab*', 'b')).toBe(false);
    expect(wildcardPrefix('ab', 'abc')).toBe(false);
  });

  test('a hostile pattern takes no longer than its length allows', () => {
    const started = performance.now();
    expect(wildcardMatch('*a'.repeat(200) + 'b', 'a'.repeat(5000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('verdicts', () => {
  test('what no policy allows is denied, and a deny wins over an allow', () => {
    const open = policy(on('notes', '*', '*'), { policyItems: [item('select', { groups: ['public'] })] });
    const shut = policy(on('notes', 'note', 'text'), {
      denyPolicyItems: [item('select', { groups: ['staff'] })],
      denyExceptions: [item('select', { users: ['ann'] })],
    });
    const both = documentOf(open, shut);
    expect(allows(documentOf(), asked('notes.note.text'))).toBe(false);
    expect(allows(both, asked('notes.note.text'))).toBe(true);
    expect(allows(both, asked('notes.note.text', { groups: ['staff'] }))).toBe(false);
    expect(allows(both, asked('notes.note.text', { groups: ['staff'], user: 'ann' }))).toBe(true);
    expect(allows(both, asked('imaging.study.modality'))).toBe(false);
  });

  test('an override stands above a deny, and a policy that denies all else leaves only what it allows', () => {
    const shut = policy(on('*', '*', '*'), { denyPolicyItems: [item('select', { groups: ['public'] })] });
    const over = policy(on('notes', 'note', 'kind'), { policyPriority: 1, policyItems: [item('select', { users: ['ann'] })] });
    expect(allows(documentOf(shut, over), asked('notes.note.kind', { user: 'ann' }))).toBe(true);
    expect(allows(documentOf(shut, over), asked('notes.note.text', { user: 'ann' }))).toBe(false);
    const open = policy(on('notes', '*', '*'), { policyItems: [item('select', { groups: ['public'] })] });
    const only = policy(on('notes', '*', '*'), { isDenyAllElse: true, policyItems: [item('select', { users: ['ann'] })] });
    expect(allows(documentOf(open, only), asked('notes.note.kind', { user: 'ann' }))).toBe(true);
    expect(allows(documentOf(open, only), asked('notes.note.kind', { user: 'bob' }))).toBe(false);
  });

  test('a condition that is not known gives no verdict, whether it would allow or deny', () => {
    const conditions = [{ type: 'place', values: ['x'] }];
    for (const name of ['policyItems', 'denyPolicyItems']) {
      const odd = documentOf(policy(on('notes', '*', '*'), { [name]: [item('select', { groups: ['public'] }, { conditions })] }));
      expect(() => allows(odd, asked('notes.note.kind'))).toThrow(expect.objectContaining({ code: 'POLICY_INVALID' }));
    }
  });

  test.each([
    ['a list where an object is due', { serviceDef: [] }],
    ['an unknown matcher', { serviceDef: { resources: [{ name: 'a', matcher: 'com.example.Matcher' }] } }],
    [
      'levels in a circle',
      {
        serviceDef: {
          resources: [
            { name: 'a', parent: 'b' },
            { name: 'b', parent: 'c' },
          ],
        },
      },
    ],
    ['items that are none', { serviceDef: SERVICE, policies: [{ resources: {}, policyItems: 'all' }] }],
    ['a schedule that is none', { serviceDef: SERVICE, policies: [{ resources: {}, validitySchedules: [{}] }] }],
    [
      'a time zone nobody knows',
      {
        serviceDef: SERVICE,
        policies: [{ resources: {}, validitySchedules: [{ startTime: '2026/01/01 00:00:00', timeZone: 'Mars/Base' }] }],
      },
    ],
  ])('refused: %s', (_, document) => {
    expect(() => readRanger(document)).toThrow(expect.objectContaining({ code: 'POLICY_INVALID' }));
  });

  test('times are those of the schedule’s zone', () => {
    const winter = scheduleOf({ startTime: '2026/01/10 09:00:00', endTime: '2026/01/10 17:00:00', timeZone: 'Europe/Berlin' });
    expect(inForce(winter, Date.parse('2026-01-10T07:59:59Z'), 'UTC')).toBe(false);
    expect(inForce(winter, Date.parse('2026-01-10T08:00:00Z'), 'UTC')).toBe(true);
    expect(inForce(winter, Date.parse('2026-01-10T16:00:01Z'), 'UTC')).toBe(false);
  });
});

describe('row filters', () => {
  test('are read where the closed language has them', () => {
    expect(predicateOf("site = 'A' and (year between 2019 and 2021 or kind IN ('x', 'it''s'))")).toEqual({
      op: 'and',
      of: [
        { op: 'compare', column: 'site', operator: '=', literal: 'A' },
        {
          op: 'or',
          of: [
            { op: 'between', column: 'year', from: 2019, to: 2021 },
            { op: 'one-of', column: 'kind', literals: ['x', "it's"] },
          ],
        },
      ],
    });
    expect(predicateOf('ended is null')).toEqual({ op: 'is-null', column: 'ended' });
  });

  test.each([
    "not a = 'x'",
    "a <> 'x'",
    'a = b',
    "lower(a) = 'x'",
    "a = 'x' --",
    "a = 'x'; drop table t",
    "a = 'x",
    'a =',
    "(a = 'x'",
    '',
    "a = 'x' or",
    'a in ()',
    '1 = 1',
    '('.repeat(40),
  ])('cannot be compiled: %s', (filter) => {
    expect(predicateOf(filter)).toBeNull();
  });
});

describe('import', () => {
  const staff = policy(on('notes', '*', '*'), { policyItems: [item('all', { groups: ['staff'] })] });

  test('what a policy allows is granted, and nothing else', () => {
    const imported = importing(documentOf(staff));
    expect(imported.refused).toEqual([]);
    expect(imported.narrower).toEqual([]);
    expect(may(imported, 'notes.note.text', 'group:staff')).toBe(true);
    expect(may(imported, 'notes.note.text')).toBe(false);
    expect(may(imported, 'imaging.study.modality', 'group:staff')).toBe(false);
    expect(decided(imported, 'notes.note.kind', ['group:staff'], 'write')).toHaveLength(1);
    expect(decided(imported, 'notes.note.kind', ['group:staff'], 'train')).toEqual([]);
    expect(rolesOf(composePolicy([], imported.document), [], ['staff'])).toEqual(['group:staff']);
  });

  test('a column to which nothing is given is not reached through the tags that its product declared', () => {
    const kind = policy(on('notes', 'note', 'kind'), { policyItems: [item('select', { groups: ['staff'] })] });
    const odd = policy(on('notes', 'note', 'text'), { denyPolicyItems: [item('select', { users: ['{OWNER}'] })] });
    const imported = importing(documentOf(kind, odd));
    expect(may(imported, 'notes.note.kind', 'group:staff')).toBe(true);
    expect(may(imported, 'notes.note.text', 'group:staff')).toBe(false);
    expect(Object.keys(imported.assets)).toEqual(
      expect.arrayContaining([...CATALOGUE.map((each) => each.name), 'notes.note', 'imaging.study']),
    );
  });

  test('a deny takes from everybody who bears its name', () => {
    const shut = policy(on('notes', 'note', 'text'), { denyPolicyItems: [item('select', { groups: ['interns'] })] });
    const imported = importing(documentOf(staff, shut));
    expect(imported).toMatchObject({ refused: [], narrower: [] });
    expect(may(imported, 'notes.note.text', 'group:staff')).toBe(true);
    expect(may(imported, 'notes.note.text', 'group:staff', 'group:interns')).toBe(false);
    expect(may(imported, 'notes.note.kind', 'group:staff', 'group:interns')).toBe(true);
  });

  test('an exception from a deny that cannot be said makes the import narrower, never wider', () => {
    const shut = policy(on('notes', 'note', 'text'), {
      denyPolicyItems: [item('select', { groups: ['interns'] })],
      denyExceptions: [item('select', { roles: ['tutor'] })],
    });
    const imported = importing(documentOf(staff, shut));
    expect(imported.narrower).toEqual(['notes.note.text']);
    expect(may(imported, 'notes.note.text', 'group:staff', 'group:interns')).toBe(false);
  });

  test('masks and row filters come with the grant', () => {
    const mask = policy(on('notes', 'note', 'text'), {
      policyType: 1,
      dataMaskPolicyItems: [item('select', { groups: ['public'] }, { dataMaskInfo: { dataMaskType: 'MASK_HASH' } })],
    });
    const rows = policy(on('notes', 'note'), {
      policyType: 2,
      rowFilterPolicyItems: [item('select', { groups: ['public'] }, { rowFilterInfo: { filterExpr: "kind = 'report'" } })],
    });
    const imported = importing(documentOf(staff, mask, rows));
    expect(imported).toMatchObject({ refused: [], narrower: [] });
    const [text] = decided(imported, 'notes.note.text', ['group:staff']);
    expect(text).toMatchObject({ mask: 'HASH', datasets: { note: { op: 'compare', column: 'kind', operator: '=', literal: 'report' } } });
    expect(decided(imported, 'notes.note.kind', ['group:staff'])[0]?.mask).toBeNull();
  });

  test('a mask for some of those who see the clear is given to nobody: the clearest of our grants would win', () => {
    const open = policy(on('notes', '*', '*'), { policyItems: [item('select', { groups: ['public'] })] });
    const mask = policy(on('notes', 'note', 'text'), {
      policyType: 1,
      dataMaskPolicyItems: [item('select', { groups: ['interns'] }, { dataMaskInfo: { dataMaskType: 'MASK_NULL' } })],
    });
    const imported = importing(documentOf(open, mask));
    expect(imported.refused).toEqual([expect.objectContaining({ policyId: null, columns: ['notes.note.text'] })]);
    expect(may(imported, 'notes.note.text', 'group:interns')).toBe(false);
    expect(may(imported, 'notes.note.kind')).toBe(true);
  });

  test.each([
    [
      'a mask of its own making',
      {
        policyType: 1,
        dataMaskPolicyItems: [item('select', { groups: ['public'] }, { dataMaskInfo: { dataMaskType: 'CUSTOM', valueExpr: 'f({col})' } })],
      },
    ],
    [
      'a filter that hangs on the caller',
      {
        policyType: 2,
        rowFilterPolicyItems: [item('select', { groups: ['public'] }, { rowFilterInfo: { filterExpr: "kind = '${{USER.kind}}'" } })],
      },
    ],
    [
      'a filter that is not in the closed language',
      { policyType: 2, rowFilterPolicyItems: [item('select', { groups: ['public'] }, { rowFilterInfo: { filterExpr: 'f(kind)' } })] },
    ],
    [
      'a deny under a condition',
      { denyPolicyItems: [item('select', { groups: ['public'] }, { conditions: [{ type: 'place', values: ['x'] }] })] },
    ],
    [
      'a deny at recurring times',
      {
        denyPolicyItems: [item('select', { groups: ['public'] })],
        validitySchedules: [
          { recurrences: [{ schedule: { minute: '0', hour: '1', dayOfMonth: '*', month: '*', year: '*' }, interval: { hours: 1 } }] },
        ],
      },
    ],
  ])('nothing is given on what %s restricts', (_, restriction: Fields) => {
    const resources = restriction['policyType'] === 2 ? on('notes', 'note') : on('notes', 'note', '*');
    const imported = importing(documentOf(staff, policy(resources, restriction)));
    expect(imported.refused.length).toBeGreaterThan(0);
    expect(new Set(imported.refused.flatMap((each) => each.columns))).toEqual(new Set(['notes.note.text', 'notes.note.kind']));
    expect(may(imported, 'notes.note.text', 'group:staff')).toBe(false);
  });

  test('a validity becomes that of the grants', () => {
    const soon = policy(on('notes', '*', '*'), {
      policyItems: [item('select', { roles: ['guest'] })],
      validitySchedules: [{ startTime: '2026/03/01 00:00:00', endTime: '2026/03/02 00:00:00' }],
    });
    const imported = importing(documentOf(soon));
    const at = (time: string): number => decided(imported, 'notes.note.kind', ['guest'], 'read', Date.parse(time)).length;
    expect([at('2026-02-28T23:59:59Z'), at('2026-03-01T12:00:00Z'), at('2026-03-02T00:00:01Z')]).toEqual([0, 1, 0]);
  });

  test('whatever the policies are, nobody gets more than Ranger gives: columns, clearness or rows', () => {
    const who = fc.record({ groups: fc.subarray(['public', 'staff', 'interns'], { minLength: 1 }), roles: fc.subarray(['tutor']) });
    const itemsWith = (more: fc.Arbitrary<Fields>) =>
      fc.array(
        fc.tuple(who, more).map(([each, rest]) => item('select', each, rest)),
        { maxLength: 2 },
      );
    const items = itemsWith(fc.constant({}));
    const resources = fc.constantFrom(on('notes', '*', '*'), on('notes', 'note', 'text'), on('*', '*', '*'), on('imaging'));
    const denies = {
      denyPolicyItems: items,
      denyExceptions: items,
      policyPriority: fc.constantFrom(0, 0, 1),
      isDenyAllElse: fc.constantFrom(false, false, false, true),
    };
    const access = fc.record<Fields>({ resources, policyItems: items, allowExceptions: items, ...denies });
    const types = fc
      .constantFrom('MASK', 'MASK_HASH', 'MASK_NULL', 'MASK_NONE')
      .map((dataMaskType) => ({ dataMaskInfo: { dataMaskType } }));
    const filters = fc.constantFrom("kind = 'a'", "kind = 'b'").map((filterExpr) => ({ rowFilterInfo: { filterExpr } }));
    const masking = itemsWith(types).map((each): Fields => ({
      policyType: 1,
      resources: on('notes', 'note', 'text'),
      dataMaskPolicyItems: each,
    }));
    const filtering = itemsWith(filters).map((each): Fields => ({
      policyType: 2,
      resources: on('notes', 'note'),
      rowFilterPolicyItems: each,
    }));
    const open: Fields = { resources: on('notes', '*', '*'), policyItems: [item('select', { groups: ['staff'] })] };
    const policies = fc.array(fc.oneof(fc.constant(open), access, masking, filtering), { minLength: 1, maxLength: 5 });
    const clearness = ['MASK_NULL', 'MASK_HASH', 'MASK', 'MASK_NONE'];
    const masks = ['NULL', 'HASH', 'REDACT', null];
    let given = 0;
    fc.assert(
      fc.property(policies, fc.subarray(['staff', 'interns']), fc.subarray(['tutor']), (chosen, groups, roles) => {
        const document = documentOf(...chosen.map((each, index) => ({ id: index + 1, name: `p${index}`, ...each })));
        const imported = importing(document);
        const model = readRanger(document);
        for (const { name } of CATALOGUE) {
          const request = asked(name, { groups, roles });
          for (const ours of decided(imported, name, [...groups.map((group) => `group:${group}`), ...roles])) {
            given += 1;
            expect(evaluateRanger(model, request, 'access').allowed).toBe(true);
            const { mask } = evaluateRanger(model, request, 'mask');
            expect(masks.indexOf(ours.mask)).toBeLessThanOrEqual(clearness.indexOf(mask?.type ?? 'MASK_NONE'));
            const [database = '', table = ''] = name.split('.');
            const { filter } = evaluateRanger(model, { ...request, resource: { database, table } }, 'row filter');
            if (filter !== null) expect(ours.datasets[table]).toEqual(predicateOf(filter));
          }
        }
      }),
      { numRuns: 120 },
    );
    expect(given).toBeGreaterThan(20);
  });

  test('the file is printed as a document to propose, and refused with its place where it cannot be said in full', () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'ranger-')), 'policies.json');
    writeFileSync(file, JSON.stringify(documentOf(staff)));
    const { text, notes } = policyImport(file, (document) => importing(document as Fields));
    expect(notes).toEqual([]);
    expect(() => composePolicy([], JSON.parse(text) as RangerImport['document'])).not.toThrow();
    const odd = policy(on('notes', 'note', 'text'), { denyPolicyItems: [item('select', { users: ['{OWNER}'] })] });
    writeFileSync(file, JSON.stringify(documentOf(staff, odd)));
    const run = (partial: boolean) => policyImport(file, (document) => importing(document as Fields), partial);
    expect(() => run(false)).toThrow(expect.objectContaining({ code: 'POLICY_INVALID', place: `policy ${String(odd['id'])}` }));
    expect(run(true).notes).toHaveLength(1);
    writeFileSync(file, '{');
    expect(() => run(true)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});

describe('tests of Apache Ranger', () => {
  if (!existsSync(DATA) && !process.env['CI']) {
    test.skip(`skipped: there is no ${DATA}`, () => undefined);
    return;
  }
  test('every verdict, mask, row filter and schedule is as Ranger has it, and the policy class gives nobody more', async () => {
    const { cases, figures } = await suite.run(DATA, () => undefined);
    expect(cases.filter((each) => each.verdict === 'failed')).toEqual([]);
    expect(figures['applicable']).toBeGreaterThanOrEqual(632);
    expect(figures['by_policy_class']).toMatchObject({ wider: 0 });
    expect((figures['by_policy_class'] as { agreed: number }).agreed).toBeGreaterThanOrEqual(38);
  });
});

import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { policyImport } from '../../src/cli/policy-import.js';
import { composePolicy, rolesOf } from '../../src/governance/index.js';
import { evaluateRanger } from '../../src/governance/interchange/ranger/evaluate.js';
import { type RangerImport } from '../../src/governance/interchange/ranger/import.js';
import { readRanger } from '../../src/governance/interchange/ranger/read.js';
import { predicateOf } from '../../src/governance/interchange/ranger/row-filter.js';
import { suite } from '../conformance/suites/ranger.js';
import { type Fields, item, on, policy, documentOf, asked, CATALOGUE, importing, decided, may } from './ranger-support.js';

const DATA = path.resolve(__dirname, '../../../shared/data/governance/ranger');

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

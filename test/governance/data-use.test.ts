import { existsSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { matchDataUse } from '../../src/governance/data-use/data-use.js';
import { NO_DISEASES, diseaseHierarchy } from '../../src/governance/data-use/disease.js';
import { monthsAfter } from '../../src/governance/data-use/modifiers.js';
import { USE_KINDS, type ResearchProject } from '../../src/governance/data-use/project.js';
import type { DataUseCondition } from '../../src/governance/data-use/verdict.js';
import { suite } from '../conformance/suites/duo.js';
import { ACADEMIC, AT, PARENTS, PROJECTS, TABLE } from '../conformance/suites/duo-expected.js';

const DATA = path.resolve(__dirname, '../../../shared/data/governance/duo');
const DISEASES = diseaseHierarchy(PARENTS);
const condition = (name: string, ...values: string[]): DataUseCondition => {
  const row = TABLE[name]!;
  return { code: row.id, values: values.length > 0 ? values : row.values };
};
const GRU = condition('GRU');
const match = (project: Partial<ResearchProject>, ...conditions: DataUseCondition[]) =>
  matchDataUse(conditions, { ...ACADEMIC, ...project }, AT, DISEASES);
const day = (text: string): number => Date.parse(`${text}T00:00:00Z`);

test('a permission is required', () => {
  expect(match({})).toEqual({ permitted: false, reasons: [{ code: '', reason: 'permission-missing' }], obligations: [], until: null });
  expect(match({}, condition('CC')).permitted).toBe(false);
});

test('of several permissions one that fits permits, and every modifier must hold beside it', () => {
  expect(match({}, condition('POA'), condition('HMB')).permitted).toBe(true);
  expect(match({}, condition('POA'), condition('HMB'), condition('GS', 'SE')).reasons).toEqual([
    { code: 'DUO:0000022', reason: 'condition-not-met' },
  ]);
  expect(match({}, condition('POA'), condition('DS', 'MONDO:0004995')).reasons).toEqual([
    { code: 'DUO:0000011', reason: 'use-not-permitted' },
    { code: 'DUO:0000007', reason: 'disease-not-permitted' },
  ]);
});

test('what is not understood denies even where a permission fits', () => {
  expect(match({}, GRU, { code: 'DUO:0000005', values: [] }).reasons).toEqual([{ code: 'DUO:0000005', reason: 'code-unknown' }]);
  expect(match({}, GRU, { code: 'DUO:0000017', values: [] }).reasons).toEqual([{ code: 'DUO:0000017', reason: 'code-abstract' }]);
  expect(match({}, GRU, { code: 'DUO:0000007', values: ['MONDO:1'] }).reasons).toEqual([
    { code: 'DUO:0000007', reason: 'disease-unknown' },
  ]);
  expect(match({ uses: [] }, condition('NRES')).reasons).toEqual([{ code: '', reason: 'use-not-stated' }]);
  expect(match({ uses: ['anything' as never] }, condition('NRES')).permitted).toBe(false);
});

describe('disease restrictions', () => {
  const ds = condition('DS', 'MONDO:0005105');
  test.each([
    ['the disease itself', ['MONDO:0005105'], null],
    ['a kind of it', ['MONDO:0006486'], null],
    ['a wider disease', ['MONDO:0004992'], 'disease-not-permitted'],
    ['another disease', ['MONDO:0004995'], 'disease-not-permitted'],
    ['a kind of it and another', ['MONDO:0006486', 'MONDO:0004995'], 'disease-not-permitted'],
    ['a disease nobody knows', ['MONDO:0000001'], 'disease-unknown'],
    ['no disease', [], 'disease-not-stated'],
  ])('%s', (_, diseases, reason) => {
    expect(match({ diseases }, ds).reasons.map((each) => each.reason)).toEqual(reason === null ? [] : [reason]);
  });

  test('without a hierarchy nothing is known', () => {
    expect(matchDataUse([ds], ACADEMIC, AT, NO_DISEASES).permitted).toBe(false);
  });

  test('a hierarchy with a circle ends', () => {
    const circle = diseaseHierarchy(
      new Map([
        ['a', ['b']],
        ['b', ['a']],
        ['c', []],
      ]),
    );
    expect([circle.isA('a', 'b'), circle.isA('a', 'c'), circle.isA('x', 'x')]).toEqual([true, false, false]);
  });
});

describe('care of patients', () => {
  const care: Partial<ResearchProject> = { uses: ['clinical-care'] };
  test('is no research, and allowed where the data say so', () => {
    for (const name of ['GRU', 'HMB', 'DS']) {
      expect(match(care, condition(name)).permitted).toBe(false);
      expect(match(care, condition(name), condition('CC')).permitted).toBe(true);
    }
    expect(match(care, condition('POA'), condition('CC')).permitted).toBe(false);
  });
});

describe('obligations and time', () => {
  test('what was promised is named, and the verdict ends with what ends first', () => {
    const verdict = match({}, GRU, condition('IRB'), condition('COL'), condition('MOR'), condition('TS'));
    expect(verdict.obligations).toEqual(['IRB', 'COL', 'MOR', 'TS']);
    expect(verdict.until).toBe(day('2026-12-01'));
  });
  test('what was not promised denies', () => {
    for (const name of ['COL', 'PUB', 'RTN'])
      expect(match({ accepted: [] }, GRU, condition(name)).reasons).toEqual([
        { code: condition(name).code, reason: 'obligation-not-accepted' },
      ]);
  });
  test('an approval counts until it ends', () => {
    const until = AT + 1;
    expect(match({ approvals: [{ id: 'a', until }] }, GRU, condition('IRB')).until).toBe(until);
    expect(match({ approvals: [{ id: 'a', until: AT }] }, GRU, condition('IRB')).permitted).toBe(false);
    expect(match({ approvals: [{ id: '', until }] }, GRU, condition('IRB')).permitted).toBe(false);
  });
  test('a moratorium binds until its day, and a plan to publish earlier breaks it whenever', () => {
    const after = condition('MOR', '2026-05-31');
    expect(match({ publication: null, accepted: [] }, GRU, after).obligations).toEqual([]);
    expect(match({ publication: null, accepted: [] }, GRU, condition('MOR')).permitted).toBe(false);
    expect(match({ publication: day('2026-12-30') }, GRU, condition('MOR')).permitted).toBe(false);
    expect(match({ publication: day('2026-12-31') }, GRU, condition('MOR')).permitted).toBe(true);
  });
  test.each([
    ['2024-01-31T10:00:00Z', 1, '2024-02-29T10:00:00.000Z'],
    ['2025-12-31T00:00:00Z', 2, '2026-02-28T00:00:00.000Z'],
    ['2026-03-15T23:59:59Z', 12, '2027-03-15T23:59:59.000Z'],
  ])('%s and %d months', (start, months, end) => {
    expect(new Date(monthsAfter(Date.parse(start), months)).toISOString()).toBe(end);
  });
});

describe('whatever the conditions', () => {
  const names = Object.keys(TABLE);
  const modifiers = names.filter((name) => !TABLE[name]!.permission);
  const conditions = fc.array(
    fc.constantFrom(...names, 'DUO:0000001', 'DUO:1').map((name) => (TABLE[name] ? condition(name) : { code: name, values: [] })),
    { maxLength: 6 },
  );
  const project = fc
    .tuple(fc.constantFrom(...PROJECTS), fc.constantFrom(...PROJECTS), fc.subarray([...USE_KINDS]))
    .map(([one, other, uses]): ResearchProject => ({
      ...one,
      accepted: other.accepted,
      country: other.country,
      diseases: other.diseases,
      uses,
    }));
  const permitted = (given: readonly DataUseCondition[], by: ResearchProject): boolean => matchDataUse(given, by, AT, DISEASES).permitted;

  test('a further modifier never permits more, except that CC allows care of patients', () => {
    fc.assert(
      fc.property(conditions, project, fc.constantFrom(...modifiers), fc.nat(6), (given, by, name, at) => {
        const more = given.toSpliced(at, 0, condition(name));
        if (!permitted(more, by)) return true;
        return permitted(given, by) || (name === 'CC' && by.uses.includes('clinical-care'));
      }),
      { numRuns: 2_000 },
    );
  });
  test('the order of conditions does not matter, nor saying one twice', () => {
    fc.assert(
      fc.property(conditions, project, (given, by) => {
        expect(permitted([...given].reverse(), by)).toBe(permitted(given, by));
        expect(permitted([...given, ...given], by)).toBe(permitted(given, by));
      }),
    );
  });
  test('a denial has reasons and no obligations, a permit has none', () => {
    fc.assert(
      fc.property(conditions, project, (given, by) => {
        const verdict = matchDataUse(given, by, AT, DISEASES);
        expect(verdict.reasons.length > 0).toBe(!verdict.permitted);
        if (!verdict.permitted) expect([verdict.obligations, verdict.until]).toEqual([[], null]);
      }),
    );
  });
});

const present = existsSync(DATA);
if (!present && process.env['CI'] !== undefined) throw new Error('The shared data are absent.');
if (!present) process.stderr.write('skipped: ../shared/data/governance/duo is absent\n');
(present ? test : test.skip)('the conformance pack agrees on every code and all 253 pairs', async () => {
  const { cases, figures } = await suite.run(DATA, () => undefined);
  expect(cases.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
  expect(figures['by_kind']).toMatchObject({ code: { agreed: 25 }, single: { agreed: 23 }, pair: { agreed: 253 } });
});

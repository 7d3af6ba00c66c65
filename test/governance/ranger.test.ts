import fc from 'fast-check';
import { readRanger } from '../../src/governance/interchange/ranger/read.js';
import { predicateOf } from '../../src/governance/interchange/ranger/row-filter.js';
import { inForce, scheduleOf } from '../../src/governance/interchange/ranger/schedule.js';
import { wildcardMatch, wildcardPrefix } from '../../src/governance/interchange/ranger/wildcard.js';
import { SERVICE, item, on, policy, documentOf, asked, allows } from './ranger-support.js';

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

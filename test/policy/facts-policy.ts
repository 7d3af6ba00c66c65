/** What holds of policies as they are composed, and of masks. */
import assert from 'node:assert/strict';
import { assertMasks } from '../../src/governance/assert-masks.js';
import { Classification } from '../../src/governance/classification.js';
import { canonical, composePolicy, rolesOf, type PolicyDocument } from '../../src/governance/compose-policy.js';
import { maskPads, maskValue, type MaskedCell } from '../../src/governance/mask.js';
import { profileMask } from '../../src/governance/profiles.js';
import { everyRow, type Forbid, type Grant, type Mask, type Predicate, type SqlType, type Tag } from '../../src/kernel/index.js';
import type { Fact } from './facts.js';

export const grantOf = (over: Partial<Grant> = {}): Grant => ({
  id: 'g',
  reason: 'for a test',
  role: 'nurse',
  purposes: ['TREAT'],
  actions: ['read'],
  tags: ['root', 'pseudonym'],
  rows: everyRow,
  ...over,
});
export const forbidOf = (over: Partial<Forbid> = {}): Forbid => ({ id: 'f', reason: 'for a test', role: 'nurse', purposes: ['TREAT'], tags: ['phi.note'], ...over });

const refused = (grants: readonly Grant[], forbids: readonly Forbid[], document: PolicyDocument, said: RegExp): void =>
  void assert.throws(() => composePolicy([{ grants, forbids }], document), said);
const taken = (grants: readonly Grant[], forbids: readonly Forbid[] = [], document: PolicyDocument = {}): void =>
  void assert.doesNotThrow(() => composePolicy([{ grants, forbids }], document));
const any = <T>(value: unknown): T => value as T;

const BAD_GRANTS: readonly (readonly [Partial<Grant>, RegExp])[] = [
  [{ purposes: [] }, /g: no purpose or no tag/],
  [{ tags: [] }, /g: no purpose or no tag/],
  [{ reason: '  ' }, /g: no reason/],
  [{ tags: any(['salary']) }, /g: unknown tag salary/],
  [{ tags: ['gov.unsaid'] }, /g: unknown tag gov.unsaid/],
  [{ tags: ['safeharbor.S'] }, /unknown tag/],
  [{ tags: ['safeharbor.C.day'] }, /unknown tag/],
  [{ purposes: any(['FUN']) }, /g: unknown purpose FUN/],
  [{ purposes: ['study:S9'] }, /unknown purpose study:S9/],
  [{ purposes: any(['S1']) }, /unknown purpose S1/],
  [{ actions: any(['peek']) }, /g: unknown action peek/],
  [{ validFrom: 'soon' }, /a time that is none/],
  [{ validTo: 'later' }, /a time that is none/],
  [{ masks: any({ salary: 'NULL' }) }, /g: unknown tag salary/],
  [{ masks: any({ clinical: 'BLUR' }) }, /unknown mask BLUR/],
  [{ masks: any({ clinical: undefined }) }, /unknown mask/],
  [{ profile: any('hipaa') }, /unknown profile/],
  [{ obligations: { notices: any(['be-nice']) } }, /unknown notice/],
  [{ obligations: { notices: any(['toString']) } }, /unknown notice/],
  [{ purposes: any(['toString']) }, /unknown purpose/],
  [{ datasets: { Note: everyRow } }, /unknown row predicate for Note/],
  [{ datasets: { note: any({ op: 'compare', column: 'a b', operator: '=', literal: 1 }) } }, /unknown row predicate for note/],
];
const COLUMN = { column: 'code' } as const;
const COMPARISONS: readonly Predicate[] = [
  { op: 'compare', ...COLUMN, operator: '=', literal: 'a' },
  { op: 'one-of', ...COLUMN, literals: ['a', 1, true] },
  { op: 'between', ...COLUMN, from: 1, to: 2 },
  { op: 'is-null', ...COLUMN },
];
const BAD_COMPARISONS: readonly unknown[] = [
  { op: 'compare', column: 'Code', operator: '=', literal: 'a' },
  { op: 'compare', ...COLUMN, operator: '<>', literal: 'a' },
  { op: 'compare', ...COLUMN, operator: '=', literal: null },
  { op: 'compare', ...COLUMN, operator: '=', literal: Infinity },
  { op: 'one-of', column: 'a"b', literals: ['a'] },
  { op: 'one-of', ...COLUMN, literals: ['a', {}] },
  { op: 'between', column: '1a', from: 1, to: 2 },
  { op: 'between', ...COLUMN, from: [], to: 2 },
  { op: 'between', ...COLUMN, from: 1, to: NaN },
  { op: 'is-null', column: 'x y' },
];
const BAD_ROWS: readonly unknown[] = [
  { op: 'not', of: everyRow },
  { op: 'in', attribute: 'name', me: 'sub' },
  { op: 'in', attribute: 'site', me: 'shoe' },
  { op: '<=', attribute: 'age', literal: 1 },
  { op: '<=', attribute: 'sensitivity', literal: 0.5 },
  { op: 'or', of: [] },
  { op: 'and', of: [] },
  { op: 'and', of: [everyRow, { op: 'odd' }] },
  { op: 'except', of: { op: 'odd' } },
  ...COMPARISONS,
];
const GOOD_ROWS: readonly Predicate[] = [
  everyRow,
  { op: 'false' },
  { op: 'consent' },
  { op: 'glass' },
  { op: 'in', attribute: 'site', me: 'sites' },
  { op: '<=', attribute: 'sensitivity', literal: 1 },
  { op: 'and', of: [everyRow] },
  { op: 'or', of: [{ op: 'except', of: { op: 'glass' } }] },
];
const BAD_DOCUMENTS: readonly (readonly [PolicyDocument, RegExp])[] = [
  [{ suspended: ['nothing'] }, /there is no grant nothing/],
  [{ tags: { secret: 'x' } }, /no name of a governed tag/],
  [{ assets: { 'A.b': ['clinical'] } }, /no name of an asset/],
  [{ assets: { 'a.b.c.d': ['clinical'] } }, /no name of an asset/],
  [{ assets: { notes: any(['salary']) } }, /assets: notes: unknown tag salary/],
  [{ groups: { 'My Group': [] } }, /no name of a group/],
  [{ studies: { 'S 1': 'x' } }, /no code/],
  [{ grants: [grantOf()] }, /g: the id is used twice/],
];

const masked = (mask: Mask, value: unknown, type: SqlType, over: Partial<MaskedCell> = {}): unknown =>
  maskValue(mask, value, { type, pads: maskPads(Buffer.alloc(32, 5)), redacted: 'clean', patient: 'p', now: Date.UTC(2026, 5, 1), identifier: undefined, ...over });
const MASKED: readonly (readonly [Mask, SqlType, unknown, unknown, Partial<MaskedCell>?])[] = [
  ['NULL', 'text', 'Alderwick', null],
  ['HASH', 'text', 'Alderwick', 'h:20b5e7b5a9a48fe8f8b0f1a7'],
  ['HASH', 'int', 5, null],
  ['LAST4', 'text', 'abcde', 'xbcde'],
  ['LAST4', 'text', 'abcd', 'xxxx'],
  ['LAST4', 'uuid', '0000-12345', 'xxxxxx2345'],
  ['LAST4', 'int', 12345, null],
  ['FIRST4', 'text', 'abcdef', 'abcdxx'],
  ['FIRST4', 'text', 'abcd', 'xxxx'],
  ['FIRST4', 'date', '2020-01-01', null],
  ['YEAR', 'date', '1951-07-23', '1951-01-01'],
  ['YEAR', 'timestamptz', '1951-12-31T23:59:59.000Z', '1951-01-01T00:00:00.000Z'],
  ['YEAR', 'text', '1951-07-23', null],
  ['ZIP3', 'text', '02139-1234', '021'],
  ['ZIP3', 'text', '03601', '000'],
  ['ZIP3', 'text', '0213', '000'],
  ['ZIP3', 'uuid', '02139', null],
  ['ZIP3', 'int', 2139, null],
  ['AGE90', 'int', 89, 89],
  ['AGE90', 'int', 91, 90],
  ['AGE90', 'int', 0, 0],
  ['AGE90', 'int', -1, null],
  ['AGE90', 'int', 1930, 1936, { identifier: 'birth' }],
  ['AGE90', 'int', 1990, 1990, { identifier: 'birth' }],
  ['AGE90', 'date', '1921-05-05', '1936-01-01'],
  ['AGE90', 'date', '1990-05-05', '1990-01-01'],
  ['AGE90', 'text', '99', null],
  ['DATESHIFT', 'text', '2020-01-01', null],
  ['DATESHIFT', 'date', '2020-01-01', null, { patient: null }],
  ['DATESHIFT', 'date', 'no date', null],
  ['REDACT', 'text', 'Alderwick', 'clean'],
  ['REDACT', 'text', 'Alderwick', null, { redacted: undefined }],
  ['HASH', 'text', null, null],
  ['YEAR', 'date', null, null],
  ['YEAR', 'date', undefined, null],
];

const LETTERS: readonly (readonly [string, Mask | null, Mask | null])[] = [
  ['A', 'NULL', 'NULL'],
  ['B', 'NULL', null],
  ['B.zip', 'ZIP3', null],
  ['B.street', 'NULL', 'NULL'],
  ['C', 'YEAR', null],
  ['C.birth', 'AGE90', null],
  ['C.age', 'AGE90', null],
  ['R', 'HASH', 'HASH'],
  ['R.text', 'REDACT', 'REDACT'],
];

export const POLICY_FACTS: readonly Fact[] = [
  ...BAD_GRANTS.map(([over, said], i): Fact => ({ name: `grant ${i} is refused`, check: () => refused([grantOf(over)], [], {}, said) })),
  ...BAD_ROWS.map((rows, i): Fact => ({
    name: `rows ${i} are refused`,
    check: () => {
      refused([grantOf({ rows: any(rows) })], [], {}, /g: unknown row predicate/);
      refused([grantOf()], [forbidOf({ rows: any(rows) })], {}, /f: unknown row predicate/);
    },
  })),
  { name: 'rows of the closed language are taken', check: () => GOOD_ROWS.forEach((rows) => taken([grantOf({ rows })], [forbidOf({ rows })])) },
  { name: 'comparisons stand under a dataset', check: () => COMPARISONS.forEach((rows) => taken([grantOf({ datasets: { note: rows } })])) },
  {
    name: 'comparisons stand in parts of a rule of a dataset, and only there',
    check: () => {
      for (const rows of COMPARISONS) {
        taken([grantOf({ datasets: { note: { op: 'except', of: { op: 'and', of: [rows] } } } })]);
        refused([grantOf({ rows: { op: 'except', of: { op: 'and', of: [rows] } } })], [], {}, /unknown row predicate/);
      }
    },
  },
  ...BAD_COMPARISONS.map((rows, i): Fact => ({
    name: `comparison ${i} is refused`,
    check: () => refused([grantOf({ datasets: { note: any(rows) } })], [], {}, /unknown row predicate for note/),
  })),
  ...BAD_DOCUMENTS.map(([document, said], i): Fact => ({ name: `document ${i} is refused`, check: () => refused([grantOf()], [], document, said) })),
  {
    name: 'names of a document are known',
    check: () => {
      const document: PolicyDocument = { tags: { 'gov.x': 'x' }, studies: { S1: 'x' }, assets: { '*.note.body': ['gov.x', 'safeharbor.A'], notes: ['gov.x'] }, groups: { ward_1: ['nurse'] } };
      taken([grantOf({ tags: ['gov.x', 'safeharbor.C.birth', 'safeharbor.R'], purposes: ['study:S1'], validFrom: '2026-01-01' })], [], document);
      refused([grantOf({ purposes: ['study:S2'] })], [], document, /unknown purpose/);
      refused([grantOf({ purposes: ['study:toString'] })], [], document, /unknown purpose/);
      refused([grantOf({ tags: any(['toString']) })], [], document, /unknown tag/);
    },
  },
  {
    name: 'a suspended grant does not hold, and its id is free',
    check: () => {
      const policy = composePolicy([{ grants: [grantOf(), grantOf({ id: 'h', role: 'coder' })] }], { suspended: ['g'], grants: [grantOf({ role: 'chief' })] });
      assert.deepEqual(policy.grants.map((each) => [each.id, each.role]), [['h', 'coder'], ['g', 'chief']]);
      assert.deepEqual([...policy.roles].sort(), ['chief', 'coder']);
    },
  },
  {
    name: 'forbids of products and of the document hold together',
    check: () => {
      const policy = composePolicy([{ grants: [grantOf()], forbids: [forbidOf()] }, { grants: [] }], { forbids: [forbidOf({ id: 'h' })], tags: { 'gov.x': 'y' } });
      assert.deepEqual(policy.forbids.map((each) => each.id), ['f', 'h']);
      assert.equal(policy.tags['gov.x'], 'y');
      assert.ok(policy.tags['clinical']);
      refused([grantOf()], [forbidOf({ id: 'g' })], {}, /used twice/);
    },
  },
  {
    name: 'the version tells content, not order of keys',
    check: () => {
      const version = (document: PolicyDocument, grants = [grantOf()]): string => composePolicy([{ grants }], document).version;
      assert.equal(version({}), version({}, [Object.fromEntries(Object.entries(grantOf()).reverse()) as unknown as Grant]));
      assert.match(version({}), /^[0-9a-f]{16}$/);
      const all = [version({}), version({ tags: { 'gov.x': 'x' } }), version({ groups: { a: ['b'] } }), version({}, [grantOf({ role: 'coder' })]), version({ forbids: [forbidOf()] })];
      assert.equal(new Set(all).size, all.length);
      assert.equal(canonical({ b: [1, { d: undefined, c: null }], a: 'x' }), '{"a":"x","b":[1,{"c":null}]}');
      assert.equal(canonical([undefined, false]), '[null,false]');
    },
  },
  {
    name: 'groups lead to roles, through groups and in circles',
    check: () => {
      const policy = composePolicy([{ grants: [grantOf()] }], { groups: { a: ['b', 'nurse'], b: ['a', 'coder'], c: ['toString'] } });
      assert.deepEqual(rolesOf(policy, ['chief'], ['a']), ['chief', 'coder', 'nurse']);
      assert.deepEqual(rolesOf(policy, ['z', 'chief'], []), ['chief', 'z']);
      assert.deepEqual(rolesOf(policy, [], ['c', 'unknown']), ['toString']);
      assert.deepEqual(rolesOf(composePolicy([{ grants: [grantOf()] }]), ['chief'], ['a']), ['chief']);
    },
  },
  {
    name: 'two masks of one rank on one column are refused',
    check: ({ schema, products }) => {
      const tried = (over: Partial<Grant>) => (): void =>
        assertMasks(composePolicy([{ grants: [grantOf(over)] }]), new Classification(schema, products));
      const tags: Tag[] = ['pseudonym', 'clinical'];
      assert.throws(tried({ tags: ['pseudonym'], masks: { clinical: 'YEAR', 'pii.quasi': 'LAST4' } }), /g: two masks of one rank on Condition.onsetAt/);
      assert.throws(tried({ tags: ['root'], masks: { pseudonym: 'FIRST4', 'pii.direct': 'LAST4' } }), /Patient.mrn/);
      assert.doesNotThrow(tried({ tags: ['pseudonym'], masks: { clinical: 'YEAR', 'pii.quasi': 'YEAR' } }));
      assert.doesNotThrow(tried({ tags: ['pseudonym'], masks: { clinical: 'YEAR', 'pii.quasi': 'NULL' } }));
      assert.doesNotThrow(tried({ tags: ['root'], masks: { clinical: 'YEAR', 'pii.quasi': 'LAST4' } }));
      assert.doesNotThrow(tried({ tags, masks: { clinical: 'YEAR', 'pii.quasi': 'LAST4' } }));
      assert.doesNotThrow(tried({ tags: ['root', 'pseudonym'] }));
      assert.throws(tried({ tags: ['wearable'], masks: { pseudonym: 'FIRST4', wearable: 'NULL', clinical: 'HASH', 'pii.quasi': 'YEAR', 'pii.direct': 'ZIP3' } }), /two masks/);
    },
  },
  ...MASKED.map(([mask, type, value, expected, over], i): Fact => ({
    name: `${mask} of ${type} (${i})`,
    check: () => {
      const is = masked(mask, value, type, over);
      if (mask === 'HASH' && expected !== null) assert.match(String(is), /^h:[0-9a-f]{24}$/);
      else assert.equal(is, expected);
    },
  })),
  {
    name: 'HASH is an HMAC and DATESHIFT stays inside a year, back',
    check: () => {
      assert.notEqual(masked('HASH', 'a', 'text'), masked('HASH', 'a', 'text', { pads: maskPads(Buffer.alloc(32, 6)) }));
      // RFC 4231, test cases 2 and 6: keys shorter and longer than the block.
      const [short, long] = [maskPads(Buffer.from('Jefe')), maskPads(Buffer.alloc(131, 0xaa))];
      assert.equal(masked('HASH', 'what do ya want for nothing?', 'text', { pads: short }), 'h:5bdcc146bf60754e6a042426');
      assert.equal(masked('HASH', 'Test Using Larger Than Block-Size Key - Hash Key First', 'text', { pads: long }), 'h:60e431591ee0b67f0d8a26aa');
      const days = Array.from({ length: 4000 }, (_, i) => (Date.UTC(2020, 0, 1) - Date.parse(String(masked('DATESHIFT', '2020-01-01', 'date', { patient: `p${i}` })))) / 86_400_000);
      assert.deepEqual([Math.min(...days), Math.max(...days)], [1, 364]);
      assert.match(String(masked('DATESHIFT', '2020-01-01T10:11:12.013Z', 'timestamptz')), /T10:11:12.013Z$/);
      assert.equal(maskPads(Buffer.alloc(64, 1)).inner[0], 0x36 ^ 1);
      assert.notDeepEqual(maskPads(Buffer.alloc(64, 1)).inner, maskPads(Buffer.alloc(65, 1)).inner);
    },
  },
  ...LETTERS.map(([letter, safe, limited]): Fact => ({
    name: `letter ${letter} under the profiles`,
    check: () => assert.deepEqual([profileMask('safe-harbor', `safeharbor.${letter}`), profileMask('limited-data-set', `safeharbor.${letter}`)], [safe, limited]),
  })),
];

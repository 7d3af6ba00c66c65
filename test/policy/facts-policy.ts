/** What holds of policies as they are composed, and of masks. */
import assert from 'node:assert/strict';
import { assertMasks } from '../../src/governance/assert-masks.js';
import { Classification } from '../../src/governance/classification.js';
import { composePolicy, rolesOf, type PolicyDocument } from '../../src/governance/compose-policy.js';
import { everyRow, canonical, type Forbid, type Grant, type Predicate, type Tag } from '../../src/kernel/index.js';
import type { Fact } from './suite.js';

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
export const forbidOf = (over: Partial<Forbid> = {}): Forbid => ({
  id: 'f',
  reason: 'for a test',
  role: 'nurse',
  purposes: ['TREAT'],
  tags: ['phi.note'],
  ...over,
});

function refused(grants: readonly Grant[], forbids: readonly Forbid[], document: PolicyDocument, said: RegExp): void {
  assert.throws(() => composePolicy([{ grants, forbids }], document), said);
}
function taken(grants: readonly Grant[], forbids: readonly Forbid[] = [], document: PolicyDocument = {}): void {
  assert.doesNotThrow(() => composePolicy([{ grants, forbids }], document));
}
/** What no policy should hold, where the type would not let it stand. */
const any = (value: unknown): never => value as never;

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
  [{ clearance: any('secret') }, /g: unknown clearance secret/],
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
  [{ dataUse: { 'a b': [] } }, /dataUse: a b is no name of a site/],
  [{ controlled: { d: ['a b'] } }, /controlled: d: a b is no name of a site/],
  [{ projects: { p: any({ id: 'q' }) } }, /projects: p stands under another name/],
  [{ grants: [grantOf()] }, /g: the id is used twice/],
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
  {
    name: 'rows of the closed language are taken',
    check: () => GOOD_ROWS.forEach((rows) => taken([grantOf({ rows })], [forbidOf({ rows })])),
  },
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
  ...BAD_DOCUMENTS.map(([document, said], i): Fact => ({
    name: `document ${i} is refused`,
    check: () => refused([grantOf()], [], document, said),
  })),
  {
    name: 'names of a document are known',
    check: () => {
      const document: PolicyDocument = {
        tags: { 'gov.x': 'x' },
        studies: { S1: 'x' },
        assets: { '*.note.body': ['gov.x', 'safeharbor.A'], notes: ['gov.x'] },
        groups: { ward_1: ['nurse'] },
        dataUse: { '*': [], north: [] },
        controlled: { d: ['north'] },
        projects: { p: any({ id: 'p' }) },
      };
      taken(
        [
          grantOf({
            tags: ['gov.x', 'safeharbor.C.birth', 'safeharbor.R'],
            purposes: ['study:S1'],
            validFrom: '2026-01-01',
            clearance: 'controlled',
            profile: 'safe-harbor',
            obligations: { notices: ['research-only'] },
          }),
        ],
        [],
        document,
      );
      refused([grantOf({ purposes: ['study:S2'] })], [], document, /unknown purpose/);
      refused([grantOf({ purposes: ['study:toString'] })], [], document, /unknown purpose/);
      refused([grantOf({ tags: any(['toString']) })], [], document, /unknown tag/);
    },
  },
  {
    name: 'a suspended grant does not hold, and its id is free',
    check: () => {
      const policy = composePolicy([{ grants: [grantOf(), grantOf({ id: 'h', role: 'coder' })] }], {
        suspended: ['g'],
        grants: [grantOf({ role: 'chief' })],
      });
      assert.deepEqual(
        policy.grants.map((each) => [each.id, each.role]),
        [
          ['h', 'coder'],
          ['g', 'chief'],
        ],
      );
      assert.deepEqual([...policy.roles].sort(), ['chief', 'coder']);
    },
  },
  {
    name: 'forbids of products and of the document hold together',
    check: () => {
      const policy = composePolicy([{ grants: [grantOf()], forbids: [forbidOf()] }, { grants: [] }], {
        forbids: [forbidOf({ id: 'h' })],
        tags: { 'gov.x': 'y' },
      });
      assert.deepEqual(
        policy.forbids.map((each) => each.id),
        ['f', 'h'],
      );
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
      const all = [
        version({}),
        version({ tags: { 'gov.x': 'x' } }),
        version({ groups: { a: ['b'] } }),
        version({}, [grantOf({ role: 'coder' })]),
        version({ forbids: [forbidOf()] }),
      ];
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
      assert.throws(
        tried({ tags: ['pseudonym'], masks: { clinical: 'YEAR', 'pii.quasi': 'LAST4' } }),
        /g: two masks of one rank on Condition.onsetAt/,
      );
      assert.throws(tried({ tags: ['root'], masks: { pseudonym: 'FIRST4', 'pii.direct': 'LAST4' } }), /Patient.mrn/);
      // No column has both; what leads to raw samples has.
      assert.doesNotThrow(tried({ tags: ['root'], masks: { pseudonym: 'FIRST4', 'wearable.raw': 'LAST4' } }));
      // One column alone has both tags.
      assert.throws(
        tried({ tags: ['root'], masks: { pseudonym: 'FIRST4', site: 'LAST4' } }),
        /refused. g: two masks of one rank on Patient.site.$/,
      );
      assert.doesNotThrow(tried({ tags: ['pseudonym'], masks: { clinical: 'YEAR', 'pii.quasi': 'YEAR' } }));
      assert.doesNotThrow(tried({ tags: ['pseudonym'], masks: { clinical: 'YEAR', 'pii.quasi': 'NULL' } }));
      assert.doesNotThrow(tried({ tags: ['root'], masks: { clinical: 'YEAR', 'pii.quasi': 'LAST4' } }));
      assert.doesNotThrow(tried({ tags, masks: { clinical: 'YEAR', 'pii.quasi': 'LAST4' } }));
      assert.doesNotThrow(tried({ tags: ['root', 'pseudonym'] }));
      assert.throws(
        tried({
          tags: ['wearable'],
          masks: { pseudonym: 'FIRST4', wearable: 'NULL', clinical: 'HASH', 'pii.quasi': 'YEAR', 'pii.direct': 'ZIP3' },
        }),
        /two masks/,
      );
    },
  },
];

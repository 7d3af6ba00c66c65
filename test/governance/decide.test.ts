import { anyOf, cellPlan, clearGuard, composePolicy, type Policy, type PolicyClass } from '../../src/governance/index.js';
import {
  allOf,
  everyRow,
  ownRecord,
  ownSite,
  upToSensitivity,
  type EntityDeclaration,
  type Forbid,
  type Grant,
  type Tag,
} from '../../src/kernel/index.js';
import { codeWhen } from '../support/ask.js';
import { classOf as makeClass } from '../support/classes.js';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const grant = (id: string, given: Partial<Grant>): Grant => ({
  id,
  reason: 'for a test',
  role: 'nurse',
  purposes: ['TREAT'],
  actions: ['read'],
  tags: ['root', 'pseudonym'],
  rows: everyRow,
  ...given,
});
const forbid = (given: Partial<Forbid>): Forbid => ({
  id: 'no',
  reason: 'for a test',
  role: 'nurse',
  purposes: ['TREAT'],
  tags: ['phi.note'],
  ...given,
});
const policyOf = (grants: readonly Grant[], forbids: readonly Forbid[] = []): Policy => composePolicy([{ grants, forbids }]);
const classOf = (policy: Policy, { roles = ['nurse'], allSites = false, now = NOW } = {}): PolicyClass =>
  makeClass(policy, roles, 'TREAT', { allSites, now });
const entity: EntityDeclaration = {
  kind: 'entity',
  table: 'note',
  key: ['patient_id', 'note_id'],
  tags: ['pseudonym'],
  modality: 'NOTES',
  patient: 'patient_id',
} as unknown as EntityDeclaration;

describe('a cell', () => {
  it('is hidden without a grant', () => {
    expect(classOf(policyOf([])).decide(['pseudonym']).alternatives).toEqual([]);
    expect(classOf(policyOf([grant('a', {})])).decide([]).alternatives).toEqual([]);
    expect(classOf(policyOf([grant('a', { role: 'other' })])).empty).toBe(true);
  });

  it('is never put together from two grants, in its tags or in its rows', () => {
    const policy = policyOf([
      grant('names-of-own-site', { tags: ['root', 'pseudonym', 'pii.direct'], rows: ownSite }),
      grant('notes-of-all', { tags: ['root', 'pseudonym', 'phi.note'], rows: everyRow }),
    ]);
    const nurse = classOf(policy);
    expect(nurse.may('read', ['pii.direct'])).toBe(true);
    expect(nurse.may('read', ['phi.note'])).toBe(true);
    expect(nurse.may('read', ['pii.direct', 'phi.note'])).toBe(false);
    // All rows are visible, but names only where the grant for names holds.
    expect(nurse.rowRule(entity)).toEqual(anyOf([allOf(ownSite, { op: 'consent' }), { op: 'consent' }]));
    expect(cellPlan(nurse, entity, { tags: ['pii.direct'] })?.cell).toEqual({
      kind: 'case',
      branches: [{ when: allOf(ownSite, { op: 'consent' }), mask: null }],
    });
    expect(clearGuard(nurse, entity, ['pii.direct'])).toEqual(allOf(ownSite, { op: 'consent' }));
  });

  it('of two roles is no more than what one grant gives', () => {
    const policy = policyOf([
      grant('a', { tags: ['root', 'pseudonym', 'pii.direct'] }),
      grant('b', { role: 'coder', tags: ['root', 'pseudonym', 'clinical'] }),
    ]);
    expect(classOf(policy, { roles: ['coder', 'nurse'] }).may('read', ['pii.direct', 'clinical'])).toBe(false);
  });

  it('goes through the strongest mask of one grant and the weakest among grants', () => {
    const policy = policyOf([
      grant('strong', { masks: { 'pii.direct': 'NULL', 'pii.quasi': 'YEAR' } }),
      grant('weak', { masks: { 'pii.direct': 'HASH', 'pii.quasi': 'NULL' }, rows: upToSensitivity(0) }),
      grant('clear', { tags: ['root', 'pseudonym', 'pii.direct'], rows: ownSite }),
    ]);
    const nurse = classOf(policy);
    expect(nurse.decide(['pii.direct']).alternatives.map((each) => [each.grantId, each.mask])).toEqual([
      ['clear', null],
      ['weak', 'HASH'],
      ['strong', 'NULL'],
    ]);
    expect(nurse.decide(['pii.direct', 'pii.quasi']).alternatives.map((each) => each.mask)).toEqual(['NULL', 'NULL']);
    expect(cellPlan(nurse, entity, { tags: ['pii.direct'] })?.cell).toMatchObject({
      kind: 'case',
      branches: [{ mask: null }, { mask: 'HASH' }, { mask: 'NULL' }],
    });
  });

  it('is hidden by a forbid whatever the grants say, for its role and purpose only', () => {
    const grants = [
      grant('a', { tags: ['root', 'pseudonym', 'phi.note'] }),
      grant('b', { role: 'chief', tags: ['root', 'pseudonym', 'phi.note'] }),
    ];
    const policy = policyOf(grants, [forbid({})]);
    expect(classOf(policy).may('read', ['phi.note'])).toBe(false);
    expect(classOf(policy, { roles: ['chief', 'nurse'] }).may('read', ['phi.note'])).toBe(false);
    expect(classOf(policy, { roles: ['chief'] }).may('read', ['phi.note'])).toBe(true);
    expect(classOf(policyOf(grants, [forbid({ purposes: ['HRESCH'] })])).may('read', ['phi.note'])).toBe(true);
  });

  it('is decided for an action: reading is not training', () => {
    const nurse = classOf(policyOf([grant('a', { actions: ['read'] })]));
    expect([nurse.may('read', ['pseudonym']), nurse.may('train', ['pseudonym']), nurse.may('execute', ['pseudonym'])]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('rows', () => {
  it('of persons ask for consent, always', () => {
    const nurse = classOf(policyOf([grant('a', {})]), { allSites: true });
    expect(nurse.rowRule(entity)).toEqual({ op: 'consent' });
  });

  it('are none where the rule asks for an attribute that they or the caller do not have', () => {
    expect(classOf(policyOf([grant('a', { rows: ownRecord })])).rowRule(entity)).toEqual({ op: 'false' });
    expect(cellPlan(classOf(policyOf([grant('a', { rows: ownRecord })])), entity, { tags: ['pseudonym'] })).toBeNull();
  });

  it('are those of every site only for who has all sites', () => {
    const policy = policyOf([grant('a', { rows: ownSite })]);
    expect(classOf(policy, { allSites: true }).rowRule(entity)).toEqual({ op: 'consent' });
    expect(classOf(policy).rowRule(entity)).toEqual(allOf(ownSite, { op: 'consent' }));
  });

  it('behind the second wall reach no higher than the highest grant', () => {
    expect(
      classOf(policyOf([grant('a', { rows: allOf(ownSite, upToSensitivity(1)) }), grant('b', { rows: upToSensitivity(0) })])).clearance,
    ).toBe(1);
    expect(classOf(policyOf([])).clearance).toBe(-1);
  });

  it('seen through a mask only are no rows', () => {
    const nurse = classOf(policyOf([grant('a', { tags: ['root'], masks: { pseudonym: 'HASH' } })]));
    expect(nurse.rowRule(entity)).toEqual({ op: 'false' });
  });
});

describe('a grant', () => {
  const policy = policyOf([grant('a', { validFrom: '2026-01-01T00:00:00Z', validTo: '2026-12-31T00:00:00Z' })]);
  it.each([
    ['2025-12-31T23:59:59.999Z', false, '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00Z', true, '2026-12-31T00:00:00Z'],
    ['2026-12-30T23:59:59.999Z', true, '2026-12-31T00:00:00Z'],
    ['2026-12-31T00:00:00Z', false, null],
  ])('holds from its first instant until before its last: %s', (at, live, next) => {
    const nurse = classOf(policy, { now: Date.parse(at) });
    expect(nurse.may('read', ['pseudonym'])).toBe(live);
    expect(nurse.goodUntil).toBe(next === null ? Infinity : Date.parse(next));
  });
});

describe('a policy is refused at start for', () => {
  it.each<[string, Partial<Grant>]>([
    ['an unknown tag', { tags: ['salary' as Tag] }],
    ['a name that every object has as tag', { tags: ['constructor' as Tag] }],
    ['an unknown purpose', { purposes: ['FUN' as never] }],
    ['an unknown mask', { masks: { 'pii.direct': 'BLUR' as never } }],
    ['a mask for an unknown tag', { masks: { salary: 'NULL' } as never }],
    ['an unknown action', { actions: ['peek' as never] }],
    ['no tag', { tags: [] }],
    ['no purpose', { purposes: [] }],
    ['an unknown predicate', { rows: { op: 'not', of: [everyRow] } as never }],
    ['an unknown attribute of a row', { rows: { op: 'in', attribute: 'name', me: 'sub' } as never }],
    ['an unknown attribute of the caller', { rows: { op: 'in', attribute: 'site', me: 'shoe' } as never }],
    ['an or of nothing', { rows: { op: 'or', of: [] } }],
  ])('%s', async (_, given) => {
    expect(await codeWhen(Promise.resolve().then(() => policyOf([grant('the-grant', given)])))).toBe('POLICY_INVALID');
    expect(() => policyOf([grant('the-grant', given)])).toThrow(/the-grant/);
  });

  it('an id that is used twice', () => {
    expect(() => policyOf([grant('a', {}), grant('a', {})])).toThrow(/used twice/);
  });
});

it('the version of a policy is that of its content', () => {
  const version = policyOf([grant('a', {})]).version;
  expect(policyOf([{ ...grant('a', {}) }]).version).toBe(version);
  expect(policyOf([grant('a', { rows: ownSite })]).version).not.toBe(version);
});

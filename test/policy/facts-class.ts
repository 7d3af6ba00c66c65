/** What holds of predicates and of policy classes. */
import assert from 'node:assert/strict';
import { isObjectType } from 'graphql';
import { fieldVisible } from '../../src/governance/class-schema.js';
import { Classification, type TagAssignments } from '../../src/governance/classification.js';
import { composePolicy } from '../../src/governance/compose-policy.js';
import { PolicyClass, classKey, type ClassFacts } from '../../src/governance/decide.js';
import { anyOf, bothOf, exceptFor, sensitivityReach } from '../../src/governance/predicate.js';
import {
  DECLARATION,
  allOf,
  everyRow,
  noRow,
  ownSite,
  upToSensitivity,
  type EntityDeclaration,
  type FieldDeclaration,
  type Forbid,
  type Grant,
  type Predicate,
} from '../../src/kernel/index.js';
import { tablesOf } from './coordinates.js';
import { forbidOf, grantOf } from './facts-policy.js';
import type { Fact, Subject } from './suite.js';

const NOW = Date.parse('2026-06-01T00:00:00Z');
interface Given extends Partial<ClassFacts> {
  readonly assets?: TagAssignments;
  readonly now?: number;
}

export function classOf(
  { schema, products }: Subject,
  grants: readonly Grant[],
  forbids: readonly Forbid[] = [],
  given: Given = {},
): PolicyClass {
  const { assets, now = NOW, ...facts } = given;
  const policy = composePolicy([{ grants, forbids }], { tags: { 'gov.x': 'x' } });
  return new PolicyClass(
    policy,
    new Classification(schema, products, assets),
    { roles: ['nurse'], purpose: 'TREAT', allSites: false, ...facts },
    now,
  );
}

export function entityOf({ schema }: Subject, table: string): EntityDeclaration {
  const found = tablesOf(schema).find((each) => each.entity.table === table);
  if (!found) throw new Error(`there is no ${table}`);
  return found.entity;
}

export function fieldOf({ schema }: Subject, coordinate: string): FieldDeclaration {
  const [typeName = '', name = ''] = coordinate.split('.');
  const type = schema.getType(typeName);
  const field = isObjectType(type) ? type.getFields()[name] : undefined;
  if (!field) throw new Error(`there is no ${coordinate}`);
  return field.extensions[DECLARATION] as FieldDeclaration;
}

const consent: Predicate = { op: 'consent' };
const compare: Predicate = { op: 'compare', column: 'code', operator: '=', literal: 'a' };

export const CLASS_FACTS: readonly Fact[] = [
  {
    name: 'constants fold and repeats go',
    check: () => {
      assert.deepEqual(anyOf([]), noRow);
      assert.deepEqual(anyOf([noRow, noRow]), noRow);
      assert.deepEqual(anyOf([noRow, ownSite, ownSite]), ownSite);
      assert.deepEqual(anyOf([ownSite, everyRow]), everyRow);
      assert.deepEqual(anyOf([ownSite, consent]), { op: 'or', of: [ownSite, consent] });
      assert.deepEqual(bothOf(everyRow, ownSite), ownSite);
      assert.deepEqual(bothOf(ownSite, everyRow), ownSite);
      assert.deepEqual(bothOf(ownSite, noRow), noRow);
      assert.deepEqual(bothOf(noRow, ownSite), noRow);
      assert.deepEqual(bothOf(ownSite, ownSite), ownSite);
      assert.deepEqual(bothOf(allOf(ownSite, consent), allOf(consent, compare)), allOf(ownSite, consent, compare));
      assert.deepEqual([exceptFor(everyRow), exceptFor(noRow), exceptFor(consent)], [noRow, everyRow, { op: 'except', of: consent }]);
    },
  },
  {
    name: 'a predicate reaches up to a confidentiality',
    check: () => {
      const reach = [
        everyRow,
        noRow,
        upToSensitivity(1),
        allOf(upToSensitivity(1), upToSensitivity(0)),
        anyOf([upToSensitivity(0), upToSensitivity(1)]),
        ownSite,
      ];
      assert.deepEqual(reach.map(sensitivityReach), [2, -1, 1, 0, 1, 2]);
    },
  },
  {
    name: 'clearance is the highest of the grants and the lowest of the chain',
    check: (subject) => {
      const grants = [
        grantOf({ rows: upToSensitivity(0) }),
        grantOf({ id: 'h', rows: upToSensitivity(1) }),
        grantOf({ id: 'i', role: 'app', rows: upToSensitivity(0) }),
      ];
      assert.equal(classOf(subject, grants).clearance, 1);
      assert.equal(classOf(subject, grants, [], { actors: [{ sub: 'a', roles: ['app'] }] }).clearance, 0);
      assert.equal(classOf(subject, []).clearance, -1);
      assert.equal(classOf(subject, [grantOf({ rows: noRow })]).clearance, -1);
    },
  },
  {
    name: 'a class is empty where anybody in the chain holds nothing',
    check: (subject) => {
      assert.equal(classOf(subject, [grantOf()]).empty, false);
      assert.equal(classOf(subject, [grantOf({ role: 'app' })]).empty, true);
      assert.equal(classOf(subject, [grantOf()], [], { actors: [{ sub: 'a', roles: ['app'] }] }).empty, true);
    },
  },
  {
    name: 'equal callers have equal keys, and whatever decides is in the key',
    check: (subject) => {
      const facts: ClassFacts = { roles: ['b', 'a'], purpose: 'TREAT', allSites: false };
      assert.equal(classKey('v', facts), classKey('v', { ...facts, roles: ['a', 'b', 'a'], steppedUp: false, actors: [] }));
      const rule = (): Predicate => everyRow;
      const others: ClassFacts[] = [
        facts,
        { ...facts, roles: ['a'] },
        { ...facts, purpose: 'ETREAT' },
        { ...facts, allSites: true },
        { ...facts, steppedUp: true },
        { ...facts, actors: [{ sub: 'x', roles: ['a'] }] },
        { ...facts, actors: [{ sub: 'x', roles: [] }] },
        { ...facts, narrowing: { key: 'k', rule } },
        { ...facts, narrowing: { key: 'l', rule } },
      ];
      const keys = [...others.map((each) => classKey('v', each)), classKey('w', facts)];
      assert.equal(new Set(keys).size, keys.length);
      assert.equal(
        classKey('v', { ...facts, actors: [{ sub: 'x', roles: ['b', 'a'] }] }),
        classKey('v', { ...facts, actors: [{ sub: 'y', roles: ['a', 'b'] }] }),
      );
      const made = classOf(subject, [grantOf()]);
      assert.equal(made.key, classKey(made.policyVersion, { roles: ['nurse'], purpose: 'TREAT', allSites: false }));
    },
  },
  {
    name: 'a class is good until the next edge of any rule',
    check: (subject) => {
      const at = (days: number): string => new Date(NOW + days * 86_400_000).toISOString();
      const until = (grants: Grant[], forbids: Forbid[] = []): number => classOf(subject, grants, forbids).goodUntil;
      assert.equal(until([grantOf()]), Infinity);
      assert.equal(
        until([grantOf({ validFrom: at(-2), validTo: at(3) }), grantOf({ id: 'h', role: 'x', validFrom: at(1) })]),
        NOW + 86_400_000,
      );
      assert.equal(until([grantOf({ validTo: at(3) })], [forbidOf({ validTo: at(2) })]), NOW + 2 * 86_400_000);
      assert.equal(until([grantOf({ validFrom: at(0) })]), Infinity);
    },
  },
  {
    name: 'small cells are counted with the largest minimum of the grants that cover',
    check: (subject) => {
      const grants = [
        grantOf({ obligations: { kMin: 5 } }),
        grantOf({ id: 'h', tags: ['pseudonym', 'clinical'], obligations: { kMin: 11 } }),
        grantOf({ id: 'i' }),
      ];
      const nurse = classOf(subject, grants);
      assert.equal(nurse.decide(['pseudonym']).smallCellMin, 11);
      assert.equal(nurse.decide(['root', 'pseudonym']).smallCellMin, 5);
      assert.equal(classOf(subject, [grantOf()]).decide(['pseudonym']).smallCellMin, 0);
      assert.equal(nurse.decide(['root']).smallCellMin, 0);
    },
  },
  {
    name: 'an action is what a grant says, and reading is counting',
    check: (subject) => {
      const reads = classOf(subject, [grantOf()]);
      const counts = classOf(subject, [grantOf({ actions: ['count', 'train'] })]);
      assert.deepEqual(
        (['read', 'count', 'train', 'file'] as const).map((action) => reads.may(action, ['pseudonym'])),
        [true, true, false, false],
      );
      assert.deepEqual(
        (['read', 'count', 'train', 'file'] as const).map((action) => counts.may(action, ['pseudonym'])),
        [false, true, true, false],
      );
      assert.equal(reads.may('read', []), false);
      const forbids = [forbidOf({ tags: ['pseudonym'], actions: ['train'] })];
      const both = classOf(subject, [grantOf({ actions: ['read', 'train'] })], forbids);
      assert.deepEqual([both.may('read', ['pseudonym']), both.may('train', ['pseudonym'])], [true, false]);
    },
  },
  {
    name: 'alternatives come clearest first, then by name',
    check: (subject) => {
      const masked = (id: string, mask: 'NULL' | 'HASH' | 'YEAR' | 'LAST4'): Grant => grantOf({ id, masks: { clinical: mask } });
      const grants = [
        masked('d', 'NULL'),
        masked('c', 'LAST4'),
        masked('b', 'YEAR'),
        masked('a', 'HASH'),
        grantOf({ id: 'z', tags: ['pseudonym', 'clinical'] }),
        masked('aa', 'HASH'),
      ];
      assert.deepEqual(
        classOf(subject, grants)
          .decide(['pseudonym', 'clinical'])
          .alternatives.map((each) => each.grantId),
        ['z', 'b', 'c', 'a', 'aa', 'd'],
      );
    },
  },
  {
    name: 'two who act together are named together',
    check: (subject) => {
      const actors = [{ sub: 'a', roles: ['app'] }];
      const grants = [
        grantOf({ rows: ownSite, datasets: { note: compare } }),
        grantOf({ id: 'h', role: 'app', tags: ['root'], masks: { pseudonym: 'HASH' }, datasets: { note: consent, patient: compare } }),
      ];
      const [both, ...more] = classOf(subject, grants, [], { actors }).decide(['pseudonym']).alternatives;
      assert.deepEqual(
        [both?.grantId, both?.mask, both?.rows, both?.datasets, more.length],
        ['g+h', 'HASH', ownSite, { note: allOf(compare, consent), patient: compare }, 0],
      );
    },
  },
  {
    name: 'structure is there for whoever holds anything, until it is forbidden',
    check: (subject) => {
      const grants = [grantOf({ tags: ['clinical'] })];
      assert.equal(classOf(subject, grants).decide(['root']).alternatives[0]?.grantId, 'structure');
      assert.deepEqual(classOf(subject, grants).decide(['root']).alternatives[0]?.rows, everyRow);
      assert.equal(classOf(subject, grants, [forbidOf({ tags: ['root'] })]).may('read', ['root']), false);
      assert.equal(classOf(subject, grants).may('read', ['root', 'pseudonym']), false);
      assert.equal(classOf(subject, []).may('read', ['root']), false);
      assert.equal(fieldVisible(subject.schema, classOf(subject, []), 'PageInfo', fieldOf(subject, 'PageInfo.hasNextPage')), false);
    },
  },
];

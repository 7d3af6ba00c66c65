/** What holds of row rules under broken glass, of clearances and narrowing, of what a class tells about itself, and of schemas with odd fields. */
import assert from 'node:assert/strict';
import { GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { buildClassSchema, fieldVisible, reachOf } from '../../src/governance/class-schema.js';
import { classKey, type ClassFacts, type Narrowing, type PolicyClass } from '../../src/governance/decide.js';
import {
  DECLARATION,
  TAGS as DECLARED_TAGS,
  allOf,
  everyRow,
  noRow,
  ownRecord,
  ownSite,
  upToSensitivity,
  type AggregateField,
  type CollectionField,
  type Forbid,
  type Predicate,
  type Tag,
} from '../../src/kernel/index.js';
import { classOf, entityOf, fieldOf } from './facts-class.js';
import { forbidOf, grantOf } from './facts-policy.js';
import type { Fact, Subject } from './suite.js';

const consent: Predicate = { op: 'consent' };
const glass: Predicate = { op: 'glass' };
const either = (...of: Predicate[]): Predicate => ({ op: 'or', of });
const except = (of: Predicate): Predicate => ({ op: 'except', of });
const TAGS: readonly Tag[] = ['root', 'pseudonym', 'note.structured'];

/** The rule of notes under one grant with these rows. */
const ruleOf = (subject: Subject, rows: Predicate, forbids: readonly Forbid[] = [], table = 'note'): Predicate =>
  classOf(subject, [grantOf({ tags: [...TAGS, 'model', 'evidence'], rows })], forbids, { emergency: true }).rowRule(
    entityOf(subject, table),
  );
const narrowing = (over: Partial<Narrowing> = {}): Narrowing => ({ key: 'k', rule: () => everyRow, ...over });

export const RULE_FACTS: readonly Fact[] = [
  {
    name: 'consent is asked of all rows but those under broken glass, of a grant that asks for it',
    check: (subject) => {
      assert.deepEqual(ruleOf(subject, everyRow), consent);
      assert.deepEqual(ruleOf(subject, glass), glass);
      assert.deepEqual(ruleOf(subject, allOf(upToSensitivity(1), glass)), allOf(upToSensitivity(1), glass));
      assert.deepEqual(ruleOf(subject, either(glass, allOf(ownSite, glass))), either(glass, allOf(ownSite, glass)));
      assert.deepEqual(ruleOf(subject, either(ownSite, glass)), allOf(either(ownSite, glass), either(consent, glass)));
      assert.deepEqual(ruleOf(subject, except(glass)), allOf(except(glass), either(consent, glass)));
      assert.deepEqual(ruleOf(subject, except(allOf(ownSite, ownSite))), allOf(except(ownSite), consent));
      assert.deepEqual(ruleOf(subject, glass, [], 'fusion_model'), noRow);
    },
  },
  {
    name: 'a breakable forbid yields to broken glass, and only there',
    check: (subject) => {
      const forbid = (over: Partial<Forbid>): Forbid[] => [forbidOf({ tags: ['pseudonym'], ...over })];
      assert.deepEqual(ruleOf(subject, glass, forbid({ breakable: true })), glass);
      assert.deepEqual(ruleOf(subject, glass, forbid({})), noRow);
      assert.deepEqual(ruleOf(subject, everyRow, forbid({ breakable: true })), noRow);
      assert.deepEqual(
        ruleOf(subject, either(ownSite, glass), forbid({ breakable: true })),
        allOf(either(ownSite, glass), glass, either(consent, glass)),
      );
      assert.deepEqual(ruleOf(subject, everyRow, forbid({ rows: glass })), allOf(except(glass), consent));
    },
  },
  {
    name: 'a grant of emergency lives for who broke the glass, in person',
    check: (subject) => {
      const grants = [grantOf({ tags: TAGS, rows: glass }), grantOf({ id: 'h', role: 'app', tags: TAGS })];
      const rule = (facts: Partial<ClassFacts>): Predicate => classOf(subject, grants, [], facts).rowRule(entityOf(subject, 'note'));
      const actors = [{ sub: 'a', roles: ['app'] }];
      assert.deepEqual(
        [rule({}), rule({ emergency: false }), rule({ emergency: true }), rule({ emergency: true, actors })],
        [noRow, noRow, glass, noRow],
      );
      assert.deepEqual(
        [{}, { emergency: false }, { emergency: true }].map((each) => classOf(subject, grants, [], each).emergency),
        [false, false, true],
      );
      const facts: ClassFacts = { roles: ['a'], purpose: 'TREAT', allSites: false };
      assert.notEqual(classKey('v', facts), classKey('v', { ...facts, emergency: true }));
    },
  },
  {
    name: 'what does not apply to rows without a person folds away',
    check: (subject) => {
      const rule = (rows: Predicate, table = 'fusion_model'): Predicate => ruleOf(subject, rows, [], table);
      assert.deepEqual(
        [rule(upToSensitivity(0)), rule(ownSite), rule({ op: 'in', attribute: 'patient', me: 'patient' })],
        [everyRow, everyRow, everyRow],
      );
      assert.deepEqual([rule(ownRecord), rule(ownRecord, 'lineage_run'), rule(either(ownRecord, ownRecord))], [noRow, ownRecord, noRow]);
      const own: Predicate = { op: 'in', attribute: 'patient', me: 'patient' };
      const everywhere = classOf(subject, [grantOf({ tags: TAGS, rows: allOf(own, ownSite) })], [], { allSites: true });
      assert.deepEqual(everywhere.rowRule(entityOf(subject, 'note')), allOf(own, consent));
    },
  },
  {
    name: 'a grant with a clearance lives for who has it',
    check: (subject) => {
      const grants = [grantOf({ clearance: 'registered' })];
      const may = (facts: Partial<ClassFacts>): boolean => classOf(subject, grants, [], facts).may('read', ['pseudonym']);
      assert.deepEqual(
        [may({}), may({ clearances: ['controlled'] }), may({ clearances: ['controlled', 'registered'] })],
        [false, false, true],
      );
      const facts: ClassFacts = { roles: ['a'], purpose: 'TREAT', allSites: false };
      const key = (...clearances: ('registered' | 'controlled')[]): string => classKey('v', { ...facts, clearances });
      assert.equal(classKey('v', facts), key());
      assert.equal(key('registered', 'controlled'), key('controlled', 'registered', 'controlled'));
      assert.equal(new Set([key(), key('registered'), key('controlled'), key('registered', 'controlled')]).size, 4);
      const until = (given: Partial<ClassFacts>): number => classOf(subject, [grantOf()], [], given).goodUntil;
      assert.deepEqual(
        [
          until({ clearedUntil: 5 }),
          until({ narrowing: narrowing({ until: 7 }) }),
          until({ clearedUntil: 9, narrowing: narrowing({ until: 7 }) }),
        ],
        [5, 7, 7],
      );
      assert.equal(until({ narrowing: narrowing() }), Infinity);
    },
  },
  {
    name: 'a token of resources only closes operations, and readers of what it does not name',
    check: (subject) => {
      const grants = [
        grantOf({ tags: Object.keys(DECLARED_TAGS) as (keyof typeof DECLARED_TAGS)[], actions: ['read', 'train', 'execute'] }),
      ];
      const rule: Narrowing['rule'] = (entity, _, reach) => (entity.table === 'wear_chunk' && reach === 'many' ? noRow : everyRow);
      const visible = (coordinate: string, facts: Partial<ClassFacts> = {}): boolean =>
        fieldVisible(subject.schema, classOf(subject, grants, [], facts), coordinate.split('.')[0] ?? '', fieldOf(subject, coordinate));
      const closed = (closing: boolean): Partial<ClassFacts> => ({ narrowing: narrowing({ rule, closed: closing }) });
      assert.deepEqual(
        [
          visible('Patient.wearableSeries'),
          visible('Patient.wearableSeries', closed(true)),
          visible('Patient.wearableSeries', closed(false)),
        ],
        [true, false, true],
      );
      assert.equal(visible('Patient.wearableDays', closed(true)), false);
      assert.equal(visible('Patient.wearableWindows', { narrowing: narrowing({ closed: true }) }), true);
      assert.deepEqual([classOf(subject, grants).narrowed, classOf(subject, grants, [], closed(true)).narrowed], [false, true]);
      assert.equal(classOf(subject, grants).dataUse, undefined);
      assert.deepEqual(
        [reachOf({ kind: 'reference' }), reachOf({ kind: 'collection' }), reachOf({ kind: 'aggregate' })],
        ['one', 'many', 'many'],
      );
      const operation = { kind: 'operation', tags: ['model'], action: 'train' } as const;
      const opened = (facts: Partial<ClassFacts>): boolean =>
        fieldVisible(subject.schema, classOf(subject, grants, [], facts), 'Mutation', operation);
      assert.deepEqual([opened({}), opened(closed(true)), opened(closed(false))], [true, false, true]);
    },
  },
  {
    name: 'a class tells what forbids, what is not covered, and which statements go along',
    check: (subject) => {
      const grants = [
        grantOf({ obligations: { notices: ['research-only'] } }),
        grantOf({ id: 'h', role: 'nurse', tags: ['clinical'], actions: ['train'] }),
      ];
      const forbids = [
        forbidOf({ tags: ['clinical'] }),
        forbidOf({ id: 'e', tags: ['site', 'imaging'] }),
        forbidOf({ id: 'd', role: 'x', tags: ['clinical'] }),
      ];
      const nurse = classOf(subject, grants, forbids);
      assert.deepEqual(
        [nurse.forbidding(['clinical']), nurse.forbidding(['imaging', 'root']), nurse.forbidding(['root'])],
        [['f'], ['e'], []],
      );
      assert.deepEqual(nurse.uncovered(['root', 'pseudonym', 'clinical', 'safeharbor.A']), ['clinical']);
      assert.deepEqual(nurse.uncovered(['clinical', 'pseudonym'], 'train'), ['pseudonym']);
      assert.deepEqual(nurse.uncovered(['root', 'pseudonym', 'safeharbor.A']), ['pseudonym']);
      const app = classOf(subject, [...grants, grantOf({ id: 'i', role: 'app', tags: ['clinical'] })], [], {
        actors: [{ sub: 'a', roles: ['app'] }],
      });
      assert.deepEqual(app.uncovered(['pseudonym']), ['pseudonym']);
      assert.deepEqual(
        [nurse.noticesOf(['g']), nurse.noticesOf(['h']), nurse.noticesOf(['x+g', 'g']), nurse.noticesOf([])],
        [['research-only'], [], ['research-only'], []],
      );
      const narrowed = classOf(subject, grants, [], { narrowing: narrowing({ notices: ['part2-redisclosure', 'research-only'] }) });
      assert.deepEqual([narrowed.noticesOf(['h']), narrowed.noticesOf([])], [['part2-redisclosure', 'research-only'], []]);
      assert.deepEqual(narrowed.noticesOf(['g']), ['research-only', 'part2-redisclosure']);
    },
  },
  {
    name: 'who may only count has no page, and counts what the action allows',
    check: (subject) => {
      const grants = [grantOf({ tags: [...TAGS, 'phi.note'], actions: ['count'] })];
      const fields = buildClassSchema(subject.schema, classOf(subject, grants)).getQueryType()?.getFields() ?? assert.fail('no query');
      assert.equal(fields['notes']?.args.map((each) => each.name).join(), 'type,text');
      assert.deepEqual([fields['note'], fields['noteCount']], [undefined, undefined]);
      const trains = classOf(subject, [grantOf({ tags: TAGS, actions: ['train'] })]);
      assert.deepEqual([trains.may('count', ['pseudonym']), trains.may('train', ['pseudonym'])], [false, true]);
    },
  },
  {
    name: 'a column whose grants reach no row of its table does not exist, and a sum is no count',
    check: (subject) => {
      const visible = (coordinate: string, policyClass: PolicyClass, field = fieldOf(subject, coordinate)): boolean =>
        fieldVisible(subject.schema, policyClass, coordinate.split('.')[0] ?? '', field);
      const grants = [grantOf(), grantOf({ id: 'h', tags: ['pseudonym', 'pii.direct'], rows: ownRecord })];
      assert.deepEqual([visible('Patient.mrn', classOf(subject, grants)), visible('Patient.id', classOf(subject, grants))], [false, true]);
      const counts = classOf(subject, [grantOf({ tags: TAGS, actions: ['count'] })]);
      const sum = { ...fieldOf(subject, 'Patient.noteCount'), measure: { op: 'sum', column: 'has_text', type: 'int' } } as AggregateField;
      assert.deepEqual([visible('Patient.noteCount', counts), visible('Patient.noteCount', counts, sum)], [true, false]);
      const all = grantOf({ tags: Object.keys(DECLARED_TAGS) as (keyof typeof DECLARED_TAGS)[] });
      const without: Narrowing['rule'] = (entity) => (entity.table === 'genotype_block' ? noRow : everyRow);
      const reads = (rule: Narrowing['rule']): boolean =>
        visible('Patient.genotypes', classOf(subject, [all], [], { narrowing: narrowing({ rule, closed: true }) }));
      assert.deepEqual([reads(without), reads(() => everyRow)], [false, true]);
    },
  },
  {
    name: 'fields of federation stay, others without declaration go, and one order that is allowed keeps the argument',
    check: (subject) => {
      const notes = fieldOf(subject, 'Query.notes') as CollectionField;
      const orders: CollectionField['orders'] = [
        { name: 'BY_TIME', column: 'authored_key', type: 'timestamptz', tags: ['pii.quasi'] },
        { name: 'BY_TYPE', column: 'type_code', type: 'text', tags: ['note.structured'] },
      ];
      const plain = { type: GraphQLString };
      const query = new GraphQLObjectType({
        name: 'Query',
        fields: {
          notes: { type: GraphQLString, args: { orderBy: plain }, extensions: { [DECLARATION]: { ...notes, orders } } },
          none: { type: GraphQLString, args: { orderBy: plain }, extensions: { [DECLARATION]: { ...notes, orders: undefined } } },
          _service: { type: new GraphQLObjectType({ name: '_Service', fields: { sdl: plain } }) },
          unsaid: plain,
        },
      });
      const made = buildClassSchema(new GraphQLSchema({ query }), classOf(subject, [grantOf({ tags: TAGS })]));
      const fields = made.getQueryType()?.getFields() ?? {};
      assert.deepEqual(Object.keys(fields), ['notes', 'none', '_service']);
      assert.deepEqual([fields['notes']?.args.length, fields['none']?.args.length], [1, 0]);
      assert.ok(made.getType('_Service'));
    },
  },
];

/** What holds of cell rules, of classification, and of the arguments of class schemas. */
import assert from 'node:assert/strict';
import { isObjectType } from 'graphql';
import { cellPlan, clearGuard, edge, ruleColumns, verdictOf } from '../../src/governance/cells.js';
import { buildClassSchema, orderAllowed } from '../../src/governance/class-schema.js';
import { Classification, type TagAssignments } from '../../src/governance/classification.js';
import type { PolicyClass } from '../../src/governance/decide.js';
import {
  allOf,
  everyRow,
  noRow,
  ownSite,
  upToSensitivity,
  type CollectionField,
  type Filter,
  type Grant,
  type Predicate,
} from '../../src/kernel/index.js';
import { classOf, entityOf, fieldOf } from './facts-class.js';
import { grantOf } from './facts-policy.js';
import type { Fact, Subject } from './suite.js';

const consent: Predicate = { op: 'consent' };
const compare: Predicate = { op: 'compare', column: 'code', operator: '=', literal: 'a' };
/** Columns of consent that a rule of a dated row reads; of a person's own row all but those of data. */
const CONSENT_COLUMNS = [
  ...['patient_id', 'purpose', 'categories', 'valid_from', 'valid_to', 'bound', 'recipients', 'refs_not'],
  ...['sensitivity_min', 'sensitivity_max', 'labels', 'labels_any', 'data_from', 'data_to', 'refs'],
];
const NOTES: Grant = grantOf({ tags: ['root', 'pseudonym', 'note.structured'] });

function argumentsOf(subject: Subject, policyClass: PolicyClass, coordinate: string): string[] {
  const [typeName = '', name = ''] = coordinate.split('.');
  const type = buildClassSchema(subject.schema, policyClass).getType(typeName);
  return isObjectType(type) ? (type.getFields()[name]?.args.map((each) => each.name) ?? ['no field']) : ['no type'];
}

export const CELL_FACTS: readonly Fact[] = [
  {
    name: 'cells are clear, masked or told by row, and lead to a verdict',
    check: (subject) => {
      const note = entityOf(subject, 'note');
      const planOf = (...grants: Grant[]) => cellPlan(classOf(subject, grants), note, { tags: ['pii.quasi'] });
      const clear = grantOf({ id: 'c', tags: ['pseudonym', 'note.structured', 'pii.quasi'] });
      const year = grantOf({ id: 'y', tags: ['pseudonym', 'note.structured'], masks: { 'pii.quasi': 'YEAR' } });
      assert.deepEqual(planOf(clear, year)?.cell, { kind: 'clear' });
      assert.deepEqual(planOf(year)?.cell, { kind: 'mask', mask: 'YEAR' });
      assert.equal(planOf(NOTES), null);
      const mixed = planOf({ ...clear, rows: ownSite }, year);
      assert.deepEqual(mixed?.cell, {
        kind: 'case',
        branches: [
          { when: allOf(ownSite, consent), mask: null },
          { when: consent, mask: 'YEAR' },
        ],
      });
      assert.ok(mixed);
      assert.deepEqual(verdictOf(mixed.cell, mixed.decision), { verdict: 'conditional', ruleIds: ['c', 'y'] });
      const { decision } = mixed;
      assert.equal(verdictOf({ kind: 'clear' }, decision).verdict, 'allowed');
      assert.equal(verdictOf({ kind: 'mask', mask: 'YEAR' }, decision).verdict, 'masked');
      // What comes after every visible row is reached is not asked.
      assert.deepEqual(planOf({ ...year, id: 'n', masks: { 'pii.quasi': 'NULL' } }, year)?.cell, { kind: 'mask', mask: 'YEAR' });
      assert.deepEqual(planOf({ ...clear, rows: ownSite }, { ...year, id: 'yy', rows: ownSite }, NOTES)?.cell.kind, 'case');
      assert.deepEqual(planOf({ ...clear, rows: { op: 'in', attribute: 'principal', me: 'sub' } }, NOTES), null);
    },
  },
  {
    name: 'rows on which a column is clear guard its filters',
    check: (subject) => {
      const note = entityOf(subject, 'note');
      const nurse = classOf(subject, [NOTES, grantOf({ id: 'h', tags: ['pseudonym', 'note.structured', 'pii.quasi'], rows: ownSite })]);
      assert.equal(clearGuard(nurse, note, ['note.structured']), null);
      assert.deepEqual(clearGuard(nurse, note, ['pii.quasi']), allOf(ownSite, consent));
      assert.deepEqual(nurse.rowRule(note, ['pii.direct']), noRow);
      assert.deepEqual(nurse.rowRule(note, [], 'train'), noRow);
    },
  },
  {
    name: 'a rule tells the columns that it reads',
    check: (subject) => {
      const condition = entityOf(subject, 'condition');
      const run = entityOf(subject, 'lineage_run');
      assert.deepEqual(ruleColumns(condition, allOf(ownSite, upToSensitivity(1), ownSite)), ['condition.site_id', 'condition.sensitivity']);
      assert.deepEqual(
        ruleColumns(condition, {
          op: 'or',
          of: [
            { op: 'in', attribute: 'patient', me: 'patient' },
            { op: 'in', attribute: 'sensitivity', me: 'sub' },
          ],
        }),
        ['condition.patient_id', 'condition.sensitivity'],
      );
      assert.deepEqual(ruleColumns(run, { op: 'in', attribute: 'principal', me: 'sub' }), ['lineage_run.principal']);
      assert.deepEqual(ruleColumns(run, { op: 'in', attribute: 'patient', me: 'patient' }), ['lineage_run.']);
      assert.deepEqual(ruleColumns(condition, { op: 'in', attribute: 'principal', me: 'sub' }), ['condition.']);
      assert.deepEqual(ruleColumns(condition, { op: 'except', of: { op: 'glass' } }), [
        'break_glass.sub',
        'break_glass.patient_id',
        'break_glass.started_at',
        'break_glass.ends_at',
        'break_glass.glass_id',
        'break_glass_event.glass_id',
        'break_glass_event.kind',
        'condition.patient_id',
      ]);
      const rules: Predicate[] = [
        compare,
        { op: 'one-of', column: 'code', literals: ['a'] },
        { op: 'between', column: 'code', from: 1, to: 2 },
        { op: 'is-null', column: 'code' },
      ];
      for (const rule of rules) assert.deepEqual(ruleColumns(condition, rule), ['condition.code']);
      // Of nothing nothing is one: the statement reads no column for it.
      assert.deepEqual(ruleColumns(condition, { op: 'one-of', column: 'code', literals: [] }), []);
      const own = ['condition.patient_id', 'condition.sensitivity', 'condition.label_bits', 'condition.refs'];
      assert.deepEqual(ruleColumns(condition, consent), [
        ...CONSENT_COLUMNS.map((each) => `consent_effect.${each}`),
        ...own,
        'condition.onset_at',
      ]);
      assert.equal(ruleColumns(entityOf(subject, 'patient'), consent).length, CONSENT_COLUMNS.length - 3 + 4);
      assert.deepEqual(ruleColumns(condition, everyRow), []);
      assert.deepEqual(edge('a.b', 'c.d', 'DIRECT'), { coordinate: 'a.b', source: 'c.d', type: 'DIRECT', masking: false });
    },
  },
  {
    name: 'tags are declared, governed, inherited and lettered',
    check: (subject) => {
      const made = (assets: TagAssignments): Classification => new Classification(subject.schema, subject.products, assets);
      const note = entityOf(subject, 'note');
      const body = fieldOf(subject, 'Note.body');
      const plain = made({});
      assert.deepEqual(plain.datasets.get('note')?.product, 'notes');
      assert.deepEqual(plain.rowTags(note), note.tags);
      assert.deepEqual(
        [
          plain.fieldTags(body).includes('safeharbor.R.text'),
          plain.fieldTags(fieldOf(subject, 'Note.id')).some((tag) => tag.startsWith('safeharbor')),
        ],
        [true, false],
      );
      assert.deepEqual(plain.fieldTags(fieldOf(subject, 'Patient.postalCode')), ['pii.quasi', 'safeharbor.B.zip']);
      assert.deepEqual(plain.fieldTags(fieldOf(subject, 'Patient.mrn')), ['pii.direct', 'safeharbor.H']);
      assert.deepEqual(plain.fieldTags(fieldOf(subject, 'Patient.sex')), ['demographic']);
      for (const asset of ['notes', '*.note', 'notes.note', '*.*', '*'])
        assert.ok(
          made({ [asset]: ['gov.x'] })
            .rowTags(note)
            .includes('gov.x'),
          asset,
        );
      for (const asset of ['patients', '*.patient', 'notes.note_section', 'notes.note.body'])
        assert.ok(
          !made({ [asset]: ['gov.x'] })
            .rowTags(note)
            .includes('gov.x'),
          asset,
        );
      assert.ok(
        made({ 'notes.note.body': ['gov.x'] })
          .fieldTags(body)
          .includes('gov.x'),
      );
      assert.ok(
        !made({ 'notes.note.title': ['gov.x'] })
          .fieldTags(body)
          .includes('gov.x'),
      );
      assert.ok(
        made({ 'notes.note.body': ['gov.x'] })
          .cellTags(note, body)
          .includes('note.structured'),
      );
      assert.deepEqual(made({ notes: ['gov.x'] }).governed('patients', 'note'), []);
      for (const asset of [
        'nothing',
        'notes.nothing',
        'notes.note.nothing',
        'patients.note',
        '*.*.nothing',
        '*.*.undefined',
        'imaging.*.body',
      ])
        assert.throws(() => made({ [asset]: ['gov.x'] }), /there is no such asset/, asset);
      for (const asset of ['*', '*.note', '*.*.body', 'notes.*.body', 'notes.note.body'])
        assert.doesNotThrow(() => made({ [asset]: ['gov.x'] }), asset);
    },
  },
  {
    name: 'filters and orders need the tags of their column, clear',
    check: (subject) => {
      const { classification } = classOf(subject, [NOTES]);
      const notes = fieldOf(subject, 'Query.notes') as CollectionField;
      const patients = fieldOf(subject, 'Query.patients') as CollectionField;
      const filter = (name: string): Filter => notes.filters.find((each) => each.argument === name) ?? assert.fail(name);
      assert.deepEqual(classification.filterTags(notes.of, filter('text')), ['pseudonym', 'note.structured', 'phi.note']);
      assert.deepEqual(classification.columnTags(notes.of, 'nothing'), undefined);
      assert.deepEqual(classification.columnTags(notes.of, 'patient_id'), ['pseudonym', 'note.structured']);
      assert.deepEqual(classification.columnTags(patients.of, 'birth_year'), ['pseudonym', 'demographic', 'safeharbor.C.birth']);
      assert.deepEqual(classification.orderTags(notes.of, notes.orders?.[0] ?? assert.fail()), [
        'pseudonym',
        'note.structured',
        'pii.quasi',
      ]);
      const runs = fieldOf(subject, 'Query.lineageRuns') as CollectionField;
      assert.deepEqual(classification.orderTags(runs.of, runs.orders?.[0] ?? assert.fail()), ['evidence']);
      const years = { ...NOTES, masks: { 'pii.quasi': 'YEAR', 'phi.note': 'REDACT' } } as const;
      const clear = grantOf({ tags: ['root', 'pseudonym', 'note.structured', 'pii.quasi', 'phi.note'] });
      assert.deepEqual(
        [NOTES, years, clear].map((each) => orderAllowed(classOf(subject, [each]), notes, notes.orders?.[0] ?? assert.fail())),
        [false, false, true],
      );
      assert.equal(orderAllowed(classOf(subject, [clear]), notes, { name: 'X', column: 'nothing', type: 'text' }), false);
      const given = (grant: Grant, coordinate = 'Query.notes'): string =>
        argumentsOf(subject, classOf(subject, [grant]), coordinate)
          .sort()
          .join(',');
      assert.equal(given(NOTES), 'after,first,type');
      assert.equal(given(years), 'after,first,text,type');
      assert.equal(given({ ...NOTES, masks: { 'phi.note': 'HASH' } }), 'after,first,type');
      assert.equal(given(clear), 'after,first,from,orderBy,text,to,type');
      assert.equal(given(grantOf({ tags: ['root', 'pseudonym', 'demographic'] }), 'Query.patients'), 'after,bornFrom,bornTo,first,sex');
      assert.equal(given(grantOf({ tags: ['root', 'pseudonym'], profile: 'safe-harbor' }), 'Query.patients'), 'after,first');
      assert.equal(
        given(grantOf({ tags: ['root', 'pseudonym', 'demographic'], profile: 'safe-harbor' }), 'Query.patients'),
        'after,first,sex',
      );
    },
  },
];

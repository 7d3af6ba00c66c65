import type { World } from '../gateway/support.js';
import {
  PLANTED,
  ROWS,
  changed,
  failing,
  killed,
  onStatements,
  parts,
  pools,
  rejecting,
  replaced,
  sql,
  timedOut,
  type Fault,
} from './fail-closed-support.js';

/** The reader and what it reads from. */
export const STORE: readonly Fault[] = [
  {
    name: 'the pool gives no connection',
    code: 'UNAVAILABLE',
    inject: replaced((w) => pools(w).reader, 'connect', rejecting('ECONNREFUSED')),
  },
  { name: 'the transaction does not begin', code: 'UNAVAILABLE', inject: failing('reader', /^begin/) },
  { name: 'the wall is not set', code: 'UNAVAILABLE', inject: failing('reader', /set_config/) },
  { name: 'the statement fails', code: 'UNAVAILABLE', inject: failing('reader', ROWS) },
  { name: 'the statement fails on the reference path', code: 'UNAVAILABLE', inject: failing('reader', ROWS), door: 'reference' },
  { name: 'the commit fails after the rows are read', code: 'UNAVAILABLE', inject: failing('reader', /^commit/) },
  { name: 'the server ends the connection in the middle of a statement', code: 'UNAVAILABLE', inject: killed },
  { name: 'the statement runs out of time', code: 'UNAVAILABLE', inject: timedOut('statement_timeout', 'patient') },
  { name: 'the consents are locked', code: 'UNAVAILABLE', inject: timedOut('lock_timeout', 'consent_effect') },
  { name: 'the answer has no row', code: 'INTERNAL', inject: changed(ROWS, () => []) },
  { name: 'the row has no cells', code: 'INTERNAL', inject: changed(ROWS, (rows) => rows.map(() => ({}))) },
  {
    name: 'the versions are no JSON',
    code: 'UNAVAILABLE',
    inject: changed(ROWS, (rows) => rows.map((row) => ({ ...row, versions: `{${PLANTED}` }))),
  },
  {
    name: 'the persons behind the answer are nobody',
    code: 'AUDIT_UNAVAILABLE',
    recorded: false,
    inject: changed(ROWS, (rows) => rows.map((row) => ({ ...row, p0: ['00000000-0000-7000-8000-000000000000'] }))),
  },
];

/** The database as somebody left it. */
export const DATABASE: readonly Fault[] = [
  {
    name: 'the table is away',
    code: 'UNAVAILABLE',
    inject: sql('alter table patient rename to patient_away', 'alter table patient_away rename to patient'),
  },
  {
    name: 'the column is away',
    code: 'UNAVAILABLE',
    inject: sql('alter table patient rename family_name to gone', 'alter table patient rename gone to family_name'),
  },
  {
    name: 'the reader may not read the table',
    code: 'UNAVAILABLE',
    inject: sql('revoke select on patient from thalamus_reader', 'grant select on patient to thalamus_reader'),
  },
  {
    name: 'the reader may not use the schema',
    code: 'UNAVAILABLE',
    inject: sql('revoke usage on schema public from thalamus_reader, public', 'grant usage on schema public to thalamus_reader, public'),
  },
  {
    name: 'the consents are away',
    code: 'UNAVAILABLE',
    inject: sql('alter table consent_effect rename to consent_away', 'alter table consent_away rename to consent_effect'),
  },
  {
    name: 'the consents may not be read',
    code: 'UNAVAILABLE',
    inject: sql('revoke select on consent_effect from thalamus_reader', 'grant select on consent_effect to thalamus_reader'),
  },
  {
    name: 'nobody has consented',
    code: null,
    inject: sql(
      'create table kept as select * from consent_effect; delete from consent_effect',
      'insert into consent_effect select * from kept; drop table kept',
    ),
  },
  {
    name: 'the consents have no policy for the reader',
    code: null,
    inject: sql('alter policy reads on consent_effect to thalamus_writer', 'alter policy reads on consent_effect to thalamus_reader'),
  },
  {
    name: 'the persons have no policy for the reader',
    code: null,
    inject: sql('alter policy reads on patient to thalamus_writer', 'alter policy reads on patient to thalamus_reader'),
  },
  {
    name: 'the epoch of the policy is away',
    code: 'UNAVAILABLE',
    inject: sql('alter table governance_epoch rename to epoch_away', 'alter table epoch_away rename to governance_epoch'),
  },
  {
    name: 'the epoch of the policy has no row',
    code: 'UNAVAILABLE',
    inject: sql(
      'create table kept_epoch as select * from governance_epoch; delete from governance_epoch',
      'insert into governance_epoch select * from kept_epoch; drop table kept_epoch',
    ),
  },
  {
    name: 'broken glass cannot be looked up',
    code: 'UNAVAILABLE',
    inject: sql('alter table break_glass rename to glass_away', 'alter table glass_away rename to break_glass'),
  },
  {
    name: 'the policy has changed and cannot be read',
    code: 'INTERNAL',
    inject: async (world) => {
      const restore = await sql(
        'update governance_epoch set policy = policy + 1',
        'update governance_epoch set policy = policy - 1',
      )(world);
      const heal = await replaced((w: World) => parts(w).governance, 'inForce', rejecting())(world);
      return async () => {
        await heal();
        await restore();
      };
    },
  },
  {
    name: 'the policy changes with every try',
    code: 'UNAVAILABLE',
    inject: async (world) => {
      const { owner, reader } = pools(world);
      await owner.query('create table kept_epoch as select * from governance_epoch');
      const heal = onStatements(reader, async (text, run) => {
        if (/^begin/.test(text)) await owner.query('update governance_epoch set policy = policy + 1');
        return run();
      });
      return async () => {
        heal();
        await owner.query('update governance_epoch set policy = (select policy from kept_epoch); drop table kept_epoch');
        await world.running.mesh.refresh();
      };
    },
  },
  {
    name: 'the versions of datasets are away',
    code: 'UNAVAILABLE',
    inject: sql('alter table dataset_version rename to version_away', 'alter table version_away rename to dataset_version'),
  },
];

/** The log: without it nothing leaves, and nothing can be recorded either. */
export const AUDIT: readonly Fault[] = (
  [
    ['the writer may not insert', sql('revoke insert on audit_log from thalamus_writer', 'grant insert on audit_log to thalamus_writer')],
    ['the log is away', sql('alter table audit_log rename to log_away', 'alter table log_away rename to audit_log')],
    ['the runs are away', sql('alter table lineage_run rename to run_away', 'alter table run_away rename to lineage_run')],
    [
      'the plans cannot be written',
      sql('revoke insert on lineage_plan from thalamus_writer', 'grant insert on lineage_plan to thalamus_writer'),
    ],
    ['the sink has no connection', replaced((w) => pools(w).writer, 'connect', rejecting('ECONNREFUSED'))],
    ['the disk of the log is full', failing('writer', /insert into audit_log/, '53100')],
    ['the commit of the record fails', failing('writer', /^with head/)],
    ['the head of the log is away', sql('alter table audit_head rename to head_away', 'alter table head_away rename to audit_head')],
    ['another writer has taken the log', replaced((w) => parts(w).evidence, 'write', rejecting('FENCED'))],
    ['the sink throws', replaced((w) => parts(w).evidence, 'write', rejecting('ENOSPC'))],
    ['the persons cannot be numbered', replaced((w) => parts(w).evidence, 'persons', rejecting())],
  ] as const
).map(([name, inject]) => ({ name, inject, code: 'AUDIT_UNAVAILABLE', recorded: false }));

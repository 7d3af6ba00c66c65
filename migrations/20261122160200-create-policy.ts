import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appendOnly, open, underGlass } from './sql.js';

const ABOUT_PERSONS = [
  'patient',
  'identity_key',
  'consent',
  'condition',
  'observation',
  'fhir_resource',
  'sample_index',
  'imaging_study',
  'imaging_series',
  'imaging_instance',
  'note',
  'note_section',
  'note_concept',
  'wear_chunk',
  'wear_device',
];

/** Versions of the local policy with who proposed and who decided; what every transaction has to know is new; broken glass. */
export class CreatePolicy20261122160200 implements MigrationInterface {
  name = 'CreatePolicy20261122160200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table policy_event (
  event_id uuid primary key, version int not null, kind text collate "C" not null check (kind in ('proposed', 'approved', 'rejected')),
  at timestamptz not null, actor text collate "C" not null, reason text not null, document jsonb, digest text, impact jsonb,
  check ((kind = 'proposed') = (document is not null)));
create unique index policy_event_once on policy_event (version, (kind = 'proposed'));
${appendOnly('policy_event')}

create table governance_epoch (single boolean primary key default true check (single), policy int not null default 0, revocation bigint not null default 0);
insert into governance_epoch default values;
${open('governance_epoch')}
revoke insert, delete on governance_epoch from thalamus_writer;

create table break_glass (
  glass_id uuid primary key, sub text collate "C" not null, patient_id uuid not null, reason text not null,
  started_at timestamptz not null, ends_at timestamptz not null check (ends_at > started_at and ends_at <= started_at + interval '60 minutes'),
  run_id uuid not null);
create index break_glass_sub on break_glass (sub, ends_at);
create table break_glass_event (
  event_id uuid primary key, glass_id uuid not null, kind text collate "C" not null check (kind in ('ended', 'reviewed')),
  at timestamptz not null, actor text collate "C" not null, verdict text, note text);
create unique index break_glass_event_once on break_glass_event (glass_id, kind);
${appendOnly('break_glass')}
${appendOnly('break_glass_event')}
${ABOUT_PERSONS.map(underGlass).join('')}
`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

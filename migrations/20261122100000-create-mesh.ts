import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appendOnly, open } from './sql.js';

/** Files, quarantine, lineage and audit: what every product stands on. */
export class CreateMesh20261122100000 implements MigrationInterface {
  name = 'CreateMesh20261122100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
grant usage on schema public to thalamus_reader, thalamus_writer;
create or replace function refuse_change() returns trigger language plpgsql as $$
begin raise exception 'this table keeps what was written' using errcode = '55000'; end $$;

create table counter (name text collate "C" primary key, value bigint not null);
create table raw_file (
  digest text collate "C" primary key, bytes bigint not null, media_type text not null, product text, format text,
  name_digest text collate "C" not null, arrived_at timestamptz not null, status text not null);
create index raw_file_name on raw_file (name_digest);
create table ingest_checkpoint (
  digest text collate "C" not null, product text collate "C" not null, next_ordinal int not null, finished boolean not null,
  primary key (digest, product));
create table pipeline_update (
  update_id uuid primary key, product text not null, digest text collate "C" not null, started_at timestamptz not null,
  finished_at timestamptz, status text not null, counts jsonb not null);
create table quarantine (
  quarantine_id uuid primary key, product text not null, asset text, digest text collate "C" not null, ordinal int not null,
  place text not null, code text not null, reason text not null, bytes bytea, at timestamptz not null, update_id uuid not null,
  state text not null default 'held', decided_by text, decided_at timestamptz, decision_reason text);
create unique index quarantine_record on quarantine (digest, ordinal, code, place);
create table dataset_version (dataset text collate "C" primary key, version bigint not null, at timestamptz not null);

create table lineage_plan (
  plan_digest text collate "C" primary key, document text not null, columns jsonb not null, decisions jsonb not null,
  policy_version text not null, at timestamptz not null);
create table lineage_patient_set (set_digest text collate "C" primary key, patients int not null, ordinals bytea not null);
create table lineage_run (
  run_id uuid primary key, at timestamptz not null, kind text not null, principal text collate "C" not null, roles text[] not null, purpose text not null,
  plan_digest text collate "C", policy_version text not null, set_digest text collate "C", patients int not null,
  rows int not null, result_digest text, versions jsonb not null, facts jsonb not null, log_id text not null, log_seq bigint not null);
create index lineage_run_at on lineage_run (at);
create index lineage_run_principal on lineage_run (principal, at);
create table audit_log (
  log_id text collate "C" not null, seq bigint not null, at timestamptz not null, prev_hash bytea not null, hash bytea not null,
  record text not null, primary key (log_id, seq));
${['counter', 'raw_file', 'ingest_checkpoint', 'pipeline_update', 'quarantine', 'dataset_version'].map(open).join('')}
${['lineage_plan', 'lineage_patient_set', 'lineage_run', 'audit_log'].map(appendOnly).join('')}
`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

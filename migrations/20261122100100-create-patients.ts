import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appendOnly, open, person, secure } from './sql.js';

/** Persons, their identifiers, consents and clinical facts. */
export class CreatePatients20261122100100 implements MigrationInterface {
  name = 'CreatePatients20261122100100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table patient (
  patient_id uuid primary key, ordinal int not null, site_id text collate "C" not null, sensitivity smallint not null default 0,
  source_digest text collate "C" not null, source_ordinal int not null, synthetic boolean not null,
  mrn text, given_name text, family_name text, birth_date date, birth_year int, sex text, race text, ethnicity text, language text,
  marital_status text, address_line text, city text, state text, postal_code text, phone text, email text, social_security_number text,
  deceased boolean not null default false, deceased_at timestamptz);
create index patient_ordinal on patient (ordinal);
create table identity_key (
  patient_id uuid not null, issuer text collate "C" not null, value text collate "C" not null, site_id text collate "C" not null,
  sensitivity smallint not null default 0, basis text not null, contested boolean not null default false, linked_at timestamptz not null,
  source_digest text collate "C" not null, primary key (patient_id, issuer, value));
create index identity_key_value on identity_key (issuer, value);
create table consent (${person}, consent_id text collate "C" not null, id uuid not null, status text not null, scope text, stated_at text, decided_at timestamptz,
  provisions jsonb not null, understood boolean not null, primary key (patient_id, consent_id));
create table consent_effect (
  patient_id uuid not null, purpose text collate "C" not null, sensitivity_max smallint not null, categories int not null,
  valid_from timestamptz not null, valid_to timestamptz not null, primary key (patient_id, purpose, sensitivity_max, valid_from));
create table condition (${person}, condition_id text collate "C" not null, id uuid not null, code text collate "C", system text, display text, onset_at timestamptz,
  recorded_at timestamptz, status text, verification text, primary key (patient_id, condition_id));
create index condition_code on condition (code, patient_id);
create table observation (${person}, observation_id text collate "C" not null, id uuid not null, code text collate "C", system text, display text,
  category text, effective_at timestamptz, value float8, unit text, value_text text, status text, primary key (patient_id, observation_id));
create index observation_code on observation (code, patient_id);
create table fhir_resource (${person}, type text collate "C" not null, resource_id text collate "C" not null, body jsonb not null,
  primary key (patient_id, type, resource_id));
${['patient', 'identity_key', 'consent', 'condition', 'observation', 'fhir_resource'].map(secure).join('')}
${open('consent_effect')}
create table identity_event (event_id uuid primary key, at timestamptz not null, kind text not null, patient_id uuid, issuer text,
  value_digest text, basis text, actor text not null);
${appendOnly('identity_event')}
`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';
import { person, secure } from './sql.js';

/** A tsvector of more than 1 MB is an error in Postgres; this much text stays below it whatever its words. */
const SEARCHED_CHARS = 200_000;

/** Notes with sections and concepts; two full-text indexes, one of the text without identifiers. */
export class CreateNotes20261122100400 implements MigrationInterface {
  name = 'CreateNotes20261122100400';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table note (${person}, note_id uuid not null, type_code text collate "C", type_label text, title text, status text, authored_at timestamptz,
  authored_key timestamptz not null, author text, encounter text, language text, labels text[] not null, body text not null, masked_body text not null, body_digest text collate "C" not null,
  has_text boolean not null, attachment jsonb,
  tsv_raw tsvector generated always as (to_tsvector('english', left(body, ${SEARCHED_CHARS}))) stored,
  tsv_masked tsvector generated always as (to_tsvector('english', left(masked_body, ${SEARCHED_CHARS}))) stored,
  primary key (patient_id, note_id));
create index note_raw on note using gin (tsv_raw);
create index note_masked on note using gin (tsv_masked);
create index note_authored on note (patient_id, authored_key);
create table note_section (${person}, id uuid not null, note_id uuid not null, ordinal int not null, code text collate "C", title text, level smallint not null, starts int not null, ends int not null,
  body text not null, masked_body text not null, primary key (patient_id, note_id, ordinal));
create table note_concept (${person}, id uuid not null, note_id uuid not null, ordinal int not null, code text collate "C" not null, label text not null, starts int not null, ends int not null,
  negation text not null, temporality text not null, experiencer text not null, extractor text not null, authored_at timestamptz,
  primary key (patient_id, note_id, ordinal));
create index note_concept_code on note_concept (code, patient_id);
${['note', 'note_section', 'note_concept'].map(secure).join('')}
`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

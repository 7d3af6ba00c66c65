import type { MigrationInterface, QueryRunner } from 'typeorm';
import { person, secure } from './sql.js';

/** Studies, series and instances; pixel files are content-addressed. */
export class CreateImaging20261122100300 implements MigrationInterface {
  name = 'CreateImaging20261122100300';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table imaging_study (${person}, study_uid text collate "C" not null, id uuid not null, started_at timestamptz, started_key timestamptz not null, description text,
  accession text, modalities text[] not null, body_parts text[] not null, primary key (patient_id, study_uid));
create index imaging_study_id on imaging_study (id);
create table imaging_series (${person}, study_uid text collate "C" not null, series_uid text collate "C" not null, id uuid not null, started_key timestamptz not null, number int, number_key int not null, modality text, body_part text,
  laterality text, protocol text, description text, manufacturer text, slice_thickness_mm float8, kvp float8,
  primary key (patient_id, study_uid, series_uid));
create table imaging_instance (${person}, study_uid text collate "C" not null, series_uid text collate "C" not null, sop_uid text collate "C" not null, id uuid not null,
  number int, number_key int not null, sop_class text, transfer_syntax text, rows int, columns int, frames int, bits int, photometric text, burned_in boolean,
  incomplete boolean not null, file_digest text collate "C" not null, file_bytes bigint not null, attributes jsonb not null,
  pixel_mean float8, pixel_sd float8, pixel_p10 float8, pixel_p50 float8, pixel_p90 float8, pixel_min float8, pixel_max float8,
  primary key (patient_id, study_uid, series_uid, sop_uid));
create index imaging_instance_sop on imaging_instance (sop_uid);
${['imaging_study', 'imaging_series', 'imaging_instance'].map(secure).join('')}
`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

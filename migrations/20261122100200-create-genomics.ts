import type { MigrationInterface, QueryRunner } from 'typeorm';
import { open } from './sql.js';

/** Variants as sites, genotypes packed per call set and site. */
export class CreateGenomics20261122100200 implements MigrationInterface {
  name = 'CreateGenomics20261122100200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table callset (
  callset_id uuid primary key, source_digest text collate "C" not null, source_ordinal int not null, assembly text not null, version text not null,
  samples int not null, caller text, at timestamptz not null);
create unique index callset_source on callset (source_digest);
create table sample_index (
  callset_id uuid not null, ordinal int not null, sample_id text collate "C" not null, patient_id uuid, site_id text collate "C",
  sensitivity smallint not null default 0, source_digest text collate "C" not null, source_ordinal int not null, primary key (callset_id, ordinal));
create index sample_index_patient on sample_index (patient_id);
create index sample_index_sample on sample_index (sample_id) where patient_id is null;
create table variant (
  bucket int not null, assembly text collate "C" not null, chrom text collate "C" not null, pos int not null, ref text collate "C" not null,
  alt text collate "C" not null, variant_id text collate "C" not null, kind text not null, rs_id text, gene text collate "C", consequence text, clinical_significance text,
  source_digest text collate "C" not null, source_ordinal int not null, primary key (bucket, assembly, chrom, pos, variant_id));
create index variant_name on variant (variant_id);
create index variant_gene on variant (gene, pos);
create index variant_rs on variant (rs_id);
create table genotype_block (
  bucket int not null, variant_id text collate "C" not null, callset_id uuid not null, samples int not null, ac int not null, an int not null,
  het int not null, hom_alt int not null, hemi_alt int not null, missing int not null, qual float8, filters text[], enc smallint not null, codes bytea not null,
  source_digest text collate "C" not null, source_ordinal int not null, primary key (bucket, variant_id, callset_id));
alter table genotype_block alter column codes set storage external;
${['callset', 'variant', 'genotype_block'].map(open).join('')}
alter table sample_index enable row level security;
alter table sample_index force row level security;
create policy reads on sample_index for select to thalamus_reader using (
  (current_setting('thalamus.sites', true) = '*' or site_id = any(string_to_array(current_setting('thalamus.sites', true), ',')))
  and sensitivity <= coalesce(nullif(current_setting('thalamus.clearance', true), ''), '-1')::int);
create policy writes on sample_index to thalamus_writer using (true) with check (true);
grant select on sample_index to thalamus_reader;
grant select, insert, update, delete on sample_index to thalamus_writer;
`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

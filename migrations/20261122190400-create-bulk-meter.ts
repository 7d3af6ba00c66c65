import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Nobody but the writer: the reader of requests has no grant, and the owner no policy. */
const writersOnly = (table: string): string => `
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy writes on ${table} to thalamus_writer using (true) with check (true);
`;

/**
 * Of whom each recipient got data, by category and by the last day: an exact set, not an estimate. And agencies' holds on accountings of disclosures: one row
 * when a hold is placed, one when it is ended.
 */
export class CreateBulkMeter20261122190400 implements MigrationInterface {
  name = 'CreateBulkMeter20261122190400';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table bulk_meter (
  recipient text collate "C" not null, category text collate "C" not null, ordinal int not null, last_day date not null,
  primary key (recipient, category, ordinal));
grant select, insert, update on bulk_meter to thalamus_writer;
${writersOnly('bulk_meter')}
create table disclosure_hold (
  hold_id uuid not null, event text collate "C" not null check (event in ('placed', 'ended')), patient_id uuid not null,
  kind text collate "C" not null check (kind in ('law-enforcement', 'health-oversight')), until timestamptz not null,
  by text collate "C" not null, at timestamptz not null, reason text not null check (reason <> ''), primary key (hold_id, event));
create index disclosure_hold_patient on disclosure_hold (patient_id);
grant select, insert on disclosure_hold to thalamus_writer;
create trigger disclosure_hold_keeps before update or delete or truncate on disclosure_hold
  for each statement execute function refuse_change();
${writersOnly('disclosure_hold')}
`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

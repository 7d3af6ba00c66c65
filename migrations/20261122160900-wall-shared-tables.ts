import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Tables that hold something of persons but no site or confidentiality of their own: consents as compiled, links between identities,
 * genotypes packed over many samples, records as they were refused, evidence of who was asked about, and for whom the glass was broken.
 */
const SHARED = [
  'consent_effect',
  'identity_event',
  'genotype_block',
  'quarantine',
  'lineage_patient_set',
  'lineage_run',
  'audit_log',
  'break_glass',
  'break_glass_event',
  'disclosed_set',
];

/**
 * A connection of the reader that names no wall sees none of their rows. Inside a transaction that does, the compiled rules decide. The condition
 * is a select of its own, so Postgres asks it once a statement and not once a row.
 */
const behindWall = (table: string): string => `
alter table ${table} enable row level security;
alter table ${table} force row level security;
drop policy if exists reads on ${table};
create policy reads on ${table} for select to thalamus_reader using ((select nullif(current_setting('thalamus.clearance', true), '') is not null));
drop policy if exists writes on ${table};
create policy writes on ${table} to thalamus_writer using (true) with check (true);
`;

/** The second wall stands around every table about persons. */
export class WallSharedTables20261122160900 implements MigrationInterface {
  name = 'WallSharedTables20261122160900';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SHARED.map(behindWall).join(''));
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appendOnly } from './sql.js';

/** Which sets of persons each principal was told the size of, or learned to be small: what a later count could be compared with. */
export class CreateDisclosure20261122160400 implements MigrationInterface {
  name = 'CreateDisclosure20261122160400';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table disclosed_set (
  seq bigint generated always as identity, sub text collate "C" not null, set_digest text collate "C" not null,
  kind text collate "C" not null check (kind in ('told', 'withheld')), dataset text collate "C" not null,
  ordinals bytea not null, row_counts bytea, persons int not null check (persons > 0), at timestamptz not null, primary key (sub, set_digest));
create index disclosed_set_seq on disclosed_set (sub, seq);
create index disclosed_set_at on disclosed_set (sub, at);
${appendOnly('disclosed_set')}
`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far each log was told to whoever receives evidence. It holds no evidence itself, and is the writer's alone. */
export class CreateExportCursor20261122190300 implements MigrationInterface {
  name = 'CreateExportCursor20261122190300';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table export_cursor (
  name text collate "C" not null, log_id text collate "C" not null, next bigint not null check (next >= 0), primary key (name, log_id));
grant select, insert, update on export_cursor to thalamus_writer;
`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';
import { person, secure } from './sql.js';

/** Samples packed per person, metric, device and UTC day; the header answers daily questions. */
export class CreateWearables20261122100500 implements MigrationInterface {
  name = 'CreateWearables20261122100500';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table wear_chunk (${person}, metric text collate "C" not null, device text collate "C" not null, day date not null, id uuid not null,
  unit text not null,
  t0 timestamptz not null, step_ms int not null, n int not null, mn float8 not null, mx float8 not null, sm float8 not null, sq float8 not null,
  offset_minutes int, version int not null, enc int not null, vals bytea not null, primary key (patient_id, metric, device, day));
alter table wear_chunk alter column vals set storage external;
create table wear_device (${person}, device text collate "C" not null, id uuid not null, source text not null, first_at timestamptz not null, last_at timestamptz not null,
  primary key (patient_id, device));
${['wear_chunk', 'wear_device'].map(secure).join('')}
`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

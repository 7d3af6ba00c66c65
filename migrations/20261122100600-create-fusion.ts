import type { MigrationInterface, QueryRunner } from 'typeorm';
import { open } from './sql.js';

/** Registered fusion models; a run leaves no row here, its lineage record says what happened. */
export class CreateFusion20261122100600 implements MigrationInterface {
  name = 'CreateFusion20261122100600';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table fusion_model (
  id text collate "C" not null unique check (id = model_id || '@' || version),
  model_id text collate "C" not null, version text collate "C" not null, hash text collate "C" not null, kind text not null, state text not null, label text not null,
  modalities text[] not null, seed int not null, trained_on int not null, events int not null, trained_by text not null, trained_at timestamptz not null,
  lineage_id uuid not null, card jsonb not null, parameters jsonb not null, primary key (model_id, version));
${open('fusion_model')}
`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

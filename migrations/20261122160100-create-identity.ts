import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appendOnly } from './sql.js';

/** Revoked tokens, sessions and subjects, and when each log-in session was last used. Digests only: the table opens no session. */
export class CreateIdentity20261122160100 implements MigrationInterface {
  name = 'CreateIdentity20261122160100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table token_revocation (
  epoch bigint primary key, kind text not null check (kind in ('token', 'session', 'subject')),
  value_digest text collate "C" not null check (value_digest ~ '^[0-9a-f]{64}$'), at timestamptz not null, until timestamptz,
  reason text not null check (reason <> ''), by text not null);
create table login_session (
  session_digest text collate "C" primary key check (session_digest ~ '^[0-9a-f]{64}$'), sub text collate "C" not null,
  first_at timestamptz not null, last_at timestamptz not null);
${appendOnly('token_revocation')}
grant select, insert, update on login_session to thalamus_writer;
`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

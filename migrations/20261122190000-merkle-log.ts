import { createHash } from 'node:crypto';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appendOnly } from './sql.js';

/** Behind the wall like every table about persons; the reader sees it inside a decided transaction only. */
const walled = (table: string): string => `
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy reads on ${table} for select to thalamus_reader using ((select nullif(current_setting('thalamus.clearance', true), '') is not null));
create policy writes on ${table} to thalamus_writer using (true) with check (true);
`;

/**
 * Chains become Merkle logs: each record is a leaf by its own hash, the head keeps the frontier of the tree with its signed checkpoint, and a fence
 * lets one writer at a time continue a log.
 */
export class MerkleLog20261122190000 implements MigrationInterface {
  name = 'MerkleLog20261122190000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
alter table audit_log disable trigger audit_log_keeps;
alter table audit_log no force row level security;
alter table audit_log drop column prev_hash;
update audit_log set hash = sha256('\\x00'::bytea || convert_to(record, 'UTF8'));
alter table audit_log force row level security;
alter table audit_log enable trigger audit_log_keeps;

create table audit_head (
  log_id text collate "C" primary key, size bigint not null, frontier bytea not null, checkpoint text not null, public_key text not null,
  fence bigint not null, writer uuid not null, lease_until timestamptz not null);
create or replace function refuse_shrinking() returns trigger language plpgsql as $$
begin
  if new.log_id <> old.log_id or new.size < old.size or new.fence < old.fence then
    raise exception 'a log only ever grows' using errcode = '55000';
  end if;
  return new;
end $$;
create trigger audit_head_grows before update on audit_head for each row execute function refuse_shrinking();
create trigger audit_head_keeps before delete or truncate on audit_head for each statement execute function refuse_change();
grant select on audit_head to thalamus_reader;
grant select, insert, update on audit_head to thalamus_writer;

create table audit_checkpoint (
  log_id text collate "C" not null, size bigint not null, at timestamptz not null, checkpoint text not null, witness text collate "C" not null default '',
  primary key (log_id, size, witness));
${appendOnly('audit_checkpoint')}

create table lineage_caller (caller_digest text collate "C" primary key, caller jsonb not null, at timestamptz not null);
${appendOnly('lineage_caller')}${walled('lineage_caller')}

create table person_key (patient_id uuid primary key, ordinal int not null unique, wrapped bytea not null);
alter table person_key enable row level security;
alter table person_key force row level security;
create policy writes on person_key to thalamus_writer using (true) with check (true);
grant select, insert, delete on person_key to thalamus_writer;

alter table lineage_run
  add column caller_digest text collate "C", add column recipient text collate "C", add column bytes bigint not null default 0,
  add column code text, add column sealed bytea;
`);
    const logs = (await runner.query('select distinct log_id from audit_log')) as { log_id: string }[];
    for (const { log_id: log } of logs) await this.adopt(runner, log);
  }

  /** A log from before there were checkpoints gets its head; the next start signs it. */
  private async adopt(runner: QueryRunner, log: string): Promise<void> {
    const rows = (await runner.query('select hash from audit_log where log_id = $1 order by seq', [log])) as { hash: Buffer }[];
    const roots: Buffer[] = [];
    rows.forEach(({ hash }, index) => {
      let node = hash;
      for (let size = index + 1; size % 2 === 0; size /= 2) {
        const left = roots.pop() ?? Buffer.alloc(0);
        node = createHash('sha256').update(Buffer.of(1)).update(left).update(node).digest();
      }
      roots.push(node);
    });
    await runner.query(
      `insert into audit_head (log_id, size, frontier, checkpoint, public_key, fence, writer, lease_until)
       values ($1, $2, $3, '', '', 0, gen_random_uuid(), '-infinity')`,
      [log, rows.length, Buffer.concat(roots)],
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

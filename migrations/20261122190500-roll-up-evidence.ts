import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Only the writer meets these tables, and the functions below, which run as the owner. */
const kept = (table: string, check = 'true'): string => `
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy writes on ${table} to thalamus_writer using (true) with check (${check});
grant select, insert on ${table} to thalamus_writer;
create trigger ${table}_keeps before update or delete or truncate on ${table} for each statement execute function refuse_but_roll_up();
`;

/** Rows that a roll-up may take away: the door is open to the owner, inside the functions below, and to nobody else. */
const rolled = (table: string, walled: boolean): string => `
create or replace trigger ${table}_keeps before update or delete or truncate on ${table} for each statement execute function refuse_but_roll_up();
${walled ? ownerPolicy(table) : ''}`;

const ownerPolicy = (table: string): string =>
  `create policy roll_up on ${table} to current_user using (current_setting('thalamus.roll_up', true) = 'on') with check (current_setting('thalamus.roll_up', true) = 'on');`;

/**
 * Evidence is small once it is old. Full segments of a log are packed column by column, persons behind them are found by postings, and the rows that
 * they were made of go once they are old: by a function of the owner that compares the root of the tree over what it takes away with that of the
 * segment. What is younger than six years, or held, cannot be purged; what is purged leaves its hashes, so proofs stay valid.
 */
export class RollUpEvidence20261122190500 implements MigrationInterface {
  name = 'RollUpEvidence20261122190500';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await runner.query(ROLL_UP);
    await runner.query(PURGE);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const TABLES = `
create function refuse_but_roll_up() returns trigger language plpgsql as $$
begin
  if tg_op <> 'TRUNCATE' and current_setting('thalamus.roll_up', true) = 'on'
    and current_user = (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid) then return null; end if;
  raise exception 'this table keeps what was written' using errcode = '55000';
end $$;

create table audit_segment (
  log_id text collate "C" not null, first_seq bigint not null, records int not null, first_at timestamptz not null, last_at timestamptz not null,
  run_first uuid not null, run_last uuid not null, root bytea not null, sets int not null, recipients text[] not null, purposes text[] not null,
  columns bytea, runs bytea, rest bytea, hashes bytea, cold boolean not null default false, purged_at timestamptz,
  primary key (log_id, first_seq));
create table audit_posting (
  log_id text collate "C" not null, first_seq bigint not null, person_group int not null, ordinals int[] not null, sets bytea not null,
  primary key (log_id, first_seq, person_group));
create table evidence_hold (
  hold_id uuid not null, event text not null check (event in ('placed', 'ended')), scope text not null check (scope in ('all', 'person', 'recipient', 'purpose')),
  subject text not null, by text not null, at timestamptz not null, reason text not null, primary key (hold_id, event));
alter table audit_segment alter column columns set storage external, alter column runs set storage external, alter column rest set storage external;
alter table audit_posting alter column sets set storage external;
create index lineage_plan_source on lineage_plan using gin (columns jsonb_path_ops);
${kept('audit_segment', 'not cold and purged_at is null')}${kept('audit_posting')}${kept('evidence_hold')}
${['audit_segment', 'audit_posting', 'evidence_hold'].map(ownerPolicy).join('')}
${['audit_log', 'lineage_run', 'lineage_patient_set'].map((table) => rolled(table, true)).join('')}${rolled('audit_checkpoint', false)}
`;

/** Records of the last weeks stay where they are, whatever a writer says. */
const ROLL_UP = `
create function roll_up_segment(of_log text, of_first bigint) returns int language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp set thalamus.roll_up = 'on' as $$
declare
  segment public.audit_segment;
  level bytea[];
  gone text[];
  behind bigint;
begin
  select * into segment from public.audit_segment where log_id = of_log and first_seq = of_first for update;
  if segment.log_id is null or segment.purged_at is not null then raise exception 'there is no such segment' using errcode = '55000'; end if;
  if segment.cold then return 0; end if;
  if segment.last_at > now() - interval '30 days' then raise exception 'the segment is too young' using errcode = '55000'; end if;
  behind := of_first + segment.records;
  -- A writer that commits a run about the same persons waits, and then finds their set gone.
  lock table public.lineage_run in share row exclusive mode;
  level := array(select hash from public.audit_log where log_id = of_log and seq >= of_first and seq < behind and at <= segment.last_at
    and hash = sha256('\\x00'::bytea || convert_to(record, 'UTF8')) order by seq);
  if cardinality(level) <> segment.records then raise exception 'the segment is not what the log holds' using errcode = '55000'; end if;
  while cardinality(level) > 1 loop
    level := array(select sha256('\\x01'::bytea || string_agg(h, ''::bytea order by i)) from unnest(level) with ordinality as x(h, i)
      group by (i - 1) / 2 order by (i - 1) / 2);
  end loop;
  if level[1] <> segment.root then raise exception 'the segment is not what the log holds' using errcode = '55000'; end if;
  with dropped as (
    delete from public.lineage_run r using public.audit_log a
     where a.log_id = of_log and a.seq >= of_first and a.seq < behind and r.run_id = (a.record::jsonb ->> 'run')::uuid and r.log_id = of_log
    returning r.set_digest)
  select coalesce(array_agg(distinct set_digest) filter (where set_digest is not null), '{}') into gone from dropped;
  if cardinality(gone) > segment.sets then raise exception 'the segment lacks persons' using errcode = '55000'; end if;
  delete from public.lineage_patient_set s where s.set_digest = any(gone)
    and not exists (select 1 from public.lineage_run r where r.set_digest = s.set_digest);
  -- Heads between witnessed ones prove nothing more; where keys changed all of them stay.
  if not exists (select 1 from public.audit_log where log_id = of_log and seq >= of_first and seq < behind and record like '%"kind":"log.key"%') then
    delete from public.audit_checkpoint c where c.log_id = of_log and c.size > of_first and c.size <= behind
      and not exists (select 1 from public.audit_checkpoint w where w.log_id = of_log and w.size = c.size and w.witness <> '')
      and c.size < (select max(size) from public.audit_checkpoint where log_id = of_log and size <= behind);
  end if;
  delete from public.audit_log where log_id = of_log and seq >= of_first and seq < behind;
  update public.audit_segment set cold = true where log_id = of_log and first_seq = of_first;
  return segment.records;
end $$;
revoke all on function roll_up_segment(text, bigint) from public;
grant execute on function roll_up_segment(text, bigint) to thalamus_writer;
`;

/** Six years: 45 CFR 164.316(b)(2)(i) and 164.528(a). */
const PURGE = `
create function purge_segment(of_log text, of_first bigint, leaves bytea) returns int language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp set thalamus.roll_up = 'on' as $$
declare
  segment public.audit_segment;
  level bytea[];
begin
  select * into segment from public.audit_segment where log_id = of_log and first_seq = of_first for update;
  if segment.log_id is null or not segment.cold then raise exception 'there is no such segment' using errcode = '55000'; end if;
  if segment.purged_at is not null then return 0; end if;
  if segment.last_at > now() - interval '6 years' then raise exception 'evidence is kept for six years' using errcode = '55006'; end if;
  if exists (select 1 from public.evidence_hold h where h.event = 'placed'
      and not exists (select 1 from public.evidence_hold e where e.hold_id = h.hold_id and e.event = 'ended')
      and case h.scope
        when 'recipient' then h.subject = any(segment.recipients)
        when 'purpose' then h.subject = any(segment.purposes)
        when 'person' then exists (select 1 from public.audit_posting p
          where p.log_id = of_log and p.first_seq = of_first and p.person_group = h.subject::int / 256 and h.subject::int = any(p.ordinals))
        else true end)
    then raise exception 'evidence is held' using errcode = '55006'; end if;
  if length(leaves) <> segment.records * 32 then raise exception 'the hashes are not those of the segment' using errcode = '55000'; end if;
  level := array(select substr(leaves, i * 32 + 1, 32) from generate_series(0, segment.records - 1) i order by i);
  while cardinality(level) > 1 loop
    level := array(select sha256('\\x01'::bytea || string_agg(h, ''::bytea order by i)) from unnest(level) with ordinality as x(h, i)
      group by (i - 1) / 2 order by (i - 1) / 2);
  end loop;
  if level[1] <> segment.root then raise exception 'the hashes are not those of the segment' using errcode = '55000'; end if;
  delete from public.audit_posting where log_id = of_log and first_seq = of_first;
  update public.audit_segment set columns = null, runs = null, rest = null, hashes = leaves, purged_at = now() where log_id = of_log and first_seq = of_first;
  return segment.records;
end $$;
revoke all on function purge_segment(text, bigint, bytea) from public;
grant execute on function purge_segment(text, bigint, bytea) to thalamus_writer;
`;

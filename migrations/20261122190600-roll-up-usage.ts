import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What questions about lineage are answered from: which plan who ran on which day, which file made which version of a dataset, and which run trained or
 * used which model. A run counts where it was answered. It is brought up to date when it is asked, so that writing a run costs nothing more.
 */
const TABLES = `
create table lineage_usage (
  plan_digest text collate "C" not null, day date not null, principal text collate "C" not null, purpose text collate "C" not null, roles text[] not null,
  log_id text collate "C" not null, runs bigint not null, persons bigint not null, persons_most int not null, first_at timestamptz not null,
  last_at timestamptz not null, last_run uuid not null, primary key (plan_digest, day, principal, purpose, roles, log_id)) with (fillfactor = 70);
create index lineage_usage_principal on lineage_usage (principal, plan_digest);
create index lineage_usage_day on lineage_usage (day);
create table lineage_load (
  dataset text collate "C" not null, version bigint not null, digest text collate "C" not null, run_id uuid not null, at timestamptz not null,
  principal text collate "C" not null, product text, primary key (dataset, version, digest, run_id));
create index lineage_load_digest on lineage_load (digest);
create index lineage_load_run on lineage_load (run_id);
create table lineage_model (
  model_id text collate "C" not null, model_version text collate "C" not null, act text not null check (act in ('train', 'run')),
  plan_digest text collate "C" not null, day date not null, principal text collate "C" not null, log_id text collate "C" not null,
  runs bigint not null, first_at timestamptz not null, last_at timestamptz not null, last_run uuid not null,
  primary key (model_id, model_version, act, plan_digest, day, principal, log_id)) with (fillfactor = 70);
create index lineage_model_plan on lineage_model (plan_digest);
create table lineage_usage_mark (log_id text collate "C" primary key, next_seq bigint not null, upto bigint not null);
create index lineage_run_log on lineage_run (log_id, log_seq);
grant select, insert, update, delete on lineage_usage to thalamus_writer;
grant select, insert, update on lineage_load, lineage_model, lineage_usage_mark to thalamus_writer;
`;

/** A file that left has no plan; it counts under its own name. */
const usage = (from: string): string => `
  insert into public.lineage_usage as u (plan_digest, day, principal, purpose, roles, log_id, runs, persons, persons_most, first_at, last_at, last_run)
  select coalesce(plan_digest, 'file'), (at at time zone 'UTC')::date, principal, purpose, roles, log_id, count(*), sum(patients), max(patients),
    min(at), max(at), (array_agg(run_id order by at desc, log_seq desc))[1]
  from ${from}
  where kind in ('query', 'mutation', 'export', 'replay') and code is null
    and (plan_digest is not null or (facts->>'file' is not null and facts->>'status' in ('200', '206')))
  group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
  on conflict (plan_digest, day, principal, purpose, roles, log_id) do update set runs = u.runs + excluded.runs, persons = u.persons + excluded.persons,
    persons_most = greatest(u.persons_most, excluded.persons_most), first_at = least(u.first_at, excluded.first_at),
    last_run = case when excluded.last_at >= u.last_at then excluded.last_run else u.last_run end, last_at = greatest(u.last_at, excluded.last_at);`;

const loads = (from: string): string => `
  insert into public.lineage_load (dataset, version, digest, run_id, at, principal, product)
  select v.key, v.value::bigint, result_digest, run_id, at, principal, facts->>'product'
  from ${from} cross join lateral jsonb_each_text(versions) v
  where kind = 'ingest' and code is null and result_digest is not null on conflict do nothing;`;

/** Only a training says whether its version was known. */
const models = (from: string): string => `
  insert into public.lineage_model as m (model_id, model_version, act, plan_digest, day, principal, log_id, runs, first_at, last_at, last_run)
  select facts->'model'->>'id', facts->'model'->>'version', case when facts->'model' ? 'known' then 'train' else 'run' end, plan_digest,
    (at at time zone 'UTC')::date, principal, log_id, count(*), min(at), max(at), (array_agg(run_id order by at desc, log_seq desc))[1]
  from ${from}
  where kind in ('query', 'mutation') and code is null and plan_digest is not null and facts->'model'->>'id' is not null and facts->'model'->>'version' is not null
  group by 1, 2, 3, 4, 5, 6, 7 order by 1, 2, 3, 4, 5, 6, 7
  on conflict (model_id, model_version, act, plan_digest, day, principal, log_id) do update set runs = m.runs + excluded.runs,
    first_at = least(m.first_at, excluded.first_at),
    last_run = case when excluded.last_at >= m.last_at then excluded.last_run else m.last_run end, last_at = greatest(m.last_at, excluded.last_at);`;

/** Runs that were written since: the head of a log moves with its runs, so whatever lies below it is there. */
const FRESH = `(select r.* from public.lineage_run r join public.lineage_usage_mark m on r.log_id = m.log_id and r.log_seq >= m.next_seq and r.log_seq < m.upto) fresh`;

const CATCH_UP = `
create function catch_up_usage() returns void language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('lineage usage', 6));
  insert into public.lineage_usage_mark as m (log_id, next_seq, upto) select log_id, 0, size from public.audit_head
    on conflict (log_id) do update set upto = excluded.upto where m.upto <> excluded.upto;${usage(FRESH)}${loads(FRESH)}${models(FRESH)}
  update public.lineage_usage_mark set next_seq = upto where next_seq <> upto;
end $$;
`;

/** Usage of plans, files and models by day. */
export class RollUpUsage20261122190600 implements MigrationInterface {
  name = 'RollUpUsage20261122190600';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`${TABLES}${CATCH_UP}`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

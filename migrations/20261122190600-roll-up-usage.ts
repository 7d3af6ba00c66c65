import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What questions about lineage are answered from, kept while runs are written: which plan who ran on which day, which file made which version of a
 * dataset, and which run trained or used which model. A run counts where it was answered. One row a log, so that two writers never wait for each other.
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
grant select on lineage_usage, lineage_load, lineage_model to thalamus_writer;
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

const ROLL_UP = `
create function roll_up_usage() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin${usage('fresh')}${loads('fresh')}${models('fresh')}
  return null;
end $$;
create trigger lineage_run_rolls_up after insert on lineage_run referencing new table as fresh for each statement execute function roll_up_usage();
revoke execute on function roll_up_usage() from public;
`;

/** Usage of plans, files and models by day. */
export class RollUpUsage20261122190600 implements MigrationInterface {
  name = 'RollUpUsage20261122190600';

  async up(runner: QueryRunner): Promise<void> {
    const past = [usage, loads, models].map((of) => of('lineage_run')).join('');
    await runner.query(
      `${TABLES}alter table lineage_run no force row level security;${past}\nalter table lineage_run force row level security;${ROLL_UP}`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

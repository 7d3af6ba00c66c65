import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appendOnly, versioned } from './sql.js';

/** Tables that pipelines write and that answers are read from. Evidence only grows, and books of ingestion are no answer. */
const VERSIONED = [
  'patient',
  'identity_key',
  'consent',
  'consent_effect',
  'condition',
  'observation',
  'fhir_resource',
  'callset',
  'sample_index',
  'variant',
  'genotype_block',
  'imaging_study',
  'imaging_series',
  'imaging_instance',
  'note',
  'note_section',
  'note_concept',
  'wear_chunk',
  'wear_device',
];

/** Those whose rows name a person and the file that they came from. */
const SOURCED = VERSIONED.filter((table) => !['consent_effect', 'callset', 'variant', 'genotype_block'].includes(table));

/**
 * Changes and the versions that they made. A change is one transaction; its number is given when it begins, from a supply of each connection, so numbers are not in the order of
 * commits, and only the version says what came later. Change 0 stands for all that was written before changes were kept.
 */
const CHANGES = `
create sequence change_seq as bigint cache 100;
grant usage on sequence change_seq to thalamus_writer;
create table dataset_change (
  dataset text collate "C" not null, version bigint not null, change bigint not null, at timestamptz not null, primary key (dataset, version));
create index dataset_change_change on dataset_change (change);
${appendOnly('dataset_change')}
insert into dataset_change select dataset, version, 0, at from dataset_version;
create schema history;
create schema asof;
grant usage on schema history to thalamus_reader, thalamus_writer;
grant usage on schema asof to thalamus_reader;
`;

/**
 * A statement outside pipelines (an owner's correction, a migration) is a change too: the first one of its transaction draws the number, and the
 * version of each table is raised before its rows are written. Pipelines draw theirs with BEGIN and raise versions last.
 */
const BEGIN_CHANGE = `
create function history.begin_change() returns trigger language plpgsql as $$
begin
  if coalesce(current_setting('thalamus.change', true), '') = '' then
    perform set_config('thalamus.change', nextval('public.change_seq')::text, true), set_config('thalamus.change_of', 'statement', true);
  end if;
  if current_setting('thalamus.change_of', true) = 'statement' and not exists (
    select from public.dataset_change where dataset = tg_table_name and change = current_setting('thalamus.change')::bigint) then
    with raised as (
      insert into public.dataset_version (dataset, version, at) values (tg_table_name, 1, now())
      on conflict (dataset) do update set version = dataset_version.version + 1, at = excluded.at returning dataset, version, at)
    insert into public.dataset_change (dataset, version, change, at)
      select dataset, version, current_setting('thalamus.change')::bigint, at from raised;
  end if;
  return null;
end $$;
create function history.refuse_truncate() returns trigger language plpgsql as $$
begin raise exception 'this table keeps its versions: delete its rows' using errcode = '55000'; end $$;
`;

/** The row that a statement replaces or removes goes to the twin, but for one that the same change made, which nobody ever saw. */
const KEEP = `
create function history.%1$I() returns trigger language plpgsql as $keep$
declare this constant bigint := current_setting('thalamus.change')::bigint;
begin
  if current_setting('thalamus.erasing', true) = 'on' then
    if tg_op = 'DELETE' then return old; end if;
    return new;
  end if;
  if tg_op = 'UPDATE' then
    if record_image_eq(row(%3$s), row(%4$s)) then
      new.changed_in := old.changed_in;
      return new;
    end if;
    new.changed_in := this;
  end if;
  if old.changed_in is distinct from this then
    insert into history.%2$I (%5$s, ended_in) values (%6$s, this);
  end if;
  if tg_op = 'DELETE' then return old; end if;
  return new;
end $keep$`;

/** Changes of the table that are later than the version asked; none where none is asked. */
const LATER = `select d.change from public.dataset_change d where d.dataset = %2$L
  and d.version > (nullif(current_setting('thalamus.asof', true), '')::jsonb ->> %2$L)::bigint`;

const VIEW = `create view asof.%1$I with (security_invoker = true) as
select %3$s from public.%1$I t where (t.changed_in in (${LATER})) is not true
union all
select %4$s from history.%1$I h where (h.changed_in in (${LATER})) is not true and h.ended_in in (${LATER})`;

/** Columns of the twin follow those of the table: rows of the past get the same default as rows of the present did. */
const TWIN_COLUMNS = `
  for part in
    select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attcollation as collation, c.collname,
           case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as initial,
           (select format_type(h.atttypid, h.atttypmod) from pg_attribute h where h.attrelid = twin and h.attname = a.attname and not h.attisdropped) as held
      from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      left join pg_collation c on c.oid = a.attcollation
     where a.attrelid = base and a.attnum > 0 and not a.attisdropped and a.attname <> 'changed_in' order by a.attnum
  loop
    if part.held is null then
      execute format('alter table %s add column %I %s %s %s', twin, part.name, part.type,
        case when part.collation <> 0 then format('collate %I', part.collname) end, 'default ' || part.initial);
    elsif part.held <> part.type then
      raise exception 'the twin of % holds column % as another type', name, part.name;
    end if;
  end loop;
  for part in select attname as name, atthasdef and attgenerated = '' as defaulted, attnotnull from pg_attribute
     where attrelid = twin and attnum > 0 and not attisdropped and attname <> 'ended_in' and (attnotnull or atthasdef)
  loop
    execute format('alter table %s alter column %I drop not null', twin, part.name);
    if part.defaulted then execute format('alter table %s alter column %I drop default', twin, part.name); end if;
  end loop;`;

/** The same wall stands around the twin. A policy that takes the whole row of its table gets that of the twin as the same type. */
const TWIN_WALL = `
  select relrowsecurity as secured, relforcerowsecurity as forced into part from pg_class where oid = base;
  if part.secured then execute format('alter table %s enable row level security', twin); end if;
  if part.forced then execute format('alter table %s force row level security', twin); end if;
  for part in select policyname as name from pg_policies where schemaname = 'history' and tablename = make_versioned.name loop
    execute format('drop policy %I on %s', part.name, twin);
  end loop;
  whole := format('row(%s)::%s', (select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
    where attrelid = base and attnum > 0 and not attisdropped), base);
  for part in select * from pg_policies where schemaname = 'public' and tablename = make_versioned.name loop
    execute format('create policy %I on %s as %s for %s to %s', part.policyname, twin, part.permissive, part.cmd,
        (select string_agg(quote_ident(role), ', ') from unnest(part.roles) as role))
      || coalesce(' using (' || replace(part.qual, name || '.*', whole) || ')', '')
      || coalesce(' with check (' || replace(part.with_check, name || '.*', whole) || ')', '');
  end loop;
  execute format('grant select on %s to thalamus_reader', twin);
  execute format('grant select, insert, update, delete on %s to thalamus_writer', twin);`;

const MAKE_VERSIONED = `
create function make_versioned(name text) returns void language plpgsql set search_path = pg_catalog, public as $make$
declare
  base regclass := format('public.%I', name)::regclass;
  twin regclass;
  part record;
  keys text[];
  columns text[];
  compared text[];
  keeper text := 'keep_' || name;
  whole text;
begin
  if not exists (select from pg_attribute where attrelid = base and attname = 'changed_in' and not attisdropped) then
    execute format('alter table %s add column changed_in bigint', base);
    execute format($x$alter table %s alter column changed_in set default nullif(current_setting('thalamus.change', true), '')::bigint$x$, base);
  end if;
  if to_regclass(format('history.%I', name)) is null then
    execute format('create table history.%I (like %s including storage including compression)', name, base);
    execute format('alter table history.%I add column ended_in bigint not null', name);
  end if;
  twin := format('history.%I', name)::regclass;
${TWIN_COLUMNS}
  select array_agg(a.attname::text order by k.n) into keys from pg_index i cross join unnest(i.indkey) with ordinality as k(attnum, n)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum where i.indrelid = base and i.indisprimary;
  execute format('drop index if exists history.%I', name || '_key');
  execute format('create index %I on %s (%s)', name || '_key', twin, (select string_agg(quote_ident(k), ', ' order by n) from unnest(keys) with ordinality as u(k, n)));
  if keys[1] <> 'patient_id' and exists (select from pg_attribute where attrelid = base and attname = 'patient_id' and not attisdropped) then
    execute format('create index if not exists %I on %s (patient_id)', name || '_patient', twin);
  end if;
${TWIN_WALL}
  select array_agg(attname::text order by attnum), array_agg(attname::text order by attnum) filter (where attgenerated = '' and attname <> 'changed_in')
    into columns, compared from pg_attribute where attrelid = base and attnum > 0 and not attisdropped;
  execute format('drop function if exists history.%I() cascade', keeper);
  execute format($x$${KEEP}$x$, keeper, name,
    (select string_agg(format('old.%I', c), ', ' order by n) from unnest(compared) with ordinality as u(c, n)),
    (select string_agg(format('new.%I', c), ', ' order by n) from unnest(compared) with ordinality as u(c, n)),
    (select string_agg(quote_ident(c), ', ' order by n) from unnest(columns) with ordinality as u(c, n)),
    (select string_agg(format('old.%I', c), ', ' order by n) from unnest(columns) with ordinality as u(c, n)));
  execute format('create trigger %I before update or delete on %s for each row execute function history.%I()', name || '_versions', base, keeper);
  execute format('create or replace trigger %I before insert or update or delete on %s for each statement '
    'when (coalesce(current_setting(''thalamus.change'', true), '''') = '''' or current_setting(''thalamus.change_of'', true) = ''statement'') '
    'execute function history.begin_change()', name || '_change', base);
  execute format('create or replace trigger %I before truncate on %s for each statement execute function history.refuse_truncate()', name || '_truncate', base);
  execute format('drop view if exists asof.%I', name);
  execute format($x$${VIEW}$x$, name, name,
    (select string_agg(format('t.%I', c), ', ' order by n) from unnest(columns) with ordinality as u(c, n)),
    (select string_agg(format('h.%I', c), ', ' order by n) from unnest(columns) with ordinality as u(c, n)));
  execute format('grant select on asof.%I to thalamus_reader', name);
end $make$;
revoke execute on function make_versioned(text) from public;
`;

/** Beside the data: the versions themselves, and glass that was ended after the present of the session. */
const BOOKS = `
create view asof.dataset_version with (security_invoker = true) as
select v.dataset, coalesce(asked.version, v.version) as version,
       coalesce((select d.at from public.dataset_change d where d.dataset = v.dataset and d.version = asked.version), v.at) as at
  from public.dataset_version v
 cross join lateral (select (nullif(current_setting('thalamus.asof', true), '')::jsonb ->> v.dataset)::bigint as version) asked
 where asked.version is distinct from 0;
create view asof.break_glass_event with (security_invoker = true) as
select e.* from public.break_glass_event e
 where e.at <= coalesce(nullif(current_setting('thalamus.asof_now', true), '')::timestamptz, 'infinity');
grant select on asof.dataset_version, asof.break_glass_event to thalamus_reader;
`;

/** Which persons a file told of, also where its rows were there already: what an erasure has to look at. */
const SOURCES = `
create table source_person (patient_id uuid not null, digest text collate "C" not null, primary key (patient_id, digest));
create index source_person_digest on source_person (digest);
alter table source_person enable row level security;
alter table source_person force row level security;
create policy writes on source_person to thalamus_writer using (true) with check (true);
grant select, insert, delete on source_person to thalamus_writer;
alter table source_person no force row level security;
${SOURCED.map(
  (table) => `alter table ${table} no force row level security;
insert into source_person select distinct patient_id, source_digest from ${table} where patient_id is not null on conflict do nothing;
alter table ${table} force row level security;`,
).join('\n')}
alter table source_person force row level security;
`;

/** Of an event of identity one thing may change: the digest of an identifier is forgotten. */
const FORGETTING = `
create function refuse_all_but_forgetting() returns trigger language plpgsql as $$
begin
  if row(new.event_id, new.at, new.kind, new.patient_id, new.issuer, new.value_digest, new.basis, new.actor)
     is distinct from row(old.event_id, old.at, old.kind, old.patient_id, old.issuer, null::text, old.basis, old.actor) then
    raise exception 'this table keeps what was written' using errcode = '55000';
  end if;
  return new;
end $$;
drop trigger identity_event_keeps on identity_event;
create trigger identity_event_keeps before delete or truncate on identity_event for each statement execute function refuse_change();
create trigger identity_event_forgets before update on identity_event for each row execute function refuse_all_but_forgetting();
create index identity_event_patient on identity_event (patient_id);
grant update (value_digest) on identity_event to thalamus_writer;
`;

/** Every past state of the data can be read again, by the version that an answer names; and a person can be taken out of all of them. */
export class VersionData20261122190100 implements MigrationInterface {
  name = 'VersionData20261122190100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query([CHANGES, BEGIN_CHANGE, SOURCES, MAKE_VERSIONED, ...VERSIONED.map(versioned), BOOKS, FORGETTING].join('\n'));
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

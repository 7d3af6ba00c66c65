/** Pieces that every migration uses. Statements are forward-only and may be run again. */

/**
 * The second wall: row level security that holds for the owner too. The reader sees rows of the sites and up to the confidentiality
 * that the transaction names with SET LOCAL, and none when it names nothing; the writer of pipelines sees all rows and owns none.
 * Policies read the row's own columns only, which keeps them valid on Citus.
 */
export function secure(table: string): string {
  return `
alter table ${table} enable row level security;
alter table ${table} force row level security;
drop policy if exists reads on ${table};
create policy reads on ${table} for select to thalamus_reader using (
  (current_setting('thalamus.sites', true) = '*' or site_id = any(string_to_array(current_setting('thalamus.sites', true), ',')))
  and sensitivity <= coalesce(nullif(current_setting('thalamus.clearance', true), ''), '-1')::int);
drop policy if exists writes on ${table};
create policy writes on ${table} to thalamus_writer using (true) with check (true);
grant select on ${table} to thalamus_reader;
grant select, insert, update, delete on ${table} to thalamus_writer;
`;
}

/**
 * The wall with a door: besides rows of the sites and confidentiality that a transaction names, the reader sees those of persons for
 * whom the glass is broken. The transaction sets them from break_glass, for its own caller only.
 */
export function underGlass(table: string): string {
  return `
alter policy reads on ${table} using (
  ((current_setting('thalamus.sites', true) = '*' or site_id = any(string_to_array(current_setting('thalamus.sites', true), ',')))
  and sensitivity <= coalesce(nullif(current_setting('thalamus.clearance', true), ''), '-1')::int)
  or patient_id = any(string_to_array(coalesce(current_setting('thalamus.glass', true), ''), ',')::uuid[]));
`;
}

/** A table without persons: read by both roles, written by pipelines. */
export function open(table: string): string {
  return `
grant select on ${table} to thalamus_reader;
grant select, insert, update, delete on ${table} to thalamus_writer;
`;
}

/** A table that only ever grows. */
export function appendOnly(table: string): string {
  return `
grant select on ${table} to thalamus_reader;
grant select, insert on ${table} to thalamus_writer;
create or replace trigger ${table}_keeps before update or delete or truncate on ${table}
  for each statement execute function refuse_change();
`;
}

/**
 * A table whose past states can be read: makes or brings up to date its twin in `history`, the triggers that fill it, and its view in `asof`,
 * all from the catalogue. A later migration that changes the columns or the policies of such a table calls it again at its end; one that also
 * rewrites rows must lift forced row level security from the twin for that time, as from the table itself.
 */
export function versioned(table: string): string {
  return `select make_versioned('${table}');\n`;
}

/** Columns of every row about a person: whose, where, how confidential, and from which record of which file. */
export const person = `
  patient_id uuid not null,
  site_id text collate "C" not null,
  sensitivity smallint not null default 0,
  source_digest text collate "C" not null,
  source_ordinal int not null`;

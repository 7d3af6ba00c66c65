import { CodedError, isUuid, type Erase } from '../kernel/index.js';
import type { ObjectStore } from './objects.js';
import type { WriteStore, WriteTransaction } from './pipeline-store.js';

/** What an erasure did. Names and numbers only. */
export interface Erasure {
  /** Rows deleted or rewritten, by table; twins of past rows as `history.<table>`. */
  readonly rows: Readonly<Record<string, number>>;
  /** Tables that only ever grow and still hold the person's identifier, which now leads nowhere. */
  readonly kept: readonly string[];
  readonly files: {
    /** Files that told of this person alone: they are gone, with their names. */
    readonly removed: readonly string[];
    /** Files that tell, or may tell, of others too: they remain and must be brought in again without the person. */
    readonly shared: readonly string[];
  };
  /** Versions that the tables have from this transaction on. */
  readonly versions: Readonly<Record<string, number>>;
}

export interface ErasureOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What the products declare for rows that hold many persons each. */
  readonly erase: readonly Erase[];
}

interface PersonTable {
  readonly schema: 'public' | 'history';
  readonly name: string;
  readonly writable: boolean;
  readonly sourced: boolean;
  readonly unlinked: boolean;
}

/** Every table with a column patient_id, by the catalogue: a table that is made tomorrow is on the list. */
const PERSON_TABLES = `select n.nspname as schema, c.relname as name,
    has_table_privilege(c.oid, 'delete') as writable, s.attname is not null as sourced, not p.attnotnull and s.attname is not null as unlinked
  from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('public', 'history')
  join pg_attribute p on p.attrelid = c.oid and p.attname = 'patient_id' and not p.attisdropped
  left join pg_attribute s on s.attrelid = c.oid and s.attname = 'source_digest' and not s.attisdropped
 where c.relkind in ('r', 'p') order by n.nspname desc, c.relname`;

/** Records that were refused without knowing whose they are. */
const WHOSE_UNKNOWN = ['PATIENT_UNKNOWN', 'IDENTITY_CONTESTED'];

const pathOf = ({ schema, name }: PersonTable): string => (schema === 'public' ? `"${name}"` : `${schema}."${name}"`);
const labelOf = ({ schema, name }: PersonTable): string => (schema === 'public' ? name : `${schema}.${name}`);

/**
 * Takes a person out of every table, every past version and the raw files, in one transaction: either all of it is gone or nothing. Files go last
 * before the commit, so an erasure that was cut off still finds the person and may be run again. Free pages and the log of the database
 * server are overwritten in its own time. Throws NOT_FOUND for no UUID.
 */
export async function erasePerson(store: WriteStore, patientId: string, options: ErasureOptions): Promise<Erasure> {
  if (!isUuid(patientId)) throw new CodedError('NOT_FOUND', 'There is no such patient.');
  return store.transaction((tx) => eraseIn(tx, store.objects, patientId, options));
}

async function eraseIn(tx: WriteTransaction, objects: ObjectStore, patientId: string, options: ErasureOptions): Promise<Erasure> {
  await tx.query(`select set_config('thalamus.erasing', 'on', true), pg_advisory_xact_lock(hashtextextended('identity', 1))`);
  const tables = await tx.query<PersonTable>(PERSON_TABLES);
  const digests = await digestsOf(tx, tables, patientId);
  const shared = new Set(await sharedOf(tx, tables, digests, patientId));
  const removed = digests.filter((digest) => !shared.has(digest));
  const rows: Record<string, number> = {};
  const add = (table: string, count: number): void => {
    if (count > 0) rows[table] = (rows[table] ?? 0) + count;
  };
  for (const erase of options.erase) {
    for (const [table, count] of Object.entries(await erase(tx, patientId))) add(table, count);
  }
  for (const table of tables.filter((each) => each.writable)) {
    const gone = await tx.query(`delete from ${pathOf(table)} where patient_id = $1 returning 1`, [patientId]);
    add(labelOf(table), gone.length);
  }
  add('identity_event', await forgetKeys(tx, patientId));
  add('quarantine', await forgetRefused(tx, digests));
  await removeFiles(tx, objects, removed);
  const versions = await raise(tx, Object.keys(rows), new Date(options.now).toISOString());
  const kept = tables.filter((table) => !table.writable).map(labelOf);
  return { rows, kept, files: { removed, shared: [...shared] }, versions };
}

/** Files of which a load told that they hold the person, and those that rows name. */
async function digestsOf(tx: WriteTransaction, tables: readonly PersonTable[], patientId: string): Promise<string[]> {
  const named = tables.filter((table) => table.sourced).map((table) => `select source_digest from ${pathOf(table)} where patient_id = $1`);
  const found = await tx.query<{ digest: string }>(
    `select digest from source_person where patient_id = $1 union ${named.join(' union ')} order by 1`,
    [patientId],
  );
  return found.map((row) => row.digest);
}

async function sharedOf(
  tx: WriteTransaction,
  tables: readonly PersonTable[],
  digests: readonly string[],
  patientId: string,
): Promise<string[]> {
  // Rows of a person whom nobody knows yet.
  const unlinked = tables.filter((table) => table.schema === 'public' && table.unlinked);
  const waiting = unlinked.map(
    (table) => `or exists (select 1 from ${pathOf(table)} t where t.source_digest = q.digest and t.patient_id is null)`,
  );
  const found = await tx.query<{ digest: string }>(
    `select q.digest from unnest($1::text[]) as q (digest)
      where exists (select 1 from source_person s where s.digest = q.digest and s.patient_id <> $2)
         or exists (select 1 from quarantine r where r.digest = q.digest and r.code = any($3)) ${waiting.join(' ')} order by 1`,
    [digests, patientId, WHOSE_UNKNOWN],
  );
  return found.map((row) => row.digest);
}

/** A digest of an identifier can be found again by trying identifiers; the event itself stays. */
async function forgetKeys(tx: WriteTransaction, patientId: string): Promise<number> {
  const text = 'update identity_event set value_digest = null where patient_id = $1 and value_digest is not null returning 1';
  return (await tx.query(text, [patientId])).length;
}

/** Refused records keep the beginning of their bytes, which may be the person's. */
async function forgetRefused(tx: WriteTransaction, digests: readonly string[]): Promise<number> {
  const text = 'update quarantine set bytes = null where digest = any($1::text[]) and bytes is not null returning 1';
  return (await tx.query(text, [digests])).length;
}

/** The books forget the files too, so that the same bytes may be brought in again as new ones. */
async function removeFiles(tx: WriteTransaction, objects: ObjectStore, digests: readonly string[]): Promise<void> {
  await tx.query('delete from ingest_checkpoint where digest = any($1::text[])', [digests]);
  const names = await tx.query<{ name_digest: string }>(
    `with gone as (delete from raw_file where digest = any($1::text[]) returning name_digest)
     select distinct g.name_digest from gone g
      where not exists (select 1 from raw_file r where r.name_digest = g.name_digest and r.digest <> all($1::text[]))`,
    [digests],
  );
  for (const digest of [...digests, ...names.map((row) => row.name_digest)]) await objects.remove(digest);
}

async function raise(tx: WriteTransaction, touched: readonly string[], at: string): Promise<Record<string, number>> {
  const rows = await tx.query<{ dataset: string; version: number }>(
    `with raised as (
       update dataset_version v set version = version + 1, at = $2
         from (select dataset from dataset_version where dataset = any($1::text[]) order by dataset for update) o
        where v.dataset = o.dataset returning v.dataset, v.version, v.at),
     changed as (
       insert into dataset_change (dataset, version, change, at)
       select dataset, version, current_setting('thalamus.change')::bigint, at from raised)
     select dataset, version from raised`,
    [touched, at],
  );
  return Object.fromEntries(rows.map((row) => [row.dataset, row.version]));
}

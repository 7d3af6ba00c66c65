import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { CodedError } from '../kernel/error.js';
import { codeOf } from './engines/engine.js';
import { WRITER_ROLE } from './pool.js';

/** What was cleared, and what only an operator can clear. Names and numbers only. */
export interface Scrub {
  /** Tables that were written anew, without what was deleted. */
  readonly tables: number;
  /** True where statistics of columns, which hold values of rows, were taken anew and the old ones are gone. */
  readonly statistics: boolean;
  readonly wal: {
    /** Segments that are gone; null where this user may not see them. */
    readonly removed: number | null;
    /** Segments from before or of unknown content that are still there. */
    readonly left: number | null;
  };
  /** What is left to do by whoever runs the server, its backups and its disks. */
  readonly operator: readonly string[];
}

export interface ScrubOptions {
  /** Qualified names; every table in which rows are ever changed or deleted when not given. */
  readonly tables?: readonly string[];
  /** Milliseconds to wait for transactions that began earlier, and for each lock. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 30_000;
const LOOK_MS = 50;
/** Segments of the log that are passed through so that recycled ones are overwritten. */
const SEGMENTS_MAX = 80;
const TURNS_MAX = 3;
const NOT_ALLOWED = '42501';

/** Tables that only ever grow hold no deleted rows, so they need not be locked. */
const CHANGING = `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and (n.nspname = 'history' or n.nspname = 'public' and has_table_privilege('${WRITER_ROLE}', c.oid, 'update, delete'))
  order by n.nspname desc, c.relname`;

/** Statistics of a table that has become empty stay as they were, however often it is analysed. */
const FORGET_EMPTY = `delete from pg_statistic s using pg_class t left join pg_index i on i.indrelid = t.oid
  where t.relnamespace in ('public'::regnamespace, 'history'::regnamespace) and t.relkind in ('r', 'p') and t.reltuples = 0
    and s.starelid in (t.oid, i.indexrelid)`;

/**
 * Leaves nothing of deleted rows in the files of the database: tables are written anew with their indexes and TOAST, statistics are taken anew (they hold
 * the most common values as they are), and the write-ahead log of before is removed. Tables are locked one at a time. May be repeated at will.
 * Throws UNAVAILABLE where a transaction from before does not end or a lock is not given in time.
 */
export async function scrub(owner: Pool, options: ScrubOptions = {}): Promise<Scrub> {
  const patience = options.patienceMs ?? PATIENCE_MS;
  const client = await owner.connect();
  try {
    await client.query(`set lock_timeout = ${String(Math.trunc(patience))}`);
    const tables = options.tables ?? (await client.query<{ name: string }>(CHANGING)).rows.map((row) => row.name);
    await untilOldEnded(client, patience);
    for (const table of tables) await client.query(`vacuum (full, analyze) ${table}`);
    const emptied = await allowed(() => client.query(FORGET_EMPTY));
    await untilOldEnded(client, patience);
    // The owner of the database may, too; others are passed over with a warning, and have no emptied statistics either.
    for (const table of ['pg_statistic', 'pg_statistic_ext_data']) await client.query(`vacuum (full) pg_catalog.${table}`);
    const wal = (await allowed(() => clearWal(client))) ?? { removed: null, left: null };
    const operator = await leftToOperator(client, emptied !== null, wal);
    return { tables: tables.length, statistics: emptied !== null, wal, operator };
  } catch (error) {
    if (codeOf(error) !== '55P03') throw error;
    throw new CodedError('UNAVAILABLE', 'A table is in use for too long to be scrubbed.', { cause: error });
  } finally {
    await client.query('reset lock_timeout').catch(() => undefined);
    client.release();
  }
}

/** Rows that some older transaction may still see are copied along, so such transactions have to end first. */
async function untilOldEnded(client: PoolClient, patience: number): Promise<void> {
  const { rows } = await client.query<{ horizon: string }>('select pg_current_xact_id()::xid::text as horizon');
  for (let waited = 0; ; waited += LOOK_MS) {
    const older = await client.query(
      `select 1 from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()
         and greatest(age(backend_xmin), age(backend_xid)) > age($1::xid)
       union all select 1 from pg_prepared_xacts where database = current_database()
       union all select 1 from pg_replication_slots where greatest(age(xmin), age(catalog_xmin)) > age($1::xid)`,
      [rows[0]?.horizon],
    );
    if (older.rowCount === 0) return;
    if (waited >= patience) throw new CodedError('UNAVAILABLE', 'A transaction or replication slot from before the erasure is still open.');
    await sleep(LOOK_MS);
  }
}

/** Null where this user may not; the operator is told. */
async function allowed<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (codeOf(error) === NOT_ALLOWED) return null;
    throw error;
  }
}

interface Segments {
  readonly before: number;
  readonly ahead: number;
}

/** Segments before the present one, and those ahead of it: recycled ones, which hold what they held until they are written again. */
async function segments(client: PoolClient): Promise<Segments> {
  const { rows } = await client.query<Segments>(
    `with now as (select pg_walfile_name(pg_current_wal_lsn()) as name)
     select count(*) filter (where w.name < now.name)::int as before, count(*) filter (where w.name > now.name)::int as ahead
       from pg_ls_waldir() w, now where w.name ~ '^[0-9A-F]{24}$'`,
  );
  return rows[0] ?? { before: 0, ahead: 0 };
}

/** Switches past what was recycled earlier, then lets a checkpoint remove what lies behind it. */
async function clearWal(client: PoolClient): Promise<{ removed: number; left: number }> {
  const first = await segments(client);
  let now = first;
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    for (let passed = 0; passed <= Math.min(now.ahead, SEGMENTS_MAX); passed += 1) {
      // A switch at the very beginning of a segment does nothing.
      await client.query('select pg_current_xact_id()');
      await client.query('select pg_switch_wal()');
    }
    await client.query('checkpoint');
    now = await segments(client);
    if (now.before + now.ahead === 0) break;
  }
  const left = now.before + now.ahead;
  return { removed: Math.max(0, first.before + first.ahead + 1 - left), left };
}

async function leftToOperator(client: PoolClient, statistics: boolean, wal: Scrub['wal']): Promise<string[]> {
  const { rows } = await client.query<Record<'recycles' | 'archives' | 'followed' | 'logs', boolean>>(
    `select current_setting('wal_recycle') = 'on' as recycles, current_setting('archive_mode') <> 'off' as archives,
       exists (select from pg_replication_slots) or exists (select from pg_stat_replication) as followed,
       current_setting('log_statement') in ('mod', 'all') or current_setting('log_min_duration_statement') <> '-1'
         or current_setting('log_error_verbosity') <> 'terse' or current_setting('log_min_error_statement') not in ('fatal', 'panic') as logs`,
  );
  const is = rows[0];
  const found: [boolean, string][] = [
    [
      !statistics,
      'As a superuser, delete the rows of pg_statistic of tables that have become empty, and run VACUUM FULL on it: it holds values of columns.',
    ],
    [wal.left !== 0, 'Run CHECKPOINT and pg_switch_wal() as a superuser, with wal_recycle off, until older segments in pg_wal are gone.'],
    [is?.recycles === true, 'Turn wal_recycle off and scrub again: recycled segments of the write-ahead log keep what they held.'],
    [is?.archives === true, 'Delete archived segments of the write-ahead log from before this moment, and take a new base backup.'],
    [is?.followed === true, 'Standbys and subscribers keep their own write-ahead logs: checkpoint them too.'],
    [is?.logs === true, 'The log of the database server may hold values of statements and errors: delete what is older than this moment.'],
    [
      true,
      'Delete backups, snapshots and copies of the data folder from before this moment, and keep those of the person keys apart from the rest.',
    ],
    [true, 'File systems and disks keep freed blocks until they are overwritten: use an encrypted volume.'],
  ];
  return found.flatMap(([holds, words]) => (holds ? [words] : []));
}

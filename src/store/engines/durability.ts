import type { PoolConfig } from 'pg';
import { Client } from 'pg';
import { CodedError } from '../../kernel/error.js';

const OLDEST_VERSION = 150_000;

/**
 * Refuses a server that may lose what it acknowledged (spec/pipelines.md P45): audit and patient data are written
 * only with fsync and full_page_writes on and synchronous_commit not off. `remote_*` and `local` flush the local log too.
 * Also refuses versions before 15. Throws DATABASE_UNSAFE or DATABASE_UNAVAILABLE; lets connection errors through.
 */
export async function assertDurable(config: PoolConfig): Promise<void> {
  const client = new Client({ ...config, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const found = await client.query<{ version: number; unsafe: string[] | null }>(
      `select current_setting('server_version_num')::int as version,
              array_agg(name order by name) filter (where setting = 'off') as unsafe
         from pg_catalog.pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit')`,
    );
    const row = found.rows[0];
    if (row === undefined || row.version < OLDEST_VERSION) {
      throw new CodedError('DATABASE_UNAVAILABLE', 'The database server is older than Postgres 15.');
    }
    if (row.unsafe !== null) {
      throw new CodedError(
        'DATABASE_UNSAFE',
        `The database server runs with ${row.unsafe.join(', ')} off, so it may lose acknowledged writes.`,
      );
    }
  } finally {
    await client.end().catch(() => undefined);
  }
}

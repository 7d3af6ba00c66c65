import { Client, type PoolConfig } from 'pg';
import { DataSource } from 'typeorm';
import { MIGRATIONS } from '../../migrations/index.js';
import { CodedError } from '../kernel/error.js';
import { codeOf, type Engine } from './engines/engine.js';

/** Any fixed number: one migration at a time in one database. */
const LOCK = 7_204_116_021;

/**
 * Runs the migrations that have not run yet, each in a transaction of its own, and returns their names in order. Processes that start
 * together wait for each other. The roles of `openPools` must exist.
 * Throws DATABASE_UNAVAILABLE when the server is gone or a migration fails.
 */
export async function migrate(owner: Engine | PoolConfig): Promise<string[]> {
  const config = 'ownerUrl' in owner ? owner.ownerUrl() : owner;
  const gate = new Client(config);
  gate.on('error', () => undefined);
  try {
    await gate.connect();
    await gate.query('select pg_advisory_lock($1)', [LOCK]);
    return await runPending(config);
  } catch (error) {
    throw new CodedError('DATABASE_UNAVAILABLE', `The migrations did not complete (${codeOf(error) ?? 'no connection'}).`, {
      detail: String(error),
      cause: error,
    });
  } finally {
    // The lock ends with its session.
    await gate.end().catch(() => undefined);
  }
}

async function runPending(config: PoolConfig): Promise<string[]> {
  const source = new DataSource({
    type: 'postgres',
    schema: 'public',
    synchronize: false,
    logging: false,
    installExtensions: false,
    migrations: [...MIGRATIONS],
    migrationsTableName: 'schema_migration',
    migrationsTransactionMode: 'each',
    ...(config.connectionString === undefined ? {} : { url: config.connectionString }),
    extra: { ...config, max: 1 },
  });
  await source.initialize();
  try {
    return (await source.runMigrations()).map((migration) => migration.name);
  } finally {
    await source.destroy();
  }
}

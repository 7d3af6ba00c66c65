import type { PoolConfig } from 'pg';

/**
 * Called once per test run with the owner's connection to a new, empty database; what it leaves there is what every
 * `createDatabase()` of the run starts from.
 */
export function prepareTemplate(_owner: PoolConfig): Promise<void> {
  return Promise.resolve();
}

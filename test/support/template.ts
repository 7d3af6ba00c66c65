import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PoolConfig } from 'pg';
import { migrate } from '../../src/store/migrate.js';
import { openPools } from '../../src/store/pool.js';

/**
 * Called once per test run with the owner's connection to a new, empty database; what it leaves there is what every
 * `createDatabase()` of the run starts from: the roles of the server and all tables, without rows.
 */
export async function prepareTemplate(owner: PoolConfig): Promise<void> {
  const pools = await openPools({ name: 'postgres', ownerUrl: () => ({ ...owner }), stop: () => Promise.resolve() });
  await pools.end();
  await migrate(owner);
}

/** Where a run keeps its copy of the demo cohort, once a test has asked for it (mesh.ts); the run removes both when it ends. */
export interface DemoTemplate {
  /** Name of the database. */
  readonly name: string;
  /** Folder of the files and the secret that go with it. */
  readonly home: string;
}

export function demoTemplateOf(template: string): DemoTemplate {
  return { name: `${template}_demo`, home: join(tmpdir(), `${template}_demo`) };
}

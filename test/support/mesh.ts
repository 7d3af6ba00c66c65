import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, escapeIdentifier } from 'pg';
import { OPERATOR, openMesh, type Running } from '../../src/cli/wire.js';
import { trainDemo } from '../../src/cli/demo.js';
import { generateCohort } from '../../src/demo/index.js';
import { ingestPaths } from '../../src/pipeline/index.js';
import type { Engine } from '../../src/store/engines/engine.js';
import { createDatabase, dropDatabase } from './database.js';
import { demoTemplateOf, type DemoTemplate } from './template.js';

/** The present of every test mesh: the demo cohort ends here. */
export const TEST_NOW = Date.parse('2026-06-01T00:00:00Z');
const PATIENTS = 120;
const SEED = 1;

export interface TestMesh extends Running {
  /** Lines for the operator; a test that expects no fault finds it empty. */
  readonly logged: readonly string[];
  /** The database, for a second mesh on the same data. */
  readonly engine: Engine;
}

/**
 * A mesh over a copy of the demo cohort (120 invented persons, loaded and with the demo model trained), with a fixed clock and a fixed
 * secret, so that ids, masks and dates are the same in every run. The first caller of a test run makes the cohort, which takes some seconds.
 */
export async function openTestMesh(clock: () => number = () => TEST_NOW): Promise<TestMesh> {
  const template = await demoTemplate();
  const database = await createDatabase(template.name);
  const home = mkdtempSync(join(tmpdir(), 'thalamus-mesh-'));
  cpSync(template.home, home, { recursive: true });
  const logged: string[] = [];
  const running = await openMesh({ engine: database.engine, home, clock, log: (line) => logged.push(line) });
  const close = async (): Promise<void> => {
    await running.close();
    await database.drop();
    rmSync(home, { recursive: true, force: true });
  };
  return { ...running, logged, engine: database.engine, close };
}

/** One template a run, whichever worker asks first; the others wait for it. */
async function demoTemplate(): Promise<DemoTemplate> {
  const base = process.env['THALAMUS_TEST_TEMPLATE'];
  if (base === undefined) throw new Error('This jest project has no database: give it globalSetup in jest.config.js.');
  const template = demoTemplateOf(base);
  const server = new Client(JSON.parse(process.env['THALAMUS_TEST_SERVER'] ?? '{}') as object);
  server.on('error', () => undefined);
  await server.connect();
  try {
    await server.query('select pg_advisory_lock(hashtext($1))', [template.name]);
    const { rows } = await server.query('select 1 from pg_database where datname = $1', [template.name]);
    if (rows.length === 0) await makeDemo(server, template);
  } finally {
    await server.end();
  }
  return template;
}

async function makeDemo(server: Client, template: DemoTemplate): Promise<void> {
  const draft = await createDatabase();
  const home = mkdtempSync(join(tmpdir(), 'thalamus-demo-'));
  try {
    // Masks are keyed with this; it is no secret of anybody.
    writeFileSync(join(home, 'secret.json'), JSON.stringify(Buffer.alloc(32, 7).toString('base64')), { mode: 0o600 });
    const running = await openMesh({ engine: draft.engine, home, clock: () => TEST_NOW });
    try {
      const cohort = join(home, 'demo-cohort');
      await generateCohort({ patients: PATIENTS, seed: SEED, outDir: cohort, now: TEST_NOW });
      await ingestPaths([cohort], running.pipeline(OPERATOR));
      await trainDemo(running);
      await running.pools.owner.query('analyze');
      rmSync(cohort, { recursive: true });
    } finally {
      await running.close();
    }
    rmSync(template.home, { recursive: true, force: true });
    mkdirSync(template.home, { recursive: true });
    cpSync(home, template.home, { recursive: true });
    await server.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = $1`, [draft.name]);
    await server.query(`alter database ${escapeIdentifier(draft.name)} rename to ${escapeIdentifier(template.name)}`);
  } catch (error) {
    await dropDatabase(draft.name);
    throw error;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** The one database server of a test run: started before the first project that needs it, stopped after the last. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../../src/store/engines/engine.js';
import { startEngine } from '../../src/store/engines/start.js';
import { createDatabase, dropDatabase } from './database.js';
import { demoTemplateOf, prepareTemplate } from './template.js';

let engine: Engine | undefined;
let folder: string | undefined;
let template: string | undefined;

export async function setup(): Promise<void> {
  const url = process.env['DATABASE_URL'];
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  if (url === undefined || url === '') {
    folder = mkdtempSync(join(tmpdir(), 'thalamus-test-'));
    engine = await startEngine({ kind: 'embedded', dataDir: folder, log: () => undefined });
  } else {
    engine = await startEngine({ kind: 'postgres', dataDir: '', url, log });
  }
  // Workers start after this and inherit the environment.
  process.env['THALAMUS_TEST_SERVER'] = JSON.stringify(engine.ownerUrl());
  const made = await createDatabase('template0');
  template = made.name;
  await prepareTemplate(made.config);
  process.env['THALAMUS_TEST_TEMPLATE'] = template;
}

export async function teardown(): Promise<void> {
  if (template !== undefined) {
    const demo = demoTemplateOf(template);
    await dropDatabase(demo.name);
    rmSync(demo.home, { recursive: true, force: true });
    await dropDatabase(template);
  }
  await engine?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}

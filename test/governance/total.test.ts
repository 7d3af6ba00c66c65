/** A start with anything unclassified is refused by the command itself: exit code 1, and the list of names. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createDatabase, type TestDatabase } from '../support/database.js';

const ROOT = path.resolve(__dirname, '../..');
let database: TestDatabase;
let home: string;
beforeAll(async () => {
  database = await createDatabase();
  home = mkdtempSync(path.join(tmpdir(), 'thalamus-total-'));
});
afterAll(async () => {
  await database.drop();
  rmSync(home, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `thalamus migrate`, which starts the mesh, in a process where `plant` ran before. */
function start(plant: string): Promise<Ended> {
  const script = `
    const kernel = require('./src/kernel/index.ts');
    const { Field } = require('type-graphql');
    const { loadProducts } = require('./src/products.ts');
    const plantField = (extensionOf, name, declared) => {
      const Planted = class {};
      kernel.column({ column: 'sex', type: 'text', safeHarbor: 'none', description: 'Planted.', ...declared })(Planted.prototype, name);
      kernel.extension(() => extensionOf)(Planted);
    };
    const retag = (table, tags) => {
      const found = kernel.entityClasses().find((each) => kernel.entityOf(each).table === table);
      Object.assign(kernel.entityOf(found), { tags });
    };
    (async () => {
      const products = await loadProducts();
      const product = (name) => products.find((each) => each.name === name);
      ${plant}
      process.exitCode = await require('./src/cli/index.ts').main(['node', 'thalamus', 'migrate']);
    })();`;
  const child = spawn(process.execPath, ['-r', './bin/ts.js', '-e', script], {
    cwd: ROOT,
    env: { ...process.env, DATABASE_URL: database.url, THALAMUS_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said })));
}

it('starts as it is', async () => {
  expect(await start('')).toMatchObject({ code: 0, stdout: expect.stringContaining('The schema is at') as string });
}, 30_000);

it.each<[string, string, string[]]>([
  [
    'fields without a declaration',
    `for (const name of ['planted', '_planted', 'plantedToo'])
       Field(() => String, { nullable: true, description: 'Planted.' })(kernel.Patient.prototype, name);`,
    ['Patient.planted', 'Patient._planted', 'Patient.plantedToo'],
  ],
  ['a field without tags', `plantField(kernel.Patient, 'planted', { tags: [] });`, ['Patient.planted']],
  [
    'a field with a tag that there is not',
    `plantField(kernel.Patient, 'planted', { tags: ['pseudonym', 'salary'] });`,
    ['Patient.planted (unknown tag salary)'],
  ],
  [
    'a field with a name that every object has as tag',
    `plantField(kernel.Patient, 'planted', { tags: ['constructor'] });`,
    ['Patient.planted (unknown tag constructor)'],
  ],
  [
    'tables of files and of notes without tags',
    `retag('imaging_instance', []); retag('note', []);`,
    ['imaging.imaging_instance', 'notes.note'],
  ],
  ['a table of models with a tag that there is not', `retag('fusion_model', ['secret']);`, ['fusion.fusion_model (unknown tag secret)']],
  [
    'inputs of models and labels without tags',
    `for (const name of ['notes', 'wearables']) Object.assign(product(name).features, { tags: [] });
     Object.assign(products.find((each) => each.label).label, { tags: ['nothing'] });`,
    ['notes.features', 'wearables.features', '(unknown tag nothing)'],
  ],
])(
  'does not start with %s',
  async (_, plant, names) => {
    const { code, stdout, stderr } = await start(plant);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^SCHEMA_UNCLASSIFIED: /m);
    for (const name of names) expect(stderr).toContain(name);
  },
  30_000,
);

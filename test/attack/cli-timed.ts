import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { TEST_NOW, openTestMesh } from '../support/mesh.js';
import { setup, teardown } from '../support/cluster.js';
import { difference } from './difference-timed.js';
import { outcomes, type JestReport } from './outcomes.js';

const ROOT = resolve(__dirname, '../..');
const QUERIES = 1_000;
const JEST_BYTES_MAX = 64 * 1024 * 1024;

/**
 * npm run attack: runs the attack tests. A case is an attack id in the name of a test (ATK-12, ATK-17-20); it is as expected where all tests that name it
 * pass. npm run attack -- WORD: only files whose path holds the word. npm run attack:difference -- [N]: N counting questions against small cells.
 */
async function main(args: readonly string[]): Promise<number> {
  const words = args.filter((each) => !each.startsWith('--'));
  if (words[0] === 'difference') return attackCounts(Number(words[1] ?? QUERIES));
  const folder = mkdtempSync(join(tmpdir(), 'thalamus-attack-'));
  try {
    const file = join(folder, 'report.json');
    const pattern = words.length === 0 ? ['test/attack'] : words.map((each) => `test/attack/.*${each}`);
    const jest = [join(ROOT, 'node_modules/jest/bin/jest.js'), ...pattern, '--selectProjects', 'attack', '--json', '--outputFile', file];
    const run = spawnSync(process.execPath, jest, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'], maxBuffer: JEST_BYTES_MAX });
    if (run.error) throw run.error;
    const report = outcomes(JSON.parse(readFileSync(file, 'utf8')) as JestReport, ROOT);
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return report.unexpected.length === 0 && report.cases > 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function attackCounts(queries: number): Promise<number> {
  await setup();
  try {
    const clock = { now: TEST_NOW };
    const mesh = await openTestMesh(() => clock.now);
    try {
      const began = process.hrtime.bigint();
      const result = await difference(mesh, clock, { queries, seed: Number(process.env['SEED'] ?? 1) });
      const ms = Math.round(Number(process.hrtime.bigint() - began) / 1e6);
      process.stdout.write(`${JSON.stringify({ ...result, ms })}\n`);
      return result.recovered === 0 ? 0 : 1;
    } finally {
      await mesh.close();
    }
  } finally {
    await teardown();
  }
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : 'failed'}\n`);
    process.exitCode = 1;
  },
);

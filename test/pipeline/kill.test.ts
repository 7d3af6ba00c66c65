import { fork } from 'node:child_process';
import { resolve } from 'node:path';
import { openBench, type Bench } from './harness.js';

jest.setTimeout(120_000);

const root = resolve(__dirname, '../..');

/** Runs the child, kills it during its nth transaction, and gives the last word it said. */
function run(bench: Bench, killAfter: number): Promise<string> {
  return new Promise((done) => {
    const child = fork(resolve(__dirname, 'load-child.ts'), [bench.url, bench.folder], { execArgv: ['-r', resolve(root, 'bin/ts.js')] });
    let said = '';
    let transactions = 0;
    child.on('message', (message: string) => {
      said = message;
      if (said === 'transaction' && ++transactions === killAfter) setTimeout(() => child.kill('SIGKILL'), killAfter % 5);
    });
    child.on('close', () => done(said));
  });
}

it('a load killed again and again goes on where it stopped: nothing is lost and nothing comes twice', async () => {
  const bench = await openBench();
  try {
    for (const killAfter of [2, 9, 23, 31]) expect(await run(bench, killAfter)).toBe('transaction');
    const [checkpoint] = await bench.rows<{ next_ordinal: number }>('select next_ordinal from ingest_checkpoint');
    expect(checkpoint!.next_ordinal).toBeGreaterThan(0);
    expect(await run(bench, Infinity)).toBe('ingested 2000');
    expect(await bench.rows('select sum(value) as total, count(*)::int n from t_sum')).toEqual([{ total: 2_000, n: 7 }]);
    expect(await bench.rows("select (counts ->> 'records')::int as records, status from pipeline_update")).toEqual([
      { records: 2_000, status: 'ingested' },
    ]);
  } finally {
    await bench.close();
  }
});

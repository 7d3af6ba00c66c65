/** Run by fork(): loads one file of lines into the database and folder given, telling each commit; ends only by being killed or when done. */
import { ingestFile, planPipelines } from '../../src/pipeline/index.js';
import { startEngine } from '../../src/store/engines/start.js';
import { localObjects } from '../../src/store/objects.js';
import { writeStore } from '../../src/store/pipeline-store.js';
import { openPools } from '../../src/store/pool.js';
import { fileOf, linesOf, product, type Line } from './harness.js';

const RECORDS = 2_000;

async function main(url: string, folder: string): Promise<void> {
  const engine = await startEngine({ kind: 'postgres', dataDir: '', url, log: () => undefined });
  const pools = await openPools(engine);
  const lines = Array.from({ length: RECORDS }, (_, index): Line => ({ id: `k${index % 7}`, value: 1, asset: 't_sum' }));
  const store = writeStore(pools.writer, localObjects(folder));
  let clock = Date.UTC(2026, 0, 1);
  const report = await ingestFile(fileOf(linesOf(lines), 'kill.lines'), {
    plan: planPipelines([product]),
    store: {
      objects: store.objects,
      transaction: async (work) => {
        process.send?.('transaction');
        return store.transaction(work);
      },
    },
    evidence: { ingested: () => Promise.resolve('lineage') },
    now: () => (clock += 1),
    actor: 'child',
    chunk: { records: 20, bytes: 1e7 },
  });
  process.send?.(`${report.status} ${report.records}`);
  await pools.end();
  process.disconnect();
}

main(process.argv[2] ?? '', process.argv[3] ?? '').catch((error: unknown) => {
  process.send?.(String(error));
  process.exit(1);
});

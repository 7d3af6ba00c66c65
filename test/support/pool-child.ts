/** Run by fork(): opens the pools of the URL given and says how that went. */
import { startEngine } from '../../src/store/engines/start.js';
import { openPools } from '../../src/store/pool.js';

async function main(url: string): Promise<string> {
  const engine = await startEngine({ kind: 'postgres', dataDir: '', url, log: () => undefined });
  const pools = await openPools(engine);
  await pools.end();
  return 'opened';
}

main(process.argv[2] ?? '').then(
  (said) => process.send?.(said),
  (error: unknown) => process.send?.(String(error)),
);

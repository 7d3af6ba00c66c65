/** Run by fork(): a whole mesh in a process of its own, which the experiments kill. It loads its code first and waits to be told where it works. */
import { openMesh, OPERATOR, type Running } from '../../src/cli/wire.js';
import { startGateway } from '../../src/gateway/index.js';
import { isCoded, systemClock } from '../../src/kernel/index.js';
import { ingestPaths } from '../../src/pipeline/index.js';
import type { FromChild, ToChild } from './mesh-process.js';
import { journalFiles } from './synced-files.js';

const tell = (message: FromChild): void => void process.send?.(message);
let running: Running | undefined;

async function open(order: Extract<ToChild, { kind: 'open' }>): Promise<void> {
  const { home, databaseUrl, now, journal } = order;
  if (journal)
    journalFiles((event) => {
      tell({ kind: 'file', event });
    });
  const clock = now === undefined ? systemClock : (): number => now;
  const log = (line: string): void => {
    tell({ kind: 'log', line });
  };
  running = await openMesh({ home, clock, log, ...(databaseUrl === undefined ? {} : { databaseUrl }) });
  const { mesh, identity } = running;
  const gateway = order.serves
    ? await startGateway({ mesh, identity, host: '127.0.0.1', port: 0, ready: () => Promise.resolve(true) })
    : null;
  tell({ kind: 'ready', url: gateway?.url ?? '' });
}

async function ingest(paths: readonly string[]): Promise<void> {
  if (!running) throw new Error('not open');
  const { records } = await ingestPaths(paths, running.pipeline(OPERATOR), ({ last }) => {
    const { path, status } = last;
    tell({ kind: 'loaded', path, status, records: last.records });
  });
  tell({ kind: 'ingested', records });
}

process.on('message', (order: ToChild) => {
  const work = order.kind === 'open' ? open(order) : ingest(order.paths);
  work.catch((error: unknown) => {
    tell({ kind: 'failed', code: isCoded(error) ? error.code : String(error) });
  });
});
// Nobody is left to tell anything to.
process.on('disconnect', () => process.exit(1));
tell({ kind: 'waiting' });

import { ingestFile } from '../../src/pipeline/index.js';
import { openBench } from './harness.js';
jest.setTimeout(120_000);
it('bench', async () => {
  const bench = await openBench();
  let top = 0;
  const t0 = performance.now();
  const timer = setInterval(() => (top = Math.max(top, process.memoryUsage().rss)), 50);
  const n = 400_000;
  const report = await ingestFile(
    {
      name: 'big.lines',
      async *open() {
        yield Buffer.from('LINES\n');
        for (let i = 0; i < n; i += 1000) {
          let s = '';
          for (let j = i; j < i + 1000; j++) s += `{"id":"row-${j}","value":${j},"asset":"t_last"}\n`;
          yield Buffer.from(s);
        }
      },
    },
    { ...bench.deps, chunk: { records: 20_000, bytes: 32 * 1024 * 1024 } },
  );
  clearInterval(timer);
  process.stderr.write(`BENCH ${report.records} ${(performance.now() - t0) | 0} ms rss ${(top / 1e6) | 0} MB start\n`);
  await bench.close();
});

import { statSync } from 'node:fs';
import { OPERATOR, openMesh } from '../../../src/cli/wire.js';
import { ingestPaths } from '../../../src/pipeline/index.js';

/** One load, measured by the process that did it. */
export interface Load {
  readonly files: number;
  readonly records: number;
  readonly rows: number;
  readonly quarantined: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Highest resident memory of this process, database not included. */
  readonly peak_rss_mb: number;
}

/** Ingests files and folders into the embedded database of `home`, which is made when it is absent. Its start and migration are not timed. */
export async function loadProduct(paths: readonly string[], home: string): Promise<Load> {
  const running = await openMesh({ home });
  try {
    const began = performance.now();
    const totals = await ingestPaths(paths, running.pipeline(OPERATOR));
    const seconds = (performance.now() - began) / 1000;
    if (totals.refused > 0) throw new Error(`${totals.refused} files of the cohort were refused: ${JSON.stringify(totals.byCode)}`);
    return {
      files: totals.files.length,
      records: totals.records,
      rows: Object.values(totals.rows).reduce((sum, count) => sum + count, 0),
      quarantined: totals.quarantined,
      bytes: totals.files.reduce((sum, { path }) => sum + statSync(path).size, 0),
      seconds,
      peak_rss_mb: process.resourceUsage().maxRSS / 1024,
    };
  } finally {
    await running.close();
  }
}

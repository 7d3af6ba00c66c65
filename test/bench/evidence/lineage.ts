import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rounded, type Scenario } from '../scenario.js';
import { inTurn, withMeshes } from './overhead.js';
import { stored } from './stored.js';
import { PERSONS, SIX_YEARS_MS } from './synth.js';

const RUNS = 1_000_000;
/** Size a run does not hang on how many there are: it is measured on a share of them, which is quicker. */
const SIZED_SHARE = 0.25;
/** Of six years, those that stay as rows where nothing else is said. */
const HOT_SHARE = 400 / 2_191;
const PERSONS_A_RUN = 100;
/** Where questions are asked: a person stands behind one run of a thousand. */
const PERSONS_ASKED = 10;

/**
 * What lineage costs and what it answers. Overhead: the same query of 20 fields through `ask` in this process, in turn with evidence and without any,
 * median over median. Size: pg_total_relation_size of every table of evidence over runs, after a roll-up of all full segments and `vacuum full`; the
 * tail that is not full stays as rows and counts. Runs are spread over six years and written through the log of the product.
 */
export const scenario: Scenario = {
  about: 'overhead of evidence, bytes a run, and questions over a million runs of six years',
  async run({ runs, log }) {
    const count = runs === 1 ? RUNS : runs;
    const whole = count >= RUNS;
    const folder = mkdtempSync(path.join(tmpdir(), 'thalamus-bench-lineage-'));
    try {
      log('asking with and without evidence ..');
      const times = await withMeshes(path.join(folder, 'mesh'), inTurn);
      const sized = Math.ceil(count * SIZED_SHARE);
      const none = await stored(path.join(folder, 'none'), sized, 0, log);
      const many = await stored(path.join(folder, 'many'), sized, PERSONS_A_RUN, log);
      const some = await stored(path.join(folder, 'some'), count, PERSONS_ASKED, log, SIX_YEARS_MS);
      return {
        n: count,
        sized,
        population: PERSONS,
        p50_overhead_ratio: rounded(times.on / times.off),
        p50_overhead_ratio_of_write: rounded(times.on / times.unwritten),
        p50_on_ms: rounded(times.on),
        p50_off_ms: rounded(times.off),
        gb_per_million: gb(none.coldBytes),
        gb_per_million_100_patients: gb(many.coldBytes),
        gb_per_million_of_usage_by_day: gb(none.usageBytes),
        gb_per_million_400_days_as_rows: gb(none.coldBytes + none.hotBytes * HOT_SHARE),
        hot_gb_per_million: gb(none.hotBytes),
        hot_gb_per_million_100_patients: gb(many.hotBytes),
        // A key that names a million runs has a figure only where a million were asked.
        impact_s_1e6: whole ? rounded(some.seconds.impact) : null,
        accounting_s_1e6: whole ? rounded(some.seconds.accounting) : null,
        reproduce_s_1e6: whole ? rounded(some.seconds.reproduce) : null,
        seconds_at_n: Object.fromEntries(Object.entries(some.seconds).map(([question, seconds]) => [question, rounded(seconds)])),
        accounting_runs: some.accountingRuns,
        roll_up_s: rounded(some.rollUpSeconds),
        written_per_s: Math.round(none.writtenPerSecond),
        written_per_s_100_patients: Math.round(many.writtenPerSecond),
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Gigabytes a million runs, of bytes a run. */
const gb = (bytes: number): number | null => rounded(bytes / 1_000);

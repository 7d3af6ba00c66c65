import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { generateCohort } from '../../../src/demo/index.js';
import { median, rounded, type Scenario } from '../scenario.js';
import { loadProduct, type Load } from './load.js';

const ROOT = path.resolve(__dirname, '../../..');
const SEED = 1;
/** Every date of the cohort lies before it, so that its bytes are the same in every run. */
const COHORT_NOW = Date.UTC(2026, 0, 1);

/** Parts of the cohort, by product; persons come first, since the rest is about them. */
const PARTS = {
  patients: ['crosswalk.csv', 'clinical'],
  genomics: ['genomics'],
  imaging: ['imaging'],
  notes: ['notes'],
  wearables: ['wearables'],
} as const;
type PartName = keyof typeof PARTS;

const PEERS_MISSING =
  'No peer is part of this run. A bare stream into the same server needs psql: apt-get install postgresql-client; the native readers are bcftools, dcmtk and their like from the same source.';

const isPart = (name: string): name is PartName => Object.hasOwn(PARTS, name);

/** Loads one product in a process of its own, so that its peak of memory is its own. */
function inProcess(product: PartName, home: string, cohort: string): Load {
  const args = ['bin/ts.js', 'test/bench/cli.ts', 'ingest', '--json', '--product', product, '--home', home, '--cohort', cohort];
  const env = { ...process.env };
  delete env['DATABASE_URL'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', env, maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) throw new Error(`The load of ${product} failed:\n${stderr.slice(-2_000)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Load;
}

function figuresOf(loads: readonly Load[]): Readonly<Record<string, unknown>> {
  const [first] = loads;
  const each = (rate: (load: Load) => number): number | null => rounded(median(loads.map(rate)));
  return {
    records_per_s: each(({ records, seconds }) => records / seconds),
    mb_per_s: each(({ bytes, seconds }) => bytes / 1e6 / seconds),
    peak_rss_mb: each((load) => load.peak_rss_mb),
    ratio_vs_psql_copy: null,
    ratio_vs_native: null,
    ...(first === undefined
      ? {}
      : { files: first.files, records: first.records, rows: first.rows, quarantined: first.quarantined, mb: rounded(first.bytes / 1e6) }),
    seconds: each(({ seconds }) => seconds),
  };
}

/**
 * The demo cohort through the pipelines into a fresh embedded database, product after product: parse, expectations, identity, commit, lineage
 * and audit included. Megabytes are those of the files as they lie there, so those of VCF and FIT are compressed or packed.
 */
export const scenario: Scenario = {
  about: 'the demo cohort through the pipelines, product by product',
  async run({ runs, patients, product, home, cohort, log }) {
    if (product !== undefined) {
      if (!isPart(product) || home === undefined || cohort === undefined) throw new Error('--product goes with --home and --cohort.');
      return {
        ...(await loadProduct(
          PARTS[product].map((part) => path.join(cohort, part)).filter((part) => existsSync(part)),
          home,
        )),
      };
    }
    const folder = mkdtempSync(path.join(tmpdir(), 'thalamus-bench-ingest-'));
    try {
      const files = path.join(folder, 'cohort');
      log(`Writing the files of ${patients} invented persons.`);
      await generateCohort({ patients, seed: SEED, outDir: files, now: COHORT_NOW });
      const names = Object.keys(PARTS).filter(isPart);
      const loads = new Map<PartName, Load[]>(names.map((name) => [name, []]));
      for (let run = 1; run <= runs; run += 1) {
        const fresh = path.join(folder, `home-${run}`);
        for (const name of names) {
          const load = inProcess(name, fresh, files);
          log(`  run ${run}: ${name} ${load.records} records in ${load.seconds.toFixed(2)} s`);
          loads.get(name)?.push(load);
        }
        rmSync(fresh, { recursive: true, force: true });
      }
      log(PEERS_MISSING);
      const figures = Object.fromEntries([...loads].map(([name, all]) => [name, figuresOf(all)]));
      return { ...figures, products: names, demo_patients: patients, n: runs, peers: PEERS_MISSING };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

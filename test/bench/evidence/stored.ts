import path from 'node:path';
import { exceeded } from '../../../src/evidence/index.js';
import { EvidenceStore, bulkMeter, migrate, openPools, startEngine, type Pools } from '../../../src/store/index.js';
import { median } from '../scenario.js';
import { PERSONS, Synth, columnName, writeRuns } from './synth.js';

/** All tables of evidence; the vault of persons' keys belongs to the persons. */
const TABLES = [
  'audit_log',
  'audit_head',
  'audit_checkpoint',
  'audit_segment',
  'audit_posting',
  'evidence_hold',
  'lineage_run',
  'lineage_plan',
  'lineage_caller',
  'lineage_patient_set',
  'lineage_usage',
  'lineage_load',
  'lineage_model',
];
const ASKED = 5;
const DAY_MS = 86_400_000;
/** The youngest run is old enough for all of them to be packed. */
const END = performance.timeOrigin - 60 * DAY_MS;
const SEAL_KEY = Buffer.alloc(32, 3);

export interface Stored {
  readonly writtenPerSecond: number;
  /** Bytes a run as rows, and with every record that is packed taken out of its rows. */
  readonly hotBytes: number;
  readonly coldBytes: number;
  /** Of them those of usage by day, which is not packed. */
  readonly usageBytes: number;
  readonly coldRecords: number;
  readonly rollUpSeconds: number;
  readonly seconds: Readonly<Record<'impact' | 'accounting' | 'whoSaw' | 'reproduce' | 'reproduceCold', number>>;
  readonly accountingRuns: number;
}

/** Runs of six years in a database of their own: how large they are as rows and packed, and how long questions take. */
export const stored = (home: string, runs: number, patients: number, log: (line: string) => void, span?: number): Promise<Stored> =>
  withDatabase(home, (pools) => measure(pools, new Synth(runs, patients, END, span), log, patients));

/** How fast events become durable without persons; `other` is measured on the same server afterwards. */
export const writtenPerSecond = (
  home: string,
  events: number,
  other: (pools: Pools) => Promise<number>,
): Promise<{ readonly perSecond: number; readonly other: number }> =>
  withDatabase(home, async (pools) => {
    const store = storeOf(pools);
    const { perSecond } = await writeRuns(store, new Synth(events, 0, performance.timeOrigin), SEAL_KEY);
    return { perSecond, other: await other(pools) };
  });

const storeOf = (pools: Pools): EvidenceStore => new EvidenceStore(pools.writer, SEAL_KEY, bulkMeter({ windowMonths: 12, exceeded }));

async function withDatabase<T>(home: string, work: (pools: Pools) => Promise<T>): Promise<T> {
  const engine = await startEngine({ kind: 'embedded', dataDir: path.join(home, 'database'), log: () => undefined });
  let pools: Pools | undefined;
  try {
    pools = await openPools(engine);
    await migrate(engine);
    return await work(pools);
  } finally {
    await pools?.end();
    await engine.stop();
  }
}

async function measure(pools: Pools, synth: Synth, log: (line: string) => void, patients: number): Promise<Stored> {
  const { runs } = synth;
  const store = storeOf(pools);
  log(`writing ${runs} runs with ${patients} persons each ..`);
  const { perSecond, sample } = await writeRuns(store, synth, SEAL_KEY);
  const hotBytes = (await sizeOf(pools)) / runs;
  log(`written at ${Math.round(perSecond)} a second, ${Math.round(hotBytes)} bytes a run as rows; packing ..`);
  const began = performance.now();
  // As in use: everything is indexed, what is older than 400 days is packed.
  await store.rollUp({ now: END });
  const rollUpSeconds = (performance.now() - began) / 1000;
  const seconds = await asked(store, synth, sample);
  await store.rollUp({ now: END, hotDays: -1 });
  await pools.owner.query('vacuum full');
  const { rows } = await pools.owner.query<{ n: number }>('select coalesce(sum(records), 0)::int as n from audit_segment where cold');
  const coldBytes = (await sizeOf(pools)) / runs;
  log(`packed in ${Math.round(rollUpSeconds)} s, ${Math.round(coldBytes)} bytes a run`);
  const reproduceCold = await timed(sample, (run) => store.pastRun(run));
  const accountingRuns = (await store.runsAbout(7, synth.start, synth.now + 1)).length;
  return {
    writtenPerSecond: perSecond,
    hotBytes,
    coldBytes,
    usageBytes: (await sizeOf(pools, ['lineage_usage'])) / runs,
    coldRecords: rows[0]?.n ?? 0,
    rollUpSeconds,
    seconds: { ...seconds, reproduceCold },
    accountingRuns,
  };
}

async function asked(
  store: EvidenceStore,
  { start, now }: Synth,
  sample: readonly string[],
): Promise<Omit<Stored['seconds'], 'reproduceCold'>> {
  const numbers = Array.from({ length: ASKED }, (_, i) => i * 17);
  return {
    impact: await timed(numbers, (n) => store.impact(columnName(n), start, now + 1)),
    accounting: await timed(numbers, (n) => store.runsAbout((n * 97) % PERSONS, start, now + 1)),
    whoSaw: await timed(numbers, (n) => store.whoSaw((n * 97) % PERSONS, start, now + 1)),
    reproduce: await timed(sample, (run) => store.pastRun(run)),
  };
}

/** Median seconds of one question. */
async function timed<T>(over: readonly T[], ask: (each: T) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (const each of over) {
    const began = performance.now();
    if ((await ask(each)) === null) throw new Error('what was recorded is not found');
    times.push((performance.now() - began) / 1000);
  }
  return median(times) ?? 0;
}

async function sizeOf({ owner }: Pools, tables: readonly string[] = TABLES): Promise<number> {
  const { rows } = await owner.query<{ bytes: string }>(
    'select sum(pg_total_relation_size(t::regclass)) as bytes from unnest($1::text[]) as t',
    [tables],
  );
  return Number(rows[0]?.bytes ?? 0);
}

import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Client as Database } from 'pg';
import type { Receipt } from '../../src/evidence/index.js';
import { Draw } from '../fuzz/random.js';
import { Client, type Reply } from './client.js';
import { judge } from './gateway-kill.js';
import { clusterIn, engineOf, inCopy, inspect, killServer, ownerOf, withClient, type Base } from './installation.js';
import { Spares, type MeshProcess } from './mesh-process.js';
import { Tally, type Outcome } from './outcome.js';
import { cutPower, pictureOf, positionOf } from './power-image.js';
import { SyncedFiles } from './synced-files.js';
import { ingestPaths } from '../../src/pipeline/index.js';
import { OPERATOR } from '../../src/cli/wire.js';

/** Shares of what was not synced and lives on all the same: none, a half, nearly all. */
const KEPT = [0, 0.5, 0.9] as const;
/** What the files hold that the runs load. */
const TABLES = ['note_concept', 'note_section', 'note', 'imaging_instance', 'imaging_series', 'imaging_study', 'wear_chunk', 'wear_device'];
const RECOVER_MS_MAX = 20_000;

/** What a cut has to leave, and what it may take. */
interface Instant {
  readonly flushed: bigint;
  readonly checkpoint: string;
  readonly receipts: readonly Receipt[];
  readonly files: readonly string[];
}

const INSTANT = `select pg_current_wal_flush_lsn()::text as flushed, (select checkpoint_lsn::text from pg_control_checkpoint()) as checkpoint`;

/** The one who sees what was acknowledged, and asks after each how far the log is synced. */
class Watch {
  private readonly receipts: Receipt[] = [];
  private readonly files: string[] = [];

  constructor(private readonly database: Database) {}

  readonly answered = (reply: Reply): void => {
    if (reply.receipt) this.receipts.push(reply.receipt);
  };

  readonly loaded = (file: string, status: string): void => {
    if (status === 'ingested' || status === 'partly') this.files.push(file);
  };

  /** What was acknowledged before the question stands before the position that comes back. */
  async instant(): Promise<Instant> {
    const held = { receipts: [...this.receipts], files: [...this.files] };
    const { rows } = await this.database.query<{ flushed: string; checkpoint: string }>(INSTANT);
    return { ...held, flushed: positionOf(rows[0]?.flushed ?? '0/0'), checkpoint: rows[0]?.checkpoint ?? '' };
  }
}

/**
 * E3: the power goes. All processes die at one instant, and of what was not synced each part is kept or lost by the seed: pages written since the last
 * checkpoint, the log after the position that the server had named as synced, and files of the data folder without an fsync of their own and of their
 * folder. It does not show whether the machine's fsync itself keeps its word.
 */
export function powerLoss(base: Base, seed: number, runs: number): Promise<Outcome> {
  return inCopy(base, async (home) => {
    const tally = new Tally();
    const draw = new Draw(seed);
    const spares = new Spares();
    const client = await Client.of(home);
    const receipts: Receipt[] = [];
    const files = new Set<string>();
    const lost = { sectors: 0, files: 0, walBytes: 0, objects: 0 };
    const settings = await unsafeSessions(home, tally);
    const inbox = freshFiles(base);
    try {
      await emptied(home);
      for (let run = 0; run < runs; run += 1) {
        const process = await spares.take();
        const synced = new SyncedFiles(path.join(home, 'files'));
        process.on((message) => {
          if (message.kind === 'file') synced.note(message.event);
        });
        const began = performance.now();
        const url = await process.open({ home, serves: true, journal: true });
        tally.expect(await client.untilAnswered(url, RECOVER_MS_MAX), `no answer after power loss ${run}`);
        if (run > 0) tally.recovered(began);
        const at = await worked({ home, process, url, client, draw, files: inbox.splice(0, 1) });
        for (const each of at.receipts) receipts.push(each);
        for (const each of at.files) files.add(each);
        const kept = KEPT[run % KEPT.length] ?? 0;
        const cut = cutPower(clusterIn(home), path.join(home, 'picture'), at.flushed, draw, kept);
        lost.sectors += cut.sectorsLost;
        lost.files += cut.filesLost;
        lost.walBytes += cut.walBytesLost;
        lost.objects += synced.cut(path.join(home, 'files-before'));
      }
      tally.acked = receipts.length + files.size;
      const records = await judge(tally, home, receipts, client.unreceipted);
      await kept(home, tally, [...files]);
      return tally.outcome('E3', runs, { lost, records, receipts: receipts.length, files: files.size, settings });
    } finally {
      await spares.close();
    }
  });
}

interface Work {
  readonly home: string;
  readonly process: MeshProcess;
  readonly url: string;
  readonly client: Client;
  readonly draw: Draw;
  readonly files: readonly string[];
}

/** Questions and loads until the kth answer; then everything dies at once. */
async function worked({ home, process, url, client, draw, files }: Work): Promise<Instant> {
  const cluster = clusterIn(home);
  pictureOf(cluster, path.join(home, 'picture'));
  rmSync(path.join(home, 'files-before'), { recursive: true, force: true });
  cpSync(path.join(home, 'files'), path.join(home, 'files-before'), { recursive: true });
  return withClient(ownerOf(home), async (database) => {
    const watch = new Watch(database);
    const start = await watch.instant();
    process.on((message) => {
      if (message.kind === 'loaded') watch.loaded(message.path, message.status);
      // The power goes while files are loaded, or when the last one was.
      if (message.kind === 'loaded' || message.kind === 'ingested' || message.kind === 'failed') loads += 1;
    });
    const loading = process.ingest(files);
    const wanted = draw.int(2, 16);
    let answers = 0;
    let loads = draw.chance(0.3) || files.length === 0 ? 1 : 0;
    let found: Promise<Instant> | undefined;
    const asking = client.load(
      url,
      () => found === undefined,
      (reply) => {
        watch.answered(reply);
        if (++answers >= wanted && loads > 0) found ??= watch.instant();
      },
    );
    while (found === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    const at = await found;
    await killServer(home, () => process.kill());
    await Promise.all([asking, loading]);
    // A checkpoint in between would have synced pages that the picture has in an older state.
    if (at.checkpoint !== start.checkpoint) throw new Error('a checkpoint came between; the image would be none of a power cut');
    return at;
  });
}

/** Files of the cohort in the order of their names, those of persons first, so that the rest can be linked. */
function freshFiles(base: Base): string[] {
  const all = readdirSync(base.cohort, { recursive: true, withFileTypes: true });
  return all
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => /\.(dcm|xml|txt|fit)$|wearables.*\.json$/.test(file) && !file.includes('inbox-bad') && !file.endsWith('README.txt'))
    .sort();
}

/** Forgets the files that the runs load, so that each load writes. */
async function emptied(home: string): Promise<void> {
  const engine = await engineOf(home);
  await withClient(engine.ownerUrl(), async (database) => {
    for (const table of TABLES) await database.query(`delete from ${table}`);
    await database.query(`delete from ingest_checkpoint where product in ('notes', 'imaging', 'wearables')`);
    await database.query(`delete from pipeline_update where product in ('notes', 'imaging', 'wearables')`);
    await database.query(`delete from raw_file where product in ('notes', 'imaging', 'wearables')`);
  });
  await engine.stop();
  rmSync(path.join(home, 'files'), { recursive: true, force: true });
  mkdirSync(path.join(home, 'files'));
}

/** Every file that was done is known as done, and its bytes are there. */
async function kept(home: string, tally: Tally, files: readonly string[]): Promise<void> {
  await inspect(home, async (running) => {
    const totals = await ingestPaths(files, running.pipeline(OPERATOR));
    tally.lost += files.length - totals.duplicate;
    tally.expect(totals.duplicate === files.length, `${files.length - totals.duplicate} of ${files.length} loaded files were forgotten`);
    const { rows } = await running.pools.owner.query<{ digest: string }>(
      `select r.digest from raw_file r join ingest_checkpoint c using (digest) where c.finished and r.product in ('notes', 'imaging', 'wearables')`,
    );
    for (const { digest } of rows) {
      if (await running.mesh.parts.objects.has(digest)) continue;
      tally.lost += 1;
      tally.faults.push('the bytes of a loaded file are gone');
    }
  });
}

/** The settings of the connections that write evidence; and whether a default of the database or of the role's database can turn their flush off. */
async function unsafeSessions(home: string, tally: Tally): Promise<Readonly<Record<string, string>>> {
  const engine = await engineOf(home);
  try {
    return await withClient(engine.ownerUrl(), async (owner) => {
      await owner.query('alter database thalamus set synchronous_commit = off');
      const found = await inspect(home, async ({ pools }) => {
        const { rows } = await pools.writer.query<{ name: string; setting: string }>(
          `select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'wal_sync_method')`,
        );
        return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
      }).catch((error: unknown): Record<string, string> => ({ refused: error instanceof Error ? error.message : 'refused' }));
      await owner.query('alter database thalamus reset synchronous_commit');
      for (const name of ['fsync', 'full_page_writes', 'synchronous_commit'])
        tally.expect(found[name] === undefined || found[name] !== 'off', `evidence is written with ${name} off`);
      return found;
    });
  } finally {
    await engine.stop();
  }
}

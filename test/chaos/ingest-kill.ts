import { cpSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolConfig } from 'pg';
import { Draw } from '../fuzz/random.js';
import { contentOf, difference } from './content.js';
import {
  LOADED_AT,
  clusterIn,
  dropDatabase,
  emptyDatabase,
  engineOf,
  inCopy,
  killServer,
  urlOf,
  withClient,
  type Base,
} from './installation.js';
import { Spares, type MeshProcess } from './mesh-process.js';
import { Tally, type Outcome } from './outcome.js';
import { readPidFile, waitUntil } from '../../src/store/engines/postmaster.js';

const KILLS_PER_ROUND = 10;
const SERVER_MS_MAX = 10_000;
/** A status that says that the file is done with; a file that was refused whole is read again each time. */
const DONE = new Set(['ingested', 'partly']);

/** One load of the cohort that is killed again and again until the round is over, then left to finish. */
class Round {
  /** Files of which the loader said that they are done. */
  private readonly acked = new Set<string>();

  constructor(
    private readonly tally: Tally,
    private readonly spares: Spares,
    private readonly base: Base,
    private readonly server: string,
    private readonly home: string,
    private readonly database: PoolConfig,
  ) {}

  async open(): Promise<MeshProcess> {
    const process = await this.spares.take();
    const order = { home: this.home, databaseUrl: urlOf(this.database), now: LOADED_AT, serves: false, journal: false };
    await process.open(order);
    return process;
  }

  /** Kills after `after` files have been told of, and `delay` ms; gives when. */
  async killed(process: MeshProcess, victim: 'loader' | 'server', after: number, delay: number): Promise<number> {
    let told = 0;
    let at = 0;
    const fault = new Promise<void>((resolve) => {
      process.on((message) => {
        if (message.kind === 'loaded') this.note(message.path, message.status);
        if (message.kind === 'ingested' || message.kind === 'failed' || (message.kind === 'loaded' && ++told === after)) resolve();
      });
    });
    const loading = process.ingest([this.base.cohort]);
    await fault;
    await sleep(delay);
    at = performance.now();
    if (victim === 'loader') await process.kill();
    else await killServer(this.server);
    await loading;
    await process.kill();
    return at;
  }

  private note(file: string, status: string): void {
    if (DONE.has(status) && !this.acked.has(file)) this.tally.acked += 1;
    if (DONE.has(status) && this.acked.has(file)) {
      // Told once that it is done, it has to be known from then on.
      this.tally.lost += 1;
      this.tally.faults.push('a file that was done was loaded again');
    }
    if (DONE.has(status)) this.acked.add(file);
  }

  async finish(process: MeshProcess): Promise<void> {
    process.on((message) => {
      if (message.kind === 'loaded') this.note(message.path, message.status);
    });
    this.tally.expect((await process.ingest([this.base.cohort])) !== null, 'the load did not finish');
    await process.kill();
    const { lost, duplicated, tables } = difference(await contentOf(this.database), this.base.content);
    this.tally.lost += lost;
    this.tally.duplicated += duplicated;
    this.tally.expect(tables.length === 0, `other content than without kills: ${tables.join(', ')}`);
    const { rows } = await withClient(this.database, (client) =>
      client.query<{ n: number }>(
        `select count(*)::int as n from pipeline_update u where finished_at is not null
            and not exists (select from lineage_run r join audit_log a on a.log_id = r.log_id and a.seq = r.log_seq where r.run_id::text = u.counts ->> 'lineageId')`,
      ),
    );
    this.tally.unaudited += rows[0]?.n ?? 0;
  }
}

/** E1: whatever loads files is killed at any moment, or the server under it; every file that was done stays done, and nothing comes twice. */
export function ingestKill(base: Base, seed: number, runs: number): Promise<Outcome> {
  return inCopy(base, async (home) => {
    const tally = new Tally();
    const draw = new Draw(seed);
    const engine = await engineOf(home);
    const spares = new Spares();
    const kills = { loader: 0, server: 0 };
    try {
      for (let run = 0, number = 0; run < runs; number += 1) {
        const name = `round_${number}`;
        const database = await emptyDatabase(engine.ownerUrl(), name);
        const folder = path.join(home, name);
        mkdirSync(folder);
        for (const key of ['secret.json', 'audit-keys.json']) cpSync(path.join(home, key), path.join(folder, key));
        const round = new Round(tally, spares, base, home, folder, database);
        let process = await round.open();
        for (let kill = 0; kill < KILLS_PER_ROUND && run < runs; kill += 1, run += 1) {
          const victim = draw.chance(0.2) ? 'server' : 'loader';
          kills[victim] += 1;
          const before = readPidFile(clusterIn(home))?.pid;
          const at = await round.killed(process, victim, draw.int(1, 6 + 6 * kill), draw.int(0, 12));
          if (victim === 'server') {
            const back = (): boolean => readPidFile(clusterIn(home))?.pid !== before && readPidFile(clusterIn(home))?.status === 'ready';
            tally.expect(await waitUntil(back, SERVER_MS_MAX), 'the server was not started again');
          }
          process = await round.open();
          tally.recovered(at);
        }
        await round.finish(process);
        await dropDatabase(engine.ownerUrl(), name);
      }
    } finally {
      await spares.close();
      await engine.stop();
    }
    return tally.outcome('E1', runs, { kills });
  });
}

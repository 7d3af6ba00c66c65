import { spawnSync } from 'node:child_process';
import { closeSync, cpSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readPidFile } from '../../src/store/engines/postmaster.js';
import { Draw } from '../fuzz/random.js';
import { Client } from './client.js';
import { contentOf, difference } from './content.js';
import { answersUntil, judge } from './gateway-kill.js';
import { clusterIn, engineOf, killServer, ownerOf, withClient, type Base } from './installation.js';
import { Spares } from './mesh-process.js';
import { Tally, skippedOutcome, type Outcome } from './outcome.js';

const QUOTA_MB = 144;
const REFUSED_MS_MAX = 20_000;
const RECOVER_MS_MAX = 20_000;
const FILLER_BYTES = 64 * 1024;

/**
 * E4: the disk under the data folder is full. Once a record cannot be written nothing leaves any more, and when there is room again the same gateway
 * answers again. In every second run the server needs a new file for its log while the disk is full, at which it gives up and has to come back.
 */
export async function diskFull(base: Base, seed: number, runs: number): Promise<Outcome> {
  const home = mkdtempSync(path.join(tmpdir(), 'chaos-full-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${QUOTA_MB}m,mode=0700`, 'tmpfs', home]).status === 0;
  try {
    return mounted
      ? await onQuota(base, home, seed, runs)
      : skippedOutcome('E4', 'a file system of limited size cannot be mounted here (needs root)');
  } finally {
    await killServer(home);
    if (mounted) spawnSync('umount', ['-l', home]);
    rmSync(home, { recursive: true, force: true });
  }
}

async function onQuota(base: Base, home: string, seed: number, runs: number): Promise<Outcome> {
  const tally = new Tally();
  const draw = new Draw(seed);
  cpSync(base.folder, home, { recursive: true });
  const spares = new Spares();
  const client = await Client.of(home);
  const refusedS: number[] = [];
  let restarts = 0;
  const process = await spares.take();
  try {
    const url = await process.open({ home, serves: true, journal: false });
    for (let run = 0; run < runs; run += 1) {
      await answersUntil(client, url, draw.int(2, 10));
      const server = readPidFile(clusterIn(home))?.pid;
      const room = fillUp(path.join(home, 'filler'));
      const filled = performance.now();
      if (run % 2 === 1) await exhaustLog(home);
      const refused = await untilRefused(client, url);
      refusedS.push(Math.round(performance.now() - filled) / 1_000);
      tally.expect(refused, 'reads were not refused although no record could be written');
      await sleep(draw.int(0, 500));
      // Nothing may leave while nothing can be recorded; an answer has to have a record, and the verifier looks for it.
      await Promise.all(Array.from({ length: 8 }, () => client.ask(url)));
      room();
      const freed = performance.now();
      const answered = await client.untilAnswered(url, RECOVER_MS_MAX);
      tally.expect(answered, `no answer after there was room again; the gateway said last: ${process.logged.slice(-4).join(' | ')}`);
      tally.recovered(freed);
      if (readPidFile(clusterIn(home))?.pid !== server) restarts += 1;
    }
  } finally {
    await process.kill();
    await spares.close();
  }
  await killServer(home);
  await judgeStored(tally, base, home);
  tally.acked = client.receipts.length;
  await judge(tally, home, client.receipts, client.unreceipted);
  const refusals = client.codes;
  tally.expect((refusals['AUDIT_UNAVAILABLE'] ?? 0) > 0, 'nothing was refused as AUDIT_UNAVAILABLE');
  return tally.outcome('E4', runs, {
    quota_mb: QUOTA_MB,
    refusals,
    refused_s: refusedS,
    server_restarts: restarts,
    log: [...new Set(process.logged)],
  });
}

/** Reading every row proves the checksum of every page; and the data are what they were. */
async function judgeStored(tally: Tally, base: Base, home: string): Promise<void> {
  const engine = await engineOf(home);
  try {
    const { lost, duplicated, tables } = difference(await contentOf(engine.ownerUrl()), base.content);
    tally.lost += lost;
    tally.duplicated += duplicated;
    tally.expect(tables.length === 0, `other content than before: ${tables.join(', ')}`);
  } finally {
    await engine.stop();
  }
}

/** Takes every free block; gives what frees them. */
function fillUp(file: string): () => void {
  const handle = openSync(file, 'w');
  const block = Buffer.alloc(FILLER_BYTES, 1);
  try {
    for (let size = block.length; size >= 512;) {
      try {
        writeSync(handle, block, 0, size);
      } catch {
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(handle);
  }
  return () => {
    rmSync(file);
  };
}

/** Moves the server on to a new file of its log, for which there is no room. */
async function exhaustLog(home: string): Promise<void> {
  for (let i = 0; i < 4; i += 1)
    await withClient(ownerOf(home), async (owner) => {
      await owner.query(`select pg_logical_emit_message(false, 'chaos', 'x')`);
      await owner.query('select pg_switch_wal()');
    }).catch(() => undefined);
}

async function untilRefused(client: Client, url: string): Promise<boolean> {
  const end = performance.now() + REFUSED_MS_MAX;
  while (performance.now() < end) {
    const replies = await Promise.all(Array.from({ length: 4 }, () => client.ask(url)));
    if (replies.every((reply) => reply !== null && !reply.data && reply.status >= 500)) return true;
  }
  return false;
}

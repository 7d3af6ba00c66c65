import { setTimeout as sleep } from 'node:timers/promises';
import type { Receipt } from '../../src/evidence/index.js';
import { Draw } from '../fuzz/random.js';
import { verifiedLogs } from '../support/audit.js';
import { Client } from './client.js';
import { engineOf, inCopy, inspect, killServer, type Base } from './installation.js';
import { Spares, type MeshProcess } from './mesh-process.js';
import { Tally, type Outcome } from './outcome.js';

const RECOVER_MS_MAX = 20_000;
const VICTIMS = ['gateway', 'gateway', 'gateway', 'server', 'both'] as const;

/** E2: the gateway is killed while it answers, or the server under it; whatever a client received whole is in the log. */
export function gatewayKill(base: Base, seed: number, runs: number): Promise<Outcome> {
  return inCopy(base, async (home) => {
    const tally = new Tally();
    const draw = new Draw(seed);
    const engine = await engineOf(home);
    const spares = new Spares();
    const client = await Client.of(home);
    const kills = { gateway: 0, server: 0, both: 0 };
    const open = async (): Promise<{ process: MeshProcess; url: string }> => {
      const process = await spares.take();
      return { process, url: await process.open({ home, serves: true, journal: false }) };
    };
    try {
      let { process, url } = await open();
      for (let run = 0; run < runs; run += 1) {
        const victim = VICTIMS[draw.int(0, VICTIMS.length - 1)] ?? 'gateway';
        kills[victim] += 1;
        await answersUntil(client, url, draw.int(1, 12));
        let goes = true;
        const asking = client.load(
          url,
          () => goes,
          () => undefined,
        );
        await sleep(draw.int(0, 6));
        const at = performance.now();
        if (victim !== 'gateway') await killServer(home, () => (victim === 'both' ? process.kill() : Promise.resolve()));
        else await process.kill();
        goes = false;
        await asking;
        if (victim !== 'server') ({ process, url } = await open());
        tally.expect(await client.untilAnswered(url, RECOVER_MS_MAX), `no answer after the ${victim} was killed`);
        tally.recovered(at);
      }
      await process.kill();
      tally.acked = client.receipts.length;
      await judge(tally, home, client.receipts, client.unreceipted);
    } finally {
      await spares.close();
      await engine.stop();
    }
    return tally.outcome('E2', runs, { kills, refused: client.codes });
  });
}

/** Asks with four at once until so many answers came. */
export async function answersUntil(client: Client, url: string, answers: number): Promise<void> {
  let got = 0;
  await client.load(
    url,
    () => got < answers,
    () => (got += 1),
  );
}

/** The stand-alone verifier over the exported logs with every receipt that the client holds. */
export async function judge(tally: Tally, home: string, receipts: readonly Receipt[], unreceipted: number): Promise<number> {
  const verdict = await inspect(home, (running) => verifiedLogs(running, receipts));
  const ofReceipts = verdict.findings.filter((finding) => finding.detail.includes('receipt')).length;
  tally.unaudited += unreceipted + ofReceipts;
  tally.expect(
    verdict.ok,
    `the log does not verify: ${verdict.findings
      .slice(0, 3)
      .map((each) => `${each.class} ${each.detail}`)
      .join('; ')}`,
  );
  return verdict.records;
}

/** The experiments of `npm run chaos`, with a kill or two each: on real processes, a real server and the stand-alone verifier. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { principalOf } from '../../src/cli/who.js';
import { ask } from '../../src/gateway/index.js';
import { systemClock } from '../../src/kernel/index.js';
import { clearForeignSocket } from '../../src/store/engines/postmaster.js';
import { Draw } from '../fuzz/random.js';
import { EXPERIMENTS, passed, summary } from './campaign.js';
import { difference } from './content.js';
import { judge } from './gateway-kill.js';
import { inCopy, inspect, makeBase, type Base } from './installation.js';
import { Tally, skippedOutcome, type Outcome } from './outcome.js';
import { cutPower, pictureOf, positionOf } from './power-image.js';
import { SyncedFiles } from './synced-files.js';

jest.setTimeout(120_000);

const SEED = 3;
const KILLS: Readonly<Record<string, number>> = { E1: 2, E2: 2, E3: 2, E4: 2 };
let base: Base;

beforeAll(async () => {
  base = await makeBase(SEED, 8);
});
afterAll(() => {
  base.remove();
});

it.each(Object.keys(KILLS))('%s loses nothing, doubles nothing and leaves nothing unaudited', async (name) => {
  const outcome = await EXPERIMENTS[name]!.run(base, SEED, KILLS[name]!);
  if (outcome.skipped) {
    process.stdout.write(`${name} skipped: ${outcome.skipped}\n`);
    return;
  }
  expect(outcome).toMatchObject({ faults: [], lost: 0, duplicated: 0, unaudited: 0 });
  expect(outcome.acked).toBeGreaterThan(0);
});

describe('the judges can fail', () => {
  it('an answer whose record is not in the log is unaudited', async () => {
    const tally = new Tally();
    await inCopy(base, async (home) => {
      const answer = await inspect(home, ({ mesh }) => ask(mesh, principalOf('analyst'), { query: '{ patientCount }' }));
      if (!answer.receipt) throw new Error('no receipt');
      const forged = { ...answer.receipt, id: '01a00000-0000-7000-8000-000000000001' };
      await judge(tally, home, [answer.receipt, forged], 0);
    });
    expect(tally.unaudited).toBe(1);
  });

  it('tells rows that are gone from rows that came twice and from others', () => {
    const wanted = { a: { rows: 3, digest: 'x' }, b: { rows: 1, digest: 'y' }, c: { rows: 1, digest: 'z' } };
    const found = { a: { rows: 1, digest: 'v' }, b: { rows: 2, digest: 'w' }, c: { rows: 1, digest: 'u' } };
    expect(difference(found, wanted)).toEqual({ lost: 2, duplicated: 1, tables: ['a', 'b', 'c'] });
  });

  it('sums only what was made, and names what failed', () => {
    const bad: Outcome = { ...new Tally().outcome('E2', 4, {}), unaudited: 1 };
    expect(passed(bad)).toBe(false);
    expect(summary([bad, skippedOutcome('E4', 'why')])).toMatchObject({
      runs: 4,
      unaudited: 1,
      failed: ['E2'],
      recover_s_max: null,
      details: { E4: null },
    });
    expect(summary([skippedOutcome('E4', 'why')])).toMatchObject({ runs: null, lost: null });
  });
});

describe('the image of a power cut', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'chaos-image-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('goes back to what was synced: pages, lengths, new files, and the log after its last synced byte', () => {
    const [cluster, before] = [path.join(folder, 'cluster'), path.join(folder, 'before')];
    pictureOf(folder, cluster);
    writeFileSync(path.join(cluster, 'page'), Buffer.alloc(8_192, 1));
    pictureOf(cluster, before);
    writeFileSync(path.join(cluster, 'page'), Buffer.alloc(16_384, 2));
    writeFileSync(path.join(cluster, 'new'), 'new');
    rmSync(path.join(cluster, 'pg_wal'), { recursive: true, force: true });
    expect(cutPower(cluster, before, 0n, new Draw(1), 0)).toEqual({ sectorsLost: 4, filesLost: 1, walBytesLost: 0 });
    expect(readFileSync(path.join(cluster, 'page'))).toEqual(Buffer.alloc(8_192, 1));
    expect(positionOf('1/16B3748')).toBe(0x1_016b_3748n);
  });

  it('leaves a file of the data folder only with its bytes synced, and its folder after it got its name', () => {
    const files = new SyncedFiles(folder);
    for (const name of ['kept', 'renamed', 'unsynced']) writeFileSync(path.join(folder, name), name);
    files.note({ kind: 'synced', path: path.join(folder, 'draft') });
    files.note({ kind: 'renamed', from: path.join(folder, 'draft'), path: path.join(folder, 'kept') });
    files.note({ kind: 'synced', path: folder });
    files.note({ kind: 'synced', path: path.join(folder, 'draft') });
    files.note({ kind: 'renamed', from: path.join(folder, 'draft'), path: path.join(folder, 'renamed') });
    expect(files.cut(path.join(folder, 'none'))).toBe(2);
    expect(readFileSync(path.join(folder, 'kept'), 'utf8')).toBe('kept');
  });

  it('the lock of a socket that names another process does not keep the server from starting', () => {
    const lock = path.join(folder, '.s.PGSQL.5432.lock');
    writeFileSync(lock, `${String(process.pid)}\n/data\n${String(systemClock())}\n`);
    clearForeignSocket(folder, 5_432, folder);
    expect(() => readFileSync(lock)).toThrow('ENOENT');
  });
});

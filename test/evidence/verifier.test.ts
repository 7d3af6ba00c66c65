import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exportLog, leafHash, parseCheckpoint, tilePath, vkeyOf } from '../../src/evidence/index.js';
import { canonical } from '../../src/kernel/index.js';
import { Draw } from '../fuzz/random.js';
import { ATTACKS } from '../audit/attacks.js';
import { runVerifier, verifierLines, type Given, type Verdict } from '../audit/verifier.js';
import { publish, signHead, signerOf, vkeyText, writeWorld, type Log, type World } from '../audit/world.js';

const SEED = 7;
let dir: string;
let world: World;
let log: Log;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'audit-test-'));
  world = await writeWorld(new Draw(SEED), [
    { size: 260, writers: 2, rotateAt: null, witnessedToTheEnd: true },
    { size: 700, writers: 2, rotateAt: 90, witnessedToTheEnd: false },
  ]);
  log = world.logs[1]!;
  for (const each of world.logs) await publish(dir, each);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const given = (more: Partial<Given> = {}): Given => ({
  keys: world.logs.map((each) => vkeyText(each, each.keys[0])),
  witnesses: [world.witness.vkey],
  checkpoints: world.witness.signed,
  receipts: [],
  ...more,
});
const verdict = async (with_: Given = given()): Promise<Verdict> => JSON.parse((await runVerifier(dir, with_, '--json')).out) as Verdict;
const first = async (with_: Given = given()): Promise<string | undefined> => (await verdict(with_)).findings[0]?.class;
const inLog = (...parts: string[]): string => path.join(dir, log.logId, ...parts);

it('logs that nobody touched verify, with every receipt, through a change of key', async () => {
  const receipts = world.logs.flatMap((each) => each.receipts);
  expect(receipts).toHaveLength(960);
  expect(await runVerifier(dir, given({ receipts, strict: true }))).toEqual({ code: 0, out: 'OK 2 logs, 960 records\n', err: '' });
});

it.each(ATTACKS.map((each) => [each.class, each] as const))('tampering of the class %s is found by its name', async (name, attack) => {
  const held = await attack.act({ dir, world, log, random: new Draw(SEED + 1) });
  const receipts = name === 'renumbered' ? log.receipts : (held ?? []);
  const { code, out } = await runVerifier(dir, given({ receipts }));
  expect([code, out.split(' ')[0]]).toEqual([1, 'BAD']);
  expect(out).toMatch(new RegExp(`^BAD [0-9a-f-]{36} \\d+ ${name}: `));
});

it('an edited record is named by its index', async () => {
  const file = inLog(tilePath({ level: 'entries', index: 1, width: 256 }));
  const bytes = await readFile(file);
  const at = bytes.indexOf('"seq":300');
  bytes.write('9', bytes.lastIndexOf('"rows":', at) + 7);
  await writeFile(file, bytes);
  expect((await verdict()).findings[0]).toMatchObject({ log: log.logId, index: 300, class: 'edited' });
});

it('a record that is not canonical JSON is found though everything is signed', async () => {
  for (const broken of [
    log.records[699]!.replace(',', ', '),
    `[${log.records[699]!}]`,
    '{}',
    log.records[699]!.replace('"at"', '"at":1,"at"'),
  ]) {
    const records = log.records.with(699, broken);
    await publish(dir, { ...log, records, head: signHead(log, records, signerOf(log)) });
    expect((await verdict()).findings[0]).toMatchObject({ index: 699, class: 'malformed' });
  }
});

it('a log that is missing is found by whoever holds a head or a receipt of it', async () => {
  await rm(path.join(dir, log.logId), { recursive: true });
  expect(await first()).toBe('rolled-back');
  expect(await first(given({ checkpoints: [], receipts: log.receipts.slice(0, 1) }))).toBe('rolled-back');
});

it('a log in the place of another is found', async () => {
  const { rename } = await import('node:fs/promises');
  await rename(path.join(dir, log.logId), path.join(dir, 'aaa'));
  expect(await first(given({ checkpoints: [] }))).toBe('malformed');
});

it('a tile beyond the size is found', async () => {
  await writeFile(inLog('tile', '0', '900'), Buffer.alloc(8192));
  expect((await verdict()).findings[0]).toMatchObject({ class: 'stray', index: 700 });
});

it('a key that the old one did not name under its signature is foreign', async () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  await publish(dir, { ...log, head: signHead(log, log.records, privateKey), keys: [privateKey] });
  expect(await first()).toBe('foreign-key');
});

it('the old key signs no more once the new one is named', async () => {
  await publish(dir, { ...log, head: signHead(log, log.records, log.keys[0]!) });
  expect(await first()).toBe('foreign-key');
});

it('a receipt under a signature of somebody else proves nothing against the log, and is named', async () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const receipt = { ...log.receipts[600]!, checkpoint: signHead(log, log.records, privateKey) };
  expect(await first(given({ receipts: [receipt] }))).toBe('foreign-key');
});

it('what cannot be read is neither good nor bad', async () => {
  expect((await runVerifier(path.join(dir, 'nowhere'), given())).code).toBe(2);
  expect((await runVerifier(dir, given({ keys: ['nonsense'] }))).code).toBe(2);
  expect((await runVerifier(dir, given({ checkpoints: ['nonsense'] }))).code).toBe(2);
  expect((await runVerifier(dir, given(), '--unknown')).code).toBe(2);
});

it('the verifier is one short file that needs nothing of the product', async () => {
  const source = await readFile(path.resolve(__dirname, '../../bin/audit-verify.mjs'), 'utf8');
  expect(await verifierLines()).toBeLessThanOrEqual(300);
  expect([...source.matchAll(/from '([^']+)'/g)].map((each) => each[1])).toEqual(['node:crypto', 'node:fs']);
});

describe('an export', () => {
  async function* each(records: readonly string[]): AsyncGenerator<string> {
    for (const record of records) yield record;
  }
  const exported = (records: readonly string[], head = log.head): Promise<unknown> =>
    exportLog(inLog(), { records: each(records), checkpoint: head, checkpoints: log.checkpoints, vkey: vkeyOf(log.origin, signerOf(log)) });

  it('of records that do not give the root of the head is refused, and the old head stays', async () => {
    const before = await readFile(inLog('checkpoint'), 'utf8');
    await expect(exported(log.records.slice(0, -1))).rejects.toMatchObject({ code: 'AUDIT_BROKEN' });
    await expect(exported(log.records.with(5, '{}'))).rejects.toMatchObject({ code: 'AUDIT_BROKEN' });
    await expect(exported(log.records, 'nonsense')).rejects.toMatchObject({ code: 'AUDIT_BROKEN' });
    expect(await readFile(inLog('checkpoint'), 'utf8')).toBe(before);
  });

  it('as found is written whole, and the verifier names the record whose stored leaf is another', async () => {
    const leaves = log.records.map((record) => leafHash(record));
    for (const [found, index, records] of [
      ['truncated', 512, log.records.slice(0, -1)],
      ['edited', 5, log.records.with(5, log.records[5]!.replace('user-', 'nobody-'))],
      ['edited', 5, log.records.with(5, log.records[5]!.replace('user-', 'x'.repeat(70_000)))],
    ] as const) {
      await rm(inLog(), { recursive: true });
      await exportLog(inLog(), {
        records: (async function* () {
          for (const [i, record] of records.entries()) yield { record, leaf: leaves[i]! };
        })(),
        checkpoint: log.head,
        checkpoints: log.checkpoints,
        vkey: vkeyText(log),
        asFound: true,
      });
      const [worst] = (await verdict()).findings;
      expect(worst?.class).toBe(found);
      expect(worst?.index).toBeGreaterThanOrEqual(index);
    }
  });

  it('into the place of a smaller one leaves none of its partial tiles, nor names of its own', async () => {
    const more = [
      ...log.records,
      canonical({ ...(JSON.parse(log.records[699]!) as object), seq: 700, run: '00000000-0000-7000-8000-000000000000' }),
    ];
    await exported(more, signHead(log, more, signerOf(log)));
    expect(await verdict(given({ strict: true }))).toMatchObject({ ok: true, records: 961 });
    const files = await readdir(inLog(), { recursive: true });
    expect(files.filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('reads no further than its head', async () => {
    const size = parseCheckpoint(log.head)!.size;
    await exported([...log.records, 'never read']);
    expect(parseCheckpoint(await readFile(inLog('checkpoint'), 'utf8'))!.size).toBe(size);
    expect((await verdict()).ok).toBe(true);
  });

  it('holds level 0 as the hashes of its records', async () => {
    const tile = await readFile(inLog('tile', '0', '000'));
    expect(tile).toEqual(Buffer.concat(log.records.slice(0, 256).map((record) => leafHash(record))));
  });
});

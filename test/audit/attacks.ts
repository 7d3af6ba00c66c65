import type { KeyObject } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TILE_WIDTH, encodeBundle, parseCheckpoint, parseNote, tilePath, tileWidth, type Receipt } from '../../src/evidence/index.js';
import { canonical } from '../../src/kernel/index.js';
import type { Draw } from '../fuzz/random.js';
import { keyOf, publish, recordOf, signHead, signerOf, uuid, vkeyText, type Log, type World } from './world.js';

/** A log that is already published below `dir`, and who attacks it. What the attack gives are receipts that callers hold beside those of the log. */
export interface Attack {
  readonly class: string;
  /** Acts on the last log of the world. */
  readonly act: (at: Scene) => Promise<readonly Receipt[] | undefined>;
}

export interface Scene {
  readonly dir: string;
  readonly world: World;
  readonly log: Log;
  readonly random: Draw;
}

type Content = Record<string, unknown> & { at: string; mono: number; seq: number; run: string; writer: string };
const parsed = (record: string): Content => JSON.parse(record) as Content;
const changed = (record: string, change: Partial<Content>): string => canonical({ ...parsed(record), ...change });
/** A record that says that somebody else asked. */
const edited = (record: string): string => changed(record, { principal: 'user-nobody' });
const renumbered = (records: readonly string[]): string[] => records.map((record, seq) => changed(record, { seq }));
/** A place with records on both sides. */
const middle = ({ log, random }: Scene): number => random.int(1, log.records.length - 2);

/** Writes bundles of records and leaves all hashes as they are: what one does who holds the disk and no key. */
async function rewriteBundles({ dir, log }: Scene, records: readonly string[]): Promise<void> {
  for (let index = 0; index * TILE_WIDTH < log.records.length; index += 1) {
    const last = (index + 1) * TILE_WIDTH >= log.records.length;
    const file = path.join(dir, log.logId, tilePath({ level: 'entries', index, width: tileWidth('entries', index, log.records.length) }));
    await writeFile(file, encodeBundle(records.slice(index * TILE_WIDTH, last ? undefined : (index + 1) * TILE_WIDTH)));
  }
}

/** Publishes other records in the place of the log, with all hashes made anew. */
async function republish(
  scene: Scene,
  records: readonly string[],
  how: { readonly head: string; readonly checkpoints?: readonly string[] },
): Promise<void> {
  const { dir, log } = scene;
  await publish(dir, { ...log, records: [...records], head: how.head, checkpoints: [...(how.checkpoints ?? log.checkpoints)] });
}

/** Key by which a log of these records signs its head of a size: the first up to the head over the record that names the second. */
function keyAt(log: Log, records: readonly string[], size: number): KeyObject {
  const at = records.findIndex((record) => parsed(record)['kind'] === 'log.key');
  return at < 0 || size <= at + 1 ? log.keys[0]! : signerOf(log);
}

/** Own heads over other records, all signed anew by who holds the key, so that the log does not contradict itself. */
function coherent({ log }: Scene, records: readonly string[]): string[] {
  const sizes = log.checkpoints.map((each) => parseCheckpoint(each)?.size ?? 0).filter((size) => size <= records.length);
  return sizes.map((size) => signHead(log, records.slice(0, size), keyAt(log, records, size)));
}

/** Appends a record and has it signed and witnessed like any other: the fault is in what it says. */
async function appended(scene: Scene, change: Partial<Content>): Promise<undefined> {
  const { log, random } = scene;
  const last = parsed(log.records.at(-1)!);
  const place = { seq: log.records.length, at: Date.parse(last.at) + 1, mono: last.mono + 1, writer: last.writer };
  const records = [...log.records, changed(recordOf(random, place), change)];
  await republish(scene, records, { head: signHead(log, records, signerOf(log)) });
  return undefined;
}

const witnessedSize = ({ world, log }: Scene): number =>
  Math.max(
    0,
    ...world.witness.signed
      .map((each) => parseCheckpoint(each)!)
      .filter((each) => each.origin === log.origin)
      .map((each) => each.size),
  );

export const ATTACKS: readonly Attack[] = [
  {
    class: 'edited',
    act: async (scene) => {
      const at = scene.random.int(0, scene.log.records.length - 1);
      await rewriteBundles(scene, scene.log.records.with(at, edited(scene.log.records[at]!)));
      return undefined;
    },
  },
  {
    class: 'deleted',
    act: async (scene) => {
      await rewriteBundles(scene, scene.log.records.toSpliced(middle(scene), 1));
      return undefined;
    },
  },
  {
    class: 'reordered',
    act: async (scene) => {
      const { records } = scene.log;
      let at = middle(scene);
      if (at % TILE_WIDTH === TILE_WIDTH - 1) at -= 1;
      await rewriteBundles(scene, records.with(at, records[at + 1]!).with(at + 1, records[at]!));
      return undefined;
    },
  },
  {
    class: 'inserted',
    act: async (scene) => {
      const { log, random } = scene;
      const at = middle(scene);
      const before = parsed(log.records[at - 1]!);
      const made = recordOf(random, { seq: at, at: Date.parse(before.at), mono: before.mono, writer: before.writer });
      await rewriteBundles(scene, log.records.toSpliced(at, 0, made));
      return undefined;
    },
  },
  {
    class: 'truncated',
    act: async (scene) => {
      const { dir, log, random } = scene;
      const records = log.records.slice(0, random.int(1, log.records.length - 1));
      const checkpoint = await readFile(path.join(dir, log.logId, 'checkpoint'));
      await emptied(scene);
      await republish(scene, records, { head: signHead(log, records, signerOf(log)) });
      await writeFile(path.join(dir, log.logId, 'checkpoint'), checkpoint);
      return undefined;
    },
  },
  {
    class: 'rolled-back',
    act: async (scene) => {
      const { log, random } = scene;
      // Not to the last head that the witness has: what stands behind that is the tail.
      const known = log.checkpoints.filter((each) => parseCheckpoint(each)!.size < witnessedSize(scene));
      const heads = known.slice(0, random.int(1, known.length));
      const old = heads.pop()!;
      await emptied(scene);
      const size = parseCheckpoint(old)!.size;
      await publish(scene.dir, {
        ...log,
        records: log.records.slice(0, size),
        head: old,
        checkpoints: heads,
        keys: [keyAt(log, log.records, size)],
      });
      return undefined;
    },
  },
  {
    class: 'unsigned',
    act: async (scene) => {
      const { dir, log } = scene;
      const at = middle(scene);
      const records = log.records.with(at, edited(log.records[at]!));
      const made = signHead(log, records, signerOf(log));
      await republish(scene, records, { head: made });
      const signatures = parseNote(log.head)!.signatures.map((each) => `${each.line}\n`);
      // Either the head keeps its old root, or it has the new one under the old signatures.
      const head = scene.random.chance(0.5) ? log.head : `${parseNote(made)!.text}\n${signatures.join('')}`;
      await writeFile(path.join(dir, log.logId, 'checkpoint'), head);
      return undefined;
    },
  },
  {
    class: 'foreign-key',
    act: async (scene) => {
      const { dir, log, random } = scene;
      const at = middle(scene);
      const records = log.records.with(at, edited(log.records[at]!));
      const key = keyOf(random);
      await republish(scene, records, { head: signHead(log, records, key), checkpoints: [] });
      await writeFile(path.join(dir, log.logId, 'vkey'), `${vkeyText(log, key)}\n`);
      return undefined;
    },
  },
  {
    class: 're-signed',
    act: async (scene) => {
      const { log, random } = scene;
      const covered = parseCheckpoint(log.checkpoints.at(-1)!)!.size;
      const at = random.int(0, covered - 1);
      const records = log.records.with(at, edited(log.records[at]!));
      await republish(scene, records, { head: signHead(log, records, signerOf(log)) });
      return undefined;
    },
  },
  {
    class: 'forked',
    act: async (scene) => {
      const { log, random } = scene;
      const from = random.int(0, witnessedSize(scene) - 1);
      const records = log.records.map((record, seq) => (seq < from ? record : changed(record, { run: uuid(random), rows: 0 })));
      await republish(scene, records, { head: signHead(log, records, signerOf(log)), checkpoints: coherent(scene, records) });
      return undefined;
    },
  },
  {
    class: 'renumbered',
    act: async (scene) => {
      const records = renumbered(scene.log.records.toSpliced(middle(scene), 1));
      await emptied(scene);
      const head = signHead(scene.log, records, keyAt(scene.log, records, records.length));
      await republish(scene, records, { head, checkpoints: coherent(scene, records) });
      return undefined;
    },
  },
  {
    class: 'run-repeated',
    act: async (scene) => {
      const other = scene.random.pick(scene.world.logs.filter((each) => each.records.length > 0));
      return appended(scene, { run: parsed(scene.random.pick(other.records)).run });
    },
  },
  {
    class: 'clock-back',
    act: async (scene) => {
      const last = parsed(scene.log.records.at(-1)!);
      const back = scene.random.chance(0.5)
        ? { at: new Date(Date.parse(last.at) - scene.random.int(1, 1e7)).toISOString() }
        : { mono: last.mono - scene.random.int(1, 1e5) };
      return appended(scene, back);
    },
  },
  {
    class: 'tail',
    act: async (scene) => {
      const { log, random } = scene;
      const from = witnessedSize(scene);
      if (from === log.records.length || random.chance(0.3)) {
        // The witness is kept away until there is room to work in.
        const last = parsed(log.records.at(-1)!);
        const more = Array.from({ length: 300 }, (_, i) =>
          recordOf(random, { seq: log.records.length + i, at: Date.parse(last.at) + i, mono: last.mono + i, writer: last.writer }),
        );
        const records = [...log.records, ...more];
        await republish(scene, records, { head: signHead(log, records, signerOf(log)) });
        return undefined;
      }
      const at = random.int(from, log.records.length - 1);
      const records = log.records.with(at, edited(log.records[at]!));
      await republish(scene, records, { head: signHead(log, records, signerOf(log)) });
      // Somebody was answered at the end of the log.
      return [{ id: parsed(log.records.at(-1)!).run, logId: log.logId, logIndex: log.records.length - 1, checkpoint: log.head }];
    },
  },
  {
    class: 'never-written',
    act: async ({ log, random }) => {
      const checkpoint = log.head;
      const inside = random.chance(0.5) ? random.int(0, log.records.length - 1) : log.records.length;
      return [{ id: uuid(random), logId: log.logId, logIndex: inside, checkpoint }];
    },
  },
];

/** Takes the published log away: what is published next leaves nothing of it behind. */
async function emptied({ dir, log }: Scene): Promise<void> {
  await rm(path.join(dir, log.logId), { recursive: true });
  await mkdir(path.join(dir, log.logId));
}

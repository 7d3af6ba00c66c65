/** Large objects by their chunks: a range costs its own chunks only, and no byte leaves that was not held against a digest. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { localObjects, openChecked, type ObjectStore, type StoredObject } from '../../src/store/index.js';
import { codeWhen } from '../support/ask.js';

jest.setTimeout(30_000);

const MIB = 1024 * 1024;
const BYTES = 9 * MIB + 12_345;
const content = Buffer.alloc(BYTES);
for (let at = 0; at < BYTES; at += 4) content.writeUInt32LE(Math.imul(at + 1, 2_654_435_761) >>> 0, Math.min(at, BYTES - 4));

let folder: string;
let objects: ObjectStore;
let stored: StoredObject;
let path: string;

async function* parts(of: Buffer, size = 100_003): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < of.length; at += size) yield await Promise.resolve(of.subarray(at, at + size));
}
async function bytesOf(input: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const found: Uint8Array[] = [];
  for await (const part of input) found.push(part);
  return Buffer.concat(found);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'thalamus-chunks-'));
  objects = localObjects(folder);
  stored = await objects.put(parts(content));
  path = join(folder, 'objects', stored.digest.slice(0, 2), stored.digest);
});
beforeEach(() => {
  writeFileSync(path, content);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Digests and byte counts of what was read from the disk. */
function counting(): { store: ObjectStore; read: () => number } {
  let bytes = 0;
  async function* counted(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const part of input) {
      bytes += part.length;
      yield part;
    }
  }
  return { store: { ...objects, open: (...args) => counted(objects.open(...args)) }, read: () => bytes };
}

const flippedAt = (at: number): void => {
  const copy = Buffer.from(content);
  copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8));
  writeFileSync(path, copy);
};

test('any range of a large object is what arrived, at the cost of its chunks', async () => {
  expect(stored.chunksDigest).toMatch(/^[0-9a-f]{64}$/);
  const range = fc.tuple(fc.nat(BYTES), fc.nat(BYTES)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        range,
        fc.nat(BYTES - 10).map((at) => [at, at + 10] as const),
      ),
      async ([from, to]) => {
        const { store, read } = counting();
        const checked = await openChecked(store, stored.digest, stored);
        expect(checked.bytes).toBe(BYTES);
        const found = await bytesOf(checked.span(from, to));
        expect(found.equals(content.subarray(from, to))).toBe(true);
        expect(read()).toBeLessThanOrEqual(to - from + 2 * MIB);
      },
    ),
    { numRuns: 25 },
  );
});

test('a changed byte is found by every range that needs its chunk, before a byte of that chunk leaves; other ranges are served', async () => {
  for (let run = 0; run < 40; run += 1) {
    const at = (run * 241_117 + run) % BYTES;
    flippedAt(at);
    const checked = await openChecked(objects, stored.digest, stored);
    const chunk = Math.floor(at / MIB) * MIB;
    const got: Uint8Array[] = [];
    const reading = async (from: number, to: number): Promise<void> => {
      for await (const part of checked.span(from, to)) got.push(part);
    };
    expect(await codeWhen(reading(chunk, Math.min(chunk + 1, BYTES)))).toBe('FILE_CHANGED');
    expect(got).toEqual([]);
    expect(await codeWhen(reading(0, BYTES))).toBe('FILE_CHANGED');
    expect(Buffer.concat(got).equals(content.subarray(0, chunk))).toBe(true);
    const elsewhere = chunk === 0 ? MIB : 0;
    expect((await bytesOf(checked.span(elsewhere, elsewhere + 100))).equals(content.subarray(elsewhere, elsewhere + 100))).toBe(true);
  }
});

test('an object that was cut, that is gone, or whose list of chunks has changed gives no wrong byte', async () => {
  truncateSync(path, BYTES - 1);
  const cut = await openChecked(objects, stored.digest, stored);
  expect(await codeWhen(bytesOf(cut.span(BYTES - 10, BYTES)))).toBe('FILE_CHANGED');
  writeFileSync(path, content);
  const list = readFileSync(`${path}.chunks`);
  for (const damage of [list.map((each, at) => (at === 40 ? each ^ 1 : each)), list.subarray(32), Buffer.alloc(0)]) {
    writeFileSync(`${path}.chunks`, damage);
    // The whole object is read against its own digest instead.
    const { store, read } = counting();
    expect((await bytesOf((await openChecked(store, stored.digest, stored)).span(5, 10))).equals(content.subarray(5, 10))).toBe(true);
    expect(read()).toBeGreaterThanOrEqual(BYTES);
    flippedAt(3 * MIB);
    expect(await codeWhen(openChecked(objects, stored.digest, stored))).toBe('FILE_CHANGED');
    writeFileSync(path, content);
  }
  rmSync(`${path}.chunks`);
  expect((await openChecked(objects, stored.digest, { ...stored, chunksDigest: null })).bytes).toBe(BYTES);
  expect(await objects.put(parts(content, 77_777))).toEqual(stored);
  expect(readFileSync(`${path}.chunks`)).toEqual(list);
  rmSync(path);
  expect(await codeWhen(bytesOf((await openChecked(objects, stored.digest, stored)).span(0, 1)))).toBe('FILE_UNREADABLE');
});

test('an object that is stored again is mended, and one that is removed takes its list along', async () => {
  flippedAt(17);
  expect(await objects.put(parts(content))).toEqual(stored);
  expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(stored.digest);
  const names: string[] = [];
  for await (const name of objects.all()) names.push(name);
  expect(names).toEqual([stored.digest]);
  const other = await objects.put(parts(Buffer.concat([content, Buffer.of(1)])));
  expect(await objects.remove(other.digest)).toBe(true);
  expect(readdirSync(join(folder, 'objects', other.digest.slice(0, 2))).filter((name) => name.startsWith(other.digest))).toEqual([]);
});

import { MIGRATIONS } from '../../migrations/index.js';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { columnTypes } from '../../src/store/catalogue.js';
import { migrate } from '../../src/store/migrate.js';
import { localObjects } from '../../src/store/objects.js';
import { writeStore } from '../../src/store/pipeline-store.js';
import { openPools, type Pools } from '../../src/store/pool.js';
import type { WriteTarget } from '../../src/store/writer.js';
import { codeWhen } from '../support/ask.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

jest.setTimeout(60_000);

let database: TestDatabase;
let pools: Pools;
let folder: string;
beforeAll(async () => {
  database = await createDatabase();
  pools = await openPools(database.engine);
  folder = mkdtempSync(join(tmpdir(), 'thalamus-objects-'));
  await pools.owner
    .query(`create table every_type (id int primary key, u uuid, t text, n bigint, f float8, b bool, d date, at timestamptz, l text[], j jsonb, y bytea);
    grant select, insert, update, delete on every_type to thalamus_writer`);
});
afterAll(async () => {
  await pools.end();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const target: WriteTarget = {
  table: 'every_type',
  columns: {
    id: 'int',
    u: 'uuid',
    t: 'text',
    n: 'bigint',
    f: 'float8',
    b: 'bool',
    d: 'date',
    at: 'timestamptz',
    l: 'text[]',
    j: 'json',
    y: 'bytea',
  },
  key: ['id'],
  onConflict: 'update',
};
const bytesOf = async (input: AsyncIterable<Uint8Array>): Promise<string> => {
  const parts: Uint8Array[] = [];
  for await (const part of input) parts.push(part);
  return Buffer.concat(parts).toString();
};
async function* stream(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(Buffer.from(part));
}

describe('writer', () => {
  it('writes values of every type and reads back the same', async () => {
    const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));
    const row = fc.record({
      u: fc.uuid(),
      t: fc.option(text),
      n: fc.maxSafeInteger(),
      f: fc.double(),
      b: fc.boolean(),
      d: fc.constantFrom('2024-02-29', 'infinity', '1850-01-01'),
      at: fc.oneof(
        fc.constantFrom('infinity', '-infinity'),
        fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }).map((date) => date.toISOString()),
      ),
      l: fc.array(fc.oneof(text, fc.constantFrom('NULL', '', '\\', '"', '{}', ',', '\t', '\\N'))),
      j: fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null))),
      y: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    });
    const store = writeStore(pools.writer, localObjects(folder));
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (made) => {
        const rows = made.map((one, id) => ({ id, ...one }));
        const found = await store.transaction(async (tx) => {
          await tx.query('delete from every_type');
          expect(await tx.write(target, rows)).toEqual({ written: rows.length, conflicts: [] });
          return tx.query('select * from every_type order by id');
        });
        // jsonb keeps other orders of names; -0 is a number of its own in float8.
        expect(found.map((one) => ({ ...(one as object) }))).toEqual(rows.map((one) => ({ ...one, j: JSON.parse(JSON.stringify(one.j)) })));
      }),
      { numRuns: 30 },
    );
  });

  it('refuses NUL in text and values of another type, and leaves the connection usable', async () => {
    const store = writeStore(pools.writer, localObjects(folder));
    const write = (row: object): Promise<unknown> => store.transaction((tx) => tx.write(target, [{ id: 1, ...row }]));
    expect(await codeWhen(write({ t: 'a\0b' }))).toBe('ENCODING_INVALID');
    expect(await codeWhen(write({ n: 1.5 }))).toBe('SAMPLE_INVALID');
    await expect(write({ u: 'no uuid' })).rejects.toMatchObject({ code: '22P02' });
    await expect(write({})).resolves.toMatchObject({ written: 1 });
  });

  it('loads 100,000 rows at once', async () => {
    const store = writeStore(pools.writer, localObjects(folder));
    const rows = Array.from({ length: 100_000 }, (_, id) => ({ id, t: `text ${id}`, f: id / 3 }));
    const result = await store.transaction((tx) => tx.write(target, rows));
    expect(result.written).toBe(100_000);
  });
});

describe('objects', () => {
  it('stores bytes under their digest, once, and finds damage', async () => {
    const objects = localObjects(folder);
    const stored = await objects.put(stream('hello ', 'world'));
    expect(stored).toEqual({ digest: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9', bytes: 11, chunksDigest: null });
    expect(await objects.put(stream('hello world'))).toEqual(stored);
    expect(await bytesOf(objects.open(stored.digest, { from: 6, to: 11 }))).toBe('world');
    expect(readdirSync(join(folder, 'incoming'))).toEqual([]);
    writeFileSync(join(folder, 'objects/b9', stored.digest), 'hello there');
    expect(await codeWhen(bytesOf(objects.open(stored.digest, { verify: true })))).toBe('FILE_CHANGED');
    expect(await objects.put(stream('hello world'))).toEqual(stored);
    expect(await bytesOf(objects.open(stored.digest, { verify: true }))).toBe('hello world');
    expect(await codeWhen(bytesOf(objects.open('0'.repeat(64))))).toBe('FILE_UNREADABLE');
    expect([await objects.has(stored.digest), await objects.has('0'.repeat(64))]).toEqual([true, false]);
    expect(() => objects.open('../../etc/passwd')).toThrow('hexadecimal');
  });
});

describe('migrations', () => {
  it('run once, also when two processes start together, and leave types that the catalogue names', async () => {
    const empty = await createDatabase('template0');
    try {
      const runs = await Promise.all([migrate(empty.engine), migrate(empty.config)]);
      expect(runs.map((names) => names.length).sort((a, b) => a - b)).toEqual([0, MIGRATIONS.length]);
      expect(await migrate(empty.engine)).toEqual([]);
      const fresh = await openPools(empty.engine);
      const types = await columnTypes(fresh.reader).finally(() => fresh.end());
      expect(types.get('note')?.get('labels')).toBe('text[]');
      expect(Object.fromEntries(types.get('observation') ?? [])).toMatchObject({
        patient_id: 'uuid',
        value: 'float8',
        effective_at: 'timestamptz',
        code: 'text',
        source_ordinal: 'int4',
      });
      expect(types.get('fhir_resource')?.get('body')).toBe('jsonb');
    } finally {
      await empty.drop();
    }
  });
});

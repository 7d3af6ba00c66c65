import type { Pool, PoolClient } from 'pg';
import { CodedError, digestOf, isCoded, isIntact, type ContentDigest } from '../kernel/index.js';
import type { ObjectStore } from './objects.js';
import { storedTypes } from './stored-types.js';

/** One thing that is not what was written. Names and positions only. */
export interface Damage {
  readonly kind: 'object' | 'row';
  /** FILE_CHANGED, FILE_UNREADABLE where an object is gone, DATA_CORRUPT. */
  readonly code: string;
  /** The digest of an object; table and place of a row. */
  readonly place: string;
  /** Where in its table a row lies (ctid), for whoever brings it back; null for objects. */
  readonly tuple: string | null;
}

export interface IntegrityReport {
  readonly objects: number;
  readonly rows: number;
  readonly damaged: number;
}

export interface IntegrityOptions {
  /** Sees all rows of pipelines. */
  readonly pool: Pool;
  readonly objects: ObjectStore;
  /** What the assets of all products declare. */
  readonly digests: readonly ContentDigest[];
  readonly found: (damage: Damage) => void;
}

const ROWS_AT_ONCE = 256;

/**
 * Reads every object against its digest and list of chunks, and every packed row, past ones included, against its own digests; tells each
 * damage as it is found and goes on. Holds 256 rows and one chunk at a time. Rows are read on one snapshot. Faults of the database and of the
 * disk are thrown.
 */
export async function verifyStored(options: IntegrityOptions): Promise<IntegrityReport> {
  let damaged = 0;
  const found = (damage: Damage): void => {
    damaged += 1;
    options.found(damage);
  };
  const client = await options.pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin transaction isolation level repeatable read read only');
    const objects = await verifyObjects(client, options.objects, found);
    let rows = 0;
    for (const [table, digests] of byTable(options.digests))
      for (const schema of ['public', 'history']) rows += await verifyRows(client, schema, table, digests, found);
    await client.query('commit');
    return { objects, rows, damaged };
  } catch (error) {
    broken = error instanceof Error ? error : new Error('unknown fault');
    throw error;
  } finally {
    client.release(broken);
  }
}

function byTable(digests: readonly ContentDigest[]): Map<string, ContentDigest[]> {
  const tables = new Map<string, ContentDigest[]>();
  for (const digest of digests) tables.set(digest.table, [...(tables.get(digest.table) ?? []), digest]);
  return tables;
}

interface BookRow {
  readonly digest: string;
  readonly chunks_digest: string | null;
}

/** Those of the books, then those that no book names, such as kept names of files. */
async function verifyObjects(client: PoolClient, objects: ObjectStore, found: (damage: Damage) => void): Promise<number> {
  let count = 0;
  const check = async (digest: string, read: () => Promise<void>): Promise<void> => {
    count += 1;
    try {
      await read();
    } catch (error) {
      if (!isCoded(error)) throw error;
      found({ kind: 'object', code: error.code, place: digest, tuple: null });
    }
  };
  for await (const { digest, chunks_digest: chunksDigest } of cursor<BookRow>(client, 'select digest, chunks_digest from raw_file')) {
    await check(digest, async () => {
      await drained(objects.open(digest, { verify: true }));
      if (chunksDigest === null) return;
      const list = await objects.chunks(digest);
      if (list === null || digestOf(list) !== chunksDigest)
        throw new CodedError('FILE_CHANGED', 'The list of chunks of an object has changed.', { place: digest });
    });
  }
  for await (const digest of objects.all()) {
    const { rowCount } = await client.query('select 1 from raw_file where digest = $1', [digest]);
    if (rowCount === 0) await check(digest, () => drained(objects.open(digest, { verify: true })));
  }
  return count;
}

async function drained(reading: AsyncIterable<unknown>): Promise<void> {
  const parts = reading[Symbol.asyncIterator]();
  while ((await parts.next()).done !== true);
}

async function verifyRows(
  client: PoolClient,
  schema: string,
  table: string,
  digests: readonly ContentDigest[],
  found: (damage: Damage) => void,
): Promise<number> {
  const columns = new Set(digests.flatMap((each) => [each.column, ...Object.keys(each.of)]));
  const text = `select ctid::text as thalamus_tuple, ${[...columns].map((name) => `"${name}"`).join(', ')} from ${schema}."${table}"`;
  let count = 0;
  for await (const row of cursor<Record<string, unknown>>(client, text)) {
    count += 1;
    const failed = digests.find((each) => !isIntact(each, row));
    if (!failed) continue;
    const name = schema === 'public' ? table : `${schema}.${table}`;
    found({ kind: 'row', code: 'DATA_CORRUPT', place: `${name} ${failed.place(row)}`, tuple: String(row['thalamus_tuple']) });
  }
  return count;
}

async function* cursor<R extends object>(client: PoolClient, text: string): AsyncGenerator<R, void, undefined> {
  await client.query(`declare verified no scroll cursor for ${text}`);
  for (;;) {
    const { rows } = await client.query<R>({ text: `fetch ${String(ROWS_AT_ONCE)} from verified`, types: storedTypes });
    yield* rows;
    if (rows.length < ROWS_AT_ONCE) break;
  }
  await client.query('close verified');
}

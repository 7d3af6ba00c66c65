import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { codeOf } from './engines/engine.js';
import type { ObjectStore } from './objects.js';
import { statementName } from './statement-name.js';
import { storedTypes } from './stored-types.js';
import { writeRows, type WriteResult, type WriteTarget } from './writer.js';

type Row = Readonly<Record<string, unknown>>;

const ATTEMPTS_MAX = 5;
const RETRY_MS = 20;
/** Serialization failure and deadlock: the work itself is not at fault. */
const PASSING = new Set(['40001', '40P01']);

/** Each transaction is a change with a number of its own; rows say in which one they began and ended. One round trip. */
const BEGIN = "begin; select set_config('thalamus.change', nextval('change_seq')::text, true)";

/** What a pipeline may do inside one transaction. */
export interface WriteTransaction {
  /** Instants come as ISO text, bigint as number, bytea as Buffer. */
  query<T>(text: string, values?: readonly unknown[]): Promise<T[]>;
  write(target: WriteTarget, rows: readonly Row[]): Promise<WriteResult>;
}

export interface WriteStore {
  readonly objects: ObjectStore;
  /** Commits when `work` resolves, else rolls back. `work` runs again after a deadlock, so it must not keep state outside. */
  transaction<T>(work: (transaction: WriteTransaction) => Promise<T>): Promise<T>;
}

/** The store as pipelines see it: files by digest, and transactions of the writer. */
export function writeStore(writer: Pool, objects: ObjectStore): WriteStore {
  return {
    objects,
    async transaction(work) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await once(writer, work);
        } catch (error) {
          if (attempt === ATTEMPTS_MAX || !PASSING.has(codeOf(error) ?? '')) throw error;
          await sleep(RETRY_MS * attempt * (1 + (process.pid % 5)));
        }
      }
    },
  };
}

async function once<T>(writer: Pool, work: (transaction: WriteTransaction) => Promise<T>): Promise<T> {
  const client = await writer.connect();
  let broken: Error | undefined;
  try {
    await client.query(BEGIN);
    const result = await work(transactionOn(client));
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure: unknown) => (broken = failure instanceof Error ? failure : new Error('rollback')));
    throw error;
  } finally {
    client.release(broken);
  }
}

function transactionOn(client: PoolClient): WriteTransaction {
  return {
    async query<T>(text: string, values: readonly unknown[] = []): Promise<T[]> {
      const { rows } = await client.query<Row>({
        ...(values.length > 0 ? { name: statementName(text) } : {}),
        text,
        values: [...values],
        types: storedTypes,
      });
      return rows as T[];
    },
    write: (target, rows) => writeRows(client, target, rows),
  };
}

import type { Pool, PoolClient, QueryResult, QueryResultRow } from 'pg';
import { CodedError, isCoded } from '../kernel/index.js';

/** What row level security lets a transaction see: the second wall under the compiled predicates. */
export interface Wall {
  readonly sites: readonly string[] | '*';
  /** Highest confidentiality, -1 for none. */
  readonly clearance: number;
}

/** One read-only transaction on one snapshot. */
export interface ReadSession {
  query<R extends QueryResultRow>(statement: { text: string; values: unknown[]; name?: string }): Promise<QueryResult<R>>;
}

/**
 * Runs `work` in a read-only transaction of the reader role with the wall set by SET LOCAL, so that nothing of it outlives the
 * transaction. Faults of the database become UNAVAILABLE; their text goes to the operator only.
 */
export async function withReadSession<T>(pool: Pool, wall: Wall, work: (session: ReadSession) => Promise<T>): Promise<T> {
  let client: PoolClient;
  try {
    client = await pool.connect();
  } catch (error) {
    throw unavailable(error);
  }
  let broken: Error | undefined;
  try {
    await client.query('begin transaction isolation level repeatable read read only');
    await client.query({
      name: 'wall',
      text: `select set_config('thalamus.sites', $1, true), set_config('thalamus.clearance', $2, true)`,
      values: [wall.sites === '*' ? '*' : wall.sites.join(','), String(wall.clearance)],
    });
    // One connection runs one statement at a time; those that are asked for at once wait for each other here.
    let last: Promise<unknown> = Promise.resolve();
    const result = await work({
      query: <R extends QueryResultRow>(statement: { text: string; values: unknown[]; name?: string }) => {
        const next = last.then(() => client.query<R>(statement));
        last = next.catch(() => undefined);
        return next;
      },
    });
    await client.query('commit');
    return result;
  } catch (error) {
    if (isCoded(error)) {
      await client.query('rollback').catch((fault: unknown) => {
        broken = fault instanceof Error ? fault : new Error('rollback failed');
      });
      throw error;
    }
    broken = error instanceof Error ? error : new Error('unknown fault');
    throw unavailable(error);
  } finally {
    client.release(broken);
  }
}

function unavailable(error: unknown): CodedError {
  return new CodedError('UNAVAILABLE', 'The data store did not answer the request.', {
    detail: error instanceof Error ? error.message : 'unknown',
    cause: error,
  });
}

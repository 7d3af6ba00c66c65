import type { Pool, PoolClient, QueryResult, QueryResultRow } from 'pg';
import { CodedError, isCoded } from '../kernel/index.js';

/** What row level security lets a transaction see: the second wall under the compiled predicates. */
export interface Wall {
  readonly sites: readonly string[] | '*';
  /** Highest confidentiality, -1 for none. */
  readonly clearance: number;
  /** Who asks; without one nobody's broken glass opens the wall. */
  readonly caller?: Caller;
}

export interface Caller {
  readonly sub: string;
  /** The present of the request in milliseconds since 1970. */
  readonly now: number;
  /** What the rights of the caller were decided by. */
  readonly epoch: Epoch;
}

/** Numbers that grow with every change of policy and every revocation. */
export interface Epoch {
  readonly policy: number;
  readonly revocation: number;
}

/** Policy or revocations are newer than what the request was decided by; nothing was read, and it is decided anew. */
export class EpochMoved extends Error {
  constructor(readonly present: Epoch) {
    super('policy or revocations have changed');
  }
}

/** Sets the wall, and tells the present epoch on the snapshot that the data come from. */
const WALL = `select set_config('thalamus.sites', $1, true), set_config('thalamus.clearance', $2, true),
  set_config('thalamus.glass', coalesce((select string_agg(patient_id::text, ',') from break_glass where sub = $3 and ends_at > $4 and started_at <= $4), ''), true),
  policy, revocation from governance_epoch`;

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
    const { rows } = await client.query<{ policy: number; revocation: string }>({
      name: 'wall',
      text: WALL,
      values: [
        wall.sites === '*' ? '*' : wall.sites.join(','),
        String(wall.clearance),
        wall.caller?.sub ?? null,
        new Date(wall.caller?.now ?? 0),
      ],
    });
    if (wall.caller) refuseStale(wall.caller.epoch, rows[0]);
    // One connection runs one statement at a time; those that are asked for at once wait for each other here.
    let last: Promise<unknown> = Promise.resolve();
    const result = await work({
      query: <R extends QueryResultRow>(statement: { text: string; values: unknown[]; name?: string }) => {
        const next = last.then(() => client.query<R>(statement)).catch((error: unknown) => Promise.reject(unavailable(error)));
        last = next.catch(() => undefined);
        return next;
      },
    });
    await client.query('commit');
    return result;
  } catch (error) {
    if (isCoded(error) || error instanceof EpochMoved) {
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

function refuseStale(used: Epoch, found: { policy: number; revocation: string } | undefined): void {
  if (!found) throw new Error('there is no governance epoch');
  const present = { policy: found.policy, revocation: Number(found.revocation) };
  if (present.policy !== used.policy || present.revocation !== used.revocation) throw new EpochMoved(present);
}

function unavailable(error: unknown): CodedError {
  return new CodedError('UNAVAILABLE', 'The data store did not answer the request.', {
    detail: error instanceof Error ? error.message : 'unknown',
    cause: error,
  });
}

import { DatabaseError, type Pool, type PoolClient, type QueryResult, type QueryResultRow } from 'pg';
import { CodedError, isCoded } from '../kernel/index.js';

/** What row level security lets a transaction see: the second wall under the compiled predicates. */
export interface Wall {
  readonly sites: readonly string[] | '*';
  /** Highest confidentiality, -1 for none. */
  readonly clearance: number;
  /** Who asks; without one nobody's broken glass opens the wall. */
  readonly caller?: Caller;
  /**
   * Reads tables as they were at these versions, and glass as it was at the caller's now. A table that is not named is read as it is; 0 is
   * before its first version. Whether rights have changed since is not looked at: who asks so has decided them.
   */
  readonly asOf?: Readonly<Record<string, number>>;
}

export interface Caller {
  readonly sub: string;
  /** The present of the request in milliseconds since 1970. */
  readonly now: number;
  /** What the rights of the caller were decided by. */
  readonly epoch: Epoch;
  /** Whether the rights were decided with glass broken. */
  readonly emergency: boolean;
  /** Hears which glass of the caller opens the wall: the person by its id; null for none. */
  readonly opened: (glass: Readonly<Record<string, string>> | null) => void;
}

/** Numbers that grow with every change of policy and every revocation. */
export interface Epoch {
  readonly policy: number;
  readonly revocation: number;
}

/** Policy, revocations or broken glass are other than what the request was decided by; nothing was read, and it is decided anew. */
export class EpochMoved extends Error {
  constructor(readonly present: Epoch) {
    super('policy or revocations have changed');
  }
}

/** Glass of the caller that is broken now; its tables stand behind the wall, so it is read when the clearance is set. */
const OPENED = `from break_glass b where b.sub = $3 and b.ends_at > $4 and b.started_at <= $4
  and not exists (select 1 from break_glass_event e where e.glass_id = b.glass_id and e.kind = 'ended')`;

/** Sets the wall, and tells the present epoch on the snapshot that the data come from. */
const WALL = `select set_config('thalamus.sites', $1, true), set_config('thalamus.clearance', $2, true),
  set_config('thalamus.glass', coalesce((select string_agg(b.patient_id::text, ',') ${OPENED}), ''), true),
  (select json_object_agg(b.glass_id, b.patient_id) ${OPENED}) as opened, policy, revocation from governance_epoch`;

/** Views of the past stand before the tables of the same names, so that every statement runs unchanged. */
const AS_OF = `select set_config('search_path', 'asof, public', true), set_config('thalamus.asof', $1, true), set_config('thalamus.asof_now', $2, true)`;

/** Versions that were never given, or were before changes were kept. */
const NOT_KEPT = `select key as dataset from jsonb_each_text($1::jsonb) asked
  where not exists (select 1 from dataset_change d where d.dataset = asked.key and d.version = asked.value::bigint)
    and (asked.value <> '0' or exists (select 1 from dataset_change d where d.dataset = asked.key and d.change = 0)) order by 1 limit 1`;

interface WallRow {
  readonly policy: number;
  readonly revocation: string;
  /** Person by glass. */
  readonly opened: Readonly<Record<string, string>> | null;
}

/** One read-only transaction on one snapshot. */
export interface ReadSession {
  query<R extends QueryResultRow>(statement: { text: string; values: unknown[]; name?: string }): Promise<QueryResult<R>>;
}

/**
 * Runs `work` in a read-only transaction of the reader role with the wall set by SET LOCAL, so that nothing of it outlives the
 * transaction. Faults of the database become UNAVAILABLE, and DATA_CORRUPT where it finds damage; their text goes to the operator only.
 * NOT_FOUND with the dataset as its place: a version asked for is not kept.
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
    if (wall.asOf) await turnBack(client, wall.asOf, wall.caller?.now);
    const { rows } = await client.query<WallRow>({
      name: 'wall',
      text: WALL,
      values: [
        wall.sites === '*' ? '*' : wall.sites.join(','),
        String(wall.clearance),
        wall.caller?.sub ?? null,
        new Date(wall.caller?.now ?? 0),
      ],
    });
    if (wall.caller) refuseStale(wall.caller, rows[0], wall.asOf === undefined);
    // One connection runs one statement at a time; those that are asked for at once wait for each other here.
    let last: Promise<unknown> = Promise.resolve();
    let failed: CodedError | undefined;
    const result = await work({
      query: <R extends QueryResultRow>(statement: { text: string; values: unknown[]; name?: string }) => {
        // A transaction that has failed takes no more statements; whoever asks on hears why.
        const next = last
          .then(() => (failed ? Promise.reject(failed) : client.query<R>(statement)))
          .catch((error: unknown) => Promise.reject((failed ??= faultOf(error))));
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

async function turnBack(client: PoolClient, asOf: Readonly<Record<string, number>>, now: number | undefined): Promise<void> {
  const versions = JSON.stringify(asOf);
  await client.query(AS_OF, [versions, now === undefined ? '' : new Date(now).toISOString()]);
  const { rows } = await client.query<{ dataset: string }>(NOT_KEPT, [versions]);
  const [missing] = rows;
  if (missing) throw new CodedError('NOT_FOUND', 'The store does not keep that version of the dataset.', { place: missing.dataset });
}

function refuseStale({ epoch, emergency, opened }: Caller, found: WallRow | undefined, live: boolean): void {
  if (!found) throw new Error('there is no governance epoch');
  opened(found.opened);
  if (!live) return;
  const present = { policy: found.policy, revocation: Number(found.revocation) };
  if (present.policy !== epoch.policy || present.revocation !== epoch.revocation || (found.opened !== null) !== emergency)
    throw new EpochMoved(present);
}

/** What Postgres says of data that are not what was written: a page that fails its checksum, an index, or a row that fails its digest. */
const CORRUPT = new Set(['XX001', 'XX002']);
const DIGEST_COLUMN = 'header_digest';

function faultOf(error: unknown): CodedError {
  if (!(error instanceof DatabaseError) || !CORRUPT.has(error.code ?? '')) return unavailable(error);
  const { table, column, detail, message } = error;
  const place = column === DIGEST_COLUMN && table !== undefined ? `${table} ${detail ?? ''}` : undefined;
  return new CodedError('DATA_CORRUPT', 'Stored data are not what was written; nothing of them is given out.', {
    ...(place === undefined ? {} : { place }),
    detail: place ?? message,
    cause: error,
  });
}

function unavailable(error: unknown): CodedError {
  return new CodedError('UNAVAILABLE', 'The data store did not answer the request.', {
    detail: error instanceof Error ? error.message : 'unknown',
    cause: error,
  });
}

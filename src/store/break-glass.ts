import type { Pool, PoolClient } from 'pg';
import { CodedError, LIMITS, isCoded, newUuid } from '../kernel/index.js';

/** One broken glass with what became of it. */
export interface GlassRow {
  readonly id: string;
  readonly sub: string;
  readonly patientId: string;
  /** False where no such person is registered; the glass opens nothing then. */
  readonly registered: boolean;
  readonly startedAt: Date;
  readonly endsAt: Date;
  readonly endedAt: Date | null;
  readonly reviewedAt: Date | null;
}

/** Makes the evidence of an act durable before the act holds; where it throws, nothing was done. */
export type Witness = (glass: GlassRow) => Promise<void>;

/** Broken glass on Postgres. Nothing is ever changed or deleted: an end and a review are events beside it. */
export interface BreakGlassStore {
  /** LIMIT_EXCEEDED where the subject holds as many as allowed. Listeners of `thalamus_alert` hear of it when it holds. */
  open(
    glass: {
      readonly id: string;
      readonly sub: string;
      readonly patientId: string;
      readonly reason: string;
      readonly runId: string;
      readonly now: number;
      readonly endsAt: number;
    },
    witness: Witness,
  ): Promise<GlassRow>;
  /** Ends one that is not over; null where there is none of that id (and subject). */
  end(
    end: { readonly id: string; readonly sub: string | null; readonly actor: string; readonly now: number },
    witness: Witness,
  ): Promise<GlassRow | null>;
  /** Records the end of those whose time is over, and tells when the next one will be (milliseconds since 1970). */
  endOverdue(now: number, witness: Witness): Promise<number>;
  /** Null where there is none of that id, or it was reviewed before. CONFLICT while it is not over, FORBIDDEN for the actor's own. */
  review(review: {
    readonly id: string;
    readonly actor: string;
    readonly verdict: string;
    readonly note: string;
    readonly now: number;
  }): Promise<GlassRow | null>;
}

const ALERT_CHANNEL = 'thalamus_alert';
const OVERDUE_MAX = 500;

const GLASS = `select g.glass_id as id, g.sub, g.patient_id as "patientId", exists (select 1 from patient p where p.patient_id = g.patient_id) as registered,
    g.started_at as "startedAt", g.ends_at as "endsAt",
    (select e.at from break_glass_event e where e.glass_id = g.glass_id and e.kind = 'ended') as "endedAt",
    (select e.at from break_glass_event e where e.glass_id = g.glass_id and e.kind = 'reviewed') as "reviewedAt"
  from break_glass g`;
const NOT_ENDED = `not exists (select 1 from break_glass_event e where e.glass_id = g.glass_id and e.kind = 'ended')`;

export function breakGlassStore(pool: Pool): BreakGlassStore {
  return {
    open: ({ id, sub, patientId, reason, runId, now, endsAt }, witness) =>
      inTransaction(pool, async (client) => {
        // Two at once by one person would both find room for one more.
        await client.query('select pg_advisory_xact_lock(hashtextextended($1, 3))', [sub]);
        const held = await client.query(`select 1 from break_glass g where g.sub = $1 and g.ends_at > $2 and ${NOT_ENDED}`, [
          sub,
          new Date(now),
        ]);
        if (held.rows.length >= LIMITS.break_glass_live_max)
          throw new CodedError(
            'LIMIT_EXCEEDED',
            `A person breaks the glass for at most ${LIMITS.break_glass_live_max} others at a time; end one first.`,
          );
        await client.query(
          `insert into break_glass (glass_id, sub, patient_id, reason, started_at, ends_at, run_id) values ($1, $2, $3, $4, $5, $6, $7)`,
          [id, sub, patientId, reason, new Date(now), new Date(endsAt), runId],
        );
        return witnessed(client, await one(client, id), 'started', witness);
      }),
    end: ({ id, sub, actor, now }, witness) =>
      inTransaction(pool, async (client) => {
        const { rows } = await client.query(
          `insert into break_glass_event (event_id, glass_id, kind, at, actor)
           select $1, g.glass_id, 'ended', $2, $3 from break_glass g
           where g.glass_id = $4 and ($5::text is null or g.sub = $5) and g.ends_at > $2 on conflict do nothing returning 1`,
          [newUuid(now), new Date(now), actor, id, sub],
        );
        return rows.length === 0 ? null : witnessed(client, await one(client, id), 'ended', witness);
      }),
    endOverdue: (now, witness) =>
      inTransaction(pool, async (client) => {
        const { rows } = await client.query<{ id: string }>(
          `insert into break_glass_event (event_id, glass_id, kind, at, actor)
           select gen_random_uuid(), g.glass_id, 'ended', g.ends_at, 'time' from break_glass g
           where g.ends_at <= $1 and ${NOT_ENDED} order by g.ends_at limit ${OVERDUE_MAX} on conflict do nothing returning glass_id as id`,
          [new Date(now)],
        );
        for (const { id } of rows) await witnessed(client, await one(client, id), 'ended', witness);
        const next = await client.query<{ at: Date | null }>(`select min(g.ends_at) as at from break_glass g where ${NOT_ENDED}`);
        return next.rows[0]?.at?.getTime() ?? Infinity;
      }),
    review: ({ id, actor, verdict, note, now }) =>
      inTransaction(pool, async (client) => {
        const found = await oneOrNone(client, id);
        if (!found || found.reviewedAt !== null) return null;
        if (found.sub === actor) throw new CodedError('FORBIDDEN', 'A review needs a second person.', { place: 'id' });
        if (found.endedAt === null && found.endsAt.getTime() > now)
          throw new CodedError('CONFLICT', 'It is reviewed when it is over: end it first.', { place: 'id' });
        const { rows } = await client.query(
          `insert into break_glass_event (event_id, glass_id, kind, at, actor, verdict, note) values ($1, $2, 'reviewed', $3, $4, $5, $6)
           on conflict do nothing returning 1`,
          [newUuid(now), id, new Date(now), actor, verdict, note],
        );
        return rows.length === 0 ? null : one(client, id);
      }),
  };
}

async function oneOrNone(client: PoolClient, id: string): Promise<GlassRow | undefined> {
  const { rows } = await client.query<GlassRow>(`${GLASS} where g.glass_id = $1`, [id]);
  return rows[0];
}

async function one(client: PoolClient, id: string): Promise<GlassRow> {
  const found = await oneOrNone(client, id);
  if (!found) throw new Error('a glass that was written is not there');
  return found;
}

/** The alert leaves with the commit, and names ids only: whoever listens has no right to persons or reasons. */
async function witnessed(client: PoolClient, glass: GlassRow, event: 'started' | 'ended', witness: Witness): Promise<GlassRow> {
  await client.query('select pg_notify($1, $2)', [ALERT_CHANNEL, JSON.stringify({ event: `break_glass.${event}`, glass: glass.id })]);
  await witness(glass);
  return glass;
}

async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    if (isCoded(error)) throw error;
    throw new CodedError('UNAVAILABLE', 'The store of emergencies did not answer.', {
      cause: error,
      detail: error instanceof Error ? error.message : 'unknown',
    });
  } finally {
    client.release();
  }
}

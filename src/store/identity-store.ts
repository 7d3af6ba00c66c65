import { createHash } from 'node:crypto';
import type { Pool } from 'pg';

/** What can be revoked: one token (jti), a log-in session (sid) or everything of a subject. */
export type RevocationKind = 'token' | 'session' | 'subject';

export interface Revocation {
  readonly kind: RevocationKind;
  /** The jti, sid or sub. Only its digest is kept. */
  readonly value: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** When it no longer has to be known, milliseconds since 1970; null for ever. */
  readonly until: number | null;
  readonly reason: string;
  readonly by: string;
}

export interface RevocationList {
  /** Number of the newest revocation that this list can hold. */
  readonly epoch: number;
  readonly entries: readonly { readonly digest: string; readonly until: number | null }[];
}

export interface SessionTouch {
  /** Of `identityDigest('session', sid)`. */
  readonly digest: string;
  readonly sub: string;
  /** This request and the last one that this process knows of, milliseconds since 1970. */
  readonly at: number;
  readonly seen: number;
  readonly idleMs: number;
}

/** SHA-256 in hex of a jti, sid or sub, each in a space of its own. */
export function identityDigest(kind: RevocationKind, value: string): string {
  return createHash('sha256').update(`${kind}:${value}`).digest('hex');
}

export type IdentityStore = ReturnType<typeof identityStore>;

/** Revocations and log-in sessions on Postgres. Faults of the database are thrown as they are. */
export function identityStore(writer: Pool) {
  return {
    /** Keeps a revocation, durable when it returns, and gives its epoch. */
    async revoke({ kind, value, at, until, reason, by }: Revocation): Promise<number> {
      // The row of epochs is locked until the commit, so that epochs become visible in their order.
      const { rows } = await writer.query<{ epoch: string }>(
        `with next as (update governance_epoch set revocation = revocation + 1 returning revocation)
         insert into token_revocation (epoch, kind, value_digest, at, until, reason, by)
         select revocation, $1, $2, $3, $4, $5, $6 from next returning epoch`,
        [kind, identityDigest(kind, value), iso(at), until === null ? null : iso(until), reason, by],
      );
      const epoch = rows[0]?.epoch;
      if (epoch === undefined) throw new Error('the table governance_epoch has no row');
      return Number(epoch);
    },

    /** Revocations after this epoch, and the present epoch. */
    async revocations(since: number): Promise<RevocationList> {
      const { rows } = await writer.query<{ epoch: string; value_digest: string | null; until: Date | null }>({
        name: 'revocations',
        text: `select e.revocation as epoch, r.value_digest, r.until from governance_epoch e left join token_revocation r on r.epoch > $1`,
        values: [since],
      });
      const epoch = rows[0]?.epoch;
      if (epoch === undefined) throw new Error('the table governance_epoch has no row');
      const entries = rows.flatMap(({ value_digest: digest, until }) =>
        digest === null ? [] : [{ digest, until: until === null ? null : until.getTime() }],
      );
      return { epoch: Number(epoch), entries };
    },

    /** Notes activity of a session. False where it was idle for too long, or belongs to another subject; then nothing is written. */
    async touchSession({ digest, sub, at, seen, idleMs }: SessionTouch): Promise<boolean> {
      const { rowCount } = await writer.query({
        name: 'touch-session',
        text: `insert into login_session as s (session_digest, sub, first_at, last_at) values ($1, $2, $3::timestamptz, $3::timestamptz)
          on conflict (session_digest) do update set last_at = greatest(s.last_at, excluded.last_at)
          where s.sub = excluded.sub and greatest(s.last_at, $4::timestamptz) >= $3::timestamptz - $5 * interval '1 millisecond'`,
        values: [digest, sub, iso(at), iso(seen), idleMs],
      });
      return rowCount === 1;
    },

    /** A session by its digest, null where it is not known. Times are milliseconds since 1970. */
    async session(digest: string): Promise<{ sub: string; firstAt: number; lastAt: number } | null> {
      const { rows } = await writer.query<{ sub: string; first_at: Date; last_at: Date }>(
        `select sub, first_at, last_at from login_session where session_digest = $1`,
        [digest],
      );
      const row = rows[0];
      return row ? { sub: row.sub, firstAt: row.first_at.getTime(), lastAt: row.last_at.getTime() } : null;
    },
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();

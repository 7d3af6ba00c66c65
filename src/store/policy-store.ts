import type { Pool, PoolClient } from 'pg';
import { CodedError, isCoded, newUuid } from '../kernel/index.js';
import type { Epoch } from './session.js';

/** One version of the local policy, as its events tell it. */
export interface PolicyVersion {
  readonly version: number;
  readonly status: 'proposed' | 'in force' | 'superseded' | 'rejected';
  readonly digest: string;
  readonly document: unknown;
  readonly impact: unknown;
  readonly proposedBy: string;
  readonly proposedAt: string;
  readonly reason: string;
  readonly decidedBy: string | null;
  readonly decidedAt: string | null;
}

/** Versions of the local policy: written once, decided once, kept for ever. */
export interface PolicyStore {
  /** The document in force (empty before the first) and the present epoch. */
  inForce(): Promise<{ readonly epoch: Epoch; readonly document: unknown }>;
  propose(proposal: {
    readonly document: unknown;
    readonly digest: string;
    readonly impact: unknown;
    readonly reason: string;
    readonly actor: string;
    readonly now: number;
  }): Promise<PolicyVersion>;
  /** Approves or rejects; an approved version is in force when this returns. Throws NOT_FOUND, CONFLICT or FORBIDDEN (own proposal). */
  decide(decision: {
    readonly version: number;
    readonly approve: boolean;
    readonly reason: string;
    readonly actor: string;
    readonly now: number;
  }): Promise<PolicyVersion>;
  versions(): Promise<readonly PolicyVersion[]>;
}

export function policyStore(pool: Pool): PolicyStore {
  return {
    async inForce() {
      const { rows } = await pool
        .query<{ policy: number; revocation: string; document: unknown }>(
          `select policy, revocation, (${IN_FORCE}) as document from governance_epoch`,
        )
        .catch((error: unknown) => Promise.reject(unavailable(error)));
      const [found] = rows;
      if (!found) throw new CodedError('UNAVAILABLE', 'The policy in force cannot be told.');
      return { epoch: { policy: found.policy, revocation: Number(found.revocation) }, document: found.document ?? {} };
    },
    propose: ({ document, digest, impact, reason, actor, now }) =>
      inTransaction(pool, async (client) => {
        // One writer at a time, so that versions have no gap and no two have one number.
        await client.query('select 1 from governance_epoch for update');
        const { rows } = await client.query<{ version: number }>(
          `insert into policy_event (event_id, version, kind, at, actor, reason, document, digest, impact)
           select $1, coalesce(max(version), 0) + 1, 'proposed', $2, $3, $4, $5, $6, $7 from policy_event returning version`,
          [newUuid(now), new Date(now), actor, reason, JSON.stringify(document), digest, JSON.stringify(impact)],
        );
        return versionOf(client, rows[0]?.version ?? 0);
      }),
    decide: ({ version, approve, reason, actor, now }) =>
      inTransaction(pool, async (client) => {
        await client.query('select 1 from governance_epoch for update');
        const found = await versionOf(client, version);
        if (found.status !== 'proposed') throw new CodedError('CONFLICT', 'The version was decided before.', { place: 'version' });
        if (approve && found.proposedBy === actor)
          throw new CodedError('FORBIDDEN', 'A change of policy needs a second person.', { place: 'version' });
        await client.query(`insert into policy_event (event_id, version, kind, at, actor, reason) values ($1, $2, $3, $4, $5, $6)`, [
          newUuid(now),
          version,
          approve ? 'approved' : 'rejected',
          new Date(now),
          actor,
          reason,
        ]);
        if (approve) await client.query('update governance_epoch set policy = policy + 1');
        return versionOf(client, version);
      }),
    async versions() {
      const { rows } = await pool
        .query<PolicyVersion>(`${VERSIONS} order by p.version desc`)
        .catch((error: unknown) => Promise.reject(unavailable(error)));
      return rows;
    },
  };
}

const IN_FORCE = `select p.document from policy_event p join policy_event a on a.version = p.version and a.kind = 'approved'
  where p.kind = 'proposed' order by a.at desc, a.version desc limit 1`;

const VERSIONS = `select p.version, p.digest, p.document, p.impact, p.actor as "proposedBy", p.at::text as "proposedAt", p.reason,
    d.actor as "decidedBy", d.at::text as "decidedAt",
    case when d.kind is null then 'proposed' when d.kind = 'rejected' then 'rejected'
      when exists (select 1 from policy_event l where l.kind = 'approved' and (l.at, l.version) > (d.at, d.version)) then 'superseded'
      else 'in force' end as status
  from policy_event p left join policy_event d on d.version = p.version and d.kind <> 'proposed' where p.kind = 'proposed'`;

async function versionOf(client: PoolClient, version: number): Promise<PolicyVersion> {
  const { rows } = await client.query<PolicyVersion>(`${VERSIONS} and p.version = $1`, [version]);
  const [found] = rows;
  if (!found) throw new CodedError('NOT_FOUND', 'There is no such version of the policy.', { place: 'version' });
  return found;
}

async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => Promise.reject(unavailable(error)));
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    if (isCoded(error)) throw error;
    throw unavailable(error);
  } finally {
    client.release();
  }
}

const unavailable = (error: unknown): CodedError =>
  new CodedError('UNAVAILABLE', 'The policy store did not answer.', { cause: error, detail: error instanceof Error ? error.message : '' });

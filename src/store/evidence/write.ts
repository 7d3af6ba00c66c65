import type { Pool, PoolClient } from 'pg';

/** A log, a plan, a set and a run as the governance room gives them; named here by shape, since rooms meet through the kernel only. */
interface Batch {
  readonly audit: readonly { logId: string; seq: number; at: number; prev: Buffer; hash: Buffer; record: string }[];
  readonly plans: readonly { digest: string; document: string; columns: unknown; decisions: unknown; policyVersion: string }[];
  readonly sets: readonly { digest: string; patients: number; ordinals: Buffer }[];
  readonly runs: readonly {
    entry: {
      runId: string;
      kind: string;
      at: number;
      principal: string;
      roles: readonly string[];
      purpose: string;
      policyVersion: string;
      plan: { digest: string } | null;
      patients: ReadonlySet<string>;
      rows: number;
      resultDigest: string | null;
      versions: unknown;
      facts: unknown;
    };
    setDigest: string | null;
    logId: string;
    seq: number;
  }[];
}

const ORDINALS_CACHED_MAX = 200_000;

/** Evidence on Postgres: everything of a batch in one transaction, durable when `write` returns. */
export function evidenceStore(writer: Pool) {
  const ordinalOf = new Map<string, number>();
  return {
    async heads(): Promise<{ logId: string; seq: number; hash: string }[]> {
      const { rows } = await writer.query<{ log_id: string; seq: string; hash: Buffer }>(
        `select distinct on (log_id) log_id, seq, hash from audit_log order by log_id, seq desc`,
      );
      return rows.map((row) => ({ logId: row.log_id, seq: Number(row.seq), hash: row.hash.toString('hex') }));
    },

    async ordinals(patientIds: ReadonlySet<string>): Promise<number[]> {
      const missing = [...patientIds].filter((id) => !ordinalOf.has(id));
      if (missing.length > 0) {
        if (ordinalOf.size > ORDINALS_CACHED_MAX) ordinalOf.clear();
        const { rows } = await writer.query<{ patient_id: string; ordinal: number }>(
          `select patient_id, ordinal from patient where patient_id = any($1::uuid[])`,
          [missing],
        );
        for (const row of rows) ordinalOf.set(row.patient_id, row.ordinal);
      }
      return [...patientIds].map((id) => {
        const ordinal = ordinalOf.get(id);
        if (ordinal === undefined) throw new Error('a person behind an answer is not registered');
        return ordinal;
      });
    },

    async write(batch: Batch): Promise<void> {
      const client = await writer.connect();
      let broken: Error | undefined;
      try {
        await client.query('begin');
        await writeAudit(client, batch.audit);
        if (batch.plans.length > 0) await writePlans(client, batch.plans);
        if (batch.sets.length > 0) await writeSets(client, batch.sets);
        if (batch.runs.length > 0) await writeRuns(client, batch.runs);
        await client.query('commit');
      } catch (error) {
        broken = error instanceof Error ? error : new Error('unknown fault');
        throw error;
      } finally {
        client.release(broken);
      }
    },

    /** All records in the order of verification, a page at a time. */
    async *auditRows(): AsyncGenerator<Batch['audit'][number]> {
      let after: [string, number] = ['', -1];
      for (;;) {
        const { rows } = await writer.query<{ log_id: string; seq: string; at: Date; prev_hash: Buffer; hash: Buffer; record: string }>(
          `select log_id, seq, at, prev_hash, hash, record from audit_log where (log_id, seq) > ($1, $2) order by log_id, seq limit 5000`,
          after,
        );
        for (const row of rows)
          yield { logId: row.log_id, seq: Number(row.seq), at: row.at.getTime(), prev: row.prev_hash, hash: row.hash, record: row.record };
        const last = rows.at(-1);
        if (!last) return;
        after = [last.log_id, Number(last.seq)];
      }
    },
  };
}

async function writeAudit(client: PoolClient, rows: Batch['audit']): Promise<void> {
  await client.query({
    name: 'audit',
    text: `insert into audit_log (log_id, seq, at, prev_hash, hash, record)
      select * from unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::bytea[], $5::bytea[], $6::text[])`,
    values: [
      rows.map((r) => r.logId),
      rows.map((r) => r.seq),
      rows.map((r) => iso(r.at)),
      rows.map((r) => r.prev),
      rows.map((r) => r.hash),
      rows.map((r) => r.record),
    ],
  });
}

async function writePlans(client: PoolClient, rows: Batch['plans']): Promise<void> {
  await client.query(
    `insert into lineage_plan (plan_digest, document, columns, decisions, policy_version, at)
      select d, t, c::jsonb, e::jsonb, p, now() from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) as x(d, t, c, e, p) on conflict do nothing`,
    [
      rows.map((r) => r.digest),
      rows.map((r) => r.document),
      rows.map((r) => JSON.stringify(r.columns)),
      rows.map((r) => JSON.stringify(r.decisions)),
      rows.map((r) => r.policyVersion),
    ],
  );
}

async function writeSets(client: PoolClient, rows: Batch['sets']): Promise<void> {
  await client.query({
    name: 'sets',
    text: `insert into lineage_patient_set (set_digest, patients, ordinals) select * from unnest($1::text[], $2::int[], $3::bytea[]) on conflict do nothing`,
    values: [rows.map((r) => r.digest), rows.map((r) => r.patients), rows.map((r) => r.ordinals)],
  });
}

async function writeRuns(client: PoolClient, rows: Batch['runs']): Promise<void> {
  await client.query({
    name: 'runs',
    text: `insert into lineage_run (run_id, at, kind, principal, roles, purpose, plan_digest, policy_version, set_digest, patients, rows, result_digest, versions, facts, log_id, log_seq)
      select i, a, k, p, string_to_array(r, ','), u, d, v, s, n, c, x, w::jsonb, f::jsonb, l, q from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::text[], $10::int[], $11::int[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bigint[]) as t(i, a, k, p, r, u, d, v, s, n, c, x, w, f, l, q)`,
    values: [
      rows.map((r) => r.entry.runId),
      rows.map((r) => iso(r.entry.at)),
      rows.map((r) => r.entry.kind),
      rows.map((r) => r.entry.principal),
      rows.map((r) => r.entry.roles.join(',')),
      rows.map((r) => r.entry.purpose),
      rows.map((r) => r.entry.plan?.digest ?? null),
      rows.map((r) => r.entry.policyVersion),
      rows.map((r) => r.setDigest),
      rows.map((r) => r.entry.patients.size),
      rows.map((r) => r.entry.rows),
      rows.map((r) => r.entry.resultDigest),
      rows.map((r) => JSON.stringify(r.entry.versions)),
      rows.map((r) => JSON.stringify(r.entry.facts)),
      rows.map((r) => r.logId),
      rows.map((r) => r.seq),
    ],
  });
}

const iso = (ms: number): string => new Date(ms).toISOString();

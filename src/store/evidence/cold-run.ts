import type { Pool } from 'pg';
import type { ColdRecords } from './cold.js';
import type { PastRun } from './past-run.js';

/** What is recorded of a run whose rows are gone; null where no packed run has this id. */
export async function coldRun(pool: Pool, cold: ColdRecords, runId: string): Promise<PastRun | null> {
  const found = await cold.run(runId);
  if (!found) return null;
  const { logId, record, ordinals } = found;
  const { rows } = await pool.query<{ document: string | null; columns: PastRun['columns'] | null; caller: PastRun['caller'] | null }>(
    `select p.document, p.columns, c.caller from (select 1) as one left join lineage_plan p on p.plan_digest = $1
       left join lineage_caller c on c.caller_digest = $2`,
    [record.plan, record.caller],
  );
  return {
    runId,
    kind: record.kind,
    at: Date.parse(record.at),
    principal: record.principal,
    roles: record.roles,
    purpose: record.purpose,
    policyVersion: record.policy,
    planDigest: record.plan,
    document: rows[0]?.document ?? null,
    columns: rows[0]?.columns ?? [],
    caller: rows[0]?.caller ?? {},
    versions: record.versions,
    resultDigest: record.result,
    sealed: record.sealed === null ? null : Buffer.from(record.sealed, 'base64url'),
    ordinals,
    facts: record.facts,
    logId,
    logIndex: record.seq,
  };
}

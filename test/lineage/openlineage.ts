import type { Pool } from 'pg';
import { openLineageEvents, type AuditRecord, type LineagePlan } from '../../src/evidence/index.js';
import { schemasPresent, validateEvents, type EventValidation } from '../support/openlineage.js';

const MESH = { namespace: 'thalamus', producer: 'https://thalamus.local', version: '0.1.0' };

interface Row {
  readonly logId: string;
  readonly record: string;
  readonly digest: string | null;
  readonly document: string;
  readonly columns: LineagePlan['columns'];
  readonly decisions: LineagePlan['decisions'];
  readonly policyVersion: string;
}

/** Tells recorded runs as OpenLineage events and validates them against the stored schemas; null where those are not there. */
export async function validateRuns(owner: Pool, runs: readonly string[]): Promise<EventValidation | null> {
  if (!schemasPresent) return null;
  const { rows } = await owner.query<Row>(
    `select a.log_id as "logId", a.record, p.plan_digest as digest, p.document, p.columns, p.decisions, p.policy_version as "policyVersion"
       from lineage_run r join audit_log a on a.log_id = r.log_id and a.seq = r.log_seq left join lineage_plan p on p.plan_digest = r.plan_digest
      where r.run_id = any($1::uuid[])`,
    [runs],
  );
  if (rows.length !== new Set(runs).size) throw new Error('a run has no record in the log');
  const events = rows.flatMap(({ logId, record, digest, ...plan }) =>
    openLineageEvents({ logId, record: JSON.parse(record) as AuditRecord, plan: digest === null ? null : { digest, ...plan } }, MESH),
  );
  return validateEvents(events);
}

import type { Pool } from 'pg';

/** What is recorded of one run, with what it shares with others. */
export interface PastRun {
  readonly runId: string;
  readonly kind: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly principal: string;
  readonly roles: readonly string[];
  readonly purpose: string;
  readonly policyVersion: string;
  readonly planDigest: string | null;
  /** The document without its literals. */
  readonly document: string | null;
  readonly columns: readonly { readonly source: string }[];
  /** By what the caller was decided. */
  readonly caller: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, number>>;
  readonly resultDigest: string | null;
  readonly sealed: Buffer | null;
  /** Persons behind the answer. */
  readonly ordinals: Buffer | null;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly logId: string;
  readonly logIndex: number;
}

/** Null where no run has this id. */
export async function pastRun(pool: Pick<Pool, 'query'>, runId: string): Promise<PastRun | null> {
  const { rows } = await pool.query<PastRunRow>(
    `select r.run_id as "runId", r.kind, r.at, r.principal, r.roles, r.purpose, r.policy_version as "policyVersion", r.plan_digest as "planDigest",
       p.document, p.columns, c.caller, r.versions, r.result_digest as "resultDigest", r.sealed, s.ordinals, r.facts, r.log_id as "logId", r.log_seq as "logIndex"
     from lineage_run r left join lineage_plan p using (plan_digest) left join lineage_caller c using (caller_digest)
       left join lineage_patient_set s using (set_digest) where r.run_id = $1`,
    [runId],
  );
  const [row] = rows;
  return row
    ? { ...row, at: row.at.getTime(), columns: row.columns ?? [], caller: row.caller ?? {}, logIndex: Number(row.logIndex) }
    : null;
}

type PastRunRow = Omit<PastRun, 'at' | 'columns' | 'caller' | 'logIndex'> & {
  readonly at: Date;
  readonly columns: PastRun['columns'] | null;
  readonly caller: Readonly<Record<string, unknown>> | null;
  readonly logIndex: string;
};

import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { decodeOrdinals, encodeOrdinals, type LineageEdge, type PlanDecision } from '../../kernel/index.js';
import type { LogRecord } from './columns.js';
import { setsOf } from './postings.js';
import type { StoredRecord } from './cold.js';

/** A plan as it was stored with its first run. */
export interface StoredPlan {
  readonly digest: string;
  readonly document: string;
  readonly columns: readonly LineageEdge[];
  readonly decisions: readonly PlanDecision[];
  readonly policyVersion: string;
}

/** A record of the log, parsed; its kind is one of those that are recorded. */
export type StoredLogRecord<K extends string = string> = Omit<LogRecord, 'kind'> & { readonly kind: K };

export interface StoredRun<K extends string = string> {
  readonly logId: string;
  readonly record: StoredLogRecord<K>;
  /** Null where the record names none. The same plan is the same object each time. */
  readonly plan: StoredPlan | null;
}

const PLANS_MAX = 2_000;

/** Runs for whoever tells them outside: committed records of one log in their order, rows or packed, with the plans that they name. */
export class StoredRuns {
  private readonly plans = new Map<string, StoredPlan>();

  constructor(
    private readonly pool: Pool,
    private readonly leaves: (logId: string, from: number) => AsyncGenerator<StoredRecord>,
  ) {}

  /** From a sequence number on, at most so many. What was purged is passed over. */
  async from<K extends string>(logId: string, next: number, limit: number): Promise<StoredRun<K>[]> {
    const records: StoredLogRecord<K>[] = [];
    for await (const { record } of this.leaves(logId, next)) {
      if (record !== '') records.push(JSON.parse(record) as StoredLogRecord<K>);
      if (records.length >= limit) break;
    }
    await this.load(records.flatMap((record) => record.plan ?? []));
    return records.map((record) => ({ logId, record, plan: record.plan === null ? null : (this.plans.get(record.plan) ?? null) }));
  }

  /** Ordinals of the persons behind runs of one log, by the digest of their set. */
  async personsBehind(runs: readonly StoredRun[]): Promise<ReadonlyMap<string, readonly number[]>> {
    const digests = [...new Set(runs.flatMap(({ record }) => record.set ?? []))];
    const { rows } = await this.pool.query<{ digest: string; ordinals: Buffer }>(
      'select set_digest as digest, ordinals from lineage_patient_set where set_digest = any($1::text[])',
      [digests],
    );
    const found = new Map<string, readonly number[]>(rows.map((row) => [row.digest, decodeOrdinals(row.ordinals)]));
    for (const { logId, record } of runs) {
      if (record.set === null || found.has(record.set)) continue;
      for (const set of await this.packedSets(logId, record.seq))
        found.set(createHash('sha256').update(encodeOrdinals(set)).digest('hex'), set);
      if (!found.has(record.set)) throw new Error('the persons behind a record are not kept');
    }
    return found;
  }

  private async packedSets(logId: string, seq: number): Promise<readonly (readonly number[])[]> {
    const { rows } = await this.pool.query<{ ordinals: number[]; sets: Buffer; count: number }>(
      `select p.ordinals, p.sets, s.sets as count from audit_segment s join audit_posting p using (log_id, first_seq)
        where s.log_id = $1 and s.first_seq <= $2 and s.first_seq + s.records > $2 order by p.person_group`,
      [logId, seq],
    );
    return setsOf(rows, rows[0]?.count ?? 0);
  }

  private async load(digests: readonly string[]): Promise<void> {
    if (this.plans.size > PLANS_MAX) this.plans.clear();
    const missing = [...new Set(digests)].filter((digest) => !this.plans.has(digest));
    if (missing.length === 0) return;
    const { rows } = await this.pool.query<StoredPlan>(
      `select plan_digest as digest, document, columns, decisions, policy_version as "policyVersion" from lineage_plan where plan_digest = any($1::text[])`,
      [missing],
    );
    for (const row of rows) this.plans.set(row.digest, row);
  }
}

import type { Pool, PoolClient } from 'pg';
import type { BulkCharge } from '../bulk-meter.js';
import { leaseSql } from './head.js';

/** What one commit makes durable, as the evidence room gives it; named here by shape, since rooms meet through the kernel only. */
export interface Batch {
  readonly logId: string;
  readonly fence: number;
  readonly from: number;
  readonly head: { readonly size: number; readonly frontier: Buffer; readonly checkpoint: string; readonly publicKey: string };
  readonly audit: readonly { readonly seq: number; readonly at: number; readonly hash: Buffer; readonly record: string }[];
  readonly plans: readonly {
    readonly digest: string;
    readonly document: string;
    readonly columns: unknown;
    readonly decisions: unknown;
    readonly policyVersion: string;
  }[];
  readonly callers: readonly { readonly digest: string; readonly caller: string }[];
  readonly sets: readonly { readonly digest: string; readonly patients: number; readonly ordinals: Buffer }[];
  readonly runs: readonly RunRow[];
  readonly charges: readonly BulkCharge[];
  readonly kept: readonly { readonly size: number; readonly at: number; readonly checkpoint: string }[];
}

interface RunRow {
  readonly entry: {
    readonly runId: string;
    readonly kind: string;
    readonly at: number;
    readonly principal: string;
    readonly roles: readonly string[];
    readonly purpose: string;
    readonly recipient: { readonly id: string } | null;
    readonly policyVersion: string;
    readonly plan: { readonly digest: string } | null;
    readonly patients: ReadonlySet<string>;
    readonly rows: number;
    readonly resultDigest: string | null;
    readonly bytes: number;
    readonly versions: unknown;
    readonly code: string | null;
    readonly facts: unknown;
  };
  readonly seq: number;
  readonly setDigest: string | null;
  readonly callerDigest: string | null;
  readonly sealed: Buffer | null;
}

/** Another writer has the log, or the log is longer than this one thinks: nothing was written. */
export class Fenced extends Error {
  constructor() {
    super('another writer continues the log');
  }
}

/**
 * The statement of a commit: the head moves on only if its fence and size are those that the writer knows, and whatever else is written hangs on that.
 * One statement is one transaction and one round trip.
 */
export async function writeBatch(client: Pool | PoolClient, batch: Batch): Promise<void> {
  const parts = new Parts();
  const { logId, fence, from, head } = batch;
  const bound = [logId, fence, from, head.size, head.frontier, head.checkpoint, head.publicKey].map((value) => parts.bind(value));
  const [log = '', withFence = '', before = '', size = '', frontier = '', checkpoint = '', key = ''] = bound;
  parts.add(
    'head',
    `update audit_head set size = ${size}, frontier = ${frontier}, checkpoint = ${checkpoint}, public_key = ${key}, lease_until = now() + ${leaseSql}
      where log_id = ${log} and fence = ${withFence}::bigint and size = ${before}::bigint returning log_id`,
  );
  const { audit, plans, callers, sets, runs, kept } = batch;
  parts.insert('audit_log (log_id, seq, at, hash, record)', 'head.log_id, x.*', '', [
    ['bigint', audit.map((row) => row.seq)],
    ['timestamptz', audit.map((row) => iso(row.at))],
    ['bytea', audit.map((row) => row.hash)],
    ['text', audit.map((row) => row.record)],
  ]);
  const runColumns = `lineage_run (log_id, run_id, at, kind, principal, roles, purpose, recipient, caller_digest, plan_digest, policy_version, set_digest, patients,
    rows, result_digest, bytes, versions, code, facts, sealed, log_seq)`;
  const runValues = `head.log_id, c0, c1, c2, c3, string_to_array(c4, ','), c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15::jsonb, c16, c17::jsonb, c18, c19`;
  parts.insert(runColumns, runValues, '', runArrays(runs));
  parts.insert(
    'lineage_plan (plan_digest, document, columns, decisions, policy_version, at)',
    'c0, c1, c2::jsonb, c3::jsonb, c4, now()',
    'on conflict do nothing',
    [
      ['text', plans.map((row) => row.digest)],
      ['text', plans.map((row) => row.document)],
      ['text', plans.map((row) => JSON.stringify(row.columns))],
      ['text', plans.map((row) => JSON.stringify(row.decisions))],
      ['text', plans.map((row) => row.policyVersion)],
    ],
  );
  parts.insert('lineage_caller (caller_digest, caller, at)', 'c0, c1::jsonb, now()', 'on conflict do nothing', [
    ['text', callers.map((row) => row.digest)],
    ['text', callers.map((row) => row.caller)],
  ]);
  parts.insert('lineage_patient_set (set_digest, patients, ordinals)', 'x.*', 'on conflict do nothing', [
    ['text', sets.map((row) => row.digest)],
    ['int', sets.map((row) => row.patients)],
    ['bytea', sets.map((row) => row.ordinals)],
  ]);
  parts.insert('audit_checkpoint (log_id, size, at, checkpoint)', 'head.log_id, x.*', 'on conflict do nothing', [
    ['bigint', kept.map((row) => row.size)],
    ['timestamptz', kept.map((row) => iso(row.at))],
    ['text', kept.map((row) => row.checkpoint)],
  ]);
  const { rowCount } = await client.query({ name: parts.name, text: `${parts.text} select 1 from head`, values: parts.values });
  if (rowCount !== 1) throw new Fenced();
}

type Column = readonly [type: string, values: readonly unknown[]];

const runArrays = (runs: readonly RunRow[]): Column[] => [
  ['uuid', runs.map(({ entry }) => entry.runId)],
  ['timestamptz', runs.map(({ entry }) => iso(entry.at))],
  ['text', runs.map(({ entry }) => entry.kind)],
  ['text', runs.map(({ entry }) => entry.principal)],
  ['text', runs.map(({ entry }) => entry.roles.join(','))],
  ['text', runs.map(({ entry }) => entry.purpose)],
  ['text', runs.map(({ entry }) => entry.recipient?.id ?? null)],
  ['text', runs.map((run) => run.callerDigest)],
  ['text', runs.map(({ entry }) => entry.plan?.digest ?? null)],
  ['text', runs.map(({ entry }) => entry.policyVersion)],
  ['text', runs.map((run) => run.setDigest)],
  ['int', runs.map(({ entry }) => entry.patients.size)],
  ['int', runs.map(({ entry }) => entry.rows)],
  ['text', runs.map(({ entry }) => entry.resultDigest)],
  ['bigint', runs.map(({ entry }) => entry.bytes)],
  ['text', runs.map(({ entry }) => JSON.stringify(entry.versions))],
  ['text', runs.map(({ entry }) => entry.code)],
  ['text', runs.map(({ entry }) => JSON.stringify(entry.facts))],
  ['bytea', runs.map((run) => run.sealed)],
  ['bigint', runs.map((run) => run.seq)],
];

/** Parts of one statement; those without rows are left out, and the name tells which are there. */
class Parts {
  readonly values: unknown[] = [];
  private readonly parts: string[] = [];
  private shape = '';
  private inserts = 0;

  get name(): string {
    return `evidence${this.shape}`;
  }

  get text(): string {
    return `with ${this.parts.join(', ')}`;
  }

  bind(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }

  add(name: string, text: string): void {
    this.parts.push(`${name} as (${text})`);
  }

  insert(into: string, select: string, conflict: string, columns: readonly Column[]): void {
    this.inserts += 1;
    if (columns[0]?.[1].length === 0) return;
    this.shape += `-${this.inserts}`;
    const arrays = columns.map(([type, values]) => `${this.bind(values)}::${type}[]`);
    const names = columns.map((_, i) => `c${i}`);
    this.add(
      `part${this.inserts}`,
      `insert into ${into} select ${select} from head, unnest(${arrays.join(', ')}) as x(${names.join(', ')}) ${conflict}`,
    );
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();

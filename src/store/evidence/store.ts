import type { Pool } from 'pg';
import type { BulkMeter } from '../bulk-meter.js';
import { coldRun } from './cold-run.js';
import { ColdRecords, type StoredRecord } from './cold.js';
import { AuditRuns } from './audit-events.js';
import { allHeads, claimHead, releaseHead, type ClaimRequest, type Head } from './head.js';
import { PersonKeys } from './person-keys.js';
import { pastRun, type PastRun } from './past-run.js';
import { runsAbout } from './about-person.js';
import { impact, runsOf, usageOf, whoSaw, type Impact, type Usage } from './usage.js';
import {
  holdEvidence,
  purgeEvidence,
  releaseEvidence,
  HOT_DAYS,
  rollUp,
  type EvidenceHold,
  type Purged,
  type RolledUp,
  type RollUpOptions,
} from './roll-up.js';
import type { DisclosedRun } from './disclosed-run.js';
import { catchUpUsage } from './lineage-questions.js';
import { StoredRuns } from './run-source.js';
import { writeBatch, type Batch } from './write.js';

export type { StoredRecord } from './cold.js';

/** Rows that are read at once. */
const PAGE = 5_000;

/** Evidence on Postgres. What is written is durable when the promise resolves. */
export class EvidenceStore {
  readonly keys: PersonKeys;
  private readonly cold: ColdRecords;
  /** Records in the order of their log, for those who tell them outside. */
  readonly runs: StoredRuns;
  /** Runs the newest first, for events about who did what. */
  readonly auditRuns: AuditRuns;

  constructor(
    private readonly writer: Pool,
    secret: Buffer,
    /** Holds back what would pass a threshold of bulk data. */
    private readonly meter: BulkMeter,
  ) {
    this.keys = new PersonKeys(writer, secret);
    this.cold = new ColdRecords(writer);
    this.runs = new StoredRuns(writer, (logId, from) => this.leaves(logId, from));
    this.auditRuns = new AuditRuns(writer, this.cold);
  }

  claim(request: ClaimRequest): Promise<Head> {
    return claimHead(this.writer, request);
  }

  release(logId: string, fence: number): Promise<void> {
    return releaseHead(this.writer, logId, fence);
  }

  heads(): Promise<readonly Head[]> {
    return allHeads(this.writer);
  }

  persons(patientIds: ReadonlySet<string>): ReturnType<PersonKeys['of']> {
    return this.keys.of(patientIds);
  }

  async write(batch: Batch): Promise<void> {
    if (this.meter.isNew(batch.charges)) await this.writeMetered(batch);
    else await writeBatch(this.writer, batch);
  }

  /** The meter moves with the record or not at all. */
  private async writeMetered(batch: Batch): Promise<void> {
    const client = await this.writer.connect();
    let broken: Error | undefined;
    try {
      await client.query('begin');
      const committed = await this.meter.meterStatements(client, batch.charges);
      await writeBatch(client, batch);
      await client.query('commit');
      committed();
    } catch (error) {
      await client.query('rollback').catch((fault: unknown) => {
        broken = fault instanceof Error ? fault : new Error('rollback failed');
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async keep(logId: string, row: { size: number; at: number; checkpoint: string; witness?: string }): Promise<void> {
    await this.writer.query(
      'insert into audit_checkpoint (log_id, size, at, checkpoint, witness) values ($1, $2, $3, $4, $5) on conflict do nothing',
      [logId, row.size, new Date(row.at), row.checkpoint, row.witness ?? ''],
    );
  }

  /** Records of one log in their order with the hashes that were stored beside them, rows or packed; a gap is passed over as it is found. */
  async *leaves(logId: string, from = 0): AsyncGenerator<StoredRecord> {
    for (let next = from; ;) {
      const packed = await this.cold.around(logId, next);
      const found = packed.length > 0 ? packed.slice(next - (packed[0]?.seq ?? next)) : await this.hotPage(logId, next);
      yield* found;
      const last = found.at(-1);
      if (!last) return;
      next = last.seq + 1;
    }
  }

  private async hotPage(logId: string, from: number): Promise<StoredRecord[]> {
    const { rows } = await this.writer.query<{ seq: string; record: string; hash: Buffer }>(
      `select seq, record, hash from audit_log where log_id = $1 and seq >= $2 order by seq limit ${PAGE}`,
      [logId, from],
    );
    return rows.map((row) => ({ seq: Number(row.seq), record: row.record, leaf: row.hash }));
  }

  /** What is recorded of a run, in rows or packed; null where no run has this id. */
  async pastRun(runId: string): Promise<PastRun | null> {
    return (await pastRun(this.writer, runId)) ?? coldRun(this.writer, this.cold, runId);
  }

  /** Packs what is full and takes away the rows of what is old; the caller makes a record of it. */
  /** What is counted by day is brought up to date first, and goes with the rows that it was counted from. */
  async rollUp(options: RollUpOptions): Promise<RolledUp> {
    await catchUpUsage(this.writer);
    const rolled = await rollUp(this.writer, options);
    const days = options.hotDays ?? HOT_DAYS;
    await this.writer.query(`delete from lineage_usage where day < ($1::timestamptz at time zone 'UTC')::date - $2::int`, [
      new Date(options.now),
      days,
    ]);
    return rolled;
  }

  /** Throws RangeError where something younger than six years is meant. The caller makes a record of it. */
  purge(before: number): Promise<Purged> {
    return purgeEvidence(this.writer, { before });
  }

  hold(hold: EvidenceHold): Promise<void> {
    return holdEvidence(this.writer, hold);
  }

  releaseHold(end: Pick<EvidenceHold, 'id' | 'by' | 'at' | 'reason'>): Promise<boolean> {
    return releaseEvidence(this.writer, end);
  }

  /** Questions read what is packed and what is not as one. Ranges are from `from` on and before `to`, milliseconds since 1970. */
  impact(source: string, from: number, to: number): Promise<Impact> {
    return impact(this.writer, source, from, to);
  }

  runsOf(plans: readonly string[], from: number, to: number): Promise<readonly Usage[]> {
    return runsOf(this.writer, plans, from, to);
  }

  usageOf(columns: readonly string[], from: number, to: number): Promise<ReadonlyMap<string, readonly Usage[]>> {
    return usageOf(this.writer, columns, from, to);
  }

  runsAbout(ordinal: number, from: number, to: number): Promise<readonly DisclosedRun[]> {
    return runsAbout(this.writer, ordinal, from, to);
  }

  whoSaw(ordinal: number, from: number, to: number): Promise<readonly Usage[]> {
    return whoSaw(this.writer, ordinal, from, to);
  }

  /** Persons who were erased at or after an instant (milliseconds since 1970). */
  async erasuresSince(at: number): Promise<number> {
    const { rows } = await this.writer.query<{ n: number }>(
      `select count(*)::int as n from lineage_run where kind = 'admin' and at >= $1 and facts ->> 'act' = 'erasure' and facts ->> 'erased' = 'done'`,
      [new Date(at)],
    );
    return rows[0]?.n ?? 0;
  }

  /** Tables of which every version is kept. */
  async versionedTables(): Promise<readonly string[]> {
    const { rows } = await this.writer.query<{ name: string }>(`select tablename as name from pg_tables where schemaname = 'history'`);
    return rows.map((row) => row.name);
  }

  /** Hashes of the leaves [from, to). */
  async hashes(logId: string, from: number, to: number): Promise<readonly Buffer[]> {
    const { rows } = await this.writer.query<{ hash: Buffer }>(
      'select hash from audit_log where log_id = $1 and seq >= $2 and seq < $3 order by seq',
      [logId, from, to],
    );
    if (rows.length === to - from) return rows.map((row) => row.hash);
    const hashes: Buffer[] = [];
    for await (const { seq, leaf } of this.leaves(logId, from)) {
      if (seq >= to) break;
      hashes.push(leaf);
      if (hashes.length === to - from) break;
    }
    if (hashes.length !== to - from) throw new Error('the log lacks records');
    return hashes;
  }

  /** Checkpoints that were kept, with the signatures of witnesses under theirs. */
  async checkpoints(logId: string): Promise<readonly { size: number; checkpoint: string; witness: string }[]> {
    const { rows } = await this.writer.query<{ size: string; checkpoint: string; witness: string }>(
      'select size, checkpoint, witness from audit_checkpoint where log_id = $1 order by size, witness',
      [logId],
    );
    return rows.map((row) => ({ size: Number(row.size), checkpoint: row.checkpoint, witness: row.witness }));
  }
}

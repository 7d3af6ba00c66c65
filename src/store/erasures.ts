import type { Pool } from 'pg';

/** What the log tells of the erasure of one person. */
export interface RecordedErasure {
  /** Record of the beginning: the run id that it has. */
  readonly runId: string;
  readonly state: 'begun' | 'done';
  readonly ordinal: number;
  /** Keyed digest of the person's identifier: an ordinal alone could belong to another person after a restore. */
  readonly subject: string;
}

export interface RegisteredPerson {
  readonly patientId: string;
  readonly ordinal: number;
  readonly siteId: string;
}

/** A hold on evidence that is live. A person is named by ordinal. */
export interface LiveHold {
  readonly scope: 'all' | 'person' | 'recipient' | 'purpose';
  readonly subject: string;
}

export type ErasureBook = ReturnType<typeof erasureBook>;

/** What an erasure looks up and tells the other processes. `records` reads a log from a sequence number on. */
export function erasureBook(
  writer: Pool,
  records: (logId: string, from: number) => AsyncIterable<{ readonly seq: number; readonly record: string }>,
) {
  return {
    async person(patientId: string): Promise<RegisteredPerson | null> {
      const { rows } = await writer.query<RegisteredPerson>(
        `select patient_id as "patientId", ordinal, site_id as "siteId" from patient where patient_id = $1`,
        [patientId],
      );
      return rows[0] ?? null;
    },

    /** Who of these ordinals is registered or has a key. */
    async present(ordinals: readonly number[]): Promise<readonly Pick<RegisteredPerson, 'patientId' | 'ordinal'>[]> {
      const { rows } = await writer.query<RegisteredPerson>(
        `select patient_id as "patientId", ordinal from patient where ordinal = any($1::int[])
         union select patient_id, ordinal from person_key where ordinal = any($1::int[]) order by 2`,
        [ordinals],
      );
      return rows;
    },

    /** True where a hold on the person's disclosures is live; `now` is milliseconds since 1970. */
    async isHeld(patientId: string, now: number): Promise<boolean> {
      const { rows } = await writer.query(
        `select 1 from disclosure_hold p where p.event = 'placed' and p.patient_id = $1 and p.until > $2
           and not exists (select 1 from disclosure_hold e where e.hold_id = p.hold_id and e.event = 'ended') limit 1`,
        [patientId, new Date(now)],
      );
      return rows.length > 0;
    },

    async evidenceHolds(): Promise<readonly LiveHold[]> {
      const { rows } = await writer.query<LiveHold>(
        `select distinct p.scope, p.subject from evidence_hold p where p.event = 'placed'
           and not exists (select 1 from evidence_hold e where e.hold_id = p.hold_id and e.event = 'ended')`,
      );
      return rows;
    },

    /** Every process lets go of what it keeps in memory about persons before its next transaction. */
    async tellOthers(): Promise<void> {
      const { rowCount } = await writer.query('update governance_epoch set revocation = revocation + 1');
      if (rowCount !== 1) throw new Error('the table governance_epoch has no row');
    },

    /** Erasures of all logs, rows and packed; those of a purpose, which tells the segments that can hold any. */
    async recorded(purpose: string): Promise<readonly RecordedErasure[]> {
      const hot = await writer.query<{ runId: string; facts: unknown }>(
        `select run_id as "runId", facts from lineage_run where kind = 'admin' and purpose = $1 and facts ->> 'act' = 'erasure' order by at, run_id`,
        [purpose],
      );
      const found = hot.rows.flatMap((row) => recordedErasure(row.runId, row.facts));
      const packed = await writer.query<{ log: string; first: string; records: number }>(
        'select log_id as log, first_seq as first, records from audit_segment where cold and purged_at is null and $1 = any(purposes) order by 1, 2',
        [purpose],
      );
      for (const { log, first, records: count } of packed.rows)
        for await (const { seq, record } of records(log, Number(first))) {
          if (seq >= Number(first) + count) break;
          if (record.includes('"erasure"')) found.push(...erasureOfRecord(record));
        }
      return found;
    },
  };
}

/** The erasure that a record of the log tells of, if it does: for logs that were exported before a restore. */
export function erasureOfRecord(record: string): readonly RecordedErasure[] {
  const { run, kind, facts } = JSON.parse(record) as { run: string; kind: string; facts: unknown };
  return kind === 'admin' ? recordedErasure(run, facts) : [];
}

function recordedErasure(runId: string, facts: unknown): RecordedErasure[] {
  const { act, erased, ordinal, subject } = facts as Readonly<Record<string, unknown>>;
  if (act !== 'erasure' || typeof ordinal !== 'number' || typeof subject !== 'string') return [];
  return erased === 'begun' || erased === 'done' ? [{ runId, state: erased, ordinal, subject }] : [];
}

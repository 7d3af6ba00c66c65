import type { Pool, PoolClient } from 'pg';
import { CodedError, isCoded } from '../kernel/index.js';

/** An entry as the governance room gives it; named here by shape, since rooms meet through the kernel only. */
interface Entry {
  readonly seq: number;
  readonly digest: string;
  readonly kind: 'told' | 'withheld';
  readonly dataset: string;
  readonly ordinals: Uint8Array;
  readonly rows: Uint8Array | null;
  readonly persons: number;
}

const ORDINALS_CACHED_MAX = 1_000_000;

/** The books of counted sets on Postgres: append-only, one transaction at a time for each principal. Throws UNAVAILABLE. */
export function disclosureStore(writer: Pool) {
  const ordinalOf = new Map<string, number>();
  return {
    /** Who was erased must not live on in memory. */
    forget(): void {
      ordinalOf.clear();
    },

    async ordinals(patientIds: readonly string[]): Promise<number[]> {
      const missing = patientIds.filter((id) => !ordinalOf.has(id));
      if (missing.length > 0) {
        if (ordinalOf.size + missing.length > ORDINALS_CACHED_MAX) ordinalOf.clear();
        const { rows } = await writer.query<{ patient_id: string; ordinal: number }>(
          'select patient_id, ordinal from patient where patient_id = any($1::uuid[])',
          [ordinalOf.size === 0 ? patientIds : missing],
        );
        for (const row of rows) ordinalOf.set(row.patient_id, row.ordinal);
      }
      return patientIds.map((id) => {
        const ordinal = ordinalOf.get(id);
        if (ordinal === undefined) throw new CodedError('INTERNAL', 'A person who was counted is not registered.');
        return ordinal;
      });
    },

    async exclusively<T>(sub: string, work: (book: ReturnType<typeof bookOf>) => Promise<T>): Promise<T> {
      let client: PoolClient;
      try {
        client = await writer.connect();
      } catch (error) {
        throw unavailable(error);
      }
      let broken: Error | undefined;
      try {
        await client.query('begin');
        await client.query('select pg_advisory_xact_lock(hashtextextended($1, 2))', [`disclosure ${sub}`]);
        const result = await work(bookOf(client, sub));
        await client.query('commit');
        return result;
      } catch (error) {
        await client.query('rollback').catch((fault: unknown) => {
          broken = fault instanceof Error ? fault : new Error('rollback failed');
        });
        throw isCoded(error) ? error : unavailable(error);
      } finally {
        client.release(broken);
      }
    },
  };
}

function bookOf(client: PoolClient, sub: string) {
  return {
    async since(seq: number): Promise<Entry[]> {
      const { rows } = await client.query<Omit<Entry, 'seq'> & { seq: string }>({
        name: 'disclosed_since',
        text: `select seq, set_digest as digest, kind, dataset, ordinals, row_counts as rows, persons from disclosed_set where sub = $1 and seq > $2 order by seq`,
        values: [sub, seq],
      });
      return rows.map((row) => ({ ...row, seq: Number(row.seq) }));
    },
    async enteredSince(at: number): Promise<number> {
      const { rows } = await client.query<{ n: number }>({
        name: 'disclosed_count',
        text: 'select count(*)::int as n from disclosed_set where sub = $1 and at > $2',
        values: [sub, new Date(at)],
      });
      return rows[0]?.n ?? 0;
    },
    async add(entry: Omit<Entry, 'seq'>, at: number): Promise<number> {
      const { rows } = await client.query<{ seq: string }>({
        name: 'disclosed_add',
        text: `insert into disclosed_set (sub, set_digest, kind, dataset, ordinals, row_counts, persons, at) values ($1, $2, $3, $4, $5, $6, $7, $8) returning seq`,
        values: [sub, entry.digest, entry.kind, entry.dataset, entry.ordinals, entry.rows, entry.persons, new Date(at)],
      });
      return Number(rows[0]?.seq);
    },
  };
}

const unavailable = (error: unknown): CodedError =>
  new CodedError('UNAVAILABLE', 'The data store did not answer the request.', {
    detail: error instanceof Error ? error.message : 'unknown',
    cause: error,
  });

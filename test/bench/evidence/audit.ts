import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Pools } from '../../../src/store/index.js';
import { median, rounded, type Scenario } from '../scenario.js';
import { askOnce, inTurn, withMeshes } from './overhead.js';
import { writtenPerSecond } from './stored.js';

const EVENTS = 60_000;
const NAIVE_EVENTS = 1_000;
const QUERIES = 4_000;
/** Requests that wait at the same time. */
const AT_ONCE = 64;

/**
 * What the audit log costs. Events: through AuditLog into Postgres with fsync, 512 that wait at once. Naive: one insert and commit an event, one connection,
 * the same server. Queries: small ones through `ask` in this process, 64 at once. Added: median of the query of 20 fields with evidence less without any.
 */
export const scenario: Scenario = {
  about: 'durable events and audited queries a second, and what a record adds to a query',
  async run({ runs, log }) {
    const events = runs === 1 ? EVENTS : runs;
    const folder = mkdtempSync(path.join(tmpdir(), 'thalamus-bench-audit-'));
    try {
      log('writing events ..');
      const written = await writtenPerSecond(path.join(folder, 'events'), events, naive);
      log('asking ..');
      const { times, on, off, sync } = await withMeshes(path.join(folder, 'mesh'), async (meshes) => ({
        times: await inTurn(meshes),
        on: await asked(() => askOnce(meshes.on, 1)),
        off: await asked(() => askOnce(meshes.off, 1)),
        sync: (
          await meshes.on.pools.writer.query<{ s: string }>(
            `select current_setting('fsync') || '/' || current_setting('synchronous_commit') as s`,
          )
        ).rows[0]?.s,
      }));
      return {
        n: events,
        durable_events_per_s: Math.round(written.perSecond),
        naive_events_per_s: Math.round(written.other),
        audited_queries_per_s: Math.round(on),
        unaudited_queries_per_s: Math.round(off),
        added_p50_ms: rounded(times.on - times.off),
        p50_on_ms: rounded(times.on),
        p50_off_ms: rounded(times.off),
        fsync_and_synchronous_commit: sync ?? null,
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Queries a second, over 64 that are asked at once. */
async function asked(once: () => Promise<void>): Promise<number> {
  let left = QUERIES;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) await once();
    }),
  );
  return (QUERIES / (performance.now() - began)) * 1000;
}

/** One insert and commit an event. */
async function naive({ owner, writer }: Pools): Promise<number> {
  await owner.query(
    'create table naive_event (seq bigserial primary key, at timestamptz not null, record text not null); grant all on naive_event to thalamus_writer; grant all on sequence naive_event_seq_seq to thalamus_writer',
  );
  const record = JSON.stringify({ text: 'x'.repeat(800) });
  const client = await writer.connect();
  try {
    const times: number[] = [];
    for (let i = 0; i < NAIVE_EVENTS; i++) {
      const began = performance.now();
      await client.query('insert into naive_event (at, record) values (now(), $1)', [record]);
      times.push(performance.now() - began);
    }
    return 1000 / (median(times) ?? 1);
  } finally {
    client.release();
  }
}

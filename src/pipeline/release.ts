import { CodedError, isCoded } from '../kernel/error.js';
import { apply } from './apply.js';
import { baseName, type PipelineDeps } from './deps.js';
import { screen, type Refusal, type StagedRecord } from './expect.js';
import { FileFault, readFile } from './read.js';
import type { Transaction } from './ports.js';

interface Held {
  readonly quarantine_id: string;
  readonly digest: string;
  readonly product: string;
  readonly ordinal: number;
  readonly place: string;
  readonly code: string;
  readonly format: string | null;
  readonly name_digest: string;
  readonly arrived_at: string;
  readonly assembly: string | null;
}

export interface Release {
  /** Quarantine rows whose records are in now. */
  readonly released: readonly string[];
  /** Quarantine rows whose records are refused again, or that are about a file as a whole. */
  readonly held: readonly { readonly id: string; readonly code: string; readonly reason: string }[];
}

/**
 * Reads the named records of quarantine again from their raw files, under all present expectations and identities, and under their
 * original ids, so that a replay adds nothing (spec pipelines P17). Who decides and why is kept. Whether the caller may is not asked here.
 * Throws BAD_INPUT without a reason.
 */
export async function releaseQuarantine(ids: readonly string[], by: string, reason: string, deps: PipelineDeps): Promise<Release> {
  demandReason(reason);
  const rows = await deps.store.transaction((tx) => heldRows(tx, ids));
  const files = new Map<string, Held[]>();
  for (const row of rows) {
    const name = `${row.digest} ${row.product}`;
    const list = files.get(name);
    if (list === undefined) files.set(name, [row]);
    else list.push(row);
  }
  const released: string[] = [];
  const held: { id: string; code: string; reason: string }[] = [];
  for (const file of files.values()) {
    const found = await releaseFile(file, by, reason, deps);
    released.push(...found.released);
    held.push(...found.held);
  }
  return { released, held };
}

/** Marks records as never to be loaded; they stay with the reason. Returns how many were still held. */
export async function discardQuarantine(ids: readonly string[], by: string, reason: string, deps: PipelineDeps): Promise<number> {
  demandReason(reason);
  return deps.store.transaction((tx) => decide(tx, ids, 'discarded', by, reason, deps.now()));
}

function demandReason(reason: string): void {
  if (reason.trim() === '') throw new CodedError('BAD_INPUT', 'A decision on quarantine needs a reason.', { place: 'reason' });
}

function heldRows(tx: Transaction, ids: readonly string[]): Promise<Held[]> {
  return tx.query<Held>(
    `select q.quarantine_id, q.digest, q.product, q.ordinal, q.place, q.code, r.format, r.arrived_at, r.name_digest,
            u.counts ->> 'assembly' as assembly
       from quarantine q join raw_file r using (digest) left join pipeline_update u using (update_id)
      where q.quarantine_id = any($1::uuid[]) and q.state = 'held' order by q.digest, q.ordinal, q.place`,
    [ids],
  );
}

async function releaseFile(rows: readonly Held[], by: string, reason: string, deps: PipelineDeps): Promise<Release> {
  const [first] = rows;
  if (first === undefined) return { released: [], held: [] };
  const ordinals = new Set(rows.map((row) => row.ordinal));
  const { records, refusals } = await readAgain(first, ordinals, deps);
  const { plan, actor, store } = deps;
  const origin = { digest: first.digest, arrivedAt: Date.parse(first.arrived_at) };
  return store.transaction(async (tx) => {
    const now = deps.now();
    const applied = await apply(tx, screen(records, plan.assets), { plan, origin, actor, now });
    const again = new Map<string, Refusal>();
    const whole = new Map<number, Refusal>();
    for (const refusal of [...refusals, ...applied.refusals]) {
      again.set(`${refusal.ordinal} ${refusal.place}`, refusal);
      const part = rows.some((row) => row.ordinal === refusal.ordinal && row.place === refusal.place);
      if (!part || refusal.asset === null) whole.set(refusal.ordinal, refusal);
    }
    const read = new Set([...records.map((record) => record.ordinal), ...refusals.map((refusal) => refusal.ordinal)]);
    const held: { id: string; code: string; reason: string }[] = [];
    const released: string[] = [];
    for (const row of rows) {
      const refusal = again.get(`${row.ordinal} ${row.place}`) ?? whole.get(row.ordinal);
      if (refusal !== undefined) held.push({ id: row.quarantine_id, code: refusal.code, reason: refusal.reason });
      else if (read.has(row.ordinal)) released.push(row.quarantine_id);
      else held.push({ id: row.quarantine_id, code: row.code, reason: 'The record is not read by itself; load the file again.' });
    }
    await decide(tx, released, 'released', by, reason, now);
    for (const one of held) await tx.query('update quarantine set reason = $2 where quarantine_id = $1', [one.id, one.reason]);
    return { released, held };
  });
}

/** The records with these ordinals, staged as at first: what comes before them is staged too, since a header rules what follows. */
async function readAgain(
  file: Held,
  ordinals: ReadonlySet<number>,
  deps: PipelineDeps,
): Promise<{ records: StagedRecord[]; refusals: Refusal[] }> {
  const records: StagedRecord[] = [];
  const refusals: Refusal[] = [];
  const planned = deps.plan.bindings.find((one) => one.product === file.product && one.binding.format.name === file.format);
  if (planned === undefined) return { records, refusals };
  try {
    const parts: Uint8Array[] = [];
    for await (const part of deps.store.objects.open(file.name_digest, { verify: true })) parts.push(part);
    const name = baseName(Buffer.concat(parts).toString('utf8'));
    const reading = { digest: file.digest, name, assembly: file.assembly, arrivedAt: Date.parse(file.arrived_at) };
    await assertWhole(deps, file.digest);
    for await (const item of readFile(deps.store.objects, planned, reading)) {
      if (item.ok && ordinals.has(item.record.ordinal)) records.push(item.record);
      if (!item.ok && ordinals.has(item.refusal.ordinal)) refusals.push(item.refusal);
    }
  } catch (error) {
    // Damage after the records that are asked for is no fault of theirs. A load that never ended has not kept its name yet.
    if (!(error instanceof FileFault) && !(isCoded(error) && error.code !== 'FILE_CHANGED')) throw error;
  }
  return { records, refusals };
}

/** Long after it arrived a file is read against its digest before anything of it is taken. Throws FILE_CHANGED with the digest. */
async function assertWhole(deps: PipelineDeps, digest: string): Promise<void> {
  const reading = deps.store.objects.open(digest, { verify: true })[Symbol.asyncIterator]();
  while (!(await reading.next()).done);
}

async function decide(
  tx: Transaction,
  ids: readonly string[],
  state: 'released' | 'discarded',
  by: string,
  reason: string,
  now: number,
): Promise<number> {
  const rows = await tx.query(
    `update quarantine set state = $2, decided_by = $3, decided_at = $4, decision_reason = $5
      where quarantine_id = any($1::uuid[]) and state = 'held' returning 1`,
    [ids, state, by, new Date(now).toISOString(), reason],
  );
  return rows.length;
}

import { createHash } from 'node:crypto';
import { CodedError } from '../kernel/error.js';
import type { IngestReport, SqlType } from '../kernel/index.js';
import { LIMITS } from '../kernel/limits.js';
import { noCounts, type Counts } from './counts.js';
import type { Refusal } from './expect.js';
import { idsOf } from './ids.js';
import type { Transaction, WriteTarget } from './ports.js';

/** Product in the books of files that no product reads. */
export const NO_PRODUCT = 'none';
/** Ordinal of a fault of the file as a whole. */
export const WHOLE_FILE = -1;

export interface FileFacts {
  readonly digest: string;
  readonly bytes: number;
  /** sha256 of the list of chunk digests beside the raw bytes; null where there is none. */
  readonly chunksDigest: string | null;
  /** Path as the caller gave it; only its digest is kept. */
  readonly name: string;
  readonly mediaType: string;
  readonly product: string;
  readonly format: string | null;
  readonly assembly: string | null;
}

/** Where the load of one file stands. */
export interface OpenFile {
  readonly arrivedAt: number;
  readonly updateId: string;
  readonly counts: Counts;
  /** What the parser yielded before this position is committed. */
  readonly next: number;
  readonly finished: boolean;
  /** Digest of another file that was loaded under the same name. */
  readonly clash: string | null;
}

const QUARANTINE: Record<string, SqlType> = {
  quarantine_id: 'uuid',
  product: 'text',
  asset: 'text',
  digest: 'text',
  ordinal: 'int',
  place: 'text',
  code: 'text',
  reason: 'text',
  bytes: 'bytea',
  at: 'timestamptz',
  update_id: 'uuid',
};
const QUARANTINE_KEY = ['digest', 'ordinal', 'code', 'place'];
const quarantine: WriteTarget = {
  table: 'quarantine',
  columns: QUARANTINE,
  key: QUARANTINE_KEY,
  onConflict: 'ignore-identical',
  ignore: Object.keys(QUARANTINE),
};

/** Waits for whoever writes from the same file, a load that was killed included, until that transaction has ended. */
export async function lockFile(tx: Transaction, digest: string): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 2))', [digest]);
}

/** Enters the file in the books, or finds where an earlier load of the same bytes stopped. */
export async function openFile(tx: Transaction, file: FileFacts, now: number): Promise<OpenFile> {
  const at = new Date(now).toISOString();
  const name = createHash('sha256').update(file.name).digest('hex');
  await lockFile(tx, file.digest);
  const [clash] = await tx.query<{ digest: string }>(
    `select digest from raw_file where name_digest = $1 and digest <> $2 and status in ('reading', 'ingested', 'partly') limit 1`,
    [name, file.digest],
  );
  const [raw] = await tx.query<{ arrived_at: string }>(
    `insert into raw_file (digest, bytes, media_type, product, format, name_digest, arrived_at, status, chunks_digest)
     values ($1, $2, $3, nullif($4, '${NO_PRODUCT}'), $5, $6, $7, 'arrived', $8)
     on conflict (digest) do update set media_type = excluded.media_type, product = excluded.product, format = excluded.format, chunks_digest = excluded.chunks_digest,
       name_digest = case when raw_file.status in ('ingested', 'partly') then raw_file.name_digest else excluded.name_digest end
     returning arrived_at`,
    [file.digest, file.bytes, file.mediaType, file.product, file.format, name, at, file.chunksDigest],
  );
  const [checkpoint] = await tx.query<{ next_ordinal: number; finished: boolean }>(
    `insert into ingest_checkpoint (digest, product, next_ordinal, finished) values ($1, $2, 0, false)
     on conflict (digest, product) do update set digest = excluded.digest returning next_ordinal, finished`,
    [file.digest, file.product],
  );
  const [update] = await tx.query<{ update_id: string; counts: Counts }>(
    `select update_id, counts from pipeline_update where digest = $1 and product = $2 and (finished_at is null or $3)
      order by started_at desc limit 1`,
    [file.digest, file.product, checkpoint?.finished === true],
  );
  const arrivedAt = Date.parse(raw?.arrived_at ?? at);
  const updateId = update?.update_id ?? idsOf(file.digest, WHOLE_FILE, now, `update ${file.product}`)();
  const counts = update?.counts ?? noCounts(file.assembly);
  if (update === undefined) {
    await tx.query(
      `insert into pipeline_update (update_id, product, digest, started_at, status, counts) values ($1, $2, $3, $4, 'running', $5)
       on conflict (update_id) do nothing`,
      [updateId, file.product, file.digest, at, JSON.stringify(counts)],
    );
  }
  const finished = checkpoint?.finished === true;
  return { arrivedAt, updateId, counts, next: checkpoint?.next_ordinal ?? 0, finished, clash: clash?.digest ?? null };
}

/** Moves the checkpoint of the file from `from` to `to`. Throws CONFLICT when another load has moved it. */
export async function advance(
  tx: Transaction,
  file: FileFacts,
  updateId: string,
  span: { from: number; to: number },
  counts: Counts,
): Promise<void> {
  const moved = await tx.query(
    `with counted as (update pipeline_update set counts = $6 where update_id = $5),
       reading as (update raw_file set status = 'reading' where digest = $1 and status <> 'reading')
     update ingest_checkpoint set next_ordinal = $4 where digest = $1 and product = $2 and next_ordinal = $3 and not finished returning 1`,
    [file.digest, file.product, span.from, span.to, updateId, JSON.stringify(counts)],
  );
  if (moved.length === 0) throw new CodedError('CONFLICT', 'Another load of the same file is under way.');
}

/** `counts` names the lineage record. Only a file that is not refused counts as done. */
export async function closeFile(
  tx: Transaction,
  file: FileFacts,
  updateId: string,
  status: Exclude<IngestReport['status'], 'duplicate'>,
  counts: Counts,
  now: number,
): Promise<void> {
  await tx.query(
    `with ended as (update pipeline_update set finished_at = $5, status = $4, counts = $6 where update_id = $7),
       marked as (update raw_file set status = $4 where digest = $1 and status <> $4)
     update ingest_checkpoint set finished = $3, next_ordinal = case when $3 then next_ordinal else 0 end where digest = $1 and product = $2`,
    [file.digest, file.product, status !== 'refused', status, new Date(now).toISOString(), JSON.stringify(counts), updateId],
  );
}

/** A refusal that is there already, from an earlier try, stays as it was. */
export async function hold(
  tx: Transaction,
  file: { digest: string; product: string },
  updateId: string,
  refusals: readonly Refusal[],
  now: number,
): Promise<void> {
  const at = new Date(now).toISOString();
  const ids = idsOf(file.digest, refusals[0]?.ordinal ?? 0, now, 'quarantine');
  await tx.write(
    quarantine,
    refusals.map((refusal) => ({
      ...refusal,
      quarantine_id: ids(),
      product: file.product,
      digest: file.digest,
      bytes: refusal.bytes === null ? null : refusal.bytes.subarray(0, LIMITS.quarantine_bytes_kept_max),
      at,
      update_id: updateId,
    })),
  );
}

export async function versionsOf(tx: Transaction, tables: readonly string[]): Promise<Record<string, number>> {
  const rows = await tx.query<{ dataset: string; version: number }>(
    'select dataset, version from dataset_version where dataset = any($1)',
    [tables],
  );
  return Object.fromEntries(rows.map((row) => [row.dataset, row.version]));
}

import { CodedError, isCoded, newUuid, type ErrorCode } from '../kernel/index.js';
import { Batch } from './batch.js';
import type { EvidenceEntry, Receipt } from './entry.js';
import type { Keyring, LogKey } from './keyring.js';
import { parseCheckpoint, publicKeyOf, signCheckpoint, verifierKey, verifyNote } from './merkle/note.js';
import { CompactRange } from './merkle/tree.js';
import type { ClaimedHead, EvidenceSink } from './sink.js';

/** Records that share one commit at most. */
const BATCH_RECORDS_MAX = 512;
const KNOWN_MAX = 10_000;
/** A checkpoint is kept, and shown to witnesses, after so many records or so long a time. */
const KEEP_RECORDS = 256;
const KEEP_MS = 1_000;

export interface AuditLogOptions {
  readonly sink: EvidenceSink;
  /** Asked each time that a log is claimed; throws where the keys cannot be read. */
  readonly keyring: () => Keyring;
  /** 32 bytes that only this installation holds: what was asked is encrypted under it. */
  readonly sealKey: Buffer;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Milliseconds of a clock that never runs back. */
  readonly monotonic: () => number;
  /** Hears of each checkpoint that is kept, once it is durable. */
  readonly kept?: (logId: string, checkpoint: string) => void;
}

interface Waiting {
  readonly entry: EvidenceEntry;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: CodedError) => void;
}

/** The log that this process continues. */
interface Claimed {
  readonly logId: string;
  readonly fence: number;
  readonly writer: string;
  readonly key: LogKey;
  readonly tree: CompactRange;
  readonly checkpoint: string;
}

/** Name of a log in its checkpoints. */
export const originOf = (logId: string): string => `audit.thalamus.local/${logId}`;

/**
 * The audit log of one process: append-only, a Merkle tree (RFC 6962) with a signed checkpoint at each commit (C2SP tlog-checkpoint), one writer at
 * a time by a fence that the store checks with each commit. `append` resolves once the record is durable; requests that wait at the same time share
 * one commit. Where a record cannot be made durable it throws AUDIT_UNAVAILABLE and no data may leave; the next append tries anew.
 */
export class AuditLog {
  private claimed: Claimed | null = null;
  /** The log that this process had when a commit failed. */
  private held: { readonly logId: string; readonly fence: number } | null = null;
  private keptSize = 0;
  private keptAt = 0;
  private late: NodeJS.Timeout | undefined;
  private readonly waiting: Waiting[] = [];
  private flushing: Promise<void> | null = null;
  private readonly known = new Set<string>();

  constructor(private readonly options: AuditLogOptions) {}

  append(entry: EvidenceEntry): Promise<Receipt> {
    const done = new Promise<Receipt>((resolve, reject) => {
      this.waiting.push({ entry, resolve, reject });
    });
    this.flushing ??= this.flush();
    return done;
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    while (this.flushing) await this.flushing;
  }

  /** Keeps the last checkpoint and hands the log over, so that another process may continue it at once. */
  async close(): Promise<void> {
    await this.drain();
    clearTimeout(this.late);
    const { claimed } = this;
    this.claimed = null;
    if (!claimed) return;
    await this.keepLast(claimed);
    await this.options.sink.release(claimed.logId, claimed.fence);
  }

  private async flush(): Promise<void> {
    // The requests of this turn of the event loop join the first commit.
    await Promise.resolve();
    while (this.waiting.length > 0) await this.settle(this.waiting.splice(0, BATCH_RECORDS_MAX));
    this.flushing = null;
  }

  /** One commit for all. Where the store refuses a record for what it says, each is tried alone, so that the others are not held up. */
  private async settle(batch: readonly Waiting[]): Promise<void> {
    try {
      const receipts = await this.commit(batch.map((each) => each.entry));
      batch.forEach((each, i) => {
        const receipt = receipts[i];
        if (receipt) each.resolve(receipt);
      });
    } catch (error) {
      const refusal = refusalOf(error);
      if (batch.length > 1 && refusal.code !== 'AUDIT_UNAVAILABLE') for (const each of batch) await this.settle([each]);
      else for (const each of batch) each.reject(refusal);
    }
  }

  private async commit(entries: readonly EvidenceEntry[]): Promise<Receipt[]> {
    // What waits happened before the log was claimed for it.
    const claimed = (this.claimed ??= await this.claim(Math.min(this.options.clock(), ...entries.map((entry) => entry.at))));
    const { logId } = claimed;
    const after = await this.write(claimed, claimed.key, async (batch) => {
      for (const entry of entries) await batch.add(entry);
    });
    this.claimed = after.claimed;
    const { runs } = after.batch;
    return runs.map(({ entry, seq }) => ({ id: entry.runId, logId, logIndex: seq, checkpoint: after.claimed.checkpoint }));
  }

  /** Takes a log that nobody writes, or begins one. Its first record says so; a new key is named under the signature of the old one. */
  private async claim(at: number): Promise<Claimed> {
    const { sink, keyring, clock } = this.options;
    const keys = keyring();
    const writer = newUuid(clock());
    const head = await sink.claim({ newLogId: newUuid(clock()), writer, publicKeys: keys.publicKeys, held: this.held });
    this.held = { logId: head.logId, fence: head.fence };
    const fresh = head.size === 0 || head.publicKey === '';
    const key = fresh ? keys.current : keys.byPublicKey(head.publicKey);
    if (!key) throw new Error('the key of the log is not at hand');
    const tree = treeOf(head, keys);
    this.keptSize = 0;
    const begun = { logId: head.logId, fence: head.fence, writer, key, tree, checkpoint: head.checkpoint };
    const { claimed } = await this.write(begun, keys.current, (batch) => {
      batch.addOwn('log.opened', at, { fence: head.fence });
      if (key !== keys.current) batch.addOwn('log.key', at, { key: keys.current.publicKey });
      return Promise.resolve();
    });
    return claimed;
  }

  /** One commit behind the log as it is; `next` is the key that signs from then on. */
  private async write(
    claimed: Claimed,
    next: LogKey,
    fill: (batch: Batch) => Promise<void>,
  ): Promise<{ readonly claimed: Claimed; readonly batch: Batch }> {
    const { sink, sealKey, clock, monotonic } = this.options;
    const { logId, fence, writer, key } = claimed;
    const tree = claimed.tree.clone();
    const batch = new Batch({ sink, sealKey, writer, mono: Math.round(monotonic() * 1_000), known: this.known }, tree);
    await fill(batch);
    const checkpoint = signCheckpoint({ origin: originOf(logId), size: tree.size, root: tree.root() }, key.privateKey);
    const now = clock();
    const keeps = tree.size - this.keptSize >= KEEP_RECORDS || now - this.keptAt >= KEEP_MS || next !== key;
    const { audit, runs, plans, callers, sets, charges } = batch;
    const kept = keeps ? [{ size: tree.size, at: now, checkpoint }] : [];
    const head = { size: tree.size, frontier: tree.toBuffer(), checkpoint, publicKey: next.publicKey };
    try {
      await sink.write({ logId, fence, from: claimed.tree.size, head, audit, runs, plans, callers, sets, charges, kept });
    } catch (error) {
      // Whether the commit was made is not known unless the store refused the content: the log is claimed anew, behind whatever is there.
      if (!isOfContent(error)) this.claimed = null;
      throw error;
    }
    if (this.known.size > KNOWN_MAX) this.known.clear();
    for (const { digest } of [...plans, ...callers]) this.known.add(digest);
    const after = { ...claimed, key: next, tree, checkpoint };
    this.noteKept(after, keeps, now);
    return { claimed: after, batch };
  }

  private noteKept(claimed: Claimed, kept: boolean, now: number): void {
    clearTimeout(this.late);
    if (kept) {
      this.keptSize = claimed.tree.size;
      this.keptAt = now;
      this.options.kept?.(claimed.logId, claimed.checkpoint);
      return;
    }
    // The last records of a burst are kept too, though nothing follows them.
    this.late = setTimeout(() => {
      // The next one tries again.
      this.keepLast(claimed).catch(() => undefined);
    }, KEEP_MS).unref();
  }

  private async keepLast({ logId, checkpoint, tree }: Claimed): Promise<void> {
    if (this.keptSize >= tree.size) return;
    await this.options.sink.keep(logId, { size: tree.size, at: this.options.clock(), checkpoint });
    this.keptSize = tree.size;
    this.options.kept?.(logId, checkpoint);
  }
}

/** The tree of a log as its head has it. A head that is not what a key of ours signed is not gone on with. */
function treeOf(head: ClaimedHead, keys: Keyring): CompactRange {
  const tree = CompactRange.fromBuffer(head.size, head.frontier);
  // A new log, or one from before there were checkpoints.
  if (head.checkpoint === '') return tree;
  const origin = originOf(head.logId);
  const verifiers = keys.publicKeys.map((key) => verifierKey(origin, publicKeyOf(Buffer.from(key, 'base64'))));
  const found = verifyNote(head.checkpoint, verifiers) ? parseCheckpoint(head.checkpoint) : null;
  if (found?.origin !== origin || found.size !== head.size || !tree.root().equals(found.root))
    throw new Error('the head of the log is not what its checkpoint signs');
  return tree;
}

/** Refusals of a record for what it says; nothing of its commit is there. */
const OF_CONTENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['BULK_LIMIT', 'LIMIT_EXCEEDED']);

const isOfContent = (error: unknown): error is CodedError => isCoded(error) && OF_CONTENT.has(error.code);

function refusalOf(error: unknown): CodedError {
  if (isOfContent(error)) return error;
  const detail = error instanceof Error ? error.message : 'unknown';
  return new CodedError('AUDIT_UNAVAILABLE', 'The audit record could not be made durable.', { detail, cause: error });
}

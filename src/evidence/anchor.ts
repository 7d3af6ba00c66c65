import type { EvidenceSink } from './sink.js';
import { LogHashes, type ReadLeaves } from './log-hashes.js';
import { parseCheckpoint } from './merkle/note.js';
import type { WitnessAnswer, WitnessClient } from './witness.js';

export interface AnchorOptions {
  /** One client a log: a witness remembers sizes log by log. */
  readonly witness: ((logId: string) => Pick<WitnessClient, 'cosign'>) | null;
  /** Name under which the signatures of the witness are kept. */
  readonly witnessName: string;
  /** Keeps a checkpoint where whoever holds the database does not reach, for example on another host. */
  readonly deposit: ((checkpoint: string) => Promise<void>) | null;
  readonly leaves: (logId: string) => ReadLeaves;
  readonly keep: EvidenceSink['keep'];
  readonly clock: () => number;
  /** For the operator; lines hold codes and ids only. */
  readonly log: (line: string) => void;
}

/**
 * Takes checkpoints outside: to a witness that cosigns what is consistent with all it has seen, and to a place of deposit. Queries do not wait for it; of
 * several checkpoints of one log that wait only the newest is taken, since it covers the others.
 */
export class Anchor {
  private readonly waiting = new Map<string, string>();
  private readonly clients = new Map<string, { readonly client: Pick<WitnessClient, 'cosign'>; readonly hashes: LogHashes }>();
  private working: Promise<void> | null = null;

  constructor(private readonly options: AnchorOptions) {}

  readonly kept = (logId: string, checkpoint: string): void => {
    this.waiting.set(logId, checkpoint);
    this.working ??= this.work();
  };

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    while (this.working) await this.working;
  }

  private async work(): Promise<void> {
    await Promise.resolve();
    for (let next = this.waiting.entries().next(); !next.done; next = this.waiting.entries().next()) {
      const [logId, checkpoint] = next.value;
      this.waiting.delete(logId);
      try {
        await this.take(logId, checkpoint);
      } catch {
        this.options.log(`ALERT checkpoint of log ${logId} could not be kept outside`);
      }
    }
    this.working = null;
  }

  private async take(logId: string, checkpoint: string): Promise<void> {
    const { deposit, keep, clock, witnessName, log } = this.options;
    const answer = await this.cosigned(logId, checkpoint);
    if (answer && !answer.ok) log(`ALERT witness of log ${logId}: ${answer.fault}`);
    const size = parseCheckpoint(checkpoint)?.size;
    if (answer?.ok && size !== undefined) await keep(logId, { size, at: clock(), checkpoint: answer.checkpoint, witness: witnessName });
    await deposit?.(answer?.ok ? answer.checkpoint : checkpoint);
  }

  private async cosigned(logId: string, checkpoint: string): Promise<WitnessAnswer | null> {
    const { witness, leaves } = this.options;
    if (!witness) return null;
    const known = this.clients.get(logId) ?? { client: witness(logId), hashes: new LogHashes(leaves(logId)) };
    this.clients.set(logId, known);
    return known.client.cosign(checkpoint, known.hashes.read);
  }
}

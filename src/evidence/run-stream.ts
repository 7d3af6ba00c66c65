import { setTimeout as sleep } from 'node:timers/promises';
import type { EvidenceRun } from './openlineage/model.js';

/** How far each log was told under a name; it outlives the process. */
export interface ExportCursor {
  cursorOf(name: string): Promise<ReadonlyMap<string, number>>;
  /** Moves on to `next`, never back. */
  advance(name: string, logId: string, next: number): Promise<void>;
}

/** Where durable records are read; the streamer never waits inside a request. */
export interface RunSource {
  logs(): Promise<readonly string[]>;
  /** Records of a log from a sequence number on, in its order, at most so many. */
  runsFrom(logId: string, next: number, limit: number): Promise<readonly EvidenceRun[]>;
}

export interface RunStreamOptions {
  /** Of the cursor: one for each endpoint. */
  readonly name: string;
  readonly cursor: ExportCursor;
  readonly source: RunSource;
  /** Gives runs to the receiver. What was not taken is said in a sentence without its words, or thrown; null where all was taken. */
  readonly deliver: (runs: readonly EvidenceRun[], signal: AbortSignal) => Promise<string | null>;
  /** Line for the operator. */
  readonly log: (line: string) => void;
  readonly batchRuns?: number;
  /** Tries of one batch before the log is left until the next round. */
  readonly tries?: number;
  /** Milliseconds before the second try; they double with each. */
  readonly backOffMs?: number;
  readonly backOffMaxMs?: number;
  /** Milliseconds between rounds when nothing is left to tell. */
  readonly idleMs?: number;
}

const DEFAULTS = { batchRuns: 100, tries: 5, backOffMs: 500, backOffMaxMs: 30_000, idleMs: 1_000 } as const;

/**
 * Tells a receiver outside of every run, each at least once and those of one log in its order. The cursor moves after the receiver has taken a batch, so a
 * process that dies tells the last batch again. A batch that is not taken is never passed over: its log waits for the next round. Queries know nothing of all
 * this: it reads what is durable already.
 */
export class RunStream {
  private readonly options: Required<RunStreamOptions>;
  private readonly ending = new AbortController();
  private running: Promise<void> | null = null;

  constructor(options: RunStreamOptions) {
    this.options = { ...DEFAULTS, ...options };
  }

  /** Begins to tell, in the background, until `stop`. */
  start(): void {
    this.running ??= this.rounds();
  }

  /** Breaks off what waits and resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.running;
  }

  /** Tells all that is durable now, once. Gives the number of runs that were told, and whether some are left because of a fault. */
  async round(): Promise<{ readonly told: number; readonly left: boolean }> {
    const { cursor, source, name } = this.options;
    const all = { told: 0, left: false };
    const guarded = async (work: () => Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        this.report(`what is to be told could not be read (${faultOf(error)})`);
        all.left = true;
      }
    };
    await guarded(async () => {
      const known = await cursor.cursorOf(name);
      for (const logId of await source.logs())
        await guarded(async () => {
          const one = await this.tellLog(logId, known.get(logId) ?? 0);
          all.told += one.told;
          all.left ||= one.left;
        });
    });
    return all;
  }

  private async rounds(): Promise<void> {
    const { idleMs, backOffMs, backOffMaxMs } = this.options;
    let faults = 0;
    while (!this.ended) {
      const { left } = await this.round();
      faults = left ? faults + 1 : 0;
      await this.pause(left ? Math.max(idleMs, delayOf(faults, backOffMs, backOffMaxMs)) : idleMs);
    }
  }

  private async tellLog(logId: string, from: number): Promise<{ told: number; left: boolean }> {
    const { source, cursor, name, batchRuns } = this.options;
    let next = from;
    let told = 0;
    while (!this.ended) {
      const runs = await source.runsFrom(logId, next, batchRuns);
      const last = runs.at(-1);
      if (!last) return { told, left: false };
      if (!(await this.deliver(runs))) return { told, left: true };
      next = last.record.seq + 1;
      await cursor.advance(name, logId, next);
      told += runs.length;
    }
    return { told, left: true };
  }

  /** True once the receiver has taken the runs. */
  private async deliver(runs: readonly EvidenceRun[]): Promise<boolean> {
    const { deliver, tries, backOffMs, backOffMaxMs } = this.options;
    let fault = '';
    for (let tried = 1; tried <= tries && !this.ended; tried++) {
      try {
        const refusal = await deliver(runs, this.ending.signal);
        if (refusal === null) return true;
        fault = refusal;
      } catch (error) {
        fault = `no answer (${faultOf(error)})`;
      }
      if (tried < tries) await this.pause(delayOf(tried, backOffMs, backOffMaxMs));
    }
    if (!this.ended) this.report(`the endpoint did not take ${runs.length} runs: ${fault}; they are kept for the next round`);
    return false;
  }

  private async pause(ms: number): Promise<void> {
    // Broken off by the end, which the loops look at themselves.
    await sleep(ms, undefined, { signal: this.ending.signal }).catch(() => undefined);
  }

  /** Read anew each time: it changes while something is waited for. */
  private get ended(): boolean {
    return this.ending.signal.aborted;
  }

  private report(what: string): void {
    this.options.log(`evidence feed ${this.options.name}: ${what}`);
  }
}

const delayOf = (tried: number, first: number, most: number): number => Math.min(first * 2 ** (tried - 1), most);

/** A code such as ECONNREFUSED; what an endpoint or a driver says besides may name hosts. */
function faultOf(error: unknown): string {
  const causes = [error, error instanceof Error ? error.cause : undefined];
  for (const each of causes) {
    const code: unknown = each instanceof Error && 'code' in each ? each.code : undefined;
    if (typeof code === 'string' && /^[A-Z0-9_]{2,40}$/.test(code)) return code;
  }
  return 'unknown fault';
}

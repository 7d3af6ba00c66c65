import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

const WAIT_MS_MIN = 100;
const WAIT_MS_MAX = 2_000;
/** A server that ran so long had started well; the next one is not waited for longer than the first. */
const STEADY_MS = 3_000;

interface Started {
  readonly child: ChildProcess;
  readonly watcher: ChildProcess | undefined;
}

export interface SupervisedOptions<S extends Started> {
  /** Starts the server anew where it was; undefined when another process has done so by now. */
  readonly again: () => Promise<S | undefined>;
  readonly stop: (server: S) => Promise<void>;
  readonly log: (line: string) => void;
}

/**
 * A server that is started again when it ends by itself: killed, out of memory, or unable to recover while the disk was full. Whoever is connected
 * loses his connections and finds the new server at the same address. It is tried until `stop`, ever more slowly, up to once in 2 s.
 */
export class Supervised<S extends Started> {
  private readonly stopping = new AbortController();
  private stopped: Promise<void> | undefined;
  private restarting: Promise<void> = Promise.resolve();
  private waitMs = WAIT_MS_MIN;
  private said = '';

  constructor(
    private server: S | undefined,
    private readonly options: SupervisedOptions<S>,
  ) {
    if (server) this.watch(server);
  }

  stop(): Promise<void> {
    this.stopping.abort();
    return (this.stopped ??= this.end());
  }

  private async end(): Promise<void> {
    await this.restarting;
    if (this.server) await this.options.stop(this.server);
  }

  private watch(server: S): void {
    const since = performance.now();
    const ended = (): void => {
      server.watcher?.kill('SIGKILL');
      if (this.stopping.signal.aborted || this.server !== server) return;
      this.server = undefined;
      if (performance.now() - since > STEADY_MS) this.waitMs = WAIT_MS_MIN;
      this.options.log('The database ended unexpectedly and is started again; see postgres.log in the data folder.');
      this.restarting = this.restart();
    };
    if (server.child.exitCode !== null || server.child.signalCode !== null) ended();
    else server.child.once('exit', ended);
  }

  private async restart(): Promise<void> {
    for (;;) {
      await sleep(this.waitMs, undefined, { ref: false, signal: this.stopping.signal }).catch(() => undefined);
      this.waitMs = Math.min(this.waitMs * 2, WAIT_MS_MAX);
      if (this.stopping.signal.aborted) return;
      try {
        this.server = await this.options.again();
        this.said = '';
        this.options.log('The database runs again.');
        if (this.server) this.watch(this.server);
        return;
      } catch (error) {
        this.tell(error instanceof Error ? error.message : 'The database could not be started.');
      }
    }
  }

  /** Each reason is told once, however often it is met in a row. */
  private tell(reason: string): void {
    if (reason !== this.said) this.options.log(`${reason} It is tried again.`);
    this.said = reason;
  }
}

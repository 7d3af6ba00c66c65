import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FileEvent } from './synced-files.js';

export type ToChild =
  | {
      readonly kind: 'open';
      readonly home: string;
      readonly databaseUrl?: string;
      /** A fixed present; the clock of the machine where it is absent. */
      readonly now?: number;
      readonly serves: boolean;
      /** Tells what is made durable in the data folder. */
      readonly journal: boolean;
    }
  | { readonly kind: 'ingest'; readonly paths: readonly string[] };

export type FromChild =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'ready'; readonly url: string }
  | { readonly kind: 'loaded'; readonly path: string; readonly status: string; readonly records: number }
  | { readonly kind: 'ingested'; readonly records: number }
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'file'; readonly event: FileEvent };

/** Left behind on purpose: it holds nothing but code of this checkout, by its digest. */
const SOURCES = path.join(tmpdir(), 'thalamus-chaos-sources');

/** A mesh in a process of its own. */
export class MeshProcess {
  readonly logged: string[] = [];
  readonly ended: Promise<void>;
  private readonly loaded: Promise<void>;
  private readonly listeners = new Set<(message: FromChild) => void>();

  constructor(private readonly child: ChildProcess) {
    this.ended = once(child, 'exit').then(() => undefined);
    this.loaded = this.next('waiting').then(() => undefined);
    this.loaded.catch(() => undefined);
    child.on('message', (message: FromChild) => {
      if (message.kind === 'log') this.logged.push(message.line);
      for (const each of this.listeners) each(message);
    });
  }

  static spawn(): MeshProcess {
    const child = fork(path.resolve(__dirname, 'mesh-child.ts'), [], {
      execArgv: ['-r', path.resolve(__dirname, 'cached-sources.js')],
      env: { ...process.env, CHAOS_SOURCES: SOURCES },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    return new MeshProcess(child);
  }

  on(listener: (message: FromChild) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Resolves once the code of the process is loaded. */
  ready(): Promise<void> {
    return this.loaded;
  }

  /** Opens the mesh; gives the address of its gateway. */
  async open(order: Omit<Extract<ToChild, { kind: 'open' }>, 'kind'>): Promise<string> {
    await this.loaded;
    const opened = this.next('ready');
    this.child.send({ kind: 'open', ...order });
    return (await opened).url;
  }

  /** Resolves with the number of records, or with null where the process failed or was killed. */
  async ingest(paths: readonly string[]): Promise<number | null> {
    const done = this.next('ingested');
    this.child.send({ kind: 'ingest', paths }, () => undefined);
    return done.then(
      ({ records }) => records,
      () => null,
    );
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  private next<K extends FromChild['kind']>(kind: K): Promise<Extract<FromChild, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const off = this.on((message) => {
        if (message.kind === 'failed') reject(new Error(message.code));
        else if (message.kind === kind) resolve(message as Extract<FromChild, { kind: K }>);
        else return;
        off();
      });
      void this.ended.then(() => {
        off();
        reject(new Error('the process ended'));
      });
    });
  }
}

/** Always one process whose code is loaded: what is measured after a kill is the restart of the mesh, not the loading of sources. */
export class Spares {
  private spare = MeshProcess.spawn();
  private readonly all: MeshProcess[] = [this.spare];

  async take(): Promise<MeshProcess> {
    const taken = this.spare;
    await taken.ready();
    this.spare = MeshProcess.spawn();
    this.all.push(this.spare);
    return taken;
  }

  /** Waits until the next one is loaded, so that its loading disturbs no measurement. */
  settled(): Promise<void> {
    return this.spare.ready();
  }

  async close(): Promise<void> {
    for (const each of this.all) await each.kill();
  }
}

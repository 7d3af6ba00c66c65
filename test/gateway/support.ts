import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMesh, OPERATOR, type Running } from '../../src/cli/wire.js';
import { principalOf } from '../../src/cli/who.js';
import { generateCohort } from '../../src/demo/index.js';
import { signToken, startGateway, type Gateway } from '../../src/gateway/index.js';
import { newUuid } from '../../src/kernel/index.js';
import { ingestPaths } from '../../src/pipeline/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

/** A mesh with data behind a real HTTP server on loopback. */
export interface World {
  readonly running: Running;
  readonly gateway: Gateway;
  readonly database: TestDatabase;
  /** What the operator would read. */
  readonly logged: string[];
  /** Moves the clock of the mesh, in milliseconds. */
  skew: number;
  token(name: string): Promise<string>;
  close(): Promise<void>;
}

/** Opens a mesh with a small synthetic cohort, or without data. */
export async function openWorld({ patients = 40 }: { patients?: number } = {}): Promise<World> {
  const database = await createDatabase();
  const home = await mkdtemp(join(tmpdir(), 'thalamus-gateway-'));
  const logged: string[] = [];
  const clock = (): number => Date.now() + world.skew;
  const world = { skew: 0 } as { -readonly [K in keyof World]: World[K] };
  const running = await openMesh({ engine: database.engine, home, log: (line) => logged.push(line), clock });
  if (patients > 0) {
    const outDir = join(home, 'cohort');
    await generateCohort({ patients, seed: 7, outDir, now: Date.now() });
    await ingestPaths([outDir], running.pipeline(OPERATOR));
  }
  const gateway = await startGateway({ mesh: running.mesh, identity: running.identity, host: '127.0.0.1', port: 0, ready: () => Promise.resolve(true) });
  return Object.assign(world, {
    running,
    gateway,
    database,
    logged,
    token: (name: string) => signToken(running.key, { ...principalOf(name) }, clock(), newUuid(clock())),
    async close() {
      await gateway.stop();
      await running.close();
      await database.drop();
      await rm(home, { recursive: true, force: true });
    },
  });
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: {
    readonly data?: Record<string, unknown> | null;
    readonly errors?: readonly { readonly message: string; readonly path?: readonly unknown[]; readonly extensions: { readonly code: string; readonly [name: string]: unknown } }[];
    readonly extensions?: { readonly lineageId: string; readonly receipt?: { readonly logId: string; readonly seq: number } };
  };
}

/** Sends a body to the gateway as it is. */
export async function send(url: string, init: { method?: string; headers?: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> }): Promise<Reply> {
  const response = await fetch(url, { method: 'POST', ...init });
  const text = await response.text();
  let body: Reply['body'] = {};
  try {
    body = JSON.parse(text) as Reply['body'];
  } catch {
    // Some replies are no JSON; their text is what counts.
  }
  return { status: response.status, headers: response.headers, text, body };
}

/** Asks a question as a demo identity, or with a token that is given. */
export async function ask(world: World, who: string, query: string, variables: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<Reply> {
  return send(world.gateway.url, {
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await world.token(who)}`, ...headers },
    body: JSON.stringify({ query, variables }),
  });
}

export const codesOf = (reply: Reply): string[] => (reply.body.errors ?? []).map((error) => error.extensions.code);

/** One column of a statement, as the owner of the database sees it. */
export async function column<T>(world: World, statement: string, values: unknown[] = []): Promise<T[]> {
  const { rows } = await world.running.pools.owner.query<{ value: T }>(statement, values);
  return rows.map((row) => row.value);
}

import { principalOf } from '../../src/cli/who.js';
import { signToken, startGateway, type Gateway } from '../../src/gateway/index.js';
import { newUuid } from '../../src/kernel/index.js';
import { TEST_NOW, openTestMesh, type TestMesh } from '../support/mesh.js';

/** A mesh with data behind a real HTTP server on loopback. */
export interface World {
  readonly running: TestMesh;
  readonly gateway: Gateway;
  /** The clock of the mesh in milliseconds since 1970; a test may move it. */
  now: number;
  token(name: string): Promise<string>;
  close(): Promise<void>;
}

/** The demo cohort behind a gateway of its own. */
export async function openWorld(): Promise<World> {
  const time = { now: TEST_NOW };
  const running = await openTestMesh(() => time.now);
  const gateway = await startGateway({
    mesh: running.mesh,
    identity: running.identity,
    host: '127.0.0.1',
    port: 0,
    ready: () => Promise.resolve(true),
  });
  return Object.assign(time, {
    running,
    gateway,
    token: (name: string) => signToken(running.key, principalOf(name), time.now, newUuid(time.now)),
    async close() {
      await gateway.stop();
      await running.close();
    },
  });
}

interface ReplyError {
  readonly message: string;
  readonly path?: readonly unknown[];
  readonly extensions: { readonly code: string; readonly [name: string]: unknown };
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly ms: number;
  readonly body: {
    readonly data?: Record<string, unknown> | null;
    readonly errors?: readonly ReplyError[];
    readonly extensions?: {
      readonly lineageId: string;
      readonly receipt?: { readonly logId: string; readonly logIndex: number; readonly checkpoint: string };
    };
  };
}

/** Sends a body to the gateway as it is. */
export async function send(
  url: string,
  init: { method?: string; headers?: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> },
): Promise<Reply> {
  const started = performance.now();
  const response = await fetch(url, { method: 'POST', ...init });
  const text = await response.text();
  const ms = performance.now() - started;
  let body: Reply['body'] = {};
  try {
    body = JSON.parse(text) as Reply['body'];
  } catch {
    // Some replies are no JSON; their text is what counts.
  }
  return { status: response.status, headers: response.headers, text, ms, body };
}

/** Asks a question as a demo identity. */
export async function ask(
  world: World,
  who: string,
  query: string,
  variables: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<Reply> {
  return send(world.gateway.url, {
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await world.token(who)}`, ...headers },
    body: JSON.stringify({ query, variables }),
  });
}

export const codesOf = (reply: Reply): string[] => (reply.body.errors ?? []).map((error) => error.extensions.code);

/** A reply without what is different in every run: ids of the run and its place in the log. */
export const withoutRun = (reply: Reply): string =>
  reply.text.replaceAll(/"lineageId":"[^"]*"/g, '"lineageId":""').replaceAll(/"receipt":\{[^}]*\}/g, '"receipt":{}');

/** The column `value` of a statement, as the owner of the database sees it. */
export async function column<T>(world: World, statement: string, values: unknown[] = []): Promise<T[]> {
  const { rows } = await world.running.pools.owner.query<{ value: T }>(statement, values);
  return rows.map((row) => row.value);
}

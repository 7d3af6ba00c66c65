import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Pool } from 'pg';
import { principalOf } from '../../src/cli/who.js';
import { ask as askInProcess, signToken } from '../../src/gateway/index.js';
import { isCoded, newUuid, type Principal } from '../../src/kernel/index.js';
import { column, send, type World } from '../gateway/support.js';
import { TEST_NOW } from '../support/mesh.js';

/** In the text of every fault that is planted; it must not come back in an answer. */
export const PLANTED = 'planted-fault-83b1 password=hunter2 at 10.1.2.3:5432';
export const planted = (code?: string): Error => Object.assign(new Error(PLANTED), code === undefined ? {} : { code });

/** Parts of the running mesh that faults are injected into. */
export const parts = (world: World) => world.running.mesh.parts;
export const pools = (world: World) => world.running.pools;

/** Rows of persons; the statement that sets the wall is another. */
export const ROWS = /^(?!select set_config).*patient/s;

export type Heal = () => unknown;

/** One place where a fault is injected, and what the caller hears. */
export interface Fault {
  readonly name: string;
  readonly inject: (world: World) => Heal | Promise<Heal>;
  /** Code of the refusal; null where the request is answered, but without rows. */
  readonly code: string | null;
  /** How it is asked; by default over HTTP as the clinician. */
  readonly door?: 'http' | 'reference';
  /** Roles that nobody asked with before, so that everything of their class is made under the fault. */
  readonly roles?: readonly string[];
  readonly sites?: readonly string[] | undefined;
  readonly purpose?: string;
  readonly query?: (alias: string) => string;
  /** The very request of the fault is answered too once it is healed. */
  readonly again?: boolean;
  /** False where the log itself is away. */
  readonly recorded?: boolean;
}

export interface Told {
  readonly data: unknown;
  readonly codes: readonly string[];
  readonly text: string;
}

export const PAGE = (alias: string): string => `{ ${alias}: patients(first: 2) { edges { node { id familyName } } } }`;

export async function tell(world: World, fault: Partial<Fault>, alias: string): Promise<Told> {
  const demo = principalOf('clinician');
  const who = {
    ...demo,
    roles: fault.roles ?? demo.roles,
    purpose: fault.purpose ?? demo.purpose,
    sites: 'sites' in fault ? fault.sites : demo.sites,
  } as Principal;
  const query = (fault.query ?? PAGE)(alias);
  if (fault.door === 'reference') return inProcess(world, who, query);
  const token = await signToken(world.running.key, who, TEST_NOW, newUuid(TEST_NOW));
  const { body, text } = await send(world.gateway.url, {
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  });
  return { data: body.data ?? null, codes: (body.errors ?? []).map((error) => error.extensions.code), text };
}

async function inProcess({ running }: World, who: Principal, query: string): Promise<Told> {
  try {
    const answer = await askInProcess(running.mesh, who, { query }, 'reference');
    return { data: answer.data, codes: answer.errors.map((error) => error.code), text: JSON.stringify(answer) };
  } catch (error) {
    if (!isCoded(error)) throw error;
    return { data: null, codes: [error.code], text: `${error.code} ${error.message} ${error.hint}` };
  }
}

/** How many refusals with this code the log holds, or answers where there is no code. */
export async function records(world: World, code: string | null): Promise<number> {
  const [count] = await column<number>(
    world,
    `select count(*)::int as value from audit_log where record::jsonb ->> 'code' is not distinct from $1`,
    [code],
  );
  return count ?? 0;
}

/** A change of the database by its owner, and the one that takes it back. */
export const sql =
  (breaking: string, mending: string): Fault['inject'] =>
  async ({ running }) => {
    await running.pools.owner.query(breaking);
    return () => running.pools.owner.query(mending);
  };

/** Statements of a pool pass through `act` first. */
export function onStatements(pool: Pool, act: Act): Heal {
  const connect = pool.connect.bind(pool) as unknown as (...args: unknown[]) => Promise<object>;
  const lent = async (...args: unknown[]): Promise<object> => {
    const client = await connect(...args);
    return args.length > 0 ? client : new Proxy(client, { get: (target, name) => heard(target, name, act) });
  };
  const lending = jest.spyOn(pool, 'connect').mockImplementation(lent as never);
  // A pool asks for itself by a callback, and never sees a rejected promise.
  const asking = jest.spyOn(pool, 'query').mockImplementation(heard(pool, 'query', act) as never);
  return () => {
    asking.mockRestore();
    lending.mockRestore();
  };
}

type Act = (text: string, run: () => Promise<unknown>) => Promise<unknown>;

function heard(client: object, name: string | symbol, act: Act): unknown {
  const found: unknown = Reflect.get(client, name);
  if (typeof found !== 'function') return found;
  if (name !== 'query') return found.bind(client) as unknown;
  return (statement: string | { text: string }, ...more: unknown[]) =>
    act(typeof statement === 'string' ? statement : statement.text, () => found.call(client, statement, ...more) as Promise<unknown>);
}

/** Statements of the reader or the writer that match fail in the driver. */
export const failing =
  (role: 'reader' | 'writer', statement: RegExp, code?: string): Fault['inject'] =>
  ({ running }) =>
    onStatements(running.pools[role], (text, run) => (statement.test(text) ? Promise.reject(planted(code)) : run()));

/** What a statement gives is changed on its way. */
export const changed =
  (statement: RegExp, change: (rows: Record<string, unknown>[]) => Record<string, unknown>[]): Fault['inject'] =>
  ({ running }) =>
    onStatements(running.pools.reader, async (text, run) => {
      const result = (await run()) as { rows: Record<string, unknown>[] };
      return statement.test(text) ? { ...result, rows: change(result.rows) } : result;
    });

/** The rows of a table cannot be read by anybody until it is healed. */
async function locked(world: World, table: string): Promise<Heal> {
  const client = new Client(world.running.pools.owner.options);
  await client.connect();
  await client.query(`begin; lock table ${table} in access exclusive mode`);
  return async () => {
    await client.query('rollback');
    await client.end();
  };
}

const onReaders = (world: World, where: string): Promise<{ rowCount: number | null }> =>
  world.running.pools.owner.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'thalamus_reader' and ${where}`,
  );

/** A time limit of the database ends the statement, which waits for a table. */
export const timedOut =
  (setting: string, table: string): Fault['inject'] =>
  async (world) => {
    const { owner } = world.running.pools;
    const [name = ''] = await column<string>(world, 'select current_database() as value');
    await owner.query(`alter database "${name}" set ${setting} = '100ms'`);
    await onReaders(world, 'true');
    await untilIdle(world);
    const unlock = await locked(world, table);
    return async () => {
      await unlock();
      await owner.query(`alter database "${name}" reset ${setting}`);
      await onReaders(world, 'true');
      await untilIdle(world);
    };
  };

/** The server ends the connection while its statement runs. */
export const killed: Fault['inject'] = async (world) => {
  const unlock = await locked(world, 'patient');
  const killing = (async () => {
    for (let tries = 0; tries < 500; tries += 1) {
      if ((await onReaders(world, `wait_event_type = 'Lock'`)).rowCount !== 0) return;
      await sleep(5);
    }
  })();
  return async () => {
    await killing;
    await unlock();
    await untilIdle(world);
  };
};

/** Until the pool has noticed which of its connections are gone. */
async function untilIdle({ running }: World): Promise<void> {
  await sleep(30);
  for (let attempt = 0; attempt < 20; attempt += 1) {
    try {
      await running.pools.reader.query('select 1');
      return;
    } catch {
      await sleep(10);
    }
  }
}

/** A method of a real part is replaced for as long as the fault lasts. */
export const replaced =
  <T extends object>(part: (world: World) => T, method: keyof T & string, work: (...args: never[]) => unknown): Fault['inject'] =>
  (world) => {
    const spy = jest.spyOn(part(world) as Record<string, (...args: never[]) => unknown>, method).mockImplementation(work);
    return () => {
      spy.mockRestore();
    };
  };

export const throwing = (): never => {
  throw planted();
};
/** Fails in the way in which it was asked: by promise, or by callback. */
export const rejecting =
  (code?: string) =>
  (...args: unknown[]): Promise<never> | undefined => {
    const callback = args.at(-1);
    if (typeof callback !== 'function') return Promise.reject(planted(code));
    callback(planted(code));
    return undefined;
  };

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, dirname } from 'node:path';
import type { PoolConfig } from 'pg';
import { Client } from 'pg';
import { CodedError, isCoded } from '../../kernel/error.js';
import type { Place } from './account.js';
import { choosePlace, commandAs, openToAll } from './account.js';
import {
  OWNER,
  clusterOf,
  ensureCluster,
  explainFailure,
  privateFolder,
  readPassword,
  serverEnvironment,
  socketFolder,
} from './cluster.js';
import { assertDurable } from './durability.js';
import type { Engine, EngineOptions } from './engine.js';
import { codeOf } from './engine.js';
import type { NativeServer } from './native.js';
import { copyNative, findNative, prepareNative } from './native.js';
import {
  ORPHANS_MS_MAX,
  clearForeignPid,
  clearForeignSocket,
  isAlive,
  readPidFile,
  serversIn,
  waitUntil,
  watchParent,
  worksIn,
} from './postmaster.js';
import { Supervised } from './supervised.js';

const DATABASE = 'thalamus';
const READY_MS_MAX = 600_000;
const REAPED_MS_MAX = 5_000;
const SLOW_MS = 3_000;
const STOP_MS_MAX = 30_000;
const ATTEMPTS_MAX = 5;
const LOG_BYTES_MAX = 10_000_000;
const LOG_TAIL_CHARACTERS = 4_000;

/** For a machine of 2 cores and 2 GB that does other work too. Error texts stay terse: a DETAIL line would hold values from the data. */
const SETTINGS: Readonly<Record<string, string>> = {
  shared_buffers: '128MB',
  maintenance_work_mem: '64MB',
  effective_cache_size: '512MB',
  max_wal_size: '512MB',
  wal_compression: 'pglz',
  // A recycled segment keeps the rows that it told of, and an erasure has to take those away.
  wal_recycle: 'off',
  max_connections: '60',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  password_encryption: 'scram-sha-256',
  TimeZone: 'UTC',
  log_timezone: 'UTC',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  unix_socket_permissions: '0700',
};

/** What a start gave: a server of ours, or one that already ran. */
interface Outcome {
  readonly config: PoolConfig;
  readonly own?: OwnServer;
}

interface OwnServer {
  readonly child: ChildProcess;
  readonly watcher: ChildProcess | undefined;
}

/**
 * Starts the Postgres that came with the packages, or joins the one that already serves this data folder
 * (spec/pipelines.md P41-P46). Unix socket in a private folder, else loopback. Whoever started the server stops it.
 */
export async function startEmbedded(options: EngineOptions): Promise<Engine> {
  try {
    const place = choosePlace(options.dataDir, options.machine);
    const native = settleIn(place, options);
    await ensureCluster(place, native, options.log);
    const outcome = await startOrJoin(place, native, options.log);
    try {
      await ensureDatabase(outcome.config);
      await assertDurable(outcome.config);
    } catch (error) {
      await stopServer(outcome.own);
      throw error;
    }
    const { config, own } = outcome;
    const again = async (): Promise<OwnServer | undefined> => (await startOrJoin(place, native, options.log, config.port)).own;
    const server = own === undefined ? undefined : new Supervised(own, { again, stop: stopServer, log: options.log });
    return { name: 'embedded', ownerUrl: () => ({ ...config }), stop: () => server?.stop() ?? Promise.resolve() };
  } catch (error) {
    if (isCoded(error)) throw error;
    throw explainFailure(String(error), 'The database could not be started');
  }
}

/** Makes the folders and gives the server's programs in a place where the account can reach them. */
function settleIn(place: Place, options: EngineOptions): NativeServer {
  const asOther = place.account.kind === 'user' && process.getuid?.() === 0;
  mkdirSync(options.dataDir, { recursive: true, mode: asOther ? 0o711 : 0o700 });
  if (asOther) mkdirSync(dirname(place.folder), { recursive: true, mode: 0o711 });
  privateFolder(place.folder, place);
  const installed = options.nativeDir ?? findNative();
  const folder = asOther && !openToAll(join(installed, 'bin')) ? copyNative(installed, dirname(place.folder)) : installed;
  // Some caches and archives lose the executable bit.
  for (const name of ['initdb', 'postgres']) {
    const program = join(folder, 'bin', name);
    if (existsSync(program) && (statSync(program).mode & 0o111) === 0) chmodSync(program, 0o755);
  }
  return prepareNative(folder, join(place.folder, 'lib'));
}

async function startOrJoin(place: Place, native: NativeServer, log: (line: string) => void, portBefore?: number): Promise<Outcome> {
  const cluster = clusterOf(place);
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const running = await joinRunning(cluster, log);
    if (running) return { config: running };
    await clearForeignPid(cluster, log);
    if (existsSync(join(cluster, 'postmaster.pid'))) {
      log('The database was not stopped in order; it recovers from its log.');
      await waitUntil(() => serversIn(cluster).length === 0, ORPHANS_MS_MAX);
    }
    const started = await startServer(place, native, log, portBefore);
    if (started) return started;
  }
  throw new CodedError(
    'DATABASE_UNAVAILABLE',
    'The database could not be started: another process keeps starting it in the same data folder.',
  );
}

/** The connection to a server that already serves the cluster; undefined when none does. */
async function joinRunning(cluster: string, log: (line: string) => void): Promise<PoolConfig | undefined> {
  const first = readPidFile(cluster);
  if (first === undefined || !isAlive(first.pid) || !worksIn(first.pid, cluster)) return undefined;
  const settled = await waitUntil(() => {
    const now = readPidFile(cluster);
    return now?.pid !== first.pid || !isAlive(first.pid) || now.status === 'ready';
  }, READY_MS_MAX);
  if (!settled)
    throw new CodedError(
      'DATABASE_UNAVAILABLE',
      `The database of this data folder runs as process ${String(first.pid)} but does not become ready.`,
    );
  const now = readPidFile(cluster);
  if (now?.status !== 'ready' || !isAlive(now.pid)) return undefined;
  const config = connection(cluster, now.host, now.port);
  // A server that was killed a moment ago still counts as a process until it is reaped.
  if (!(await answers(config)) && (await waitUntil(() => !isAlive(now.pid), REAPED_MS_MAX))) return undefined;
  log('The database of this data folder already runs; it is shared.');
  return config;
}

/** Whether a server is behind the connection; one that refuses the login or the database is. */
async function answers(config: PoolConfig): Promise<boolean> {
  const client = new Client(config);
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    return /^(?=.*\d)[0-9A-Z]{5}$/.test(codeOf(error) ?? '');
  } finally {
    await client.end().catch(() => undefined);
  }
}

function connection(cluster: string, host: string, port: number): PoolConfig {
  return { host, port, user: OWNER, password: readPassword(cluster), database: DATABASE, application_name: 'thalamus', ssl: false };
}

async function startServer(
  place: Place,
  native: NativeServer,
  log: (line: string) => void,
  portBefore?: number,
): Promise<Outcome | undefined> {
  const cluster = clusterOf(place);
  const socket = socketFolder(place);
  const port = portBefore ?? (socket === undefined ? await freePort() : 5432);
  const listen =
    socket === undefined
      ? { listen_addresses: '127.0.0.1', unix_socket_directories: '' }
      : { listen_addresses: '', unix_socket_directories: socket };
  const settings = Object.entries({ ...SETTINGS, ...listen }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = commandAs(place.account, join(native.folder, 'bin', 'postgres'), ['-D', cluster, '-p', String(port), ...settings]);
  if (socket !== undefined) clearForeignSocket(socket, port, cluster);
  const output = openLog(place);
  let failure: string | undefined;
  // A session of its own: Ctrl-C in the terminal reaches us alone, and we stop the server after the last write.
  const child = spawn(command.file, command.args, {
    cwd: place.folder,
    env: serverEnvironment(native),
    stdio: ['ignore', output.handle, output.handle],
    detached: true,
    ...command.identity,
  });
  closeSync(output.handle);
  child.unref();
  const watcher = child.pid === undefined ? undefined : watchParent(child.pid, cluster);
  child.on('error', (error) => (failure = String(error)));
  child.on('exit', (status, signal) => (failure ??= `ended with ${String(status ?? signal)}`));
  const ready = (): boolean => {
    const found = readPidFile(cluster);
    return failure !== undefined || (found?.pid === child.pid && found?.status === 'ready');
  };
  if (!(await waitUntil(ready, SLOW_MS))) {
    log('The database takes long to start: it recovers or the disk is slow.');
    if (!(await waitUntil(ready, READY_MS_MAX))) failure = 'not ready in time';
  }
  if (failure === undefined) return { config: connection(cluster, socket ?? '127.0.0.1', port), own: { child, watcher } };
  await stopServer({ child, watcher });
  const said = `${readFileSync(output.path).subarray(output.start).toString().slice(-LOG_TAIL_CHARACTERS)}\n${failure}`;
  // Lost a race for the cluster or the port, or the last server's helpers still hold its memory: look again.
  if (/lock file "[^"]+" already exists|is still in use|Address already in use|could not create any TCP/.test(said)) return undefined;
  throw explainFailure(said, 'The database could not be started');
}

function openLog(place: Place): { path: string; handle: number; start: number } {
  const path = join(place.folder, 'postgres.log');
  const handle = openSync(path, 'a', 0o600);
  if (statSync(path).size > LOG_BYTES_MAX) truncateSync(path);
  return { path, handle, start: statSync(path).size };
}

async function stopServer(own: OwnServer | undefined): Promise<void> {
  if (own === undefined) return;
  const { child, watcher } = own;
  watcher?.kill('SIGKILL');
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  if (child.pid === undefined) return;
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    if (ended()) return;
    child.kill(signal);
    if (await waitUntil(ended, STOP_MS_MAX)) return;
  }
  throw new CodedError('DATABASE_UNAVAILABLE', `The database does not stop; process ${String(child.pid)} is left.`);
}

/** Makes the product's database when it is absent; two starts may do so at once. */
async function ensureDatabase(config: PoolConfig): Promise<void> {
  const probe = new Client(config);
  probe.on('error', () => undefined);
  try {
    await probe.connect();
    return;
  } catch (error) {
    if (codeOf(error) !== '3D000') throw error;
  } finally {
    await probe.end().catch(() => undefined);
  }
  const client = new Client({ ...config, database: 'postgres' });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(`create database ${DATABASE}`);
  } catch (error) {
    if (!['42P04', '23505'].includes(codeOf(error) ?? '')) throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        done(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  });
}

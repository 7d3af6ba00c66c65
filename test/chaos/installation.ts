import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, escapeIdentifier, type PoolConfig } from 'pg';
import { OPERATOR, openMesh, type Running } from '../../src/cli/wire.js';
import { generateCohort } from '../../src/demo/index.js';
import { ingestPaths } from '../../src/pipeline/index.js';
import { OWNER, readPassword } from '../../src/store/engines/cluster.js';
import type { Engine } from '../../src/store/engines/engine.js';
import { readPidFile, serversIn, waitUntil } from '../../src/store/engines/postmaster.js';
import { startEngine } from '../../src/store/engines/start.js';
import { contentOf, type Content } from './content.js';

/** The fixed present of loads, so that two loads give equal rows. */
export const LOADED_AT = Date.parse('2026-06-01T00:00:00Z');
const MIGRATED = 'thalamus_migrated';
const GONE_MS_MAX = 10_000;

/** A folder with the demo cohort loaded into its own database, stopped in order; experiments work on copies of it. */
export interface Base {
  readonly folder: string;
  readonly cohort: string;
  /** What a load without kills gives. */
  readonly content: Content;
  remove(): void;
}

export async function makeBase(seed: number, patients = 16): Promise<Base> {
  const folder = mkdtempSync(path.join(tmpdir(), 'chaos-'));
  const home = path.join(folder, 'home');
  const cohort = path.join(folder, 'cohort');
  await generateCohort({ patients, seed, outDir: cohort, now: LOADED_AT });
  const engine = await engineOf(home);
  const migrated = await openMesh({ home, engine });
  await migrated.close();
  await cloneDatabase(engine.ownerUrl(), String(engine.ownerUrl().database), MIGRATED);
  const running = await openMesh({ home, engine, clock: () => LOADED_AT });
  await ingestPaths([cohort], running.pipeline(OPERATOR));
  await running.close();
  const content = await contentOf(engine.ownerUrl());
  await engine.stop();
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  return { folder: home, cohort, content, remove };
}

export const engineOf = (home: string): Promise<Engine> => {
  mkdirSync(home, { recursive: true });
  return startEngine({ kind: 'embedded', dataDir: path.join(home, 'database'), log: () => undefined });
};

export const clusterIn = (home: string): string => path.join(home, 'database', 'postgres');

/** How the owner connects to the server that runs in a folder. */
export function ownerOf(home: string): PoolConfig {
  const cluster = clusterIn(home);
  const found = readPidFile(cluster);
  return { host: found?.host ?? '', port: found?.port ?? 0, user: OWNER, password: readPassword(cluster), database: 'thalamus' };
}

/** A copy of the base with a server of its own where `work` is done; all of it is removed afterwards. */
export async function inCopy<T>(base: Base, work: (home: string) => Promise<T>): Promise<T> {
  const home = mkdtempSync(path.join(tmpdir(), 'chaos-run-'));
  try {
    cpSync(base.folder, home, { recursive: true });
    return await work(home);
  } finally {
    await killServer(home);
    rmSync(home, { recursive: true, force: true });
  }
}

/** Processes of the server stop at once and for good: none does anything between the death of the first and of the last. */
export async function killServer(home: string, also: () => Promise<void> = () => Promise.resolve()): Promise<void> {
  const cluster = clusterIn(home);
  const pids = [readPidFile(cluster)?.pid ?? 0, ...serversIn(cluster)].filter((pid) => pid > 0 && serversIn(cluster).includes(pid));
  for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of pids) send(pid, signal);
  await also();
  await waitUntil(() => !serversIn(cluster).some((pid) => pids.includes(pid)), GONE_MS_MAX);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

export async function cloneDatabase(server: PoolConfig, from: string, to: string): Promise<void> {
  await onServer({ ...server, database: 'postgres' }, `create database ${escapeIdentifier(to)} template ${escapeIdentifier(from)}`);
}

/** A database of migrated tables without rows. */
export async function emptyDatabase(server: PoolConfig, name: string): Promise<PoolConfig> {
  await cloneDatabase(server, MIGRATED, name);
  return { ...server, database: name };
}

export function dropDatabase(server: PoolConfig, name: string): Promise<void> {
  return onServer({ ...server, database: 'postgres' }, `drop database if exists ${escapeIdentifier(name)} with (force)`);
}

async function onServer(config: PoolConfig, statement: string): Promise<void> {
  await withClient(config, (client) => client.query(statement));
}

export async function withClient<T>(config: PoolConfig, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(config);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The connection as a URL, for a child. */
export function urlOf(config: PoolConfig): string {
  const url = new URL('postgres://localhost');
  url.username = config.user ?? '';
  url.password = typeof config.password === 'string' ? config.password : '';
  url.pathname = `/${config.database ?? ''}`;
  url.searchParams.set('host', config.host ?? '');
  url.searchParams.set('port', String(config.port));
  return url.href;
}

/** Opens the mesh of a folder in this process, after all faults, to look at what is left. */
export async function inspect<T>(home: string, work: (running: Running) => Promise<T>, databaseUrl?: string): Promise<T> {
  const running = await openMesh({ home, ...(databaseUrl === undefined ? {} : { databaseUrl }) });
  try {
    return await work(running);
  } finally {
    await running.close();
  }
}

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from './engine.js';

/** The lines of postmaster.pid that matter here (Postgres `miscadmin.h`, LOCK_FILE_LINE_*). */
export interface PidFile {
  readonly pid: number;
  readonly port: number;
  /** Folder of the Unix socket, or the loopback address when there is none. */
  readonly host: string;
  readonly status: string;
}

const POLL_MS = 10;
/** How long the helpers of a killed server may take to end. */
export const ORPHANS_MS_MAX = 10_000;

export function readPidFile(cluster: string): PidFile | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const [pid, , , port, socket, address, , status] = lines;
  if (pid === undefined || !/^-?\d+$/.test(pid)) return undefined;
  const host = socket === undefined || socket === '' ? (address ?? '') : socket;
  return { pid: Math.abs(Number(pid)), port: Number(port ?? 0), host, status: (status ?? '').trim() };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * Whether the process works in this cluster: every process of a server has its cluster as working folder.
 * A process whose folder is hidden from us is another user's, and so no server that we could share.
 */
export function worksIn(pid: number, cluster: string): boolean {
  if (existsSync('/proc/self')) return worksInFolder(pid, realpathSync(cluster));
  const listed = spawnSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' });
  return listed.stdout.includes('postgres');
}

/**
 * Clears a pid file whose number now belongs to a process that is no server of this cluster: after a power cut,
 * and in containers nearly always, numbers repeat and Postgres would refuse to start. A number that no process has
 * is left to Postgres, which checks the shared memory as well.
 */
export async function clearForeignPid(cluster: string, log: (line: string) => void): Promise<void> {
  const found = readPidFile(cluster);
  if (found === undefined || !isAlive(found.pid) || worksIn(found.pid, cluster)) return;
  log('A stale postmaster.pid names a process that is not the database; it is removed.');
  if (await waitUntil(() => serversIn(cluster).length === 0, ORPHANS_MS_MAX)) rmSync(join(cluster, 'postmaster.pid'), { force: true });
}

/**
 * The same for the lock of the socket, which outlives a power cut beside the socket: Postgres refuses to start while any process has its number,
 * be it one that ended and was not reaped. The folder is the cluster's own, so a number of no server of it is of nobody.
 */
export function clearForeignSocket(folder: string, port: number, cluster: string): void {
  const socket = join(folder, `.s.PGSQL.${String(port)}`);
  let pid: number;
  try {
    pid = Number(readFileSync(`${socket}.lock`, 'utf8').split('\n', 1)[0]);
  } catch {
    return;
  }
  if (isAlive(pid) && worksIn(pid, cluster)) return;
  rmSync(socket, { force: true });
  rmSync(`${socket}.lock`, { force: true });
}

/** Processes left in the cluster after their postmaster was killed; they end by themselves within moments. */
export function serversIn(cluster: string): number[] {
  if (!existsSync('/proc/self')) return [];
  const folder = realpathSync(cluster);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => pid !== process.pid && worksInFolder(pid, folder));
}

function worksInFolder(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${String(pid)}/cwd`) === folder;
  } catch {
    return false;
  }
}

/**
 * A shell that ends the server when this process goes away without doing so, even by SIGKILL: it waits on a pipe
 * that only we hold. It compares the pid file first, so that it never ends another process of the same number.
 */
export function watchParent(pid: number, cluster: string): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  const script = 'read -r _; read -r p < "$1/postmaster.pid" && [ "$p" = "$0" ] && kill -INT "$0"';
  const watcher = spawn('/bin/sh', ['-c', script, String(pid), cluster], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  watcher.on('error', () => undefined);
  watcher.stdin.on('error', () => undefined);
  watcher.unref();
  (watcher.stdin as Socket).unref();
  return watcher;
}

/** Waits until the condition holds; false when `ms` passed before. */
export async function waitUntil(condition: () => boolean, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) return false;
    await sleep(POLL_MS);
  }
  return true;
}

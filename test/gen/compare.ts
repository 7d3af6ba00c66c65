import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';

/** Files that lie where only generated files may lie. */
export async function ownedBefore(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const folder of ['schema', 'docs/policy', 'test/operations/generated']) {
    // Folders below hold what is written by hand.
    const entries = await readdir(path.join(root, folder), { withFileTypes: true }).catch(() => []);
    found.push(...entries.filter((entry) => entry.isFile()).map((entry) => `${folder}/${entry.name}`));
  }
  return found;
}

/** Names of the files that differ, are missing, or that nothing makes any more. */
export async function differences(root: string, made: ReadonlyMap<string, string>): Promise<string[]> {
  const found: string[] = [];
  for (const [file, text] of made) {
    const at = path.join(root, file);
    if (!existsSync(at)) found.push(`${file} is missing`);
    else if ((await readFile(at, 'utf8')) !== text) found.push(`${file} differs`);
  }
  for (const file of await ownedBefore(root)) if (!made.has(file)) found.push(`${file} is made by nothing`);
  return found;
}

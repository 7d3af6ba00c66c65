/**
 * `npm run gen` writes every generated artefact; `npm run gen:check` compares them byte by byte; `npm run policy:matrix` writes those of
 * policy alone. No database is needed.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { artefacts } from './artefacts.js';
import { differences, ownedBefore } from './compare.js';
import { policyPages } from './policy-pages.js';
import { printProduct } from './print-product.js';

const root = path.resolve(__dirname, '..', '..');
const [word, name] = process.argv.slice(2);

async function write(made: ReadonlyMap<string, string>, owned: readonly string[]): Promise<void> {
  for (const file of owned) if (!made.has(file)) await rm(path.join(root, file));
  for (const [file, text] of made) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), text);
  }
  process.stdout.write(`Wrote ${made.size} files.\n`);
}

async function main(): Promise<number> {
  if (word === '--print') {
    process.stdout.write(await printProduct(name ?? ''));
    return 0;
  }
  if (word === '--policy') {
    await write(await policyPages(), []);
    return 0;
  }
  const made = await artefacts(root);
  if (word !== '--check') {
    await write(made, await ownedBefore(root));
    return 0;
  }
  const found = await differences(root, made);
  for (const each of found) process.stdout.write(`${each}\n`);
  process.stdout.write(
    found.length === 0 ? `All ${made.size} generated files are as made.\n` : 'Run npm run gen and look at what changed.\n',
  );
  return found.length === 0 ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 2;
  },
);

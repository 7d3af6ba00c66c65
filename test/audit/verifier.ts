import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Receipt } from '../../src/evidence/index.js';

const VERIFIER = path.resolve(__dirname, '../../bin/audit-verify.mjs');

/** What the verifier is told beside the directory: texts of files, and receipts. */
export interface Given {
  readonly keys: readonly string[];
  readonly witnesses: readonly string[];
  readonly checkpoints: readonly string[];
  readonly receipts: readonly Receipt[];
  readonly strict?: boolean;
}

export interface Finding {
  readonly log: string;
  readonly index: number;
  readonly class: string;
  readonly detail: string;
}

export interface Verdict {
  readonly ok: boolean;
  readonly records: number;
  readonly findings: readonly Finding[];
}

/** The verifier's own function, in this process. */
export function loadVerifier(): { readonly verify: (dir: string, given: Given) => Verdict; readonly CLASSES: readonly string[] } {
  return createRequire(__filename)(VERIFIER) as ReturnType<typeof loadVerifier>;
}

export async function verifierLines(): Promise<number> {
  return (await readFile(VERIFIER, 'utf8')).split('\n').length - 1;
}

const run = (args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> =>
  new Promise((resolve, reject) => {
    execFile(process.execPath, [VERIFIER, ...args], { maxBuffer: 1 << 26 }, (error, out, err) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === 'number') resolve({ code, out, err });
      else reject(error instanceof Error ? error : new Error('the verifier was not run'));
    });
  });

/** The verifier as its user runs it: a process of its own, files and options. */
export async function runVerifier(
  dir: string,
  given: Given,
  ...more: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const files = await mkdtemp(path.join(tmpdir(), 'audit-given-'));
  try {
    const file = async (name: string, text: string): Promise<string> => {
      await writeFile(path.join(files, name), text);
      return path.join(files, name);
    };
    const args = [dir, '--key', await file('keys', given.keys.join('\n'))];
    if (given.witnesses.length > 0) args.push('--witness', await file('witnesses', given.witnesses.join('\n')));
    if (given.checkpoints.length > 0) args.push('--checkpoints', await file('checkpoints', given.checkpoints.join('\n')));
    if (given.receipts.length > 0)
      args.push('--receipts', await file('receipts', given.receipts.map((each) => JSON.stringify(each)).join('\n')));
    return await run([...args, ...(given.strict ? ['--strict'] : []), ...more]);
  } finally {
    await rm(files, { recursive: true, force: true });
  }
}

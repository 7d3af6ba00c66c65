import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RuleCheck } from '../../src/evidence/index.js';

const root = path.resolve(__dirname, '../..');

export type Outcome = 'passed' | 'failed' | 'skipped' | 'missing';

/** Whether a check is there: a test of that name in that file, or a command of package.json. */
export function resolves(check: RuleCheck): boolean {
  try {
    if ('command' in check) {
      const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
      return Object.hasOwn(scripts, check.command);
    }
    const source = readFileSync(path.join(root, check.file), 'utf8');
    const title = check.test.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/'/g, "\\\\?'");
    return new RegExp(`\\b(?:it|test)\\(\\s*(['"\`])${title}\\1`).test(source);
  } catch {
    return false;
  }
}

export const keyOf = (check: RuleCheck): string => ('command' in check ? `npm run ${check.command}` : `${check.file} ${check.test}`);

/** Runs checks, each test file once, and tells how each ended. Commands are run too. */
export async function runChecks(checks: readonly RuleCheck[]): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>(checks.map((check) => [keyOf(check), 'missing']));
  const tests = checks.flatMap((check) => ('command' in check ? [] : [check]));
  for (const file of new Set(tests.map((check) => check.file))) {
    const titles = new Set(tests.filter((check) => check.file === file).map((check) => check.test));
    for (const { title, status } of await runFile(file, [...titles])) {
      const key = keyOf({ file, test: title });
      // A name that two tests bear stands for both: one that fails fails it.
      if (titles.has(title) && outcomes.get(key) !== 'failed') outcomes.set(key, status);
    }
  }
  for (const check of checks) {
    const known = outcomes.get(keyOf(check));
    if ('command' in check && known === 'missing' && resolves(check))
      outcomes.set(keyOf(check), (await exitOf('npm', ['run', '--silent', check.command])) === 0 ? 'passed' : 'failed');
  }
  return outcomes;
}

interface Report {
  readonly testResults: readonly { readonly assertionResults: readonly { readonly title: string; readonly status: string }[] }[];
}

async function runFile(file: string, titles: readonly string[]): Promise<{ title: string; status: Outcome }[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'rules-'));
  const output = path.join(folder, 'report.json');
  const pattern = `(^| )(${titles.map((title) => title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})$`;
  try {
    await exitOf(process.execPath, [
      'node_modules/jest/bin/jest.js',
      '--runTestsByPath',
      file,
      '-t',
      pattern,
      '--json',
      '--outputFile',
      output,
    ]);
    const { testResults } = JSON.parse(readFileSync(output, 'utf8')) as Report;
    return testResults.flatMap(({ assertionResults }) =>
      assertionResults.map(({ title, status }) => ({ title, status: status === 'passed' || status === 'failed' ? status : 'skipped' })),
    );
  } catch {
    return [];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const exitOf = (command: string, args: readonly string[]): Promise<number> =>
  new Promise((resolve) => {
    execFile(command, args, { cwd: root, maxBuffer: 1 << 26 }, (error) => {
      resolve(error === null ? 0 : typeof error.code === 'number' ? error.code : 1);
    });
  });

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { median, rounded, type Scenario } from '../scenario.js';

const ROOT = path.resolve(__dirname, '../../..');

/** The line under the first governed answer: its lineage id and its place in the audit log. */
const ANSWERED = /^lineage \S+ · audit record \d+/m;
const COHORT = /demo cohort of (\d+) invented persons/;

/** Settings of the caller that would make the start another one than that of a fresh clone. */
const NOT_INHERITED = ['DATABASE_URL', 'OIDC_ISSUER', 'OIDC_JWKS_URL', 'OIDC_AUDIENCE', 'OIDC_STEP_UP_ACR', 'TRUST_PROXY_TLS', 'HOST'];

function environment(home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !NOT_INHERITED.includes(name) && !name.startsWith('npm_'));
  return { ...Object.fromEntries(kept), THALAMUS_HOME: home, PORT: '0' };
}

interface Start {
  readonly answer_s: number;
  /** Persons that this start wrote and loaded; null where they were there. */
  readonly patients: number | null;
}

/** Runs `npm start` until it has printed a governed answer and stopped again. */
function start(checkout: string, home: string, log: (line: string) => void): Promise<Start> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    let answered: number | null = null;
    let [out, said] = ['', ''];
    const child = spawn('npm', ['start', '--', '--once'], { cwd: checkout, env: environment(home), stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (answered === null && ANSWERED.test(out)) answered = (performance.now() - began) / 1000;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      log(`  npm start ended with ${status ?? 'a signal'} after ${((performance.now() - began) / 1000).toFixed(1)} s`);
      if (status !== 0 || answered === null) reject(new Error(`npm start gave no governed answer:\n${said.slice(-2_000)}`));
      else resolve({ answer_s: answered, patients: COHORT.test(said) ? Number(COHORT.exec(said)?.[1]) : null });
    });
  });
}

function must(command: string, args: readonly string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
  if (error !== undefined || status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr.slice(-2_000)}`);
}

/** The last commit of this checkout, as a fresh clone has it, and how long `npm ci` takes in it, in seconds. */
function install(checkout: string, log: (line: string) => void): number {
  const packed = `${checkout}.tar`;
  must('git', ['archive', '--output', packed, 'HEAD'], ROOT);
  mkdirSync(checkout);
  must('tar', ['-xf', packed, '-C', checkout], ROOT);
  rmSync(packed);
  const began = performance.now();
  must('npm', ['ci', '--no-audit', '--no-fund'], checkout);
  const seconds = (performance.now() - began) / 1000;
  log(`  npm ci took ${seconds.toFixed(1)} s`);
  return seconds;
}

/**
 * The way of a newcomer: `npm ci` in a copy of the last commit, `npm start` with an empty data folder to the first governed answer, and the
 * same again with the data there. All in seconds; the compile of a fresh clone is part of the first start.
 */
export const scenario: Scenario = {
  about: 'install, first and second start to a governed answer',
  async run({ runs, install: wanted, log }) {
    const installs: number[] = [];
    const first: number[] = [];
    const warm: number[] = [];
    let patients: number | null = null;
    for (let run = 1; run <= runs; run += 1) {
      const folder = mkdtempSync(path.join(tmpdir(), 'thalamus-bench-start-'));
      try {
        log(`run ${run} of ${runs}`);
        const checkout = wanted ? path.join(folder, 'checkout') : ROOT;
        if (wanted) installs.push(install(checkout, log));
        const home = path.join(folder, 'home');
        const cold = await start(checkout, home, log);
        first.push(cold.answer_s);
        patients = cold.patients;
        warm.push((await start(checkout, home, log)).answer_s);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
    const figures = { install_s: rounded(median(installs)), first_answer_s: rounded(median(first)), warm_start_s: rounded(median(warm)) };
    return { ...figures, demo_patients: patients, n: runs };
  },
};

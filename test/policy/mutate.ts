/** How many small faults in the policy compiler the fast suite sees (P6). Each mutant is judged in modules loaded anew, in one of two processes. */
import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Draw } from '../fuzz/random.js';
import { EQUIVALENT } from './equivalent.js';
import { mutantsOf, type Mutant } from './mutants.js';

const ROOT = path.resolve(__dirname, '../..');
const FILES = [
  ...['decide', 'predicate', 'cells', 'class-schema', 'classification', 'compose-policy', 'assert-masks', 'profiles', 'mask'].map(
    (name) => `src/governance/${name}.ts`,
  ),
  'src/store/sql-rules.ts',
];
const WORKERS = 2;
/** A mutant that runs for ever is seen too. */
const JUDGE_MS_MAX = 20_000;

export interface MutationReport {
  readonly mutants: number;
  readonly killed: number;
  readonly survived: readonly { readonly file: string; readonly line: number; readonly operator: string; readonly code: string }[];
  readonly equivalent: readonly { readonly file: string; readonly line: number; readonly operator: string; readonly reason: string }[];
  /** Of mutants that are not equivalent, the share that was killed, in percent. */
  readonly score: number;
  readonly seed: number;
}

export async function mutate(options: { readonly mutants: number; readonly seed: number }): Promise<MutationReport> {
  const sources = new Map(FILES.map((file) => [file, readFileSync(path.join(ROOT, file), 'utf8')]));
  const all = [...sources].flatMap(([file, text]) => mutantsOf(file, text));
  const draw = new Draw(options.seed);
  const order = all.map((mutant) => ({ mutant, at: draw.uniform() })).sort((a, b) => a.at - b.at);
  const chosen = order.slice(0, options.mutants).map((each) => each.mutant);
  const [first] = chosen;
  if (!first) throw new Error('there is nothing to mutate');
  // Sources as they are must pass, in both kinds of judging; else every mutant would look killed.
  for (const file of FILES.slice(-2)) {
    const [said] = await judged(sources, [{ ...first, file, start: 0, end: 0, replacement: '' }], 1);
    if (said !== null) throw new Error(`the suite fails without any mutant: ${String(said)}`);
  }
  const seen = await judged(sources, chosen, WORKERS);
  const survivors = chosen.filter((_, i) => seen[i] === null);
  const lineOf = ({ file, line }: Mutant): string => (sources.get(file) ?? '').split('\n')[line - 1]?.trim() ?? '';
  const reasonOf = (mutant: Mutant): string | undefined =>
    EQUIVALENT.find((each) => mutant.file.endsWith(each.file) && each.operator === mutant.operator && lineOf(mutant).includes(each.code))
      ?.reason;
  const equivalent = survivors.flatMap((mutant) => {
    const reason = reasonOf(mutant);
    return reason === undefined ? [] : [{ file: mutant.file, line: mutant.line, operator: mutant.operator, reason }];
  });
  const survived = survivors
    .filter((mutant) => reasonOf(mutant) === undefined)
    .map((mutant) => ({ file: mutant.file, line: mutant.line, operator: mutant.operator, code: lineOf(mutant) }));
  const killed = chosen.length - survivors.length;
  const score = Math.round((1000 * killed) / Math.max(1, chosen.length - equivalent.length)) / 10;
  return { mutants: chosen.length, killed, survived, equivalent, score, seed: options.seed };
}

/** What the suite says of each mutant, in their order; null where it sees nothing. */
async function judged(sources: ReadonlyMap<string, string>, mutants: readonly Mutant[], workers: number): Promise<(string | null)[]> {
  const said = new Array<string | null>(mutants.length).fill(null);
  let next = 0;
  const work = async (): Promise<void> => {
    let judge = await Judge.start();
    for (let i = next++; i < mutants.length; i = next++) {
      const mutant = mutants[i];
      if (!mutant) break;
      said[i] = await judge.judge(mutant, sources.get(mutant.file) ?? '');
      if (said[i] === HUNG) judge = await Judge.start();
    }
    await judge.stop();
  };
  await Promise.all(Array.from({ length: workers }, work));
  return said;
}

const HUNG = 'did not end';

class Judge {
  private constructor(private readonly child: ChildProcess) {}

  static async start(): Promise<Judge> {
    const child = fork(path.join(__dirname, 'mutant-child.ts'), {
      execArgv: ['-r', path.join(ROOT, 'bin/ts.js')],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const ready = await answer(child, 60_000);
    if (ready !== 'ready') throw new Error('a judge did not start');
    return new Judge(child);
  }

  async judge(mutant: Mutant, source: string): Promise<string | null> {
    const answered = answer(this.child, JUDGE_MS_MAX);
    this.child.send({ mutant, source });
    const message = await answered;
    if (message === null || typeof message !== 'object') {
      this.child.kill('SIGKILL');
      return HUNG;
    }
    return (message as { seen: string | null }).seen;
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.send('stop');
    await gone;
  }
}

/** The next message of a child; null where it says nothing in time or is gone. */
function answer(child: ChildProcess, ms: number): Promise<unknown> {
  return new Promise((resolve) => {
    const done = (message: unknown): void => {
      clearTimeout(timer);
      child.off('message', done);
      child.off('exit', gone);
      resolve(message);
    };
    const gone = (): void => done(null);
    const timer = setTimeout(gone, ms);
    child.on('message', done);
    child.on('exit', gone);
  });
}

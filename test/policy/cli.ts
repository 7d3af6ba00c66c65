import { setup, teardown } from '../support/cluster.js';
import { compareWithCedar } from './cedar.js';
import { check, openBench } from './check.js';
import { mutate } from './mutate.js';

const option = (args: readonly string[], name: string, otherwise: number): number => {
  const at = args.indexOf(name);
  const given = at < 0 ? otherwise : Number(args[at + 1]);
  if (!Number.isFinite(given)) throw new Error(`${name} takes a number`);
  return given;
};

/** npm run check:policy -- [--cells N] [--unions] [--json] [--seed S]: every artefact of policy against the oracle. Exit 1 on any disagreement. */
async function checkPolicy(args: readonly string[]): Promise<object> {
  const seed = option(args, '--seed', 1);
  await setup();
  try {
    const bench = await openBench(seed);
    try {
      const { findings, ...report } = await check(bench, {
        cells: option(args, '--cells', 60_000),
        seed,
        unions: args.includes('--unions'),
        whole: true,
      });
      for (const each of findings) process.stderr.write(`seed ${seed}, ${each.policy}: ${JSON.stringify(each, null, 1)}\n`);
      if (report.disagreements > 0) process.exitCode = 1;
      return report;
    } finally {
      await bench.close();
    }
  } finally {
    await teardown();
  }
}

/** npm run mutate:policy -- [--mutants N] [--json] [--seed S]: faults planted in the policy compiler. Exit 1 below a score of 95 %. */
async function mutatePolicy(args: readonly string[]): Promise<object> {
  await setup();
  try {
    const report = await mutate({ mutants: option(args, '--mutants', 400), seed: option(args, '--seed', 1) });
    for (const { file, line, operator, code } of report.survived) process.stderr.write(`survived ${file}:${line} ${operator}: ${code}\n`);
    if (report.score < 95) process.exitCode = 1;
    return report;
  } finally {
    await teardown();
  }
}

/** npm run diff:cedar -- [--n N] [--json] [--seed S]: random requests, decided by Cedar as well. Exit 1 on any difference. */
async function diffCedar(args: readonly string[]): Promise<object> {
  const { findings, ...report } = await Promise.resolve(
    compareWithCedar({ n: option(args, '--n', 100_000), seed: option(args, '--seed', 1) }),
  );
  for (const each of findings) process.stderr.write(`${JSON.stringify(each)}\n`);
  if (report.differences > 0) process.exitCode = 1;
  return report;
}

const VERBS: Readonly<Record<string, (args: readonly string[]) => Promise<object>>> = {
  check: checkPolicy,
  mutate: mutatePolicy,
  cedar: diffCedar,
};

async function main([verb = '', ...args]: readonly string[]): Promise<void> {
  const run = VERBS[verb];
  if (!run) throw new Error(`say one of ${Object.keys(VERBS).join(', ')}`);
  const began = process.hrtime.bigint();
  const report = { ...(await run(args)), ms: Math.round(Number(process.hrtime.bigint() - began) / 1e6) };
  process.stdout.write(args.includes('--json') ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof Error ? (error.stack ?? error.message) : 'failed'}\n${error instanceof Error && error.cause instanceof Error ? error.cause.message : ''}\n`,
  );
  process.exitCode = 1;
});

import { setup, teardown } from '../support/cluster.js';
import { check, openBench } from './check.js';

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
      const { findings, ...report } = await check(bench, { cells: option(args, '--cells', 60_000), seed, unions: args.includes('--unions') });
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

const VERBS: Readonly<Record<string, (args: readonly string[]) => Promise<object>>> = { check: checkPolicy };

async function main([verb = '', ...args]: readonly string[]): Promise<void> {
  const run = VERBS[verb];
  if (!run) throw new Error(`say one of ${Object.keys(VERBS).join(', ')}`);
  const began = process.hrtime.bigint();
  const report = { ...(await run(args)), ms: Math.round(Number(process.hrtime.bigint() - began) / 1e6) };
  process.stdout.write(args.includes('--json') ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : 'failed'}\n${error instanceof Error && error.cause instanceof Error ? error.cause.message : ''}\n`);
  process.exitCode = 1;
});

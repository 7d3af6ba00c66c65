import { setup, teardown } from '../support/cluster.js';
import { openFuzzMesh, runCampaign } from './campaign.js';

/** npm run fuzz -- [N] [--json]: N random queries against both executors over the demo cohort. SEED chooses them. */
async function main(args: readonly string[]): Promise<void> {
  const queries = Number(args.find((each) => /^\d+$/.test(each)) ?? 1_000);
  const seed = Number(process.env['SEED'] ?? 1);
  const began = process.hrtime.bigint();
  await setup();
  try {
    const mesh = await openFuzzMesh();
    try {
      const campaign = await runCampaign(mesh, { seed, queries, findingsMax: 20 });
      const { findings, ...counts } = campaign;
      for (const each of findings)
        process.stderr.write(
          `SEED=${each.seed} as ${each.who}: ${each.kind}: ${each.detail}\n${each.question.query}\n${JSON.stringify(each.question.variables)}\n`,
        );
      const of = (kind: string): number => findings.filter((each) => each.kind === kind).length;
      const ms = Math.round(Number(process.hrtime.bigint() - began) / 1e6);
      const report = { ...counts, crashes: of('crash'), leaks: of('leak'), differences: of('difference'), seed, ms };
      process.stdout.write(args.includes('--json') ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
    } finally {
      await mesh.close();
    }
  } finally {
    await teardown();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : 'failed'}\n`);
  process.exitCode = 1;
});

import { runCampaign, summary } from './campaign.js';

/** npm run chaos -- E1 E2 .. [--seed S] [--runs N] [--json]: faults on real processes. The same seed gives the same faults at the same events. */
async function main(args: readonly string[]): Promise<void> {
  const option = (name: string): number | undefined => {
    const at = args.indexOf(name);
    return at < 0 ? undefined : Number(args[at + 1]);
  };
  const names = args.filter((each) => /^E\d+$/.test(each));
  const outcomes = await runCampaign(names, {
    seed: option('--seed') ?? Number(process.env['SEED'] ?? 1),
    runs: option('--runs'),
    say: (line) => void process.stderr.write(`${line}\n`),
  });
  const report = summary(outcomes);
  process.stdout.write(args.includes('--json') ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : 'failed'}\n`);
  process.exitCode = 1;
});

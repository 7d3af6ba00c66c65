import { principalOf } from '../../src/cli/who.js';
import { ask } from '../../src/gateway/index.js';
import { setup, teardown } from '../support/cluster.js';
import { openTestMesh, TEST_NOW } from '../support/mesh.js';
import { askMany } from './world.js';
import { churn } from './churn.js';

const REPLAY = 'query R($receipt: ReceiptInput!) { replay(receipt: $receipt) { verdict changes { what name } } }';

interface Told {
  readonly verdict: string;
  readonly changes: readonly { readonly what: string; readonly name: string }[];
}

/**
 * npm run replay -- --sample N [--json]: random answers over the demo cohort, then data, consent and policy change and a person is erased between them; N of
 * the answers are asked again. `equal`: byte for byte the same; `explained`: what changed or was erased is named. SEED chooses everything.
 */
async function main(args: readonly string[]): Promise<void> {
  const at = args.indexOf('--sample');
  const sample = at < 0 ? 200 : Number(args[at + 1]);
  const seed = Number(process.env['SEED'] ?? 1);
  const began = performance.now();
  let now = TEST_NOW + 86_400_000;
  await setup();
  try {
    const mesh = await openTestMesh(() => (now += 5));
    try {
      const asked: string[] = [];
      const rounds = 5;
      for (let round = 0; round < rounds; round++) {
        const wanted = Math.ceil((sample - asked.length) / (rounds - round));
        for (const { runId } of await askMany(mesh, seed + round * 10_000, wanted)) asked.push(runId);
        await churn(mesh, seed, round);
        now += 60_000;
      }
      const verdicts: Record<string, number> = {};
      const unexplained: Told[] = [];
      for (const id of asked) {
        const answer = await ask(mesh.mesh, principalOf('officer'), { query: REPLAY, variables: { receipt: { id } } });
        const told = (answer.data as { replay: Told } | null)?.replay ?? { verdict: answer.errors[0]?.code ?? 'NONE', changes: [] };
        verdicts[told.verdict] = (verdicts[told.verdict] ?? 0) + 1;
        if (told.verdict !== 'EQUAL' && !told.changes.some(({ what }) => what !== 'unexplained')) unexplained.push(told);
      }
      const equal = verdicts['EQUAL'] ?? 0;
      const explained = asked.length - equal - unexplained.length;
      const ms = Math.round(performance.now() - began);
      const report = { sampled: asked.length, equal, explained, equal_or_explained: equal + explained, verdicts, unexplained, seed, ms };
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

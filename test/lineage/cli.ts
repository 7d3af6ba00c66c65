import { setup, teardown } from '../support/cluster.js';
import { TEST_NOW, openTestMesh } from '../support/mesh.js';
import { askAfterRevocation, askBlindSpot, askEntities, blindSpots, somePersons } from './blind-spots.js';
import { Tally } from './check.js';
import { runLineageCampaign } from './campaign.js';
import { validateRuns } from './openlineage.js';
import { Oracle } from './oracle.js';
import { hookDriver } from './trace.js';

/** npm run check:lineage -- [--queries N] [--json]: recorded lineage against what Postgres says that the statements read. SEED chooses the questions. */
async function main(args: readonly string[]): Promise<void> {
  const queries = Number(args[args.indexOf('--queries') + 1] ?? 500) || 500;
  const seed = Number(process.env['SEED'] ?? 1);
  const began = process.hrtime.bigint();
  await setup();
  const unhook = hookDriver();
  try {
    const mesh = await openTestMesh(() => TEST_NOW + 86_400_000);
    try {
      const oracle = new Oracle(mesh.pools.owner);
      const tally = new Tally();
      const persons = await somePersons(mesh.pools.owner);
      for (const spot of blindSpots(persons)) {
        const { checked, wrong } = await askBlindSpot(mesh, oracle, spot);
        if (wrong !== null) throw new Error(`${spot.name}: ${wrong}`);
        tally.add(checked, spot.name);
      }
      tally.add(await askEntities(mesh, oracle, 'clinician', persons), 'entities for a router');
      tally.add(await askAfterRevocation(mesh, oracle, 'clinician'), 'a retry after an epoch move');
      const { runs, paths, statements } = await runLineageCampaign(mesh, oracle, tally, { seed, queries });
      const ms = Math.round(Number(process.hrtime.bigint() - began) / 1e6);
      const events = await validateRuns(mesh.pools.owner, runs);
      for (const fault of events?.faults.slice(0, 20) ?? ['the schemas of OpenLineage are not there']) process.stderr.write(`${fault}\n`);
      const told = { openlineage_valid: events?.valid ?? 0, openlineage_total: events?.total ?? 0 };
      const report = { ...tally.report, ...told, statements, paths, seed, ms };
      process.stdout.write(args.includes('--json') ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
    } finally {
      await mesh.close();
    }
  } finally {
    unhook();
    await teardown();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : 'failed'}\n`);
  process.exitCode = 1;
});

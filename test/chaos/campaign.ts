import { diskFull } from './disk-full.js';
import { gatewayKill } from './gateway-kill.js';
import { ingestKill } from './ingest-kill.js';
import { makeBase, type Base } from './installation.js';
import type { Outcome } from './outcome.js';
import { powerLoss } from './power-loss.js';

interface Experiment {
  readonly runs: number;
  run(base: Base, seed: number, runs: number): Promise<Outcome>;
}

export const EXPERIMENTS: Readonly<Record<string, Experiment>> = {
  E1: { runs: 50, run: ingestKill },
  E2: { runs: 50, run: gatewayKill },
  E3: { runs: 30, run: powerLoss },
  E4: { runs: 3, run: diskFull },
};

export interface CampaignOptions {
  readonly seed: number;
  /** Instead of the number of each experiment. */
  readonly runs: number | undefined;
  readonly say: (line: string) => void;
}

/** Runs the named experiments, or all, one after the other over copies of one installation. Throws for a name that is none. */
export async function runCampaign(names: readonly string[], { seed, runs, say }: CampaignOptions): Promise<Outcome[]> {
  const chosen = names.length === 0 ? Object.keys(EXPERIMENTS) : names;
  for (const name of chosen)
    if (!EXPERIMENTS[name]) throw new Error(`There is no experiment ${name}; there are ${Object.keys(EXPERIMENTS).join(', ')}.`);
  const base = await makeBase(seed);
  const outcomes: Outcome[] = [];
  try {
    for (const name of chosen) {
      const experiment = EXPERIMENTS[name];
      if (!experiment) continue;
      const began = performance.now();
      const outcome = await experiment.run(base, seed, runs ?? experiment.runs);
      const s = Math.round((performance.now() - began) / 100) / 10;
      outcomes.push({ ...outcome, details: { ...outcome.details, seed, s } });
      say(
        outcome.skipped
          ? `${name} was not made: ${outcome.skipped}`
          : `${name}: ${outcome.runs} runs in ${s} s, ${outcome.faults.length} faults`,
      );
      for (const fault of outcome.faults) say(`  ${fault}`);
    }
  } finally {
    base.remove();
  }
  return outcomes;
}

export const passed = ({ faults, lost, duplicated, unaudited }: Outcome): boolean =>
  faults.length === 0 && lost === 0 && duplicated === 0 && unaudited === 0;

/** One object over all experiments; a figure of an experiment that was not made is null. */
export function summary(outcomes: readonly Outcome[]) {
  const made = outcomes.filter((each) => !each.skipped);
  const sum = (of: (outcome: Outcome) => number): number | null =>
    made.length === 0 ? null : made.reduce((total, each) => total + of(each), 0);
  const times = made.flatMap((each) => each.recoverSMax ?? []);
  return {
    experiments: made.map((each) => each.experiment),
    runs: sum((each) => each.runs),
    acked: sum((each) => each.acked),
    lost: sum((each) => each.lost),
    duplicated: sum((each) => each.duplicated),
    unaudited: sum((each) => each.unaudited),
    recover_s_max: times.length === 0 ? null : Math.max(...times),
    failed: made.filter((each) => !passed(each)).map((each) => each.experiment),
    skipped: outcomes.filter((each) => each.skipped).map((each) => ({ experiment: each.experiment, reason: each.skipped })),
    details: Object.fromEntries(
      outcomes.map((each) => [
        each.experiment,
        each.skipped ? null : { ...each.details, faults: each.faults, recover_s_max: each.recoverSMax },
      ]),
    ),
  };
}

/** What an experiment came to. Times in seconds. */
export interface Outcome {
  readonly experiment: string;
  readonly runs: number;
  /** Things of which somebody was told that they are done: files, answers. */
  readonly acked: number;
  readonly lost: number;
  readonly duplicated: number;
  /** Answers with data, or loaded files, without a durable record. */
  readonly unaudited: number;
  /** Longest time from a fault to the next thing done. */
  readonly recoverSMax: number | null;
  /** What went wrong, one line each; empty where the experiment passed. */
  readonly faults: readonly string[];
  /** Why it could not be made here; then nothing was measured. */
  readonly skipped?: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Counts while an experiment runs. */
export class Tally {
  acked = 0;
  lost = 0;
  duplicated = 0;
  unaudited = 0;
  readonly recoverS: number[] = [];
  readonly faults: string[] = [];

  /** Notes a fault unless the condition holds. */
  expect(condition: boolean, fault: string): void {
    if (!condition) this.faults.push(fault);
  }

  /** Notes the time since `began` (performance.now()) as a recovery. */
  recovered(began: number): void {
    this.recoverS.push((performance.now() - began) / 1_000);
  }

  outcome(experiment: string, runs: number, details: Readonly<Record<string, unknown>>): Outcome {
    const { acked, lost, duplicated, unaudited, faults, recoverS } = this;
    const recoverSMax = recoverS.length === 0 ? null : Math.round(Math.max(...recoverS) * 1_000) / 1_000;
    return { experiment, runs, acked, lost, duplicated, unaudited, recoverSMax, faults, details };
  }
}

/** An experiment that this machine does not allow. */
export const skippedOutcome = (experiment: string, reason: string): Outcome => ({
  ...new Tally().outcome(experiment, 0, {}),
  skipped: reason,
});

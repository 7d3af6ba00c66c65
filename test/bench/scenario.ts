/** What the command line gives a scenario. A figure that was not measured in the run is null. */
export interface BenchOptions {
  /** How often the thing is done; the median counts. */
  readonly runs: number;
  readonly install: boolean;
  /** Persons of the demo cohort. */
  readonly patients: number;
  /** One product of the ingest scenario, in a process of its own. */
  readonly product: string | undefined;
  readonly home: string | undefined;
  readonly cohort: string | undefined;
  readonly log: (line: string) => void;
}

export interface Scenario {
  readonly about: string;
  run(options: BenchOptions): Promise<Readonly<Record<string, unknown>>>;
}

export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Three digits after the point are more than any of these measurements is good for. */
export const rounded = (value: number | null): number | null => (value === null ? null : Math.round(value * 1000) / 1000);

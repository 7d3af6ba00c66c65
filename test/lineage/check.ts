import type { Pool } from 'pg';
import type { Oracle } from './oracle.js';
import type { Statement } from './trace.js';

/** What one run read against what its record says. */
export interface Checked {
  readonly read: number;
  readonly recorded: number;
  readonly both: number;
  readonly missed: readonly string[];
  readonly extra: readonly string[];
}

/** Compares the statements of one run with the columns of its record in the database. A run without a record throws. */
export async function checkRun(owner: Pool, oracle: Oracle, runId: string, statements: readonly Statement[]): Promise<Checked> {
  const read = await oracle.read(statements);
  const recorded = await recordedColumns(owner, runId);
  const missed = [...read].filter((column) => !recorded.has(column)).sort();
  const extra = [...recorded].filter((column) => !read.has(column)).sort();
  return { read: read.size, recorded: recorded.size, both: read.size - missed.length, missed, extra };
}

/** Sources of the lineage that stands beside a run; none where its record has no plan. */
async function recordedColumns(owner: Pool, runId: string): Promise<ReadonlySet<string>> {
  const { rows } = await owner.query<{ columns: readonly { readonly source: string }[] | null }>(
    'select p.columns from lineage_run r left join lineage_plan p using (plan_digest) where r.run_id = $1',
    [runId],
  );
  const [run] = rows;
  if (!run) throw new Error(`the run ${runId} left no record`);
  return new Set(run.columns?.map((each) => each.source));
}

/** Sums over many runs: recall = |both| / |read|, precision = |both| / |recorded|; 1 where nothing was read or recorded. */
export class Tally {
  private read = 0;
  private recorded = 0;
  private both = 0;
  private runs = 0;
  private readonly missed = new Map<string, string>();
  private readonly extra = new Map<string, string>();

  add(checked: Checked, what: string): void {
    this.runs += 1;
    this.read += checked.read;
    this.recorded += checked.recorded;
    this.both += checked.both;
    for (const column of checked.missed) if (!this.missed.has(column)) this.missed.set(column, what);
    for (const column of checked.extra) if (!this.extra.has(column)) this.extra.set(column, what);
  }

  get report() {
    const share = (of: number): number => (of === 0 ? 1 : this.both / of);
    const listed = (found: ReadonlyMap<string, string>): string[] => [...found].map(([column, what]) => `${column} (${what})`).sort();
    return {
      queries: this.runs,
      recall: share(this.read),
      precision: share(this.recorded),
      columns_read: this.read,
      missed: listed(this.missed),
      extra: listed(this.extra),
    };
  }
}

import type { IngestReport } from '../kernel/index.js';
import type { Refusal, Screened } from './expect.js';

type Fault = IngestReport['faults'][number];

/** Reasons kept of one file; further ones count in `quarantined` only. */
const FAULTS_MAX = 20;

/** What became of the records of one file so far; stored with each chunk as it is, so a load that resumes goes on counting. */
export interface Counts {
  readonly records: number;
  readonly quarantined: number;
  readonly dropped: number;
  readonly rows: Readonly<Record<string, number>>;
  /** By 'asset.expectation'. */
  readonly expectations: Readonly<Record<string, { readonly passed: number; readonly failed: number }>>;
  /** One of each code and reason, with its first place. */
  readonly faults: readonly Fault[];
  /** What the sender stated, so that a record can be read again. */
  readonly assembly: string | null;
  readonly lineageId: string | null;
}

export const noCounts = (assembly: string | null): Counts => ({
  records: 0,
  quarantined: 0,
  dropped: 0,
  rows: {},
  expectations: {},
  faults: [],
  assembly,
  lineageId: null,
});

export interface Step {
  readonly records: number;
  readonly screened: Pick<Screened, 'dropped' | 'tallies'>;
  readonly rows: ReadonlyMap<string, number>;
  readonly refusals: readonly Refusal[];
}

export function counted(before: Counts, step: Step): Counts {
  const rows: Record<string, number> = { ...before.rows };
  for (const [table, written] of step.rows) rows[table] = (rows[table] ?? 0) + written;
  const expectations: Record<string, { passed: number; failed: number }> = { ...before.expectations };
  for (const [name, { passed, failed }] of step.screened.tallies) {
    const was = expectations[name] ?? { passed: 0, failed: 0 };
    expectations[name] = { passed: was.passed + passed, failed: was.failed + failed };
  }
  return {
    ...before,
    records: before.records + step.records,
    quarantined: before.quarantined + step.refusals.length,
    dropped: before.dropped + step.screened.dropped,
    rows,
    expectations,
    faults: faultsWith(before.faults, step.refusals),
  };
}

export function faultsWith(before: readonly Fault[], refusals: readonly Pick<Fault, 'code' | 'place' | 'reason'>[]): readonly Fault[] {
  if (refusals.length === 0) return before;
  const faults = new Map(before.map((fault) => [`${fault.code} ${fault.reason}`, fault]));
  for (const { code, place, reason } of refusals) {
    const name = `${code} ${reason}`;
    const known = faults.get(name);
    if (known !== undefined) faults.set(name, { ...known, count: known.count + 1 });
    else if (faults.size < FAULTS_MAX) faults.set(name, { code, place, reason, count: 1 });
  }
  return [...faults.values()];
}

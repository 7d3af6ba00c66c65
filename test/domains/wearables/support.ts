import { entityOf, type RowSource, type StageContext, type Staged } from '../../../src/kernel/index.js';
import type { WearableBatch } from '../../../src/domains/wearables/formats/sample.js';
import { NO_OFFSET } from '../../../src/domains/wearables/formats/sample.js';
import type { MetricName } from '../../../src/domains/wearables/formats/metrics.js';
import { mergeChunk, stage } from '../../../src/domains/wearables/pipeline.js';

export type Row = Readonly<Record<string, unknown>>;
export type StagedRow = Extract<Staged, { kind: 'row' }>;

export const PERSON = '018f0000-0000-7000-8000-000000000001';
export const OTHER = '018f0000-0000-7000-8000-000000000002';

let made = 0;

export function contextOf(name = 'walk.fit'): StageContext {
  const newId = (): string => `00000000-0000-7000-8000-${String(++made).padStart(12, '0')}`;
  return { digest: 'd', name, assembly: undefined, ordinal: 0, now: 0, newId, memo: new Map() };
}

export interface BatchFacts {
  readonly metric?: MetricName;
  readonly device?: string | null;
  readonly user?: string | null;
  readonly offset?: number;
}

/** A batch of [time, value] pairs. */
export function batchOf(samples: readonly (readonly [number, number])[], facts: BatchFacts = {}): WearableBatch {
  return {
    metric: facts.metric ?? 'heart_rate',
    deviceId: facts.device === undefined ? 'watch' : facts.device,
    patientKey: facts.user ?? null,
    source: 'fit',
    t: Float64Array.from(samples, ([t]) => t),
    v: Float64Array.from(samples, ([, v]) => v),
    offsetMinutes: new Int16Array(samples.length).fill(facts.offset ?? NO_OFFSET),
    ordinals: Int32Array.from(samples, (_, index) => index),
    durationMs: null,
  };
}

export function stagedRows(batch: WearableBatch, name?: string): StagedRow[] {
  return [...stage(batch, contextOf(name))].flatMap((each) => (each.kind === 'row' ? [each] : []));
}

export const rowsOf = (staged: readonly StagedRow[], asset: string): Row[] =>
  staged.filter((each) => each.asset === asset).map((each) => each.row);

/** wear_chunk rows as the store would hold them for one person, merged by key. */
export function stored(person: string, ...batches: WearableBatch[]): Row[] {
  const table = new Map<string, Row>();
  for (const row of batches.flatMap((batch) => rowsOf(stagedRows(batch), 'wear_chunk'))) {
    const key = JSON.stringify([row['metric'], row['device'], row['day']]);
    table.set(key, mergeChunk(table.get(key) ?? null, { ...row, patient_id: person }).row);
  }
  return [...table.values()];
}

/** Rows in memory that obey where and the closed bounds of between, and give the columns asked for only. */
export function sourceOf(rows: readonly Row[], asked: string[][] = []): RowSource {
  return {
    now: 0,
    touched: () => undefined,
    rows<T>({ of, columns, where, between }: Parameters<RowSource['rows']>[0]): Promise<T[]> {
      if (entityOf(of()).table !== 'wear_chunk') throw new Error('another table');
      asked.push([...columns]);
      const holds = (row: Row): boolean =>
        Object.entries(where).every(([name, is]) => (Array.isArray(is) ? (is as unknown[]).includes(row[name]) : row[name] === is)) &&
        Object.entries(between ?? {}).every(([name, { from, to }]) => {
          const value = row[name] as string;
          return (from === undefined || value >= String(from)) && (to === undefined || value <= String(to));
        });
      const found = rows.filter(holds).map((row) => Object.fromEntries(columns.map((name) => [name, row[name]])));
      return Promise.resolve(found as T[]);
    },
  };
}

import 'reflect-metadata';
import { rowIndex } from '../../../src/kernel/index.js';
import { DAY_MS } from '../../../src/domains/wearables/formats/chunk-codec.js';
import { features } from '../../../src/domains/wearables/features.js';
import type { MetricName } from '../../../src/domains/wearables/formats/metrics.js';
import { OTHER, PERSON, batchOf, sourceOf, stored, type Row } from './support.js';

const AS_OF = Date.UTC(2025, 5, 20, 15, 30);
const TODAY = Date.UTC(2025, 5, 20);
const HOUR = 3_600_000;

/** Hourly values of the day that began `ago` days before the day of asOf. */
function day(ago: number, values: readonly number[], metric: MetricName = 'heart_rate', device = 'watch', person = PERSON): Row[] {
  return stored(
    person,
    batchOf(
      values.map((value, index): [number, number] => [TODAY - ago * DAY_MS + index * HOUR, value]),
      { metric, device },
    ),
  );
}

async function compute(
  rows: readonly Row[],
  ids: readonly string[] = [PERSON],
): Promise<{ of: (id: string) => Record<string, number> | null; stale: readonly string[] }> {
  const { frame, stale } = await features.compute(sourceOf(rows), ids, AS_OF);
  expect(frame.columns.map(({ name, unit }) => ({ name, unit }))).toEqual(features.features.map(({ name, unit }) => ({ name, unit })));
  const index = rowIndex(frame);
  const of = (id: string): Record<string, number> | null => {
    const row = index.get(id);
    return row === undefined ? null : Object.fromEntries(frame.columns.map((column) => [column.name, column.values[row] ?? 0]));
  };
  return { of, stale };
}

const RATES = [
  [50, 60, 70, 80, 90, 100],
  [52, 60, 70, 80, 90, 100],
  [54, 60, 70, 80, 90, 100],
];
const week = RATES.flatMap((rates, index) => day(index + 1, rates));

test('heart rate features are those of the samples themselves', async () => {
  const { of, stale } = await compute(week);
  const all = RATES.flat();
  const mean = all.reduce((sum, rate) => sum + rate, 0) / all.length;
  const sd = Math.sqrt(all.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / (all.length - 1));
  const row = of(PERSON);
  expect(row?.['resting_heart_rate']).toBe(52);
  expect(row?.['heart_rate_mean']).toBeCloseTo(mean, 10);
  expect(row?.['heart_rate_sd']).toBeCloseTo(sd, 8);
  expect(row?.['steps_per_day']).toBeNaN();
  expect(row?.['wearable_valid_days']).toBe(3);
  expect(stale).toEqual([]);
});

test('two valid days are missing, not shrunk', async () => {
  const { of } = await compute(week.slice(0, 2));
  expect(Object.values(of(PERSON) ?? { none: 0 }).every(Number.isNaN)).toBe(true);
});

test('a heart rate day of few readings does not count', async () => {
  const { of } = await compute([...week.slice(0, 2), ...day(3, [55, 56])]);
  expect(of(PERSON)?.['resting_heart_rate']).toBeNaN();
});

test('zero steps are a value and a day without a count is none', async () => {
  const { of } = await compute([...day(1, [0], 'steps'), ...day(2, [3000, 3000], 'steps'), ...day(9, [3000], 'steps')]);
  expect(of(PERSON)).toMatchObject({ steps_per_day: 3000, wearable_valid_days: 3 });
});

test('steps that two devices count at once are counted once', async () => {
  const days = [1, 2, 3].flatMap((ago) => [...day(ago, [1000, 2000, 1000], 'steps', 'watch'), ...day(ago, [3900], 'steps', 'phone')]);
  for (const rows of [days, [...days].reverse()]) expect((await compute(rows)).of(PERSON)?.['steps_per_day']).toBe(4000);
});

test('nothing of the day of asOf or later is used, and nothing older than the 28 days up to the newest', async () => {
  const { of } = await compute([
    ...week,
    ...day(0, [20, 20, 20, 20, 20, 20]),
    ...day(-1, [20, 20, 20, 20, 20, 20]),
    ...day(29, [20, 20, 20, 20, 20, 20]),
  ]);
  expect(of(PERSON)).toEqual((await compute(week)).of(PERSON));
  expect((await compute([...week, ...day(28, [40, 40, 40, 40, 40, 40])])).of(PERSON)?.['wearable_valid_days']).toBe(4);
});

test('the window ends with the newest day, so a watch laid aside a month ago still speaks', async () => {
  const shifted = RATES.flatMap((rates, index) => day(index + 41, rates));
  expect((await compute(shifted)).of(PERSON)?.['resting_heart_rate']).toBe((await compute(week)).of(PERSON)?.['resting_heart_rate']);
});

test('a newest day of 90 days ago is old but not stale, one of 91 days is stale, and no day at all is neither', async () => {
  const rates = [60, 60, 60, 60, 60, 60];
  const at90 = await compute(day(90, rates));
  expect(at90.stale).toEqual([]);
  expect(Object.values(at90.of(PERSON) ?? { none: 0 }).every(Number.isNaN)).toBe(true);
  const at91 = await compute([...day(91, rates), ...day(400, rates)], [PERSON, OTHER]);
  expect(at91.stale).toEqual([PERSON]);
  expect([at91.of(PERSON), at91.of(OTHER)]).toEqual([null, null]);
});

test('persons are kept apart and only headers that the view declares are read', async () => {
  const asked: string[][] = [];
  const rows = [
    ...week,
    ...RATES.flatMap((rates, index) =>
      day(
        index + 1,
        rates.map((rate) => rate + 10),
        'heart_rate',
        'watch',
        OTHER,
      ),
    ),
  ];
  const { frame } = await features.compute(sourceOf(rows, asked), [OTHER, PERSON], AS_OF);
  expect(frame.keys).toEqual([OTHER, PERSON]);
  expect([...(frame.columns[0]?.values ?? [])]).toEqual([62, 52]);
  for (const column of asked.flat()) expect(features.reads[0]?.columns).toContain(column);
  expect(asked.flat()).not.toContain('vals');
});

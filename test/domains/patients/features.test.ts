import 'reflect-metadata';
import { features } from '../../../src/domains/patients/features.js';
import { rowIndex, type RowSource } from '../../../src/kernel/index.js';
import { person, registered, stageText, type Row } from './support.js';

const ASKED: Parameters<RowSource['rows']>[0][] = [];

/** Answers from rows that staging made, as the store does: by person and only the columns asked for. */
function sourceOf(rows: readonly Row[]): RowSource {
  return {
    now: 0,
    touched: () => undefined,
    rows: async <T>(request: Parameters<RowSource['rows']>[0]): Promise<T[]> => {
      ASKED.push(request);
      const wanted = request.where['patient_id'] as readonly string[];
      return rows
        .filter((row) => wanted.includes(String(row['patient_id'])))
        .map((row) => Object.fromEntries(request.columns.map((column) => [column, row[column]])) as T);
    },
  };
}

async function compute(people: Readonly<Record<string, object>>, asOf = Date.UTC(2026, 5, 1)): Promise<Map<string, number[]>> {
  const rows: Row[] = [];
  for (const [id, more] of Object.entries(people)) rows.push({ ...registered(await stageText(person(more)))[0]?.row, patient_id: id });
  const { frame, stale } = await features.compute(sourceOf(rows), [...Object.keys(people), 'nobody'], asOf);
  expect(stale).toEqual([]);
  expect(frame.columns.map(({ name, unit }) => ({ name, unit }))).toEqual(features.features.map(({ name, unit }) => ({ name, unit })));
  return new Map([...rowIndex(frame)].map(([id, at]) => [id, frame.columns.map(({ values }) => values[at] ?? Infinity)]));
}

test('age and sex at the time asked for', async () => {
  const found = await compute({ a: { gender: 'male', birthDate: '1956-03-01' }, b: { gender: 'female', birthDate: '2000' } });
  expect([...found]).toEqual([
    ['a', [70, 1]],
    ['b', [26, 0]],
  ]);
});

test('what is not recorded is missing and never 0', async () => {
  const found = await compute({ a: { gender: 'male' }, b: { birthDate: '1990' }, c: { gender: 'unknown' } });
  expect([...found]).toEqual([
    ['a', [NaN, 1]],
    ['b', [36, NaN]],
    ['c', [NaN, NaN]],
  ]);
});

test('who is born later, or is not known, has no row', async () => {
  expect([...(await compute({ a: { birthDate: '2020' }, b: { birthDate: '1990' } }, Date.UTC(2010, 0, 1))).keys()]).toEqual(['b']);
});

test('nothing is read beyond what is declared', async () => {
  await compute({ a: {} });
  for (const { of, columns } of ASKED) {
    const declared = features.reads.find((one) => one.of() === of());
    expect(declared?.columns).toEqual(expect.arrayContaining([...columns]));
  }
});

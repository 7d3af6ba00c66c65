import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { ISSUERS, contentDigest } from '../../../src/kernel/index.js';
import { appleHealthFormat } from '../../../src/domains/wearables/formats/apple-health.js';
import { DAY_MS, unpackDay } from '../../../src/domains/wearables/formats/chunk-codec.js';
import { fitFormat } from '../../../src/domains/wearables/formats/fit.js';
import { omhFormat } from '../../../src/domains/wearables/formats/omh.js';
import { mergeDevice, mergeChunk, pipeline } from '../../../src/domains/wearables/pipeline.js';
import { HEADER_DIGEST } from '../../../src/domains/wearables/tables.js';
import { DATA, describeWithData, gather } from './formats/support.js';
import { PERSON, batchOf, rowsOf, stagedRows, stored, type Row } from './support.js';

const MIDNIGHT = Date.UTC(2025, 5, 2);
const MINUTE = 60_000;
const chunks = pipeline.assets.find((asset) => asset.table === 'wear_chunk');

const seriesOf = (row: Row): [number, number][] => {
  const { t, v } = unpackDay(
    Number(row['enc']),
    Date.parse(String(row['t0'])),
    Number(row['step_ms']),
    Number(row['n']),
    row['vals'] as Buffer,
  );
  return Array.from(t, (at, index) => [at, v[index] ?? Number.NaN]);
};
const identified = (rows: readonly Row[]): Row[] =>
  rows
    .map((row) => ({ ...row, id: '', version: 0, header_digest: contentDigest(HEADER_DIGEST.of, { ...row, id: '', version: 0 }) }))
    .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));

test('a batch over midnight UTC becomes one device row and one packed row a day, whatever the order of its samples', () => {
  const staged = stagedRows(
    batchOf(
      [
        [MIDNIGHT + MINUTE, 64],
        [MIDNIGHT - MINUTE, 60],
        [MIDNIGHT, 62],
      ],
      { offset: 120 },
    ),
  );
  expect(staged.map((each) => each.asset)).toEqual(['wear_device', 'wear_chunk', 'wear_chunk']);
  const [device] = rowsOf(staged, 'wear_device');
  expect(device).toMatchObject({
    device: 'watch',
    source: 'fit',
    first_at: '2025-06-01T23:59:00.000Z',
    last_at: '2025-06-02T00:01:00.000Z',
  });
  const days = rowsOf(staged, 'wear_chunk');
  expect(days.map((row) => row['day'])).toEqual(['2025-06-02', '2025-06-01']);
  expect(days[0]).toMatchObject({
    metric: 'heart_rate',
    unit: '/min',
    n: 2,
    mn: 62,
    mx: 64,
    sm: 126,
    sq: 62 * 62 + 64 * 64,
    step_ms: MINUTE,
    enc: 1,
    version: 1,
  });
  expect(days[0]).toMatchObject({ t0: '2025-06-02T00:00:00.000Z', offset_minutes: 120, sensitivity: 0 });
  expect(days[0]?.['vals']).toBeInstanceOf(Buffer);
  expect(seriesOf(days[0] ?? {})).toEqual([
    [MIDNIGHT, 62],
    [MIDNIGHT + MINUTE, 64],
  ]);
});

test('staged rows have the columns of their asset, less those that the runner fills', () => {
  for (const { asset, row } of stagedRows(batchOf([[MIDNIGHT, 60]]))) {
    const declared = Object.keys(pipeline.assets.find((each) => each.table === asset)?.columns ?? {});
    const filled = ['patient_id', 'site_id', 'source_digest', 'source_ordinal'];
    // A chunk is proven when it meets the store and its person is known.
    if (asset === 'wear_chunk') filled.push('content_digest', 'header_digest');
    expect([...Object.keys(row), ...filled].sort()).toEqual(declared.sort());
  }
});

test('the columns of the assets are those of the migration, with the same types', () => {
  const text = readFileSync(path.resolve(__dirname, '../../../migrations/20261122100500-create-wearables.ts'), 'utf8');
  const digests = readFileSync(path.resolve(__dirname, '../../../migrations/20261122190200-digest-blocks.ts'), 'utf8');
  for (const { table, columns } of pipeline.assets) {
    const created = text.slice(text.indexOf(`create table ${table} `)).split(');')[0] ?? '';
    const added = digests.slice(digests.indexOf(`alter table ${table} `)).split(';')[0] ?? '';
    const statement = `${created} ${added}`;
    for (const [name, type] of Object.entries(columns)) {
      if (!['patient_id', 'site_id', 'sensitivity', 'source_digest', 'source_ordinal'].includes(name)) {
        expect(statement).toMatch(new RegExp(`\\b${name} ${type}\\b`));
      }
    }
  }
});

test('keys are tried from the user of the file down to its name', () => {
  const keys = (facts: Parameters<typeof batchOf>[1]): unknown => stagedRows(batchOf([[MIDNIGHT, 60]], facts), 'a.json')[0]?.keys;
  expect(keys({ user: 'u1', device: 'd1' })).toEqual([
    { issuer: ISSUERS.mrn, value: 'u1' },
    { issuer: ISSUERS.device, value: 'u1' },
    { issuer: ISSUERS.device, value: 'd1' },
    { issuer: ISSUERS.device, value: 'a.json' },
  ]);
  expect(keys({ device: null })).toEqual([{ issuer: ISSUERS.device, value: 'a.json' }]);
  expect(rowsOf(stagedRows(batchOf([[MIDNIGHT, 60]], { device: null })), 'wear_device')[0]).toMatchObject({ device: 'unknown' });
});

describe('merging a day', () => {
  const day = (...samples: [number, number][]): Row =>
    mergeChunk(null, { ...rowsOf(stagedRows(batchOf(samples)), 'wear_chunk')[0], patient_id: PERSON }).row;

  test('keeps id, raises the version and recomputes the header', () => {
    const before = day([MIDNIGHT + MINUTE, 70]);
    const { row, conflict } = mergeChunk(before, day([MIDNIGHT, 50]));
    expect(conflict).toBeUndefined();
    expect(row).toMatchObject({
      id: before['id'],
      version: 2,
      n: 2,
      mn: 50,
      mx: 70,
      sm: 120,
      t0: '2025-06-02T00:00:00.000Z',
      patient_id: PERSON,
    });
  });

  test('of the same samples again leaves the stored row as it is', () => {
    const before = day([MIDNIGHT, 70], [MIDNIGHT + MINUTE, 71]);
    const { row, conflict } = mergeChunk(before, day([MIDNIGHT + MINUTE, 71]));
    expect(row).toBe(before);
    expect(conflict).toBeUndefined();
  });

  test('keeps the stored value of an instant, takes what is new and reports the other as RECORD_CONFLICT without values', () => {
    const { row, conflict } = mergeChunk(day([MIDNIGHT, 70]), day([MIDNIGHT, 171], [MIDNIGHT + MINUTE, 72]));
    expect(seriesOf(row)).toEqual([
      [MIDNIGHT, 70],
      [MIDNIGHT + MINUTE, 72],
    ]);
    expect(conflict?.code).toBe('RECORD_CONFLICT');
    expect(conflict?.message).not.toMatch(/70|171/);
  });

  test('two values for one instant inside a batch meet in the merge: the first is kept, the second is a conflict', () => {
    const [first, second, ...more] = rowsOf(
      stagedRows(
        batchOf([
          [MIDNIGHT, 70],
          [MIDNIGHT, 90],
        ]),
      ),
      'wear_chunk',
    );
    expect(more).toEqual([]);
    const { row, conflict } = mergeChunk(mergeChunk(null, first ?? {}).row, second ?? {});
    expect(seriesOf(row)).toEqual([[MIDNIGHT, 70]]);
    expect(conflict?.code).toBe('RECORD_CONFLICT');
  });

  test('gives the same days for any order, repetition and split of a stream (W60)', () => {
    const sample = fc.tuple(fc.integer({ min: 0, max: 2 * 1440 }), fc.integer({ min: 40, max: 180 }));
    fc.assert(
      fc.property(
        fc.uniqueArray(sample, { selector: ([at]) => at, minLength: 1, maxLength: 60 }),
        fc.integer(),
        fc.integer({ min: 1, max: 20 }),
        (minutes, seed, size) => {
          const samples = minutes.map(([at, value]): [number, number] => [MIDNIGHT + at * MINUTE, value]);
          const shuffled = [...samples, ...samples.slice(0, 5)].sort(
            (a, b) => (((a[0] / MINUTE) * seed) % 97) - (((b[0] / MINUTE) * seed) % 97),
          );
          const parts = Array.from({ length: Math.ceil(shuffled.length / size) }, (_, index) =>
            batchOf(shuffled.slice(index * size, (index + 1) * size)),
          );
          expect(identified(stored(PERSON, ...parts))).toEqual(identified(stored(PERSON, batchOf(samples))));
        },
      ),
      { numRuns: 60 },
    );
  });
});

test('a device keeps its id and the widest interval of use', () => {
  const [stored, incoming]: [Row, Row] = [
    { id: 'a', device: 'watch', source: 'fit', first_at: '2025-06-02T00:00:00.000Z', last_at: '2025-06-03T00:00:00.000Z' },
    { id: 'b', device: 'watch', source: 'omh', first_at: '2025-06-01T00:00:00.000Z', last_at: '2025-06-02T00:00:00.000Z' },
  ];
  expect(mergeDevice(stored, incoming).row).toEqual({ ...stored, first_at: '2025-06-01T00:00:00.000Z' });
});

test('expectations tell implausible days from good ones', () => {
  const failing = (row: Row): string[] => (chunks?.expectations ?? []).filter((each) => !each.holds(row)).map((each) => each.name);
  const [good] = rowsOf(stagedRows(batchOf([[MIDNIGHT, 0.1 + 0.2 + 60]])), 'wear_chunk');
  expect(failing(good ?? {})).toEqual([]);
  expect(failing({ ...good, n: 0 })).toContain('n_positive');
  expect(failing({ ...good, mn: 70 })).toEqual(['header_agrees']);
  expect(failing({ ...good, mn: 250, mx: 250, sm: 250 })).toEqual(['heart_rate_day_plausible']);
  expect(failing({ ...good, metric: 'steps', mx: 200_000, sm: 200_000 })).toEqual(['steps_day_plausible']);
  expect(failing({ ...good, day: '1989-12-31' })).toEqual(['clock_was_set']);
});

describeWithData('real files', () => {
  const count = (rows: readonly Row[]): number => rows.reduce((sum, row) => sum + Number(row['n']), 0);
  async function days(format: typeof fitFormat, file: string): Promise<{ rows: Row[]; samples: number; dropped: number; refused: number }> {
    const { batches, samples } = await gather(format, readFileSync(path.join(DATA, file)));
    const rows = stored(PERSON, ...batches);
    for (const row of rows)
      for (const expectation of chunks?.expectations ?? [])
        expect([expectation.name, expectation.holds(row)]).toEqual([expectation.name, true]);
    const refused = batches.flatMap((batch) => {
      const staged = rowsOf(stagedRows(batch), 'wear_chunk');
      return staged.filter((row, index) => staged.findIndex((other) => other['day'] === row['day']) < index);
    });
    return { rows, samples: samples.length, dropped: samples.length - count(rows), refused: count(refused) };
  }

  test('a ride of the Edge 500 keeps every instant once; of its 15 doubled seconds the values that differ are refused, not lost', async () => {
    const { rows, samples, dropped, refused } = await days(fitFormat, 'fit/garmin-edge-500-activity.fit');
    expect(samples).toBeGreaterThan(50_000);
    // Five metrics of 15 doubled seconds; 2 heart rates, 11 speeds, 6 altitudes and 3 cadences differ.
    expect([dropped, refused]).toEqual([5 * 15, 22]);
    expect(new Set(rows.map((row) => `${String(row['metric'])} ${String(row['day'])}`)).size).toBe(rows.length);
    expect(count(rows.filter((row) => row['metric'] === 'cadence'))).toBe(10_565 - 15);
    const dayOf = (t: number): string => new Date(Math.floor(t / DAY_MS) * DAY_MS).toISOString().slice(0, 10);
    for (const row of rows) expect([...new Set(seriesOf(row).map(([t]) => dayOf(t)))]).toEqual([row['day']]);
  });

  test('an Apple Health export becomes days of the watch that names itself', async () => {
    const { rows } = await days(appleHealthFormat, 'apple-health/alxdrcirilo-export.xml');
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.some((row) => row['metric'] === 'heart_rate' && String(row['device']).startsWith('Apple Watch'))).toBe(true);
  });
});

test('an Open mHealth data point becomes a day of its user', async () => {
  const header = {
    id: '1',
    creation_date_time: '2025-06-03T00:00:00Z',
    user_id: 'u',
    schema_id: { namespace: 'omh', name: 'heart-rate', version: '2.0' },
  };
  const body = { heart_rate: { value: 61, unit: 'beats/min' }, effective_time_frame: { date_time: '2025-06-02T01:30:00+02:00' } };
  const { batches } = await gather(omhFormat, JSON.stringify({ header, body }));
  expect(batches.map((batch) => batch.patientKey)).toEqual(['u']);
  expect(stored(PERSON, ...batches)).toMatchObject([
    { metric: 'heart_rate', day: '2025-06-01', unit: '/min', n: 1, mn: 61, offset_minutes: 120 },
  ]);
});

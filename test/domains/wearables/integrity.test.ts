import 'reflect-metadata';
import { CodedError } from '../../../src/kernel/index.js';
import { mergeChunk } from '../../../src/domains/wearables/pipeline.js';
import { readSeries, readWindows } from '../../../src/domains/wearables/readers.js';
import { CHUNK_DIGEST, HEADER_DIGEST } from '../../../src/domains/wearables/tables.js';
import { WearableDay } from '../../../src/domains/wearables/model.js';
import { OTHER, PERSON, batchOf, sourceOf, stored, type Row } from './support.js';

const MIDNIGHT = Date.UTC(2025, 5, 2);
const MINUTE = 60_000;
const samples = (from: number, count: number, scale: number): [number, number][] =>
  Array.from({ length: count }, (_, at) => [MIDNIGHT + from + at * MINUTE, 60 + ((at * 13) % 50) * scale]);
const [grid, free, next] = stored(
  PERSON,
  batchOf(samples(0, 90, 1), { offset: 120 }),
  batchOf([...samples(0, 60, 0.1), [MIDNIGHT + 7 * 3_600_001, 61.25]], { device: 'ring' }),
  batchOf(samples(24 * 3_600_000, 30, 1)),
) as [Row, Row, Row];
const [foreign] = stored(OTHER, batchOf(samples(0, 90, 2))) as [Row];

const ARGS = { metric: 'heart_rate', from: new Date(MIDNIGHT), to: new Date(MIDNIGHT + 2 * 24 * 3_600_000) };
const coded = (answer: Promise<unknown>): Promise<unknown> =>
  answer.then(
    () => 'served',
    (error: unknown) => (error instanceof CodedError ? `${error.code} ${String(error.place)}` : error),
  );

/** What readers of two persons give where these rows are stored. */
function served(rows: readonly Row[]): Promise<unknown[]> {
  // Rows are found by their place in the table, whatever their key has become.
  const source = { ...sourceOf(rows), rows: <T>() => Promise.resolve(rows as unknown as T[]) };
  const parents = [{ patient_id: PERSON }, { patient_id: OTHER }];
  return Promise.all([
    coded(readSeries(source, () => WearableDay, parents, ARGS)),
    coded(readWindows(source, () => WearableDay, parents, { ...ARGS, size: '1h' })),
  ]);
}

/** The value with one bit or one letter changed, as a disk might. */
function* flipsOf(value: unknown): Generator {
  if (value instanceof Uint8Array) {
    for (let bit = 0; bit < value.length * 8; bit += 1) {
      const copy = Buffer.from(value);
      copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      yield copy;
    }
  } else if (typeof value === 'number' && Number.isInteger(value)) for (let bit = 0; bit < 31; bit += 1) yield value ^ (1 << bit);
  else if (typeof value === 'number') yield* [value + Number.EPSILON * value, -value];
}

test('days as they were written are served', async () => {
  expect(await served([grid, free, next, foreign])).toEqual(['served', 'served']);
});

test('every flipped bit of a packed day and of what unpacks it is found by every reader: nothing is served', async () => {
  let flips = 0;
  for (const row of [grid, free])
    for (const name of [...Object.keys(CHUNK_DIGEST.of), CHUNK_DIGEST.column])
      for (const value of flipsOf(row[name])) {
        flips += 1;
        const found = await served([{ ...row, [name]: value }, next]);
        const refused = `DATA_CORRUPT wear_chunk ${String(row['metric'])} ${String(row['day'])}`;
        if (found.some((each) => each !== refused)) throw new Error(`${name}: ${JSON.stringify(found)}`);
      }
  expect(flips).toBeGreaterThan(1_000);
}, 30_000);

test('packed days that changed places, between persons, devices or days, and days under another key are refused', async () => {
  const packed = ({ t0, step_ms, n, enc, vals, unit, content_digest }: Row): Row => ({ t0, step_ms, n, enc, vals, unit, content_digest });
  const damaged: Row[][] = [
    [{ ...grid, ...packed(foreign) }],
    [{ ...grid, ...packed(free) }],
    [{ ...grid, ...packed(next) }],
    [{ ...foreign, patient_id: PERSON }],
    [{ ...grid, day: '2025-06-03' }],
    [{ ...grid, t0: new Date(MIDNIGHT + MINUTE).toISOString() }],
    [{ ...grid, unit: 'm/s' }],
    [{ ...grid, vals: (grid['vals'] as Buffer).subarray(0, -1) }],
    [{ ...grid, content_digest: null }],
  ];
  for (const rows of damaged)
    expect(await served([...rows, free])).toEqual(
      Array(2).fill(expect.stringMatching(/^DATA_CORRUPT wear_chunk heart_rate 2025-06-0[23]$/)),
    );
});

test('nothing is merged into a stored day that is damaged, in its samples or in its numbers', () => {
  const arriving = { ...grid, ...stored(PERSON, batchOf([[MIDNIGHT + 23 * 3_600_000, 70]]))[0] };
  expect(mergeChunk(grid, arriving).row).toMatchObject({ n: 91, version: 2 });
  for (const digest of [CHUNK_DIGEST, HEADER_DIGEST])
    for (const name of [...Object.keys(digest.of), digest.column])
      for (const value of [...flipsOf(grid[name])].slice(0, 8))
        expect(() => mergeChunk({ ...grid, [name]: value }, arriving)).toThrow(
          expect.objectContaining({ code: 'DATA_CORRUPT', place: `wear_chunk heart_rate 2025-06-02` }) as Error,
        );
});

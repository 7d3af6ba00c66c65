import fc from 'fast-check';
import { DAY_MS, mergeDays, packDay, unpackDay } from '../../../../src/domains/wearables/formats/chunk-codec.js';

const DAY = Date.UTC(2025, 2, 30);

function series(times: readonly number[], values: readonly number[]): { t: Float64Array; v: Float64Array } {
  return { t: Float64Array.from(times), v: Float64Array.from(values) };
}

function roundTrip(t: Float64Array, v: Float64Array): void {
  const packed = packDay(t, v);
  const back = unpackDay(packed.enc, packed.t0, packed.stepMs, packed.n, packed.bytes);
  expect(Buffer.from(back.t.buffer).equals(Buffer.from(t.buffer))).toBe(true);
  // Bytes, not numbers, so that -0 and the last bit count too.
  expect(Buffer.from(back.v.buffer).equals(Buffer.from(v.buffer))).toBe(true);
  expect([packed.min, packed.max]).toEqual([Math.min(...v), Math.max(...v)]);
}

const times = fc
  .uniqueArray(fc.integer({ min: 0, max: DAY_MS - 1 }), { minLength: 1, maxLength: 200 })
  .map((all) => all.sort((a, b) => a - b).map((t) => DAY + t));
const anyDouble = fc.double({ noNaN: true, noDefaultInfinity: true });
const values = fc.oneof(
  fc.constant(anyDouble),
  fc.constant(fc.integer({ min: -300, max: 300 })),
  fc.constant(fc.integer({ min: -9999, max: 9999 }).map((i) => i / 100)),
  fc.constant(fc.maxSafeInteger()),
);

test('any day of finite values comes back bit by bit', () => {
  fc.assert(
    fc.property(
      times.chain((t) => values.chain((value) => fc.tuple(fc.constant(t), fc.array(value, { minLength: t.length, maxLength: t.length })))),
      ([t, v]) => {
        roundTrip(Float64Array.from(t), Float64Array.from(v));
      },
    ),
    { numRuns: 400 },
  );
});

test('a regular grid of integers is enc 1, and a gap, a fraction or a negative time of day before 1970 is kept exactly', () => {
  const minutes = Array.from({ length: 1440 }, (_, index) => DAY + index * 60_000);
  const rates = minutes.map((_, index) => 60 + (index % 7));
  const whole = series(minutes, rates);
  expect(packDay(whole.t, whole.v)).toMatchObject({ enc: 1, stepMs: 60_000, t0: DAY, n: 1440 });
  roundTrip(whole.t, whole.v);
  const gap = series(
    minutes.filter((_, index) => index < 300 || index > 420),
    rates.filter((_, index) => index < 300 || index > 420),
  );
  expect(packDay(gap.t, gap.v).enc).toBe(2);
  roundTrip(gap.t, gap.v);
  const decimal = series(
    minutes,
    rates.map((rate) => rate + 0.1),
  );
  expect(packDay(decimal.t, decimal.v).enc).toBe(2);
  roundTrip(decimal.t, decimal.v);
  const before = series([-86_400_000, -1], [1, 2]);
  roundTrip(before.t, before.v);
  const zero = series([DAY, DAY + 1], [-0, 0]);
  roundTrip(zero.t, zero.v);
});

test('a day at 1 Hz comes back and its sums are those of doubles', () => {
  const t = Float64Array.from({ length: 86_400 }, (_, index) => DAY + index * 1000);
  const v = t.map((_, index) => 70 + Math.round(20 * Math.sin(index / 600)));
  const packed = packDay(t, v);
  roundTrip(t.slice(), v.slice());
  expect(packed.sum).toBe(v.reduce((sum, value) => sum + value, 0));
  expect(packed.sumSquares).toBe(v.reduce((sum, value) => sum + value * value, 0));
});

test('per-minute integer heart rate takes at most 0.6 bytes a sample', () => {
  const t = Float64Array.from({ length: 1440 }, (_, index) => DAY + index * 60_000);
  let state = 12_345;
  let rate = 62;
  const v = t.map(() => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    rate += Math.floor((state / 2 ** 32) * 3) - 1;
    return rate;
  });
  const { bytes, n } = packDay(t, v);
  expect(bytes.length / n).toBeLessThanOrEqual(0.6);
});

test('NaN, infinities, unsorted times and two UTC days are refused with the place', () => {
  const cases: [number[], number[], string][] = [
    [[DAY, DAY + 1], [1, Number.NaN], 'SAMPLE_INVALID'],
    [[DAY, DAY + 1], [1, Number.POSITIVE_INFINITY], 'SAMPLE_INVALID'],
    [[DAY, DAY], [1, 2], 'BAD_INPUT'],
    [[DAY + 1, DAY], [1, 2], 'BAD_INPUT'],
    [[], [], 'BAD_INPUT'],
    [[DAY, DAY + 1], [1], 'BAD_INPUT'],
    [[DAY, DAY + DAY_MS], [1, 2], 'TIME_INVALID'],
    [[DAY + 0.5], [1], 'TIME_INVALID'],
  ];
  for (const [t, v, code] of cases) {
    const given = series(t, v);
    expect(() => packDay(given.t, given.v)).toThrow(expect.objectContaining({ code }));
  }
});

test('damaged chunks raise a coded error instead of giving numbers of the wrong length', () => {
  const packed = packDay(series([DAY, DAY + 5, DAY + 7], [1, 2, 3]).t, Float64Array.of(1, 2, 3));
  for (const [enc, n, bytes] of [
    [2, 4, packed.bytes],
    [2, 2, packed.bytes],
    [3, 3, packed.bytes],
    [2, 3, packed.bytes.subarray(1)],
  ] as const) {
    expect(() => unpackDay(enc, packed.t0, packed.stepMs, n, bytes)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  }
});

test('merging keeps the first value of an instant and lists a different one', () => {
  const merged = mergeDays(series([1, 3, 5], [10, 30, 50]), series([5, 2, 3], [50, 20, 31]));
  expect([...merged.t]).toEqual([1, 2, 3, 5]);
  expect([...merged.v]).toEqual([10, 20, 30, 50]);
  expect(merged.conflicts).toEqual([{ t: 3, kept: 30, refused: 31 }]);
});

test('merging is idempotent, and without conflicts it does not depend on order or split', () => {
  const samples = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 99 })), {
    selector: ([t]) => t,
    maxLength: 60,
  });
  fc.assert(
    fc.property(samples, fc.nat(60), fc.nat(60), (all, cut, overlap) => {
      const [left, right] = [all.slice(0, cut), all.slice(Math.max(0, cut - overlap))];
      const [a, b] = [left, right].map((part) =>
        series(
          part.map(([t]) => t),
          part.map(([, v]) => v),
        ),
      );
      if (a === undefined || b === undefined) return;
      const sorted = [...all].sort((x, y) => x[0] - y[0]);
      for (const merged of [mergeDays(a, b), mergeDays(b, a), mergeDays(mergeDays(a, b), b)]) {
        expect(merged.conflicts).toEqual([]);
        expect([...merged.t]).toEqual(sorted.map(([t]) => t));
        expect([...merged.v]).toEqual(sorted.map(([, v]) => v));
      }
    }),
  );
});

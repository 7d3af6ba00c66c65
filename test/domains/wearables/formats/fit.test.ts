import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { fitFormat, readFit } from '../../../../src/domains/wearables/formats/fit.js';
import { writeFit } from '../../../../src/domains/wearables/formats/fit-write.js';
import { DATA, describeWithData, gather } from './support.js';

const FIT = path.join(DATA, 'fit');
const RECORD = 20;
/** Records of the Edge 500 ride whose cadence is not the invalid sentinel. */
const CADENCE_VALID = 10_565;

const START = Date.UTC(2025, 2, 30, 0, 0, 0);
const small = writeFit({
  serialNumber: 4711,
  records: [61, 62, 63].map((heartRate, index) => ({ t: START + index * 60_000, heartRate })),
  offsetMinutes: 120,
});

test('a written file is read back with its device, its instants and its local time', async () => {
  const { samples, faults } = await gather(fitFormat, small);
  expect(faults).toEqual([]);
  expect(samples).toEqual(
    [61, 62, 63].map((value, index) => ({
      patientKey: null,
      deviceId: '4711',
      metric: 'heart_rate',
      t: START + index * 60_000,
      offsetMinutes: 120,
      value,
      durationMs: null,
    })),
  );
});

test('any series of heart rates survives writing and reading', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 20, max: 254 }), { maxLength: 300 }),
      fc.integer({ min: 1, max: 0xffff_ffff }),
      async (rates, serialNumber) => {
        const bytes = writeFit({ serialNumber, records: rates.map((heartRate, index) => ({ t: START + index * 1000, heartRate })) });
        const { samples, faults } = await gather(fitFormat, bytes, { chunk: 100 });
        expect(faults).toEqual([]);
        expect(samples.map((sample) => sample.value)).toEqual(rates);
        expect(samples.every((sample) => sample.deviceId === String(serialNumber) && sample.offsetMinutes === null)).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
});

test('a cut file keeps every complete message and says in which segment and at which byte it ends', async () => {
  for (let length = 1; length < small.length; length += 1) {
    const cut = small.subarray(0, length);
    if (length < 12) {
      await expect(gather(fitFormat, cut)).rejects.toMatchObject({ code: 'FIT_HEADER' });
      continue;
    }
    const { samples, faults } = await gather(fitFormat, cut);
    expect(faults.map((fault) => fault.code)).toEqual(['FIT_TRUNCATED']);
    expect(faults[0]?.place).toMatch(/^segment 0, byte \d+$/);
    expect([61, 62, 63].slice(0, samples.length)).toEqual(samples.map((sample) => sample.value));
  }
});

test('a flipped bit in the data is reported as FIT_CRC and what was decoded is kept', async () => {
  const bytes = Uint8Array.from(small);
  const lastRate = bytes.lastIndexOf(63);
  bytes[lastRate] = 64;
  const { samples, faults } = await gather(fitFormat, bytes);
  expect(samples.map((sample) => sample.value)).toEqual([61, 62, 64]);
  expect(faults.map((fault) => fault.code)).toEqual(['FIT_CRC']);
});

test('random damage never throws anything but FIT_HEADER', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(small.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), async (flips) => {
      const bytes = Uint8Array.from(small);
      for (const [at, value] of flips) bytes[at] = value;
      try {
        await gather(fitFormat, bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: 'FIT_HEADER' });
      }
    }),
    { numRuns: 200 },
  );
});

test('chained files are read segment by segment, each with its own device', async () => {
  const other = writeFit({ serialNumber: 9, records: [{ t: START + 7_200_000, heartRate: 99 }] });
  const { samples } = await gather(fitFormat, Buffer.concat([small, other]));
  expect(samples.map((sample) => [sample.deviceId, sample.value, sample.offsetMinutes])).toEqual([
    ['4711', 61, 120],
    ['4711', 62, 120],
    ['4711', 63, 120],
    ['9', 99, null],
  ]);
  expect(readFit(Buffer.concat([small, other])).segments).toBe(2);
});

test('bytes that are no FIT file, and no bytes, are refused', async () => {
  await expect(gather(fitFormat, 'this is no FIT file at all')).rejects.toMatchObject({ code: 'FIT_HEADER', place: 'byte 0' });
  await expect(gather(fitFormat, '')).rejects.toMatchObject({ code: 'FILE_EMPTY' });
});

test('a device clock in the future is refused and the invalid sentinel is no sample', async () => {
  const bytes = writeFit({
    serialNumber: 1,
    records: [
      { t: START, heartRate: 60 },
      { t: START + 3_600_000, heartRate: 61 },
      { t: START, heartRate: 255 },
    ],
  });
  const { samples, faults } = await gather(fitFormat, bytes, { now: START });
  expect(samples.map((sample) => sample.value)).toEqual([60]);
  expect(faults.map((fault) => fault.code)).toEqual(['TIME_FUTURE']);
});

/** Wraps hand-made messages into a file with valid checksums. */
function wrap(...messages: number[][]): Uint8Array {
  const file = Buffer.from(writeFit({ serialNumber: 1, records: [] }));
  // A zero size makes the walker read to the end; only the order of messages matters to these tests.
  file.writeUInt32LE(0, 4);
  file.writeUInt16LE(0, 12);
  return Buffer.concat([file.subarray(0, file.length - 2), Buffer.from(messages.flat())]);
}

test('big-endian messages, developer fields and compressed timestamps are read', async () => {
  const seconds = 1_000_000_000;
  const stamp = Buffer.alloc(4);
  stamp.writeUInt32BE(seconds);
  const bytes = wrap(
    [0x62, 0, 1, 0, RECORD, 2, 253, 4, 0x86, 3, 1, 0x02, 1, 0, 2, 0],
    [0x02, ...stamp, 70, 0xaa, 0xbb],
    [0x43, 0, 1, 0, RECORD, 1, 7, 2, 0x84],
    [0x80 | (3 << 5) | ((seconds + 5) & 31), 0x01, 0x2c],
    [0x80 | (3 << 5) | ((seconds + 3) & 31), 0xff, 0xff],
    [0x80 | (3 << 5) | ((seconds + 3) & 31), 0x01, 0x2d],
  );
  const { samples } = await gather(fitFormat, bytes);
  const t = (seconds + 631_065_600) * 1000;
  expect(samples.map((sample) => [sample.metric, sample.value, sample.t - t])).toEqual([
    ['heart_rate', 70, 0],
    ['power', 300, 5000],
    ['power', 301, 35_000],
  ]);
});

describeWithData('the public FIT files', () => {
  const names = readdirSync(FIT).filter((name) => name.endsWith('.fit'));
  const bytesOf = (name: string): Buffer => readFileSync(path.join(FIT, name));

  test('all 29 are read whole, or salvaged with a reason', async () => {
    expect(names.length).toBe(29);
    const reasons: Record<string, string[]> = {};
    for (const name of names) {
      const report = readFit(bytesOf(name));
      expect([...report.messages.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
      const { faults } = await gather(fitFormat, bytesOf(name));
      const structural = faults.map((fault) => fault.code).filter((code) => code.startsWith('FIT_'));
      expect(structural).toEqual(report.faults.map((fault) => fault.code));
      if (structural.length > 0) reasons[name] = structural;
    }
    expect(reasons).toEqual({
      'activity-activity-filecrc.fit': ['FIT_CRC'],
      'activity-filecrc.fit': ['FIT_CRC'],
      'activity-settings-nodata.fit': ['FIT_TRUNCATED'],
      // The size in the header is patched to the length of the file, but the last message is cut.
      'nick.fit': ['FIT_MESSAGE', 'FIT_CRC'],
      'strava-android-app-201.10-b1218918.fit': ['FIT_TRUNCATED'],
    });
  });

  test('the Edge 500 ride equals its CSV row by row', async () => {
    const { samples, faults } = await gather(fitFormat, bytesOf('garmin-edge-500-activity.fit'));
    const rows = readFileSync(path.join(FIT, 'garmin-edge-500-activity-records.csv'), 'utf8')
      .trim()
      .split(/\r?\n/)
      .slice(1)
      .map((row) => row.split(','));
    expect(rows.length).toBe(10_686);
    const stampOf = (text: string): number => Date.parse(`${text.slice(4, 10)} 2011 ${text.slice(11, 19)} GMT-0700`);
    const column = (index: number): [number, number][] =>
      rows.filter((row) => row[index] !== '').map((row) => [stampOf(row[0] ?? ''), Number(row[index])]);
    for (const [metric, index] of [
      ['heart_rate', 1],
      ['cadence', 2],
      ['speed', 3],
      ['altitude', 7],
      ['ambient_temperature', 8],
    ] as const) {
      const read = samples.filter((sample) => sample.metric === metric);
      expect(read.length).toBe(metric === 'cadence' ? CADENCE_VALID : 10_686);
      let at = 0;
      for (const [t, value] of column(index)) {
        // The table writes 0 where the file holds the invalid sentinel; such a cadence is missing here, not zero (W51).
        if (read[at]?.t === t && read[at]?.value === value) at += 1;
        else expect([metric, value]).toEqual(['cadence', 0]);
      }
      expect(at).toBe(read.length);
    }
    const distances = column(4);
    const sum = samples.filter((sample) => sample.metric === 'distance').reduce((total, sample) => total + sample.value, 0);
    expect(sum).toBeCloseTo((distances[distances.length - 1]?.[1] ?? 0) - (distances[0]?.[1] ?? 0), 3);
    expect(faults).toEqual([]);
    expect(readFit(bytesOf('garmin-edge-500-activity.fit')).messages.get(RECORD)).toBe(10_686);
  });

  test('chained files are read to their last segment', () => {
    expect(readFit(bytesOf('event_timestamp.fit')).segments).toBe(5);
    expect(readFit(bytesOf('activity-activity-filecrc.fit')).segments).toBe(2);
    expect(readFit(bytesOf('activity-settings.fit')).segments).toBe(2);
    expect(readFit(bytesOf('activity-settings-nodata.fit')).segments).toBe(2);
  });

  test('compressed timestamps that count from power-up are no instants: each record is refused, none is dropped silently', async () => {
    const bytes = bytesOf('compressed-speed-distance.fit');
    expect(readFit(bytes).messages.get(RECORD)).toBe(755);
    const { samples, faults } = await gather(fitFormat, bytes);
    expect(samples).toEqual([]);
    expect(new Set(faults.map((fault) => fault.code))).toEqual(new Set(['TIME_INVALID']));
    expect(new Set(faults.map((fault) => fault.ordinal)).size).toBeGreaterThan(700);
  });
});

import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { checkBody, checkHeader } from '../../../../src/domains/wearables/formats/omh-check.js';
import { omhSchema } from '../../../../src/domains/wearables/formats/omh-schemas.js';
import { omhFormat } from '../../../../src/domains/wearables/formats/omh.js';
import { DATA, describeWithData, filesUnder, gather } from './support.js';

function point(body: object, schema = { namespace: 'omh', name: 'heart-rate', version: '2.0' }): Record<string, unknown> {
  return {
    header: { uuid: 'u-1', schema_id: schema, source_creation_date_time: '2025-01-01T00:00:00Z', user_id: 'p-7', modality: 'sensed' },
    body,
  };
}

function heartRate(value: unknown, time = '2025-03-01T08:00:00+01:00', unit = 'beats/min'): Record<string, unknown> {
  return point({ heart_rate: { value, unit }, effective_time_frame: { date_time: time } });
}

test('a data point becomes a sample in the unit of its metric with its own offset', async () => {
  const { samples, faults } = await gather(omhFormat, JSON.stringify(heartRate(61)));
  expect(faults).toEqual([]);
  expect(samples).toEqual([
    { patientKey: 'p-7', deviceId: null, metric: 'heart_rate', t: Date.UTC(2025, 2, 1, 7), offsetMinutes: 60, value: 61, durationMs: null },
  ]);
});

test('blood pressure gives two samples, an interval its start and length, and units are converted', async () => {
  const frame = { time_interval: { end_date_time: '2025-03-01T08:00:00Z', duration: { value: 8, unit: 'h' } } };
  const { samples } = await gather(
    omhFormat,
    JSON.stringify([
      point(
        {
          systolic_blood_pressure: { value: 120, unit: 'mmHg' },
          diastolic_blood_pressure: { value: 80, unit: 'mmHg' },
          effective_time_frame: { date_time: '2025-03-01T08:00:00Z' },
        },
        { namespace: 'omh', name: 'blood-pressure', version: '4.0' },
      ),
      point(
        { sleep_duration: { value: 7, unit: 'h' }, effective_time_frame: frame },
        { namespace: 'omh', name: 'sleep-duration', version: '2.0' },
      ),
      { body_weight: { value: 100, unit: 'lb' }, effective_time_frame: { date_time: '2025-03-01T08:00:00Z' } },
      { blood_glucose: { value: 5, unit: 'mmol/L' }, effective_time_frame: { date_time: '2025-03-01T08:00:00Z' } },
    ]),
  );
  expect(samples.map(({ metric, value, t, durationMs }) => [metric, Number(value.toFixed(3)), t, durationMs])).toEqual([
    ['blood_pressure_systolic', 120, Date.UTC(2025, 2, 1, 8), null],
    ['blood_pressure_diastolic', 80, Date.UTC(2025, 2, 1, 8), null],
    ['sleep_duration', 25_200, Date.UTC(2025, 2, 1), 28_800_000],
    ['body_weight', 45.359, Date.UTC(2025, 2, 1, 8), null],
    ['blood_glucose', 90.078, Date.UTC(2025, 2, 1, 8), null],
  ]);
});

test('each bad data point gives one coded fault with its JSON pointer, and its neighbours are kept', async () => {
  const bad: [object, string, string][] = [
    [heartRate('61'), 'OMH_SCHEMA', '/body/heart_rate/value'],
    [heartRate(61, undefined, 'bpm'), 'OMH_SCHEMA', '/body/heart_rate/unit'],
    [heartRate(61, '2025-03-01T08:00:00'), 'TIME_INVALID', '/body/effective_time_frame/date_time'],
    [heartRate(61, '2025-02-30T08:00:00Z'), 'TIME_INVALID', '/body/effective_time_frame/date_time'],
    [heartRate(61, '2026-01-01T00:05:01Z'), 'TIME_FUTURE', '/body/effective_time_frame'],
    [heartRate(900), 'SAMPLE_INVALID', '/body/heart_rate'],
    [point({}, { namespace: 'omh', name: 'pace', version: '1.0' }), 'OMH_UNKNOWN', '/header/schema_id'],
    [point({}), 'OMH_SCHEMA', '/body/heart_rate'],
    [{ body: {} }, 'OMH_SCHEMA', '/header'],
    [{ mood: 1 }, 'OMH_UNKNOWN', ''],
  ];
  const text = [heartRate(60), ...bad.map(([given]) => given), heartRate(62)].map((given) => JSON.stringify(given)).join('\n');
  const { samples, faults } = await gather(omhFormat, text);
  expect(samples.map((sample) => sample.value)).toEqual([60, 62]);
  expect(faults.map((fault) => [fault.ordinal, fault.code, fault.place.split('#')[1]])).toEqual(
    bad.map(([, code, pointer], index) => [index + 1, code, pointer]),
  );
  expect(faults.every((fault) => !/61|900|bpm/.test(fault.reason))).toBe(true);
});

test('a broken NDJSON line costs one record and a cut list is reported after what was read', async () => {
  const lines = [60, 61, 62].map((value) => JSON.stringify(heartRate(value)));
  const ndjson = await gather(omhFormat, [lines[0], lines[1]?.slice(0, 50), lines[2]].join('\n'), { chunk: 7 });
  expect(ndjson.samples.map((sample) => sample.value)).toEqual([60, 62]);
  expect(ndjson.faults.map((fault) => [fault.ordinal, fault.code])).toEqual([[1, 'JSON_INVALID']]);
  const cut = await gather(omhFormat, `[${lines.join(',\n')}`.slice(0, -20));
  expect(cut.samples.map((sample) => sample.value)).toEqual([60, 61]);
  expect(cut.faults.map((fault) => fault.code)).toEqual(['JSON_INVALID', 'JSON_INVALID']);
  await expect(gather(omhFormat, '')).rejects.toMatchObject({ code: 'FILE_EMPTY' });
});

test('array, NDJSON and pretty-printed forms in any chunk size give the same samples', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 20, max: 300 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 400 }),
      async (rates, chunk) => {
        const points = rates.map((rate) => ({ ...heartRate(rate), note: 'a "}]{[\\ \u00e9' }));
        for (const text of [
          JSON.stringify(points),
          JSON.stringify(points, null, 2),
          points.map((each) => JSON.stringify(each)).join('\n'),
          points.map((each) => JSON.stringify(each, null, 1)).join('\n'),
        ]) {
          const { samples, faults } = await gather(omhFormat, text, { chunk });
          expect(faults).toEqual([]);
          expect(samples.map((sample) => sample.value)).toEqual(rates);
        }
      },
    ),
    { numRuns: 40 },
  );
});

describeWithData('the Open mHealth test data', () => {
  test('every case of a schema that is read agrees with its folder', () => {
    const root = path.join(DATA, 'openmhealth/test-data/omh');
    const disagree: string[] = [];
    let cases = 0;
    for (const file of filesUnder(root).filter((name) => name.endsWith('.json'))) {
      const [name = '', version = '', verdict = ''] = path.relative(root, file).split(path.sep);
      if (omhSchema(name) === undefined && name !== 'header') continue;
      cases += 1;
      const body: unknown = JSON.parse(readFileSync(file, 'utf8'));
      const broken = name === 'header' ? checkHeader(body) : checkBody(name, version, body);
      if ((broken === null) !== (verdict === 'shouldPass')) disagree.push(`${path.relative(root, file)} ${broken?.pointer ?? ''}`);
    }
    expect(disagree).toEqual([]);
    expect(cases).toBe(211);
  });
});

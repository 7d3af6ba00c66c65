import { parseInstant } from '../../../../src/domains/wearables/formats/instant.js';
import { METRICS, METRIC_NAMES, conversionOf, convert, isMetric } from '../../../../src/domains/wearables/formats/metrics.js';
import { refusal } from '../../../../src/domains/wearables/formats/sample.js';
import { NOW } from './support.js';

test('each metric accepts its own unit unchanged and has a range', () => {
  for (const name of METRIC_NAMES) {
    expect(conversionOf(name, METRICS[name].unit)).toEqual({ factor: 1, shift: 0 });
    expect(METRICS[name].min).toBeLessThan(METRICS[name].max);
  }
  expect(isMetric('heart_rate')).toBe(true);
  expect(isMetric('toString')).toBe(false);
});

test.each([
  ['body_temperature', 98.6, 'degF', 37],
  ['body_weight', 1, 'lb', 0.45359237],
  ['distance', 1, 'mi', 1609.344],
  ['body_height', 1.8, 'm', 180],
  ['blood_glucose', 10, 'mmol/L', 180.156],
  ['speed', 36, 'km/h', 10],
  ['heart_rate', 1.5, 'count/s', 90],
] as const)('%s: %d %s is %d of its own unit', (metric, value, unit, expected) => {
  expect(convert(metric, value, unit)).toBeCloseTo(expected, 9);
});

test('a unit of another metric or an inherited name is unknown', () => {
  expect(convert('heart_rate', 1, 'kg')).toBeNull();
  expect(convert('heart_rate', 1, 'constructor')).toBeNull();
});

test.each([
  ['2024-01-01 01:01:36 +0200', Date.UTC(2023, 11, 31, 23, 1, 36), 120],
  ['2020-02-05T09:25:00.123-08:00', Date.UTC(2020, 1, 5, 17, 25, 0, 123), -480],
  ['2020-02-29T00:00Z', Date.UTC(2020, 1, 29), 0],
])('%s is an instant with its offset', (text, t, offsetMinutes) => {
  expect(parseInstant(text)).toEqual({ t, offsetMinutes });
});

test.each([
  '2020-02-05T09:25:00',
  '2020-02-05',
  '2021-02-29T00:00Z',
  '2020-01-01T24:00Z',
  '2020-01-01T00:00+15:00',
  '2020-01-01T00:00:00.Z',
  'x',
  '',
])('%s is no instant', (text) => {
  expect(parseInstant(text)).toBeNull();
});

test('NaN, a negative step, a time before 1970 and one in the year 2099 are refused', () => {
  expect(refusal('heart_rate', 0, Number.NaN, NOW)).toBe('SAMPLE_INVALID');
  expect(refusal('steps', 0, -1, NOW)).toBe('SAMPLE_INVALID');
  expect(refusal('steps', -1, 1, NOW)).toBe('TIME_INVALID');
  expect(refusal('steps', Date.UTC(2099, 0), 1, NOW)).toBe('TIME_FUTURE');
  expect(refusal('steps', NOW + 300_000, 1, NOW)).toBeNull();
});

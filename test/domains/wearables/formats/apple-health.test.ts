import { readFileSync } from 'node:fs';
import path from 'node:path';
import { appleHealthFormat } from '../../../../src/domains/wearables/formats/apple-health.js';
import { DATA, describeWithData, gather } from './support.js';

function record(type: string, value: string, unit: string, extra = ''): string {
  return `<Record type="HKQuantityTypeIdentifier${type}" unit="${unit}" startDate="2024-01-01 01:01:36 +0200" endDate="2024-01-01 01:01:36 +0200" value="${value}" ${extra}/>`;
}

function document(body: string, doctype = ''): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${doctype}<HealthData locale="en_NL">${body}</HealthData>`;
}

const START = Date.UTC(2023, 11, 31, 23, 1, 36);

test('records keep the stated offset and come in the unit of the metric', async () => {
  const device = 'device="&lt;&lt;HKDevice: 0x30&gt;, name:Apple Watch, hardware:Watch6,7, software:10&gt;"';
  const body =
    record('HeartRate', '74', 'count/min', device) +
    record('BodyMass', '100', 'lb') +
    record('OxygenSaturation', '0.97', '%') +
    record('BodyTemperature', '98.6', 'degF');
  const { samples, faults } = await gather(appleHealthFormat, document(body), { chunk: 11 });
  expect(faults).toEqual([]);
  expect(
    samples.map(({ metric, value, t, offsetMinutes, deviceId }) => [metric, Number(value.toFixed(3)), t, offsetMinutes, deviceId]),
  ).toEqual([
    ['heart_rate', 74, START, 120, 'Apple Watch Watch6,7'],
    ['body_weight', 45.359, START, 120, null],
    ['oxygen_saturation', 97, START, 120, null],
    ['body_temperature', 37, START, 120, null],
  ]);
});

test('a truncated export keeps the records before the cut and is marked incomplete', async () => {
  const whole = document([70, 71, 72].map((rate) => record('HeartRate', String(rate), 'count/min')).join('\n'));
  const { samples, faults } = await gather(appleHealthFormat, whole.slice(0, whole.lastIndexOf('value=')));
  expect(samples.map((sample) => sample.value)).toEqual([70, 71]);
  expect(faults.map((fault) => [fault.code, fault.reason.startsWith('INCOMPLETE')])).toEqual([['XML_INVALID', true]]);
});

test('a bad record gives one fault with its ordinal and the bytes, and malformed XML stops reading with a place', async () => {
  const body = [
    record('HeartRate', 'x', 'count/min'),
    record('HeartRate', '70', 'furlong'),
    record('HeartRate', '999', 'count/min'),
    record('HeartRate', '70', 'count/min').replaceAll(' +0200', ''),
    record('HeartRate', '71', 'count/min'),
  ].join('\n');
  const { samples, faults } = await gather(appleHealthFormat, document(`${body}<a></b>`));
  expect(samples.map((sample) => sample.value)).toEqual([71]);
  expect(faults.map((fault) => [fault.ordinal, fault.code])).toEqual([
    [0, 'SAMPLE_INVALID'],
    [1, 'UNIT_UNKNOWN'],
    [2, 'SAMPLE_INVALID'],
    [3, 'TIME_INVALID'],
    [5, 'XML_INVALID'],
  ]);
  expect(Buffer.from(faults[1]?.bytes ?? []).toString()).toContain('unit="furlong"');
  expect(faults[4]?.place).toMatch(/^line \d+, column \d+$/);
});

test('an internal DTD is skipped; external subsets and entities are refused and entity bombs are not expanded', async () => {
  const internal = '<!DOCTYPE HealthData [\n<!ELEMENT HealthData (Record*)>\n<!ATTLIST Record type CDATA #REQUIRED>\n]>';
  expect((await gather(appleHealthFormat, document(record('HeartRate', '70', 'bpm'), internal))).samples.length).toBe(1);
  for (const doctype of [
    '<!DOCTYPE HealthData SYSTEM "http://x/y.dtd">',
    '<!DOCTYPE HealthData [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE HealthData [<!ENTITY % p PUBLIC "a" "b">]>',
  ]) {
    await expect(gather(appleHealthFormat, document('', doctype))).rejects.toMatchObject({ code: 'XML_DTD' });
  }
  const bomb = await gather(appleHealthFormat, document('&a;', '<!DOCTYPE HealthData [<!ENTITY a "aaaa">]>'));
  expect(bomb.faults.map((fault) => fault.code)).toEqual(['XML_INVALID']);
  await expect(gather(appleHealthFormat, '<other/>')).rejects.toMatchObject({ code: 'FORMAT_UNKNOWN' });
});

test('one endless token is refused instead of filling the memory', async () => {
  const endless = document(`<Record value="${'1'.repeat(6_000_000)}"/>`);
  await expect(gather(appleHealthFormat, endless)).rejects.toMatchObject({ code: 'LIMIT_RECORD' });
});

describeWithData('the public Apple Health export', () => {
  test('its records are read and the types without a metric are named', async () => {
    const { samples, faults } = await gather(appleHealthFormat, readFileSync(path.join(DATA, 'apple-health/alxdrcirilo-export.xml')));
    expect(samples.filter(({ metric }) => metric === 'heart_rate').map(({ t, value, offsetMinutes }) => [t, value, offsetMinutes])).toEqual(
      [
        [START, 74, 120],
        [START + 1000, 75, 120],
      ],
    );
    expect(samples.filter(({ metric }) => metric === 'energy').map(({ value, durationMs }) => [value, durationMs])).toEqual([
      [0.12, 31_000],
      [0.08, 31_000],
    ]);
    expect(faults.map((fault) => [fault.code, fault.reason])).toEqual([
      ['METRIC_UNKNOWN', '1 records of type HKQuantityTypeIdentifierAppleStandTime have no metric'],
    ]);
  });
});

import type { MetricName } from './metrics.js';

/**
 * The part of the public FIT profile that is read: numbers of messages and fields, scale and offset.
 * Written from the protocol description (FIT 2.x); value = raw / scale - offset.
 */

/** Seconds from 1970 to the FIT epoch, 1989-12-31T00:00:00Z. */
export const FIT_EPOCH_S = 631_065_600;
/** Smaller date_time values count seconds since power-up and are no instants. */
export const FIT_TIME_MIN = 0x1000_0000;

export const MESSAGE = {
  file_id: 0,
  session: 18,
  lap: 19,
  record: 20,
  event: 21,
  device_info: 23,
  weight_scale: 30,
  activity: 34,
  blood_pressure: 51,
  monitoring: 55,
  hrv: 78,
  spo2_data: 269,
  respiration_rate: 297,
} as const;

export const FIELD_TIMESTAMP = 253;

export const FIELD = {
  file_id: { type: 0, manufacturer: 1, product: 2, serial_number: 3, time_created: 4 },
  session: { start_time: 2, total_elapsed_time: 7, total_timer_time: 8, total_calories: 11 },
  record: { heart_rate: 3, distance: 5, compressed_speed_distance: 8 },
  activity: { local_timestamp: 5 },
  monitoring: { distance: 2, cycles: 3, activity_type: 5, current_activity_type_intensity: 24, timestamp_16: 26 },
  hrv: { time: 0 },
} as const;

/** activity_type values whose cycles are counted as steps. */
export const ACTIVITY_RUNNING = 1;
export const ACTIVITY_WALKING = 6;

/** One scalar field that becomes one sample; the first of several fields of a metric that holds a value wins. */
export interface ScalarField {
  readonly field: number;
  readonly metric: MetricName;
  readonly scale: number;
  readonly offset: number;
}

function scalar(field: number, metric: MetricName, scale = 1, offset = 0): ScalarField {
  return { field, metric, scale, offset };
}

/** Scalar fields by global message number. The enhanced (wider) form of a field stands before the plain one. */
export const SCALARS: ReadonlyMap<number, readonly ScalarField[]> = new Map([
  [
    MESSAGE.record,
    [
      scalar(3, 'heart_rate'),
      scalar(4, 'cadence'),
      scalar(73, 'speed', 1000),
      scalar(6, 'speed', 1000),
      scalar(78, 'altitude', 5, 500),
      scalar(2, 'altitude', 5, 500),
      scalar(7, 'power'),
      scalar(13, 'ambient_temperature'),
      scalar(108, 'respiratory_rate', 100),
      scalar(99, 'respiratory_rate'),
    ],
  ],
  [MESSAGE.monitoring, [scalar(27, 'heart_rate')]],
  [MESSAGE.weight_scale, [scalar(0, 'body_weight', 100)]],
  [MESSAGE.blood_pressure, [scalar(0, 'blood_pressure_systolic'), scalar(1, 'blood_pressure_diastolic'), scalar(6, 'heart_rate')]],
  [MESSAGE.spo2_data, [scalar(0, 'oxygen_saturation')]],
  [MESSAGE.respiration_rate, [scalar(0, 'respiratory_rate', 100)]],
]);

/** Reads one value; NaN stands for the invalid sentinel of the base type. */
export type FieldReader = (view: DataView, at: number) => number;

interface BaseType {
  readonly size: number;
  reader(littleEndian: boolean): FieldReader;
}

function unless(invalid: number, read: FieldReader): FieldReader {
  return (view, at) => {
    const value = read(view, at);
    return value === invalid ? Number.NaN : value;
  };
}

const U8: FieldReader = (view, at) => view.getUint8(at);
const ORDERED = {
  u16:
    (little: boolean): FieldReader =>
    (view, at) =>
      view.getUint16(at, little),
  u32:
    (little: boolean): FieldReader =>
    (view, at) =>
      view.getUint32(at, little),
  u64:
    (little: boolean): FieldReader =>
    (view, at) =>
      Number(view.getBigUint64(at, little)),
};

/** Base types by number (the low five bits; bit 7 only says that the type has an endian form). */
const BASE_TYPES: readonly BaseType[] = [
  { size: 1, reader: () => unless(0xff, U8) },
  { size: 1, reader: () => unless(0x7f, (view, at) => view.getInt8(at)) },
  { size: 1, reader: () => unless(0xff, U8) },
  { size: 2, reader: (little) => unless(0x7fff, (view, at) => view.getInt16(at, little)) },
  { size: 2, reader: (little) => unless(0xffff, ORDERED.u16(little)) },
  { size: 4, reader: (little) => unless(0x7fff_ffff, (view, at) => view.getInt32(at, little)) },
  { size: 4, reader: (little) => unless(0xffff_ffff, ORDERED.u32(little)) },
  { size: 1, reader: () => unless(0, U8) },
  { size: 4, reader: (little) => (view, at) => view.getFloat32(at, little) },
  { size: 8, reader: (little) => (view, at) => view.getFloat64(at, little) },
  { size: 1, reader: () => unless(0, U8) },
  { size: 2, reader: (little) => unless(0, ORDERED.u16(little)) },
  { size: 4, reader: (little) => unless(0, ORDERED.u32(little)) },
  { size: 1, reader: () => unless(0xff, U8) },
  { size: 8, reader: (little) => unless(2 ** 63, (view, at) => Number(view.getBigInt64(at, little))) },
  { size: 8, reader: (little) => unless(2 ** 64, ORDERED.u64(little)) },
  { size: 8, reader: (little) => unless(0, ORDERED.u64(little)) },
];

/** The reader of a base type, or null when the field cannot hold one whole element of it. */
export function fieldReader(baseType: number, size: number, littleEndian: boolean): FieldReader | null {
  const type = BASE_TYPES[baseType & 0x1f];
  return type === undefined || size < type.size || size % type.size !== 0 ? null : type.reader(littleEndian);
}

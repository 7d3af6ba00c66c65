import {
  Patient,
  SCALARS,
  collection,
  column,
  computed,
  entity,
  extension,
  reader,
  reference,
  value,
  valueType,
  type Filter,
} from '../../kernel/index.js';
import { CHUNK_COLUMNS, WINDOW_SIZES_MS, readSeries, readWindows } from './readers.js';

/** Filters of every list of days. */
export const DAY_FILTERS: readonly Filter[] = [
  { argument: 'metric', description: 'Only this metric, for example heart_rate.', type: 'String', column: 'metric', operator: 'eq' },
  { argument: 'from', description: 'Days from this one on.', type: 'LocalDate', column: 'day', operator: 'gte' },
  { argument: 'to', description: 'Days before this one.', type: 'LocalDate', column: 'day', operator: 'lt' },
];

/** One metric of one device on one UTC day; its samples are packed in the same row and are served by readers only. */
@entity('WearableDay', {
  description: 'What one device recorded of one metric on one UTC day, in numbers that merge.',
  table: 'wear_chunk',
  key: ['patient_id', 'metric', 'device', 'day'],
  tags: ['pseudonym', 'wearable'],
  modality: 'WEARABLES',
  patient: 'patient_id',
  fhir: 'Observation',
  occurred: 't0',
})
export class WearableDay {
  @column({
    column: 'id',
    type: 'uuid',
    required: true,
    tags: ['pseudonym', 'wearable'],
    safeHarbor: 'R',
    description: 'Opaque identifier.',
  })
  id!: string;
  @column({
    column: 'metric',
    type: 'text',
    tags: ['wearable'],
    safeHarbor: 'none',
    description: 'What was measured, for example heart_rate or steps.',
  })
  metric!: string | null;
  @column({ column: 'unit', type: 'text', tags: ['wearable'], safeHarbor: 'none', description: 'UCUM unit of every value of the metric.' })
  unit!: string | null;
  @column({
    column: 'device',
    type: 'text',
    tags: ['pii.direct'],
    safeHarbor: 'M',
    description: 'Device as the source names it, mostly its serial number.',
  })
  device!: string | null;
  @column({ column: 'day', type: 'date', tags: ['pii.quasi'], safeHarbor: 'C', description: 'UTC day of the samples.' })
  day!: string | null;
  @column({ column: 'n', type: 'int', tags: ['wearable'], safeHarbor: 'none', description: 'Number of samples.' })
  count!: number | null;
  @column({ column: 'mn', type: 'float8', tags: ['wearable'], safeHarbor: 'none', description: 'Smallest value.' })
  minimum!: number | null;
  @column({ column: 'mx', type: 'float8', tags: ['wearable'], safeHarbor: 'none', description: 'Largest value.' })
  maximum!: number | null;
  @computed({
    from: [
      { column: 'sm', type: 'float8' },
      { column: 'n', type: 'int' },
    ],
    type: 'float8',
    sql: '({sm} / nullif({n}, 0))',
    js: (row) => (Number(row['n']) === 0 || row['sm'] === null ? null : Number(row['sm']) / Number(row['n'])),
    tags: ['wearable'],
    safeHarbor: 'none',
    description: 'Mean of the samples.',
  })
  mean!: number | null;
  @column({
    column: 'sm',
    type: 'float8',
    tags: ['wearable'],
    safeHarbor: 'none',
    description: 'Sum of the values; the total of the day for counts such as steps.',
  })
  sum!: number | null;
  @reference({
    to: () => Patient,
    on: [['patient_id', 'patient_id']],
    tags: ['pseudonym'],
    safeHarbor: 'none',
    description: 'The person who wore the device.',
  })
  patient!: unknown;
}

/** A device that recorded something of a person. */
@entity('WearableDevice', {
  description: 'A device that recorded something of a person.',
  table: 'wear_device',
  key: ['patient_id', 'device'],
  tags: ['pseudonym', 'wearable'],
  modality: 'WEARABLES',
  patient: 'patient_id',
  fhir: 'Device',
})
export class WearableDevice {
  @column({
    column: 'id',
    type: 'uuid',
    required: true,
    tags: ['pseudonym', 'wearable'],
    safeHarbor: 'R',
    description: 'Opaque identifier.',
  })
  id!: string;
  @column({
    column: 'device',
    type: 'text',
    tags: ['pii.direct'],
    safeHarbor: 'M',
    description: 'Device as the source names it, mostly its serial number.',
  })
  device!: string | null;
  @column({
    column: 'source',
    type: 'text',
    tags: ['wearable'],
    safeHarbor: 'none',
    description: 'Format of the file in which it was first seen.',
  })
  source!: string | null;
  @column({ column: 'first_at', type: 'timestamptz', tags: ['pii.quasi'], safeHarbor: 'C', description: 'Instant of its first sample.' })
  firstAt!: string | null;
  @column({ column: 'last_at', type: 'timestamptz', tags: ['pii.quasi'], safeHarbor: 'C', description: 'Instant of its last sample.' })
  lastAt!: string | null;
}

@valueType('WearableSample', 'One raw sample of a device.')
export class WearableSample {
  @value({
    type: () => SCALARS.DateTime,
    required: true,
    tags: ['wearable.raw'],
    safeHarbor: 'C',
    description: 'When it was measured; the start where it covers an interval.',
  })
  t!: string;
  @value({
    type: () => SCALARS.Float,
    required: true,
    tags: ['wearable.raw'],
    safeHarbor: 'none',
    description: 'Value in the unit beside it.',
  })
  value!: number;
  @value({ type: () => SCALARS.String, required: true, tags: ['wearable.raw'], safeHarbor: 'none', description: 'UCUM unit of the value.' })
  unit!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['wearable.raw'], safeHarbor: 'M', description: 'Device that measured it.' })
  device!: string;
}

@valueType('WearableWindow', 'Samples of one metric in a half-open window of time, from one device.')
export class WearableWindow {
  @value({ type: () => SCALARS.DateTime, required: true, tags: ['wearable'], safeHarbor: 'C', description: 'First instant of the window.' })
  start!: string;
  @value({
    type: () => SCALARS.DateTime,
    required: true,
    tags: ['wearable'],
    safeHarbor: 'C',
    description: 'First instant after the window.',
  })
  end!: string;
  @value({ type: () => SCALARS.Int, required: true, tags: ['wearable'], safeHarbor: 'none', description: 'Number of samples.' })
  n!: number;
  @value({
    type: () => SCALARS.Int,
    tags: ['wearable'],
    safeHarbor: 'none',
    description: 'Samples that the usual step of the device leads one to expect; null where the metric has no grid.',
  })
  expectedN!: number | null;
  @value({
    type: () => SCALARS.Float,
    tags: ['wearable'],
    safeHarbor: 'none',
    description: 'Share of the expected samples that are there, from 0 to 1.',
  })
  coverage!: number | null;
  @value({
    type: () => SCALARS.Float,
    tags: ['wearable'],
    safeHarbor: 'none',
    description: 'Mean of the values; null in a window without samples.',
  })
  mean!: number | null;
  @value({
    type: () => SCALARS.Float,
    tags: ['wearable'],
    safeHarbor: 'none',
    description: 'Smallest value; null in a window without samples.',
  })
  min!: number | null;
  @value({
    type: () => SCALARS.Float,
    tags: ['wearable'],
    safeHarbor: 'none',
    description: 'Largest value; null in a window without samples.',
  })
  max!: number | null;
  @value({
    type: () => SCALARS.Float,
    tags: ['wearable'],
    safeHarbor: 'none',
    description: 'Sum of the values; null in a window without samples.',
  })
  sum!: number | null;
}

const RANGE = [
  { argument: 'metric', description: 'The metric, for example heart_rate.', type: 'String', required: true },
  { argument: 'from', description: 'Samples at or after this instant.', type: 'DateTime', required: true },
  { argument: 'to', description: 'Samples before this instant.', type: 'DateTime', required: true },
] as const;

/** What the wearables product knows of a person. */
@extension(() => Patient)
export class PatientFields {
  @collection({
    of: () => WearableDay,
    on: [['patient_id', 'patient_id']],
    filters: DAY_FILTERS,
    tags: ['wearable'],
    safeHarbor: 'none',
    description: 'Days of the devices of the person, by metric, device and day.',
  })
  wearableDays!: unknown;
  @collection({
    of: () => WearableDevice,
    on: [['patient_id', 'patient_id']],
    filters: [],
    tags: ['wearable'],
    safeHarbor: 'none',
    description: 'Devices of the person.',
  })
  wearableDevices!: unknown;
  @reader({
    returns: () => WearableSample,
    list: true,
    parent: ['patient_id'],
    reads: [{ of: () => WearableDay, columns: CHUNK_COLUMNS }],
    arguments: [
      ...RANGE,
      {
        argument: 'maxPoints',
        description: 'Thins the samples to this many at most and keeps their shape (LTTB); every point is a real sample.',
        type: 'Int',
      },
    ],
    load: (source, parents, args) => readSeries(source, () => WearableDay, parents, args),
    tags: ['wearable.raw'],
    safeHarbor: 'C',
    description: 'Raw samples of one metric in order of time, all devices, over at most 400 days.',
  })
  wearableSeries!: unknown;
  @reader({
    returns: () => WearableWindow,
    list: true,
    parent: ['patient_id'],
    reads: [{ of: () => WearableDay, columns: CHUNK_COLUMNS }],
    arguments: [
      ...RANGE,
      { argument: 'size', description: `Length of a window: ${Object.keys(WINDOW_SIZES_MS).join(', ')}.`, type: 'String', required: true },
      { argument: 'fill', description: 'Gives windows without samples too, with null values.', type: 'Boolean' },
    ],
    load: (source, parents, args) => readWindows(source, () => WearableDay, parents, args),
    tags: ['wearable'],
    safeHarbor: 'C',
    description:
      'One metric in windows of equal length counted from the start of the range; where devices overlap the first by name stands for the window.',
  })
  wearableWindows!: unknown;
}

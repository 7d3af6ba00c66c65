import { parseInstant } from './instant.js';
import { omhSchema } from './omh-schemas.js';
import type { OmhMeasure, OmhSchema } from './omh-schemas.js';

export type JsonObject = Readonly<Record<string, unknown>>;

/** A rule of the schema that the data point breaks. */
export interface OmhViolation {
  readonly code: 'OMH_SCHEMA' | 'TIME_INVALID';
  /** JSON pointer inside the data point. */
  readonly pointer: string;
  readonly reason: string;
}

/** The interval or instant of a body; start and end are equal for an instant. */
export interface OmhTime {
  readonly start: number;
  readonly end: number;
  readonly offsetMinutes: number;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function breaks(pointer: string, reason: string, code: OmhViolation['code'] = 'OMH_SCHEMA'): OmhViolation {
  return { code, pointer, reason };
}

/** Milliseconds of the units in which Open mHealth writes a duration; months and years have no fixed length. */
const DURATION_MS: Readonly<Record<string, number>> = { ms: 1, sec: 1000, min: 60_000, h: 3_600_000, d: 86_400_000, wk: 604_800_000 };
const DURATION_UNITS = new Set(['ps', 'ns', 'us', 'Mo', 'yr', ...Object.keys(DURATION_MS)]);
const PARTS_OF_DAY = new Set(['morning', 'afternoon', 'evening', 'night']);
const INTERVAL_KEYS = ['start_date_time', 'end_date_time', 'duration'] as const;

function checkInstant(value: unknown, pointer: string): OmhViolation | null {
  if (typeof value !== 'string') return breaks(pointer, 'a date-time is text');
  return parseInstant(value) === null ? breaks(pointer, 'a date-time needs a date, a time and a zone', 'TIME_INVALID') : null;
}

function checkQuantity(value: unknown, units: ReadonlySet<string> | readonly string[], pointer: string): OmhViolation | null {
  if (!isObject(value)) return breaks(pointer, 'a quantity is an object with value and unit');
  if (typeof value['value'] !== 'number') return breaks(`${pointer}/value`, 'the value of a quantity is a number');
  const unit = value['unit'];
  const known = typeof unit === 'string' && (Array.isArray(units) ? units.includes(unit) : (units as ReadonlySet<string>).has(unit));
  return known ? null : breaks(`${pointer}/unit`, 'the unit is not one that the schema allows');
}

function checkInterval(interval: unknown, partOfDay: boolean, pointer: string): OmhViolation | null {
  if (!isObject(interval)) return breaks(pointer, 'a time interval is an object');
  if (partOfDay && 'date' in interval && 'part_of_day' in interval) {
    const dated = typeof interval['date'] === 'string' && parseInstant(`${interval['date']}T00:00Z`) !== null;
    const named = typeof interval['part_of_day'] === 'string' && PARTS_OF_DAY.has(interval['part_of_day']);
    return dated && named ? null : breaks(pointer, 'a part of a day needs a date and one of the four names');
  }
  const present = INTERVAL_KEYS.filter((key) => Object.hasOwn(interval, key));
  if (present.length !== 2) return breaks(pointer, 'a time interval has exactly two of start, end and duration');
  for (const key of present) {
    const place = `${pointer}/${key}`;
    const broken = key === 'duration' ? checkQuantity(interval[key], DURATION_UNITS, place) : checkInstant(interval[key], place);
    if (broken !== null) return broken;
  }
  return null;
}

function checkTimeFrame(schema: OmhSchema, major: number, body: JsonObject, pointer: string): OmhViolation | null {
  const frame = body['effective_time_frame'];
  const place = `${pointer}/effective_time_frame`;
  if (frame === undefined) return major >= schema.timeFrom ? breaks(place, 'the schema requires a time frame') : null;
  if (!isObject(frame)) return breaks(place, 'a time frame is an object');
  const [instant, interval] = ['date_time' in frame, 'time_interval' in frame];
  if (instant === interval) return breaks(place, 'a time frame has either date_time or time_interval');
  if (instant && major >= schema.intervalFrom) return breaks(`${place}/time_interval`, 'the schema requires a time interval');
  if (instant) return checkInstant(frame['date_time'], `${place}/date_time`);
  return checkInterval(frame['time_interval'], major < schema.ieeeTimeFrom, `${place}/time_interval`);
}

function checkMeasure(
  schema: OmhSchema,
  major: number,
  { key, units, required }: OmhMeasure,
  body: JsonObject,
  pointer: string,
): OmhViolation | null {
  const value = body[key];
  const place = `${pointer}/${key}`;
  if (value === undefined) return required ? breaks(place, 'the schema requires this measure') : null;
  if (major < schema.numberBelow) return typeof value === 'number' ? null : breaks(place, 'this version of the schema gives a bare number');
  return checkQuantity(value, units, place);
}

function checkEnums(schema: OmhSchema, major: number, body: JsonObject, pointer: string): OmhViolation | null {
  for (const [key, versions] of Object.entries(schema.enums)) {
    const value = body[key];
    if (value === undefined) continue;
    const list = versions.filter(([from]) => from <= major).at(-1)?.[1] ?? [];
    if (typeof value !== 'string' || !list.includes(value))
      return breaks(`${pointer}/${key}`, 'the property is not one of its closed list');
  }
  return null;
}

/**
 * The first rule that a body breaks, or null. `version` is `major.minor`; without one (a bare body) the measure's own form decides
 * between number and quantity, and a missing time frame is left to the reader of the time.
 */
export function checkBody(name: string, version: string | null, body: unknown, pointer = ''): OmhViolation | null {
  const schema = omhSchema(name);
  if (schema === undefined) return breaks(pointer, 'the schema is not one that is checked');
  if (!isObject(body)) return breaks(pointer, 'the body is an object');
  const major = version === null ? majorOf(schema, body) : Number.parseInt(version, 10);
  for (const text of schema.texts) if (typeof body[text] !== 'string') return breaks(`${pointer}/${text}`, 'the schema requires this text');
  for (const entry of schema.measures) {
    const broken = checkMeasure(schema, major, entry, body, pointer);
    if (broken !== null) return broken;
  }
  return checkTimeFrame(schema, major, body, pointer) ?? checkEnums(schema, major, body, pointer);
}

/** The oldest major version that a body without one can be: version 1 rules, or the first with quantities. */
function majorOf(schema: OmhSchema, body: JsonObject): number {
  const number = schema.measures.some(({ key }) => typeof body[key] === 'number');
  return number ? 1 : Math.max(1, schema.numberBelow);
}

const ID_PARTS = ['namespace', 'name', 'version'] as const;
const MODALITIES = new Set(['sensed', 'self-reported', 'self reported']);

/** The first rule that a header breaks, or null. Both the Open mHealth names (id, creation_date_time) and the IEEE ones are read. */
export function checkHeader(header: unknown, pointer = '/header'): OmhViolation | null {
  if (!isObject(header)) return breaks(pointer, 'the header is an object');
  if (typeof (header['uuid'] ?? header['id']) !== 'string') return breaks(`${pointer}/uuid`, 'the header requires uuid (or id)');
  const schemaId = header['schema_id'];
  if (!isObject(schemaId)) return breaks(`${pointer}/schema_id`, 'the header requires schema_id');
  for (const part of ID_PARTS) {
    if (typeof schemaId[part] !== 'string') return breaks(`${pointer}/schema_id/${part}`, 'schema_id requires namespace, name and version');
  }
  const key = 'creation_date_time' in header ? 'creation_date_time' : 'source_creation_date_time';
  if (header[key] === undefined) return breaks(`${pointer}/${key}`, 'the header requires the time of its creation');
  const broken = checkInstant(header[key], `${pointer}/${key}`);
  if (broken !== null) return broken;
  if (header['user_id'] !== undefined && typeof header['user_id'] !== 'string') return breaks(`${pointer}/user_id`, 'user_id is text');
  const provenance = header['acquisition_provenance'];
  if (provenance !== undefined && !isObject(provenance)) return breaks(`${pointer}/acquisition_provenance`, 'the provenance is an object');
  const modality = isObject(provenance) ? provenance['modality'] : header['modality'];
  const stated = modality === undefined || (typeof modality === 'string' && MODALITIES.has(modality));
  return stated
    ? null
    : breaks(`${pointer}/${isObject(provenance) ? 'acquisition_provenance/' : ''}modality`, 'the modality is sensed or self-reported');
}

/** The time of a checked body; null when it has none, names a part of a day, or ends before it starts. */
export function timeOf(body: JsonObject): OmhTime | null {
  const frame = body['effective_time_frame'];
  if (!isObject(frame)) return null;
  const at = (value: unknown): ReturnType<typeof parseInstant> => (typeof value === 'string' ? parseInstant(value) : null);
  const instant = at(frame['date_time']);
  if (instant !== null) return { start: instant.t, end: instant.t, offsetMinutes: instant.offsetMinutes };
  const interval = frame['time_interval'];
  if (!isObject(interval)) return null;
  const [start, end] = [at(interval['start_date_time']), at(interval['end_date_time'])];
  const stated = start ?? end;
  if (stated === null) return null;
  const duration = interval['duration'];
  const unit = isObject(duration) && typeof duration['unit'] === 'string' ? (DURATION_MS[duration['unit']] ?? Number.NaN) : Number.NaN;
  const length = isObject(duration) && typeof duration['value'] === 'number' ? duration['value'] * unit : Number.NaN;
  const from = start?.t ?? stated.t - length;
  const to = end?.t ?? stated.t + length;
  return to >= from ? { start: from, end: to, offsetMinutes: stated.offsetMinutes } : null;
}

import { CodedError } from '../../../kernel/error.js';
import type { ErrorCode } from '../../../kernel/error.js';
import type { Format, Parsed, ParsedFault } from '../../../kernel/format.js';
import { LIMITS } from '../../../kernel/limits.js';
import { JsonSplitter } from './json-values.js';
import type { JsonSlice } from './json-values.js';
import { METRICS, convert } from './metrics.js';
import { checkBody, checkHeader, isObject, timeOf } from './omh-check.js';
import type { JsonObject, OmhTime } from './omh-check.js';
import { omhSchema, schemaOfBody } from './omh-schemas.js';
import type { OmhMeasure, OmhSchema } from './omh-schemas.js';
import { BatchCollector, REFUSAL_REASONS, parsedBatch, refusal } from './sample.js';
import type { WearableBatch } from './sample.js';

const NAMESPACES = new Set(['omh', 'ieee']);

/** Who and what a data point names. */
interface Origin {
  readonly schema: OmhSchema;
  readonly version: string | null;
  readonly patientKey: string | null;
  readonly deviceId: string | null;
  readonly body: unknown;
  /** JSON pointer of the body. */
  readonly pointer: string;
}

interface Refusal {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly pointer: string;
}

function refuse(code: ErrorCode, reason: string, pointer: string): Refusal {
  return { code, reason, pointer };
}

function isRefusal(value: Origin | Refusal): value is Refusal {
  return 'code' in value;
}

/** The source of the acquisition: the one name that the header offers for a device. */
function deviceOf(header: JsonObject): string | null {
  const provenance = header['acquisition_provenance'];
  const name = isObject(provenance) ? provenance['source_name'] : undefined;
  if (typeof name === 'string') return name;
  const sheets = header['external_datasheets'];
  const sheet: unknown = Array.isArray(sheets) ? sheets[0] : undefined;
  const reference = isObject(sheet) ? sheet['datasheet_reference'] : undefined;
  return typeof reference === 'string' ? reference : null;
}

function originOf(point: JsonObject): Origin | Refusal {
  if (!('header' in point)) {
    if ('body' in point) return refuse('OMH_SCHEMA', 'a data point requires a header', '/header');
    const schema = schemaOfBody(point);
    if (schema === undefined) return refuse('OMH_UNKNOWN', 'the body holds no measure that is aggregated', '');
    return { schema, version: null, patientKey: null, deviceId: null, body: point, pointer: '' };
  }
  const broken = checkHeader(point['header']);
  if (broken !== null) return broken;
  const header = point['header'] as JsonObject;
  const { namespace, name, version } = header['schema_id'] as Readonly<Record<'namespace' | 'name' | 'version', string>>;
  const schema = NAMESPACES.has(namespace) ? omhSchema(name) : undefined;
  if (schema === undefined) return refuse('OMH_UNKNOWN', 'the schema id is not one that is aggregated', '/header/schema_id');
  const user = header['user_id'];
  return {
    schema,
    version,
    patientKey: typeof user === 'string' ? user : null,
    deviceId: deviceOf(header),
    body: point['body'],
    pointer: '/body',
  };
}

/** A statistic that is not the one by which the metric is aggregated is no measurement of it. */
function usableStatistic(body: JsonObject, entry: OmhMeasure): boolean {
  const statistic = body['descriptive_statistic'];
  if (statistic === undefined) return true;
  const sums = METRICS[entry.metric].aggregation === 'sum';
  // A sum per session or per day over a longer interval is an average of sums.
  return sums ? statistic === 'sum' && body['descriptive_statistic_denominator'] === undefined : statistic === 'average';
}

interface Reading {
  readonly entry: OmhMeasure;
  readonly value: number;
}

function readingsOf(origin: Origin, body: JsonObject, time: OmhTime, now: number): Reading[] | Refusal {
  const readings: Reading[] = [];
  for (const entry of origin.schema.measures) {
    const quantity = body[entry.key];
    const pointer = `${origin.pointer}/${entry.key}`;
    if (quantity === undefined) continue;
    if (!usableStatistic(body, entry))
      return refuse('OMH_UNKNOWN', 'the descriptive statistic is not one that is aggregated', `${origin.pointer}/descriptive_statistic`);
    const { value, unit } = isObject(quantity) ? quantity : { value: quantity, unit: METRICS[entry.metric].unit };
    const converted = typeof value === 'number' && typeof unit === 'string' ? convert(entry.metric, value, unit) : null;
    if (converted === null) return refuse('UNIT_UNKNOWN', `the unit cannot be converted to the unit of ${entry.metric}`, `${pointer}/unit`);
    const code = refusal(entry.metric, time.start, converted, now) ?? refusal(entry.metric, time.end, converted, now);
    if (code !== null)
      return refuse(
        code,
        `${entry.metric} ${REFUSAL_REASONS[code] ?? 'is refused'}`,
        code === 'SAMPLE_INVALID' ? pointer : `${origin.pointer}/effective_time_frame`,
      );
    readings.push({ entry, value: converted });
  }
  return readings;
}

/** Adds the samples of one data point, all of them or none. */
function addPoint(point: unknown, ordinal: number, now: number, batches: BatchCollector): Refusal | null {
  if (!isObject(point)) return refuse('OMH_SCHEMA', 'a data point is an object', '');
  const origin = originOf(point);
  if (isRefusal(origin)) return origin;
  const { schema, version, body, pointer, patientKey, deviceId } = origin;
  const broken = checkBody(schema.name, version, body, pointer);
  if (broken !== null) return broken;
  if (!isObject(body)) return refuse('OMH_SCHEMA', 'the body is an object', pointer);
  const time = timeOf(body);
  if (time === null)
    return refuse('TIME_INVALID', 'the body states no instant or interval that can be placed', `${pointer}/effective_time_frame`);
  const readings = readingsOf(origin, body, time, now);
  if (!Array.isArray(readings)) return readings;
  const durationMs = time.end > time.start ? time.end - time.start : Number.NaN;
  for (const { entry, value } of readings) {
    batches.column(entry.metric, deviceId, patientKey).push(time.start, value, time.offsetMinutes, ordinal, durationMs);
  }
  if (readings.length > 0) return null;
  // An activity that is only named has still lasted its interval.
  if (Number.isNaN(durationMs)) return refuse('OMH_UNKNOWN', 'the activity has neither a quantity nor an interval', pointer);
  const code = refusal('physical_activity', time.start, durationMs / 60_000, now);
  if (code !== null) return refuse(code, 'the interval of the activity is out of range', `${pointer}/effective_time_frame`);
  batches.column('physical_activity', deviceId, patientKey).push(time.start, durationMs / 60_000, time.offsetMinutes, ordinal, durationMs);
  return null;
}

/** True when brackets nest deeper than the limit; JSON.parse itself would follow any depth. */
function tooDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (inText) {
      if (byte === 0x5c) at += 1;
      else if (byte === 0x22) inText = false;
    } else if (byte === 0x22) inText = true;
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > LIMITS.json_depth_max) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return false;
}

function parseSlice({ bytes, whole }: JsonSlice, decode: (bytes: Uint8Array) => string): { point: unknown } | Refusal {
  if (!whole) {
    const large = bytes.length >= LIMITS.quarantine_bytes_kept_max;
    return large
      ? refuse('LIMIT_RECORD', 'the value is cut off or larger than the limit of a record', '')
      : refuse('JSON_INVALID', 'the value is cut off', '');
  }
  if (tooDeep(bytes)) return refuse('JSON_INVALID', 'the value is nested deeper than the limit', '');
  let text: string;
  try {
    text = decode(bytes);
  } catch {
    return refuse('ENCODING_INVALID', 'the value is not UTF-8', '');
  }
  try {
    return { point: JSON.parse(text) as unknown };
  } catch {
    return refuse('JSON_INVALID', 'the value is not well-formed', '');
  }
}

function faultOf({ code, reason, pointer }: Refusal, ordinal: number, slice: JsonSlice): ParsedFault {
  const kept = slice.bytes.subarray(0, LIMITS.quarantine_bytes_kept_max);
  return { ok: false, ordinal, place: `data point ${ordinal}, byte ${slice.offset}, #${pointer}`, code, reason, bytes: kept };
}

const SNIFF_WORDS = ['"schema_id"', '"effective_time_frame"'];

/**
 * Open mHealth and IEEE 1752.1 data points (spec/wearables.md W20): a JSON array, NDJSON, or one data point; header and body, or a
 * bare body told by its measure. An ordinal is the number of the data point. A point gives all of its samples or one fault:
 * JSON_INVALID, ENCODING_INVALID, LIMIT_RECORD, OMH_SCHEMA, OMH_UNKNOWN, TIME_INVALID, TIME_FUTURE, UNIT_UNKNOWN or SAMPLE_INVALID, with a JSON pointer.
 */
export const omhFormat: Format<WearableBatch> = {
  name: 'omh',
  mediaType: 'application/vnd.openmhealth+json',
  sniff: (head) => {
    const text = Buffer.from(head).toString('latin1');
    const first = text.trimStart()[0];
    return (first === '{' || first === '[') && !text.includes('"resourceType"') && SNIFF_WORDS.some((word) => text.includes(word));
  },
  async *parse(input, options): AsyncGenerator<Parsed<WearableBatch>> {
    const splitter = new JsonSplitter();
    const batches = new BatchCollector('omh');
    const decoder = new TextDecoder('utf-8', { fatal: true });
    let ordinal = 0;
    let size = 0;
    const read = (slice: JsonSlice): ParsedFault | null => {
      const parsed = parseSlice(slice, (bytes) => decoder.decode(bytes));
      const refused = 'code' in parsed ? parsed : addPoint(parsed.point, ordinal, options.now, batches);
      ordinal += 1;
      return refused === null ? null : faultOf(refused, ordinal - 1, slice);
    };
    for await (const chunk of input) {
      size += chunk.length;
      for (const slice of splitter.push(chunk)) {
        const fault = read(slice);
        if (fault !== null) yield fault;
      }
      for (const batch of batches.take()) yield parsedBatch(batch);
    }
    if (size === 0) throw new CodedError('FILE_EMPTY', 'the file holds no bytes');
    for (const slice of splitter.end()) {
      const fault = read(slice);
      if (fault !== null) yield fault;
    }
    batches.flush();
    for (const batch of batches.take()) yield parsedBatch(batch);
    if (splitter.listOpen)
      yield { ok: false, ordinal, place: `byte ${size}`, code: 'JSON_INVALID', reason: 'the list of data points is not closed' };
  },
};

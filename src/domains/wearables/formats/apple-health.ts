import { SaxesParser } from 'saxes';
import { CodedError } from '../../../kernel/error.js';
import type { ErrorCode } from '../../../kernel/error.js';
import type { Format, Parsed, ParsedFault, ParseOptions } from '../../../kernel/format.js';
import { LIMITS } from '../../../kernel/limits.js';
import { APPLE_ASLEEP, APPLE_QUANTITIES, APPLE_SLEEP } from './apple-types.js';
import { parseInstant } from './instant.js';
import { convert } from './metrics.js';
import type { MetricName } from './metrics.js';
import { BatchCollector, REFUSAL_REASONS, parsedBatch, refusal } from './sample.js';
import type { WearableBatch } from './sample.js';

type Attributes = Readonly<Record<string, string>>;

/** Bytes that may pass without any event of the parser; one token longer than this is no export of a phone. */
const SILENT_BYTES_MAX = 4 * 1024 * 1024;
const UNKNOWN_TYPES_MAX = 256;
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '"': '&quot;' };

/** A Record element as XML again, for the quarantine; the streaming parser keeps no source text. */
function serialise(attributes: Attributes): Uint8Array {
  const parts = Object.entries(attributes).map(([name, value]) => ` ${name}="${value.replace(/[&<"]/g, (sign) => ESCAPES[sign] ?? sign)}"`);
  return Buffer.from(`<Record${parts.join('')}/>`, 'utf8').subarray(0, LIMITS.quarantine_bytes_kept_max);
}

/** `name hardware` out of `<<HKDevice: 0x..>, name:Apple Watch, .., hardware:Watch6,7, ..>`; the pointer changes with every export. */
function deviceOf(device: string | undefined): string | null {
  if (device === undefined) return null;
  const part = (key: string): string => {
    const start = device.indexOf(` ${key}:`);
    if (start < 0) return '';
    const from = start + key.length + 2;
    // A hardware name holds a comma itself; only a comma with a space after it ends a part.
    const comma = device.indexOf(', ', from);
    return device.slice(from, comma < 0 ? device.lastIndexOf('>') : comma);
  };
  const label = `${part('name')} ${part('hardware')}`.trim();
  return label === '' ? null : label;
}

/** A number as XML Schema writes it; NaN for anything else, the empty text included. */
function numberOf(text: string | undefined): number {
  return text === undefined || text.trim() === '' ? Number.NaN : Number(text);
}

/** One pass over an export. Events of the XML parser fill `batches` and `faults`; the caller drains both after each chunk. */
class ExportReader {
  readonly batches = new BatchCollector('apple-health');
  faults: ParsedFault[] = [];
  /** Set once reading cannot go on. */
  stopped = false;
  private readonly parser = new SaxesParser({ xmlns: false, position: true });
  private readonly unknown = new Map<string, number>();
  private readonly devices = new Map<string, string | null>();
  private readonly open: string[] = [];
  private ordinal = 0;
  private silent = 0;
  private ending = false;

  constructor(private readonly now: number) {
    this.parser.on('error', () => {
      this.broken();
    });
    this.parser.on('doctype', (doctype) => {
      this.silent = 0;
      // The declared elements are skipped; what would be fetched from elsewhere is refused.
      if (/^\s*\S+\s+(SYSTEM|PUBLIC)\s/.test(doctype) || /<!ENTITY[^>]*\s(SYSTEM|PUBLIC)\s/.test(doctype)) {
        throw new CodedError('XML_DTD', 'the document refers to an external subset or entity', { place: this.place() });
      }
    });
    this.parser.on('opentag', (tag) => {
      this.element(tag.name, tag.attributes);
    });
    this.parser.on('closetag', () => {
      this.silent = 0;
      this.open.pop();
    });
  }

  write(text: string): void {
    this.silent += text.length;
    if (this.silent > SILENT_BYTES_MAX)
      throw new CodedError('LIMIT_RECORD', 'one XML token is larger than the limit', { place: this.place() });
    this.parser.write(text);
  }

  /** Ends the document: a missing end tag is reported, and each type without a metric once. */
  finish(): void {
    if (!this.stopped) {
      this.ending = true;
      this.parser.close();
    }
    this.batches.flush();
    for (const [type, count] of this.unknown) {
      this.fault('METRIC_UNKNOWN', `${count} records of type ${type} have no metric`, this.ordinal);
      this.ordinal += 1;
    }
  }

  private place(): string {
    return `line ${this.parser.line}, column ${this.parser.column}`;
  }

  private fault(code: ErrorCode, reason: string, ordinal: number, attributes?: Attributes): void {
    const fault = { ok: false, ordinal, place: this.place(), code, reason } as const;
    this.faults.push(attributes === undefined ? fault : { ...fault, bytes: serialise(attributes) });
  }

  private broken(): void {
    if (this.stopped) return;
    this.stopped = true;
    const reason = this.ending
      ? 'INCOMPLETE: the document ends before its last end tag'
      : 'the document is not well-formed; reading stops here';
    this.fault('XML_INVALID', reason, this.ordinal);
    this.ordinal += 1;
  }

  private element(name: string, attributes: Attributes): void {
    this.silent = 0;
    if (this.stopped) return;
    if (this.open.length === 0 && name !== 'HealthData')
      throw new CodedError('FORMAT_UNKNOWN', 'the root element is not HealthData', { place: this.place() });
    if (this.open.length >= LIMITS.xml_depth_max)
      throw new CodedError('XML_DEPTH', 'the document is nested deeper than the limit', { place: this.place() });
    // Records inside a Correlation stand at the top level of the export as well.
    if (name === 'Record' && this.open.length === 1) {
      this.record(attributes);
      this.ordinal += 1;
    }
    this.open.push(name);
  }

  private record(attributes: Attributes): void {
    const type = attributes['type'] ?? '';
    const sleep = type === APPLE_SLEEP;
    const metric: MetricName | undefined = sleep ? 'sleep_duration' : APPLE_QUANTITIES.get(type);
    if (metric === undefined) {
      this.noMetric(type);
      return;
    }
    if (sleep && attributes['value']?.startsWith(APPLE_ASLEEP) !== true) return;
    const start = parseInstant(attributes['startDate'] ?? '');
    const end = parseInstant(attributes['endDate'] ?? '');
    if (start === null || end === null || end.t < start.t) {
      this.fault('TIME_INVALID', 'startDate and endDate are no interval with a zone', this.ordinal, attributes);
      return;
    }
    const durationMs = end.t - start.t;
    const value = sleep ? durationMs / 1000 : convert(metric, numberOf(attributes['value']), attributes['unit'] ?? '');
    if (value === null) {
      this.fault('UNIT_UNKNOWN', `the unit cannot be converted to the unit of ${metric}`, this.ordinal, attributes);
      return;
    }
    // The export writes saturation as a fraction under the unit %.
    const scaled = metric === 'oxygen_saturation' && value <= 1 ? value * 100 : value;
    const code = refusal(metric, start.t, scaled, this.now) ?? refusal(metric, end.t, scaled, this.now);
    if (code !== null) {
      this.fault(code, `${metric} ${REFUSAL_REASONS[code] ?? 'is refused'}`, this.ordinal, attributes);
      return;
    }
    const column = this.batches.column(metric, this.device(attributes['device']), null);
    column.push(start.t, scaled, start.offsetMinutes, this.ordinal, durationMs === 0 ? Number.NaN : durationMs);
  }

  private noMetric(type: string): void {
    // Only identifiers of the platform are named in a message; anything else could be data.
    const name = /^HK[A-Za-z]{1,80}$/.test(type) && (this.unknown.has(type) || this.unknown.size < UNKNOWN_TYPES_MAX) ? type : 'other';
    this.unknown.set(name, (this.unknown.get(name) ?? 0) + 1);
  }

  private device(text: string | undefined): string | null {
    if (text === undefined) return null;
    const known = this.devices.get(text);
    if (known !== undefined) return known;
    if (this.devices.size >= UNKNOWN_TYPES_MAX) this.devices.clear();
    const made = deviceOf(text);
    this.devices.set(text, made);
    return made;
  }
}

async function* parse(input: AsyncIterable<Uint8Array>, options: ParseOptions): AsyncGenerator<Parsed<WearableBatch>> {
  const reader = new ExportReader(options.now);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch (cause) {
      // A character cut off by the end of the file belongs to the truncation, which the XML parser reports.
      if (chunk === undefined) return '';
      throw new CodedError('ENCODING_INVALID', 'the export is not UTF-8', { cause });
    }
  };
  const drain = function* (): Generator<Parsed<WearableBatch>> {
    for (const batch of reader.batches.take()) yield parsedBatch(batch);
    yield* reader.faults;
    reader.faults = [];
  };
  let size = 0;
  for await (const chunk of input) {
    size += chunk.length;
    reader.write(decode(chunk));
    yield* drain();
    if (reader.stopped) break;
  }
  if (size === 0) throw new CodedError('FILE_EMPTY', 'the file holds no bytes');
  if (!reader.stopped) reader.write(decode());
  reader.finish();
  yield* drain();
}

/**
 * Apple Health export.xml (spec/wearables.md W21), streamed in constant memory. An ordinal is the number of a top-level Record.
 * Stamps keep the offset that they are written with. Samples come before a fault of their file: XML_INVALID (reason INCOMPLETE
 * when the document only ends early). Thrown: FILE_EMPTY, FORMAT_UNKNOWN, XML_DTD, XML_DEPTH, LIMIT_RECORD, ENCODING_INVALID.
 * Workout, ActivitySummary and beat lists are not read.
 */
export const appleHealthFormat: Format<WearableBatch> = {
  name: 'apple-health',
  mediaType: 'application/vnd.apple.health+xml',
  sniff: (head) => Buffer.from(head).toString('latin1').includes('<HealthData'),
  parse,
};

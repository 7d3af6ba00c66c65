import type { ErrorCode } from '../../../kernel/error.js';
import { ACTIVITY_RUNNING, ACTIVITY_WALKING, FIELD, FIT_EPOCH_S, FIT_TIME_MIN, MESSAGE, SCALARS, fieldReader } from './fit-profile.js';
import type { FieldReader } from './fit-profile.js';
import type { FitDefinition, FitFault, FitHandler, FitVisitor, FitWalker } from './fit-walk.js';
import type { MetricName } from './metrics.js';
import { BatchCollector, NO_OFFSET, REFUSAL_REASONS, refusal } from './sample.js';
import type { SampleColumn, WearableBatch } from './sample.js';

/** A field bound to its place in a message. */
type Bound = (at: number) => number;

interface ScalarPlan {
  readonly column: SampleColumn;
  readonly metric: MetricName;
  readonly read: FieldReader;
  readonly at: number;
  readonly scale: number;
  /** Offset in raw steps: one division keeps the decimals of the file exact. */
  readonly shift: number;
  /** Read when this field holds its invalid sentinel. */
  fallback: ScalarPlan | null;
}

/** A counter that only grows; samples are its increments, each on the interval since the value before. */
interface Counter {
  value: number;
  t: number;
}

/** A run of heart beats is tied anew to the clock when it drifted further than this from the records around it. */
const BEAT_DRIFT_MS_MAX = 10_000;
const QUARTER_HOUR_MINUTES = 15;
const OFFSET_MINUTES_MAX = 14 * 60;
const NOTHING: Bound = () => Number.NaN;

function instantOf(timestamp: number): number {
  return timestamp >= FIT_TIME_MIN ? (timestamp + FIT_EPOCH_S) * 1000 : Number.NaN;
}

/** Turns the messages of one segment into samples. Make one for each segment; state never crosses segments. */
export class FitSamples implements FitVisitor {
  readonly faults: FitFault[] = [];
  private readonly batches = new BatchCollector('fit');
  private readonly counters = new Map<string, Counter>();
  private readonly view: DataView;
  private deviceId: string | null = null;
  private offsetMinutes = NO_OFFSET;
  private beatClock = Number.NaN;

  constructor(
    bytes: Uint8Array,
    private readonly walker: FitWalker,
    private readonly now: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fault(fault: FitFault): void {
    this.faults.push(fault);
  }

  /** The batches of the segment. Serial number and local time may stand behind the samples, so they are set at the end. */
  finish(): WearableBatch[] {
    this.batches.flush();
    const { deviceId, offsetMinutes } = this;
    return this.batches.take().map((batch) => ({ ...batch, deviceId, offsetMinutes: batch.offsetMinutes.fill(offsetMinutes) }));
  }

  define(definition: FitDefinition): FitHandler | null {
    switch (definition.global) {
      case MESSAGE.file_id:
        return this.fileId(definition);
      case MESSAGE.activity:
        return this.activity(definition);
      case MESSAGE.session:
        return this.session(definition);
      case MESSAGE.hrv:
        return this.beats(definition);
      case MESSAGE.monitoring:
        return this.monitoring(definition);
      case MESSAGE.record:
        return this.record(definition);
      default:
        return this.scalars(definition);
    }
  }

  private bind(definition: FitDefinition, number: number): Bound | null {
    const field = definition.fields.find((candidate) => candidate.number === number);
    const read = field === undefined ? null : fieldReader(field.baseType, field.size, definition.littleEndian);
    if (field === undefined || read === null) return null;
    const { view } = this;
    return (at) => read(view, at + field.at);
  }

  private push(column: SampleColumn, metric: MetricName, t: number, value: number, ordinal: number, at: number, durationMs?: number): void {
    const code = refusal(metric, t, value, this.now);
    if (code === null) column.push(t, value, NO_OFFSET, ordinal, durationMs);
    else this.refuse(code, metric, ordinal, at);
  }

  private refuse(code: ErrorCode, metric: MetricName, ordinal: number, at: number): void {
    const reason = `${metric} ${REFUSAL_REASONS[code] ?? 'is refused'}`;
    this.faults.push({ code, reason, segment: this.walker.segment, offset: at, ordinal });
  }

  private scalarPlans(definition: FitDefinition): ScalarPlan[] {
    const plans = new Map<MetricName, ScalarPlan>();
    for (const { field: number, metric, scale, offset } of SCALARS.get(definition.global) ?? []) {
      const field = definition.fields.find((candidate) => candidate.number === number);
      const read = field === undefined ? null : fieldReader(field.baseType, field.size, definition.littleEndian);
      if (field === undefined || read === null) continue;
      const plan: ScalarPlan = {
        column: this.batches.column(metric, null, null),
        metric,
        read,
        at: field.at,
        scale,
        shift: offset * scale,
        fallback: null,
      };
      const wider = plans.get(metric);
      if (wider === undefined) plans.set(metric, plan);
      else wider.fallback = plan;
    }
    return [...plans.values()];
  }

  private scalars(definition: FitDefinition): FitHandler | null {
    const plans = this.scalarPlans(definition);
    if (plans.length === 0) return null;
    return (at, timestamp, ordinal) => {
      this.pushScalars(plans, at, instantOf(timestamp), ordinal);
    };
  }

  private pushScalars(plans: readonly ScalarPlan[], at: number, t: number, ordinal: number): void {
    for (const plan of plans) {
      let used = plan;
      let raw = plan.read(this.view, at + plan.at);
      if (Number.isNaN(raw) && plan.fallback !== null) {
        used = plan.fallback;
        raw = used.read(this.view, at + used.at);
      }
      if (!Number.isNaN(raw)) this.push(used.column, used.metric, t, (raw - used.shift) / used.scale, ordinal, at);
    }
  }

  private record(definition: FitDefinition): FitHandler | null {
    const plans = this.scalarPlans(definition);
    const distance = this.bind(definition, FIELD.record.distance);
    const packed = definition.fields.find((field) => field.number === FIELD.record.compressed_speed_distance && field.size === 3);
    if (plans.length === 0 && distance === null && packed === undefined) return null;
    const column = this.batches.column('distance', null, null);
    const speed = packed === undefined ? column : this.batches.column('speed', null, null);
    const { view } = this;
    return (at, timestamp, ordinal) => {
      const t = instantOf(timestamp);
      this.pushScalars(plans, at, t, ordinal);
      if (distance !== null) this.count(column, 'distance', 'record', distance(at) / 100, t, ordinal, at);
      if (packed === undefined) return;
      // Twelve bits of speed in 1/100 m/s, then twelve bits of distance in 1/16 m that roll over.
      const [low, middle, high] = [view.getUint8(at + packed.at), view.getUint8(at + packed.at + 1), view.getUint8(at + packed.at + 2)];
      if ((low & middle & high) === 0xff) return;
      this.push(speed, 'speed', t, (low | ((middle & 15) << 8)) / 100, ordinal, at);
      const before = this.counters.get('packed')?.value ?? 0;
      const rolled = ((((middle >> 4) | (high << 4)) - Math.round(before * 16)) & 0xfff) / 16;
      this.count(column, 'distance', 'packed', before + rolled, t, ordinal, at);
    };
  }

  /** Pushes what a counter grew by. The first value, and one after a fall, only sets the base: what came before is not in the file. */
  private count(column: SampleColumn, metric: MetricName, key: string, value: number, t: number, ordinal: number, at: number): void {
    if (Number.isNaN(value) || Number.isNaN(t)) return;
    const counter = this.counters.get(key);
    if (counter === undefined) {
      this.counters.set(key, { value, t });
      return;
    }
    // Two values of one second belong to one interval: the later one is counted with the next.
    if (t === counter.t) return;
    if (value >= counter.value && t > counter.t) this.push(column, metric, counter.t, value - counter.value, ordinal, at, t - counter.t);
    counter.value = value;
    counter.t = t;
  }

  private monitoring(definition: FitDefinition): FitHandler | null {
    const plans = this.scalarPlans(definition);
    const cycles = this.bind(definition, FIELD.monitoring.cycles);
    const distance = this.bind(definition, FIELD.monitoring.distance);
    const type = this.bind(definition, FIELD.monitoring.activity_type);
    const packedType = this.bind(definition, FIELD.monitoring.current_activity_type_intensity);
    const short = this.bind(definition, FIELD.monitoring.timestamp_16) ?? NOTHING;
    if (plans.length === 0 && cycles === null && distance === null) return null;
    const steps = this.batches.column('steps', null, null);
    const metres = this.batches.column('distance', null, null);
    return (at, timestamp, ordinal) => {
      const t = instantOf(Number.isNaN(timestamp) ? this.shortTime(short(at)) : timestamp);
      this.pushScalars(plans, at, t, ordinal);
      const activity = type === null ? (packedType ?? NOTHING)(at) & 31 : type(at);
      if (distance !== null) this.count(metres, 'distance', `metres ${activity}`, distance(at) / 100, t, ordinal, at);
      if (cycles === null || (activity !== ACTIVITY_WALKING && activity !== ACTIVITY_RUNNING)) return;
      this.count(steps, 'steps', `steps ${activity}`, cycles(at), t, ordinal, at);
    };
  }

  /** The full timestamp whose low sixteen bits are given, at or after the last one; it becomes the last one. */
  private shortTime(low: number): number {
    const last = this.walker.lastTimestamp;
    if (Number.isNaN(low) || Number.isNaN(last)) return Number.NaN;
    const full = last + ((low - (last % 0x1_0000) + 0x1_0000) % 0x1_0000);
    this.walker.lastTimestamp = full;
    return full;
  }

  /** Beat intervals carry no stamp: they follow the record before them, and their own lengths move the clock. */
  private beats(definition: FitDefinition): FitHandler | null {
    const field = definition.fields.find((candidate) => candidate.number === FIELD.hrv.time);
    const read = field === undefined ? null : fieldReader(field.baseType, field.size, definition.littleEndian);
    if (field === undefined || read === null) return null;
    const column = this.batches.column('rr_interval', null, null);
    return (at, _timestamp, ordinal) => {
      const anchor = instantOf(this.walker.lastTimestamp);
      if (!(Math.abs(this.beatClock - anchor) <= BEAT_DRIFT_MS_MAX)) this.beatClock = anchor;
      for (let index = 0; index + 2 <= field.size; index += 2) {
        const interval = read(this.view, at + field.at + index);
        if (Number.isNaN(interval)) continue;
        this.beatClock += interval;
        this.push(column, 'rr_interval', this.beatClock, interval, ordinal, at);
      }
    };
  }

  /** Energy and active minutes of a workout. Laps are parts of a session and would count twice. */
  private session(definition: FitDefinition): FitHandler | null {
    const start = this.bind(definition, FIELD.session.start_time);
    if (start === null) return null;
    const elapsed = this.bind(definition, FIELD.session.total_elapsed_time) ?? NOTHING;
    const timer = this.bind(definition, FIELD.session.total_timer_time) ?? NOTHING;
    const calories = this.bind(definition, FIELD.session.total_calories) ?? NOTHING;
    const energy = this.batches.column('energy', null, null);
    const active = this.batches.column('physical_activity', null, null);
    return (at, _timestamp, ordinal) => {
      const t = instantOf(start(at));
      const durationMs = elapsed(at);
      const burned = calories(at);
      const minutes = timer(at) / 60_000;
      if (!Number.isNaN(burned)) this.push(energy, 'energy', t, burned, ordinal, at, durationMs);
      if (!Number.isNaN(minutes)) this.push(active, 'physical_activity', t, minutes, ordinal, at, durationMs);
    };
  }

  private fileId(definition: FitDefinition): FitHandler | null {
    const serial = this.bind(definition, FIELD.file_id.serial_number);
    if (serial === null) return null;
    return (at) => {
      const number = serial(at);
      if (!Number.isNaN(number)) this.deviceId = String(number);
    };
  }

  private activity(definition: FitDefinition): FitHandler | null {
    const local = this.bind(definition, FIELD.activity.local_timestamp);
    if (local === null) return null;
    return (at, timestamp) => {
      const minutes = Math.round((local(at) - timestamp) / 60 / QUARTER_HOUR_MINUTES) * QUARTER_HOUR_MINUTES;
      if (Math.abs(minutes) <= OFFSET_MINUTES_MAX) this.offsetMinutes = minutes;
    };
  }
}

import type { ErrorCode } from '../../../kernel/error.js';
import type { ParsedRecord } from '../../../kernel/format.js';
import { LIMITS } from '../../../kernel/limits.js';
import { METRICS } from './metrics.js';
import type { MetricName } from './metrics.js';

/** One measurement in the metric's unit. */
export interface WearableSample {
  /** The user id as the file states it, or null when the file names nobody. */
  readonly patientKey: string | null;
  readonly deviceId: string | null;
  readonly metric: MetricName;
  /** Milliseconds since 1970 UTC; the start when the sample covers an interval. */
  readonly t: number;
  readonly offsetMinutes: number | null;
  readonly value: number;
  readonly durationMs: number | null;
}

/**
 * Up to BATCH_SAMPLES_MAX samples of one metric, device and patient, in file order (not sorted, not unique).
 * All arrays have the same length; index i is one sample.
 */
export interface WearableBatch {
  readonly deviceId: string | null;
  readonly patientKey: string | null;
  /** Name of the format that read it. */
  readonly source: string;
  readonly metric: MetricName;
  readonly t: Float64Array;
  readonly v: Float64Array;
  /** Minutes east of UTC, NO_OFFSET where the file does not state it. */
  readonly offsetMinutes: Int16Array;
  /** Record of the file (FIT message, data point, Record element) that each sample came from. */
  readonly ordinals: Int32Array;
  /** Length of the covered interval, NaN for an instant; null when every sample of the batch is an instant. */
  readonly durationMs: Float64Array | null;
}

export const BATCH_SAMPLES_MAX = 4096;
export const NO_OFFSET = -32_768;
const FIRST_CAPACITY = 64;
const OPEN_COLUMNS_MAX = 1024;

/** The samples of a batch one by one, for tests and for callers that are not on a hot path. */
export function* samplesOf(batch: WearableBatch): Generator<WearableSample> {
  for (let index = 0; index < batch.t.length; index += 1) {
    const offset = batch.offsetMinutes[index] ?? NO_OFFSET;
    const duration = batch.durationMs?.[index] ?? Number.NaN;
    yield {
      patientKey: batch.patientKey,
      deviceId: batch.deviceId,
      metric: batch.metric,
      t: batch.t[index] ?? Number.NaN,
      offsetMinutes: offset === NO_OFFSET ? null : offset,
      value: batch.v[index] ?? Number.NaN,
      durationMs: Number.isNaN(duration) ? null : duration,
    };
  }
}

/** Why a sample is refused, or null: TIME_INVALID, TIME_FUTURE (clock more than 5 minutes ahead of `now`), SAMPLE_INVALID. */
export function refusal(metric: MetricName, t: number, value: number, now: number): ErrorCode | null {
  if (!(t >= 0)) return 'TIME_INVALID';
  if (t > now + LIMITS.clock_ahead_ms_max) return 'TIME_FUTURE';
  const { min, max } = METRICS[metric];
  return value >= min && value <= max ? null : 'SAMPLE_INVALID';
}

export const REFUSAL_REASONS: Partial<Record<ErrorCode, string>> = {
  TIME_INVALID: 'has no instant with a zone',
  TIME_FUTURE: 'lies more than five minutes in the future',
  SAMPLE_INVALID: 'is outside the range of its metric',
};

type Key = Pick<WearableBatch, 'deviceId' | 'patientKey' | 'source' | 'metric'>;

/** A growing column of one batch; a full one is handed to `seal` and a new one begins. */
export class SampleColumn {
  private t = new Float64Array(FIRST_CAPACITY);
  private v = new Float64Array(FIRST_CAPACITY);
  private offsets = new Int16Array(FIRST_CAPACITY);
  private ordinals = new Int32Array(FIRST_CAPACITY);
  private durations: Float64Array | null = null;
  private n = 0;

  constructor(
    private readonly key: Key,
    private readonly seal: (batch: WearableBatch) => void,
  ) {}

  push(t: number, value: number, offsetMinutes: number, ordinal: number, durationMs = Number.NaN): void {
    if (this.n === this.t.length) this.makeRoom();
    const n = this.n;
    this.t[n] = t;
    this.v[n] = value;
    this.offsets[n] = offsetMinutes;
    this.ordinals[n] = ordinal;
    if (this.durations !== null) this.durations[n] = durationMs;
    else if (!Number.isNaN(durationMs)) {
      this.durations = new Float64Array(this.t.length).fill(Number.NaN);
      this.durations[n] = durationMs;
    }
    this.n = n + 1;
  }

  flush(): void {
    const n = this.n;
    if (n === 0) return;
    this.seal({
      ...this.key,
      t: this.t.slice(0, n),
      v: this.v.slice(0, n),
      offsetMinutes: this.offsets.slice(0, n),
      ordinals: this.ordinals.slice(0, n),
      durationMs: this.durations?.slice(0, n) ?? null,
    });
    this.n = 0;
    this.durations = null;
  }

  private makeRoom(): void {
    if (this.n >= BATCH_SAMPLES_MAX) {
      this.flush();
      return;
    }
    const size = this.t.length * 2;
    const { t, v, offsets, ordinals, durations } = this;
    this.t = new Float64Array(size);
    this.t.set(t);
    this.v = new Float64Array(size);
    this.v.set(v);
    this.offsets = new Int16Array(size);
    this.offsets.set(offsets);
    this.ordinals = new Int32Array(size);
    this.ordinals.set(ordinals);
    if (durations !== null) {
      this.durations = new Float64Array(size).fill(Number.NaN);
      this.durations.set(durations);
    }
  }
}

/** Gathers samples into batches. The number of open columns is bounded, so memory does not grow with the file. */
export class BatchCollector {
  private columns = new Map<string, SampleColumn>();
  private ready: WearableBatch[] = [];

  constructor(private readonly source: string) {}

  /** Ask again for each record: a column may have been closed to keep the number of open ones bounded. */
  column(metric: MetricName, deviceId: string | null, patientKey: string | null): SampleColumn {
    const id = `${metric}\u0000${deviceId === null ? '-' : `+${deviceId}`}\u0000${patientKey === null ? '-' : `+${patientKey}`}`;
    const known = this.columns.get(id);
    if (known !== undefined) return known;
    if (this.columns.size >= OPEN_COLUMNS_MAX) this.flush();
    const made = new SampleColumn({ deviceId, patientKey, source: this.source, metric }, (batch) => this.ready.push(batch));
    this.columns.set(id, made);
    return made;
  }

  /** Closes every open column. */
  flush(): void {
    for (const column of this.columns.values()) column.flush();
    this.columns = new Map();
  }

  /** The batches closed since the last call. */
  take(): WearableBatch[] {
    const batches = this.ready;
    this.ready = [];
    return batches;
  }
}

/** A batch as a parsed record; its place names the first and the last source record. */
export function parsedBatch(value: WearableBatch): ParsedRecord<WearableBatch> {
  const first = value.ordinals[0] ?? 0;
  const last = value.ordinals[value.ordinals.length - 1] ?? first;
  return { ok: true, ordinal: first, place: `records ${first}-${last}`, value };
}

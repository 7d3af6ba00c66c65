import { CodedError, LIMITS, assertIntact, type RowSource, type TypeThunk } from '../../kernel/index.js';
import { DAY_MS, unpackDay, type Series } from './formats/chunk-codec.js';
import { POINTS_MIN, lttb } from './formats/lttb.js';
import { METRICS, isMetric, type MetricName } from './formats/metrics.js';
import { CHUNK_DIGEST } from './tables.js';

/** Columns of wear_chunk that both readers need; instants and devices are named, so a caller must be able to read days and devices. */
export const CHUNK_COLUMNS = [...(Object.keys(CHUNK_DIGEST.of) as (keyof typeof CHUNK_DIGEST.of)[]), CHUNK_DIGEST.column] as const;

export const WINDOW_SIZES_MS: Readonly<Record<string, number>> = {
  '1m': 60_000,
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '6h': 21_600_000,
  '1d': DAY_MS,
  '7d': 7 * DAY_MS,
};
/** Samples that one answer unpacks, over all persons in it. */
export const SAMPLES_UNPACKED_MAX = 5_000_000;
/** Samples that one answer gives back, over all persons in it. */
export const SAMPLES_GIVEN_MAX = 100_000;
/** Windows of one answer, over all persons in it. */
export const WINDOWS_MAX = 100_000;
/** Gaps of a chunk that are looked at to tell its usual step. */
const GAPS_LOOKED_AT = 1_024;

type Row = Readonly<Record<string, unknown>>;

interface Chunk {
  readonly patient_id: string;
  readonly device: string;
  readonly day: string;
  readonly unit: string;
  readonly t0: string;
  readonly step_ms: number;
  readonly n: number;
  readonly enc: number;
  readonly vals: Buffer;
}

interface Range {
  readonly metric: MetricName;
  /** Milliseconds since 1970, half-open: from <= t < to. */
  readonly from: number;
  readonly to: number;
}

/** One sample as it is served: `t` is an ISO instant, `value` is in `unit` (UCUM). */
export interface SampleValue {
  readonly t: string;
  readonly value: number;
  readonly unit: string;
  readonly device: string;
}

/** A window [start, end); the numbers of one without samples are null, never 0. */
export interface WindowValue {
  readonly start: string;
  readonly end: string;
  readonly n: number;
  readonly expectedN: number | null;
  readonly coverage: number | null;
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly sum: number | null;
}

function bad(place: string, message: string): CodedError {
  return new CodedError('BAD_INPUT', message, { place });
}

function instantOf(args: Row, name: string): number {
  const given = args[name];
  const t = given instanceof Date ? given.getTime() : typeof given === 'string' ? Date.parse(given) : Number.NaN;
  if (Number.isNaN(t)) throw bad(name, `The argument '${name}' is not an instant.`);
  return t;
}

function rangeOf(args: Row): Range {
  const metric = args['metric'];
  if (typeof metric !== 'string' || !isMetric(metric)) throw bad('metric', 'The metric is not one of the table of metrics.');
  const [from, to] = [instantOf(args, 'from'), instantOf(args, 'to')];
  if (from >= to) throw bad('to', "The instant 'to' must lie after 'from'.");
  if (to - from > LIMITS.series_days_max * DAY_MS) {
    throw new CodedError('LIMIT_EXCEEDED', `A series spans at most ${LIMITS.series_days_max} days.`, { place: 'to' });
  }
  return { metric, from, to };
}

const dayText = (t: number): string => new Date(t).toISOString().slice(0, 10);

/** Chunks of the range by person and device in code-unit order, days ascending, in one read. Throws DATA_CORRUPT for one that fails its digest. */
async function chunksOf(
  source: RowSource,
  of: TypeThunk,
  parents: readonly Row[],
  range: Range,
): Promise<Map<string, Map<string, Chunk[]>>> {
  const ids = [...new Set(parents.map((parent) => String(parent['patient_id'])))];
  const rows = await source.rows<Chunk & Row>({
    of,
    columns: CHUNK_COLUMNS,
    where: { patient_id: ids, metric: range.metric },
    between: { day: { from: dayText(range.from), to: dayText(range.to - 1) } },
  });
  const persons = new Map<string, Map<string, Chunk[]>>();
  let samples = 0;
  const ordered = [...rows].sort((a, b) => compare(a.device, b.device) || compare(a.day, b.day));
  for (const row of ordered) {
    assertIntact(CHUNK_DIGEST, row);
    samples += row.n;
    const devices = persons.get(row.patient_id) ?? new Map<string, Chunk[]>();
    const chunks = devices.get(row.device) ?? [];
    chunks.push(row);
    devices.set(row.device, chunks);
    persons.set(row.patient_id, devices);
  }
  if (samples > SAMPLES_UNPACKED_MAX) {
    throw new CodedError(
      'LIMIT_EXCEEDED',
      `An answer reads at most ${SAMPLES_UNPACKED_MAX} samples; ask for a shorter range or fewer persons.`,
    );
  }
  return persons;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const unpacked = (chunk: Chunk): Series => unpackDay(chunk.enc, Date.parse(chunk.t0), chunk.step_ms, chunk.n, chunk.vals);

/** The samples of one device inside the range, in order of time. */
function seriesOf(chunks: readonly Chunk[], { from, to }: Range): Series {
  const parts = chunks.map(unpacked).map(({ t, v }) => {
    const start = lowerBound(t, from);
    const end = lowerBound(t, to);
    return { t: t.subarray(start, end), v: v.subarray(start, end) };
  });
  const n = parts.reduce((sum, part) => sum + part.t.length, 0);
  const [t, v] = [new Float64Array(n), new Float64Array(n)];
  let at = 0;
  for (const part of parts) {
    t.set(part.t, at);
    v.set(part.v, at);
    at += part.t.length;
  }
  return { t, v };
}

function lowerBound(t: Float64Array, bound: number): number {
  let [low, high] = [0, t.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((t[middle] ?? 0) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

function samplesOf(devices: ReadonlyMap<string, Chunk[]>, range: Range, maxPoints: number | null): SampleValue[] {
  const series = [...devices].map(([device, chunks]) => ({ device, unit: chunks[0]?.unit ?? '', ...seriesOf(chunks, range) }));
  const held = series.filter((each) => each.t.length > 0);
  const total = held.reduce((sum, each) => sum + each.t.length, 0);
  const shared = (maxPoints ?? total) - held.length;
  const picked = held.flatMap(({ device, unit, t, v }) => {
    // Each device keeps one point, the others are shared out by the number of samples, so that the sum stays within the bound.
    const points = maxPoints === null ? t.length : 1 + Math.max(0, Math.floor((shared * t.length) / total));
    return Array.from(lttb({ t, v }, points), (index) => ({ at: t[index] ?? 0, value: v[index] ?? 0, unit, device }));
  });
  picked.sort((a, b) => a.at - b.at);
  return picked.slice(0, maxPoints ?? total).map(({ at, ...rest }) => ({ t: new Date(at).toISOString(), ...rest }));
}

/**
 * Raw samples of each parent in order of time, devices side by side (spec/wearables.md W1); with `maxPoints` thinned by LTTB, device
 * by device. Errors: BAD_INPUT (arguments), LIMIT_EXCEEDED (LIMITS.series_days_max, SAMPLES_UNPACKED_MAX, SAMPLES_GIVEN_MAX).
 */
export async function readSeries(source: RowSource, of: TypeThunk, parents: readonly Row[], args: Row): Promise<readonly SampleValue[][]> {
  const range = rangeOf(args);
  const maxPoints = args['maxPoints'] ?? null;
  if (maxPoints !== null && !(typeof maxPoints === 'number' && maxPoints >= POINTS_MIN && maxPoints <= SAMPLES_GIVEN_MAX)) {
    throw bad('maxPoints', `The argument 'maxPoints' lies between ${POINTS_MIN} and ${SAMPLES_GIVEN_MAX}.`);
  }
  const persons = await chunksOf(source, of, parents, range);
  let given = 0;
  return parents.map((parent) => {
    const samples = samplesOf(persons.get(String(parent['patient_id'])) ?? new Map<string, Chunk[]>(), range, maxPoints);
    given += samples.length;
    if (given > SAMPLES_GIVEN_MAX) {
      throw new CodedError('LIMIT_EXCEEDED', `An answer gives at most ${SAMPLES_GIVEN_MAX} samples; set 'maxPoints' or ask for less.`);
    }
    return samples;
  });
}

/** The usual distance of two samples of a day in milliseconds, 0 where there is one sample only. */
function usualStep(chunk: Chunk, { t }: Series): number {
  if (chunk.step_ms > 0 || t.length < 2) return chunk.step_ms;
  const stride = Math.max(1, Math.floor((t.length - 1) / GAPS_LOOKED_AT));
  const gaps = new Float64Array(Math.ceil((t.length - 1) / stride));
  for (let index = 0; index < gaps.length; index += 1) gaps[index] = (t[index * stride + 1] ?? 0) - (t[index * stride] ?? 0);
  return gaps.sort()[gaps.length >>> 1] ?? 0;
}

/** Running values of the windows of one person. A window belongs to the first device that has a sample in it. */
class Windows {
  private readonly count: number;
  private readonly n: Int32Array;
  private readonly owner: Int32Array;
  private readonly sum: Float64Array;
  private readonly min: Float64Array;
  private readonly max: Float64Array;
  private readonly step: Float64Array;

  constructor(
    private readonly range: Range,
    private readonly size: number,
  ) {
    this.count = Math.ceil((range.to - range.from) / size);
    this.n = new Int32Array(this.count);
    this.owner = new Int32Array(this.count).fill(-1);
    this.sum = new Float64Array(this.count);
    this.min = new Float64Array(this.count).fill(Number.POSITIVE_INFINITY);
    this.max = new Float64Array(this.count).fill(Number.NEGATIVE_INFINITY);
    this.step = new Float64Array(this.count).fill(Number.POSITIVE_INFINITY);
  }

  add(device: number, chunk: Chunk): void {
    const series = unpacked(chunk);
    const step = usualStep(chunk, series);
    const { from, to } = this.range;
    const { t, v } = series;
    for (let index = lowerBound(t, from), end = lowerBound(t, to); index < end; index += 1) {
      const window = Math.floor(((t[index] ?? 0) - from) / this.size);
      if (this.owner[window] === -1) this.owner[window] = device;
      else if (this.owner[window] !== device) continue;
      const value = v[index] ?? 0;
      this.n[window] = (this.n[window] ?? 0) + 1;
      this.sum[window] = (this.sum[window] ?? 0) + value;
      if (value < (this.min[window] ?? 0)) this.min[window] = value;
      if (value > (this.max[window] ?? 0)) this.max[window] = value;
      if (step > 0 && step < (this.step[window] ?? 0)) this.step[window] = step;
    }
  }

  values(fill: boolean): WindowValue[] {
    const values: WindowValue[] = [];
    for (let index = 0; index < this.count; index += 1) if (fill || this.owner[index] !== -1) values.push(this.value(index));
    return values;
  }

  private value(index: number): WindowValue {
    const start = this.range.from + index * this.size;
    const end = Math.min(start + this.size, this.range.to);
    const span = { start: new Date(start).toISOString(), end: new Date(end).toISOString() };
    const n = this.n[index] ?? 0;
    if (n === 0) return { ...span, n, expectedN: null, coverage: null, mean: null, min: null, max: null, sum: null };
    const step = this.step[index] ?? Number.POSITIVE_INFINITY;
    const expectedN = METRICS[this.range.metric].regular && Number.isFinite(step) ? Math.max(1, Math.round((end - start) / step)) : null;
    const sum = this.sum[index] ?? 0;
    return {
      ...span,
      n,
      expectedN,
      coverage: expectedN === null ? null : Math.min(1, n / expectedN),
      mean: sum / n,
      min: this.min[index] ?? null,
      max: this.max[index] ?? null,
      sum,
    };
  }
}

/**
 * Windows [start, end) of each parent, counted from `from`, the last cut at `to` (spec/wearables.md W2, W46). Where devices overlap a
 * window takes the first of them in the order of their names, never a sum. Windows without samples come with `fill` only.
 * Errors: BAD_INPUT (arguments), LIMIT_EXCEEDED (LIMITS.series_days_max, WINDOWS_MAX, SAMPLES_UNPACKED_MAX).
 */
export async function readWindows(source: RowSource, of: TypeThunk, parents: readonly Row[], args: Row): Promise<readonly WindowValue[][]> {
  const range = rangeOf(args);
  const size = args['size'];
  const sizeMs = typeof size === 'string' && Object.hasOwn(WINDOW_SIZES_MS, size) ? WINDOW_SIZES_MS[size] : undefined;
  if (sizeMs === undefined) throw bad('size', `The size of a window is one of ${Object.keys(WINDOW_SIZES_MS).join(', ')}.`);
  if (Math.ceil((range.to - range.from) / sizeMs) * parents.length > WINDOWS_MAX) {
    throw new CodedError('LIMIT_EXCEEDED', `An answer holds at most ${WINDOWS_MAX} windows; ask for larger ones or fewer persons.`, {
      place: 'size',
    });
  }
  const persons = await chunksOf(source, of, parents, range);
  return parents.map((parent) => {
    const windows = new Windows(range, sizeMs);
    const devices = [...(persons.get(String(parent['patient_id']))?.values() ?? [])];
    devices.forEach((chunks, device) => {
      for (const chunk of chunks) windows.add(device, chunk);
    });
    return windows.values(args['fill'] === true);
  });
}

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { CodedError } from '../../../kernel/error.js';
import { ByteReader, ByteWriter } from './byte-stream.js';

/**
 * The packed form of one patient, metric and UTC day (spec/wearables.md section 5).
 * enc 1: the grid t0 + i * stepMs without gaps, integer values as deltas. enc 2: anything else; times as deltas of deltas,
 * values as deltas of scaled decimals where that is exact, else as doubles XORed with the value before, in byte planes.
 * Both are varints in zigzag form under raw deflate.
 */
export interface PackedDay {
  readonly enc: 1 | 2;
  readonly bytes: Buffer;
  /** Milliseconds since 1970 UTC of the first sample. */
  readonly t0: number;
  /** Grid step of enc 1 in milliseconds; 0 for enc 2 and for a single sample. */
  readonly stepMs: number;
  readonly n: number;
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly sumSquares: number;
}

export interface Series {
  readonly t: Float64Array;
  readonly v: Float64Array;
}

export const DAY_MS = 86_400_000;
const ENC_GRID = 1;
const ENC_FREE = 2;
const MODE_DOUBLES = 255;
const DECIMALS_MAX = 6;
/** Deltas of integers below this stay exact in a double after the zigzag shift. */
const INTEGER_MAX = 2 ** 51;
const DEFLATE = { level: 6, windowBits: 13, memLevel: 6 } as const;

function assertDay(t: Float64Array, v: Float64Array): void {
  const n = t.length;
  if (n === 0 || v.length !== n) throw new CodedError('BAD_INPUT', 'a chunk needs samples, one value for each time');
  const day = Math.floor((t[0] ?? Number.NaN) / DAY_MS);
  for (let index = 0; index < n; index += 1) {
    const at = t[index] ?? Number.NaN;
    if (!Number.isSafeInteger(at) || Math.floor(at / DAY_MS) !== day) {
      throw new CodedError('TIME_INVALID', 'the times of a chunk are whole milliseconds of one UTC day', { place: `sample ${index}` });
    }
    if (index > 0 && at <= (t[index - 1] ?? 0)) {
      throw new CodedError('BAD_INPUT', 'the times of a chunk ascend without repeats', { place: `sample ${index}` });
    }
    if (!Number.isFinite(v[index]))
      throw new CodedError('SAMPLE_INVALID', 'a value of the chunk is not a finite number', { place: `sample ${index}` });
  }
}

/** True when value * scale is an integer that leads back to the very same double. */
function fits(value: number, scale: number): boolean {
  const scaled = Math.round(value * scale);
  // A negative zero would come back as zero.
  return Math.abs(scaled) < INTEGER_MAX && Object.is(scaled / scale, value) && !Object.is(value, -0);
}

/** Decimal places under which every value is an exact integer, or MODE_DOUBLES. */
function decimalsOf(v: Float64Array): number {
  let decimals = 0;
  let scale = 1;
  for (const value of v) {
    while (!fits(value, scale)) {
      decimals += 1;
      if (decimals > DECIMALS_MAX) return MODE_DOUBLES;
      scale *= 10;
    }
  }
  // A scale that a later value asked for must hold for the earlier ones too.
  return v.every((value) => fits(value, scale)) ? decimals : MODE_DOUBLES;
}

/** The grid step in milliseconds, or 0 when the times leave the grid. */
function stepOf(t: Float64Array): number {
  const step = (t[1] ?? 0) - (t[0] ?? 0);
  for (let index = 2; index < t.length; index += 1) if ((t[index] ?? 0) - (t[index - 1] ?? 0) !== step) return 0;
  return step;
}

function writeIntegers(out: ByteWriter, v: Float64Array, scale: number): void {
  let before = 0;
  for (const value of v) {
    const scaled = Math.round(value * scale);
    out.zigzag(scaled - before);
    before = scaled;
  }
}

function readIntegers(input: ByteReader, n: number, scale: number): Float64Array {
  const v = new Float64Array(n);
  let before = 0;
  for (let index = 0; index < n; index += 1) {
    before += input.zigzag();
    v[index] = before / scale;
  }
  return v;
}

/** Doubles XORed with the one before, all first bytes together, then all second bytes, so that deflate sees the equal ones. */
function writeDoubles(out: ByteWriter, v: Float64Array): void {
  const n = v.length;
  const words = new Uint32Array(v.buffer, v.byteOffset, n * 2);
  const planes = new Uint8Array(n * 8);
  for (let index = 0; index < n * 2; index += 1) {
    const word = (words[index] ?? 0) ^ (index < 2 ? 0 : (words[index - 2] ?? 0));
    const sample = index >> 1;
    for (let byte = 0; byte < 4; byte += 1) planes[((index & 1) * 4 + byte) * n + sample] = word >>> (byte * 8);
  }
  out.raw(planes);
}

function readDoubles(input: ByteReader, n: number): Float64Array {
  const planes = input.raw(n * 8);
  const v = new Float64Array(n);
  const words = new Uint32Array(v.buffer);
  for (let index = 0; index < n * 2; index += 1) {
    const sample = index >> 1;
    let word = index < 2 ? 0 : (words[index - 2] ?? 0);
    for (let byte = 0; byte < 4; byte += 1) word ^= (planes[((index & 1) * 4 + byte) * n + sample] ?? 0) << (byte * 8);
    words[index] = word;
  }
  return v;
}

/**
 * Packs strictly ascending times (whole milliseconds of one UTC day) and finite values.
 * Throws BAD_INPUT (order, lengths), TIME_INVALID or SAMPLE_INVALID (NaN and infinities). `sum` and the others are doubles (W41).
 */
export function packDay(t: Float64Array, v: Float64Array): PackedDay {
  assertDay(t, v);
  const n = t.length;
  const t0 = t[0] ?? 0;
  const decimals = decimalsOf(v);
  const stepMs = stepOf(t);
  const enc = decimals === 0 && (stepMs > 0 || n === 1) ? ENC_GRID : ENC_FREE;
  const out = new ByteWriter(n * 2);
  if (enc === ENC_FREE) {
    out.byte(decimals);
    let delta = 0;
    for (let index = 1; index < n; index += 1) {
      const next = (t[index] ?? 0) - (t[index - 1] ?? 0);
      out.zigzag(next - delta);
      delta = next;
    }
  }
  if (decimals === MODE_DOUBLES) writeDoubles(out, v);
  else writeIntegers(out, v, 10 ** decimals);
  let [min, max, sum, sumSquares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const value of v) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    sumSquares += value * value;
  }
  return {
    enc,
    bytes: deflateRawSync(out.done(), DEFLATE),
    t0,
    stepMs: enc === ENC_GRID ? Math.max(stepMs, 0) : 0,
    n,
    min,
    max,
    sum,
    sumSquares,
  };
}

function inflate(bytes: Uint8Array, n: number): Uint8Array {
  try {
    // Nine bytes for a time and nine for a value is the most that a sample can take; more is no chunk of ours.
    return inflateRawSync(bytes, { maxOutputLength: n * 18 + 16 });
  } catch (cause) {
    throw new CodedError('INTERNAL', 'a stored chunk cannot be inflated', { cause });
  }
}

/** The inverse of packDay. Throws INTERNAL when the bytes are not a chunk of n samples. */
export function unpackDay(enc: number, t0: number, stepMs: number, n: number, bytes: Uint8Array): Series {
  if (enc !== ENC_GRID && enc !== ENC_FREE) throw new CodedError('INTERNAL', 'a stored chunk has an unknown encoding');
  const input = new ByteReader(inflate(bytes, n));
  const t = new Float64Array(n);
  let decimals = 0;
  if (enc === ENC_GRID) for (let index = 0; index < n; index += 1) t[index] = t0 + index * stepMs;
  else {
    decimals = input.byte();
    t[0] = t0;
    let delta = 0;
    for (let index = 1; index < n; index += 1) {
      delta += input.zigzag();
      t[index] = (t[index - 1] ?? 0) + delta;
    }
  }
  const v = decimals === MODE_DOUBLES ? readDoubles(input, n) : readIntegers(input, n, 10 ** decimals);
  input.end();
  return { t, v };
}

/** Two values for one instant: the first is kept, the second is handed back for the quarantine log (W46). */
export interface MergeConflict {
  readonly t: number;
  readonly kept: number;
  readonly refused: number;
}

export interface MergedDays extends Series {
  readonly conflicts: MergeConflict[];
}

/** Times and values sorted by time; stable, so that of two equal times the earlier in the series stays first. */
function sorted({ t, v }: Series): Series {
  let ascending = true;
  for (let index = 1; index < t.length && ascending; index += 1) ascending = (t[index] ?? 0) >= (t[index - 1] ?? 0);
  if (ascending) return { t, v };
  const order = Uint32Array.from(t, (_, index) => index).sort((left, right) => (t[left] ?? 0) - (t[right] ?? 0) || left - right);
  return { t: Float64Array.from(order, (index) => t[index] ?? 0), v: Float64Array.from(order, (index) => v[index] ?? 0) };
}

/**
 * Sorted, unique union of two series, each in any order. At equal times the value of `a` wins over `b`, and an earlier entry of a
 * series over a later one; an identical value is dropped silently, a different one is listed in `conflicts`.
 */
export function mergeDays(a: Series, b: Series): MergedDays {
  const [left, right] = [sorted(a), sorted(b)];
  const t = new Float64Array(left.t.length + right.t.length);
  const v = new Float64Array(t.length);
  const conflicts: MergeConflict[] = [];
  let [n, i, j] = [0, 0, 0];
  while (i < left.t.length || j < right.t.length) {
    const fromLeft = j >= right.t.length || (i < left.t.length && (left.t[i] ?? 0) <= (right.t[j] ?? 0));
    const at = (fromLeft ? left.t[i] : right.t[j]) ?? 0;
    const value = (fromLeft ? left.v[i] : right.v[j]) ?? 0;
    if (fromLeft) i += 1;
    else j += 1;
    const kept = v[n - 1] ?? 0;
    if (n > 0 && t[n - 1] === at) {
      if (!Object.is(kept, value)) conflicts.push({ t: at, kept, refused: value });
      continue;
    }
    t[n] = at;
    v[n] = value;
    n += 1;
  }
  return { t: t.slice(0, n), v: v.slice(0, n), conflicts };
}

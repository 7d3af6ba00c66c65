import {
  CodedError,
  ISSUERS,
  assertIntact,
  bindFormat,
  contentDigest,
  type AssetDeclaration,
  type Expectation,
  type IdentityKey,
  type PipelineDeclaration,
  type SqlType,
  type StageContext,
  type Staged,
} from '../../kernel/index.js';
import { appleHealthFormat } from './formats/apple-health.js';
import { DAY_MS, mergeDays, packDay, unpackDay, type Series } from './formats/chunk-codec.js';
import { fitFormat } from './formats/fit.js';
import { METRICS } from './formats/metrics.js';
import { omhFormat } from './formats/omh.js';
import { NO_OFFSET, type WearableBatch } from './formats/sample.js';
import { CHUNK_DIGEST, HEADER_DIGEST } from './tables.js';

type Row = Readonly<Record<string, unknown>>;

/** Device of samples whose source names none; a real name keeps its own rows. */
export const UNKNOWN_DEVICE = 'unknown';
const EMPTY: Series = { t: new Float64Array(0), v: new Float64Array(0) };
const NORMAL = 0;

/** Who a batch may be about, the surest key first: the user of the file, the device, and at last the name of the file. */
export function keysOf(batch: Pick<WearableBatch, 'patientKey' | 'deviceId'>, name: string): IdentityKey[] {
  const keys: IdentityKey[] = [];
  if (batch.patientKey !== null)
    keys.push({ issuer: ISSUERS.mrn, value: batch.patientKey }, { issuer: ISSUERS.device, value: batch.patientKey });
  if (batch.deviceId !== null) keys.push({ issuer: ISSUERS.device, value: batch.deviceId });
  keys.push({ issuer: ISSUERS.device, value: name });
  return keys;
}

/** Indices of the samples by UTC day (days since 1970), in order of appearance. */
function byDay(t: Float64Array): Map<number, number[]> {
  const days = new Map<number, number[]>();
  for (let index = 0; index < t.length; index += 1) {
    const day = Math.floor((t[index] ?? 0) / DAY_MS);
    const known = days.get(day);
    if (known === undefined) days.set(day, [index]);
    else known.push(index);
  }
  return days;
}

/** Offset of the earliest sample in minutes east of UTC, or null where it states none. */
function offsetOf(batch: WearableBatch, indices: readonly number[]): number | null {
  let earliest = indices[0] ?? 0;
  for (const index of indices) if ((batch.t[index] ?? 0) < (batch.t[earliest] ?? 0)) earliest = index;
  const offset = batch.offsetMinutes[earliest] ?? NO_OFFSET;
  return offset === NO_OFFSET ? null : offset;
}

/** Header and packed samples of a day; `series` ascends without repeats. */
function packedColumns({ t, v }: Series): Row {
  const { enc, bytes, t0, stepMs, n, min, max, sum, sumSquares } = packDay(t, v);
  return { t0: new Date(t0).toISOString(), step_ms: stepMs, n, mn: min, mx: max, sm: sum, sq: sumSquares, enc, vals: bytes };
}

/**
 * A batch as one wear_device row and one wear_chunk row a UTC day (spec/wearables.md section 5). Where a day holds two values for one
 * instant the first is kept, and the others follow as a second row of the same key, so that `merge` meets them and they are quarantined.
 */
export function* stage(batch: WearableBatch, context: StageContext): Generator<Staged> {
  const keys = keysOf(batch, context.name);
  const device = batch.deviceId ?? UNKNOWN_DEVICE;
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const t of batch.t) {
    first = Math.min(first, t);
    last = Math.max(last, t);
  }
  yield {
    kind: 'row',
    asset: 'wear_device',
    keys,
    row: {
      device,
      id: context.newId(),
      source: batch.source,
      first_at: new Date(first).toISOString(),
      last_at: new Date(last).toISOString(),
      sensitivity: NORMAL,
    },
  };
  for (const [day, indices] of byDay(batch.t)) {
    const header = {
      metric: batch.metric,
      device,
      day: new Date(day * DAY_MS).toISOString().slice(0, 10),
      unit: METRICS[batch.metric].unit,
      offset_minutes: offsetOf(batch, indices),
      version: 1,
      sensitivity: NORMAL,
    };
    const merged = mergeDays(pick(batch, indices), EMPTY);
    yield { kind: 'row', asset: 'wear_chunk', keys, row: { ...header, id: context.newId(), ...packedColumns(merged) } };
    if (merged.conflicts.length === 0) continue;
    const refused = {
      t: Float64Array.from(merged.conflicts, ({ t }) => t),
      v: Float64Array.from(merged.conflicts, (each) => each.refused),
    };
    yield { kind: 'row', asset: 'wear_chunk', keys, row: { ...header, id: context.newId(), ...packedColumns(mergeDays(refused, EMPTY)) } };
  }
}

function pick(batch: WearableBatch, indices: readonly number[]): Series {
  if (indices.length === batch.t.length) return batch;
  return { t: Float64Array.from(indices, (index) => batch.t[index] ?? 0), v: Float64Array.from(indices, (index) => batch.v[index] ?? 0) };
}

function seriesOf(row: Row): Series {
  return unpackDay(Number(row['enc']), Date.parse(String(row['t0'])), Number(row['step_ms']), Number(row['n']), row['vals'] as Buffer);
}

/** A row with its digests. Whose it is, is known only when rows meet the store, so this is not done while staging. */
const proven = (row: Row): Row => ({
  ...row,
  content_digest: contentDigest(CHUNK_DIGEST.of, row),
  header_digest: contentDigest(HEADER_DIGEST.of, row),
});

/**
 * The stored day with the samples of the arriving one; what is stored wins and other values for its instants are a RECORD_CONFLICT
 * (spec/wearables.md W45, W46). The stored row comes back untouched, version included, where nothing new arrived. Throws DATA_CORRUPT where
 * the stored row is not what was written: nothing is merged into it.
 */
export function mergeChunk(stored: Row | null, incoming: Row): { row: Row; conflict?: CodedError } {
  if (stored === null) return { row: proven(incoming) };
  assertIntact(CHUNK_DIGEST, stored);
  assertIntact(HEADER_DIGEST, stored);
  const before = seriesOf(stored);
  const merged = mergeDays(before, seriesOf(incoming));
  const earlier = Date.parse(String(incoming['t0'])) < Date.parse(String(stored['t0']));
  const row =
    merged.t.length === before.t.length
      ? stored
      : proven({
          ...incoming,
          ...packedColumns(merged),
          id: stored['id'],
          sensitivity: Math.max(Number(stored['sensitivity']), Number(incoming['sensitivity'])),
          offset_minutes: earlier ? incoming['offset_minutes'] : stored['offset_minutes'],
          version: Number(stored['version']) + 1,
        });
  if (merged.conflicts.length === 0) return { row };
  const message = `${merged.conflicts.length} samples differ from the stored ones of the same instant; the stored ones are kept.`;
  return { row, conflict: new CodedError('RECORD_CONFLICT', message) };
}

/** The device with the widest of both intervals of use. */
export function mergeDevice(stored: Row | null, incoming: Row): { row: Row } {
  if (stored === null) return { row: incoming };
  const instant = (row: Row, name: string): number => Date.parse(String(row[name]));
  const first = Math.min(instant(stored, 'first_at'), instant(incoming, 'first_at'));
  const last = Math.max(instant(stored, 'last_at'), instant(incoming, 'last_at'));
  return { row: { ...stored, first_at: new Date(first).toISOString(), last_at: new Date(last).toISOString() } };
}

const PERSON = {
  patient_id: 'uuid',
  site_id: 'text',
  sensitivity: 'int',
  source_digest: 'text',
  source_ordinal: 'int',
} as const satisfies Record<string, SqlType>;

const CHUNK_EXPECTATIONS: readonly Expectation[] = [
  { name: 'n_positive', description: 'A day holds at least one sample.', action: 'quarantine', holds: (row) => Number(row['n']) > 0 },
  {
    name: 'header_agrees',
    description: 'The mean of a day lies between its smallest and its largest value, and both are numbers.',
    action: 'quarantine',
    holds: (row) => {
      const [low, high, mean] = [Number(row['mn']), Number(row['mx']), Number(row['sm']) / Number(row['n'])];
      const slack = 1e-9 * Math.max(1, Math.abs(low), Math.abs(high));
      return low <= high && mean >= low - slack && mean <= high + slack;
    },
  },
  {
    name: 'heart_rate_day_plausible',
    description: 'The heart rate of a day has a mean from 30 to 220 per minute.',
    action: 'warn',
    holds: (row) => {
      const mean = Number(row['sm']) / Number(row['n']);
      return row['metric'] !== 'heart_rate' || (mean >= 30 && mean <= 220);
    },
  },
  {
    name: 'steps_day_plausible',
    description: 'A day has at most 100 000 steps.',
    action: 'warn',
    holds: (row) => row['metric'] !== 'steps' || Number(row['sm']) <= 100_000,
  },
  {
    name: 'clock_was_set',
    description: 'A day before 2000 comes from a device whose clock was never set.',
    action: 'warn',
    holds: (row) => String(row['day']) >= '2000-01-01',
  },
];

const devices: AssetDeclaration = {
  table: 'wear_device',
  columns: { ...PERSON, device: 'text', id: 'uuid', source: 'text', first_at: 'timestamptz', last_at: 'timestamptz' },
  key: ['patient_id', 'device'],
  patient: 'required',
  onConflict: 'merge',
  ignore: ['id'],
  merge: mergeDevice,
  expectations: [
    {
      name: 'use_in_order',
      description: 'The first sample of a device does not lie after its last.',
      action: 'quarantine',
      holds: (row) => Date.parse(String(row['first_at'])) <= Date.parse(String(row['last_at'])),
    },
  ],
};

const chunks: AssetDeclaration = {
  table: 'wear_chunk',
  columns: {
    ...PERSON,
    ...{ metric: 'text', device: 'text', day: 'date', id: 'uuid', unit: 'text', t0: 'timestamptz', step_ms: 'int', n: 'int' },
    ...{ mn: 'float8', mx: 'float8', sm: 'float8', sq: 'float8', offset_minutes: 'int', version: 'int', enc: 'int', vals: 'bytea' },
    ...{ content_digest: 'bytea', header_digest: 'bytea' },
  },
  key: ['patient_id', 'metric', 'device', 'day'],
  patient: 'required',
  onConflict: 'merge',
  ignore: ['id'],
  merge: mergeChunk,
  digests: [CHUNK_DIGEST, HEADER_DIGEST],
  expectations: CHUNK_EXPECTATIONS,
};

/** FIT, Open mHealth and Apple Health files become packed days and the devices that recorded them. */
export const pipeline: PipelineDeclaration = {
  formats: [
    bindFormat({ format: fitFormat, stage }),
    bindFormat({ format: omhFormat, stage }),
    bindFormat({ format: appleHealthFormat, stage }),
  ],
  assets: [devices, chunks],
};

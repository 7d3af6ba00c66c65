import { frameOf, type Feature, type FeatureView } from '../../kernel/index.js';
import { DAY_MS } from './formats/chunk-codec.js';
import { WearableDay } from './model.js';

export const WINDOW_DAYS = 28;
/** Days of a metric below which its features are missing, not shrunk (spec/wearables.md W52). */
export const VALID_DAYS_MIN = 3;
/** A day with fewer readings says nothing of its lowest rate. */
export const HEART_RATE_SAMPLES_MIN = 6;
const MAX_AGE_DAYS = 90;

const FEATURES: readonly Feature[] = [
  { name: 'resting_heart_rate', unit: '/min', description: 'Mean of the smallest heart rate of each valid day.' },
  { name: 'heart_rate_mean', unit: '/min', description: 'Mean heart rate over all samples of valid days.' },
  { name: 'heart_rate_sd', unit: '/min', description: 'Standard deviation (n - 1) of the heart rate over all samples of valid days.' },
  { name: 'steps_per_day', unit: '{steps}', description: 'Mean number of steps of a day with a step count.' },
  { name: 'wearable_valid_days', unit: 'd', description: 'Days with a valid heart rate or a step count.' },
];
const METRICS_READ = ['heart_rate', 'steps'];
const COLUMNS = ['patient_id', 'metric', 'day', 'n', 'mn', 'sm', 'sq'] as const;

interface Header {
  readonly patient_id: string;
  readonly metric: string;
  readonly day: string;
  readonly n: number;
  readonly mn: number;
  readonly sm: number;
  readonly sq: number;
}

const dayText = (t: number): string => new Date(t).toISOString().slice(0, 10);

/** One header a metric and day: of overlapping devices the one with most samples, so that nothing is counted twice (W46). */
function oneADay(rows: readonly Header[], metric: string): Header[] {
  const days = new Map<string, Header>();
  for (const row of rows) {
    if (row.metric !== metric) continue;
    const known = days.get(row.day);
    if (known === undefined || row.n > known.n || (row.n === known.n && row.sm > known.sm)) days.set(row.day, row);
  }
  // The order of days rules the order of sums, and so the last bit of a value.
  return [...days.values()].sort((a, b) => (a.day < b.day ? -1 : 1));
}

function total(rows: readonly Header[], of: (row: Header) => number): number {
  return rows.reduce((sum, row) => sum + of(row), 0);
}

/** The headers of the 28 days up to the newest. */
function newestWindow(rows: readonly Header[]): Header[] {
  const newest = rows.reduce((day, row) => (row.day > day ? row.day : day), '');
  const start = newest === '' ? '' : dayText(Date.parse(newest) - (WINDOW_DAYS - 1) * DAY_MS);
  return rows.filter((row) => row.day >= start);
}

/** Values in the order of FEATURES; NaN where the metric has fewer than VALID_DAYS_MIN valid days. */
function valuesOf(rows: readonly Header[]): number[] {
  const rates = oneADay(rows, 'heart_rate').filter((row) => row.n >= HEART_RATE_SAMPLES_MIN);
  const steps = oneADay(rows, 'steps').filter((row) => row.n > 0);
  const valid = new Set([...rates, ...steps].map((row) => row.day)).size;
  const n = total(rates, (row) => row.n);
  const mean = total(rates, (row) => row.sm) / n;
  const variance = (total(rates, (row) => row.sq) - n * mean * mean) / (n - 1);
  const rated = rates.length >= VALID_DAYS_MIN;
  return [
    rated ? total(rates, (row) => row.mn) / rates.length : Number.NaN,
    rated ? mean : Number.NaN,
    // Rounding can leave a constant series a hair below zero.
    rated ? Math.sqrt(Math.max(0, variance)) : Number.NaN,
    steps.length >= VALID_DAYS_MIN ? total(steps, (row) => row.sm) / steps.length : Number.NaN,
    valid >= VALID_DAYS_MIN ? valid : Number.NaN,
  ];
}

/**
 * Wearable features of the 28 whole UTC days that end with the person's newest day before `asOf`, from the headers of days alone
 * (spec/wearables.md W44, W50). The day of `asOf` is left out: its header may hold samples after it. Persons whose newest day is over
 * 90 days old are stale.
 */
export const features: FeatureView = {
  modality: 'WEARABLES',
  version: 'wearables/2',
  features: FEATURES,
  reads: [{ of: () => WearableDay, columns: COLUMNS }],
  tags: ['pseudonym', 'wearable', 'pii.quasi'],
  maxAgeDays: MAX_AGE_DAYS,
  async compute(source, patientIds, asOf) {
    const end = Math.floor(asOf / DAY_MS) * DAY_MS;
    const dayBefore = (days: number): string => dayText(end - days * DAY_MS);
    const rows = await source.rows<Header>({
      of: () => WearableDay,
      columns: COLUMNS,
      where: { patient_id: patientIds, metric: METRICS_READ },
      between: { day: { from: dayBefore(MAX_AGE_DAYS), to: dayBefore(1) } },
    });
    const persons = new Map<string, Header[]>();
    for (const row of rows) {
      const headers = persons.get(row.patient_id) ?? [];
      headers.push(row);
      persons.set(row.patient_id, headers);
    }
    const keys = [...new Set(patientIds)].filter((id) => persons.has(id));
    const table = keys.map((id) => valuesOf(newestWindow(persons.get(id) ?? [])));
    const frame = frameOf(
      keys,
      FEATURES.map(({ name, unit }, index) => ({ name, unit, values: Float64Array.from(table, (values) => values[index] ?? Number.NaN) })),
    );
    const quiet = patientIds.filter((id) => !persons.has(id));
    if (quiet.length === 0) return { frame, stale: [] };
    const older = await source.rows<Pick<Header, 'patient_id'>>({
      of: () => WearableDay,
      columns: ['patient_id', 'metric', 'day'],
      where: { patient_id: quiet, metric: METRICS_READ },
      between: { day: { to: dayBefore(MAX_AGE_DAYS + 1) } },
    });
    return { frame, stale: [...new Set(older.map((row) => row.patient_id))] };
  },
};

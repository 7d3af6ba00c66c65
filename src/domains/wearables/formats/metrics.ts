/**
 * The closed table of metrics and the conversion of units into the one unit of each metric (UCUM).
 * Nothing outside this table is aggregated; spec/wearables.md section 1.
 */

export type Aggregation = 'mean' | 'sum';

export interface Metric {
  readonly name: string;
  /** UCUM unit of every stored value. */
  readonly unit: string;
  /** Plausible range, both ends included; a value outside is refused with SAMPLE_INVALID, never clipped. */
  readonly min: number;
  readonly max: number;
  readonly aggregation: Aggregation;
  /** True when devices write it on a fixed grid, so that gaps have a meaning and coverage can be stated. */
  readonly regular: boolean;
}

function metric(unit: string, min: number, max: number, aggregation: Aggregation, regular: boolean): Omit<Metric, 'name'> {
  return { unit, min, max, aggregation, regular };
}

const TABLE = {
  heart_rate: metric('/min', 20, 300, 'mean', true),
  steps: metric('{steps}', 0, 60_000, 'sum', true),
  sleep_duration: metric('s', 0, 172_800, 'sum', false),
  hrv_sdnn: metric('ms', 0, 1_000, 'mean', false),
  rr_interval: metric('ms', 200, 3_000, 'mean', false),
  oxygen_saturation: metric('%', 40, 100, 'mean', true),
  body_temperature: metric('Cel', 25, 45, 'mean', false),
  ambient_temperature: metric('Cel', -60, 85, 'mean', true),
  blood_pressure_systolic: metric('mm[Hg]', 40, 300, 'mean', false),
  blood_pressure_diastolic: metric('mm[Hg]', 20, 200, 'mean', false),
  body_weight: metric('kg', 0.2, 650, 'mean', false),
  body_height: metric('cm', 20, 280, 'mean', false),
  respiratory_rate: metric('/min', 2, 100, 'mean', true),
  distance: metric('m', 0, 1_000_000, 'sum', true),
  energy: metric('kcal', 0, 30_000, 'sum', true),
  speed: metric('m/s', 0, 150, 'mean', true),
  altitude: metric('m', -500, 20_000, 'mean', true),
  power: metric('W', 0, 4_000, 'mean', true),
  cadence: metric('/min', 0, 255, 'mean', true),
  blood_glucose: metric('mg/dL', 10, 1_500, 'mean', false),
  physical_activity: metric('min', 0, 2_880, 'sum', false),
} as const satisfies Record<string, Omit<Metric, 'name'>>;

export type MetricName = keyof typeof TABLE;

export const METRIC_NAMES = Object.keys(TABLE) as readonly MetricName[];

export const METRICS: Readonly<Record<MetricName, Metric>> = Object.fromEntries(
  METRIC_NAMES.map((name) => [name, { name, ...TABLE[name] }]),
) as Record<MetricName, Metric>;

export function isMetric(name: string): name is MetricName {
  return Object.hasOwn(TABLE, name);
}

/** value in the metric's unit = value * factor + shift. */
export interface Conversion {
  readonly factor: number;
  readonly shift: number;
}

function times(factor: number): Conversion {
  return { factor, shift: 0 };
}

const SAME = times(1);

/** Molar mass of glucose 180.156 g/mol, so 1 mmol/L is 18.0156 mg/dL. */
const GLUCOSE_MG_PER_DL = 18.0156;

const RATE = {
  '/min': SAME,
  'count/min': SAME,
  bpm: SAME,
  'beats/min': SAME,
  'breaths/min': SAME,
  rpm: SAME,
  'count/s': times(60),
  Hz: times(60),
};
const DURATION_S = { s: SAME, sec: SAME, ms: times(0.001), min: times(60), h: times(3600), hr: times(3600), d: times(86_400) };
const DURATION_MS = { ms: SAME, s: times(1000), sec: times(1000) };
const DURATION_MIN = { min: SAME, s: times(1 / 60), sec: times(1 / 60), h: times(60), hr: times(60) };
const LENGTH_M = {
  m: SAME,
  km: times(1000),
  cm: times(0.01),
  mm: times(0.001),
  mi: times(1609.344),
  ft: times(0.3048),
  in: times(0.0254),
  yd: times(0.9144),
};
const LENGTH_CM = { cm: SAME, m: times(100), mm: times(0.1), in: times(2.54), ft: times(30.48) };
const MASS_KG = {
  kg: SAME,
  g: times(0.001),
  lb: times(0.45359237),
  '[lb_av]': times(0.45359237),
  oz: times(0.028349523125),
  st: times(6.35029318),
};
const FAHRENHEIT: Conversion = { factor: 5 / 9, shift: -160 / 9 };
const TEMPERATURE = {
  Cel: SAME,
  C: SAME,
  degC: SAME,
  F: FAHRENHEIT,
  degF: FAHRENHEIT,
  '[degF]': FAHRENHEIT,
  K: { factor: 1, shift: -273.15 },
};
const PRESSURE = { 'mm[Hg]': SAME, mmHg: SAME, kPa: times(7.50061682704) };
const ENERGY = { kcal: SAME, Cal: SAME, cal: times(0.001), kJ: times(1 / 4.184), J: times(1 / 4184) };
const SPEED = {
  'm/s': SAME,
  'km/h': times(1 / 3.6),
  'km/hr': times(1 / 3.6),
  'mi/h': times(0.44704),
  'mi/hr': times(0.44704),
  mph: times(0.44704),
};
const GLUCOSE = {
  'mg/dL': SAME,
  'mmol/L': times(GLUCOSE_MG_PER_DL),
  'mmol<180.1558800000541>/L': times(18.01558800000541),
};

const UNITS: Readonly<Record<MetricName, Readonly<Record<string, Conversion>>>> = {
  heart_rate: RATE,
  steps: { '{steps}': SAME, steps: SAME, count: SAME, '1': SAME },
  sleep_duration: DURATION_S,
  hrv_sdnn: DURATION_MS,
  rr_interval: DURATION_MS,
  oxygen_saturation: { '%': SAME },
  body_temperature: TEMPERATURE,
  ambient_temperature: TEMPERATURE,
  blood_pressure_systolic: PRESSURE,
  blood_pressure_diastolic: PRESSURE,
  body_weight: MASS_KG,
  body_height: LENGTH_CM,
  respiratory_rate: RATE,
  distance: LENGTH_M,
  energy: ENERGY,
  speed: SPEED,
  altitude: LENGTH_M,
  power: { W: SAME, kW: times(1000) },
  cadence: RATE,
  blood_glucose: GLUCOSE,
  physical_activity: DURATION_MIN,
};

/** How a unit as written by a sender becomes the metric's unit; null when it cannot (the caller faults with UNIT_UNKNOWN). */
export function conversionOf(metricName: MetricName, unit: string): Conversion | null {
  const table = UNITS[metricName];
  return Object.hasOwn(table, unit) ? (table[unit] ?? null) : null;
}

/** `value` of `unit` in the metric's own unit, or null when the unit is not known for the metric. */
export function convert(metricName: MetricName, value: number, unit: string): number | null {
  const conversion = conversionOf(metricName, unit);
  return conversion === null ? null : value * conversion.factor + conversion.shift;
}

import type { MetricName } from './metrics.js';

/**
 * What the Open mHealth and IEEE 1752.1 schemas demand of a body, as tables (spec/wearables.md W20).
 * Only the schemas that are aggregated stand here; another schema id is OMH_UNKNOWN.
 */

export interface OmhMeasure {
  readonly key: string;
  readonly metric: MetricName;
  /** Units that the schema allows; a version that gives a bare number instead names it in `numberBelow`. */
  readonly units: readonly string[];
  readonly required: boolean;
}

export interface OmhSchema {
  readonly name: string;
  readonly measures: readonly OmhMeasure[];
  /** First major version that demands effective_time_frame; 0 for all, Infinity for none. */
  readonly timeFrom: number;
  /** First major version that demands an interval in it. */
  readonly intervalFrom: number;
  /** First major version whose time frame is the IEEE one, without part_of_day. */
  readonly ieeeTimeFrom: number;
  /** Major versions below give the measure as a bare number. */
  readonly numberBelow: number;
  /** Closed lists of optional properties, by major version: the last entry at or below the version counts. */
  readonly enums: Readonly<Record<string, readonly (readonly [from: number, values: readonly string[]])[]>>;
  /** Required text properties. */
  readonly texts: readonly string[];
}

const MASS = ['fg', 'pg', 'ng', 'ug', 'mg', 'g', 'kg', 'Metric Ton', 'gr', 'oz', 'lb', 'Ton'];
const LENGTH = ['fm', 'pm', 'nm', 'um', 'mm', 'cm', 'm', 'km', 'in', 'ft', 'yd', 'mi'];
const DURATION = ['ps', 'ns', 'us', 'ms', 'sec', 'min', 'h', 'd', 'wk', 'Mo', 'yr'];
const TEMPERATURE = ['K', 'F', 'C'];

/** Statistics over an interval; the IEEE list is the longer one and holds all of the older. */
const STATISTICS = [
  'average',
  'count',
  'maximum',
  'median',
  'minimum',
  'standard deviation',
  'sum',
  'variance',
  '20th percentile',
  '80th percentile',
  'lower quartile',
  'upper quartile',
  'quartile deviation',
  '1st quintile',
  '2nd quintile',
  '3rd quintile',
  '4th quintile',
];
const POSTURES = ['sitting', 'lying down', 'standing', 'semi-recumbent'];
const MEALS = [
  'fasting',
  'not fasting',
  'before meal',
  'after meal',
  'before breakfast',
  'after breakfast',
  'before lunch',
  'after lunch',
  'before dinner',
  'after dinner',
  '2 hours postprandial',
  'with meal',
  'with food',
];
const SPECIMENS_1 = ['interstitial fluid', 'capillary blood', 'plasma', 'serum', 'tears', 'whole blood'];
const SPECIMENS_3 = ['breath', 'capillary blood', 'interstitial fluid', 'lacrimal fluid', 'saliva', 'sweat', 'tears', 'urine'];
const THERMOMETER_SITES = ['axillary', 'finger', 'forehead', 'oral', 'rectal', 'temporal artery', 'toe', 'tympanic', 'wrist', 'vagina'];

const COMMON_ENUMS = {
  descriptive_statistic: [[0, STATISTICS]],
  temporal_relationship_to_physical_activity: [[0, ['at rest', 'active', 'before exercise', 'after exercise', 'during exercise']]],
  temporal_relationship_to_sleep: [[0, ['before sleeping', 'during sleep', 'on waking']]],
  temporal_relationship_to_meal: [[0, MEALS]],
  body_posture: [[0, POSTURES]],
  position_during_measurement: [[0, POSTURES.slice(0, 3)]],
} as const;

function measure(key: string, metric: MetricName, units: readonly string[], required = true): OmhMeasure {
  return { key, metric, units, required };
}

const NEVER = Number.POSITIVE_INFINITY;

function schema(name: string, measures: readonly OmhMeasure[], differing: Partial<OmhSchema>): OmhSchema {
  const plain = { timeFrom: 2, intervalFrom: NEVER, ieeeTimeFrom: NEVER, numberBelow: 0, texts: [] };
  return { name, measures, ...plain, ...differing, enums: { ...COMMON_ENUMS, ...differing.enums } };
}

const SCHEMAS: readonly OmhSchema[] = [
  schema('heart-rate', [measure('heart_rate', 'heart_rate', ['beats/min'])], {}),
  schema('step-count', [measure('step_count', 'steps', ['steps'])], { intervalFrom: 2, numberBelow: 3 }),
  schema('body-weight', [measure('body_weight', 'body_weight', MASS)], {}),
  schema('body-height', [measure('body_height', 'body_height', LENGTH)], { ieeeTimeFrom: 2 }),
  schema(
    'blood-pressure',
    [
      measure('systolic_blood_pressure', 'blood_pressure_systolic', ['mmHg']),
      measure('diastolic_blood_pressure', 'blood_pressure_diastolic', ['mmHg']),
    ],
    { timeFrom: 3, ieeeTimeFrom: 4 },
  ),
  schema('blood-glucose', [measure('blood_glucose', 'blood_glucose', ['mg/dL', 'mmol/L'])], {
    timeFrom: 3,
    ieeeTimeFrom: 4,
    enums: {
      blood_specimen_type: [[0, ['whole blood', 'plasma', 'serum']]],
      specimen_source: [
        [0, SPECIMENS_1],
        [3, SPECIMENS_3],
      ],
    },
  }),
  schema('oxygen-saturation', [measure('oxygen_saturation', 'oxygen_saturation', ['%'])], {
    enums: { system: [[0, ['peripheral capillary']]], measurement_method: [[0, ['pulse oximetry']]] },
  }),
  schema('body-temperature', [measure('body_temperature', 'body_temperature', TEMPERATURE)], {
    timeFrom: 3,
    ieeeTimeFrom: 4,
    enums: { measurement_location: [[0, THERMOMETER_SITES]] },
  }),
  schema('respiratory-rate', [measure('respiratory_rate', 'respiratory_rate', ['breaths/min'])], {}),
  schema('rr-interval', [measure('rr_interval', 'rr_interval', ['ms'])], {}),
  schema('sleep-duration', [measure('sleep_duration', 'sleep_duration', ['sec', 'min', 'h'])], { intervalFrom: 2 }),
  schema('total-sleep-time', [measure('total_sleep_time', 'sleep_duration', DURATION)], { timeFrom: 0, intervalFrom: 0 }),
  schema('minutes-moderate-activity', [measure('minutes_moderate_activity', 'physical_activity', ['min'])], { timeFrom: NEVER }),
  schema('calories-burned', [measure('kcal_burned', 'energy', ['kcal'])], { intervalFrom: 2 }),
  schema(
    'physical-activity',
    [
      measure('distance', 'distance', LENGTH, false),
      measure('kcal_burned', 'energy', ['kcal'], false),
      measure('duration', 'physical_activity', DURATION, false),
    ],
    { timeFrom: NEVER, texts: ['activity_name'], enums: { reported_activity_intensity: [[0, ['light', 'moderate', 'vigorous']]] } },
  ),
];

const BY_NAME = new Map(SCHEMAS.map((entry) => [entry.name, entry]));

export function omhSchema(name: string): OmhSchema | undefined {
  return BY_NAME.get(name);
}

/** The schema of a body without a header, told by its measure; energy and distance with an activity name are an activity. */
export function schemaOfBody(body: Readonly<Record<string, unknown>>): OmhSchema | undefined {
  if (Object.hasOwn(body, 'activity_name')) return BY_NAME.get('physical-activity');
  return SCHEMAS.find(({ measures }) => measures.some(({ key, required }) => required && Object.hasOwn(body, key)));
}

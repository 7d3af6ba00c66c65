import type { MetricName } from './metrics.js';

/** The Apple Health quantity types that are aggregated; a type outside this table is METRIC_UNKNOWN, told once a file. */
export const APPLE_QUANTITIES: ReadonlyMap<string, MetricName> = new Map([
  ['HKQuantityTypeIdentifierHeartRate', 'heart_rate'],
  ['HKQuantityTypeIdentifierStepCount', 'steps'],
  ['HKQuantityTypeIdentifierBodyMass', 'body_weight'],
  ['HKQuantityTypeIdentifierHeight', 'body_height'],
  ['HKQuantityTypeIdentifierHeartRateVariabilitySDNN', 'hrv_sdnn'],
  ['HKQuantityTypeIdentifierOxygenSaturation', 'oxygen_saturation'],
  ['HKQuantityTypeIdentifierBodyTemperature', 'body_temperature'],
  ['HKQuantityTypeIdentifierRespiratoryRate', 'respiratory_rate'],
  ['HKQuantityTypeIdentifierBloodPressureSystolic', 'blood_pressure_systolic'],
  ['HKQuantityTypeIdentifierBloodPressureDiastolic', 'blood_pressure_diastolic'],
  ['HKQuantityTypeIdentifierBloodGlucose', 'blood_glucose'],
  ['HKQuantityTypeIdentifierDistanceWalkingRunning', 'distance'],
  ['HKQuantityTypeIdentifierActiveEnergyBurned', 'energy'],
  ['HKQuantityTypeIdentifierWalkingSpeed', 'speed'],
  ['HKQuantityTypeIdentifierRunningPower', 'power'],
  ['HKQuantityTypeIdentifierCyclingPower', 'power'],
  ['HKQuantityTypeIdentifierCyclingCadence', 'cadence'],
  ['HKQuantityTypeIdentifierAppleExerciseTime', 'physical_activity'],
]);

export const APPLE_SLEEP = 'HKCategoryTypeIdentifierSleepAnalysis';
/** Core, deep, REM and unspecified sleep; time in bed and awake is not sleep. */
export const APPLE_ASLEEP = 'HKCategoryValueSleepAnalysisAsleep';

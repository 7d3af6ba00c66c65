import { frameOf, type Feature, type FeatureView, type RowSource } from '../../kernel/index.js';
import { ImagingInstance, ImagingSeries } from './model.js';
import { STARTED_UNKNOWN } from './pipeline.js';

const DAY_MS = 86_400_000;
const MAX_AGE_DAYS = 1_095;

/** Columns of instances that are averaged, with the feature that each becomes. */
const PIXEL = ['pixel_mean', 'pixel_sd', 'pixel_p10', 'pixel_p50', 'pixel_p90'] as const;
// started_key and study_uid of a series choose and group; neither leaves this file, and the study's own UID is not read.
const SERIES_COLUMNS = ['patient_id', 'study_uid', 'started_key', 'kvp', 'slice_thickness_mm'] as const;
const INSTANCE_COLUMNS = ['patient_id', 'study_uid', ...PIXEL] as const;

const FEATURES: readonly Feature[] = [
  { name: 'pixel_mean', unit: '1', description: 'Mean intensity after rescale, averaged over the objects of the study.' },
  { name: 'pixel_sd', unit: '1', description: 'Standard deviation of intensity, averaged over the objects of the study.' },
  { name: 'pixel_p10', unit: '1', description: 'Tenth percentile of intensity, averaged over the objects of the study.' },
  { name: 'pixel_p50', unit: '1', description: 'Median intensity, averaged over the objects of the study.' },
  { name: 'pixel_p90', unit: '1', description: 'Ninetieth percentile of intensity, averaged over the objects of the study.' },
  { name: 'kvp', unit: 'kV', description: 'Peak voltage of the X-ray tube, averaged over the series of the study.' },
  { name: 'slice_thickness', unit: 'mm', description: 'Nominal slice thickness, averaged over the series of the study.' },
  { name: 'image_instances', unit: '1', description: 'Number of objects of the study.' },
];

interface SeriesRow {
  readonly patient_id: string;
  readonly study_uid: string;
  readonly started_key: string;
  readonly kvp: number | null;
  readonly slice_thickness_mm: number | null;
}
type InstanceRow = { readonly patient_id: string; readonly study_uid: string } & Readonly<Record<(typeof PIXEL)[number], number | null>>;

/** The study that stands for a person: the latest whose start is known and not after the time asked for. */
interface Latest {
  readonly studyUid: string;
  readonly startedAt: number;
  readonly series: readonly SeriesRow[];
  readonly instances: InstanceRow[];
}

function groupBy<T>(rows: readonly T[], key: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group) group.push(row);
    else groups.set(key(row), [row]);
  }
  return groups;
}

/** A study starts with its first series; of studies that start at once the greater UID wins, so that the choice is stable. */
function latestOf(rows: readonly SeriesRow[]): Latest | null {
  let latest: Latest | null = null;
  for (const [studyUid, series] of groupBy(rows, (row) => row.study_uid)) {
    const startedAt = series.reduce((least, row) => Math.min(least, Date.parse(row.started_key)), Infinity);
    const later = latest === null || startedAt > latest.startedAt || (startedAt === latest.startedAt && studyUid > latest.studyUid);
    if (later) latest = { studyUid, startedAt, series, instances: [] };
  }
  return latest;
}

async function latestStudies(source: RowSource, patientIds: readonly string[], asOf: number): Promise<Map<string, Latest>> {
  const rows = await source.rows<SeriesRow>({
    of: () => ImagingSeries,
    columns: SERIES_COLUMNS,
    where: { patient_id: patientIds },
    between: { started_key: { to: new Date(asOf + 1).toISOString() } },
    order: ['patient_id', 'study_uid'],
  });
  const unknown = Date.parse(STARTED_UNKNOWN);
  const usable = rows.filter((row) => Date.parse(row.started_key) > unknown && Date.parse(row.started_key) <= asOf);
  const studies = new Map<string, Latest>();
  for (const [patientId, series] of groupBy(usable, (row) => row.patient_id)) {
    const latest = latestOf(series);
    if (latest) studies.set(patientId, latest);
  }
  return studies;
}

async function addInstances(source: RowSource, studies: ReadonlyMap<string, Latest>): Promise<void> {
  if (studies.size === 0) return;
  const rows = await source.rows<InstanceRow>({
    of: () => ImagingInstance,
    columns: INSTANCE_COLUMNS,
    where: { patient_id: [...studies.keys()], study_uid: [...new Set([...studies.values()].map((study) => study.studyUid))] },
    order: ['patient_id', 'study_uid'],
  });
  for (const row of rows) {
    const study = studies.get(row.patient_id);
    if (study?.studyUid === row.study_uid) study.instances.push(row);
  }
}

/** Mean of the values that are there; NaN where none is. They are summed in order of size, so that the order of rows does not show. */
function meanOf(values: readonly (number | null)[]): number {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  return known.length === 0 ? NaN : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function valuesOf({ series, instances }: Latest): number[] {
  return [
    ...PIXEL.map((name) => meanOf(instances.map((row) => row[name]))),
    meanOf(series.map((row) => row.kvp)),
    meanOf(series.map((row) => row.slice_thickness_mm)),
    instances.length,
  ];
}

/**
 * Imaging features of the latest study of each person (spec D66, D67). A study older than three years makes the person stale; a study
 * whose start is unknown, or of which no object may be read, counts as no study.
 */
export const features: FeatureView = {
  modality: 'IMAGING',
  version: 'imaging/1',
  features: FEATURES,
  reads: [
    { of: () => ImagingSeries, columns: SERIES_COLUMNS },
    { of: () => ImagingInstance, columns: INSTANCE_COLUMNS },
  ],
  tags: ['pseudonym', 'imaging', 'imaging.pixel'],
  maxAgeDays: MAX_AGE_DAYS,
  async compute(source, patientIds, asOf) {
    const oldest = asOf - MAX_AGE_DAYS * DAY_MS;
    const studies = await latestStudies(source, patientIds, asOf);
    const stale = [...studies].filter(([, study]) => study.startedAt < oldest).map(([patientId]) => patientId);
    for (const patientId of stale) studies.delete(patientId);
    await addInstances(source, studies);
    const present = [...studies].filter(([, study]) => study.instances.length > 0);
    const rows = present.map(([, study]) => valuesOf(study));
    const columns = FEATURES.map(({ name, unit }, index) => ({ name, unit, values: Float64Array.from(rows, (row) => row[index] ?? NaN) }));
    return {
      frame: frameOf(
        present.map(([patientId]) => patientId),
        columns,
      ),
      stale,
    };
  },
};

import {
  ISSUERS,
  bindFormat,
  type AssetDeclaration,
  type Expectation,
  type IdentityKey,
  type PipelineDeclaration,
  type SqlType,
  type StageContext,
  type Staged,
} from '../../kernel/index.js';
import { dicom, type DicomRecord } from './formats/dicom.js';

type Row = Readonly<Record<string, unknown>>;

/** Stands in started_key where no object of a study states when it began, so that lists have a total order. */
export const STARTED_UNKNOWN = '1900-01-01T00:00:00.000Z';
/** Stands in number_key where the device gave no number: such rows come last. */
const NUMBER_UNKNOWN = 2_147_483_647;

const person: Readonly<Record<string, SqlType>> = {
  patient_id: 'uuid',
  site_id: 'text',
  sensitivity: 'int',
  source_digest: 'text',
  source_ordinal: 'int',
};

/** What arrives fills the gaps of what is stored; neither replaces the other. The stricter confidentiality holds. */
function joined(stored: Row, incoming: Row): Record<string, unknown> {
  const row = Object.fromEntries(Object.entries(incoming).map(([name, value]) => [name, stored[name] ?? value]));
  return { ...row, sensitivity: Math.max(Number(stored['sensitivity'] ?? 0), Number(incoming['sensitivity'] ?? 0)) };
}

function union(a: unknown, b: unknown): string[] {
  return [...new Set([...(a as readonly string[]), ...(b as readonly string[])])].sort();
}

/** The earliest stated start of the two, as ISO text, or null. Stored instants may come back as a Date. */
function earliest(a: unknown, b: unknown): string | null {
  const known = [a, b].filter((each) => each !== null && each !== undefined).map((each) => new Date(each as string | Date).getTime());
  const stated = known.filter((time) => time > Date.parse(STARTED_UNKNOWN));
  return stated.length === 0 ? null : new Date(Math.min(...stated)).toISOString();
}

function mergeStudy(stored: Row | null, incoming: Row): { row: Row } {
  if (stored === null) return { row: incoming };
  const startedAt = earliest(stored['started_at'], incoming['started_at']);
  return {
    row: {
      ...joined(stored, incoming),
      started_at: startedAt,
      started_key: startedAt ?? STARTED_UNKNOWN,
      modalities: union(stored['modalities'], incoming['modalities']),
      body_parts: union(stored['body_parts'], incoming['body_parts']),
    },
  };
}

function mergeSeries(stored: Row | null, incoming: Row): { row: Row } {
  if (stored === null) return { row: incoming };
  const row = joined(stored, incoming);
  return {
    row: {
      ...row,
      number_key: row['number'] ?? NUMBER_UNKNOWN,
      started_key: earliest(stored['started_key'], incoming['started_key']) ?? STARTED_UNKNOWN,
    },
  };
}

/** PS3.5 section 9.1. Leading zeros are wrong too, but are common and do no harm. */
const UID = /^[0-9]+(\.[0-9]+)*$/;
const isUid = (value: unknown): boolean => typeof value === 'string' && value.length <= 64 && UID.test(value);
const between = (value: unknown, above: number, most: number): boolean =>
  value === null || (typeof value === 'number' && value > above && value <= most);

const validUids: Expectation = {
  name: 'valid_uids',
  description: 'Each UID is at most 64 characters of digits and dots (PS3.5 section 9.1).',
  action: 'warn',
  holds: (row) => ['study_uid', 'series_uid', 'sop_uid'].every((name) => !(name in row) || isUid(row[name])),
};

const study: AssetDeclaration = {
  table: 'imaging_study',
  columns: {
    ...person,
    study_uid: 'text',
    id: 'uuid',
    started_at: 'timestamptz',
    started_key: 'timestamptz',
    description: 'text',
    accession: 'text',
    modalities: 'text[]',
    body_parts: 'text[]',
  },
  key: ['patient_id', 'study_uid'],
  patient: 'required',
  onConflict: 'merge',
  merge: mergeStudy,
  expectations: [
    { name: 'start_known', description: 'The study says when it began.', action: 'warn', holds: (row) => row['started_at'] !== null },
  ],
};

const series: AssetDeclaration = {
  table: 'imaging_series',
  columns: {
    ...person,
    study_uid: 'text',
    series_uid: 'text',
    id: 'uuid',
    started_key: 'timestamptz',
    number: 'int',
    number_key: 'int',
    modality: 'text',
    body_part: 'text',
    laterality: 'text',
    protocol: 'text',
    description: 'text',
    manufacturer: 'text',
    slice_thickness_mm: 'float8',
    kvp: 'float8',
  },
  key: ['patient_id', 'study_uid', 'series_uid'],
  patient: 'required',
  onConflict: 'merge',
  merge: mergeSeries,
  expectations: [
    { name: 'has_modality', description: 'The series names its modality.', action: 'warn', holds: (row) => row['modality'] !== null },
    {
      name: 'plausible_thickness',
      description: 'A slice is thicker than 0 mm and at most 100 mm.',
      action: 'warn',
      holds: (row) => between(row['slice_thickness_mm'], 0, 100),
    },
    {
      name: 'plausible_voltage',
      description: 'The peak voltage is above 0 kV and at most 500 kV.',
      action: 'warn',
      holds: (row) => between(row['kvp'], 0, 500),
    },
  ],
};

const instance: AssetDeclaration = {
  table: 'imaging_instance',
  columns: {
    ...person,
    study_uid: 'text',
    series_uid: 'text',
    sop_uid: 'text',
    id: 'uuid',
    number: 'int',
    number_key: 'int',
    sop_class: 'text',
    transfer_syntax: 'text',
    rows: 'int',
    columns: 'int',
    frames: 'int',
    bits: 'int',
    photometric: 'text',
    burned_in: 'bool',
    incomplete: 'bool',
    file_digest: 'text',
    file_bytes: 'bigint',
    attributes: 'json',
    pixel_mean: 'float8',
    pixel_sd: 'float8',
    pixel_p10: 'float8',
    pixel_p50: 'float8',
    pixel_p90: 'float8',
    pixel_min: 'float8',
    pixel_max: 'float8',
  },
  key: ['patient_id', 'study_uid', 'series_uid', 'sop_uid'],
  patient: 'required',
  // One UID with other bytes is a conflict, never an overwrite: the digest is part of the content (spec D61).
  onConflict: 'ignore-identical',
  ignore: ['id', 'source_digest', 'source_ordinal'],
  expectations: [
    {
      name: 'complete_pixel_data',
      description: 'The object holds all pixel data that it announces.',
      action: 'warn',
      holds: (row) => row['incomplete'] === false,
    },
    {
      name: 'no_burned_in_text',
      description: 'The object does not say that identifying text is part of the picture.',
      action: 'warn',
      holds: (row) => row['burned_in'] !== true,
    },
    {
      name: 'plausible_spacing',
      description: 'Pixels are further apart than 0 mm and at most 100 mm.',
      action: 'warn',
      holds: hasPlausibleSpacing,
    },
    validUids,
  ],
};

function hasPlausibleSpacing(row: Row): boolean {
  const spacing = (row['attributes'] as Row)['PixelSpacing'];
  return !Array.isArray(spacing) || spacing.every((each) => between(Number(each), 0, 100));
}

/** Postgres holds no NUL in text or JSON; writers leave some inside padded values. */
const clean = (text: string): string => (text.includes('\0') ? text.replaceAll('\0', '') : text);
const textOf = (text: string | null): string | null => (text === null ? null : clean(text));
const intOf = (value: number | null): number | null =>
  value !== null && Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? value : null;
const listOf = (code: string | null): string[] => (code === null ? [] : [clean(code)]);

/** (0040,3001) Confidentiality Constraint on Patient Data Description and (0040,1008) Confidentiality Code: any statement restricts. */
function sensitivityOf(record: DicomRecord): number {
  return record.attributes['0040,3001'] === undefined && record.attributes['0040,1008'] === undefined ? 0 : 1;
}

function keysOf(record: DicomRecord): IdentityKey[] {
  const { patientId, patientIdIssuer } = record;
  if (patientId === null) return [];
  const value = clean(patientId);
  // A bare number of one hospital is another person in the next: it is tried only where nobody says who issued it.
  const issuers = patientIdIssuer === null ? [ISSUERS.dicom, ISSUERS.mrn] : [clean(patientIdIssuer)];
  return issuers.map((issuer) => ({ issuer, value }));
}

function burnedIn(record: DicomRecord): boolean | null {
  return record.burnedInAnnotation === 'YES' ? true : record.burnedInAnnotation === 'NO' ? false : null;
}

function attributesOf(record: DicomRecord): Row {
  const entries = Object.entries(record.attributes);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? clean(value) : Array.isArray(value) ? value.map(clean) : value]),
  );
}

function seriesRow(record: DicomRecord, id: string, startedAt: string | null): Row {
  const number = intOf(record.seriesNumber);
  return {
    study_uid: clean(record.studyUid),
    series_uid: clean(record.seriesUid),
    id,
    sensitivity: sensitivityOf(record),
    started_key: startedAt ?? STARTED_UNKNOWN,
    number,
    number_key: number ?? NUMBER_UNKNOWN,
    modality: textOf(record.modality),
    body_part: textOf(record.bodyPart),
    laterality: textOf(record.laterality),
    protocol: textOf(record.protocol),
    description: textOf(record.seriesDescription),
    manufacturer: textOf(record.manufacturer),
    slice_thickness_mm: record.sliceThicknessMm,
    kvp: record.kvp,
  };
}

function instanceRow(record: DicomRecord, context: StageContext): Row {
  const number = intOf(record.instanceNumber);
  const { pixel } = record;
  return {
    study_uid: clean(record.studyUid),
    series_uid: clean(record.seriesUid),
    sop_uid: clean(record.sopUid),
    id: context.newId(),
    sensitivity: sensitivityOf(record),
    number,
    number_key: number ?? NUMBER_UNKNOWN,
    sop_class: textOf(record.sopClass),
    transfer_syntax: clean(record.transferSyntax),
    rows: intOf(record.rows),
    columns: intOf(record.columns),
    frames: intOf(record.frames),
    bits: intOf(record.bitsAllocated),
    photometric: textOf(record.photometric),
    burned_in: burnedIn(record),
    incomplete: record.incomplete,
    file_digest: context.digest,
    file_bytes: record.bytes,
    attributes: attributesOf(record),
    pixel_mean: pixel?.mean ?? null,
    pixel_sd: pixel?.sd ?? null,
    pixel_p10: pixel?.p10 ?? null,
    pixel_p50: pixel?.p50 ?? null,
    pixel_p90: pixel?.p90 ?? null,
    pixel_min: pixel?.min ?? null,
    pixel_max: pixel?.max ?? null,
  };
}

/** One object becomes its study, its series and itself, in this order (spec D60). */
function* stage(record: DicomRecord, context: StageContext): Iterable<Staged> {
  const keys = keysOf(record);
  const startedAt = record.startedAt === null ? null : new Date(record.startedAt).toISOString();
  const studyRow: Row = {
    study_uid: clean(record.studyUid),
    id: context.newId(),
    sensitivity: sensitivityOf(record),
    started_at: startedAt,
    started_key: startedAt ?? STARTED_UNKNOWN,
    description: textOf(record.studyDescription),
    accession: textOf(record.accessionNumber),
    modalities: listOf(record.modality),
    body_parts: listOf(record.bodyPart),
  };
  yield { kind: 'row', asset: study.table, row: studyRow, keys };
  yield { kind: 'row', asset: series.table, row: seriesRow(record, context.newId(), startedAt), keys };
  yield { kind: 'row', asset: instance.table, row: instanceRow(record, context), keys };
}

/** How DICOM objects become rows. */
export const pipeline: PipelineDeclaration = {
  formats: [bindFormat({ format: dicom, stage })],
  assets: [study, series, instance],
};

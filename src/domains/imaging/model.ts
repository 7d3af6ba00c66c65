import {
  Patient,
  aggregate,
  collection,
  column,
  entity,
  extension,
  fileLink,
  reference,
  type Filter,
  type Order,
} from '../../kernel/index.js';

/** Filters of every list of studies. Dates are quasi-identifiers: a caller who sees the year only may not filter by time. */
export const studyFilters: readonly Filter[] = [
  {
    argument: 'modality',
    description: 'Studies that hold a series of this modality (DICOM CS).',
    type: 'String',
    column: 'modalities',
    operator: 'contains',
  },
  {
    argument: 'bodyPart',
    description: 'Studies that hold a series of this body part (DICOM CS).',
    type: 'String',
    column: 'body_parts',
    operator: 'contains',
  },
  { argument: 'from', description: 'Started at or after.', type: 'DateTime', column: 'started_at', operator: 'gte' },
  { argument: 'to', description: 'Started before.', type: 'DateTime', column: 'started_at', operator: 'lt' },
];

/** Orders of every list of studies; callers who see the year only get key order. */
export const studyOrders: readonly Order[] = [
  { name: 'STARTED_AT_DESC', column: 'started_key', type: 'timestamptz', descending: true, tags: ['pii.quasi'] },
  { name: 'STARTED_AT_ASC', column: 'started_key', type: 'timestamptz', tags: ['pii.quasi'] },
];

/** Numbers of series and instances are chosen by the device; those without one come last. */
const byNumber: readonly Order[] = [{ name: 'NUMBER_ASC', column: 'number_key', type: 'int', tags: ['imaging'] }];

/** One object of a series: an image, a segmentation, a report (PS3.3 section A.1.2). */
@entity('ImagingInstance', {
  description: 'One DICOM object of a series, for example an image.',
  table: 'imaging_instance',
  key: ['patient_id', 'study_uid', 'series_uid', 'sop_uid'],
  tags: ['pseudonym', 'imaging'],
  modality: 'IMAGING',
  patient: 'patient_id',
  fhir: 'ImagingStudy',
})
export class ImagingInstance {
  @column({
    column: 'id',
    type: 'uuid',
    required: true,
    tags: ['pseudonym', 'imaging'],
    safeHarbor: 'R',
    description: 'Opaque identifier.',
  })
  id!: string;
  @column({ column: 'sop_uid', type: 'text', tags: ['pii.direct'], safeHarbor: 'R', description: 'SOP Instance UID (0008,0018).' })
  uid!: string | null;
  @column({ column: 'number', type: 'int', tags: ['imaging'], safeHarbor: 'none', description: 'Instance number (0020,0013).' })
  number!: number | null;
  @column({ column: 'sop_class', type: 'text', tags: ['imaging'], safeHarbor: 'none', description: 'SOP Class UID (0008,0016).' })
  sopClass!: string | null;
  @column({
    column: 'transfer_syntax',
    type: 'text',
    tags: ['imaging'],
    safeHarbor: 'none',
    description: 'Transfer Syntax UID (0002,0010), guessed where the file states none.',
  })
  transferSyntax!: string | null;
  @column({ column: 'rows', type: 'int', tags: ['imaging'], safeHarbor: 'none', description: 'Rows of a frame in pixels.' })
  rows!: number | null;
  @column({ column: 'columns', type: 'int', tags: ['imaging'], safeHarbor: 'none', description: 'Columns of a frame in pixels.' })
  columns!: number | null;
  @column({ column: 'frames', type: 'int', tags: ['imaging'], safeHarbor: 'none', description: 'Number of frames.' })
  frames!: number | null;
  @column({ column: 'bits', type: 'int', tags: ['imaging'], safeHarbor: 'none', description: 'Bits allocated to a sample (0028,0100).' })
  bits!: number | null;
  @column({
    column: 'photometric',
    type: 'text',
    tags: ['imaging'],
    safeHarbor: 'none',
    description: 'Photometric interpretation (0028,0004).',
  })
  photometric!: string | null;
  @column({
    column: 'burned_in',
    type: 'bool',
    tags: ['imaging'],
    safeHarbor: 'none',
    description: 'Whether the source says that identifying text is part of the picture; null where it says nothing.',
  })
  burnedIn!: boolean | null;
  @column({
    column: 'incomplete',
    type: 'bool',
    tags: ['imaging'],
    safeHarbor: 'none',
    description: 'True where pixel data lack: such an object is never served as whole.',
  })
  incomplete!: boolean | null;
  @column({
    column: 'file_digest',
    type: 'text',
    tags: ['pii.direct'],
    safeHarbor: 'R',
    description: 'The sha256 of the file as received; whoever holds the file can recognise it.',
  })
  fileDigest!: string | null;
  @column({ column: 'file_bytes', type: 'bigint', tags: ['imaging'], safeHarbor: 'none', description: 'Size of the file in bytes.' })
  fileBytes!: number | null;
  @fileLink({
    asset: 'imaging.instance_file',
    of: () => ImagingInstance,
    id: 'id',
    patient: 'patient_id',
    digest: 'file_digest',
    only: { incomplete: false },
    tags: ['imaging', 'imaging.pixel', 'pii.direct', 'pii.quasi', 'demographic', 'site'],
    description: 'The file as received, header and all; null for an object that lacks pixel data.',
  })
  file!: unknown;
  // The header names the person, the site, sex, age and dates: only a grant that covers all of it shows it, and no mask makes it safe.
  @column({
    column: 'attributes',
    type: 'json',
    tags: ['imaging', 'pii.direct', 'pii.quasi', 'demographic', 'site'],
    safeHarbor: 'R',
    description: 'Short public elements of the header by keyword, identifiers among them.',
  })
  attributes!: unknown;
  @column({
    column: 'pixel_mean',
    type: 'float8',
    tags: ['imaging.pixel'],
    safeHarbor: 'none',
    description: 'Mean intensity after rescale.',
  })
  pixelMean!: number | null;
  @column({
    column: 'pixel_sd',
    type: 'float8',
    tags: ['imaging.pixel'],
    safeHarbor: 'none',
    description: 'Standard deviation of intensity after rescale.',
  })
  pixelSd!: number | null;
  @column({
    column: 'pixel_p10',
    type: 'float8',
    tags: ['imaging.pixel'],
    safeHarbor: 'none',
    description: 'Tenth percentile of intensity after rescale.',
  })
  pixelP10!: number | null;
  @column({
    column: 'pixel_p50',
    type: 'float8',
    tags: ['imaging.pixel'],
    safeHarbor: 'none',
    description: 'Median intensity after rescale.',
  })
  pixelP50!: number | null;
  @column({
    column: 'pixel_p90',
    type: 'float8',
    tags: ['imaging.pixel'],
    safeHarbor: 'none',
    description: 'Ninetieth percentile of intensity after rescale.',
  })
  pixelP90!: number | null;
}

/** Objects of one modality that one device made in one go (PS3.3 section A.1.2). */
@entity('ImagingSeries', {
  description: 'Objects of one modality that one device made in one go.',
  table: 'imaging_series',
  key: ['patient_id', 'study_uid', 'series_uid'],
  tags: ['pseudonym', 'imaging'],
  modality: 'IMAGING',
  patient: 'patient_id',
  fhir: 'ImagingStudy',
})
export class ImagingSeries {
  @column({
    column: 'id',
    type: 'uuid',
    required: true,
    tags: ['pseudonym', 'imaging'],
    safeHarbor: 'R',
    description: 'Opaque identifier.',
  })
  id!: string;
  @column({ column: 'series_uid', type: 'text', tags: ['pii.direct'], safeHarbor: 'R', description: 'Series Instance UID (0020,000E).' })
  uid!: string | null;
  @column({ column: 'number', type: 'int', tags: ['imaging'], safeHarbor: 'none', description: 'Series number (0020,0011).' })
  number!: number | null;
  @column({ column: 'modality', type: 'text', tags: ['imaging'], safeHarbor: 'none', description: 'Modality (0008,0060), for example CT.' })
  modality!: string | null;
  @column({ column: 'body_part', type: 'text', tags: ['imaging'], safeHarbor: 'none', description: 'Body part examined (0018,0015).' })
  bodyPart!: string | null;
  @column({ column: 'laterality', type: 'text', tags: ['imaging'], safeHarbor: 'none', description: 'Side of a paired body part: L or R.' })
  laterality!: string | null;
  @column({ column: 'protocol', type: 'text', tags: ['imaging'], safeHarbor: 'none', description: 'Protocol name (0018,1030).' })
  protocol!: string | null;
  @column({ column: 'description', type: 'text', tags: ['imaging'], safeHarbor: 'none', description: 'Series description (0008,103E).' })
  description!: string | null;
  @column({
    column: 'manufacturer',
    type: 'text',
    tags: ['imaging'],
    safeHarbor: 'none',
    description: 'Manufacturer of the device (0008,0070).',
  })
  manufacturer!: string | null;
  @column({
    column: 'slice_thickness_mm',
    type: 'float8',
    tags: ['imaging'],
    safeHarbor: 'none',
    description: 'Nominal slice thickness in mm.',
  })
  sliceThicknessMm!: number | null;
  @column({ column: 'kvp', type: 'float8', tags: ['imaging'], safeHarbor: 'none', description: 'Peak voltage of the X-ray tube in kV.' })
  kvp!: number | null;
  @collection({
    of: () => ImagingInstance,
    on: [
      ['patient_id', 'patient_id'],
      ['study_uid', 'study_uid'],
      ['series_uid', 'series_uid'],
    ],
    filters: [],
    orders: byNumber,
    tags: ['imaging'],
    safeHarbor: 'none',
    description: 'Objects of the series.',
  })
  instances!: unknown;
}

const ofStudy = [
  ['patient_id', 'patient_id'],
  ['study_uid', 'study_uid'],
] as const;

/** One examination of a person (PS3.3 section A.1.2, FHIR R4 ImagingStudy). */
@entity('ImagingStudy', {
  description: 'One imaging examination of a person (DICOM study, FHIR R4 ImagingStudy).',
  table: 'imaging_study',
  key: ['patient_id', 'study_uid'],
  tags: ['pseudonym', 'imaging'],
  modality: 'IMAGING',
  patient: 'patient_id',
  fhir: 'ImagingStudy',
  occurred: 'started_at',
})
export class ImagingStudy {
  @column({
    column: 'id',
    type: 'uuid',
    required: true,
    tags: ['pseudonym', 'imaging'],
    safeHarbor: 'R',
    description: 'Opaque identifier.',
  })
  id!: string;
  @column({ column: 'study_uid', type: 'text', tags: ['pii.direct'], safeHarbor: 'R', description: 'Study Instance UID (0020,000D).' })
  uid!: string | null;
  @column({
    column: 'started_at',
    type: 'timestamptz',
    tags: ['pii.quasi'],
    safeHarbor: 'C',
    description: 'When it began, the earliest that its objects state.',
  })
  startedAt!: string | null;
  @column({ column: 'description', type: 'text', tags: ['imaging'], safeHarbor: 'none', description: 'Study description (0008,1030).' })
  description!: string | null;
  @column({ column: 'modalities', type: 'text[]', tags: ['imaging'], safeHarbor: 'none', description: 'Modalities of its series, sorted.' })
  modalities!: string[] | null;
  @column({ column: 'body_parts', type: 'text[]', tags: ['imaging'], safeHarbor: 'none', description: 'Body parts of its series, sorted.' })
  bodyParts!: string[] | null;
  @reference({
    to: () => Patient,
    on: [['patient_id', 'patient_id']],
    tags: ['pseudonym'],
    safeHarbor: 'none',
    description: 'The person examined.',
  })
  patient!: unknown;
  @collection({
    of: () => ImagingSeries,
    on: ofStudy,
    filters: [{ argument: 'modality', description: 'Only this modality.', type: 'String', column: 'modality', operator: 'eq' }],
    orders: byNumber,
    tags: ['imaging'],
    safeHarbor: 'none',
    description: 'Series of the study.',
  })
  series!: unknown;
  @aggregate({
    of: () => ImagingSeries,
    on: ofStudy,
    filters: [],
    measure: { op: 'count' },
    tags: ['imaging'],
    safeHarbor: 'none',
    description: 'Number of series.',
  })
  seriesCount!: number | null;
  @aggregate({
    of: () => ImagingInstance,
    on: ofStudy,
    filters: [],
    measure: { op: 'count' },
    tags: ['imaging'],
    safeHarbor: 'none',
    description: 'Number of objects.',
  })
  instanceCount!: number | null;
}

/** What the imaging product adds to a person. */
@extension(() => Patient)
export class PatientImaging {
  @collection({
    of: () => ImagingStudy,
    on: [['patient_id', 'patient_id']],
    filters: studyFilters,
    orders: studyOrders,
    tags: ['imaging'],
    safeHarbor: 'none',
    description: 'Imaging studies of the person.',
  })
  imagingStudies!: unknown;
  @aggregate({
    of: () => ImagingStudy,
    on: [['patient_id', 'patient_id']],
    filters: studyFilters,
    measure: { op: 'count' },
    tags: ['imaging'],
    safeHarbor: 'none',
    description: 'Number of imaging studies.',
  })
  imagingStudyCount!: number | null;
}

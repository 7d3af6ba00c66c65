import { CodedError } from '../../../kernel/error.js';
import type { NameGroups } from './dicom-charset.js';
import { nameGroups, personName } from './dicom-charset.js';
import { tagPlace } from './dicom-dictionary.js';
import type { Scan } from './dicom-elements.js';
import type { PixelStatistics } from './dicom-pixel.js';
import { isIncomplete, shapeOf, statisticsOf } from './dicom-pixel.js';
import { isNative } from './dicom-probe.js';
import { instantOf } from './dicom-time.js';
import type { AttributeValue } from './dicom-values.js';
import { Values } from './dicom-values.js';

/** One DICOM instance: the header fields that the imaging tables hold. Absent or empty elements are null. */
export interface DicomRecord {
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly sopUid: string;
  readonly sopClass: string | null;
  readonly transferSyntax: string;
  /** True when the transfer syntax was guessed from the bytes (spec D21). */
  readonly inferred: boolean;
  readonly patientId: string | null;
  readonly patientIdIssuer: string | null;
  /** All component groups, joined by '=' as in the file. */
  readonly patientName: string | null;
  readonly patientNameGroups: NameGroups | null;
  /** YYYYMMDD as it came. */
  readonly patientBirthDate: string | null;
  readonly patientSex: string | null;
  readonly accessionNumber: string | null;
  /** ISO instant with the offset of (0008,0201), or 'Z' and the warning TIME_ZONE_ASSUMED. */
  readonly startedAt: string | null;
  readonly studyDescription: string | null;
  readonly seriesDescription: string | null;
  readonly modality: string | null;
  readonly bodyPart: string | null;
  readonly laterality: string | null;
  readonly protocol: string | null;
  readonly manufacturer: string | null;
  readonly seriesNumber: number | null;
  readonly instanceNumber: number | null;
  readonly rows: number | null;
  readonly columns: number | null;
  readonly frames: number;
  readonly bitsAllocated: number | null;
  readonly photometric: string | null;
  readonly sliceThicknessMm: number | null;
  /** [between rows, between columns]. */
  readonly pixelSpacingMm: readonly [number, number] | null;
  /** Peak kilovoltage. */
  readonly kvp: number | null;
  readonly burnedInAnnotation: string | null;
  /** Size of the object as it came, before any inflating. */
  readonly bytes: number;
  /** Fewer pixel data than rows, columns, samples, bits and frames say, or a file that was cut. Never served as whole. */
  readonly incomplete: boolean;
  /** Short public elements of the top level by keyword, else 'gggg,eeee'. */
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly pixel: PixelStatistics | null;
  /** Codes, sorted, each once. */
  readonly warnings: readonly string[];
}

const UIDS = [
  ['x0020000d', 'Study Instance UID'],
  ['x0020000e', 'Series Instance UID'],
  ['x00080018', 'SOP Instance UID'],
] as const;

/** Throws DICOM_UID_MISSING, naming each of the three UIDs that is absent or empty. */
export function recordOf(scan: Scan, bytes: number, transferSyntax: string, inferred: boolean, warnings: Set<string>): DicomRecord {
  const values = new Values(scan, warnings);
  const [studyUid, seriesUid, sopUid] = uidsOf(values);
  const shape = shapeOf(values);
  const incomplete = isIncomplete(scan, shape, values, transferSyntax, isNative(transferSyntax));
  if (incomplete) warnings.add('PIXEL_DATA_INCOMPLETE');
  const patientName = personName(values.text('x00100010'));
  const [rowSpacing, columnSpacing] = values.numbers('x00280030');
  return {
    studyUid,
    seriesUid,
    sopUid,
    sopClass: values.text('x00080016'),
    transferSyntax,
    inferred,
    patientId: values.text('x00100020'),
    patientIdIssuer: values.text('x00100021'),
    patientName,
    patientNameGroups: patientName === null ? null : nameGroups(patientName),
    patientBirthDate: values.text('x00100030'),
    patientSex: values.text('x00100040'),
    accessionNumber: values.text('x00080050'),
    startedAt: instantOf(values.text('x00080020'), values.text('x00080030'), values.text('x00080201'), warnings),
    studyDescription: values.text('x00081030'),
    seriesDescription: values.text('x0008103e'),
    modality: values.text('x00080060'),
    bodyPart: values.text('x00180015'),
    laterality: values.text('x00200060') ?? values.text('x00200062'),
    protocol: values.text('x00181030'),
    manufacturer: values.text('x00080070'),
    seriesNumber: values.number('x00200011'),
    instanceNumber: values.number('x00200013'),
    rows: shape.rows,
    columns: shape.columns,
    frames: shape.frames,
    bitsAllocated: shape.bitsAllocated,
    photometric: shape.photometric,
    sliceThicknessMm: values.number('x00180050'),
    pixelSpacingMm: rowSpacing === undefined || columnSpacing === undefined ? null : [rowSpacing, columnSpacing],
    kvp: values.number('x00180060'),
    burnedInAnnotation: values.text('x00280301'),
    bytes,
    incomplete,
    attributes: values.attributes(),
    pixel: incomplete || !isNative(transferSyntax) ? null : statisticsOf(scan, shape, values, warnings),
    warnings: [...warnings].sort(),
  };
}

function uidsOf(values: Values): [string, string, string] {
  const found = UIDS.map(([tag]) => values.text(tag));
  const missing = UIDS.filter((_, index) => found[index] === null);
  const [first] = missing;
  if (first !== undefined) {
    const names = missing.map(([, name]) => name).join(', ');
    throw new CodedError('DICOM_UID_MISSING', `The object lacks its ${names}`, { place: tagPlace(first[0]) });
  }
  return found as [string, string, string];
}

import { CodedError } from '../../../kernel/error.js';
import type { ErrorCode } from '../../../kernel/error.js';
import type { Format, Parsed, ParsedFault, ParseOptions } from '../../../kernel/format.js';
import { LIMITS } from '../../../kernel/limits.js';
import { CsvReader } from './csv.js';
import type { CsvRow } from './csv.js';

export const LINK_BASES = ['EXPLICIT_CROSSWALK', 'SAME_IDENTIFIER', 'PROBABILISTIC', 'MANUAL', 'SYNTHETIC'] as const;
/** How a link came about (CL22). SYNTHETIC links are invented and must be shown as such. */
export type LinkBasis = (typeof LINK_BASES)[number];

/** One row: the keys that are said to belong to one person. Null keys are not stated. */
export interface CrosswalkRow {
  readonly personKey: string;
  readonly mrn: string | null;
  readonly fhirPatientId: string | null;
  readonly sampleId: string | null;
  readonly dicomPatientId: string | null;
  readonly dicomIssuer: string | null;
  readonly deviceId: string | null;
  readonly basis: LinkBasis;
}

type Column = keyof CrosswalkRow;

const COLUMNS: ReadonlyMap<string, Column> = new Map<string, Column>([
  ['person_key', 'personKey'],
  ['mrn', 'mrn'],
  ['synthea_patient_id', 'fhirPatientId'],
  ['fhir_patient_id', 'fhirPatientId'],
  ['genomics_sample_id', 'sampleId'],
  ['sample_id', 'sampleId'],
  ['dicom_patient_id', 'dicomPatientId'],
  ['dicom_issuer', 'dicomIssuer'],
  ['device_id', 'deviceId'],
  ['link_basis', 'basis'],
]);
const REQUIRED: readonly Column[] = ['personKey', 'basis'];

/**
 * The crosswalk CSV (CL43, spec patients.md section 3): comment lines that begin with '#', a header of known columns in any order,
 * RFC 4180 quoting, BOM and CR LF. Place 'row N' counts data rows from 1. Faults: CROSSWALK_ROW; IDENTITY_CONTESTED where a key
 * already belongs to another person of the file (the first row is kept). Thrown: FILE_EMPTY, ENCODING_INVALID, CROSSWALK_ROW at 'header'.
 */
export const crosswalk: Format<CrosswalkRow> = {
  name: 'crosswalk',
  mediaType: 'text/csv',

  sniff(head: Uint8Array): boolean {
    const start = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
      .toString('utf8')
      .replace(/^\ufeff/, '');
    const header = start.split('\n').find((line) => line.trim() !== '' && !line.startsWith('#')) ?? '';
    return header.includes('person_key') && header.includes('link_basis');
  },

  async *parse(input: AsyncIterable<Uint8Array>, _options: ParseOptions): AsyncGenerator<Parsed<CrosswalkRow>> {
    const owners = new Map<string, string>();
    let header: readonly Column[] | null = null;
    let ordinal = 0;
    for await (const row of csvRows(input)) {
      const blank = row.source.trim() === '';
      if (header === null) {
        if (!blank && !row.source.startsWith('#')) header = headerOf(row);
        continue;
      }
      if (blank) continue;
      const place = `row ${ordinal + 1}`;
      const outcome = readRow(row, header, owners);
      if ('code' in outcome) yield fault(outcome, ordinal, place, row);
      else yield { ok: true, ordinal, place, value: outcome };
      ordinal++;
    }
    if (header === null) throw new CodedError('FILE_EMPTY', 'The crosswalk has no header', { place: 'header' });
  },
};

interface Breach {
  readonly code: ErrorCode;
  readonly reason: string;
}

function fault(breach: Breach, ordinal: number, place: string, row: CsvRow): ParsedFault {
  const bytes = Buffer.from(row.source).subarray(0, LIMITS.quarantine_bytes_kept_max);
  return { ok: false, ordinal, place, code: breach.code, reason: breach.reason, bytes };
}

async function* csvRows(input: AsyncIterable<Uint8Array>): AsyncGenerator<CsvRow> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reader = new CsvReader();
  for await (const chunk of input) yield* reader.push(decode(() => decoder.decode(chunk, { stream: true })));
  yield* reader.push(decode(() => decoder.decode()));
  const last = reader.end();
  if (last !== null) yield last;
}

function decode(run: () => string): string {
  try {
    return run();
  } catch (cause) {
    throw new CodedError('ENCODING_INVALID', 'The crosswalk is not UTF-8', { cause });
  }
}

/** A column that is not known is refused: a misspelt one would drop its links in silence. */
function headerOf(row: CsvRow): Column[] {
  const header = row.fields.map((name, at) => {
    const column = COLUMNS.get(name.trim().toLowerCase());
    if (column === undefined) throw new CodedError('CROSSWALK_ROW', `Column ${at + 1} of the header is not known`, { place: 'header' });
    return column;
  });
  if (new Set(header).size !== header.length)
    throw new CodedError('CROSSWALK_ROW', 'A column stands twice in the header', { place: 'header' });
  for (const column of REQUIRED) {
    if (!header.includes(column)) throw new CodedError('CROSSWALK_ROW', `The header lacks the column for ${column}`, { place: 'header' });
  }
  return header;
}

function readRow(row: CsvRow, header: readonly Column[], owners: Map<string, string>): CrosswalkRow | Breach {
  const broken = (reason: string): Breach => ({ code: 'CROSSWALK_ROW', reason });
  if (row.fault !== null) return broken(`In this row ${row.fault}`);
  if (row.fields.length !== header.length) return broken(`The row has ${row.fields.length} fields, the header ${header.length}`);
  const cell = (column: Column): string | null => {
    const value = row.fields[header.indexOf(column)]?.trim();
    return value === undefined || value === '' ? null : value;
  };
  const personKey = cell('personKey');
  if (personKey === null) return broken('The person key is empty');
  const basis = basisOf(cell('basis'));
  if (basis === null) return broken('The link basis is not known');
  const value: CrosswalkRow = {
    personKey,
    mrn: cell('mrn'),
    fhirPatientId: cell('fhirPatientId'),
    sampleId: cell('sampleId'),
    dicomPatientId: cell('dicomPatientId'),
    dicomIssuer: cell('dicomIssuer'),
    deviceId: cell('deviceId'),
    basis,
  };
  const keys = keysOf(value);
  if (keys.length === 0) return broken('The row links no key');
  if (value.dicomIssuer !== null && value.dicomPatientId === null) return broken('A DICOM issuer stands without a DICOM patient id');
  const contested = keys.find(([, key]) => (owners.get(key) ?? personKey) !== personKey);
  if (contested !== undefined)
    return { code: 'IDENTITY_CONTESTED', reason: `The key ${contested[0]} belongs to the person of an earlier row` };
  for (const [, key] of keys) owners.set(key, personKey);
  return value;
}

/** Names and (issuer, id) pairs of the keys that the row states; a DICOM id means nothing without its issuer (CL20). */
function keysOf(row: CrosswalkRow): [string, string][] {
  const keys: [string, string | null][] = [
    ['mrn', row.mrn],
    ['fhirPatientId', row.fhirPatientId],
    ['sampleId', row.sampleId],
    ['dicomPatientId', row.dicomPatientId === null ? null : JSON.stringify([row.dicomIssuer, row.dicomPatientId])],
    ['deviceId', row.deviceId],
  ];
  return keys.flatMap(([name, key]): [string, string][] => (key === null ? [] : [[name, `${name} ${key}`]]));
}

function basisOf(text: string | null): LinkBasis | null {
  if (text === null) return null;
  const name = text.toUpperCase().replaceAll('-', '_');
  if (name === 'SYNTHETIC_ASSIGNMENT') return 'SYNTHETIC';
  return LINK_BASES.find((basis) => basis === name) ?? null;
}

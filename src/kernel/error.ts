/**
 * The closed table of coded errors. Every fault that leaves the product carries one of these codes;
 * `docs/errors.md` is generated from this table. Codes are stable: they are added to, never renamed.
 * A message is a plain sentence about names, positions and codes. It never holds a value from the data.
 */
export interface ErrorEntry {
  /** HTTP status when the whole request fails with it. */
  readonly status: number;
  /** What the caller does next. */
  readonly hint: string;
}

const requests = {
  BAD_INPUT: { status: 400, hint: 'Correct the argument that the message names and send the request again.' },
  UNAUTHENTICATED: { status: 401, hint: 'Send a valid access token in the Authorization header.' },
  FORBIDDEN: { status: 403, hint: 'Ask the data steward for a grant that covers this action and purpose.' },
  PURPOSE_MISSING: { status: 403, hint: 'Sign in with a purpose of use; it comes from the token only.' },
  NOT_FOUND: { status: 404, hint: 'Check the identifier.' },
  LIMIT_EXCEEDED: { status: 400, hint: 'Ask for less in one request: fewer levels, aliases, fields or rows.' },
  COST_EXCEEDED: { status: 400, hint: 'Ask for smaller pages or fewer nested lists.' },
  CURSOR_INVALID: { status: 400, hint: 'Use a cursor only with the arguments of the query that gave it.' },
  CONFLICT: { status: 409, hint: 'Read the present state and decide again.' },
  LEGAL_HOLD: { status: 409, hint: 'Have the hold ended by whoever placed it; nothing was erased.' },
  BULK_LIMIT: {
    status: 403,
    hint: 'The recipient would hold bulk sensitive data (28 CFR part 202); ask the privacy officer, who sees the meter.',
  },
  UNAVAILABLE: { status: 503, hint: 'Try again in a moment.' },
  AUDIT_UNAVAILABLE: { status: 503, hint: 'No data leaves without an audit record; have the operator check the audit store.' },
  INTERNAL: { status: 500, hint: 'Report the error id to the operator.' },
  DATA_CORRUPT: { status: 500, hint: 'Stored data are damaged at the named place; have the operator bring them back from a copy.' },
} as const;

const starts = {
  SCHEMA_UNCLASSIFIED: { status: 500, hint: 'Give each named field its classification tags.' },
  POLICY_INVALID: { status: 422, hint: 'Correct the named grant; unknown names are refused when the policy loads.' },
  CONFIG_INVALID: { status: 500, hint: 'Correct the named setting or option.' },
  PORT_TAKEN: { status: 500, hint: 'Stop the other process or choose another port with PORT.' },
  DATABASE_UNAVAILABLE: { status: 503, hint: 'Start the database or correct DATABASE_URL, then run `npx thalamus doctor`.' },
  DATABASE_UNSAFE: { status: 500, hint: 'Turn on fsync, full_page_writes and synchronous_commit.' },
  DISK_FULL: { status: 507, hint: 'Free some space on the disk that holds the data folder.' },
  AUDIT_BROKEN: { status: 500, hint: 'Stop writing, keep a copy of the log and compare it with the last anchored head.' },
} as const;

const files = {
  FILE_EMPTY: { status: 422, hint: 'The file holds no bytes; ask the sender for it again.' },
  FILE_UNREADABLE: { status: 422, hint: 'Check that the path exists and may be read.' },
  FILE_TOO_LARGE: { status: 422, hint: 'Split the file or raise the named limit.' },
  FILE_CHANGED: { status: 422, hint: 'The stored file is damaged or was changed; bring it back from a copy.' },
  FORMAT_UNKNOWN: { status: 422, hint: 'No pipeline reads this kind of file; see the list of formats in the README.' },
  FORMAT_UNSUPPORTED: { status: 422, hint: 'The kind of file is known but this version or variant is not read.' },
  NAME_REUSED: { status: 422, hint: 'The same name arrived with other content; give the new version a new name.' },
  ENCODING_INVALID: { status: 422, hint: 'Send the text as UTF-8 or declare its character set.' },
  GZIP_TRUNCATED: { status: 422, hint: 'The compressed file ends early; send it again.' },
  GZIP_CORRUPT: { status: 422, hint: 'The compressed data fail their checksum; send the file again.' },
  ARCHIVE_PATH: { status: 422, hint: 'A member of the archive leaves its folder; repack it with plain relative names.' },
  ARCHIVE_BOMB: { status: 422, hint: 'The archive expands beyond the limit; send its members one by one.' },
  ARCHIVE_CORRUPT: { status: 422, hint: 'The archive cannot be read; pack it again.' },
  XML_INVALID: { status: 422, hint: 'The XML is not well-formed at the named place.' },
  XML_DTD: { status: 422, hint: 'Documents with a DOCTYPE or entities are refused; remove it.' },
  XML_DEPTH: { status: 422, hint: 'The document is nested deeper than the limit.' },
  JSON_INVALID: { status: 422, hint: 'The JSON is not well-formed at the named place.' },
  LIMIT_RECORD: { status: 422, hint: 'One record is larger than the limit for its kind.' },
  VCF_HEADER: { status: 422, hint: 'Correct the header line that is named.' },
  VCF_VERSION: { status: 422, hint: 'VCF 4.1 to 4.5 are read.' },
  VCF_LINE: { status: 422, hint: 'Correct the record at the named line and column.' },
  VCF_ORDER: { status: 422, hint: 'Sort the file by position inside each chromosome.' },
  VCF_ASSEMBLY: { status: 422, hint: 'State the reference assembly (GRCh37 or GRCh38) in the header or with --assembly.' },
  DICOM_NOT_DICOM: { status: 422, hint: 'The bytes are not a DICOM data set.' },
  DICOM_TRUNCATED: { status: 422, hint: 'The object ends early; send it again.' },
  DICOM_ELEMENT: { status: 422, hint: 'The element at the named offset cannot be read.' },
  DICOM_UID_MISSING: { status: 422, hint: 'Study, series and instance UIDs are required.' },
  DICOM_UID_CONFLICT: { status: 422, hint: 'The same SOP Instance UID arrived with other content; the first one is kept.' },
  CCDA_STRUCTURE: { status: 422, hint: 'The document or fragment lacks the part that is named.' },
  HL7_HEADER: { status: 422, hint: 'An HL7 v2 message begins with MSH and its delimiters.' },
  HL7_SEGMENT: { status: 422, hint: 'Correct the segment that is named.' },
  NOTE_NO_TEXT: { status: 422, hint: 'The document holds no text layer.' },
  FIT_HEADER: { status: 422, hint: 'The file header or its signature is damaged.' },
  FIT_CRC: { status: 422, hint: 'The checksum fails; complete messages before the fault are kept.' },
  FIT_TRUNCATED: { status: 422, hint: 'The file ends early; complete messages before the end are kept.' },
  FIT_MESSAGE: { status: 422, hint: 'The message at the named offset cannot be decoded.' },
  OMH_SCHEMA: { status: 422, hint: 'The data point does not follow the schema that it names.' },
  OMH_UNKNOWN: { status: 422, hint: 'The schema id is not one that is aggregated; the data point is kept as it came.' },
  SAMPLE_INVALID: { status: 422, hint: 'The value is outside the range that its metric allows.' },
  METRIC_UNKNOWN: { status: 422, hint: 'The kind of record has no metric; its records stay in the source file.' },
  UNIT_UNKNOWN: { status: 422, hint: 'The unit cannot be converted to the unit of the metric.' },
  TIME_INVALID: { status: 422, hint: 'Give an instant with a zone.' },
  TIME_FUTURE: { status: 422, hint: 'The device clock runs ahead; correct it and send the data again.' },
  FHIR_RESOURCE: { status: 422, hint: 'Correct the resource at the named path.' },
  FHIR_CONSENT: { status: 422, hint: 'A part of the consent is not understood; it counts as a denial until corrected.' },
  CROSSWALK_ROW: { status: 422, hint: 'Correct the row that is named.' },
  IDENTITY_CONTESTED: { status: 422, hint: 'Two patients claim one identifier; resolve it before the data are used.' },
  PATIENT_UNKNOWN: { status: 422, hint: 'Load the patient or the crosswalk first, then release the record from quarantine.' },
  RECORD_CONFLICT: { status: 422, hint: 'Another record with the same key holds other content.' },
  EXPECTATION_FAILED: { status: 422, hint: 'The record breaks the expectation that is named.' },
} as const;

export const ERRORS = { ...requests, ...starts, ...files } as const;
export type ErrorCode = keyof typeof ERRORS;

/** Where in its source a fault lies: a line and column, a byte offset, a tag path or a JSON pointer. Never a value. */
export type Place = string;

/** The one error class of the product. `detail` goes to the operator's log only, never to a caller. */
export class CodedError extends Error {
  readonly code: ErrorCode;
  readonly place: Place | undefined;
  readonly detail: string | undefined;

  constructor(code: ErrorCode, message: string, options: { place?: Place; detail?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CodedError';
    this.code = code;
    this.place = options.place;
    this.detail = options.detail;
  }

  get hint(): string {
    return ERRORS[this.code].hint;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

export function isCoded(error: unknown): error is CodedError {
  return error instanceof CodedError;
}

import { createHash } from 'node:crypto';
import {
  CodedError,
  ISSUERS,
  bindFormat,
  labelBits,
  type AssetDeclaration,
  type Expectation,
  type IdentityKey,
  type PipelineDeclaration,
  type SqlType,
  type StageContext,
  type Staged,
} from '../../kernel/index.js';
import { ccda } from './formats/ccda.js';
import { CONCEPT_TABLE } from './formats/concept-table.js';
import { tagConcepts } from './formats/concepts.js';
import { hl7v2 } from './formats/hl7v2.js';
import type { NoteRecord } from './formats/note-record.js';
import { holdsKnown, redactText } from './formats/redact.js';
import { text } from './formats/text.js';

type Row = Readonly<Record<string | symbol, unknown>>;

/** The identifiers that a document states travel beside its rows to the expectation that looks for them, and are not a column. */
const KNOWN = Symbol('known identifiers');

/** Stands for an unknown time where an order needs one. */
const UNKNOWN_TIME = '1900-01-01T00:00:00.000Z';
const EXTRACTOR = `${CONCEPT_TABLE.name}/${CONCEPT_TABLE.version}`;
const SENSITIVITY = { N: 0, R: 1, V: 2 } as const;
/** A shorter encounter number is a plain number of the text. */
const ENCOUNTER_CHARS_MIN = 4;

/**
 * One note becomes its row, then the rows of its sections and of its mentions of concepts.
 * @throws CodedError PATIENT_UNKNOWN where the document names no patient.
 */
function* stage(record: NoteRecord, context: StageContext): Generator<Staged> {
  const keys = identityKeys(record);
  if (keys.length === 0)
    throw new CodedError('PATIENT_UNKNOWN', 'The document states no identifier of a patient.', { place: `record ${context.ordinal}` });
  const known = knownIdentifiers(record);
  const body = storable(record.body);
  const noteId = context.newId();
  const authoredAt = instantOf(record.authoredAt);
  const shared = {
    note_id: noteId,
    sensitivity: sensitivityOf(record),
    label_bits: labelBits(record.sensitivity),
    refs: referencesOf(record),
  };
  const row = (asset: string, columns: Row): Staged => ({ kind: 'row', asset, row: { ...shared, ...columns }, keys });

  yield row('note', {
    type_code: storableOrNull(record.typeCode),
    type_label: redacted(record.typeLabel, known),
    title: storableOrNull(record.title),
    status: record.status,
    authored_at: authoredAt,
    authored_key: authoredAt ?? UNKNOWN_TIME,
    author: storableOrNull(record.authorName),
    encounter: storableOrNull(record.encounter),
    language: storableOrNull(record.language),
    labels: record.sensitivity.map(storable),
    body,
    masked_body: redactText(body, known),
    body_digest: createHash('sha256').update(body).digest('hex'),
    has_text: body !== '',
    attachment: record.attachment,
    [KNOWN]: known,
  });
  for (const [ordinal, section] of record.sections.entries()) {
    const slice = body.slice(section.start, section.end);
    yield row('note_section', {
      id: context.newId(),
      ordinal,
      code: storableOrNull(section.code),
      title: redacted(section.title, known),
      level: section.level,
      starts: section.start,
      ends: section.end,
      body: slice,
      masked_body: redactText(slice, known),
      [KNOWN]: known,
    });
  }
  for (const [ordinal, concept] of tagConcepts(body, record.sections).entries()) {
    yield row('note_concept', {
      id: context.newId(),
      ordinal,
      code: concept.code,
      label: concept.label,
      starts: concept.start,
      ends: concept.end,
      negation: concept.negation,
      temporality: concept.temporality,
      experiencer: concept.experiencer,
      extractor: EXTRACTOR,
      authored_at: authoredAt,
    });
  }
}

/** As the source states them, then each value as a bare record number. An issuer that is not stated is none. */
function identityKeys({ patientKeys }: NoteRecord): IdentityKey[] {
  const keys = [...patientKeys.filter((key) => key.issuer !== ''), ...patientKeys.map(({ value }) => ({ issuer: ISSUERS.mrn, value }))];
  return [...new Map(keys.map((key) => [JSON.stringify([key.issuer, key.value]), key])).values()];
}

/** What the document itself states of who it is about and who wrote it. */
function knownIdentifiers(record: NoteRecord): string[] {
  const { patientNames, authorName, patientKeys, encounter } = record;
  const stated = [
    ...patientNames,
    authorName,
    ...patientKeys.map((key) => key.value),
    encounter !== null && encounter.length >= ENCOUNTER_CHARS_MIN ? encounter : null,
  ];
  return [...new Set(stated.filter((each) => each !== null).map(storable))];
}

function sensitivityOf({ confidentiality, sensitivity }: NoteRecord): number {
  return Math.max(SENSITIVITY[confidentiality], sensitivity.length > 0 ? SENSITIVITY.R : SENSITIVITY.N);
}

/** What consents may name. Sources give the author by name and the encounter by number: `?` lets a denial of one of them take the note. */
function referencesOf({ authorName, encounter }: NoteRecord): string[] {
  return [...(authorName === null ? [] : ['author=?']), ...(encounter === null ? [] : ['encounter=?'])];
}

/** Postgres holds no NUL; the replacement is as long, so offsets stay. */
function storable(value: string): string {
  return value.replaceAll('\0', '\uFFFD');
}

function storableOrNull(value: string | null): string | null {
  return value === null ? null : storable(value);
}

/** Headings and labels are served without the raw text, so they pass the same rules as it. */
function redacted(value: string | null, known: readonly string[]): string | null {
  return value === null ? null : redactText(storable(value), known);
}

/** UTC with milliseconds. A time before 1900 is a placeholder and counts as unknown. */
function instantOf(value: string | null): string | null {
  const at = Date.parse(value ?? '');
  return at > Date.parse(UNKNOWN_TIME) ? new Date(at).toISOString() : null;
}

/** `shown` are the columns that callers of the redacted view read. */
const noKnownIdentifier = (...shown: string[]): Expectation => ({
  name: 'redaction_leaves_no_known_identifier',
  description: 'No identifier that the document states stands in what the redacted view shows.',
  action: 'quarantine',
  holds: (row: Row) => {
    const known = row[KNOWN];
    // A row that came without them was not looked at, and does not pass.
    return Array.isArray(known) && shown.every((column) => typeof row[column] !== 'string' || !holdsKnown(row[column], known as string[]));
  },
});

const person: Readonly<Record<string, SqlType>> = {
  patient_id: 'uuid',
  site_id: 'text',
  sensitivity: 'int',
  label_bits: 'int',
  refs: 'text[]',
  source_digest: 'text',
  source_ordinal: 'int',
  note_id: 'uuid',
};

const note: AssetDeclaration = {
  table: 'note',
  columns: {
    ...person,
    type_code: 'text',
    type_label: 'text',
    title: 'text',
    status: 'text',
    authored_at: 'timestamptz',
    authored_key: 'timestamptz',
    author: 'text',
    encounter: 'text',
    language: 'text',
    labels: 'text[]',
    body: 'text',
    masked_body: 'text',
    body_digest: 'text',
    has_text: 'bool',
    attachment: 'json',
  },
  key: ['patient_id', 'note_id'],
  patient: 'required',
  onConflict: 'ignore-identical',
  expectations: [
    {
      name: 'note_has_author_time',
      description: 'The document says when it was written; without it no feature uses the note.',
      action: 'warn',
      holds: (row) => row['authored_at'] !== null,
    },
    { name: 'body_not_empty', description: 'The document has a text layer.', action: 'warn', holds: (row) => row['body'] !== '' },
    noKnownIdentifier('masked_body', 'type_label'),
  ],
};

const section: AssetDeclaration = {
  table: 'note_section',
  columns: {
    ...person,
    id: 'uuid',
    ordinal: 'int',
    code: 'text',
    title: 'text',
    level: 'int',
    starts: 'int',
    ends: 'int',
    body: 'text',
    masked_body: 'text',
  },
  key: ['patient_id', 'note_id', 'ordinal'],
  patient: 'required',
  onConflict: 'ignore-identical',
  expectations: [noKnownIdentifier('masked_body', 'title')],
};

const concept: AssetDeclaration = {
  table: 'note_concept',
  columns: {
    ...person,
    id: 'uuid',
    ordinal: 'int',
    code: 'text',
    label: 'text',
    starts: 'int',
    ends: 'int',
    negation: 'text',
    temporality: 'text',
    experiencer: 'text',
    extractor: 'text',
    authored_at: 'timestamptz',
  },
  key: ['patient_id', 'note_id', 'ordinal'],
  patient: 'required',
  onConflict: 'ignore-identical',
  expectations: [
    {
      name: 'mention_has_extent',
      description: 'A mention begins inside the text and ends after its beginning.',
      action: 'drop',
      holds: (row) => Number(row['starts']) >= 0 && Number(row['starts']) < Number(row['ends']),
    },
  ],
};

/** Notes from C-CDA, HL7 v2 and plain text (spec notes, sections 2 and 5). */
export const pipeline: PipelineDeclaration = {
  formats: [bindFormat({ format: ccda, stage }), bindFormat({ format: hl7v2, stage }), bindFormat({ format: text, stage })],
  assets: [note, section, concept],
};

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
  type JoinPairs,
  type Order,
} from '../../kernel/index.js';

const structured = { tags: ['note.structured'], safeHarbor: 'none' } as const;
const SAME_NOTE: JoinPairs = [
  ['patient_id', 'patient_id'],
  ['note_id', 'note_id'],
];

/** What a list of notes can be narrowed by. */
export const noteFilters: readonly Filter[] = [
  { argument: 'type', description: 'Only this LOINC document type.', type: 'String', column: 'type_code', operator: 'eq' },
  { argument: 'from', description: 'Written at or after.', type: 'DateTime', column: 'authored_at', operator: 'gte' },
  { argument: 'to', description: 'Written before.', type: 'DateTime', column: 'authored_at', operator: 'lt' },
  {
    argument: 'text',
    description: 'Words in the syntax of web search: phrases in quotes, or, minus. It searches the text that the caller may read.',
    type: 'String',
    column: 'tsv_raw',
    operator: 'search',
    redacted: 'tsv_masked',
    tags: ['phi.note'],
  },
];

/** By the time of writing; notes without one come as the oldest. */
export const noteOrders: readonly Order[] = [
  { name: 'AUTHORED_AT_DESC', column: 'authored_key', type: 'timestamptz', descending: true, tags: ['pii.quasi'] },
  { name: 'AUTHORED_AT_ASC', column: 'authored_key', type: 'timestamptz', tags: ['pii.quasi'] },
];

const context: readonly Filter[] = [
  { argument: 'negation', description: 'AFFIRMED, NEGATED or POSSIBLE.', type: 'String', column: 'negation', operator: 'eq' },
  { argument: 'temporality', description: 'RECENT, HISTORICAL or HYPOTHETICAL.', type: 'String', column: 'temporality', operator: 'eq' },
  { argument: 'experiencer', description: 'PATIENT, FAMILY or OTHER.', type: 'String', column: 'experiencer', operator: 'eq' },
];

const code: Filter = { argument: 'code', description: 'Only this ICD-10-CM code.', type: 'String', column: 'code', operator: 'eq' };

/** What mentions can be narrowed by; without arguments, negated and family mentions are among them. */
export const conceptFilters: readonly Filter[] = [code, ...context];
export const requiredConceptFilters: readonly Filter[] = [{ ...code, required: true }, ...context];

/** A clinical note (FHIR R4 DocumentReference); spec notes N3. */
@entity('Note', {
  description: 'A clinical note of a person (FHIR R4 DocumentReference).',
  table: 'note',
  key: ['patient_id', 'note_id'],
  tags: ['pseudonym', 'note.structured'],
  modality: 'NOTES',
  patient: 'patient_id',
  fhir: 'DocumentReference',
  occurred: 'authored_at',
})
export class Note {
  @column({
    column: 'note_id',
    type: 'uuid',
    required: true,
    tags: ['pseudonym', 'note.structured'],
    safeHarbor: 'R',
    description: 'Opaque identifier.',
  })
  id!: string;
  @column({ ...structured, column: 'type_code', type: 'text', description: 'LOINC document type.' })
  typeCode!: string | null;
  @column({ ...structured, column: 'type_label', type: 'text', description: 'Name of the document type.' })
  typeLabel!: string | null;
  // Titles may hold names and have no redacted twin, so a caller of the redacted view sees none.
  @column({ column: 'title', type: 'text', tags: ['phi.note'], safeHarbor: 'A', description: 'Title as the source gives it.' })
  title!: string | null;
  @column({ ...structured, column: 'status', type: 'text', description: 'One of final, preliminary, amended, cancelled and unknown.' })
  status!: string | null;
  @column({
    column: 'authored_at',
    type: 'timestamptz',
    tags: ['pii.quasi'],
    safeHarbor: 'C',
    description: 'When it was written; null where the source does not say.',
  })
  authoredAt!: string | null;
  @column({ column: 'author', type: 'text', tags: ['pii.direct'], safeHarbor: 'A', description: 'Name of the first author.' })
  author!: string | null;
  @column({ ...structured, column: 'language', type: 'text', description: 'Language of the text (BCP 47).' })
  language!: string | null;
  @column({
    ...structured,
    column: 'has_text',
    type: 'bool',
    description: 'False where the document is a scan or picture without a text layer.',
  })
  hasText!: boolean | null;
  @column({
    column: 'body',
    type: 'text',
    redacted: 'masked_body',
    tags: ['phi.note'],
    safeHarbor: 'R',
    description: 'Canonical text with line feeds as line ends; identifiers are replaced by marks where the caller may not see them.',
  })
  body!: string | null;
  @fileLink({
    asset: 'notes.note_file',
    of: () => Note,
    id: 'note_id',
    patient: 'patient_id',
    digest: 'source_digest',
    tags: ['note.structured', 'phi.note', 'pii.direct', 'pii.quasi', 'demographic', 'site', 'clinical'],
    description: 'The document as received, with all that it states beside the text; null where its file holds more than this note.',
  })
  file!: unknown;
  @collection({
    of: () => NoteSection,
    on: SAME_NOTE,
    filters: [{ argument: 'code', description: 'Only sections with this LOINC code.', type: 'String', column: 'code', operator: 'eq' }],
    ...structured,
    description: 'Sections in the order of the text.',
  })
  sections!: unknown;
  @collection({
    of: () => NoteConcept,
    on: SAME_NOTE,
    filters: conceptFilters,
    ...structured,
    description: 'Mentions of concepts in the order of the text.',
  })
  concepts!: unknown;
  @reference({
    to: () => Patient,
    on: [['patient_id', 'patient_id']],
    tags: ['pseudonym'],
    safeHarbor: 'none',
    description: 'The person whom the note is about.',
  })
  patient!: unknown;
}

/** A section of a note; spec notes N4. */
@entity('NoteSection', {
  description: 'A section of a note; nested sections have a higher level and follow the one that holds them.',
  table: 'note_section',
  key: ['patient_id', 'note_id', 'ordinal'],
  tags: ['pseudonym', 'note.structured'],
  modality: 'NOTES',
  patient: 'patient_id',
  fhir: 'DocumentReference',
})
export class NoteSection {
  @column({
    column: 'id',
    type: 'uuid',
    required: true,
    tags: ['pseudonym', 'note.structured'],
    safeHarbor: 'R',
    description: 'Opaque identifier.',
  })
  id!: string;
  @column({ ...structured, column: 'ordinal', type: 'int', description: 'Place among the sections of the note, from 0.' })
  ordinal!: number | null;
  @column({ ...structured, column: 'code', type: 'text', description: 'LOINC code of the section.' })
  code!: string | null;
  @column({ ...structured, column: 'title', type: 'text', description: 'Heading as written; known identifiers are replaced by marks.' })
  title!: string | null;
  @column({ ...structured, column: 'level', type: 'int', description: 'Depth, 1 for a section of the note itself.' })
  level!: number | null;
  @column({
    column: 'body',
    type: 'text',
    redacted: 'masked_body',
    tags: ['phi.note'],
    safeHarbor: 'R',
    description: 'Text of the section with its heading; identifiers are replaced by marks where the caller may not see them.',
  })
  text!: string | null;
  @reference({
    to: () => Note,
    on: SAME_NOTE,
    ...structured,
    description: 'The note that holds the section.',
  })
  note!: unknown;
}

/** A mention of a concept in a note; spec notes N5. */
@entity('NoteConcept', {
  description: 'A mention of a symptom, finding or disease in a note, with its context (ConText).',
  table: 'note_concept',
  key: ['patient_id', 'note_id', 'ordinal'],
  tags: ['pseudonym', 'note.structured'],
  modality: 'NOTES',
  patient: 'patient_id',
  fhir: 'DocumentReference',
  occurred: 'authored_at',
})
export class NoteConcept {
  @column({
    column: 'id',
    type: 'uuid',
    required: true,
    tags: ['pseudonym', 'note.structured'],
    safeHarbor: 'R',
    description: 'Opaque identifier.',
  })
  id!: string;
  @column({ ...structured, column: 'code', type: 'text', description: 'ICD-10-CM code.' })
  code!: string | null;
  @column({ ...structured, column: 'label', type: 'text', description: 'Name of the concept, never the words of the note.' })
  label!: string | null;
  // Offsets into the raw text tell the length of what the redacted view replaced (N13), so they go with the raw text.
  @column({
    column: 'starts',
    type: 'int',
    tags: ['phi.note'],
    safeHarbor: 'none',
    description: 'First UTF-16 code unit in the raw text of the note.',
  })
  start!: number | null;
  @column({ column: 'ends', type: 'int', tags: ['phi.note'], safeHarbor: 'none', description: 'First UTF-16 code unit after the mention.' })
  end!: number | null;
  @column({
    column: 'negation',
    type: 'text',
    values: ['AFFIRMED', 'NEGATED', 'POSSIBLE'],
    enumName: 'NoteNegation',
    ...structured,
    description: 'Whether the note affirms, denies or considers it.',
  })
  negation!: string | null;
  @column({
    column: 'temporality',
    type: 'text',
    values: ['RECENT', 'HISTORICAL', 'HYPOTHETICAL'],
    enumName: 'NoteTemporality',
    ...structured,
    description: 'Whether it is of the present, of the past or only imagined.',
  })
  temporality!: string | null;
  @column({
    column: 'experiencer',
    type: 'text',
    values: ['PATIENT', 'FAMILY', 'OTHER'],
    enumName: 'NoteExperiencer',
    ...structured,
    description: 'Who has it.',
  })
  experiencer!: string | null;
  @column({ ...structured, column: 'extractor', type: 'text', description: 'Name and version of the table that found it.' })
  extractor!: string | null;
  @column({ column: 'authored_at', type: 'timestamptz', tags: ['pii.quasi'], safeHarbor: 'C', description: 'When the note was written.' })
  authoredAt!: string | null;
  @reference({
    to: () => Note,
    on: SAME_NOTE,
    ...structured,
    description: 'The note that holds the mention.',
  })
  note!: unknown;
  @reference({
    to: () => Patient,
    on: [['patient_id', 'patient_id']],
    tags: ['pseudonym'],
    safeHarbor: 'none',
    description: 'The person whom the note is about.',
  })
  patient!: unknown;
}

/** What the notes product adds to a person. */
@extension(() => Patient)
export class PatientNotes {
  @collection({
    of: () => Note,
    on: [['patient_id', 'patient_id']],
    filters: noteFilters,
    orders: noteOrders,
    ...structured,
    description: 'Notes of the person; those without a known time come as the oldest.',
  })
  notes!: unknown;
  @collection({
    of: () => NoteConcept,
    on: [['patient_id', 'patient_id']],
    filters: conceptFilters,
    ...structured,
    description: 'Mentions of concepts in all notes of the person, negated ones and those of relatives included.',
  })
  noteConcepts!: unknown;
  @aggregate({
    of: () => Note,
    on: [['patient_id', 'patient_id']],
    filters: [{ argument: 'type', description: 'Only this LOINC document type.', type: 'String', column: 'type_code', operator: 'eq' }],
    measure: { op: 'count' },
    ...structured,
    description: 'Number of notes.',
  })
  noteCount!: number | null;
}

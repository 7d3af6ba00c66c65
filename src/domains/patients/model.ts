import { Patient, aggregate, collection, column, entity, extension } from '../../kernel/index.js';

/** A condition of a person (FHIR R4 Condition). */
@entity('Condition', {
  description: 'A condition, problem or diagnosis of a person (FHIR R4 Condition).',
  table: 'condition',
  key: ['patient_id', 'condition_id'],
  tags: ['pseudonym', 'clinical'],
  modality: 'CLINICAL',
  patient: 'patient_id',
  fhir: 'Condition',
  occurred: 'onset_at',
})
export class Condition {
  @column({
    column: 'id',
    type: 'uuid',
    required: true,
    tags: ['pseudonym', 'clinical'],
    safeHarbor: 'R',
    description: 'Opaque identifier.',
  })
  id!: string;
  @column({
    column: 'code',
    type: 'text',
    tags: ['clinical'],
    safeHarbor: 'none',
    description: 'Code of the condition in its code system.',
  })
  code!: string | null;
  @column({ column: 'system', type: 'text', tags: ['clinical'], safeHarbor: 'none', description: 'URI of the code system.' })
  system!: string | null;
  @column({
    column: 'display',
    type: 'text',
    tags: ['clinical'],
    safeHarbor: 'none',
    description: 'Name of the condition as the source gives it.',
  })
  display!: string | null;
  @column({ column: 'onset_at', type: 'timestamptz', tags: ['clinical', 'pii.quasi'], safeHarbor: 'C', description: 'When it began.' })
  onsetAt!: string | null;
  @column({
    column: 'recorded_at',
    type: 'timestamptz',
    tags: ['clinical', 'pii.quasi'],
    safeHarbor: 'C',
    description: 'When it was recorded.',
  })
  recordedAt!: string | null;
  @column({
    column: 'status',
    type: 'text',
    tags: ['clinical'],
    safeHarbor: 'none',
    description: 'Clinical status: active, resolved and so on.',
  })
  status!: string | null;
  @column({
    column: 'verification',
    type: 'text',
    tags: ['clinical'],
    safeHarbor: 'none',
    description: 'Verification status: confirmed, provisional, refuted and so on.',
  })
  verification!: string | null;
}

/** An observation of a person (FHIR R4 Observation); components are rows of their own. */
@entity('Observation', {
  description: 'A measurement or finding of a person (FHIR R4 Observation).',
  table: 'observation',
  key: ['patient_id', 'observation_id'],
  tags: ['pseudonym', 'clinical'],
  modality: 'CLINICAL',
  patient: 'patient_id',
  fhir: 'Observation',
  occurred: 'effective_at',
})
export class Observation {
  @column({
    column: 'id',
    type: 'uuid',
    required: true,
    tags: ['pseudonym', 'clinical'],
    safeHarbor: 'R',
    description: 'Opaque identifier.',
  })
  id!: string;
  @column({ column: 'code', type: 'text', tags: ['clinical'], safeHarbor: 'none', description: 'Code of what was observed, mostly LOINC.' })
  code!: string | null;
  @column({ column: 'system', type: 'text', tags: ['clinical'], safeHarbor: 'none', description: 'URI of the code system.' })
  system!: string | null;
  @column({ column: 'display', type: 'text', tags: ['clinical'], safeHarbor: 'none', description: 'Name of what was observed.' })
  display!: string | null;
  @column({
    column: 'category',
    type: 'text',
    tags: ['clinical'],
    safeHarbor: 'none',
    description: 'Category, for example laboratory or vital-signs.',
  })
  category!: string | null;
  @column({
    column: 'effective_at',
    type: 'timestamptz',
    tags: ['clinical', 'pii.quasi'],
    safeHarbor: 'C',
    description: 'When it was observed.',
  })
  effectiveAt!: string | null;
  @column({ column: 'value', type: 'float8', tags: ['clinical'], safeHarbor: 'none', description: 'Numeric value in `unit`.' })
  value!: number | null;
  @column({ column: 'unit', type: 'text', tags: ['clinical'], safeHarbor: 'none', description: 'UCUM unit of the value.' })
  unit!: string | null;
  @column({
    column: 'value_text',
    type: 'text',
    tags: ['clinical'],
    safeHarbor: 'none',
    description: 'Coded or textual value, or a bound such as <5.',
  })
  valueText!: string | null;
  @column({
    column: 'status',
    type: 'text',
    tags: ['clinical'],
    safeHarbor: 'none',
    description: 'Status: final, entered-in-error and so on.',
  })
  status!: string | null;
}

/** A consent of a person (FHIR R4 Consent); what all of them together permit is compiled when they are loaded. */
@entity('Consent', {
  description: 'A consent that a person gave or refused (FHIR R4 Consent).',
  table: 'consent',
  key: ['patient_id', 'consent_id'],
  tags: ['pseudonym', 'consent'],
  modality: 'CLINICAL',
  patient: 'patient_id',
  fhir: 'Consent',
  occurred: 'decided_at',
})
export class Consent {
  @column({
    column: 'id',
    type: 'uuid',
    required: true,
    tags: ['pseudonym', 'consent'],
    safeHarbor: 'R',
    description: 'Opaque identifier.',
  })
  id!: string;
  @column({ column: 'status', type: 'text', tags: ['consent'], safeHarbor: 'none', description: 'Status: only active consents count.' })
  status!: string | null;
  @column({
    column: 'scope',
    type: 'text',
    tags: ['consent'],
    safeHarbor: 'none',
    description: 'What it is about: patient-privacy or research.',
  })
  scope!: string | null;
  @column({ column: 'decided_at', type: 'timestamptz', tags: ['consent'], safeHarbor: 'C', description: 'When the person decided.' })
  decidedAt!: string | null;
  @column({
    column: 'understood',
    type: 'bool',
    tags: ['consent'],
    safeHarbor: 'none',
    description: 'False where a part of it is not understood, which makes it a denial.',
  })
  understood!: boolean | null;
}

/** What the patients product knows of a person. */
@extension(() => Patient)
export class PatientFields {
  @column({ column: 'mrn', type: 'text', tags: ['pii.direct'], safeHarbor: 'H', description: 'Medical record number.' })
  mrn!: string | null;
  @column({ column: 'given_name', type: 'text', tags: ['pii.direct'], safeHarbor: 'A', description: 'Given names.' })
  givenName!: string | null;
  @column({ column: 'family_name', type: 'text', tags: ['pii.direct'], safeHarbor: 'A', description: 'Family name.' })
  familyName!: string | null;
  @column({ column: 'birth_date', type: 'date', tags: ['pii.quasi'], safeHarbor: 'C', identifier: 'birth', description: 'Date of birth.' })
  birthDate!: string | null;
  @column({ column: 'birth_year', type: 'int', tags: ['demographic'], safeHarbor: 'C', identifier: 'birth', description: 'Year of birth.' })
  birthYear!: number | null;
  @column({ column: 'sex', type: 'text', tags: ['demographic'], safeHarbor: 'none', description: 'Administrative gender (FHIR).' })
  sex!: string | null;
  @column({ column: 'race', type: 'text', tags: ['demographic'], safeHarbor: 'none', description: 'Race as recorded (US Core).' })
  race!: string | null;
  @column({ column: 'ethnicity', type: 'text', tags: ['demographic'], safeHarbor: 'none', description: 'Ethnicity as recorded (US Core).' })
  ethnicity!: string | null;
  @column({ column: 'postal_code', type: 'text', tags: ['pii.quasi'], safeHarbor: 'B', identifier: 'zip', description: 'Postal code.' })
  postalCode!: string | null;
  @column({ column: 'city', type: 'text', tags: ['pii.direct'], safeHarbor: 'B', description: 'City.' })
  city!: string | null;
  @column({ column: 'phone', type: 'text', tags: ['pii.direct'], safeHarbor: 'D', description: 'Telephone number.' })
  phone!: string | null;
  @column({ column: 'site_id', type: 'text', tags: ['site'], safeHarbor: 'none', description: 'Site of care that registered the person.' })
  site!: string | null;
  @column({
    column: 'synthetic',
    type: 'bool',
    tags: ['pseudonym'],
    safeHarbor: 'none',
    description: 'True where the source says that the person is invented.',
  })
  synthetic!: boolean | null;
  @column({ column: 'deceased', type: 'bool', tags: ['demographic'], safeHarbor: 'none', description: 'True where a death is recorded.' })
  deceased!: boolean | null;
  @collection({
    of: () => Condition,
    on: [['patient_id', 'patient_id']],
    filters: [{ argument: 'code', description: 'Only this code.', type: 'String', column: 'code', operator: 'eq' }],
    tags: ['clinical'],
    safeHarbor: 'none',
    description: 'Conditions of the person.',
  })
  conditions!: unknown;
  @collection({
    of: () => Observation,
    on: [['patient_id', 'patient_id']],
    filters: [
      { argument: 'code', description: 'Only this code.', type: 'String', column: 'code', operator: 'eq' },
      { argument: 'from', description: 'Observed at or after.', type: 'DateTime', column: 'effective_at', operator: 'gte' },
      { argument: 'to', description: 'Observed before.', type: 'DateTime', column: 'effective_at', operator: 'lt' },
    ],
    tags: ['clinical'],
    safeHarbor: 'none',
    description: 'Observations of the person.',
  })
  observations!: unknown;
  @collection({
    of: () => Consent,
    on: [['patient_id', 'patient_id']],
    filters: [{ argument: 'status', description: 'Only of this status.', type: 'String', column: 'status', operator: 'eq' }],
    tags: ['consent'],
    safeHarbor: 'none',
    description: 'Consents of the person.',
  })
  consents!: unknown;
  @aggregate({
    of: () => Observation,
    on: [['patient_id', 'patient_id']],
    filters: [{ argument: 'code', description: 'Only this code.', type: 'String', column: 'code', operator: 'eq' }],
    measure: { op: 'count' },
    tags: ['clinical'],
    safeHarbor: 'none',
    description: 'Number of observations.',
  })
  observationCount!: number | null;
}

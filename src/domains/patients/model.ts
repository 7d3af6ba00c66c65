import { Patient, aggregate, collection, column, computed, entity, extension } from '../../kernel/index.js';

/** A condition of a person (FHIR R4 Condition). */
@entity('Condition', {
  description: 'A condition, problem or diagnosis of a person (FHIR R4 Condition).',
  table: 'condition',
  key: ['patient_id', 'condition_id'],
  tags: ['pseudonym', 'clinical'],
  modality: 'CLINICAL',
  patient: 'patient_id',
})
export class Condition {
  @column({ column: 'id', type: 'uuid', required: true, tags: ['pseudonym', 'clinical'], safeHarbor: 'R', description: 'Opaque identifier.' })
  id!: string;
  @column({ column: 'code', type: 'text', tags: ['clinical'], safeHarbor: 'none', description: 'Code of the condition in its code system.' })
  code!: string | null;
  @column({ column: 'system', type: 'text', tags: ['clinical'], safeHarbor: 'none', description: 'URI of the code system.' })
  system!: string | null;
  @column({ column: 'display', type: 'text', tags: ['clinical'], safeHarbor: 'none', description: 'Name of the condition as the source gives it.' })
  display!: string | null;
  @column({ column: 'onset_at', type: 'timestamptz', tags: ['clinical'], safeHarbor: 'C', description: 'When it began.' })
  onsetAt!: string | null;
  @column({ column: 'status', type: 'text', tags: ['clinical'], safeHarbor: 'none', description: 'Clinical status: active, resolved and so on.' })
  status!: string | null;
}

/** An observation of a person (FHIR R4 Observation); components are rows of their own. */
@entity('Observation', {
  description: 'A measurement or finding of a person (FHIR R4 Observation).',
  table: 'observation',
  key: ['patient_id', 'observation_id'],
  tags: ['pseudonym', 'clinical'],
  modality: 'CLINICAL',
  patient: 'patient_id',
})
export class Observation {
  @column({ column: 'id', type: 'uuid', required: true, tags: ['pseudonym', 'clinical'], safeHarbor: 'R', description: 'Opaque identifier.' })
  id!: string;
  @column({ column: 'code', type: 'text', tags: ['clinical'], safeHarbor: 'none', description: 'Code of what was observed, mostly LOINC.' })
  code!: string | null;
  @column({ column: 'display', type: 'text', tags: ['clinical'], safeHarbor: 'none', description: 'Name of what was observed.' })
  display!: string | null;
  @column({ column: 'category', type: 'text', tags: ['clinical'], safeHarbor: 'none', description: 'Category, for example laboratory or vital-signs.' })
  category!: string | null;
  @column({ column: 'effective_at', type: 'timestamptz', tags: ['clinical'], safeHarbor: 'C', description: 'When it was observed.' })
  effectiveAt!: string | null;
  @column({ column: 'value', type: 'float8', tags: ['clinical'], safeHarbor: 'none', description: 'Numeric value in `unit`.' })
  value!: number | null;
  @column({ column: 'unit', type: 'text', tags: ['clinical'], safeHarbor: 'none', description: 'UCUM unit of the value.' })
  unit!: string | null;
  @column({ column: 'value_text', type: 'text', tags: ['clinical'], safeHarbor: 'none', description: 'Coded or textual value.' })
  valueText!: string | null;
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
  @column({ column: 'birth_date', type: 'date', tags: ['pii.quasi'], safeHarbor: 'C', description: 'Date of birth.' })
  birthDate!: string | null;
  @column({ column: 'birth_year', type: 'int', tags: ['demographic'], safeHarbor: 'none', description: 'Year of birth.' })
  birthYear!: number | null;
  @column({ column: 'sex', type: 'text', tags: ['demographic'], safeHarbor: 'none', description: 'Administrative gender (FHIR).' })
  sex!: string | null;
  @column({ column: 'race', type: 'text', tags: ['demographic'], safeHarbor: 'none', description: 'Race as recorded (US Core).' })
  race!: string | null;
  @column({ column: 'ethnicity', type: 'text', tags: ['demographic'], safeHarbor: 'none', description: 'Ethnicity as recorded (US Core).' })
  ethnicity!: string | null;
  @column({ column: 'postal_code', type: 'text', tags: ['pii.quasi'], safeHarbor: 'B', description: 'Postal code.' })
  postalCode!: string | null;
  @column({ column: 'city', type: 'text', tags: ['pii.direct'], safeHarbor: 'B', description: 'City.' })
  city!: string | null;
  @column({ column: 'phone', type: 'text', tags: ['pii.direct'], safeHarbor: 'D', description: 'Telephone number.' })
  phone!: string | null;
  @column({ column: 'site_id', type: 'text', tags: ['site'], safeHarbor: 'none', description: 'Site of care that registered the person.' })
  site!: string | null;
  @column({ column: 'synthetic', type: 'bool', tags: ['pseudonym'], safeHarbor: 'none', description: 'True where the source says that the person is invented.' })
  synthetic!: boolean | null;
  @computed({
    from: [{ column: 'deceased_at', type: 'timestamptz' }],
    type: 'bool',
    sql: '({deceased_at} is not null)',
    js: (row) => row['deceased_at'] !== null,
    tags: ['demographic'],
    safeHarbor: 'none',
    description: 'True where a date of death is recorded.',
  })
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

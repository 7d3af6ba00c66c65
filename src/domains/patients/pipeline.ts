import { createHash } from 'node:crypto';
import { bindFormat, type AssetDeclaration, type DerivedTable, type PipelineDeclaration, type SqlType } from '../../kernel/index.js';
import { compileConsent, type ConsentEffect } from './formats/consent-effect.js';
import { crosswalk } from './formats/crosswalk.js';
import type { ConsentProvision, ConsentRecord } from './formats/fhir-consent.js';
import { fhir } from './formats/fhir.js';
import { stageCrosswalk, stageFhir } from './stage.js';

type Row = Readonly<Record<string, unknown>>;

const PERSON = {
  patient_id: 'uuid',
  site_id: 'text',
  sensitivity: 'int',
  label_bits: 'int',
  refs: 'text[]',
  source_digest: 'text',
  source_ordinal: 'int',
} as const satisfies Record<string, SqlType>;
/** 128 bits of the digest. */
const ATOM_CHARS = 32;
const LEVELS = { N: 0, R: 1, V: 2 } as const satisfies Record<ConsentEffect['maxSensitivity'], number>;

const patient: AssetDeclaration = {
  table: 'patient',
  columns: {
    ...PERSON,
    ordinal: 'int',
    synthetic: 'bool',
    mrn: 'text',
    given_name: 'text',
    family_name: 'text',
    birth_date: 'date',
    birth_year: 'int',
    sex: 'text',
    race: 'text',
    ethnicity: 'text',
    language: 'text',
    marital_status: 'text',
    address_line: 'text',
    city: 'text',
    state: 'text',
    postal_code: 'text',
    phone: 'text',
    email: 'text',
    social_security_number: 'text',
    deceased: 'bool',
    deceased_at: 'timestamptz',
  },
  key: ['patient_id'],
  patient: 'required',
  onConflict: 'update',
  ignore: ['ordinal'],
  expectations: [
    {
      name: 'patient_has_identifier',
      description: 'A person has a record number or a social security number, so that later files can be matched.',
      action: 'quarantine',
      holds: (row) => row['mrn'] !== null || row['social_security_number'] !== null,
    },
    {
      name: 'patient_death_not_before_birth',
      description: 'Nobody dies in a year before the year of birth.',
      action: 'warn',
      holds: ({ birth_year: born, deceased_at: died }) =>
        typeof born !== 'number' || typeof died !== 'string' || Number(died.slice(0, 4)) >= born,
    },
  ],
};

const consent: AssetDeclaration = {
  table: 'consent',
  columns: {
    ...PERSON,
    consent_id: 'text',
    id: 'uuid',
    status: 'text',
    scope: 'text',
    stated_at: 'text',
    decided_at: 'timestamptz',
    provisions: 'json',
    understood: 'bool',
  },
  key: ['patient_id', 'consent_id'],
  patient: 'required',
  onConflict: 'update',
  ignore: ['id'],
  expectations: [
    {
      name: 'consent_understood',
      description: 'Every part of a consent is understood; one that is not counts as a denial.',
      action: 'warn',
      holds: (row) => row['understood'] === true,
    },
  ],
};

const condition: AssetDeclaration = {
  table: 'condition',
  columns: {
    ...PERSON,
    condition_id: 'text',
    id: 'uuid',
    code: 'text',
    system: 'text',
    display: 'text',
    onset_at: 'timestamptz',
    recorded_at: 'timestamptz',
    status: 'text',
    verification: 'text',
  },
  key: ['patient_id', 'condition_id'],
  patient: 'required',
  onConflict: 'update',
  ignore: ['id'],
  expectations: [
    {
      name: 'condition_has_code',
      description: 'A condition has a code, so that cohorts can find it.',
      action: 'warn',
      holds: (row) => row['code'] !== null,
    },
  ],
};

const observation: AssetDeclaration = {
  table: 'observation',
  columns: {
    ...PERSON,
    observation_id: 'text',
    id: 'uuid',
    code: 'text',
    system: 'text',
    display: 'text',
    category: 'text',
    effective_at: 'timestamptz',
    value: 'float8',
    unit: 'text',
    value_text: 'text',
    status: 'text',
  },
  key: ['patient_id', 'observation_id'],
  patient: 'required',
  onConflict: 'update',
  ignore: ['id'],
  expectations: [
    {
      name: 'observation_value_finite',
      description: 'A numeric value is a finite number.',
      action: 'quarantine',
      holds: (row) => row['value'] === null || Number.isFinite(row['value']),
    },
    {
      name: 'observation_value_has_unit',
      description: 'A numeric value has a unit; without one it cannot be compared.',
      action: 'warn',
      holds: (row) => row['value'] === null || row['unit'] !== null,
    },
  ],
};

const resource: AssetDeclaration = {
  table: 'fhir_resource',
  columns: { ...PERSON, type: 'text', resource_id: 'text', body: 'json' },
  key: ['patient_id', 'type', 'resource_id'],
  patient: 'required',
  onConflict: 'update',
  expectations: [],
};

/** One permission as columns. `atom` tells those of one person and purpose apart; `bound` says that more than the usual must be asked. */
function effectRow(effect: ConsentEffect): Row {
  const { recipients, dataFrom, dataTo, refs, refsNot, labelsAny } = effect;
  return {
    purpose: effect.purpose,
    atom: createHash('sha256').update(JSON.stringify(effect)).digest('hex').slice(0, ATOM_CHARS),
    sensitivity_min: LEVELS[effect.minSensitivity],
    sensitivity_max: LEVELS[effect.maxSensitivity],
    categories: effect.categories,
    labels: effect.labels,
    labels_any: labelsAny,
    recipients,
    data_from: dataFrom,
    data_to: dataTo,
    refs,
    refs_not: refsNot,
    bound: effect.minSensitivity !== 'N' || labelsAny !== 0 || [recipients, dataFrom, dataTo, refs, refsNot].some((one) => one !== null),
    valid_from: effect.validFrom ?? '-infinity',
    valid_to: effect.validTo ?? 'infinity',
  };
}

/** Which purposes a person permits follows from all consents together; a person without any has the implied permissions. */
const consentEffect: DerivedTable = {
  table: 'consent_effect',
  from: 'consent',
  alsoOnRegister: true,
  columns: {
    patient_id: 'uuid',
    purpose: 'text',
    atom: 'text',
    sensitivity_min: 'int',
    sensitivity_max: 'int',
    categories: 'int',
    labels: 'int',
    labels_any: 'int',
    recipients: 'text[]',
    data_from: 'timestamptz',
    data_to: 'timestamptz',
    refs: 'text[]',
    refs_not: 'text[]',
    bound: 'bool',
    valid_from: 'timestamptz',
    valid_to: 'timestamptz',
  },
  key: ['patient_id', 'purpose', 'atom'],
  rows: (patientId, stored) => compileConsent(stored.map(consentOf)).map((effect) => ({ patient_id: patientId, ...effectRow(effect) })),
};

/** The consent that a stored row came from. json columns come parsed or as text, as the driver gives them. */
function consentOf(row: Row): ConsentRecord {
  const text = (column: string): string | null => (typeof row[column] === 'string' ? row[column] : null);
  const provisions: unknown = typeof row['provisions'] === 'string' ? JSON.parse(row['provisions']) : row['provisions'];
  const understood = row['understood'] === true && Array.isArray(provisions);
  return {
    resourceId: text('consent_id') ?? '',
    status: text('status') ?? '',
    scope: text('scope') ?? '',
    dateTime: text('stated_at'),
    policy: null,
    provisions: understood ? (provisions as ConsentProvision[]) : [],
    notUnderstood: understood ? [] : ['Consent'],
  };
}

/** FHIR resources and crosswalks of identity become persons, their keys, consents and clinical facts. */
export const pipeline: PipelineDeclaration = {
  formats: [bindFormat({ format: fhir, stage: stageFhir }), bindFormat({ format: crosswalk, stage: stageCrosswalk })],
  assets: [patient, consent, condition, observation, resource],
  derived: [consentEffect],
};

import { CodedError, ISSUERS, labelBits, type IdentityKey, type LinkBasis, type StageContext, type Staged } from '../../kernel/index.js';
import type { CrosswalkRow } from './formats/crosswalk.js';
import type { ClinicalRecord } from './formats/fhir.js';
import type { ConditionFacts, ObservationFacts } from './formats/fhir-clinical.js';
import type { ConsentRecord } from './formats/fhir-consent.js';
import { dateInterval } from './formats/fhir-date.js';
import { isObject, labelsOf } from './formats/fhir-element.js';
import type { IdentifierType, PatientFacts } from './formats/fhir-patient.js';
import { isStorable } from './formats/json-storable.js';

type Row = Readonly<Record<string, unknown>>;

const COMPLETE_DATE = 'YYYY-MM-DD'.length;
/** Labels that leave data at normal confidentiality: v3-Confidentiality up to N, and the mark of test data. */
const NORMAL_LABELS: ReadonlySet<string> = new Set(['U', 'L', 'M', 'N', 'HTEST']);
/** Identifiers that name one person; others may be shared (a family's policy number) and link nobody. */
const PERSONAL: ReadonlySet<IdentifierType> = new Set(['MR', 'SS', 'DL', 'PPN']);

/**
 * What a FHIR record becomes (spec patients.md sections 2 and 4). A resource that is about no person (an organisation, a
 * practitioner) becomes nothing: the file itself keeps it.
 * @throws CodedError FHIR_RESOURCE for text that no database holds; PATIENT_UNKNOWN for an identifier without its system
 */
export function* stageFhir(record: ClinicalRecord, context: StageContext): Generator<Staged> {
  const storable = isStorable(record.raw);
  if (!storable && record.kind !== 'consent')
    throw new CodedError('FHIR_RESOURCE', 'The resource holds a text or number that cannot be stored');
  switch (record.kind) {
    case 'patient':
      yield registration(record.patient, record.refs);
      return;
    case 'condition':
      yield { kind: 'row', asset: 'condition', keys: keysOf(record.patientRef), row: conditionRow(record, record.refs, context.newId()) };
      return;
    case 'observation':
      yield {
        kind: 'row',
        asset: 'observation',
        keys: keysOf(record.patientRef),
        row: observationRow(record, record.refs, context.newId()),
      };
      return;
    case 'consent':
      yield {
        kind: 'row',
        asset: 'consent',
        keys: keysOf(record.patientRef),
        row: consentRow(storable ? record.consent : unread(record.consent), record.refs, context.newId()),
      };
      return;
    case 'resource': {
      if (record.patientRef === null) return;
      const row = {
        type: record.type,
        resource_id: record.resourceId,
        ...securityOf(labelsIn(record.raw), record.refs),
        body: record.raw.toString('utf8'),
      };
      yield { kind: 'row', asset: 'fhir_resource', keys: keysOf(record.patientRef), row };
    }
  }
}

/**
 * What a row of a crosswalk becomes: further keys of a person who is known by record number or FHIR id (CL20 to CL22, CL43).
 * @throws CodedError CROSSWALK_ROW for a row without either of them, and for a proposed link that nobody has accepted (CL21)
 */
export function* stageCrosswalk(row: CrosswalkRow): Generator<Staged> {
  const anchors: IdentityKey[] = [];
  if (row.mrn !== null) anchors.push({ issuer: ISSUERS.mrn, value: row.mrn });
  if (row.fhirPatientId !== null) anchors.push({ issuer: ISSUERS.fhir, value: row.fhirPatientId });
  if (anchors.length === 0)
    throw new CodedError('CROSSWALK_ROW', 'The row names neither a record number nor a FHIR patient', { place: 'mrn' });
  yield { kind: 'link', anchors, keys: distinct([...modalityKeys(row), ...anchors]), basis: basisOf(row) };
}

function basisOf(row: CrosswalkRow): LinkBasis {
  if (row.basis !== 'PROBABILISTIC') return row.basis;
  throw new CodedError('CROSSWALK_ROW', 'A probabilistic link is a proposal; it is loaded once it is accepted', { place: 'link_basis' });
}

function modalityKeys(row: CrosswalkRow): IdentityKey[] {
  const keys: IdentityKey[] = [];
  if (row.sampleId !== null) keys.push({ issuer: ISSUERS.sample, value: row.sampleId });
  if (row.dicomPatientId !== null) {
    keys.push(
      { issuer: row.dicomIssuer ?? ISSUERS.dicom, value: row.dicomPatientId },
      { issuer: ISSUERS.dicom, value: row.dicomPatientId },
    );
  }
  if (row.deviceId !== null) {
    // Device ids may be names of files, which the mesh knows in lower case only.
    keys.push({ issuer: ISSUERS.device, value: row.deviceId }, { issuer: ISSUERS.device, value: row.deviceId.toLowerCase() });
  }
  return keys;
}

function registration(patient: PatientFacts, refs: readonly string[]): Staged {
  const first = (type: IdentifierType): string | null => patient.identifiers.find((one) => one.type === type)?.value ?? null;
  const stated = patient.identifiers.filter((one) => PERSONAL.has(one.type) && one.issuer !== '');
  const numbers = patient.identifiers.filter((one) => one.type === 'MR');
  const row: Row = {
    ...securityOf(patient.labels, refs),
    synthetic: patient.synthetic,
    mrn: first('MR'),
    given_name: patient.given,
    family_name: patient.family,
    birth_date: patient.birthDate?.length === COMPLETE_DATE ? patient.birthDate : null,
    birth_year: patient.birthYear,
    sex: patient.sex,
    race: patient.race,
    ethnicity: patient.ethnicity,
    language: patient.language,
    marital_status: patient.maritalStatus,
    address_line: patient.addressLine,
    city: patient.city,
    state: patient.state,
    postal_code: patient.postalCode,
    phone: patient.phone,
    email: patient.email,
    social_security_number: first('SS'),
    deceased: patient.deceased,
    deceased_at: instantOf(patient.deceasedAt),
  };
  const keys = distinct([
    ...stated.filter((one) => one.type === 'MR').map(({ issuer, value }) => ({ issuer, value })),
    { issuer: ISSUERS.fhir, value: patient.resourceId },
    ...numbers.map(({ value }) => ({ issuer: ISSUERS.mrn, value })),
    ...stated.filter((one) => one.type !== 'MR').map(({ issuer, value }) => ({ issuer, value })),
  ]);
  return { kind: 'register', asset: 'patient', row, keys, site: patient.site };
}

function conditionRow(facts: ConditionFacts, refs: readonly string[], id: string): Row {
  return {
    condition_id: facts.resourceId,
    id,
    ...securityOf(facts.labels, refs),
    code: facts.code,
    system: facts.system,
    display: facts.display,
    onset_at: instantOf(facts.onset),
    recorded_at: instantOf(facts.recorded),
    status: facts.status,
    verification: facts.verification,
  };
}

/** A bound ('<5') is no measured value: it is kept as text. */
function observationRow(facts: ObservationFacts, refs: readonly string[], id: string): Row {
  const bound = facts.comparator !== null && facts.value !== null;
  return {
    observation_id: facts.resourceId,
    id,
    ...securityOf(facts.labels, refs),
    code: facts.code,
    system: facts.system,
    display: facts.display,
    category: facts.category,
    effective_at: instantOf(facts.effective),
    value: bound ? null : facts.value,
    unit: facts.unit,
    value_text: bound ? `${facts.comparator}${facts.value}` : facts.valueText,
    status: facts.status,
  };
}

/** A consent is never refused, since that would leave the person with the implied permissions: it counts as a denial. */
function unread(consent: ConsentRecord): ConsentRecord {
  return { ...consent, provisions: [], notUnderstood: [...consent.notUnderstood, 'Consent'] };
}

/** `stated_at` is the date as written: which of two consents is later depends on how precise their dates are. */
function consentRow(consent: ConsentRecord, refs: readonly string[], id: string): Row {
  return {
    consent_id: consent.resourceId,
    id,
    ...securityOf(
      consent.provisions.flatMap((provision) => provision.labels),
      refs,
    ),
    status: consent.status,
    scope: consent.scope === '' ? null : consent.scope,
    stated_at: consent.dateTime,
    decided_at: instantOf(consent.dateTime),
    provisions: JSON.stringify(consent.provisions),
    understood: consent.notUnderstood.length === 0,
  };
}

/** What consents are matched against. */
function securityOf(labels: readonly string[], refs: readonly string[]): Row {
  return { sensitivity: sensitivityOf(labels), label_bits: labelBits(labels), refs };
}

/** Labels of a resource that has no reader of its own. Only resources that mention any are read. */
function labelsIn(raw: Buffer): readonly string[] {
  if (!raw.includes('"security"')) return [];
  const resource: unknown = JSON.parse(raw.toString('utf8'));
  return isObject(resource) ? labelsOf(resource, 'resource') : [];
}

/** 0 normal, 1 restricted, 2 very restricted. A label that is not known restricts. */
export function sensitivityOf(labels: readonly string[]): 0 | 1 | 2 {
  if (labels.includes('V')) return 2;
  return labels.every((label) => NORMAL_LABELS.has(label)) ? 0 : 1;
}

/** Keys of the forms that patientOf() in formats/fhir-reference.ts gives: a resource id, 'system|value' or an absolute URL. */
function keysOf(patientRef: string): readonly IdentityKey[] {
  const bar = patientRef.indexOf('|');
  if (bar < 0) return [{ issuer: ISSUERS.fhir, value: patientRef }];
  if (bar === 0) throw new CodedError('PATIENT_UNKNOWN', 'The reference names an identifier without its system');
  return [{ issuer: patientRef.slice(0, bar), value: patientRef.slice(bar + 1) }];
}

/** The start of what a FHIR date may mean, as an instant in UTC. */
function instantOf(date: string | null): string | null {
  const interval = date === null ? null : dateInterval(date);
  return interval === null ? null : new Date(interval.from).toISOString();
}

function distinct(keys: readonly IdentityKey[]): IdentityKey[] {
  const seen = new Set<string>();
  return keys.filter(({ issuer, value }) => {
    const name = JSON.stringify([issuer, value]);
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}

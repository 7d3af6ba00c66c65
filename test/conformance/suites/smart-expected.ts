/** A row as the tables keep it, with the type that a scope names it by. */
export interface Row {
  readonly id: string;
  readonly type: string;
  readonly patient: string;
  readonly columns: Readonly<Record<string, string | null>>;
  /** False where the caller may not see it, whatever the scopes say. */
  readonly permitted: boolean;
}

const LOINC = 'http://loinc.org';
const row = (id: string, type: string, patient: string, columns: Row['columns'] = {}, permitted = true): Row => ({
  id,
  type,
  patient,
  columns,
  permitted,
});
const observation = (id: string, patient: string, category: string | null, code: string, permitted = true): Row =>
  row(id, 'Observation', patient, { category, code, system: LOINC }, permitted);

/** The patient in context is one; o4 is of a site that the caller may not see. */
export const ROWS: readonly Row[] = [
  row('p1', 'Patient', 'one'),
  row('p2', 'Patient', 'two'),
  observation('o1', 'one', 'laboratory', '4548-4'),
  observation('o2', 'one', 'vital-signs', '8480-6'),
  observation('o3', 'two', 'laboratory', '4548-4'),
  observation('o4', 'one', 'laboratory', '4548-4', false),
  observation('o5', 'one', null, '4548-4'),
  row('c1', 'Condition', 'one', { code: '73211009', system: 'http://snomed.info/sct' }),
  row('b1', 'Basic', 'one'),
  row('e1', 'Encounter', 'two'),
];

const ALL_OF_ONE = 'p1 o1 o2 o5 c1 b1';
const ALL = 'p1 p2 o1 o2 o3 o5 c1 b1 e1';
const OBSERVATIONS_OF_ONE = 'o1 o2 o5';
const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category';
const APP = 'https://myapp.example.org';

interface Accepted {
  readonly text: string;
  /** The rights that it grants, in version 2. */
  readonly rights: string;
  /** Rows that one of its rights reaches, after the caller's own rights; no table of ours can answer a `code` of Basic. */
  readonly rows: string;
}
const is = (text: string, rights: string, rows: string): Accepted => ({ text, rights, rows });

/** Every distinct scope string for FHIR resources in the pages of HL7/smart-app-launch at 2494e06 (guide 2.2). */
export const GUIDE: readonly Accepted[] = [
  is('patient/*.cruds', 'cruds', ALL_OF_ONE),
  is('patient/*.r', 'r', ALL_OF_ONE),
  is('patient/*.read', 'rs', ALL_OF_ONE),
  is('patient/*.rs', 'rs', ALL_OF_ONE),
  is('patient/AllergyIntolerance.cruds', 'cruds', ''),
  is('patient/AllergyIntolerance.cud', 'cud', ''),
  is('patient/AllergyIntolerance.rs', 'rs', ''),
  is('patient/Basic.cuds', 'cuds', 'b1'),
  is(`patient/Basic.cuds?code=${APP}|encrypted-phr-access-keys`, 'cuds', ''),
  is('patient/Basic.s?code=https://app|1', 's', ''),
  is(`patient/Basic.s?code=${APP}|encrypted-phr-access-keys`, 's', ''),
  is('patient/Condition.rs', 'rs', 'c1'),
  is('patient/Immunization.read', 'rs', ''),
  is('patient/MedicationOrder.rs', 'rs', ''),
  is('patient/MedicationRequest.rs', 'rs', ''),
  is('patient/Observation.c', 'c', OBSERVATIONS_OF_ONE),
  is('patient/Observation.cu', 'cu', OBSERVATIONS_OF_ONE),
  is('patient/Observation.read', 'rs', OBSERVATIONS_OF_ONE),
  is('patient/Observation.rs', 'rs', OBSERVATIONS_OF_ONE),
  is(`patient/Observation.rs?category=${CATEGORY}|laboratory`, 'rs', 'o1'),
  is(`patient/Observation.rs?category=${CATEGORY}|vital-signs`, 'rs', 'o2'),
  is('patient/Patient.r', 'r', 'p1'),
  is('patient/Patient.rs', 'rs', 'p1'),
  is('system/*.cruds', 'cruds', ALL),
  is('system/*.rs', 'rs', ALL),
  is('system/Encounter.cud', 'cud', 'e1'),
  is('system/Encounter.rs', 'rs', 'e1'),
  is('system/Observation.rs', 'rs', 'o1 o2 o3 o5'),
  is('user/*.cruds', 'cruds', ALL),
  is('user/*.rs', 'rs', ALL),
  is('user/Appointment.cruds', 'cruds', ''),
  is('user/Appointment.rs', 'rs', ''),
  is('user/Basic.cuds', 'cuds', 'b1'),
  is(`user/Basic.cuds?code=${APP}|hospital-config`, 'cuds', ''),
  is('user/Basic.s', 's', 'b1'),
  is('user/Basic.s?code=https://app|1', 's', ''),
  is(`user/Basic.s?code=${APP}|hospital-config`, 's', ''),
  is('user/Encounter.rs', 'rs', 'e1'),
  is('user/Observation.rs', 'rs', 'o1 o2 o3 o5'),
  is('user/Patient.rs', 'rs', 'p1 p2'),
];

/** Strings that stood in the pages of earlier versions of the guide (its history since 2021). */
export const EARLIER_GUIDE: readonly Accepted[] = [
  is('patient/*.*', 'cruds', ALL_OF_ONE),
  is('user/*.*', 'cruds', ALL),
  is('patient/Observation.rs?category=laboratory', 'rs', 'o1'),
  is('patient/Patient.read', 'rs', 'p1'),
  is('system/Patient.read', 'rs', 'p1 p2'),
];

export const V1: readonly Accepted[] = [
  is('patient/Observation.write', 'cud', OBSERVATIONS_OF_ONE),
  is('patient/Observation.*', 'cruds', OBSERVATIONS_OF_ONE),
  is('user/Condition.read', 'rs', 'c1'),
  is('user/*.write', 'cud', ALL),
  is('system/*.read', 'rs', ALL),
];

/** Restrictions in columns; what cannot be said in columns grants nothing. */
export const PARAMETERS: readonly Accepted[] = [
  is('user/Observation.rs?category=laboratory', 'rs', 'o1 o3'),
  is('user/Observation.rs?category=laboratory,vital-signs', 'rs', 'o1 o2 o3'),
  is('user/Observation.rs?category=laboratory&code=8480-6', 'rs', ''),
  is('user/Observation.rs?code=http://loinc.org|8480-6', 'rs', 'o2'),
  is('user/Observation.rs?code=http%3A%2F%2Floinc.org%7C8480-6', 'rs', 'o2'),
  is('user/Observation.rs?code=http://loinc.org|', 'rs', 'o1 o2 o3 o5'),
  is('user/Observation.rs?code=http://snomed.info/sct|8480-6', 'rs', ''),
  is('user/Condition.rs?code=http://snomed.info/sct|73211009', 'rs', 'c1'),
  is('user/Observation.rs?category=urn:other|laboratory', 'rs', ''),
  is('user/Observation.rs?category=Laboratory', 'rs', ''),
  is('user/Observation.rs?code=|8480-6', 'rs', ''),
  is('user/Observation.rs?code=8480-6,', 'rs', ''),
  is('user/Observation.rs?code=4548-4%5C,8480-6', 'rs', ''),
  is('user/Observation.rs?code:in=http://valueset.example.org/ValueSet/diabetes-codes', 'rs', ''),
  is('user/Observation.rs?patient.birthdate=1990', 'rs', ''),
  is('user/Observation.rs?_filter=code', 'rs', ''),
  is('user/Observation.rs?category=laboratory&status=final', 'rs', ''),
  is('user/Condition.rs?category=problem-list-item', 'rs', ''),
  is('user/Patient.rs?name=x', 'rs', ''),
];

export const REFUSED: readonly string[] = [
  'patient/Observation.sr',
  'patient/Observation.dus',
  'patient/Observation.rr',
  'patient/Observation.crudss',
  'patient/Observation.',
  'patient/Observation',
  'patient/Observation.?category=laboratory',
  'patient/.rs',
  'patient/',
  '/Observation.rs',
  'Observation.rs',
  'group/Observation.rs',
  'Patient/Observation.rs',
  'PATIENT/Observation.rs',
  'patient/observation.rs',
  'patient/OBSERVATION.rs',
  'patient/Observations.rs',
  'patient/DomainResource.rs',
  'patient/constructor.rs',
  'system/DynamicClient.register',
  'patient/Observation.RS',
  'patient/Observation.Read',
  'patient/Observation.reads',
  'patient/Observation.x',
  'patient/Observation.rsx',
  'patient/Observation.r.s',
  'patient/Observation/.rs',
  'patient/**.rs',
  'patient/Obs*.rs',
  'patient/*.rs?category=laboratory',
  'patient/*?category=laboratory',
  'patient/Observation.read?category=laboratory',
  'patient/Observation.*?category=laboratory',
  'patient/Observation.rs?',
  'patient/Observation.rs?category',
  'patient/Observation.rs?category=',
  'patient/Observation.rs?=laboratory',
  'patient/Observation.rs?category=laboratory&',
  'patient/Observation.rs?&category=laboratory',
  'patient/Observation.rs?category=%',
  'patient/Observation.rs?category=%zz',
  'patient/Observation.rs?category=%ff',
  'patient/Observation.rs?category=a%00b',
  'patient/Observation.rs?cat%65gory=laboratory',
  'patient/Observation.rs?category=labor atory',
  'patient/Observation.rs?category="laboratory"',
  'patient%2FObservation.rs',
  ' patient/Observation.rs',
  'patient/Observation.rs\n',
  'patient/Observation.rs patient/Condition.rs',
  'pаtient/Observation.rs',
  '',
];

/** Scopes of identity, launch and offline use: understood, and no data. */
export const WITHOUT_DATA: readonly string[] = ['openid', 'fhirUser', 'launch', 'launch/patient', 'offline_access', 'online_access'];

import { child, children, concept, date, labelsOf, metaCodings, refuse, text, texts } from './fhir-element.js';
import type { JsonObject } from './fhir-element.js';
import type { ReferenceIndex } from './fhir-reference.js';

export type IdentifierType = 'MR' | 'SS' | 'DL' | 'PPN' | 'OTHER';

/** `issuer` is the identifier's system, else its assigner; empty when neither is stated (never a global issuer, CL20). */
export interface PatientIdentifier {
  readonly issuer: string;
  readonly value: string;
  readonly type: IdentifierType;
}

/** A FHIR R4 Patient as the product keeps it (spec patients.md sections 1 and 4). Dates stand as written, partial included. */
export interface PatientFacts {
  readonly resourceId: string;
  readonly identifiers: readonly PatientIdentifier[];
  readonly given: string | null;
  readonly family: string | null;
  readonly birthDate: string | null;
  readonly birthYear: number | null;
  readonly sex: 'male' | 'female' | 'other' | 'unknown' | null;
  /** True also where only `deceasedBoolean` is stated and the time is not. */
  readonly deceased: boolean;
  readonly deceasedAt: string | null;
  readonly addressLine: string | null;
  readonly city: string | null;
  readonly state: string | null;
  readonly postalCode: string | null;
  readonly phone: string | null;
  readonly email: string | null;
  readonly maritalStatus: string | null;
  readonly race: string | null;
  readonly ethnicity: string | null;
  readonly language: string | null;
  readonly site: string | null;
  readonly labels: readonly string[];
  readonly synthetic: boolean;
}

export const SITE_SYSTEM = 'urn:thalamus:site';
const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-';
const SEXES = ['male', 'female', 'other', 'unknown'] as const;
const TYPED = ['MR', 'SS', 'DL', 'PPN'] as const;

/** Throws FHIR_RESOURCE at the FHIRPath of the first element that is malformed. */
export function readPatient(resource: JsonObject, resourceId: string, index: ReferenceIndex, path: string): PatientFacts {
  const name = nameOf(resource, path);
  const address = addressOf(resource, path);
  const birthDate = birthDateOf(resource, path);
  const sex = text(resource, 'gender', path);
  const known = SEXES.find((one) => one === sex);
  if (sex !== null && known === undefined) refuse(`${path}.gender`, 'The code is not an administrative gender');
  const labels = labelsOf(resource, path);
  const tags = metaCodings(resource, 'tag', path);
  return {
    resourceId,
    identifiers: identifiersOf(resource, path),
    ...name,
    birthDate,
    birthYear: birthDate === null ? null : Number(birthDate.slice(0, 4)),
    sex: known ?? null,
    ...deathOf(resource, path),
    ...address,
    phone: telecomOf(resource, 'phone', path),
    email: telecomOf(resource, 'email', path),
    maritalStatus: codeOrText(resource, 'maritalStatus', path),
    race: usCore(resource, 'race', path),
    ethnicity: usCore(resource, 'ethnicity', path),
    language: languageOf(resource, path),
    site: tags.find((tag) => tag.system === SITE_SYSTEM)?.code ?? managingSite(resource, index, path),
    labels,
    synthetic: labels.includes('HTEST') || tags.some((tag) => tag.code === 'SYNTHETIC' || tag.code === 'HTEST'),
  };
}

function identifiersOf(resource: JsonObject, path: string): PatientIdentifier[] {
  const found: PatientIdentifier[] = [];
  children(resource, 'identifier', path).forEach((one, at) => {
    const place = `${path}.identifier[${at}]`;
    const value = text(one, 'value', place);
    if (value === null) return;
    const system = text(one, 'system', place);
    const assigner = child(one, 'assigner', place);
    const issuer =
      system ??
      (assigner === null ? null : (text(assigner, 'reference', `${place}.assigner`) ?? text(assigner, 'display', `${place}.assigner`)));
    const code = concept(child(one, 'type', place), `${place}.type`)?.code;
    const type = TYPED.find((known) => known === code) ?? (system === 'http://hl7.org/fhir/sid/us-ssn' ? 'SS' : 'OTHER');
    found.push({ issuer: issuer ?? '', value, type });
  });
  return found;
}

function nameOf(resource: JsonObject, path: string): Pick<PatientFacts, 'given' | 'family'> {
  const names = children(resource, 'name', path);
  const at = preferred(names, ['official', 'usual'], ['old', 'maiden', 'anonymous']);
  const name = names[at];
  if (name === undefined) return { given: null, family: null };
  const given = texts(name, 'given', `${path}.name[${at}]`).join(' ');
  return { given: given === '' ? null : given, family: text(name, 'family', `${path}.name[${at}]`) };
}

function addressOf(resource: JsonObject, path: string): Pick<PatientFacts, 'addressLine' | 'city' | 'state' | 'postalCode'> {
  const addresses = children(resource, 'address', path);
  const at = preferred(addresses, ['home'], ['old', 'billing']);
  const address = addresses[at];
  if (address === undefined) return { addressLine: null, city: null, state: null, postalCode: null };
  const place = `${path}.address[${at}]`;
  const line = texts(address, 'line', place).join(', ');
  return {
    addressLine: line === '' ? null : line,
    city: text(address, 'city', place),
    state: text(address, 'state', place),
    postalCode: text(address, 'postalCode', place),
  };
}

/** Index of the first item of a wanted use, else the first that is not of an unwanted one, else 0. */
function preferred(items: readonly JsonObject[], wanted: readonly string[], unwanted: readonly string[]): number {
  for (const use of wanted) {
    const at = items.findIndex((item) => item['use'] === use);
    if (at >= 0) return at;
  }
  return Math.max(
    0,
    items.findIndex((item) => !unwanted.includes(String(item['use']))),
  );
}

function birthDateOf(resource: JsonObject, path: string): string | null {
  const birthDate = date(resource, 'birthDate', path);
  if (birthDate !== null && birthDate.length > 10) refuse(`${path}.birthDate`, 'A birth date has no time');
  return birthDate;
}

function deathOf(resource: JsonObject, path: string): Pick<PatientFacts, 'deceased' | 'deceasedAt'> {
  const at = date(resource, 'deceasedDateTime', path);
  const flag = resource['deceasedBoolean'];
  if (flag !== undefined && typeof flag !== 'boolean') refuse(`${path}.deceasedBoolean`, 'A boolean is expected');
  return { deceased: at !== null || flag === true, deceasedAt: at };
}

function telecomOf(resource: JsonObject, system: string, path: string): string | null {
  const points = children(resource, 'telecom', path);
  const at = points.findIndex((one) => one['system'] === system && one['use'] !== 'old');
  return at < 0 ? null : text(points[at] as JsonObject, 'value', `${path}.telecom[${at}]`);
}

function codeOrText(parent: JsonObject, key: string, path: string): string | null {
  const found = concept(child(parent, key, path), `${path}.${key}`);
  return found?.code ?? found?.display ?? null;
}

function languageOf(resource: JsonObject, path: string): string | null {
  const spoken = children(resource, 'communication', path);
  const at = Math.max(
    0,
    spoken.findIndex((one) => one['preferred'] === true),
  );
  const one = spoken[at];
  return one === undefined ? null : codeOrText(one, 'language', `${path}.communication[${at}]`);
}

/** US Core race and ethnicity: the extension's text, else the display or code of its first OMB category. */
function usCore(resource: JsonObject, name: string, path: string): string | null {
  const outer = children(resource, 'extension', path);
  const at = outer.findIndex((one) => one['url'] === `${US_CORE}${name}`);
  if (at < 0) return null;
  const place = `${path}.extension[${at}]`;
  const inner = children(outer[at] as JsonObject, 'extension', place);
  const words = inner.find((one) => one['url'] === 'text');
  if (words !== undefined) return text(words, 'valueString', `${place}.extension`);
  const category = inner.find((one) => one['url'] === 'ombCategory');
  const coded = category === undefined ? null : child(category, 'valueCoding', `${place}.extension`);
  return coded === null ? null : (text(coded, 'display', `${place}.extension.value`) ?? text(coded, 'code', `${place}.extension.value`));
}

/** The id of the managing organisation: of the Bundle's entry, else the reference's last part, else its display. */
function managingSite(resource: JsonObject, index: ReferenceIndex, path: string): string | null {
  const element = child(resource, 'managingOrganization', path);
  if (element === null) return null;
  const place = `${path}.managingOrganization`;
  const reference = text(element, 'reference', place);
  if (reference === null) return text(element, 'display', place);
  const target = index.resolve(reference, resource);
  if (target !== null && !reference.startsWith('#')) return target.id;
  return text(element, 'display', place) ?? reference.slice(reference.lastIndexOf('/') + 1);
}

import { child, children, isObject, refuse, text } from './fhir-element.js';
import type { JsonObject } from './fhir-element.js';

export interface Target {
  readonly type: string;
  readonly id: string;
}

const RESTFUL = /(?:^|\/)([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;

/** The resource id: its own, else the tail of its fullUrl (a POST inside a transaction has no id yet). Null when neither. */
export function resourceId(resource: JsonObject, fullUrl: string | null, path: string): string | null {
  const id = text(resource, 'id', path);
  if (id !== null)
    return /^[A-Za-z0-9.-]{1,64}$/.test(id) ? id : refuse(`${path}.id`, 'A resource id has 1 to 64 letters, digits, dots and hyphens');
  if (fullUrl === null) return null;
  if (fullUrl.startsWith('urn:uuid:')) return fullUrl.slice('urn:uuid:'.length);
  return RESTFUL.exec(fullUrl)?.[2] ?? null;
}

/** Resolves references inside one Bundle (FHIR R4 bundle.html, "Resolving references in Bundles"). */
export class ReferenceIndex {
  private readonly byUrl = new Map<string, Target>();
  private readonly byName = new Map<string, Target>();
  private readonly byIdentifier = new Map<string, Target | null>();

  /** Adds an entry; false when its fullUrl or its Type/id is already taken, which would make references ambiguous. */
  add(target: Target, fullUrl: string | null, resource: JsonObject): boolean {
    const name = `${target.type}/${target.id}`;
    if (this.byName.has(name) || (fullUrl !== null && this.byUrl.has(fullUrl))) return false;
    this.byName.set(name, target);
    if (fullUrl !== null) this.byUrl.set(fullUrl, target);
    const identifiers = resource['identifier'];
    if (Array.isArray(identifiers)) for (const one of identifiers) this.addIdentifier(target, one);
    return true;
  }

  private addIdentifier(target: Target, identifier: unknown): void {
    const key = identifierKey(identifier);
    if (key === null) return;
    const name = `${target.type}?${key}`;
    const known = this.byIdentifier.get(name);
    // One identifier on two resources decides nothing.
    if (known === undefined) this.byIdentifier.set(name, target);
    else if (known?.id !== target.id) this.byIdentifier.set(name, null);
  }

  /** The entry or contained resource that `reference` means, null when it is not inside the Bundle. */
  resolve(reference: string, owner: JsonObject): Target | null {
    if (reference.startsWith('#')) {
      const inner = contained(owner, reference.slice(1));
      return inner === null ? null : { type: String(inner['resourceType']), id: reference };
    }
    const exact = this.byUrl.get(reference);
    if (exact !== undefined) return exact;
    const query = reference.indexOf('?identifier=');
    if (query > 0) return this.identified(reference.slice(0, query), decoded(reference.slice(query + '?identifier='.length)));
    // An absolute URL means that server only; its Type/id tail may be somebody else here.
    if (reference.includes(':')) return null;
    const parts = RESTFUL.exec(reference);
    return parts === null ? null : (this.byName.get(`${parts[1]}/${parts[2]}`) ?? null);
  }

  identified(type: string, key: string): Target | null {
    return this.byIdentifier.get(`${type}?${key}`) ?? null;
  }
}

/**
 * The patient that a Reference element means: a resource id; or 'system|value' when the patient is named by an identifier
 * (conditional, contained or logical reference) and is not in the Bundle; or an absolute URL outside the Bundle, as written.
 * Null when it is absent or means something other than a patient. Throws FHIR_RESOURCE when it dangles.
 */
export function patientOf(index: ReferenceIndex, owner: JsonObject, key: string, path: string): string | null {
  const element = child(owner, key, path);
  if (element === null) return null;
  const place = `${path}.${key}`;
  const reference = text(element, 'reference', place);
  if (reference === null) {
    const name = identifierKey(element['identifier']);
    const type = element['type'];
    return name === null || (type !== undefined && type !== 'Patient') ? null : (index.identified('Patient', name)?.id ?? name);
  }
  const target = index.resolve(reference, owner);
  if (reference.startsWith('#')) {
    if (target === null) refuse(`${place}.reference`, 'The contained resource that is referenced is missing');
    return target.type === 'Patient' ? containedPatient(index, owner, reference, place) : null;
  }
  if (target !== null) return target.type === 'Patient' ? target.id : null;
  if (reference.startsWith('Patient?identifier=')) {
    const name = decoded(reference.slice('Patient?identifier='.length));
    // A search value without a system must not pass for a resource id.
    return name.includes('|') ? name : `|${name}`;
  }
  if (reference.startsWith('urn:')) refuse(`${place}.reference`, 'The reference does not resolve inside the Bundle');
  const parts = RESTFUL.exec(reference);
  if (parts === null) refuse(`${place}.reference`, 'The reference is of no known form');
  if (parts[1] !== 'Patient') return null;
  return reference.includes(':') ? reference : (parts[2] as string);
}

/** Type/id without a version; null for other forms. */
export function canonicalReference(reference: string): string | null {
  const parts = RESTFUL.exec(reference);
  return parts === null || reference.startsWith('/') || reference.includes(':') ? null : `${parts[1]}/${parts[2]}`;
}

/** Type/id of what a reference means where that can be told, else the reference as written. */
export function referenceName(index: ReferenceIndex, owner: JsonObject, reference: string): string {
  if (reference.startsWith('#')) return reference;
  const target = index.resolve(reference, owner);
  return target === null ? (canonicalReference(reference) ?? reference) : `${target.type}/${target.id}`;
}

const AUTHORS = ['author', 'performer', 'recorder', 'asserter', 'requester', 'sender'];

/**
 * The references of a resource that a consent may name, each as `self=`, `author=` or `encounter=` and Type/id. An author or encounter
 * that is stated in another form (by name, by identifier, of another server) is `?`, so that a denial does not miss it. Never throws.
 */
export function referencesOf(index: ReferenceIndex, resource: JsonObject, type: string, id: string): string[] {
  const listed = (value: unknown): unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);
  const nameOf = (element: unknown): string => {
    const inner = isObject(element) && isObject(element['actor']) ? element['actor'] : element;
    const reference = isObject(inner) ? inner['reference'] : undefined;
    return typeof reference === 'string' ? (canonicalReference(referenceName(index, resource, reference)) ?? '?') : '?';
  };
  const context = resource['context'];
  const encounters = isObject(context) ? (context['reference'] === undefined ? listed(context['encounter']) : [context]) : [];
  return [
    `self=${type}/${id}`,
    ...AUTHORS.flatMap((key) => listed(resource[key])).map((element) => `author=${nameOf(element)}`),
    ...[...listed(resource['encounter']), ...encounters].map((element) => `encounter=${nameOf(element)}`),
  ].filter((one, at, all) => all.indexOf(one) === at);
}

function containedPatient(index: ReferenceIndex, owner: JsonObject, reference: string, place: string): string {
  const inner = contained(owner, reference.slice(1));
  const identifiers = inner === null ? [] : children(inner, 'identifier', `${place}.resolve()`);
  const keys = identifiers.map(identifierKey).filter((key) => key !== null);
  for (const key of keys) {
    const known = index.identified('Patient', key);
    if (known !== null) return known.id;
  }
  return keys[0] ?? refuse(`${place}.reference`, 'The contained patient has no identifier');
}

function contained(owner: JsonObject, id: string): JsonObject | null {
  const inner = owner['contained'];
  if (!Array.isArray(inner)) return null;
  return inner.filter(isObject).find((one) => one['id'] === id) ?? null;
}

function identifierKey(identifier: unknown): string | null {
  if (!isObject(identifier) || typeof identifier['system'] !== 'string' || typeof identifier['value'] !== 'string') return null;
  return `${identifier['system']}|${identifier['value']}`;
}

function decoded(query: string): string {
  try {
    return decodeURIComponent(query);
  } catch {
    return query;
  }
}

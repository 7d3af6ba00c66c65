import { CodedError } from '../../../kernel/error.js';
import { dateInterval } from './fhir-date.js';

export type JsonObject = { readonly [key: string]: unknown };

export interface Coding {
  readonly system: string | null;
  readonly code: string | null;
  readonly display: string | null;
}

/** Throws FHIR_RESOURCE at a FHIRPath; the reason names the rule and never holds the value. */
export function refuse(path: string, reason: string): never {
  throw new CodedError('FHIR_RESOURCE', reason, { place: path });
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object under `key`, null when absent. */
export function child(parent: JsonObject, key: string, path: string): JsonObject | null {
  const value = parent[key];
  if (value === undefined) return null;
  return isObject(value) ? value : refuse(`${path}.${key}`, 'An object is expected');
}

/** The objects of the list under `key`; empty when absent. */
export function children(parent: JsonObject, key: string, path: string): readonly JsonObject[] {
  const value = parent[key];
  if (value === undefined) return [];
  if (!Array.isArray(value)) refuse(`${path}.${key}`, 'A list is expected');
  value.forEach((item, at) => {
    if (!isObject(item)) refuse(`${path}.${key}[${at}]`, 'An object is expected');
  });
  return value as readonly JsonObject[];
}

export function text(parent: JsonObject, key: string, path: string): string | null {
  const value = parent[key];
  if (value === undefined || value === null) return null;
  return typeof value === 'string' && value !== '' ? value : refuse(`${path}.${key}`, 'A non-empty string is expected');
}

/** A list of strings; null members stand for values that live in an extension and are left out. */
export function texts(parent: JsonObject, key: string, path: string): readonly string[] {
  const value = parent[key];
  if (value === undefined) return [];
  if (!Array.isArray(value)) refuse(`${path}.${key}`, 'A list is expected');
  const found: string[] = [];
  value.forEach((item, at) => {
    if (typeof item === 'string') found.push(item);
    else if (item !== null) refuse(`${path}.${key}[${at}]`, 'A string is expected');
  });
  return found;
}

/** A date or dateTime kept as written, partial precision included. */
export function date(parent: JsonObject, key: string, path: string): string | null {
  const value = text(parent, key, path);
  if (value !== null && dateInterval(value) === null) refuse(`${path}.${key}`, 'A FHIR date is expected');
  return value;
}

export function coding(object: JsonObject, path: string): Coding {
  return { system: text(object, 'system', path), code: text(object, 'code', path), display: text(object, 'display', path) };
}

/** The first coding with a code of a CodeableConcept; its text stands in for a missing display. */
export function concept(object: JsonObject | null, path: string): Coding | null {
  if (object === null) return null;
  const words = text(object, 'text', path);
  const codings = children(object, 'coding', path);
  for (let at = 0; at < codings.length; at++) {
    const one = coding(codings[at] as JsonObject, `${path}.coding[${at}]`);
    if (one.code !== null) return { ...one, display: one.display ?? words };
  }
  return words === null ? null : { system: null, code: null, display: words };
}

/** Codes of meta.security, each once. */
export function labelsOf(resource: JsonObject, path: string): readonly string[] {
  return metaCodings(resource, 'security', path)
    .flatMap((one) => one.code ?? [])
    .filter((code, at, all) => all.indexOf(code) === at);
}

export function metaCodings(resource: JsonObject, key: 'security' | 'tag', path: string): readonly Coding[] {
  const meta = child(resource, 'meta', path);
  if (meta === null) return [];
  return children(meta, key, `${path}.meta`).map((one, at) => coding(one, `${path}.meta.${key}[${at}]`));
}

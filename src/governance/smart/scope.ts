import { isFhirType, type FhirType } from './fhir-types.js';

/** create, read, update, delete, search: in this order they stand in a scope. */
export const RIGHTS = ['c', 'r', 'u', 'd', 's'] as const;
export type Right = (typeof RIGHTS)[number];

/** `patient`: data of the patient in context; `user`: what the user may see; `system`: a service without a user. */
export type ScopeContext = 'patient' | 'user' | 'system';

export interface ScopeParameter {
  /** Name of a FHIR search parameter, with its modifier or chain if it has one. */
  readonly name: string;
  readonly value: string;
}

export interface SmartScope {
  readonly context: ScopeContext;
  readonly type: FhirType | '*';
  readonly rights: readonly Right[];
  /** All of them must hold. */
  readonly parameters: readonly ScopeParameter[];
}

const SCOPE_CHARACTERS_MAX = 1_024;
const PARAMETERS_MAX = 16;

/** Characters of an OAuth scope token (RFC 6749 section 3.3): printable ASCII without space, quote and backslash. */
const TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const SHAPE = /^(patient|user|system)\/([^./?]+)\.([^?]+)(?:\?(.*))?$/;
const IN_ORDER = /^c?r?u?d?s?$/;
// A control character is no part of a code.
const CONTROL = /[\u0000-\u001f\u007f]/;
const NAME = /^[A-Za-z_][A-Za-z0-9_-]*(?:[.:][A-Za-z_][A-Za-z0-9_-]*)*$/;

/** Rights of version 1, as version 2 says them (SMART App Launch 2.2, Scopes for requesting FHIR Resources). */
const V1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/**
 * Reads one scope for FHIR resources, `context/Type.rights[?name=value[&name=value]]`, of SMART App Launch v2 or v1. Null for anything
 * else: rights that are empty, doubled, out of order or unknown, an unknown context or type, parameters on `*` or on a v1 scope,
 * malformed parameters or percent-encoding.
 */
export function parseScope(text: string): SmartScope | null {
  if (text.length > SCOPE_CHARACTERS_MAX || !TOKEN.test(text)) return null;
  const [, context, type = '', suffix = '', query] = SHAPE.exec(text) ?? [];
  if (context === undefined || (type !== '*' && !isFhirType(type))) return null;
  const v1 = Object.hasOwn(V1, suffix) ? V1[suffix] : undefined;
  if (query !== undefined && (type === '*' || v1 !== undefined)) return null;
  const letters = v1 ?? suffix;
  const parameters = query === undefined ? [] : parametersOf(query);
  if (!IN_ORDER.test(letters) || parameters === null) return null;
  return { context: context as ScopeContext, type, rights: RIGHTS.filter((right) => letters.includes(right)), parameters };
}

function parametersOf(query: string): ScopeParameter[] | null {
  const items = query.split('&');
  if (items.length > PARAMETERS_MAX) return null;
  const read = items.map(parameterOf).filter((item) => item !== null);
  return read.length === items.length ? read : null;
}

function parameterOf(item: string): ScopeParameter | null {
  const equals = item.indexOf('=');
  const name = item.slice(0, equals);
  if (equals < 0 || !NAME.test(name)) return null;
  try {
    const value = decodeURIComponent(item.slice(equals + 1));
    return value === '' || CONTROL.test(value) ? null : { name, value };
  } catch {
    return null;
  }
}

/** The shortest text that parses to the same scope; always of version 2. */
export function printScope({ context, type, rights, parameters }: SmartScope): string {
  const query = parameters.map(({ name, value }) => `${name}=${printValue(value)}`).join('&');
  return `${context}/${type}.${rights.join('')}${query === '' ? '' : `?${query}`}`;
}

/** What codes and URLs are made of stands as it is, as in the examples of the guide. */
const printValue = (value: string): string => encodeURIComponent(value).replace(/%(3A|2F|7C|2C|3F|3D|40)/g, decodeURIComponent);

import { dateInterval } from './fhir-date.js';
import { isObject } from './fhir-element.js';
import type { JsonObject } from './fhir-element.js';
import { canonicalReference } from './fhir-reference.js';
import { isPurpose, isSecurityLabel, MODALITY_CATEGORIES, studyPurpose } from './consent-codes.js';

export interface ConsentData {
  readonly meaning: string;
  readonly reference: string;
}

/**
 * One rule of a consent. The list is in document order, parents before their exceptions; `depth` is 0 for the root.
 * Empty lists do not restrict. `purposes` are v3-ActReason codes and, in permissions, 'study:CODE' for codes of other systems;
 * `categories` are the product's modality categories.
 */
export interface ConsentProvision {
  readonly type: 'permit' | 'deny';
  readonly purposes: readonly string[];
  readonly labels: readonly string[];
  readonly categories: readonly string[];
  readonly actors: readonly string[];
  readonly data: readonly ConsentData[];
  readonly start: string | null;
  readonly end: string | null;
  readonly dataStart: string | null;
  readonly dataEnd: string | null;
  readonly depth: number;
}

/** `notUnderstood` lists FHIRPaths; while it is not empty the consent counts as a denial (CL41). */
export interface ConsentRecord {
  readonly resourceId: string;
  readonly status: string;
  readonly scope: string;
  readonly dateTime: string | null;
  readonly policy: string | null;
  readonly provisions: readonly ConsentProvision[];
  readonly notUnderstood: readonly string[];
}

export const CATEGORY_SYSTEM = 'urn:thalamus:category';
/** Bounds the work of compiling one consent, which grows with the square of its provisions. */
const PROVISIONS_MAX = 256;
const STATUSES = ['draft', 'proposed', 'active', 'rejected', 'inactive', 'entered-in-error'];
const SCOPES = ['patient-privacy', 'research', 'treatment', 'adr'];
const MEANINGS = ['instance', 'related', 'dependents', 'authoredby'];
const ROOT_MODIFIERS = ['modifierExtension', 'implicitRules'];
const PROVISION_KEYS = new Set([
  'id',
  'extension',
  'type',
  'period',
  'purpose',
  'securityLabel',
  'class',
  'code',
  'actor',
  'dataPeriod',
  'data',
  'provision',
]);

/**
 * Reads a FHIR R4 Consent (CL41). It never throws: a consent that is refused would leave the patient with the implied
 * permissions, so whatever is malformed or unknown is listed in `notUnderstood` and turns the consent into a denial.
 * `nameOf` gives Type/id of what a reference means where that can be told.
 */
export function readConsent(
  resource: JsonObject,
  resourceId: string,
  nameOf: (reference: string) => string = (reference) => canonicalReference(reference) ?? reference,
): ConsentRecord {
  const reader = new ConsentReader(nameOf);
  const status = reader.known(resource['status'], STATUSES, 'Consent.status');
  const scope = reader.known(conceptCode(resource['scope']), SCOPES, 'Consent.scope');
  const dateTime = reader.date(resource, 'dateTime', 'Consent');
  for (const key of ROOT_MODIFIERS) if (resource[key] !== undefined) reader.notUnderstood.push(`Consent.${key}`);
  for (const [at, one] of reader.list(resource, 'verification', 'Consent').entries()) {
    if (one['verified'] !== true) reader.notUnderstood.push(`Consent.verification[${at}].verified`);
  }
  reader.root(resource);
  return {
    resourceId,
    status,
    scope,
    dateTime,
    policy: policyOf(resource),
    provisions: reader.provisions,
    notUnderstood: reader.notUnderstood,
  };
}

class ConsentReader {
  readonly provisions: ConsentProvision[] = [];
  readonly notUnderstood: string[] = [];

  constructor(private readonly nameOf: (reference: string) => string) {}

  known(value: unknown, codes: readonly string[], path: string): string {
    if (typeof value === 'string' && codes.includes(value)) return value;
    this.notUnderstood.push(path);
    return '';
  }

  /** R4 gives the root no type of its own: policyRule OPTIN or OPTOUT says it, or, as in IHE PCF, provision.type does. */
  root(resource: JsonObject): void {
    const provision = resource['provision'];
    const rule = conceptCode(resource['policyRule']);
    const base = rule === 'OPTIN' ? 'permit' : rule === 'OPTOUT' ? 'deny' : undefined;
    if (resource['policyRule'] !== undefined && base === undefined) this.notUnderstood.push('Consent.policyRule');
    if (provision === undefined && base !== undefined) this.provision({ type: base }, 'Consent.provision', 0, undefined);
    else this.provision(provision, 'Consent.provision', 0, base);
  }

  private provision(value: unknown, path: string, depth: number, base: string | undefined): void {
    if (!isObject(value) || this.provisions.length >= PROVISIONS_MAX) {
      this.notUnderstood.push(path);
      return;
    }
    for (const key of Object.keys(value)) if (!PROVISION_KEYS.has(key) && !key.startsWith('_')) this.notUnderstood.push(`${path}.${key}`);
    // Two statements of the root's type that disagree are none.
    const type = base !== undefined && value['type'] !== undefined && value['type'] !== base ? undefined : (value['type'] ?? base);
    const known = this.known(type, ['permit', 'deny'], `${path}.type`) === 'permit' ? 'permit' : 'deny';
    const period = this.period(value, 'period', path);
    const dataPeriod = this.period(value, 'dataPeriod', path);
    this.provisions.push({
      type: known,
      purposes: this.purposes(value, path, known),
      labels: this.codes(value, 'securityLabel', path, onlyIf(isSecurityLabel)),
      categories: this.categories(value, path),
      actors: this.actors(value, path),
      data: this.data(value, path),
      start: period.start,
      end: period.end,
      dataStart: dataPeriod.start,
      dataEnd: dataPeriod.end,
      depth,
    });
    for (const [at, nested] of this.list(value, 'provision', path).entries())
      this.provision(nested, `${path}.provision[${at}]`, depth + 1, undefined);
  }

  list(parent: JsonObject, key: string, path: string): readonly JsonObject[] {
    const value = parent[key];
    if (value === undefined) return [];
    if (Array.isArray(value) && value.length > 0 && value.every(isObject)) return value;
    this.notUnderstood.push(`${path}.${key}`);
    return [];
  }

  date(parent: JsonObject, key: string, path: string): string | null {
    const value = parent[key];
    if (value === undefined) return null;
    if (typeof value === 'string' && dateInterval(value) !== null) return value;
    this.notUnderstood.push(`${path}.${key}`);
    return null;
  }

  private period(parent: JsonObject, key: string, path: string): { start: string | null; end: string | null } {
    const value = parent[key];
    if (value === undefined) return { start: null, end: null };
    const place = `${path}.${key}`;
    if (isObject(value) && (value['start'] !== undefined || value['end'] !== undefined)) {
      return { start: this.date(value, 'start', place), end: this.date(value, 'end', place) };
    }
    this.notUnderstood.push(place);
    return { start: null, end: null };
  }

  private codes(
    parent: JsonObject,
    key: string,
    path: string,
    understood: (code: string, system: string | undefined) => string | null,
  ): string[] {
    return this.list(parent, key, path).flatMap((one, at) => {
      const { code, system } = one;
      const name = typeof code === 'string' && (system === undefined || typeof system === 'string') ? understood(code, system) : null;
      if (name !== null) return [name];
      this.notUnderstood.push(`${path}.${key}[${at}]`);
      return [];
    });
  }

  /** A code of another system names a study where it permits; where it denies, nobody can tell how much it is meant to take. */
  private purposes(parent: JsonObject, path: string, type: ConsentProvision['type']): string[] {
    return this.codes(parent, 'purpose', path, (code, system) => {
      if (isPurpose(code) && (system === undefined || system.endsWith('v3-ActReason'))) return code;
      return type === 'permit' ? studyPurpose(code, system) : null;
    });
  }

  private categories(parent: JsonObject, path: string): string[] {
    const understood = onlyIf((code, system) => system === CATEGORY_SYSTEM && MODALITY_CATEGORIES.has(code));
    const classes = this.codes(parent, 'class', path, understood);
    if (parent['code'] === undefined) return classes;
    // FHIR joins class and code by "and"; the flat list cannot say that.
    if (parent['class'] !== undefined) this.notUnderstood.push(`${path}.code`);
    return this.list(parent, 'code', path).flatMap((one, at) => this.codes(one, 'coding', `${path}.code[${at}]`, understood));
  }

  private actors(parent: JsonObject, path: string): string[] {
    return this.list(parent, 'actor', path).map((one, at) => this.reference(one, `${path}.actor[${at}]`));
  }

  private data(parent: JsonObject, path: string): ConsentData[] {
    return this.list(parent, 'data', path).map((one, at) => ({
      meaning: this.known(one['meaning'], MEANINGS, `${path}.data[${at}].meaning`),
      reference: this.reference(one, `${path}.data[${at}]`),
    }));
  }

  private reference(parent: JsonObject, path: string): string {
    const element = parent['reference'];
    if (isObject(element)) {
      if (typeof element['reference'] === 'string') return this.nameOf(element['reference']);
      const identifier = element['identifier'];
      if (isObject(identifier) && typeof identifier['value'] === 'string') {
        return `${typeof identifier['system'] === 'string' ? identifier['system'] : ''}|${identifier['value']}`;
      }
    }
    this.notUnderstood.push(`${path}.reference`);
    return '';
  }
}

/** The code itself where the test holds. */
function onlyIf(test: (code: string, system: string | undefined) => boolean) {
  return (code: string, system: string | undefined): string | null => (test(code, system) ? code : null);
}

function conceptCode(value: unknown): string | undefined {
  if (!isObject(value) || !Array.isArray(value['coding'])) return undefined;
  const codes = value['coding'].map((one: unknown) => (isObject(one) ? one['code'] : undefined)).filter((code) => typeof code === 'string');
  return codes[0];
}

function policyOf(resource: JsonObject): string | null {
  const policies = resource['policy'];
  const first: unknown = Array.isArray(policies) ? policies[0] : undefined;
  if (isObject(first) && typeof first['uri'] === 'string') return first['uri'];
  return conceptCode(resource['policyRule']) ?? null;
}

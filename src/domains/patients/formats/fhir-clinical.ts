import { child, children, concept, date, labelsOf, refuse, text } from './fhir-element.js';
import type { Coding, JsonObject } from './fhir-element.js';

/** A FHIR R4 Condition. Dates stand as written. `status` and `verification` are the codes of the two status elements. */
export interface ConditionFacts {
  readonly resourceId: string;
  readonly code: string | null;
  readonly system: string | null;
  readonly display: string | null;
  readonly onset: string | null;
  readonly recorded: string | null;
  readonly status: string | null;
  readonly verification: string | null;
  readonly labels: readonly string[];
}

/**
 * A FHIR R4 Observation, or one of its components (`resourceId` then ends in '#n', n from 0).
 * `unit` is the UCUM code where one is stated, else the unit as printed. A value with a `comparator` ('<' and so on) is a bound.
 */
export interface ObservationFacts {
  readonly resourceId: string;
  readonly code: string | null;
  readonly system: string | null;
  readonly display: string | null;
  readonly effective: string | null;
  readonly value: number | null;
  readonly comparator: string | null;
  readonly unit: string | null;
  readonly valueText: string | null;
  readonly category: string | null;
  readonly status: string;
  readonly labels: readonly string[];
}

type Value = Pick<ObservationFacts, 'value' | 'comparator' | 'unit' | 'valueText'>;

const NO_VALUE: Value = { value: null, comparator: null, unit: null, valueText: null };
const NO_CODE: Coding = { system: null, code: null, display: null };
const STATUSES = ['registered', 'preliminary', 'final', 'amended', 'corrected', 'cancelled', 'entered-in-error', 'unknown'];

/** Throws FHIR_RESOURCE at the FHIRPath of the first element that is malformed. */
export function readCondition(resource: JsonObject, resourceId: string, path: string): ConditionFacts {
  return {
    resourceId,
    ...(concept(child(resource, 'code', path), `${path}.code`) ?? NO_CODE),
    onset: date(resource, 'onsetDateTime', path) ?? periodStart(resource, 'onsetPeriod', path),
    recorded: date(resource, 'recordedDate', path),
    status: concept(child(resource, 'clinicalStatus', path), `${path}.clinicalStatus`)?.code ?? null,
    verification: concept(child(resource, 'verificationStatus', path), `${path}.verificationStatus`)?.code ?? null,
    labels: labelsOf(resource, path),
  };
}

/** One record of the Observation itself, unless it holds components only, then one of each component. */
export function readObservation(resource: JsonObject, resourceId: string, path: string): readonly ObservationFacts[] {
  const code = concept(child(resource, 'code', path), `${path}.code`);
  if (code === null) refuse(`${path}.code`, 'An Observation has a code');
  const status = text(resource, 'status', path);
  if (status === null || !STATUSES.includes(status)) refuse(`${path}.status`, 'The code is not an Observation status');
  const shared = {
    effective:
      date(resource, 'effectiveDateTime', path) ??
      date(resource, 'effectiveInstant', path) ??
      periodStart(resource, 'effectivePeriod', path),
    category: categoryOf(resource, path),
    status,
    labels: labelsOf(resource, path),
  };
  const value = valueOf(resource, path);
  const components = children(resource, 'component', path);
  const found: ObservationFacts[] = [];
  if (value !== null || components.length === 0) found.push({ resourceId, ...code, ...(value ?? NO_VALUE), ...shared });
  components.forEach((component, at) => {
    const place = `${path}.component[${at}]`;
    const own = concept(child(component, 'code', place), `${place}.code`);
    if (own === null) refuse(`${place}.code`, 'A component has a code');
    found.push({ resourceId: `${resourceId}#${at}`, ...own, ...(valueOf(component, place) ?? NO_VALUE), ...shared });
  });
  return found;
}

function periodStart(parent: JsonObject, key: string, path: string): string | null {
  const period = child(parent, key, path);
  return period === null ? null : date(period, 'start', `${path}.${key}`);
}

function categoryOf(resource: JsonObject, path: string): string | null {
  const first = children(resource, 'category', path)[0];
  return first === undefined ? null : (concept(first, `${path}.category[0]`)?.code ?? null);
}

/** Null when no value[x] is present. Ranges, ratios, sampled data and periods stay in the raw resource only. */
function valueOf(parent: JsonObject, path: string): Value | null {
  const quantity = child(parent, 'valueQuantity', path);
  if (quantity !== null) {
    const place = `${path}.valueQuantity`;
    return {
      value: number(quantity, 'value', place),
      comparator: text(quantity, 'comparator', place),
      unit: text(quantity, 'code', place) ?? text(quantity, 'unit', place),
      valueText: null,
    };
  }
  if (parent['valueInteger'] !== undefined) return { ...NO_VALUE, value: number(parent, 'valueInteger', path) };
  const coded = concept(child(parent, 'valueCodeableConcept', path), `${path}.valueCodeableConcept`);
  if (coded !== null) return { ...NO_VALUE, valueText: coded.display ?? coded.code };
  if (typeof parent['valueBoolean'] === 'boolean') return { ...NO_VALUE, valueText: String(parent['valueBoolean']) };
  const words = text(parent, 'valueString', path) ?? date(parent, 'valueDateTime', path) ?? text(parent, 'valueTime', path);
  if (words !== null) return { ...NO_VALUE, valueText: words };
  return 'valueRange' in parent || 'valueRatio' in parent || 'valueSampledData' in parent || 'valuePeriod' in parent ? NO_VALUE : null;
}

function number(parent: JsonObject, key: string, path: string): number | null {
  const value = parent[key];
  if (value === undefined) return null;
  return typeof value === 'number' && Number.isFinite(value) ? value : refuse(`${path}.${key}`, 'A number is expected');
}

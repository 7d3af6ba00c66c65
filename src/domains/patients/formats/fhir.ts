import { CodedError, isCoded } from '../../../kernel/error.js';
import type { ErrorCode, Place } from '../../../kernel/error.js';
import type { Format, Parsed, ParsedFault, ParsedRecord, ParseOptions } from '../../../kernel/format.js';
import { LIMITS } from '../../../kernel/limits.js';
import { readCondition, readObservation } from './fhir-clinical.js';
import type { ConditionFacts, ObservationFacts } from './fhir-clinical.js';
import { readConsent } from './fhir-consent.js';
import type { ConsentRecord } from './fhir-consent.js';
import { isObject, refuse, text } from './fhir-element.js';
import type { JsonObject } from './fhir-element.js';
import { documents, requireUtf8 } from './fhir-input.js';
import type { JsonDocument } from './fhir-input.js';
import { readPatient } from './fhir-patient.js';
import type { PatientFacts } from './fhir-patient.js';
import { patientOf, ReferenceIndex, referenceName, referencesOf, resourceId } from './fhir-reference.js';
import { scanJson } from './json-scan.js';

interface Raw {
  /** The resource's JSON bytes as they came (a view on the file's buffer). */
  readonly raw: Buffer;
  /** As referencesOf() in fhir-reference.ts gives them. */
  readonly refs: readonly string[];
}

/** What a FHIR file says. `patientRef` takes the forms of patientOf() in fhir-reference.ts. */
export type ClinicalRecord = Raw &
  (
    | { readonly kind: 'patient'; readonly patient: PatientFacts }
    | ({ readonly kind: 'condition'; readonly patientRef: string } & ConditionFacts)
    | ({ readonly kind: 'observation'; readonly patientRef: string } & ObservationFacts)
    | { readonly kind: 'consent'; readonly patientRef: string; readonly consent: ConsentRecord }
    | { readonly kind: 'resource'; readonly patientRef: string | null; readonly type: string; readonly resourceId: string }
  );

type Outcome = Omit<ParsedRecord<ClinicalRecord>, 'ordinal'> | Omit<ParsedFault, 'ordinal'>;

/** A resource on its way, with the FHIRPath where it stands. */
interface Item {
  readonly path: string;
  readonly raw: Buffer;
  readonly fullUrl: string | null;
  readonly resource: JsonObject | null;
  readonly id: string | null;
  readonly fault: CodedError | null;
}

const SUBJECTS = ['patient', 'subject', 'beneficiary', 'individual', 'for'];

/**
 * FHIR R4 JSON (CL40, CL41): Bundles, NDJSON (one resource or Bundle a line) and single resources.
 * Faults of one resource: FHIR_RESOURCE, FHIR_CONSENT (besides the record), and per line JSON_INVALID, LIMIT_RECORD, ENCODING_INVALID.
 * Thrown: FILE_EMPTY, FILE_TOO_LARGE, LIMIT_RECORD, ENCODING_INVALID, JSON_INVALID, FHIR_RESOURCE (no resource at all).
 * A transaction with a fault yields no record: its sound entries are faults too, which name the reason.
 */
export const fhir: Format<ClinicalRecord> = {
  name: 'fhir',
  mediaType: 'application/fhir+json',

  sniff(head: Uint8Array): boolean {
    const start = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
      .toString('latin1')
      .replace(/^\u00ef\u00bb\u00bf/, '')
      .trimStart();
    return start.startsWith('{') && start.includes('"resourceType"');
  },

  async *parse(input: AsyncIterable<Uint8Array>, options: ParseOptions): AsyncGenerator<Parsed<ClinicalRecord>> {
    let ordinal = 0;
    for await (const document of documents(input, options.name)) {
      for (const outcome of outcomesOf(document)) yield { ...outcome, ordinal: ordinal++ };
    }
  },
};

/** In NDJSON a line that cannot be read is one fault; in a file of one text it is the whole file's. */
function outcomesOf(document: JsonDocument): Outcome[] {
  try {
    requireUtf8(document);
    const layout = scanJson(document.bytes, document.line ?? 1);
    return readDocument(document, layout);
  } catch (error) {
    if (document.line === null || !isCoded(error)) throw error;
    return [faultOf(error.code, error.place ?? `line ${document.line}`, error.message, document.bytes)];
  }
}

function readDocument(document: JsonDocument, layout: ReturnType<typeof scanJson>): Outcome[] {
  const { bytes, line } = document;
  const prefix = line === null ? '' : `line ${line} `;
  const shell =
    layout.listStart < 0 ? bytes : Buffer.concat([bytes.subarray(0, layout.listStart), Buffer.from('[]'), bytes.subarray(layout.listEnd)]);
  const root: unknown = JSON.parse(shell.toString('utf8'));
  if (!isObject(root) || typeof root['resourceType'] !== 'string')
    throw new CodedError('FHIR_RESOURCE', 'The JSON is not a FHIR resource', { place: `${prefix}resourceType` });
  if (root['resourceType'] !== 'Bundle') {
    const resource = JSON.parse(bytes.toString('utf8')) as JsonObject;
    return outcomes([item(resource, null, bytes, `${prefix}${root['resourceType']}`)], false);
  }
  const unread = root['entry'];
  if (unread !== undefined && (!Array.isArray(unread) || unread.length > 0)) refuse(`${prefix}Bundle.entry`, 'A list is expected');
  const items = layout.entries.map((span, at) => {
    const path = `${prefix}Bundle.entry[${at}]`;
    const entry: unknown = JSON.parse(bytes.toString('utf8', span.start, span.end));
    const raw = span.resourceStart < 0 ? bytes.subarray(span.start, span.end) : bytes.subarray(span.resourceStart, span.resourceEnd);
    if (!isObject(entry) || !isObject(entry['resource']))
      return flawed(raw, path, new CodedError('FHIR_RESOURCE', 'The entry has no resource', { place: `${path}.resource` }));
    const url = entry['fullUrl'];
    return item(entry['resource'], typeof url === 'string' ? url : null, raw, `${path}.resource`);
  });
  return outcomes(items, root['type'] === 'transaction');
}

function flawed(raw: Buffer, path: string, fault: CodedError): Item {
  return { path, raw, fullUrl: null, resource: null, id: null, fault };
}

function item(resource: JsonObject, fullUrl: string | null, raw: Buffer, path: string): Item {
  try {
    if (!/^[A-Z][A-Za-z]{1,63}$/.test(text(resource, 'resourceType', path) ?? '')) refuse(`${path}.resourceType`, 'A resource has a type');
    const id = resourceId(resource, fullUrl, path);
    if (id === null) refuse(`${path}.id`, 'The resource has neither an id nor a fullUrl');
    return { path, raw, fullUrl, resource, id, fault: null };
  } catch (error) {
    if (!isCoded(error)) throw error;
    return flawed(raw, path, error);
  }
}

function outcomes(items: readonly Item[], allOrNothing: boolean): Outcome[] {
  const index = new ReferenceIndex();
  const doubled = new Set<Item>();
  for (const one of items) {
    if (
      one.resource !== null &&
      one.id !== null &&
      !index.add({ type: String(one.resource['resourceType']), id: one.id }, one.fullUrl, one.resource)
    )
      doubled.add(one);
  }
  const found = items.map((one) =>
    doubled.has(one)
      ? [faultOf('FHIR_RESOURCE', `${one.path}.id`, 'An earlier entry of the Bundle has the same id or fullUrl', one.raw)]
      : outcomesOfItem(one, index),
  );
  const broken = (list: readonly Outcome[]): boolean => list.some((outcome) => !outcome.ok && outcome.code === 'FHIR_RESOURCE');
  if (!allOrNothing || !found.some(broken)) return found.flat();
  return found.flatMap((list, at) => {
    const one = items[at] as Item;
    return broken(list) ? list : [faultOf('FHIR_RESOURCE', one.path, 'Another entry of the transaction is at fault', one.raw)];
  });
}

function outcomesOfItem(one: Item, index: ReferenceIndex): Outcome[] {
  if (one.fault !== null) return [faultOf(one.fault.code, one.fault.place ?? one.path, one.fault.message, one.raw)];
  try {
    const records = recordsOf(one, index);
    return records.flatMap((value): Outcome[] => {
      const record: Outcome = { ok: true, place: one.path, value };
      if (value.kind !== 'consent') return [record];
      return [
        record,
        ...value.consent.notUnderstood.map((path) =>
          faultOf(
            'FHIR_CONSENT',
            one.path + path.slice('Consent'.length),
            'This part of the consent is not understood; it counts as a denial',
            one.raw,
          ),
        ),
      ];
    });
  } catch (error) {
    if (!isCoded(error)) throw error;
    return [faultOf(error.code, error.place ?? one.path, error.message, one.raw)];
  }
}

function recordsOf(one: Item, index: ReferenceIndex): ClinicalRecord[] {
  const { path, raw } = one;
  const resource = one.resource as JsonObject;
  const id = one.id as string;
  const type = String(resource['resourceType']);
  const from: Raw = { raw, refs: referencesOf(index, resource, type, id) };
  switch (type) {
    case 'Patient':
      return [{ kind: 'patient', patient: readPatient(resource, id, index, path), ...from }];
    case 'Condition': {
      const facts = readCondition(resource, id, path);
      if (resource['subject'] === undefined) refuse(`${path}.subject`, 'A Condition has a subject');
      const patientRef = patientOf(index, resource, 'subject', path);
      return patientRef === null ? [otherResource(type, id, null, from)] : [{ kind: 'condition', patientRef, ...facts, ...from }];
    }
    case 'Observation': {
      const facts = readObservation(resource, id, path);
      const patientRef = patientOf(index, resource, 'subject', path);
      return patientRef === null
        ? [otherResource(type, id, null, from)]
        : facts.map((fact) => ({ kind: 'observation', patientRef, ...fact, ...from }));
    }
    case 'Consent': {
      const patientRef = patientOf(index, resource, 'patient', path) ?? refuse(`${path}.patient`, 'A Consent names its patient');
      const consent = readConsent(resource, id, (reference) => referenceName(index, resource, reference));
      return [{ kind: 'consent', patientRef, consent, ...from }];
    }
    default: {
      const key = SUBJECTS.find((name) => isObject(resource[name]));
      return [otherResource(type, id, key === undefined ? null : patientOf(index, resource, key, path), from)];
    }
  }
}

/** Kept raw: types without a table of their own, and observations or conditions of something other than a patient. */
function otherResource(type: string, id: string, patientRef: string | null, from: Raw): ClinicalRecord {
  return { kind: 'resource', patientRef, type, resourceId: id, ...from };
}

function faultOf(code: ErrorCode, place: Place, reason: string, bytes: Buffer): Outcome {
  return { ok: false, place, code, reason, bytes: bytes.subarray(0, LIMITS.quarantine_bytes_kept_max) };
}

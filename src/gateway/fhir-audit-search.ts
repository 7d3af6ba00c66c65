import { createHash } from 'node:crypto';
import { CodedError, LIMITS, canonical } from '../kernel/index.js';

/** Which events are wanted. Whose they may be and whether persons stand in them is not asked but decided. */
export interface AuditEventFilter {
  /** Milliseconds since 1970; from the first, before the second. */
  readonly from: number | null;
  readonly to: number | null;
  /** The principal who acted. */
  readonly agent: string | null;
  /** Id of a Patient. */
  readonly patient: string | null;
  /** Code of audit-entity-type. */
  readonly entityType: string | null;
  /** Id of one event. */
  readonly id: string | null;
  /** Only runs of this principal; null where the caller may see all. */
  readonly ownOf: string | null;
  /** Whether events may name persons. */
  readonly persons: boolean;
}

export interface AuditEventSearch {
  readonly filter: AuditEventFilter;
  readonly count: number;
  /** Position that the source gave with the page before. */
  readonly after: string | null;
}

/** Search parameters of AuditEvent that are read, by their types in FHIR R4. */
export const SEARCH_PARAMETERS = { date: 'date', agent: 'reference', patient: 'reference', 'entity-type': 'token' } as const;

/** Parameters of any search: the length of a page, where it begins, and the format, which is JSON. */
const COMMON = new Set(['_count', '_page', '_format']);
const JSON_FORMATS = new Set(['json', 'application/json', 'application/fhir+json']);
const DAY_MS = 86_400_000;

/**
 * Reads a search. A parameter that is not known, given twice or not understood is an error: a search that is wider than meant would be a disclosure.
 * Throws BAD_INPUT and CURSOR_INVALID.
 */
export function searchOf(query: URLSearchParams, reach: Pick<AuditEventFilter, 'ownOf' | 'persons'>): AuditEventSearch {
  for (const name of query.keys()) {
    if (!Object.hasOwn(SEARCH_PARAMETERS, name) && !COMMON.has(name))
      throw new CodedError('BAD_INPUT', 'The search has a parameter that is not read here; see the capability statement.');
  }
  const format = one(query, '_format');
  if (format !== null && !JSON_FORMATS.has(format)) throw wrong('_format', 'json');
  const patient = one(query, 'patient');
  if (patient !== null && !reach.persons) throw new CodedError('FORBIDDEN', 'No grant allows to search evidence by person.');
  const filter: AuditEventFilter = {
    ...rangeOf(query.getAll('date')),
    agent: one(query, 'agent'),
    patient: patient?.replace(/^Patient\//, '').toLowerCase() ?? null,
    entityType: one(query, 'entity-type')?.replace(/^http:\/\/terminology\.hl7\.org\/CodeSystem\/audit-entity-type\|/, '') ?? null,
    id: null,
    ...reach,
  };
  return { filter, count: countOf(one(query, '_count')), after: positionOf(one(query, '_page'), filter) };
}

/** The opaque text of a position. It is good for the same search only. */
export const pageOf = (filter: AuditEventFilter, position: string): string =>
  Buffer.from(JSON.stringify([filterDigest(filter), position]), 'utf8').toString('base64url');

/** Whose rights they were found by counts too: a page of one caller is none of another. */
const filterDigest = (filter: AuditEventFilter): string => createHash('sha256').update(canonical(filter)).digest('base64url').slice(0, 16);

function positionOf(page: string | null, filter: AuditEventFilter): string | null {
  if (page === null) return null;
  try {
    const [digest, position] = JSON.parse(Buffer.from(page, 'base64url').toString('utf8')) as unknown[];
    if (digest === filterDigest(filter) && typeof position === 'string') return position;
  } catch {
    // Whatever the text was, it is no page of this search.
  }
  throw new CodedError('CURSOR_INVALID', 'The page does not belong to this search.', { place: '_page' });
}

function one(query: URLSearchParams, name: string): string | null {
  const [first, ...more] = query.getAll(name);
  if (more.length > 0) throw wrong(name, 'given once');
  if (first === '') throw wrong(name, 'not empty');
  return first ?? null;
}

function countOf(text: string | null): number {
  if (text === null) return LIMITS.page_rows_default;
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (count < 1) throw wrong('_count', 'a number of at least 1');
  // A server may give fewer than asked (FHIR R4, 3.1.1.5.9).
  return Math.min(count, LIMITS.page_rows_max);
}

/** A day or an instant stands for all the time it covers (FHIR R4, 3.1.1.4.7). */
function rangeOf(dates: readonly string[]): { from: number | null; to: number | null } {
  const froms: number[] = [];
  const tos: number[] = [];
  for (const each of dates) {
    const [, prefix = '', text = ''] =
      /^(eq|ge|gt|le|lt)?(\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2}))?)$/.exec(each) ?? [];
    const start = text === '' ? NaN : Date.parse(text);
    if (Number.isNaN(start)) throw wrong('date', 'a day or an instant with its zone, after eq, ge, gt, le or lt');
    const end = start + (text.includes('T') ? (text.includes('.') ? 1 : 1000) : DAY_MS);
    if (prefix === 'ge' || prefix === 'eq' || prefix === '') froms.push(start);
    if (prefix === 'gt') froms.push(end);
    if (prefix === 'le' || prefix === 'eq' || prefix === '') tos.push(end);
    if (prefix === 'lt') tos.push(start);
  }
  return { from: froms.length === 0 ? null : Math.max(...froms), to: tos.length === 0 ? null : Math.min(...tos) };
}

const wrong = (name: string, wanted: string): CodedError =>
  new CodedError('BAD_INPUT', `The search parameter ${name} has to be ${wanted}.`, { place: name });

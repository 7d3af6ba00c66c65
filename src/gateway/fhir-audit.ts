import type { IncomingMessage, ServerResponse } from 'node:http';
import { PROFILE_IDS, profileUrl, type AuditEvent, type ProfileName } from '../evidence/index.js';
import type { PolicyClass } from '../governance/index.js';
import { CodedError, isCoded, isUuid, type ErrorCode, type Principal } from '../kernel/index.js';
import { SEARCH_PARAMETERS, pageOf, searchOf, type AuditEventFilter } from './fhir-audit-search.js';

export const FHIR_PATH = '/fhir/';

/** Where events come from, newest first. `next` is a position of the source's own, null at the end; a position that it never gave is CURSOR_INVALID. */
export interface AuditEventSource {
  events(
    filter: AuditEventFilter,
    page: { readonly count: number; readonly after: string | null },
  ): Promise<{ readonly events: readonly AuditEvent[]; readonly next: string | null }>;
}

/** What the facade needs of a request; its record is durable before anything leaves. */
export interface FhirQuestion {
  readonly runId: string;
  readonly principal: Pick<Principal, 'sub'>;
  readonly runtime: { readonly policyClass: Pick<PolicyClass, 'decide' | 'may' | 'narrowed'> };
  readonly facts: Record<string, unknown>;
  touched(ids: Iterable<string>): void;
  record(entry: { kind: 'query' | 'refused'; plan: null; data: string | null; rows?: number; code?: string | null }): Promise<unknown>;
}

export interface FhirAuditOptions {
  readonly source: AuditEventSource;
  /** Address of the facade, ending in `/fhir/`. */
  readonly base: string;
}

/** FHIR R4 facade for reading audit events. Faults are OperationOutcomes with the stable codes; those of rights that moved are thrown on. */
export async function serveFhirAudit(
  question: FhirQuestion,
  options: FhirAuditOptions,
  request: Pick<IncomingMessage, 'url' | 'method'>,
  response: ServerResponse,
): Promise<void> {
  let answer: Answer;
  try {
    answer = await answerTo(question, options, request);
  } catch (error) {
    if (!isCoded(error)) throw error;
    await question.record({ kind: 'refused', plan: null, data: null, code: error.code });
    send(response, error.status, outcomeBody(error, question.runId), question.runId);
    return;
  }
  const body = JSON.stringify(answer.resource);
  question.touched(answer.persons);
  await question.record({ kind: 'query', plan: null, data: body, rows: answer.rows });
  send(response, 200, body, question.runId);
}

interface Answer {
  readonly resource: object;
  readonly rows: number;
  readonly persons: ReadonlySet<string>;
}

async function answerTo(
  question: FhirQuestion,
  options: FhirAuditOptions,
  request: Pick<IncomingMessage, 'url' | 'method'>,
): Promise<Answer> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://facade.invalid');
  const [, id] = /^\/fhir\/AuditEvent\/([A-Za-z0-9.-]{1,64})$/.exec(pathname) ?? [];
  const isSearch = pathname === `${FHIR_PATH}AuditEvent`;
  const known = isSearch || id !== undefined || pathname === `${FHIR_PATH}metadata`;
  if (request.method !== 'GET' || !known) throw new CodedError('NOT_FOUND', 'There is nothing at this path.');
  const interaction = isSearch ? 'search-type' : id === undefined ? 'capabilities' : 'read';
  Object.assign(question.facts, { resource: interaction === 'capabilities' ? 'CapabilityStatement' : 'AuditEvent', interaction });
  if (interaction === 'capabilities') return { resource: capabilities(options.base), rows: 0, persons: new Set() };
  const reach = reachOf(question);
  return id === undefined ? searched(reach, options, searchParams) : readOf(reach, options, id);
}

/** All events with their persons where the class reads them of every row; else one's own runs, without persons; else nothing. */
function reachOf({ principal, runtime: { policyClass } }: FhirQuestion): Pick<AuditEventFilter, 'ownOf' | 'persons'> {
  if (!policyClass.may('read', ['evidence']) || policyClass.narrowed)
    throw new CodedError('FORBIDDEN', 'No grant allows to read evidence for this purpose.');
  const { alternatives } = policyClass.decide(['evidence', 'evidence.patients'], 'read');
  const all = alternatives.some(({ mask, rows, datasets }) => mask === null && rows.op === 'true' && Object.keys(datasets).length === 0);
  return { ownOf: all ? null : principal.sub, persons: all };
}

async function searched(
  reach: Pick<AuditEventFilter, 'ownOf' | 'persons'>,
  { source, base }: FhirAuditOptions,
  query: URLSearchParams,
): Promise<Answer> {
  const { filter, count, after } = searchOf(query, reach);
  const { agent, patient, ownOf } = filter;
  // Nobody's runs but one's own are searched, and what is no id of a person is of nobody.
  const nothing = (ownOf !== null && agent !== null && agent !== ownOf) || (patient !== null && !isUuid(patient));
  const found = nothing ? { events: [], next: null } : await source.events(filter, { count, after });
  const link = (relation: string, page: string | null): { relation: string; url: string } => {
    const parameters = new URLSearchParams(query);
    if (page !== null) parameters.set('_page', page);
    const text = parameters.toString();
    return { relation, url: `${base}AuditEvent${text === '' ? '' : `?${text}`}` };
  };
  const resource = {
    resourceType: 'Bundle',
    type: 'searchset',
    link: [link('self', null), ...(found.next === null ? [] : [link('next', pageOf(filter, found.next))])],
    // FHIR has no empty lists.
    ...(found.events.length === 0
      ? {}
      : { entry: found.events.map((each) => ({ fullUrl: `${base}AuditEvent/${each.id}`, resource: each, search: { mode: 'match' } })) }),
  };
  return { resource, rows: found.events.length, persons: personsIn(found.events, reach.persons) };
}

async function readOf(reach: Pick<AuditEventFilter, 'ownOf' | 'persons'>, { source }: FhirAuditOptions, id: string): Promise<Answer> {
  const filter = { from: null, to: null, agent: null, patient: null, entityType: null, id, ...reach };
  const { events } = await source.events(filter, { count: 1, after: null });
  const found = events.find((each) => each.id === id);
  // One that never was and one of somebody else look alike.
  if (found === undefined) throw new CodedError('NOT_FOUND', 'There is no such event.');
  return { resource: found, rows: 1, persons: personsIn([found], reach.persons) };
}

/** Persons whom events name: they stand behind the answer. Throws INTERNAL where none may be named. */
function personsIn(events: readonly AuditEvent[], allowed: boolean): ReadonlySet<string> {
  const references = events.flatMap((each) => each.entity.map(({ what }) => what?.reference ?? ''));
  const persons = references.flatMap((each) => /^Patient\/(.+)$/.exec(each)?.[1] ?? []);
  if (!allowed && persons.length > 0)
    throw new CodedError('INTERNAL', 'The events could not be read.', { detail: 'the source of events named a person' });
  return new Set(persons);
}

const ISSUE_TYPES: Partial<Record<ErrorCode, string>> = {
  BAD_INPUT: 'invalid',
  CURSOR_INVALID: 'invalid',
  UNAUTHENTICATED: 'login',
  FORBIDDEN: 'forbidden',
  PURPOSE_MISSING: 'forbidden',
  NOT_FOUND: 'not-found',
  LIMIT_EXCEEDED: 'too-costly',
  COST_EXCEEDED: 'too-costly',
  UNAVAILABLE: 'transient',
  AUDIT_UNAVAILABLE: 'transient',
};

/** An error as OperationOutcome (FHIR R4): its stable code, its sentence, and the run in whose record it stands. */
export function outcomeBody(error: CodedError, runId: string): string {
  return JSON.stringify({
    resourceType: 'OperationOutcome',
    id: runId,
    issue: [
      {
        severity: 'error',
        code: ISSUE_TYPES[error.code] ?? 'exception',
        details: { coding: [{ system: 'urn:thalamus:error', code: error.code }], text: error.message },
        diagnostics: error.hint,
        ...(error.place === undefined ? {} : { expression: [error.place] }),
      },
    ],
  });
}

/** What the facade can do (FHIR R4 CapabilityStatement), with the profiles that its events follow. */
function capabilities(base: string): object {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: '2026-06-01',
    kind: 'instance',
    implementation: { description: 'Audit events of a Thalamus mesh', url: base },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json'],
    rest: [
      {
        mode: 'server',
        resource: [
          {
            type: 'AuditEvent',
            supportedProfile: (Object.keys(PROFILE_IDS) as ProfileName[]).map(profileUrl),
            interaction: [{ code: 'read' }, { code: 'search-type' }],
            searchParam: Object.entries(SEARCH_PARAMETERS).map(([name, type]) => ({ name, type })),
          },
        ],
      },
    ],
  };
}

function send(response: ServerResponse, status: number, body: string, runId: string): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/fhir+json; charset=utf-8');
  response.setHeader('cache-control', 'private, no-store');
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('x-lineage-id', runId);
  response.end(body);
}

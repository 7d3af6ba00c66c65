import type { AuditRecord } from '../entry.js';
import { restEvents } from './audit-event-rest.js';
import { PLAIN, consentDecisions, disclosures, plainEvents, receipts, roleDecision, tokenIssued } from './audit-event-special.js';
import type { AuditEvent, AuditEventContext } from './audit-event-types.js';

/** What happened, as events tell it apart. */
export const AUDIT_EVENT_KINDS = [
  'query',
  'read',
  'create',
  'update',
  'delete',
  'denied',
  'login-failed',
  'failed',
  'break-glass-start',
  'break-glass-end',
  'token-issued',
  'log-read',
  'log-opened',
  'log-key',
  'admin',
] as const;
export type AuditEventKind = (typeof AUDIT_EVENT_KINDS)[number];

/** Codes by which a caller is denied what he asked, rather than told that he asked it wrongly. */
const DENIALS = new Set(['FORBIDDEN', 'PURPOSE_MISSING', 'NOT_FOUND']);

/**
 * The kind of a record, by its kind and its facts: `eventId` and `eventType` (DICOM codes) of an emergency override, `resource: 'AuditEvent'` or
 * `log` of a read of the log, `erased` of an erasure, `issued: 'token'`, `file` of a file, `interaction: 'update'` of a load that changed rows.
 */
export function auditEventKind({ kind, code, facts, patients }: AuditRecord): AuditEventKind {
  if (kind === 'log.opened') return 'log-opened';
  if (kind === 'log.key') return 'log-key';
  if (facts['eventId'] === 'DCM 110113') return facts['eventType'] === 'DCM 110127' ? 'break-glass-start' : 'break-glass-end';
  if (facts['issued'] === 'token') return 'token-issued';
  if (code === 'UNAUTHENTICATED') return 'login-failed';
  if (kind === 'refused') return code !== null && DENIALS.has(code) ? 'denied' : 'failed';
  if (facts['resource'] === 'AuditEvent' || facts['log'] !== undefined) return 'log-read';
  if (facts['erased'] !== undefined) return 'delete';
  if (kind === 'admin') return 'admin';
  if (kind === 'ingest') return facts['interaction'] === 'update' ? 'update' : 'create';
  if (kind === 'mutation') return 'update';
  return facts['file'] !== undefined || patients === 1 ? 'read' : 'query';
}

/**
 * FHIR R4 AuditEvents of one record in the profiles of IHE Basic Audit Log Patterns: what was done, one event for each person; then the decision
 * by consent for each person whose consents are given; then the disclosure, where a recipient or a sender is given. Nothing of an answer, a
 * literal or a file name stands in them; persons stand as references that the caller gives.
 */
export function auditEventsOf(record: AuditRecord, context: AuditEventContext): AuditEvent[] {
  const { consents, recipient, sender } = context;
  const success = record.code === null;
  return [
    ...acts(record, context),
    ...(consents === undefined ? [] : consentDecisions(record, context)),
    ...(recipient !== undefined && success ? disclosures(record, context, recipient) : []),
    ...(sender !== undefined && success ? receipts(record, context, sender) : []),
  ];
}

function acts(record: AuditRecord, context: AuditEventContext): AuditEvent[] {
  const kind = auditEventKind(record);
  switch (kind) {
    case 'query':
    case 'read':
    case 'create':
    case 'update':
    case 'delete':
      return restEvents(kind, record, context);
    case 'failed':
      return restEvents('query', record, context);
    case 'denied':
      // Where consents are given, the decision of each person is told by its own event.
      return context.patients.some((id) => context.consents?.has(id)) ? [] : [roleDecision(record, context)];
    case 'login-failed':
      return plainEvents(record, context, PLAIN.loginFailed);
    case 'break-glass-start':
      return plainEvents(record, context, PLAIN.glassBroken);
    case 'break-glass-end':
      return plainEvents(record, context, PLAIN.glassEnded);
    case 'token-issued':
      return [tokenIssued(record, context)];
    case 'log-read':
      return plainEvents(record, context, PLAIN.logRead);
    case 'log-opened':
      return plainEvents(record, context, PLAIN.logOpened);
    case 'log-key':
      return plainEvents(record, context, PLAIN.keyChanged);
    case 'admin':
      return plainEvents(record, context, PLAIN.admin);
  }
}

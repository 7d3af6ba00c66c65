import type { AuditRecord } from '../entry.js';
import { CODES, absent, dcm, resourceType, rest, sourceType, type Coding } from './audit-event-codes.js';
import {
  clientAgent,
  concept,
  dataEntity,
  eventOf,
  partyAgent,
  partyRef,
  patientEntity,
  purposesOf,
  queryEntity,
  recordEntity,
  siteAgent,
  siteRef,
  tokenPolicy,
  transactionEntity,
  userAgent,
  type EventDraft,
} from './audit-event-parts.js';
import { whatOf } from './audit-event-rest.js';
import type { AuditEvent, AuditEventAgent, AuditEventContext, AuditEventEntity, AuditParty } from './audit-event-types.js';

const SECURITY_ALERT = dcm('110113', 'Security Alert');
const SECURITY_SERVER = sourceType('6', 'Security Server');

/** One disclosure to another organisation as its source records it: an event for each person (45 CFR 164.528; IHE BALP Disclosure). */
export const disclosures = (record: AuditRecord, context: AuditEventContext, recipient: AuditParty): AuditEvent[] =>
  disclosed(record, context, {
    name: 'disclosed',
    profiles: ['DisclosureSource'],
    type: dcm('110106', 'Export'),
    subtype: [CODES.disclose, rest('read', 'read')],
    action: 'R',
    agent: [
      siteAgent(context, CODES.source),
      partyAgent(recipient, CODES.destination),
      custodian(context),
      userAgent(record, undefined, CODES.recipient),
    ],
  });

/** Data of persons that came from another organisation, as their recipient records it. */
export const receipts = (record: AuditRecord, context: AuditEventContext, sender: AuditParty): AuditEvent[] =>
  disclosed(record, context, {
    name: 'received',
    profiles: ['DisclosureRecipient'],
    type: dcm('110107', 'Import'),
    subtype: [CODES.disclose],
    action: 'C',
    agent: [partyAgent(sender, CODES.source), siteAgent(context, CODES.destination), userAgent(record, undefined, CODES.author)],
  });

function disclosed(record: AuditRecord, context: AuditEventContext, draft: Omit<EventDraft, 'entity'>): AuditEvent[] {
  return context.patients.map((id, i) => {
    const entity = [patientEntity(id), dataEntity(whatOf(record)), transactionEntity(record, context), recordEntity(record)];
    return eventOf(record, context, { ...draft, entity }, i);
  });
}

const custodian = (context: AuditEventContext): AuditEventAgent => ({
  type: concept(CODES.recordKeeper),
  who: siteRef(context),
  requestor: false,
});

/**
 * The decision by consent, for each person of whom consents are given: permit where the record is of a success, else deny. The slices are closed,
 * so the run is in the id of the event only. A person without a consent has an entity that says so.
 */
export function consentDecisions(record: AuditRecord, context: AuditEventContext): AuditEvent[] {
  const known = context.patients.filter((id) => context.consents?.has(id));
  return known.map((id, i) => {
    const ids = context.consents?.get(id) ?? [];
    const whats = ids.length === 0 ? [absent('unknown')] : ids.map((consent) => ({ reference: `Consent/${consent}` }));
    const entity = [
      patientEntity(id),
      ...whats.map((what): AuditEventEntity => ({ what, type: resourceType('Consent', 'Consent') })),
      ...tokenEntity(context),
    ];
    return eventOf(record, context, { ...decision(record, context, CODES.authorisedByConsent), profiles: ['AuthZconsent'], entity }, i);
  });
}

/** The decision by roles alone; it is about nobody. */
export const roleDecision = (record: AuditRecord, context: AuditEventContext): AuditEvent =>
  eventOf(record, context, { ...decision(record, context, CODES.authorisedByRole), entity: [transactionEntity(record, context)] }, 0);

function decision(record: AuditRecord, context: AuditEventContext, subtype: Coding): Omit<EventDraft, 'entity'> {
  const { token, organization } = context;
  const purposeOfUse = purposesOf(record.purpose);
  const agent: readonly AuditEventAgent[] = [
    { type: concept(CODES.authorisationServer), who: siteRef(context), requestor: false },
    clientAgent(context, CODES.application),
    userAgent(record, token, CODES.recipient),
    {
      type: concept(CODES.provider),
      who: organization === undefined ? absent('unknown') : partyRef(organization),
      requestor: false,
      ...(purposeOfUse.length > 0 ? { purposeOfUse } : {}),
    },
  ];
  return {
    name: 'decided',
    profiles: [],
    type: SECURITY_ALERT,
    subtype: [subtype],
    action: 'E',
    outcome: record.code === null ? '0' : '8',
    sourceType: SECURITY_SERVER,
    agent,
  };
}

function tokenEntity({ token }: AuditEventContext): AuditEventEntity[] {
  if (token === undefined || token.kind === 'opaque') return [];
  return [{ what: { identifier: { value: tokenPolicy(token) } }, type: CODES.oauthUser }];
}

/** An access token was given (IUA ITI-71). The request stands in it as the caller gave it, without the code verifier. */
export function tokenIssued(record: AuditRecord, context: AuditEventContext): AuditEvent {
  const draft: EventDraft = {
    name: 'token',
    profiles: record.code === null ? ['GetAccessToken'] : [],
    type: dcm('110114', 'User Authentication'),
    subtype: [CODES.getAccessToken],
    action: 'E',
    outcome: record.code === null ? '0' : '8',
    sourceType: SECURITY_SERVER,
    agent: [
      clientAgent(context, CODES.application),
      siteAgent(context, CODES.oauthService),
      userAgent(record, context.token, CODES.recipient),
    ],
    entity: [queryEntity(context)],
  };
  return eventOf(record, context, draft, 0);
}

/** Events of DICOM PS3.16 that no profile of the guide covers: alerts, log-ins that failed, reads of the log, starts. */
export function plainEvents(record: AuditRecord, context: AuditEventContext, event: PlainEvent): AuditEvent[] {
  const persons = context.patients.length === 0 ? [null] : context.patients;
  return persons.map((id, i) => {
    const draft: EventDraft = {
      name: event.name,
      profiles: [],
      type: event.type,
      subtype: event.subtype ?? [],
      action: event.action ?? 'E',
      outcome: record.code === null ? '0' : '8',
      ...(event.purpose === undefined ? {} : { purpose: event.purpose }),
      agent: [userAgent(record, context.token, CODES.recipient), siteAgent(context, CODES.destination)],
      entity: [
        ...(id === null ? [] : [patientEntity(id)]),
        ...(event.entity ?? []),
        transactionEntity(record, context),
        recordEntity(record),
      ],
    };
    return eventOf(record, context, draft, i);
  });
}

export interface PlainEvent {
  readonly name: string;
  readonly type: Coding;
  readonly subtype?: readonly Coding[];
  readonly action?: 'C' | 'R' | 'U' | 'E';
  readonly purpose?: string;
  readonly entity?: readonly AuditEventEntity[];
}

const alert = (name: string, code: string, display: string): PlainEvent => ({ name, type: SECURITY_ALERT, subtype: [dcm(code, display)] });

export const PLAIN = {
  glassBroken: { ...alert('glass', '110127', 'Emergency Override Started'), purpose: 'ETREAT' },
  glassEnded: { ...alert('glass', '110138', 'Emergency Override Stopped'), purpose: 'ETREAT' },
  loginFailed: { name: 'login', type: dcm('110114', 'User Authentication'), subtype: [dcm('110122', 'Login')] },
  logRead: {
    name: 'log',
    type: dcm('110101', 'Audit Log Used'),
    action: 'R',
    entity: [{ what: { display: 'Audit log' }, type: CODES.systemObject, role: CODES.securityResource }],
  },
  logOpened: { ...alert('opened', '110134', 'Audit Recording Started'), action: 'C' },
  keyChanged: alert('key', '110129', 'Security Configuration'),
  admin: alert('admin', '110129', 'Security Configuration'),
} as const satisfies Readonly<Record<string, PlainEvent>>;

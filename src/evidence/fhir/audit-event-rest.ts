import type { AuditRecord } from '../entry.js';
import { CODES, rest, type Coding, type ProfileName } from './audit-event-codes.js';
import {
  TOKEN_PROFILE,
  clientAgent,
  dataEntity,
  eventOf,
  patientEntity,
  queryEntity,
  recordEntity,
  siteAgent,
  transactionEntity,
  userAgent,
  type EventDraft,
} from './audit-event-parts.js';
import type { AuditEvent, AuditEventAction, AuditEventAgent, AuditEventContext, AuditEventEntity, Reference } from './audit-event-types.js';

export type Interaction = 'create' | 'read' | 'update' | 'delete' | 'query';

interface Pattern {
  readonly action: AuditEventAction;
  readonly interaction: Coding;
  /** Types of the agents: data flow from the source to the destination, and a query counts as data that flow to the server. */
  readonly client: Coding;
  readonly server: Coding;
  readonly user: Coding;
  readonly profiles: readonly [plain: ProfileName, patient: ProfileName];
}

const toServer = { client: CODES.source, server: CODES.destination };

const PATTERNS: Readonly<Record<Interaction, Pattern>> = {
  create: { ...toServer, action: 'C', interaction: rest('create', 'create'), user: CODES.author, profiles: ['Create', 'PatientCreate'] },
  update: { ...toServer, action: 'U', interaction: rest('update', 'update'), user: CODES.author, profiles: ['Update', 'PatientUpdate'] },
  query: { ...toServer, action: 'E', interaction: rest('search', 'search'), user: CODES.recipient, profiles: ['Query', 'PatientQuery'] },
  read: {
    action: 'R',
    interaction: rest('read', 'read'),
    client: CODES.destination,
    server: CODES.source,
    user: CODES.recipient,
    profiles: ['Read', 'PatientRead'],
  },
  delete: {
    action: 'D',
    interaction: rest('delete', 'delete'),
    client: CODES.application,
    server: CODES.custodian,
    user: CODES.author,
    profiles: ['Delete', 'PatientDelete'],
  },
};

/** IHE BALP Create, Read, Update, Delete and Query: one event for each person, or one without persons. Their profiles are of successes only. */
export function restEvents(interaction: Interaction, record: AuditRecord, context: AuditEventContext): AuditEvent[] {
  const pattern = PATTERNS[interaction];
  const { token } = context;
  const success = record.code === null;
  const persons = context.patients.length === 0 ? [null] : context.patients;
  const agent = restAgents(pattern, record, context);
  const subject =
    interaction === 'query' ? queryEntity(context) : dataEntity(whatOf(record), record.kind === 'ingest' ? CODES.job : undefined);
  return persons.map((id, i) => {
    const profiles: readonly ProfileName[] = [
      pattern.profiles[id === null ? 0 : 1],
      ...(token === undefined ? [] : [TOKEN_PROFILE[token.kind]]),
    ];
    const entity: AuditEventEntity[] = [
      ...(id === null ? [] : [patientEntity(id)]),
      subject,
      transactionEntity(record, context),
      recordEntity(record),
    ];
    const draft: EventDraft = {
      name: interaction,
      profiles: success ? profiles : [],
      type: CODES.rest,
      subtype: [pattern.interaction],
      action: pattern.action,
      outcome: success ? '0' : '4',
      agent,
      entity,
    };
    return eventOf(record, context, draft, i);
  });
}

function restAgents(pattern: Pattern, record: AuditRecord, context: AuditEventContext): AuditEventAgent[] {
  // The profile of comprehensive token use knows the client as an application; where the pattern says so already there is one only.
  const application =
    context.token?.kind === 'comprehensive' && pattern.client.code !== CODES.application.code
      ? [clientAgent(context, CODES.application)]
      : [];
  return [
    clientAgent(context, pattern.client),
    siteAgent(context, pattern.server),
    userAgent(record, context.token, pattern.user),
    ...application,
  ];
}

/** What the record is about: a file by its digest, else the answer or load by its run. Names of files may name persons, and stay away. */
export function whatOf({ facts, run }: AuditRecord): Reference {
  const digest = typeof facts['digest'] === 'string' ? facts['digest'] : null;
  const value = digest === null ? `urn:uuid:${run}` : `urn:sha256:${digest}`;
  return { identifier: { system: 'urn:ietf:rfc:3986', value } };
}

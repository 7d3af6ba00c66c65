import type { AuditRecord } from '../entry.js';
import {
  CODES,
  absent,
  actReason,
  profileUrl,
  sourceType,
  type CodeableConcept,
  type Coding,
  type ProfileName,
} from './audit-event-codes.js';
import type {
  AuditEvent,
  AuditEventAction,
  AuditEventAgent,
  AuditEventContext,
  AuditEventEntity,
  AuditParty,
  AuditToken,
  Network,
  Reference,
} from './audit-event-types.js';

export const concept = (...coding: Coding[]): CodeableConcept => ({ coding });

/** Codes of v3-ActReason are upper case words; anything else is no purpose of use. */
export const purposesOf = (purpose: string): readonly CodeableConcept[] =>
  /^[A-Z]{3,20}$/.test(purpose) ? [concept(actReason(purpose))] : [];

const optional = <K extends string, V>(key: K, list: readonly V[]): Partial<Record<K, readonly V[]>> =>
  (list.length === 0 ? {} : { [key]: list }) as Partial<Record<K, readonly V[]>>;

/** The kind of an address as AuditEvent.agent.network.type tells it: 1 host name, 2 IP address, 5 URI. */
export function networkOf(address: string | null | undefined): Network {
  if (address === null || address === undefined || address === '') return absent('unknown');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(address)) return { address, type: '5' };
  return { address, type: /^[0-9.]+$|^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(address) ? '2' : '1' };
}

/** The gateway itself, the same wherever it stands: profiles compare it with the source of the event. */
export const siteRef = ({ site }: AuditEventContext): Reference => ({ identifier: { value: site.id }, display: site.name });

export const siteAgent = (context: AuditEventContext, type: Coding): AuditEventAgent => ({
  type: concept(type),
  who: siteRef(context),
  requestor: false,
  network: networkOf(context.site.url),
});

/** The application by which was asked. */
export function clientAgent({ client, token }: AuditEventContext, type: Coding): AuditEventAgent {
  const id = client?.id ?? (token?.kind === 'comprehensive' ? token.clientId : undefined);
  return {
    type: concept(type),
    who: id === undefined ? absent('unknown') : { identifier: { value: id } },
    requestor: false,
    network: networkOf(client?.address),
  };
}

/** An organisation with its name, its postal address and its place in the network. */
export const partyAgent = (party: AuditParty, type: Coding): AuditEventAgent => ({
  type: concept(type),
  who: partyRef(party),
  requestor: false,
  ...(party.address === null ? {} : { location: { display: party.address } }),
  network: networkOf(party.network),
});

export const partyRef = ({ id, name }: AuditParty): Reference => ({ identifier: { value: id }, display: name });

/** Policies of an agent name its token: jti as URN (RFC 3553), or the end of an opaque token. */
export const tokenPolicy = (token: AuditToken): string =>
  token.kind === 'opaque' ? token.last32.slice(-32) : `urn:ietf:params:oauth:jti:${token.jti}`;

/** The person or service that asked. The types say how profiles know it; what is known of the token adds its own. */
export function userAgent(record: AuditRecord, token: AuditToken | undefined, type: Coding): AuditEventAgent {
  const more =
    token === undefined
      ? []
      : token.kind !== 'comprehensive'
        ? [CODES.oauthUser]
        : type.code === CODES.recipient.code
          ? []
          : [CODES.recipient];
  return {
    type: concept(type, ...more),
    ...optional(
      'role',
      record.roles.map((text) => ({ text })),
    ),
    who: { identifier: { ...(token?.kind === 'comprehensive' ? { system: token.issuer } : {}), value: record.principal } },
    requestor: true,
    ...optional('policy', token === undefined ? [] : [tokenPolicy(token)]),
    ...optional('purposeOfUse', purposesOf(record.purpose)),
  };
}

export const TOKEN_PROFILE = { opaque: 'TokenOpaque', minimal: 'TokenMinimal', comprehensive: 'TokenComprehensive' } as const;

export const patientEntity = (id: string): AuditEventEntity => ({
  what: { reference: `Patient/${id}` },
  type: CODES.person,
  role: CODES.patient,
});

export const transactionEntity = (record: AuditRecord, { requestId }: AuditEventContext): AuditEventEntity => ({
  what: { identifier: { value: requestId ?? record.run } },
  type: CODES.requestId,
});

/** What was read, written or erased, by digest or by name; never by its content. */
export const dataEntity = (what: Reference, role: Coding = CODES.domainResource): AuditEventEntity => ({
  what,
  type: CODES.systemObject,
  role,
});

/** The question. A reader who may not see its text sees that there is one. */
export const queryEntity = ({ query, mayReadQuery }: AuditEventContext): AuditEventEntity => ({
  type: CODES.systemObject,
  role: CODES.query,
  ...(mayReadQuery && query
    ? { query: Buffer.from(query, 'utf8').toString('base64') }
    : { _query: absent(mayReadQuery ? 'unknown' : 'masked') }),
});

/** The record of the log that proves the event: its run, its place and its digests. */
export function recordEntity(record: AuditRecord): AuditEventEntity {
  const { seq, rows, bytes, policy, plan, result } = record;
  const facts = { seq, rows, bytes, policy, plan, result };
  return {
    what: { identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${record.run}` } },
    type: CODES.other,
    detail: Object.entries(facts).flatMap(([type, value]) => (value === null ? [] : [{ type, valueString: String(value) }])),
  };
}

export interface EventDraft {
  /** Short name in the id of the event. */
  readonly name: string;
  readonly profiles: readonly ProfileName[];
  readonly type: Coding;
  readonly subtype: readonly Coding[];
  readonly action: AuditEventAction;
  readonly outcome?: AuditEvent['outcome'];
  readonly purpose?: string;
  readonly sourceType?: Coding;
  readonly agent: readonly AuditEventAgent[];
  readonly entity: readonly AuditEventEntity[];
}

/** The event with what every event has. Its id holds the run, so that it is found again from a receipt. */
export function eventOf(record: AuditRecord, context: AuditEventContext, draft: EventDraft, index: number): AuditEvent {
  return {
    resourceType: 'AuditEvent',
    id: `${record.run}.${draft.name}.${index}`,
    ...(draft.profiles.length === 0 ? {} : { meta: { profile: draft.profiles.map(profileUrl) } }),
    type: draft.type,
    ...optional('subtype', draft.subtype),
    action: draft.action,
    recorded: record.at,
    outcome: draft.outcome ?? '0',
    ...(record.code === null ? {} : { outcomeDesc: record.code }),
    ...optional('purposeOfEvent', purposesOf(draft.purpose ?? record.purpose)),
    agent: draft.agent,
    source: {
      site: context.site.name,
      observer: siteRef(context),
      type: [draft.sourceType ?? sourceType('4', 'Application Server')],
    },
    entity: draft.entity,
  };
}

import { CodedError } from '../../kernel/index.js';
import type { CodeableConcept, Coding } from './audit-event-codes.js';
import type { AuditEvent, AuditEventAgent, AuditEventEntity, Reference } from './audit-event-types.js';

/** Who sends: header fields of RFC 5424, section 6.2. */
export interface SyslogOrigin {
  readonly hostname: string;
  readonly appName: string;
  readonly procId: string;
}

export interface SyslogFeed {
  /** Resolves when the transport has taken all events. Throws what the transport throws. */
  send(events: Iterable<AuditEvent>): Promise<void>;
}

/** Security and authorization (RFC 5424, table 1); the severity is notice for successes and warning for failures. */
const FACILITY = 10;
const BOM = '\uFEFF';
const LETTERS_MAX = { hostname: 255, appName: 48, procId: 128 } as const;

/**
 * One event as a message of IHE ATNA Record Audit Event (ITI-20): RFC 5424 with the message id that ATNA names, no structured data, and the audit
 * message of DICOM PS3.15, A.5 behind a byte order mark. Throws CONFIG_INVALID where a header field is not printable ASCII of its length.
 */
export function syslogMessage(event: AuditEvent, origin: SyslogOrigin): string {
  for (const name of ['hostname', 'appName', 'procId'] as const) {
    if (!/^[\x21-\x7e]+$/.test(origin[name]) || origin[name].length > LETTERS_MAX[name])
      throw new CodedError('CONFIG_INVALID', `The syslog header field ${name} must be 1 to ${LETTERS_MAX[name]} printable ASCII letters.`);
  }
  const priority = FACILITY * 8 + (event.outcome === '0' ? 5 : 4);
  const header = `<${priority}>1 ${event.recorded} ${origin.hostname} ${origin.appName} ${origin.procId} IHE+RFC-3881 -`;
  return `${header} ${BOM}${auditMessage(event)}`;
}

/** A frame of syslog over TLS: the length in octets, a space, the message (RFC 5425, section 4.3). */
export function frame(message: string): Buffer {
  const bytes = Buffer.from(message, 'utf8');
  return Buffer.concat([Buffer.from(`${bytes.length} `, 'latin1'), bytes]);
}

/** Sends events over a connection that the caller made: TLS with both certificates checked, as RFC 5425 and ATNA want it. */
export function syslogFeed(origin: SyslogOrigin, write: (bytes: Buffer) => Promise<void>): SyslogFeed {
  return {
    async send(events) {
      for (const event of events) await write(frame(syslogMessage(event, origin)));
    },
  };
}

/** The audit message of DICOM PS3.15, A.5.1 for an event, as XML. */
export function auditMessage(event: AuditEvent): string {
  const identification = element(
    'EventIdentification',
    { EventActionCode: event.action, EventDateTime: event.recorded, EventOutcomeIndicator: event.outcome },
    [coded('EventID', event.type), ...(event.subtype ?? []).map((each) => coded('EventTypeCode', each)), ...outcome(event)],
  );
  const source = element(
    'AuditSourceIdentification',
    { AuditEnterpriseSiteID: event.source.site, AuditSourceID: idOf(event.source.observer) },
    // The schema has a code alone here.
    event.source.type.map(({ code, display }) => element('AuditSourceTypeCode', { 'csd-code': code, originalText: display ?? code })),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>${element('AuditMessage', {}, [
    identification,
    ...event.agent.map(participant),
    source,
    ...event.entity.map(object),
  ])}`;
}

const outcome = ({ outcomeDesc, purposeOfEvent }: AuditEvent): string[] => [
  ...(outcomeDesc === undefined ? [] : [element('EventOutcomeDescription', {}, [escape(outcomeDesc)])]),
  ...codings(purposeOfEvent).map((each) => coded('PurposeOfUse', each)),
];

function participant({ type, role, who, requestor, network, name, policy }: AuditEventAgent): string {
  return element(
    'ActiveParticipant',
    {
      UserID: idOf(who),
      AlternativeUserID: policy?.[0],
      UserName: name ?? who?.display,
      UserIsRequestor: String(requestor),
      NetworkAccessPointID: network?.address,
      NetworkAccessPointTypeCode: network?.type,
    },
    [
      ...codings([type]).map((each) => coded('RoleIDCode', each)),
      ...(role ?? []).flatMap(({ text }) => (text === undefined ? [] : [coded('RoleIDCode', { system: 'role', code: text })])),
    ],
  );
}

/** Role of a participant object, where the entity is of a kind that DICOM knows. */
function object({ what, type, role, description, query, detail }: AuditEventEntity): string {
  const known = type.system.endsWith('/audit-entity-type');
  const objectName = what?.display ?? description;
  return element(
    'ParticipantObjectIdentification',
    {
      ParticipantObjectID: idOf(what),
      ParticipantObjectTypeCode: known ? type.code : '4',
      ParticipantObjectTypeCodeRole: role?.code,
    },
    [
      coded('ParticipantObjectIDTypeCode', known && role !== undefined ? role : type),
      // Name and query exclude each other.
      ...(query !== undefined
        ? [element('ParticipantObjectQuery', {}, [escape(query)])]
        : objectName !== undefined
          ? [element('ParticipantObjectName', {}, [escape(objectName)])]
          : []),
      ...(detail ?? []).map((each) =>
        element('ParticipantObjectDetail', { type: each.type, value: Buffer.from(each.valueString, 'utf8').toString('base64') }),
      ),
    ],
  );
}

const codings = (concepts: readonly CodeableConcept[] | undefined): readonly Coding[] =>
  (concepts ?? []).flatMap(({ coding }) => coding ?? []);

const coded = (name: string, { system, code, display }: Coding): string =>
  element(name, { 'csd-code': code, codeSystemName: SYSTEM_NAMES.get(system) ?? system, originalText: display ?? code });

const SYSTEM_NAMES: ReadonlyMap<string, string> = new Map([['http://dicom.nema.org/resources/ontology/DCM', 'DCM']]);

/** An id is required; what is not known is told so. */
const idOf = (reference: Reference | undefined): string =>
  reference?.reference ?? reference?.identifier?.value ?? reference?.display ?? 'unknown';

function element(name: string, attributes: Readonly<Record<string, string | undefined>>, content: readonly string[] = []): string {
  const texts = Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [` ${key}="${escape(value)}"`]));
  return content.length === 0 ? `<${name}${texts.join('')}/>` : `<${name}${texts.join('')}>${content.join('')}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** Characters that XML 1.0 cannot hold become the replacement character: a name must not break the message. */
const escape = (text: string): string =>
  text
    .replace(/[\uD800-\uDFFF\uFFFE\uFFFF]/gu, '\uFFFD')
    // What XML 1.0 leaves out.
    .replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]/g, '\uFFFD')
    .replace(/[&<>"\t\n\r]/g, (letter) => ENTITIES[letter] ?? letter);

import { auditEventsOf, type AuditEvent, type AuditEventContext, type AuditToken } from '../../../src/evidence/index.js';

type Record_ = Parameters<typeof auditEventsOf>[0];

const DIGEST = 'a'.repeat(64);

/** A record of the log with what a test says of it. */
export const recordWith = (given: Partial<Record_>): Record_ => ({
  seq: 7,
  at: '2026-06-01T08:00:00.000Z',
  mono: 1,
  writer: '018f0000-0000-7000-8000-000000000001',
  kind: 'query',
  run: '018f0000-0000-7000-8000-00000000000a',
  principal: 'dr-a',
  roles: ['clinician'],
  purpose: 'TREAT',
  recipient: null,
  caller: null,
  policy: DIGEST,
  plan: DIGEST,
  patients: 0,
  set: null,
  rows: 3,
  result: DIGEST,
  bytes: 120,
  versions: { patient: 1 },
  code: null,
  facts: {},
  sealed: null,
  ...given,
});

export const contextWith = (given: Partial<AuditEventContext> = {}): AuditEventContext => ({
  site: { id: 'gateway-1', name: 'General Hospital', url: 'https://mesh.example.org/graphql' },
  patients: [],
  mayReadQuery: true,
  query: 'query Q { patients { id } }',
  ...given,
});

export const PATIENTS = ['018f0000-0000-7000-8000-0000000000b1', '018f0000-0000-7000-8000-0000000000b2'];

/** Records of every kind, with the facts by which their events are told apart. */
const RECORDS: readonly (readonly [name: string, record: Partial<Record_>, persons: number])[] = [
  ['query without persons', {}, 0],
  ['query of two persons', { patients: 2 }, 2],
  ['answer about one person', { patients: 1 }, 1],
  ['file of a person', { patients: 1, facts: { file: 'ImagingInstance.file', digest: DIGEST } }, 1],
  ['file whose person is hidden', { patients: 1, facts: { file: 'ImagingInstance.file', digest: DIGEST } }, 0],
  ['mutation', { kind: 'mutation' }, 0],
  ['mutation of a person', { kind: 'mutation', patients: 1 }, 1],
  ['load', { kind: 'ingest', facts: { product: 'notes', digest: DIGEST } }, 0],
  ['load of persons', { kind: 'ingest', patients: 2 }, 2],
  ['load that changed rows', { kind: 'ingest', patients: 2, facts: { interaction: 'update' } }, 2],
  ['refused load', { kind: 'ingest', code: 'FORMAT_UNKNOWN' }, 0],
  ['erasure', { kind: 'admin', facts: { erased: 1 } }, 0],
  ['erasure of a person', { kind: 'admin', patients: 1, facts: { erased: 1 } }, 1],
  ['denial', { kind: 'refused', code: 'FORBIDDEN', plan: null, result: null }, 0],
  ['denial of persons', { kind: 'refused', code: 'FORBIDDEN' }, 2],
  ['failed log-in', { kind: 'refused', code: 'UNAUTHENTICATED', principal: 'unknown', purpose: 'unknown', roles: [] }, 0],
  ['bad question', { kind: 'refused', code: 'BAD_INPUT' }, 0],
  ['glass broken', { kind: 'admin', facts: { eventId: 'DCM 110113', eventType: 'DCM 110127' }, purpose: 'ETREAT' }, 1],
  ['glass ended', { kind: 'admin', facts: { eventId: 'DCM 110113', eventType: 'DCM 110138' }, purpose: 'ETREAT' }, 1],
  ['token issued', { kind: 'admin', facts: { issued: 'token' } }, 0],
  ['token refused', { kind: 'refused', code: 'FORBIDDEN', facts: { issued: 'token' } }, 0],
  ['read of the log', { kind: 'query', facts: { resource: 'AuditEvent' } }, 0],
  ['export of the log', { kind: 'export', facts: { log: 'all' } }, 0],
  ['export of data', { kind: 'export', patients: 2, recipient: 'registry' }, 2],
  ['replay', { kind: 'replay', patients: 2 }, 2],
  ['log opened', { kind: 'log.opened', facts: { fence: 1 } }, 0],
  ['key of the log', { kind: 'log.key', facts: { key: 'AAAA' } }, 0],
  ['policy change', { kind: 'admin', facts: { revoked: 'session' } }, 0],
];

const TOKENS: readonly (AuditToken | undefined)[] = [
  undefined,
  { kind: 'opaque', last32: 'x'.repeat(40) },
  { kind: 'minimal', jti: 'id-1' },
  { kind: 'comprehensive', jti: 'id-1', clientId: 'app', issuer: 'https://login.example.org' },
];

const PARTY = { id: 'registry', name: 'Tumour Registry', address: '1 Main Street', network: 'registry.example.org' };

/** Surroundings of a record, from nothing known to everything known. */
const SURROUNDINGS: readonly (readonly [name: string, given: Partial<AuditEventContext>])[] = [
  ['nothing known', { mayReadQuery: false }],
  ['client and request known', { client: { id: 'app', address: '2001:db8::1' }, requestId: 'r-1' }],
  ['consents known', { consents: new Map([[PATIENTS[0] ?? '', ['c1', 'c2']]]), organization: PARTY }],
  ['no consent on file', { consents: new Map(PATIENTS.map((id) => [id, []])) }],
  ['recipient known', { recipient: PARTY }],
  ['sender known, without its addresses', { sender: { ...PARTY, address: null, network: null } }],
];

export interface Exported {
  readonly id: string;
  readonly event: AuditEvent;
}

/** Events of every kind of record in every surrounding with every kind of token. */
export function exportedEvents(): Exported[] {
  return RECORDS.flatMap(([name, record, persons]) =>
    SURROUNDINGS.flatMap(([surrounding, given]) =>
      TOKENS.flatMap((token) => {
        const context = contextWith({ patients: PATIENTS.slice(0, persons), ...given, ...(token === undefined ? {} : { token }) });
        return auditEventsOf(recordWith(record), context).map((event) => ({
          id: `${name}, ${surrounding}, ${token?.kind ?? 'no'} token: ${event.id.split('.').slice(1).join('.')}`,
          event,
        }));
      }),
    ),
  );
}

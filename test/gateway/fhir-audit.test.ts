import type { ServerResponse } from 'node:http';
import { auditEventsOf, type AuditEvent } from '../../src/evidence/index.js';
import { serveFhirAudit, type AuditEventSource, type FhirQuestion } from '../../src/gateway/fhir-audit.js';
import type { AuditEventFilter } from '../../src/gateway/fhir-audit-search.js';
import { composePolicy, product } from '../../src/governance/index.js';
import { CodedError, type Purpose } from '../../src/kernel/index.js';
import { PATIENTS, contextWith, recordWith } from '../conformance/suites/balp-exports.js';
import { classOf } from '../support/classes.js';

const BASE = 'https://mesh.example.org/fhir/';
const OFFICER = { sub: 'officer-o', roles: ['privacy_officer'], purpose: 'HOPERAT' } as const;
const CLINICIAN = { sub: 'dr-a', roles: ['clinician'], purpose: 'TREAT' } as const;
const policy = composePolicy([product.policy]);

const [EVENT, OTHER] = auditEventsOf(recordWith({ patients: 2 }), contextWith({ patients: PATIENTS })) as [AuditEvent, AuditEvent];
const [BARE] = auditEventsOf(recordWith({ patients: 2 }), contextWith()) as [AuditEvent];

/** A source of some events, which keeps what it was asked. */
class Source implements AuditEventSource {
  readonly asked: { filter: AuditEventFilter; count: number; after: string | null }[] = [];
  constructor(private readonly held: readonly AuditEvent[]) {}

  events(filter: AuditEventFilter, page: { count: number; after: string | null }): ReturnType<AuditEventSource['events']> {
    this.asked.push({ filter, ...page });
    const from = Number(page.after ?? 0);
    const events = this.held.slice(from, from + page.count);
    return Promise.resolve({ events, next: from + page.count < this.held.length ? String(from + page.count) : null });
  }
}

interface Asked {
  readonly status: number;
  readonly type: string;
  readonly body: Record<string, unknown>;
  readonly recorded: { kind: string; rows?: number; code?: string | null }[];
  readonly persons: readonly string[];
  readonly facts: Record<string, unknown>;
}

interface Caller {
  readonly sub: string;
  readonly roles: readonly string[];
  readonly purpose: Purpose;
}

async function ask(caller: Caller, url: string, source: AuditEventSource, record?: () => Promise<void>, method = 'GET'): Promise<Asked> {
  const recorded: Asked['recorded'] = [];
  const persons: string[] = [];
  const headers = new Map<string, string>();
  let sent = '';
  const response = {
    statusCode: 0,
    setHeader: (name: string, value: string) => headers.set(name, value),
    end: (text: string) => {
      // Nothing leaves before its record is durable.
      expect(recorded).toHaveLength(1);
      sent = text;
    },
  };
  const question: FhirQuestion = {
    runId: 'run-1',
    principal: { sub: caller.sub },
    runtime: { policyClass: classOf(policy, caller.roles, caller.purpose) },
    facts: {},
    touched: (ids) => persons.push(...ids),
    record: async ({ kind, rows, code }) => {
      await record?.();
      recorded.push({ kind, ...(rows === undefined ? {} : { rows }), ...(code === undefined ? {} : { code }) });
    },
  };
  await serveFhirAudit(question, { source, base: BASE }, { url, method }, response as unknown as ServerResponse);
  const body = JSON.parse(sent) as Record<string, unknown>;
  return { status: response.statusCode, type: headers.get('content-type') ?? '', body, recorded, persons, facts: question.facts };
}

const codeOf = ({ body }: Asked): unknown => (body['issue'] as { details: { coding: { code: string }[] } }[])[0]?.details.coding[0]?.code;
const linkOf = ({ body }: Asked, relation: string): string | undefined =>
  (body['link'] as { relation: string; url: string }[]).find((each) => each.relation === relation)?.url;

test('the privacy officer sees all events with their persons, and the read is about them', async () => {
  const source = new Source([EVENT, OTHER]);
  const asked = await ask(OFFICER, '/fhir/AuditEvent?date=ge2026-01-01&date=lt2026-07-01&entity-type=1', source);
  expect(asked).toMatchObject({ status: 200, type: 'application/fhir+json; charset=utf-8', recorded: [{ kind: 'query', rows: 2 }] });
  expect(asked.body).toMatchObject({ resourceType: 'Bundle', type: 'searchset' });
  expect((asked.body['entry'] as { fullUrl: string; resource: unknown }[])[0]).toMatchObject({
    fullUrl: `${BASE}AuditEvent/${EVENT.id}`,
    resource: EVENT,
  });
  expect(asked.persons).toEqual(PATIENTS);
  expect(asked.facts).toMatchObject({ resource: 'AuditEvent', interaction: 'search-type' });
  expect(source.asked[0]?.filter).toMatchObject({
    from: Date.parse('2026-01-01'),
    to: Date.parse('2026-07-01'),
    entityType: '1',
    ownOf: null,
    persons: true,
  });
});

test('others see their own runs, without persons', async () => {
  const source = new Source([BARE]);
  const asked = await ask(CLINICIAN, '/fhir/AuditEvent', source);
  expect(source.asked[0]?.filter).toMatchObject({ ownOf: 'dr-a', persons: false });
  expect(asked).toMatchObject({ status: 200, persons: [] });
});

test('nobody searches the runs of others, nor by person, without the right', async () => {
  const source = new Source([BARE]);
  const others = await ask(CLINICIAN, '/fhir/AuditEvent?agent=dr-b', source);
  expect(others.body).not.toHaveProperty('entry');
  const person = await ask(CLINICIAN, `/fhir/AuditEvent?patient=Patient/${PATIENTS[0] ?? ''}`, source);
  expect([person.status, codeOf(person)]).toEqual([403, 'FORBIDDEN']);
  expect(source.asked).toEqual([]);
});

test('a source that names persons to somebody who may not know them is stopped', async () => {
  const asked = await ask(CLINICIAN, '/fhir/AuditEvent', new Source([EVENT]));
  expect([asked.status, codeOf(asked)]).toEqual([500, 'INTERNAL']);
  expect(JSON.stringify(asked.body)).not.toContain(PATIENTS[0]);
});

test('without a right to evidence nothing is read', async () => {
  const source = new Source([BARE]);
  const asked = await ask({ sub: 'x', roles: ['nobody'], purpose: 'TREAT' }, '/fhir/AuditEvent', source);
  expect([asked.status, codeOf(asked), asked.recorded]).toEqual([403, 'FORBIDDEN', [{ kind: 'refused', code: 'FORBIDDEN' }]]);
  expect(source.asked).toEqual([]);
});

test('pages lead to the next, and are of their search and caller only', async () => {
  const source = new Source([EVENT, OTHER]);
  const first = await ask(OFFICER, '/fhir/AuditEvent?_count=1', source);
  const next = (linkOf(first, 'next') ?? '').replace(BASE, '/fhir/');
  expect(next).not.toContain(EVENT.id);
  const second = await ask(OFFICER, next, source);
  expect((second.body['entry'] as { resource: AuditEvent }[]).map(({ resource }) => resource.id)).toEqual([OTHER.id]);
  expect(linkOf(second, 'next')).toBeUndefined();
  for (const [caller, url] of [
    [CLINICIAN, next],
    [OFFICER, `${next}&agent=dr-a`],
    [OFFICER, '/fhir/AuditEvent?_page=AAAA'],
  ] as const) {
    const wrong = await ask(caller, url, source);
    expect([wrong.status, codeOf(wrong)]).toEqual([400, 'CURSOR_INVALID']);
  }
});

test('one event by its id; one that never was and one of somebody else look alike', async () => {
  const found = await ask(OFFICER, `/fhir/AuditEvent/${EVENT.id}`, new Source([EVENT]));
  expect([found.status, found.body['id'], found.facts['interaction']]).toEqual([200, EVENT.id, 'read']);
  const never = await ask(OFFICER, '/fhir/AuditEvent/nothing', new Source([]));
  const foreign = await ask(CLINICIAN, `/fhir/AuditEvent/${EVENT.id}`, new Source([]));
  expect([never.status, codeOf(never)]).toEqual([404, 'NOT_FOUND']);
  expect(foreign.body).toEqual(never.body);
});

test.each([
  'date=yesterday',
  'date=sa2026-01-01',
  'date=2026-13-45',
  '_count=0',
  '_count=1&_count=2',
  'agent=',
  'action=R',
  '_format=xml',
  'patient=a&patient=b',
])('the search %s is refused, and says nothing of what was asked', async (query) => {
  const source = new Source([EVENT]);
  const asked = await ask(OFFICER, `/fhir/AuditEvent?${query}`, source);
  expect([asked.status, codeOf(asked)]).toEqual([400, 'BAD_INPUT']);
  expect(source.asked).toEqual([]);
});

test.each([
  ['2026-03-01', Date.parse('2026-03-01'), Date.parse('2026-03-02')],
  ['le2026-03-01', null, Date.parse('2026-03-02')],
  ['gt2026-03-01', Date.parse('2026-03-02'), null],
  ['ge2026-03-01T10:00:00%2B02:00', Date.parse('2026-03-01T08:00:00Z'), null],
])('the date %s stands for all the time it covers', async (date, from, to) => {
  const source = new Source([]);
  await ask(OFFICER, `/fhir/AuditEvent?date=${date}`, source);
  expect(source.asked[0]?.filter).toMatchObject({ from, to });
});

test('what is no id of a person is of nobody', async () => {
  const source = new Source([EVENT]);
  const asked = await ask(OFFICER, '/fhir/AuditEvent?patient=1%27--', source);
  expect([asked.status, asked.body['entry'], source.asked]).toEqual([200, undefined, []]);
});

test('the capability statement names what is read', async () => {
  const { status, body } = await ask(CLINICIAN, '/fhir/metadata', new Source([]));
  expect([status, body['resourceType'], body['fhirVersion']]).toEqual([200, 'CapabilityStatement', '4.0.1']);
});

test.each([
  ['POST', '/fhir/AuditEvent'],
  ['GET', '/fhir/Patient/1'],
  ['GET', '/fhir/'],
])('%s %s is not found', async (method, url) => {
  const asked = await ask(OFFICER, url, new Source([]), undefined, method);
  expect([asked.status, codeOf(asked)]).toEqual([404, 'NOT_FOUND']);
});

test('nothing leaves where the record cannot be made', async () => {
  const away = (): Promise<void> => Promise.reject(new CodedError('AUDIT_UNAVAILABLE', 'The audit record could not be made durable.'));
  await expect(ask(OFFICER, '/fhir/AuditEvent', new Source([EVENT]), away)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
});

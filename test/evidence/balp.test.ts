import fc from 'fast-check';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { AUDIT_EVENT_KINDS, auditEventKind, auditEventsOf, profileUrl, type AuditEvent } from '../../src/evidence/index.js';
import { violations } from '../conformance/fsh-check.js';
import type { Json } from '../conformance/fsh.js';
import { packOf, type Pack } from '../conformance/suites/balp.js';
import { PATIENTS, contextWith, exportedEvents, recordWith } from '../conformance/suites/balp-exports.js';

const FOLDER = path.resolve(__dirname, '../../../shared/data/governance/balp');
const present = existsSync(FOLDER);
if (!present && process.env['CI']) throw new Error('The profiles of IHE BALP are missing.');
if (!present) process.stderr.write('balp: skipped, fixture missing\n');

const namesOf = ({ meta }: AuditEvent): readonly string[] => meta?.profile ?? [];

(present ? describe : describe.skip)('events against the profiles of IHE BALP', () => {
  let pack: Pack;
  beforeAll(() => {
    pack = packOf(FOLDER);
  });

  const faultsOf = (event: AuditEvent): string[] => {
    const json = event as unknown as Json;
    const named = namesOf(event).flatMap((url) => pack.profiles.find((each) => each.url === url)?.root ?? []);
    return [pack.base, ...named].flatMap((root) => violations(root, json));
  };

  test('the guide has 19 profiles, and all but those of SAML are written', () => {
    const written = new Set(exportedEvents().flatMap(({ event }) => namesOf(event)));
    const missing = pack.profiles.filter(({ url }) => !written.has(url)).map(({ id }) => id);
    expect(pack.profiles).toHaveLength(19);
    expect(missing).toEqual(['IHE.BasicAudit.SAMLaccessTokenUse.Minimal', 'IHE.BasicAudit.SAMLaccessTokenUse.Comprehensive']);
  });

  test('whatever stands in a record, its events conform to FHIR and to the profiles that they name', () => {
    const kinds = ['query', 'mutation', 'refused', 'ingest', 'export', 'replay', 'admin', 'log.opened', 'log.key'] as const;
    const facts = fc.constantFrom<Record<string, unknown>>(
      {},
      { file: 'a', digest: 'b' },
      { erased: 2 },
      { issued: 'token' },
      { resource: 'AuditEvent' },
      { eventId: 'DCM 110113', eventType: 'DCM 110127' },
    );
    const record = fc.record({
      kind: fc.constantFrom(...kinds),
      code: fc.constantFrom(null, 'FORBIDDEN', 'UNAUTHENTICATED', 'BAD_INPUT'),
      purpose: fc.oneof(fc.constantFrom('TREAT', 'HRESCH'), fc.string()),
      principal: fc.string({ minLength: 1 }),
      roles: fc.array(fc.string(), { maxLength: 2 }),
      patients: fc.nat(3),
      facts,
    });
    const context = fc.record(
      {
        patients: fc.subarray(PATIENTS),
        mayReadQuery: fc.boolean(),
        query: fc.string(),
        requestId: fc.string(),
        client: fc.record({ id: fc.string(), address: fc.option(fc.string()) }),
        recipient: fc.record({ id: fc.string(), name: fc.string(), address: fc.option(fc.string()), network: fc.option(fc.string()) }),
        consents: fc.constantFrom(new Map(), new Map([[PATIENTS[0] ?? '', ['c1']]]), new Map(PATIENTS.map((id) => [id, []]))),
        token: fc.constantFrom(
          { kind: 'minimal', jti: 'j' } as const,
          { kind: 'comprehensive', jti: 'j', clientId: 'c', issuer: 'i' } as const,
        ),
      },
      { requiredKeys: ['patients', 'mayReadQuery'] },
    );
    fc.assert(
      fc.property(record, context, (given, known) => {
        expect(auditEventsOf(recordWith(given), contextWith(known as never)).flatMap(faultsOf)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});

describe('what events tell', () => {
  test('every kind of event is made', () => {
    const made = new Set(
      (
        [
          [{}, 'query'],
          [{ patients: 1 }, 'read'],
          [{ kind: 'ingest' }, 'create'],
          [{ kind: 'mutation' }, 'update'],
          [{ kind: 'admin', facts: { erased: 1 } }, 'delete'],
          [{ kind: 'refused', code: 'FORBIDDEN' }, 'denied'],
          [{ kind: 'refused', code: 'UNAUTHENTICATED' }, 'login-failed'],
          [{ kind: 'refused', code: 'BAD_INPUT' }, 'failed'],
          [{ facts: { eventId: 'DCM 110113', eventType: 'DCM 110127' } }, 'break-glass-start'],
          [{ facts: { eventId: 'DCM 110113', eventType: 'DCM 110138' } }, 'break-glass-end'],
          [{ facts: { issued: 'token' } }, 'token-issued'],
          [{ facts: { resource: 'AuditEvent' } }, 'log-read'],
          [{ kind: 'log.opened' }, 'log-opened'],
          [{ kind: 'log.key' }, 'log-key'],
          [{ kind: 'admin' }, 'admin'],
        ] as const
      ).map(([given, kind]) => {
        expect(auditEventKind(recordWith(given))).toBe(kind);
        return kind;
      }),
    );
    expect([...made].sort()).toEqual([...AUDIT_EVENT_KINDS].sort());
  });

  test('one event for each person, each with that person only', () => {
    const events = auditEventsOf(recordWith({ patients: 2 }), contextWith({ patients: PATIENTS }));
    const persons = events.map((each) => each.entity.flatMap(({ what }) => what?.reference ?? []));
    expect(persons).toEqual(PATIENTS.map((id) => [`Patient/${id}`]));
    expect(new Set(events.map(({ id }) => id)).size).toBe(2);
    for (const { id } of events) expect(id).toMatch(/^[A-Za-z0-9.-]{1,64}$/);
  });

  test('without the right to read it the question is masked', () => {
    const query = 'query { patient(id: "secret") { id } }';
    const open = auditEventsOf(recordWith({}), contextWith({ query }));
    const shut = auditEventsOf(recordWith({}), contextWith({ query, mayReadQuery: false }));
    expect(JSON.stringify(open)).toContain(Buffer.from(query).toString('base64'));
    expect(JSON.stringify(shut)).not.toContain(Buffer.from(query).toString('base64'));
    expect(JSON.stringify(shut)).toContain('masked');
  });

  test('permit and deny are decisions by consent with the ids of the consents', () => {
    const consents = new Map([[PATIENTS[0] ?? '', ['c-1', 'c-2']]]);
    const context = contextWith({ patients: PATIENTS.slice(0, 1), consents });
    const decisions = ([null, 'FORBIDDEN'] as const).map((code) => {
      const events = auditEventsOf(recordWith({ patients: 1, code, kind: code === null ? 'query' : 'refused' }), context);
      return events.filter((each) => namesOf(each).includes(profileUrl('AuthZconsent')));
    });
    expect(decisions.map((each) => each.map(({ outcome }) => outcome))).toEqual([['0'], ['8']]);
    for (const each of decisions.flat())
      expect(each.entity.map(({ what }) => what?.reference)).toEqual([`Patient/${PATIENTS[0] ?? ''}`, 'Consent/c-1', 'Consent/c-2']);
  });

  test('an emergency override is a security alert for ETREAT, at its start and its end', () => {
    const subtypes = ['110127', '110138'].map((code) => {
      const [event] = auditEventsOf(
        recordWith({ kind: 'admin', purpose: 'ETREAT', facts: { eventId: 'DCM 110113', eventType: `DCM ${code}` } }),
        contextWith({ patients: PATIENTS.slice(0, 1) }),
      );
      expect(event?.type.code).toBe('110113');
      expect(event?.purposeOfEvent?.[0]?.coding?.[0]?.code).toBe('ETREAT');
      return event?.subtype?.[0]?.code;
    });
    expect(subtypes).toEqual(['110127', '110138']);
  });

  test('no more of an opaque token than its last 32 letters', () => {
    const secret = `${'s'.repeat(20)}${'e'.repeat(32)}`;
    const text = JSON.stringify(auditEventsOf(recordWith({}), contextWith({ token: { kind: 'opaque', last32: secret } })));
    expect(text).toContain('e'.repeat(32));
    expect(text).not.toContain('sseee');
  });

  test('a refused disclosure is none', () => {
    const recipient = { id: 'r', name: 'Registry', address: '1 Main Street', network: null };
    const context = contextWith({ patients: PATIENTS, recipient });
    const names = (code: string | null): number =>
      auditEventsOf(recordWith({ patients: 2, code }), context).filter((each) => namesOf(each).includes(profileUrl('DisclosureSource')))
        .length;
    expect(names(null)).toBe(2);
    expect(names('FORBIDDEN')).toBe(0);
  });
});

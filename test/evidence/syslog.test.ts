import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { auditEventsOf, auditMessage, frame, syslogFeed, syslogMessage, type AuditEvent } from '../../src/evidence/index.js';
import { PATIENTS, contextWith, recordWith } from '../conformance/suites/balp-exports.js';

const ORIGIN = { hostname: 'mesh.example.org', appName: 'thalamus', procId: '42' };

const eventWith = (principal = 'dr-a'): AuditEvent => {
  const [event] = auditEventsOf(recordWith({ patients: 1, principal }), contextWith({ patients: PATIENTS.slice(0, 1) }));
  if (event === undefined) throw new Error('There is no event.');
  return event;
};

interface Tag {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Tags in their order. Throws where the text is not well-formed. */
function tagsOf(xml: string): Tag[] {
  const tags: Tag[] = [];
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => tags.push({ name, attributes: { ...attributes } }));
  parser.on('error', (error) => {
    throw error;
  });
  parser.write(xml).close();
  return tags;
}

/** Messages of a stream, by the lengths that stand before them (RFC 5425). */
function messagesOf(stream: Buffer): string[] {
  const messages: string[] = [];
  for (let at = 0; at < stream.length;) {
    const space = stream.indexOf(0x20, at);
    const length = Number(stream.toString('latin1', at, space));
    messages.push(stream.toString('utf8', space + 1, space + 1 + length));
    at = space + 1 + length;
  }
  return messages;
}

test('the header is that of RFC 5424 and ATNA, and a byte order mark comes before the body', () => {
  const message = syslogMessage(eventWith(), ORIGIN);
  expect(message).toMatch(
    /^<85>1 \d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z mesh\.example\.org thalamus 42 IHE\+RFC-3881 - \uFEFF<\?xml version="1\.0" encoding="UTF-8"\?><AuditMessage>/,
  );
});

test('failures are warnings', () => {
  const [event] = auditEventsOf(recordWith({ kind: 'refused', code: 'FORBIDDEN' }), contextWith());
  expect(event && syslogMessage(event, ORIGIN)).toMatch(/^<84>1 /);
});

test('frames count octets, not letters', () => {
  const text = 'ä\u{1F600}';
  expect(frame(text)).toEqual(Buffer.concat([Buffer.from('6 '), Buffer.from(text)]));
});

test('a stream of frames is read back message by message, whatever stands in the events', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', minLength: 1 }), { maxLength: 4 }), (names) => {
      const messages = names.map((name) => syslogMessage(eventWith(name), ORIGIN));
      expect(messagesOf(Buffer.concat(messages.map(frame)))).toEqual(messages);
    }),
    { numRuns: 200 },
  );
});

test('the body is well-formed XML that gives the name back, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
      const users = tagsOf(auditMessage(eventWith(name))).filter(({ attributes }) => attributes['UserIsRequestor'] === 'true');
      expect(users.map(({ attributes }) => attributes['UserID'])).toEqual([name]);
    }),
    { numRuns: 200 },
  );
  for (const name of ['\u0000', '\uFFFE', '\uD800', '"<&>\n\t']) expect(() => tagsOf(auditMessage(eventWith(name)))).not.toThrow();
});

test('the body has the elements of DICOM PS3.15 A.5 in their order', () => {
  const tags = tagsOf(auditMessage(eventWith()));
  const order = tags.map(({ name }) => name).filter((name, i, all) => name !== all[i - 1]);
  expect(order.filter((name) => !/^(ParticipantObject(IDTypeCode|Detail|Query|Name)|RoleIDCode|PurposeOfUse)$/.test(name))).toEqual([
    'AuditMessage',
    'EventIdentification',
    'EventID',
    'EventTypeCode',
    'ActiveParticipant',
    'ActiveParticipant',
    'ActiveParticipant',
    'AuditSourceIdentification',
    'AuditSourceTypeCode',
    ...tags.filter(({ name }) => name === 'ParticipantObjectIdentification').map(({ name }) => name),
  ]);
  const person = tags.find(({ attributes }) => attributes['ParticipantObjectTypeCode'] === '1');
  expect(person?.attributes).toMatchObject({ ParticipantObjectID: `Patient/${PATIENTS[0] ?? ''}`, ParticipantObjectTypeCodeRole: '1' });
});

test('header fields that would break the header are refused', () => {
  for (const bad of [{ hostname: 'a b' }, { appName: '' }, { procId: 'x'.repeat(129) }, { hostname: 'ä' }])
    expect(() => syslogMessage(eventWith(), { ...ORIGIN, ...bad })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

test('the feed writes one frame an event, and stops where the transport fails', async () => {
  const written: Buffer[] = [];
  await syslogFeed(ORIGIN, (bytes) => Promise.resolve(void written.push(bytes))).send([eventWith(), eventWith()]);
  expect(written).toHaveLength(2);
  const broken = syslogFeed(ORIGIN, () => Promise.reject(new Error('closed')));
  await expect(broken.send([eventWith()])).rejects.toThrow('closed');
});

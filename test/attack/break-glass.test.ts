/** Emergency access: one person, read only, for some minutes, never unseen. */
import { withReadSession } from '../../src/store/index.js';
import { ask, codesOf, column, openWorld, withoutRun, type Reply, type World } from '../gateway/support.js';
import { BREAK, COLLEAGUE, DOCTOR, OFFICER, REASON, asks, broken, personsAt, recordsWith, type Claims } from './emergency-support.js';

const SIMPLE =
  'query Record($id: ID!) { patient(id: $id) { id familyName conditions(first: 3) { totalCount } notes(first: 3) { totalCount } imagingStudies(first: 3) { totalCount } } }';
const END = 'mutation End($id: ID!) { endBreakGlass(id: $id) { id endedAt } }';
const REVIEW =
  'mutation Review($id: ID!, $verdict: String!, $note: String!) { reviewBreakGlass(id: $id, verdict: $verdict, note: $note) { id reviewedAt } }';
const QUEUE = `{ breakGlassReviews(first: 100) { edges { node { id principal patientId reason startedAt endsAt
  outcome { live endedAt endedBy reviewedAt reviewedBy verdict note } } } } }`;

let world: World;
let elsewhere: string[];
beforeAll(async () => {
  world = await openWorld();
  elsewhere = await personsAt(world, 'south');
  if (elsewhere.length === 0) throw new Error('the cohort has nobody at the other site');
}, 120_000);
afterAll(() => world.close(), 20_000);

let serial = 0;
/** A clinician of their own for each test, so that no glass of another test counts. */
const doctor = (): Claims => ({ ...DOCTOR, sub: `dr-${String((serial += 1))}` });
const person = (n: number): string => elsewhere[n] ?? 'missing';
const sees = async (who: Claims, id: string): Promise<boolean> => {
  const reply = await asks(world, who, SIMPLE, { id });
  expect(codesOf(reply)).toEqual([]);
  return reply.body.data?.['patient'] !== null;
};
const queue = async (): Promise<Record<string, unknown>[]> => {
  const reply = await asks(world, OFFICER, QUEUE);
  const { edges } = reply.body.data?.['breakGlassReviews'] as { edges: { node: Record<string, unknown> }[] };
  return edges.map((each) => each.node);
};

describe('ATK-98: break-glass without a reason, and with one', () => {
  it.each([
    ['no reason', '', 30],
    ['blanks', '              ', 30],
    ['nine characters', 'emergency', 30],
    ['a control character', 'Unconscious\u0007 in the room', 30],
    ['a second line', 'Unconscious\nin the room', 30],
    ['a character that turns the text', 'Unconscious \u202e in the room', 30],
    ['too many characters', 'x'.repeat(1001), 30],
    ['no minute', REASON, 0],
    ['minutes below none', REASON, -5],
    ['61 minutes', REASON, 61],
  ])('denies %s, and nothing opens', async (_, reason, minutes) => {
    const who = doctor();
    const reply = await asks(world, who, BREAK, { id: person(0), reason, minutes });
    expect(codesOf(reply)).toEqual(['BAD_INPUT']);
    expect(await column(world, 'select 1 as value from break_glass where sub = $1', [who['sub']])).toEqual([]);
    expect(await sees(who, person(0))).toBe(false);
  });

  it('allows it with a reason: an alert within a second, two audit events, and an end', async () => {
    const who = doctor();
    const client = await world.running.pools.owner.connect();
    const heard: string[] = [];
    client.on('notification', ({ payload }) => heard.push(payload ?? ''));
    await client.query('listen thalamus_alert');
    try {
      const started = performance.now();
      const glass = await broken(world, who, person(1), 60);
      while (heard.length === 0 && performance.now() - started < 1000) await client.query('select 1');
      expect(performance.now() - started).toBeLessThan(1000);
      expect(heard.map((each) => JSON.parse(each) as unknown)).toEqual([{ event: 'break_glass.started', glass }]);
      expect(await sees(who, person(1))).toBe(true);
      expect(codesOf(await asks(world, who, END, { id: glass }))).toEqual([]);
      expect(await sees(who, person(1))).toBe(false);
      const events = (await recordsWith(world, 'event')).filter((each) => each.facts['glass'] === glass);
      expect(
        events.map((each) => [
          each.facts['event'],
          each.facts['eventId'],
          each.facts['eventType'],
          each['purpose'],
          each['principal'],
          each['patients'],
        ]),
      ).toEqual([
        ['Emergency Override Started', 'DCM 110113', 'DCM 110127', 'ETREAT', who['sub'], 1],
        ['Emergency Override Stopped', 'DCM 110113', 'DCM 110138', 'ETREAT', who['sub'], 1],
      ]);
      expect(world.running.logged.filter((line) => line.includes(glass))).toHaveLength(2);
    } finally {
      client.release(true);
    }
  });

  it('names neither person nor reason in the log, the alert or the audit records', async () => {
    const who = doctor();
    await broken(world, who, person(2));
    const audit = await column<string>(world, 'select record as value from audit_log');
    for (const text of [...world.running.logged, ...audit]) {
      expect(text).not.toContain(person(2));
      expect(text).not.toContain(REASON);
    }
  });
});

describe('ATK-100: what is no person tries break-glass', () => {
  it.each([
    ['a service account', { kind: 'service' }],
    ['somebody who acts for the clinician', { act: { sub: 'dr-other', roles: ['clinician'] } }],
  ])('denies %s, and records it', async (_, more) => {
    const who: Claims = { ...doctor(), ...more };
    const reply = await asks(world, who, BREAK, { id: person(0), reason: REASON, minutes: 30 });
    expect(codesOf(reply)).toEqual(['FORBIDDEN']);
    expect(await column(world, 'select 1 as value from break_glass where sub = $1', [who['sub']])).toEqual([]);
    const [record] = await column<string>(world, `select record as value from audit_log where record like $1 order by at desc limit 1`, [
      `%"run":"${reply.body.extensions?.lineageId ?? ''}"%`,
    ]);
    expect(JSON.parse(record ?? '{}')).toMatchObject({ code: 'FORBIDDEN', principal: who['sub'] });
  });

  it('gives nobody who acts for a clinician the glass that the clinician broke', async () => {
    const who = doctor();
    await broken(world, who, person(0));
    expect(await sees(who, person(0))).toBe(true);
    expect(await sees({ ...who, act: { sub: 'dr-other', roles: ['clinician'] } }, person(0))).toBe(false);
  });

  it.each(['analyst', 'steward', 'officer', 'engineer'])('does not exist for the %s', async (name) => {
    const reply = await ask(world, name, BREAK, { id: person(0), reason: REASON, minutes: 30 });
    expect(codesOf(reply)).toEqual(['BAD_INPUT']);
  });
});

describe('broken glass', () => {
  it('opens that one person to that one clinician, for every product, and nobody else', async () => {
    const who = doctor();
    const [before, colleague] = [await asks(world, who, SIMPLE, { id: person(3) }), doctor()];
    expect(before.body.data?.['patient']).toBeNull();
    await broken(world, who, person(3));
    const reply = await asks(world, who, SIMPLE, { id: person(3) });
    const [truth] = await column<Record<string, number>>(
      world,
      `select jsonb_build_object('c', (select count(*) from condition where patient_id = $1), 'n', (select count(*) from note where patient_id = $1),
        'i', (select count(*) from imaging_study where patient_id = $1)) as value`,
      [person(3)],
    );
    expect(reply.body.data?.['patient']).toMatchObject({
      id: person(3),
      conditions: { totalCount: truth?.['c'] },
      notes: { totalCount: truth?.['n'] },
      imagingStudies: { totalCount: truth?.['i'] },
    });
    expect(await sees(who, person(4))).toBe(false);
    expect(await sees(colleague, person(3))).toBe(false);
    expect(await sees(COLLEAGUE, person(3))).toBe(false);
  });

  it('adds that person, and no other, to lists', async () => {
    const who = doctor();
    const LIST = '{ patients(first: 500) { totalCount edges { node { id } } } }';
    const ids = async (): Promise<string[]> => {
      const { edges } = (await asks(world, who, LIST)).body.data?.['patients'] as { edges: { node: { id: string } }[] };
      return edges.map((each) => each.node.id);
    };
    const before = await ids();
    await broken(world, who, person(5));
    expect((await ids()).filter((id) => !before.includes(id))).toEqual([person(5)]);
  });

  it('goes beyond consent', async () => {
    const who = doctor();
    const [withheld] = await column<string>(
      world,
      `select p.patient_id as value from patient p where p.site_id = 'north' and exists (select 1 from note n where n.patient_id = p.patient_id)
        and not exists (select 1 from consent_effect c where c.patient_id = p.patient_id and c.purpose = 'TREAT' and c.categories & 4 <> 0) limit 1`,
    );
    const id = withheld ?? (await personsAt(world, 'north', 'note'))[0] ?? '';
    if (withheld === undefined)
      await world.running.pools.owner.query('update consent_effect set categories = categories & ~4 where patient_id = $1', [id]);
    const notes = async (): Promise<number> => {
      const reply = await asks(world, who, SIMPLE, { id });
      return (reply.body.data?.['patient'] as { notes: { totalCount: number } } | null)?.notes.totalCount ?? 0;
    };
    expect(await notes()).toBe(0);
    await broken(world, who, id);
    expect(await notes()).toBeGreaterThan(0);
  });

  it('ends on time, and its end is recorded at the next request of anybody', async () => {
    const who = doctor();
    const began = world.now;
    const glass = await broken(world, who, person(6), 5);
    try {
      world.now = began + 5 * 60_000 - 1;
      expect(await sees(who, person(6))).toBe(true);
      world.now = began + 5 * 60_000;
      expect(await sees(who, person(6))).toBe(false);
      await asks(world, COLLEAGUE, '{ __typename }');
      const events = (await recordsWith(world, 'event')).filter((each) => each.facts['glass'] === glass);
      expect(events.map((each) => [each.facts['event'], each.facts['cause']])).toEqual([
        ['Emergency Override Started', undefined],
        ['Emergency Override Stopped', 'time'],
      ]);
      expect(codesOf(await asks(world, who, END, { id: glass }))).toEqual(['NOT_FOUND']);
    } finally {
      world.now = began;
    }
  });

  it('is named in the record of every answer that used it, and the emergency grant in its decisions', async () => {
    const who = doctor();
    const glass = await broken(world, who, person(7));
    const reply = await asks(world, who, SIMPLE, { id: person(7) });
    const other = await asks(world, who, '{ patients(first: 1) { edges { node { id } } } }');
    const factsOf = async ({ body }: Reply): Promise<Record<string, unknown>> =>
      (
        await column<Record<string, unknown>>(world, 'select facts as value from lineage_run where run_id = $1', [
          body.extensions?.lineageId,
        ])
      )[0] ?? {};
    expect((await factsOf(reply))['breakGlass']).toEqual([glass]);
    expect((await factsOf(other))['breakGlass']).toBeUndefined();
    const [decisions] = await column<{ coordinate: string; ruleIds: string[] }[]>(
      world,
      'select p.decisions as value from lineage_run r join lineage_plan p using (plan_digest) where r.run_id = $1',
      [reply.body.extensions?.lineageId],
    );
    expect(decisions?.find((each) => each.coordinate === 'Patient.familyName')?.ruleIds).toContain('patients.clinician.emergency');
  });

  it('writes nothing and trains nothing: the emergency grants read and fetch only', () => {
    const emergency = world.running.mesh.policy.grants.filter((grant) => JSON.stringify(grant.rows).includes('"glass"'));
    expect(emergency.length).toBeGreaterThanOrEqual(5);
    expect([...new Set(emergency.flatMap((grant) => grant.actions))].sort()).toEqual(['file', 'read']);
    expect([...new Set(emergency.map((grant) => grant.role))]).toEqual(['clinician']);
  });

  it('is broken for three persons at a time at most, whoever asks at once', async () => {
    const who = doctor();
    const replies = await Promise.all([0, 1, 2, 3, 4].map((n) => asks(world, who, BREAK, { id: person(n), reason: REASON, minutes: 5 })));
    expect(replies.flatMap(codesOf).sort()).toEqual(['LIMIT_EXCEEDED', 'LIMIT_EXCEEDED']);
    expect(await column(world, 'select 1 as value from break_glass where sub = $1', [who['sub']])).toHaveLength(3);
  });

  it('answers for nobody as for somebody, with the same record, and opens nothing', async () => {
    const [one, two] = [doctor(), doctor()];
    const nobody = '00000000-0000-4000-8000-00000000dead';
    const known = await asks(world, one, BREAK, { id: person(8), reason: REASON, minutes: 5 });
    const unknown = await asks(world, two, BREAK, { id: nobody, reason: REASON, minutes: 5 });
    const plain = (reply: Reply): string => withoutRun(reply).replaceAll(/"id":"[^"]*"/g, '"id":""');
    expect(plain(unknown)).toBe(plain(known));
    expect([...unknown.headers.keys()]).toEqual([...known.headers.keys()]);
    expect(await sees(two, nobody)).toBe(false);
    expect((await queue()).find((each) => each['patientId'] === nobody)).toMatchObject({ principal: two['sub'] });
  });

  it('keeps the wall for others: raw SQL sees the person under the wall of that caller only', async () => {
    const who = doctor();
    const glass = await broken(world, who, person(9));
    const rows = async (sub: string, emergency = false): Promise<number> =>
      withReadSession(
        world.running.pools.reader,
        {
          sites: ['north'],
          clearance: 2,
          caller: { sub, now: world.now, epoch: world.running.mesh.epoch, emergency, opened: () => undefined },
        },
        async (session) => (await session.query({ text: `select 1 from patient where site_id <> 'north'`, values: [] })).rows.length,
      );
    expect(await rows(String(who['sub']), true)).toBe(1);
    await expect(rows(String(who['sub']))).rejects.toThrow('changed');
    expect(await rows('dr-nobody')).toBe(0);
    await asks(world, who, END, { id: glass });
    expect(await rows(String(who['sub']))).toBe(0);
  });

  it('does not lift a forbid that is not breakable, and lifts one that is', async () => {
    const who = doctor();
    const [sick = ''] = await personsAt(world, 'south', 'condition');
    await broken(world, who, sick);
    const { governance } = world.running.mesh.parts;
    const forbid = async (breakable: boolean): Promise<void> => {
      const made = {
        forbids: [
          {
            id: 'test.forbid',
            reason: 'Test.',
            role: '*',
            purposes: ['TREAT'],
            tags: ['clinical'],
            rows: { op: '<=', attribute: 'sensitivity', literal: 2 },
            breakable,
          },
        ],
      };
      const digest = JSON.stringify(made);
      const { version } = await governance.propose({ document: made, digest, impact: {}, reason: 'Test.', actor: 'one', now: world.now });
      await governance.decide({ version, approve: true, reason: 'Test.', actor: 'two', now: world.now });
    };
    const conditions = async (): Promise<unknown> => {
      const reply = await asks(world, who, 'query($id: ID!) { patient(id: $id) { id conditions(first: 1) { totalCount } } }', { id: sick });
      return (reply.body.data?.['patient'] as { conditions: { totalCount: number } } | null)?.conditions.totalCount;
    };
    const open = await conditions();
    expect(open).toBeGreaterThan(0);
    await forbid(false);
    expect(await conditions()).toBe(0);
    await forbid(true);
    expect(await conditions()).toBe(open);
  });
});

describe('the end and the review', () => {
  it('is ended by its own clinician or the privacy officer, once; a foreign one is like none', async () => {
    const who = doctor();
    const glass = await broken(world, who, person(0));
    const foreign = await asks(world, COLLEAGUE, END, { id: glass });
    const none = await asks(world, COLLEAGUE, END, { id: '00000000-0000-4000-8000-00000000dead' });
    expect(withoutRun(foreign)).toBe(withoutRun(none));
    expect(codesOf(foreign)).toEqual(['NOT_FOUND']);
    expect(await sees(who, person(0))).toBe(true);
    expect(codesOf(await asks(world, OFFICER, END, { id: glass }))).toEqual([]);
    expect(await sees(who, person(0))).toBe(false);
    expect(codesOf(await asks(world, who, END, { id: glass }))).toEqual(['NOT_FOUND']);
  });

  it('holds every emergency access in the queue of the privacy officer, who closes each once, and after its end', async () => {
    const who = doctor();
    const glass = await broken(world, who, person(1));
    const count = await column<string>(world, 'select glass_id as value from break_glass');
    const listed = await queue();
    expect(listed.map((each) => each['id']).sort()).toEqual([...count].sort());
    expect(listed.find((each) => each['id'] === glass)).toMatchObject({
      principal: who['sub'],
      patientId: person(1),
      reason: REASON,
      outcome: { live: true, endedAt: null, reviewedAt: null },
    });
    const review = { id: glass, verdict: 'JUSTIFIED', note: 'Seen with the ward' };
    expect(codesOf(await asks(world, OFFICER, REVIEW, review))).toEqual(['CONFLICT']);
    await asks(world, who, END, { id: glass });
    expect(codesOf(await asks(world, OFFICER, REVIEW, { ...review, verdict: 'FINE' }))).toEqual(['BAD_INPUT']);
    expect(codesOf(await asks(world, OFFICER, REVIEW, review))).toEqual([]);
    expect(codesOf(await asks(world, OFFICER, REVIEW, review))).toEqual(['NOT_FOUND']);
    expect((await queue()).find((each) => each['id'] === glass)).toMatchObject({
      outcome: { live: false, endedBy: who['sub'], reviewedBy: OFFICER['sub'], verdict: 'JUSTIFIED', note: 'Seen with the ward' },
    });
  });

  it('is no business of a clinician: neither the queue nor the review exists', async () => {
    expect(codesOf(await asks(world, DOCTOR, QUEUE))).toContain('BAD_INPUT');
    expect(codesOf(await asks(world, DOCTOR, REVIEW, { id: person(0), verdict: 'JUSTIFIED', note: 'x'.repeat(12) }))).toContain(
      'BAD_INPUT',
    );
  });

  it('breaks no glass where the audit log cannot be written', async () => {
    const who = doctor();
    const { audit } = world.running.mesh;
    const append = jest.spyOn(audit, 'append').mockRejectedValueOnce(new Error('away'));
    try {
      const reply = await asks(world, who, BREAK, { id: person(2), reason: REASON, minutes: 5 });
      expect(codesOf(reply)).toHaveLength(1);
    } finally {
      append.mockRestore();
    }
    expect(await column(world, 'select 1 as value from break_glass where sub = $1', [who['sub']])).toEqual([]);
    expect(await sees(who, person(2))).toBe(false);
  });
});

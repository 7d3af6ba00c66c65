import { decodeOrdinals } from '../../src/kernel/index.js';
import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { principalOf } from '../../src/cli/who.js';
import { ask as askInProcess } from '../../src/gateway/index.js';
import { verifiedLogs } from '../support/audit.js';
import { ask, codesOf, column, openWorld, send, type Reply, type World } from './support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world.close(), 20_000);

const PAGE = '{ patients(first: 7) { edges { node { id familyName } } } }';
const receiptOf = (reply: Reply) => reply.body.extensions?.receipt ?? { logId: '', logIndex: -1 };
const verified = () => verifiedLogs(world.running);

describe('every answer', () => {
  it('is recorded where it is the schema of the class, or a document that does not parse', async () => {
    const answer = await fetch(new URL('/schema.graphql', world.gateway.url), {
      headers: { authorization: `Bearer ${await world.token('analyst')}` },
    });
    const sdl = await answer.text();
    const { rows } = await world.running.pools.owner.query<{ principal: string; result_digest: string }>(
      'select principal, result_digest from lineage_run where run_id = $1',
      [answer.headers.get('x-lineage-id')],
    );
    expect(rows).toEqual([{ principal: 'demo-analyst', result_digest: createHash('sha256').update(sdl).digest('hex') }]);
    const refusals = () =>
      column<number>(world, `select count(*)::int as value from lineage_run where kind = 'refused' and principal = 'demo-analyst'`);
    const [before] = await refusals();
    await expect(askInProcess(world.running.mesh, principalOf('analyst'), { query: '{ patientCount' })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    });
    expect(await refusals()).toEqual([Number(before) + 1]);
  });

  it('has a lineage id and a receipt, and its record is durable before the first byte', async () => {
    const other = new Client(world.running.pools.owner.options);
    await other.connect();
    try {
      for (const who of ['clinician', 'analyst', 'steward', 'officer']) {
        const response = await fetch(world.gateway.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${await world.token(who)}` },
          body: JSON.stringify({ query: '{ patientCount }' }),
        });
        // The body is not read yet.
        const { rows } = await other.query<{ run_id: string; record: string }>(
          'select r.run_id, a.record from lineage_run r join audit_log a on (a.log_id, a.seq) = (r.log_id, r.log_seq) where run_id = $1',
          [response.headers.get('x-lineage-id')],
        );
        expect(rows).toHaveLength(1);
        const body = (await response.json()) as Reply['body'];
        expect(body.extensions?.lineageId).toBe(rows[0]?.run_id);
        expect(JSON.parse(rows[0]?.record ?? '{}')).toMatchObject({
          run: body.extensions?.lineageId,
          seq: body.extensions?.receipt?.logIndex,
          kind: 'query',
        });
      }
    } finally {
      await other.end();
    }
  });

  it('names exactly the persons whose data are in it', async () => {
    const reply = await ask(world, 'clinician', PAGE);
    const shown = (reply.body.data?.['patients'] as { edges: { node: { id: string } }[] }).edges.map((edge) => edge.node.id);
    const [set] = await column<Buffer>(
      world,
      'select s.ordinals as value from lineage_run r join lineage_patient_set s using (set_digest) where run_id = $1',
      [reply.body.extensions?.lineageId],
    );
    const ids = await column<string>(world, 'select patient_id::text as value from patient where ordinal = any($1::int[]) order by 1', [
      decodeOrdinals(set ?? Buffer.alloc(0)),
    ]);
    expect(ids).toEqual([...shown].sort());
    expect(ids).toHaveLength(7);
  });

  it('holds the digest of its data and of the document without its values', async () => {
    const [name = ''] = await column<string>(world, `select family_name as value from patient where site_id = 'north' limit 1`);
    const reply = await ask(
      world,
      'clinician',
      `query($n: String) { patients(first: 3, sex: "${name}", bornFrom: 1941) { edges { node { id } } } variantCount(gene: $n) }`,
      { n: name },
    );
    const [plan] = await column<string>(
      world,
      'select p.document as value from lineage_run r join lineage_plan p using (plan_digest) where run_id = $1',
      [reply.body.extensions?.lineageId],
    );
    expect(plan).toBe('query($n:String){patients(first:0 sex:"" bornFrom:0){edges{node{id}}}variantCount(gene:$n)}');
    const [columns] = await column<{ source: string }[]>(
      world,
      'select p.columns as value from lineage_run r join lineage_plan p using (plan_digest) where run_id = $1',
      [reply.body.extensions?.lineageId],
    );
    const sources = (columns ?? []).map((each) => each.source);
    for (const source of ['patient.patient_id', 'patient.sex', 'patient.birth_year', 'patient.site_id', 'consent_effect.purpose'])
      expect(sources).toContain(source);
  });

  it('is recorded when it is a refusal too', async () => {
    const reply = await ask(world, 'analyst', '{ nothing }');
    const [record] = await column<string>(world, 'select record as value from audit_log where log_id = $1 and seq = $2', [
      receiptOf(reply).logId,
      receiptOf(reply).logIndex,
    ]);
    expect(JSON.parse(record ?? '{}')).toMatchObject({
      kind: 'refused',
      code: 'BAD_INPUT',
      principal: 'demo-analyst',
      run: reply.body.extensions?.lineageId,
      patients: 0,
    });
  });
});

describe('the log', () => {
  it('writes requests of the same moment with fewer commits than requests', async () => {
    const token = await world.token('officer');
    const commits = async (): Promise<number> =>
      Number((await column<string>(world, `select count(distinct xmin::text)::text as value from audit_log`))[0]);
    const before = await commits();
    const replies = await Promise.all(
      Array.from({ length: 48 }, () =>
        send(world.gateway.url, {
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify({ query: '{ patientCount }' }),
        }),
      ),
    );
    expect(replies.map((reply) => reply.status)).toEqual(Array(48).fill(200));
    expect(new Set(replies.map((reply) => receiptOf(reply).logIndex)).size).toBe(48);
    expect((await commits()) - before).toBeLessThan(40);
  });

  it('verifies by the stand-alone verifier', async () => {
    const result = await verified();
    expect(result).toMatchObject({ ok: true, findings: [] });
    expect(result.records).toBeGreaterThan(50);
  });
});

describe('while the log cannot be written', () => {
  const INSERTS: readonly (readonly [string, string, string])[] = [
    ['the writer may not insert', 'revoke insert on audit_log from thalamus_writer', 'grant insert on audit_log to thalamus_writer'],
    ['the table is away', 'alter table audit_log rename to audit_log_away', 'alter table audit_log_away rename to audit_log'],
    ['lineage is away', 'alter table lineage_run rename to lineage_run_away', 'alter table lineage_run_away rename to lineage_run'],
  ];
  it.each(INSERTS)('no data leave, and all is well afterwards without a restart: %s', async (_, breaking, mending) => {
    const [name = ''] = await column<string>(world, `select family_name as value from patient where site_id = 'north' limit 1`);
    await world.running.pools.owner.query(breaking);
    try {
      for (const query of [
        PAGE,
        '{ __typename }',
        '{ __schema { types { name } } }',
        '{ nothing }',
        '{ patients(first: -1) { totalCount } }',
      ]) {
        const reply = await ask(world, 'clinician', query);
        expect([query, reply.status, codesOf(reply)]).toEqual([query, 503, ['AUDIT_UNAVAILABLE']]);
        expect(reply.body.data ?? null).toBeNull();
        expect(reply.text).not.toMatch(/permission denied|relation|audit_log|insert/);
        expect(reply.text).not.toContain(name);
      }
      const mutation = await ask(
        world,
        'steward',
        'mutation { releaseQuarantine(ids: ["00000000-0000-7000-8000-000000000000"], reason: "x") { released } }',
      );
      expect(codesOf(mutation)).toEqual(['AUDIT_UNAVAILABLE']);
    } finally {
      await world.running.pools.owner.query(mending);
    }
    expect((await ask(world, 'clinician', PAGE)).status).toBe(200);
    expect(await verified()).toMatchObject({ ok: true });
  });

  it('a commit whose answer was lost does not stop the log for good', async () => {
    const { evidence } = world.running;
    const write = evidence.write.bind(evidence);
    const lossy = jest.spyOn(evidence, 'write').mockImplementationOnce(async (batch) => {
      await write(batch);
      throw new Error('Connection terminated unexpectedly');
    });
    try {
      expect(codesOf(await ask(world, 'clinician', PAGE))).toEqual(['AUDIT_UNAVAILABLE']);
    } finally {
      lossy.mockRestore();
    }
    for (let i = 0; i < 3; i += 1) expect((await ask(world, 'clinician', PAGE)).status).toBe(200);
    expect(await verified()).toMatchObject({ ok: true });
  });
});

describe('while the database is away', () => {
  it('the caller hears UNAVAILABLE without a word of the driver, and answers return with it', async () => {
    const { reader } = world.running.pools;
    const failing = jest
      .spyOn(reader, 'connect')
      .mockImplementation((() => Promise.reject(new Error('connect ECONNREFUSED 10.1.2.3:5432 password=hunter2'))) as never);
    try {
      const reply = await ask(world, 'clinician', PAGE);
      expect([reply.status, codesOf(reply), reply.body.data ?? null]).toEqual([503, ['UNAVAILABLE'], null]);
      expect(reply.text).not.toMatch(/ECONNREFUSED|10\.1\.2\.3|hunter2|pg/);
    } finally {
      failing.mockRestore();
    }
    expect((await ask(world, 'clinician', PAGE)).status).toBe(200);
  });

  it('connections that the server ends are replaced', async () => {
    await world.running.pools.owner.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename in ('thalamus_reader', 'thalamus_writer')`,
    );
    const statuses: number[] = [];
    for (let i = 0; i < 12; i += 1) statuses.push((await ask(world, 'clinician', PAGE)).status);
    expect(statuses.at(-1)).toBe(200);
    expect(statuses.every((status) => status === 200 || status === 503)).toBe(true);
  });
});

it('no name of a person is in a log line, a record or a lineage row', async () => {
  const names = await column<string>(world, 'select distinct family_name as value from patient where family_name is not null');
  for (const name of names.slice(0, 3)) {
    await ask(world, 'clinician', `{ notes(text: "${name}", first: 1) { totalCount } patient(id: "${name}") { id } }`);
    await ask(world, 'clinician', 'query($a: String, $i: ID!) { patients(after: $a) { totalCount } patient(id: $i) { id } }', {
      a: name,
      i: name,
    });
    await ask(world, 'clinician', 'query($n: Int) { patients(first: $n) { totalCount } }', { n: name });
    await ask(world, 'clinician', `{ patients(bornFrom: "${name}") { totalCount } }`);
    await ask(world, 'clinician', `{ notes(from: "${name}") { totalCount } }`);
    await ask(world, 'clinician', 'query($d: DateTimeISO) { notes(from: $d) { totalCount } }', { d: name });
  }
  const rows = await column<string>(
    world,
    `select record as value from audit_log union all select document || columns::text || decisions::text from lineage_plan union all select facts::text || versions::text from lineage_run`,
  );
  const everything = [...world.running.logged, ...rows].join('\n');
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => everything.includes(name))).toEqual([]);
}, 20_000);

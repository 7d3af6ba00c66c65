import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { OPERATOR, openMesh, type Running } from '../../src/cli/wire.js';
import { exportLogs } from '../../src/cli/audit.js';
import { exportAuditEvents, exportLineage } from '../../src/cli/export-evidence.js';
import { parseCheckpoint, publicKeyOf, verifierKey, originOf, vkeyOf, type AuditEvent, type RunEvent } from '../../src/evidence/index.js';
import { ask as askMesh } from '../../src/gateway/index.js';
import { principalOf } from '../../src/cli/who.js';
import { runVerifier, type Finding } from '../audit/verifier.js';
import { Witness, serveWitness } from '../support/witness.js';
import { endpoint } from './feeds-support.js';
import { openWorld, type World } from './support.js';

jest.setTimeout(60_000);

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => {
  await world.close();
});

const folder = mkdtempSync(path.join(tmpdir(), 'feeds-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Another process on the same data, with settings of its own. */
async function withMesh(env: Record<string, string>, work: (running: Running, logged: string[]) => Promise<void>): Promise<void> {
  const logged: string[] = [];
  const { engine, home } = world.running;
  const running = await openMesh({ engine, home, env, clock: () => world.now, log: (line) => logged.push(line) });
  try {
    await work(running, logged);
  } finally {
    await running.close();
  }
}

const count = (running: Pick<Running, 'mesh'>): Promise<unknown> =>
  askMesh(running.mesh, principalOf('clinician'), { query: '{ patients(first: 2) { edges { node { id birthDate } } } }', variables: {} });

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it did not come to pass');
}

async function total(): Promise<number> {
  return (await world.running.evidence.heads()).reduce((sum, head) => sum + head.size, 0);
}

const endsOf = (events: readonly RunEvent[]): string[] => events.filter((each) => each.eventType !== 'START').map((each) => each.run.runId);

describe('OpenLineage', () => {
  it('is told every run once the endpoint takes them, and a restart goes on from there', async () => {
    await count(world.running);
    let refusals = 2;
    const open = await endpoint(() => (refusals-- > 0 ? 503 : 201));
    const env = { OPENLINEAGE_URL: open.url, OPENLINEAGE_API_KEY: 'key-of-the-endpoint' };
    try {
      await withMesh(env, async (running, logged) => {
        await count(running);
        const records = await total();
        await running.feeds.start();
        await until(() => new Set(endsOf(open.events)).size >= records);
        expect(logged.filter((line) => line.includes('secret'))).toEqual([]);
      });
      expect(open.keys.every((key) => key === 'Bearer key-of-the-endpoint')).toBe(true);
      const before = endsOf(open.events).length;
      await withMesh(env, async (running) => {
        await count(running);
        await running.feeds.start();
        await until(() => endsOf(open.events).length > before);
        await running.feeds.stop();
      });
      const later = endsOf(open.events).slice(before);
      // What came before the restart is not told again: a start of the log and a question are new.
      expect(later.length).toBeLessThanOrEqual(4);
      expect(endsOf(open.events).slice(0, before)).not.toEqual(expect.arrayContaining([later.at(-1)]));
    } finally {
      await open.close();
    }
  });

  it('that is away never stops a question', async () => {
    await withMesh({ OPENLINEAGE_URL: 'http://127.0.0.1:9/api' }, async (running) => {
      await running.feeds.start();
      await expect(count(running)).resolves.toMatchObject({ errors: [] });
    });
  });

  it('is told over TLS, or on this machine', async () => {
    for (const url of ['http://example.org/api', 'ftp://example.org', 'https://user@example.org'])
      await expect(withMesh({ OPENLINEAGE_URL: url }, () => Promise.resolve())).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('is exported as a file of all runs, with a record of the export', async () => {
    const file = path.join(folder, 'lineage.ndjson');
    const { events, records } = await exportLineage(world.running, file);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(events);
    const told = lines.map((line) => JSON.parse(line) as RunEvent);
    expect(new Set(endsOf(told)).size).toBeGreaterThanOrEqual(records);
    const { rows } = await world.running.pools.owner.query<{ kind: string; principal: string }>(
      `select kind, principal from lineage_run where facts->>'format' = 'openlineage'`,
    );
    expect(rows).toEqual([{ kind: 'export', principal: OPERATOR.sub }]);
  });
});

describe('a witness', () => {
  it('cosigns what is kept, which is deposited too; a log that was rolled back it refuses', async () => {
    const keys = world.running.mesh.parts.keyring().publicKeys;
    const names = async (): Promise<string[]> => (await world.running.evidence.heads()).map((head) => originOf(head.logId));
    let known: string[] = await names();
    const witness = new Witness(
      () => known.flatMap((name) => keys.map((key) => verifierKey(name, publicKeyOf(Buffer.from(key, 'base64'))))),
      () => Math.floor(world.now / 1000),
    );
    const served = await serveWitness(async (body) => {
      known = await names();
      return witness.addCheckpoint(body);
    });
    const deposit = path.join(folder, 'deposit');
    const env = { AUDIT_WITNESS_URL: served.url, AUDIT_WITNESS_KEY: witness.vkey, AUDIT_DEPOSIT: deposit };
    try {
      let logId = '';
      let earlier: { size: string; frontier: Buffer; checkpoint: string } | undefined;
      await withMesh(env, async (running, logged) => {
        await count(running);
        ({
          receipt: { logId },
        } = (await count(running)) as { receipt: { logId: string } });
        ({
          rows: [earlier],
        } = await running.pools.owner.query<NonNullable<typeof earlier>>(
          'select size, frontier, checkpoint from audit_head where log_id = $1',
          [logId],
        ));
        await count(running);
        await running.feeds.start();
        await running.mesh.audit.close();
        await running.feeds.drain();
        expect(logged).toEqual([]);
      });
      const kept = await world.running.evidence.checkpoints(logId);
      const cosigned = kept.filter((each) => each.witness === witness.name);
      expect(cosigned.length).toBeGreaterThan(0);
      const deposited = readFileSync(deposit, 'utf8');
      expect(deposited).toContain(cosigned.at(-1)?.checkpoint);
      expect(await findings(witness.vkey, deposited)).toEqual([]);
      expect(parseCheckpoint(cosigned.at(-1)?.checkpoint ?? '')?.size).toBe(kept.at(-1)?.size);

      // Whoever owns the database takes the last record away and puts the older head back.
      const { owner } = world.running.pools;
      await owner.query(
        'alter table audit_log disable trigger user; alter table audit_head disable trigger user; alter table audit_log no force row level security',
      );
      await owner.query('delete from audit_log where log_id = $1 and seq >= $2', [logId, earlier?.size]);
      await owner.query('update audit_head set size = $2, frontier = $3, checkpoint = $4, lease_until = now() where log_id = $1', [
        logId,
        earlier?.size,
        earlier?.frontier,
        earlier?.checkpoint,
      ]);
      expect(new Set((await findings(witness.vkey, deposited)).map((each) => each.class))).toEqual(new Set(['rolled-back']));
      // Only this log is free to be continued.
      await owner.query(`update audit_head set lease_until = now() + interval '1 hour' where log_id <> $1`, [logId]);
      await withMesh(env, async (running, logged) => {
        const { receipt, errors } = (await count(running)) as { receipt: { logId: string }; errors: unknown[] };
        expect({ log: receipt.logId, errors }).toEqual({ log: logId, errors: [] });
        await running.mesh.audit.close();
        await running.feeds.drain();
        expect(logged.length).toBeGreaterThan(0);
        for (const line of logged) expect(line).toMatch(new RegExp(`^ALERT witness of log ${logId}: (ahead|inconsistent)$`));
      });
      await owner.query(
        'alter table audit_log enable trigger user; alter table audit_head enable trigger user; alter table audit_log force row level security',
      );
    } finally {
      await served.close();
    }
  });

  it('is named with its key, of the right type, or not at all', async () => {
    const [logKey = ''] = world.running.mesh.parts.keyring().publicKeys;
    for (const env of [
      { AUDIT_WITNESS_URL: 'https://witness.example' },
      { AUDIT_WITNESS_KEY: 'x' },
      { AUDIT_WITNESS_URL: 'https://witness.example', AUDIT_WITNESS_KEY: logKey },
    ])
      await expect(withMesh(env, () => Promise.resolve())).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

/** What the stand-alone verifier finds with what a witness and a place of deposit hold. */
async function findings(witness: string, deposited: string): Promise<readonly Finding[]> {
  const { evidence, mesh } = world.running;
  const dir = mkdtempSync(path.join(folder, 'logs-'));
  const keyring = mesh.parts.keyring();
  await exportLogs(evidence, keyring, dir);
  const keys = (await evidence.heads()).flatMap((head) =>
    keyring.publicKeys.map((key) => vkeyOf(originOf(head.logId), publicKeyOf(Buffer.from(key, 'base64')))),
  );
  const { out } = await runVerifier(dir, { keys, witnesses: [witness], checkpoints: [deposited], receipts: [] }, '--json');
  return (JSON.parse(out.trim().split('\n').at(-1) ?? '{}') as { findings: readonly Finding[] }).findings;
}

interface Bundle {
  readonly resourceType: string;
  readonly entry?: { resource: AuditEvent }[];
  readonly link: { relation: string; url: string }[];
  readonly issue?: { details: { coding: { code: string }[] } }[];
}

async function fhir(who: string | null, query: string): Promise<{ status: number; type: string | null; body: Bundle }> {
  const url = query.startsWith('http') ? query : `${world.gateway.url.replace('/graphql', '')}/fhir/${query}`;
  const response = await fetch(url, { headers: who === null ? {} : { authorization: `Bearer ${await world.token(who)}` } });
  return { status: response.status, type: response.headers.get('content-type'), body: (await response.json()) as Bundle };
}

const personsIn = (events: readonly AuditEvent[]): Set<string> =>
  new Set(
    events.flatMap((each) => each.entity.flatMap(({ what }) => (what?.reference?.startsWith('Patient/') === true ? [what.reference] : []))),
  );
const eventsIn = ({ entry = [] }: Bundle): AuditEvent[] => entry.map((each) => each.resource);

describe('the FHIR facade', () => {
  it('shows the officer who saw whom, page by page, newest first, each event once', async () => {
    world.now += 60_000;
    await count(world.running);
    await count(world.running);
    const all: AuditEvent[] = [];
    const since = new Date(world.now - 1).toISOString();
    let next: string | undefined = `AuditEvent?_count=3&date=ge${since}&date=le${new Date(world.now).toISOString()}&agent=dr-amsel`;
    const { rows } = await world.running.pools.owner.query<{ principal: string; runs: string }>(
      'select principal, count(*) as runs from lineage_run where at >= $1 group by 1',
      [since],
    );
    const clinician = rows.find((row) => row.principal !== OPERATOR.sub)?.principal ?? '';
    next = next.replace('dr-amsel', encodeURIComponent(clinician));
    while (next !== undefined) {
      const { status, body } = await fhir('officer', next);
      expect(status).toBe(200);
      all.push(...eventsIn(body));
      next = body.link.find((each) => each.relation === 'next')?.url;
    }
    expect(new Set(all.map((each) => each.id)).size).toBe(all.length);
    // Two questions about two persons each.
    expect(all).toHaveLength(4);
    expect(personsIn(all).size).toBe(2);
    const [one = ''] = personsIn(all);
    const about = eventsIn((await fhir('officer', `AuditEvent?patient=${encodeURIComponent(one)}&date=ge${since}`)).body);
    expect(about.length).toBeGreaterThanOrEqual(2);
    expect(personsIn(about)).toEqual(new Set([one]));
    const read = await fhir('officer', `AuditEvent/${all[0]?.id ?? ''}`);
    expect(read.body).toEqual(all[0]);
    expect((await fhir('officer', 'AuditEvent?_page=eyJ4IjoxfQ')).body.issue?.[0]?.details.coding[0]?.code).toBe('CURSOR_INVALID');
  });

  it('shows an analyst his own runs without persons, and none of others', async () => {
    const analyst = principalOf('analyst').sub;
    await askMesh(world.running.mesh, principalOf('analyst'), { query: '{ patientCount }', variables: {} });
    const { status, body, type } = await fhir('analyst', 'AuditEvent?_count=50');
    expect({ status, type }).toEqual({ status: 200, type: 'application/fhir+json; charset=utf-8' });
    expect(eventsIn(body).length).toBeGreaterThan(0);
    expect(personsIn(eventsIn(body))).toEqual(new Set());
    for (const event of eventsIn(body)) expect(JSON.stringify(event.agent)).toContain(analyst);
    const [person] = (await world.running.pools.owner.query<{ id: string }>('select patient_id as id from patient limit 1')).rows;
    expect((await fhir('analyst', `AuditEvent?patient=${person?.id ?? ''}`)).body.issue?.[0]?.details.coding[0]?.code).toBe('FORBIDDEN');
  });

  it('refuses who shows no token, with an OperationOutcome and a record', async () => {
    const { status, type, body } = await fhir(null, 'AuditEvent');
    expect({ status, type, resource: body.resourceType }).toEqual({
      status: 401,
      type: 'application/fhir+json; charset=utf-8',
      resource: 'OperationOutcome',
    });
  });

  it('is exported as a file with a record about all persons in it', async () => {
    const file = path.join(folder, 'events.ndjson');
    const { events } = await exportAuditEvents(world.running, file);
    const told = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditEvent);
    expect(told).toHaveLength(events);
    const { rows } = await world.running.pools.owner.query<{ patients: number }>(
      `select patients from lineage_run where facts->>'format' = 'fhir' and facts->>'log' = 'exported'`,
    );
    expect(rows).toEqual([{ patients: personsIn(told).size }]);
  });
});

const openssl = ((): boolean => {
  try {
    execFileSync('openssl', ['version']);
    return true;
  } catch {
    process.stderr.write('openssl is not there: syslog over TLS is not tested.\n');
    return false;
  }
})();

(openssl ? describe : describe.skip)('syslog over TLS', () => {
  it('takes the events of every run, and only from a server that is trusted', async () => {
    const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
    const options = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
    ];
    execFileSync('openssl', [...options, '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' });
    let received = '';
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
      socket.setEncoding('utf8').on('data', (text: string) => (received += text));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    const env = { AUDIT_SYSLOG_URL: `tls://localhost:${(server.address() as AddressInfo).port}` };
    try {
      await withMesh(env, async (running, logged) => {
        await running.feeds.start();
        await expect(count(running)).resolves.toMatchObject({ errors: [] });
        await running.feeds.stop();
        expect(logged.join()).not.toContain('self-signed');
        expect(received).toBe('');
      });
      await withMesh({ ...env, AUDIT_SYSLOG_CA: cert }, async (running) => {
        await count(running);
        await running.feeds.start();
        await until(async () => {
          const { rows } = await running.pools.owner.query<{ told: string }>(
            `select sum(next) as told from export_cursor where name = 'syslog'`,
          );
          return Number(rows[0]?.told ?? 0) >= (await total());
        });
      });
      expect(received).toMatch(/^\d+ <8[45]>1 /);
      expect(received.match(/<AuditMessage>/g)?.length ?? 0).toBeGreaterThanOrEqual(await total());
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

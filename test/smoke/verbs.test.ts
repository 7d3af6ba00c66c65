import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createDatabase, type TestDatabase } from '../support/database.js';

const BIN = resolve(__dirname, '../../bin/thalamus.js');
const home = mkdtempSync(join(tmpdir(), 'thalamus-smoke-'));
let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
  // The first run builds what changed.
  await run(['--help']);
}, 60_000);
afterAll(async () => {
  await database.drop();
  rmSync(home, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command as a child process on a home and a database of its own. */
function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((done) => {
    const { PATH = '', HOME = '' } = process.env;
    execFile(
      process.execPath,
      [BIN, ...args],
      { env: { PATH, HOME, THALAMUS_HOME: home, DATABASE_URL: database.url, ...env }, timeout: 30_000 },
      (error, out, err) => {
        done({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
      },
    );
  });
}

function written(name: string, text: string): string {
  const file = join(home, name);
  writeFileSync(file, text);
  return file;
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

describe('a verb', () => {
  it('doctor says that all is well, as JSON', async () => {
    const { code, out } = await run(['doctor', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      findings: [
        { check: 'node', ok: true },
        { check: 'disk', ok: true },
        { check: 'database', ok: true },
      ],
    });
    expect(code).toBe(0);
  }, 30_000);

  it('token makes a token, and only that on stdout', async () => {
    const { code, out } = await run(['token', '--as', 'analyst']);
    expect([code, lines(out).length]).toEqual([0, 1]);
    expect(out.trim().split('.')).toHaveLength(3);
    expect(JSON.parse(Buffer.from(out.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
      sub: 'demo-analyst',
      purpose: 'HRESCH',
      roles: ['analyst'],
    });
  }, 30_000);

  it('query answers, lineage finds what stands behind it, and audit verify finds the log whole', async () => {
    const file = written('count.graphql', '{ patientCount }');
    const answered = await run(['query', '-f', file, '--as', 'officer']);
    expect(answered.code).toBe(0);
    const { lineageId } = JSON.parse(answered.out) as { lineageId: string };
    const lineage = await run(['lineage', lineageId]);
    expect(JSON.parse(lineage.out)).toMatchObject({ id: lineageId, principal: 'demo-officer', purpose: 'HOPERAT' });
    expect(lineage.code).toBe(0);
    const verified = await run(['audit', 'verify', '--json']);
    expect([verified.code, JSON.parse(verified.out)]).toMatchObject([0, { ok: true, findings: [] }]);
  }, 30_000);

  it('query writes to a file, and a purpose may not be widened', async () => {
    const file = written('analyst.graphql', '{ patientCount }');
    const output = join(home, 'answer.json');
    expect(await run(['query', '-f', file, '--as', 'analyst', '-o', output])).toMatchObject({ code: 0, out: '' });
    const widened = await run(['query', '-f', file, '--as', 'analyst', '--purpose', 'TREAT']);
    expect([widened.code, widened.out]).toEqual([4, '']);
    expect(widened.err).toContain('FORBIDDEN');
  }, 30_000);

  it('explain shows verdicts, columns and the statement, and reads nothing', async () => {
    const { code, out } = await run([
      'explain',
      '-f',
      written('names.graphql', '{ patients(first: 1) { edges { node { familyName } } } }'),
      '--as',
      'analyst',
    ]);
    const plan = JSON.parse(out) as { path: string; sql: string; decisions: { coordinate: string; verdict: string }[] };
    expect([code, plan.path]).toEqual([0, 'compiled']);
    expect(plan.sql).toContain('sha256');
    expect(plan.decisions).toContainEqual(expect.objectContaining({ coordinate: 'Patient.familyName', verdict: 'masked' }));
  }, 30_000);

  it('schema prints what a role sees', async () => {
    const [whole, officer] = await Promise.all([run(['schema']), run(['schema', '--role', 'officer'])]);
    expect([whole.code, officer.code]).toEqual([0, 0]);
    expect(whole.out).toContain('familyName');
    expect(officer.out).not.toContain('familyName');
  }, 30_000);
});

describe('a mistake ends with one line and a code', () => {
  it.each<[string, readonly string[], Record<string, string>, number, RegExp]>([
    ['an unknown verb', ['ingets', 'x'], {}, 2, /unknown command 'ingets'[\s\S]*Did you mean ingest/],
    ['a missing option', ['query', '--as', 'analyst'], {}, 2, /required option '-f, --file <file>'/],
    ['an unknown identity', ['token', '--as', 'root'], {}, 2, /BAD_INPUT.*analyst, clinician/],
    ['a missing file', ['query', '-f', '/nowhere/q.graphql', '--as', 'analyst'], {}, 1, /^FILE_UNREADABLE.*\/nowhere\/q\.graphql/],
    ['an unknown product', ['serve', '--product', 'radiology'], {}, 2, /^BAD_INPUT: A product is one of/],
    ['a port that is no port', ['serve'], { PORT: '99999' }, 2, /^CONFIG_INVALID/],
    ['the demo on an open address', ['serve', '--demo'], { HOST: '0.0.0.0', PORT: '0' }, 2, /^CONFIG_INVALID.*loopback/],
    ['a database that is not there', ['schema'], { DATABASE_URL: 'postgres://thalamus:x@127.0.0.1:1/none' }, 1, /^DATABASE_UNAVAILABLE/],
    ['an issuer without its keys', ['schema'], { OIDC_ISSUER: 'https://id.example' }, 2, /^CONFIG_INVALID: OIDC_ISSUER/],
    ['a lineage id that is unknown', ['lineage', '00000000-0000-7000-8000-000000000000'], {}, 1, /^$/],
  ])(
    '%s',
    async (_, args, env, code, text) => {
      const ended = await run(args, env);
      expect([ended.code, ended.err.trim()]).toEqual([code, expect.stringMatching(text)]);
      expect(lines(ended.err).length).toBeLessThanOrEqual(2);
      expect(ended.err).not.toMatch(/ at .*:\d+:\d+|node_modules/);
    },
    40_000,
  );

  it('a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((heard) => server.once('listening', heard));
    try {
      const { port } = server.address() as AddressInfo;
      const ended = await run(['serve'], { PORT: String(port) });
      expect([ended.code, lines(ended.err)]).toEqual([1, [expect.stringMatching(/^PORT_TAKEN: Port \d+ on 127\.0\.0\.1 is taken/)]]);
    } finally {
      server.close();
    }
  }, 30_000);
});

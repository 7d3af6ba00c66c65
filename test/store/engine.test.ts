import { execFileSync, fork, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { choosePlace, openToAll } from '../../src/store/engines/account.js';
import { assertDurable } from '../../src/store/engines/durability.js';
import type { Engine } from '../../src/store/engines/engine.js';
import { findNative } from '../../src/store/engines/native.js';
import { isAlive, readPidFile, serversIn } from '../../src/store/engines/postmaster.js';
import { startEngine } from '../../src/store/engines/start.js';
import { ask, codeWhen } from '../support/ask.js';

jest.setTimeout(60_000);

const root = resolve(__dirname, '../..');
const asRoot = process.getuid?.() === 0;
const folders: string[] = [];
const engines: Engine[] = [];
let lines: string[] = [];

function temporary(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `thalamus-${name}-`));
  folders.push(folder);
  return folder;
}

async function start(dataDir: string, nativeDir?: string): Promise<Engine> {
  const engine = await startEngine({ kind: 'embedded', dataDir, nativeDir, log: (line) => lines.push(line) });
  engines.push(engine);
  return engine;
}

/** A cluster is made once and copied, since making one takes seconds. */
let made: string;
let initMs = 0;

function madeBefore(name: string): string {
  const folder = temporary(name);
  cpSync(made, folder, { recursive: true });
  return folder;
}

const cluster = (folder: string): string => join(folder, 'postgres');
const postmaster = (folder: string): number => readPidFile(cluster(folder))?.pid ?? 0;

beforeAll(async () => {
  made = temporary('made');
  const begin = performance.now();
  const engine = await start(made);
  initMs = performance.now() - begin;
  await ask(engine, 'create table kept (id int)');
  await engine.stop();
});
beforeEach(() => {
  lines = [];
});
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.stop();
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe('embedded Postgres', () => {
  it('makes a cluster with a private password, UTF-8 and codepoint order, then starts warm within 1.5 s', async () => {
    const begin = performance.now();
    const engine = await start(made);
    const warmMs = performance.now() - begin;
    process.stdout.write(`first start ${initMs.toFixed(0)} ms, warm start ${warmMs.toFixed(0)} ms\n`);
    expect(warmMs).toBeLessThan(1_500);
    expect(statSync(join(cluster(made), 'thalamus.password')).mode & 0o777).toBe(0o600);
    expect(
      await ask(
        engine,
        "select encoding || ':' || datcollate || ':' || datlocale as value from (select pg_encoding_to_char(encoding) as encoding, datcollate, datlocale from pg_database where datname = current_database())",
      ),
    ).toBe('UTF8:C:C.UTF-8');
    expect(await ask(engine, "select lower('ÄÖ') as value")).toBe('äö');
    expect(await ask(engine, 'select count(*)::int as value from kept')).toBe(0);
  });

  it('listens on a private Unix socket only and asks for the password', async () => {
    const engine = await start(made);
    const { host } = engine.ownerUrl();
    expect(host).toBe(join(made, 'run'));
    expect(statSync(join(made, 'run')).mode & 0o077).toBe(0);
    expect(await ask(engine, "select current_setting('listen_addresses') as value")).toBe('');
    const client = new Client({ ...engine.ownerUrl(), password: 'wrong' });
    await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
  });

  it('takes a socket in the temporary folder when the data folder has a long name, and loopback when that is long too', async () => {
    const deep = join(temporary('deep'), 'd'.repeat(90));
    cpSync(made, deep, { recursive: true });
    const engine = await start(deep);
    const host = String(engine.ownerUrl().host);
    folders.push(host);
    expect(host).toMatch(/thalamus-[0-9a-f]{16}$/);
    await engine.stop();
    const child = await startInChild(deep, { env: { ...process.env, TMPDIR: deep } });
    const joined = await start(deep);
    expect(joined.ownerUrl().host).toBe('127.0.0.1');
    expect(await ask(joined, 'select 1 as value')).toBe(1);
    await stopChild(child);
  });

  it('two starts at once on an empty folder give one server; the second one joins and leaves it running', async () => {
    const folder = temporary('twice');
    const [first, second] = await Promise.all([start(folder), start(folder)]);
    expect(await ask(first, 'select 1 as value')).toBe(1);
    expect(second.ownerUrl()).toEqual(first.ownerUrl());
    const joined = await start(folder);
    const pid = postmaster(folder);
    await joined.stop();
    expect(isAlive(pid)).toBe(true);
    expect(lines).toContain('The database of this data folder already runs; it is shared.');
    expect(readdirSync(folder).filter((name) => name.includes('draft'))).toEqual([]);
  });

  it('makes the library links that a blocked install script left out', async () => {
    const copy = copyOfNative('links');
    const removed = removeLinks(copy);
    expect(removed).toBeGreaterThan(5);
    const engine = await start(madeBefore('linkdata'), join(copy, 'native'));
    expect(await ask(engine, 'select 1 as value')).toBe(1);
    expect(removeLinks(copy)).toBe(removed);
  });

  it('starts although a stale postmaster.pid names a process of ours that is no database', async () => {
    const folder = madeBefore('stale');
    const other = spawn('sleep', ['60']);
    try {
      writeFileSync(
        join(cluster(folder), 'postmaster.pid'),
        `${String(other.pid)}\n${cluster(folder)}\n1\n5432\n${join(folder, 'run')}\n\n1 1\nready   \n`,
      );
      const engine = await start(folder);
      expect(await ask(engine, 'select 1 as value')).toBe(1);
      expect(other.exitCode).toBeNull();
      expect(lines.join('\n')).toContain('stale');
    } finally {
      other.kill();
    }
  });

  it('loses no acknowledged row when the server is killed', async () => {
    const folder = madeBefore('killed');
    const engine = await start(folder);
    await ask(engine, 'insert into kept select generate_series(1, 1000)');
    process.kill(postmaster(folder), 'SIGKILL');
    const again = await start(folder);
    expect(await ask(again, 'select count(*)::int as value from kept')).toBe(1000);
    expect(lines.join('\n')).toMatch(/ended unexpectedly|recovers/);
  });

  it('ends with the process that started it, even when that is killed', async () => {
    const folder = madeBefore('orphan');
    const child = await startInChild(folder);
    const pid = postmaster(folder);
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGKILL');
    for (let i = 0; i < 200 && isAlive(pid); i++) await sleep(25);
    expect(isAlive(pid)).toBe(false);
    expect(serversIn(cluster(folder))).toEqual([]);
  });

  (asRoot ? it : it.skip)('runs for an ordinary user too, from a read-only package whose links are missing', async () => {
    const folder = temporary('user');
    const { uid, gid } = { uid: 65534, gid: 65534 };
    execFileSync('chmod', ['0755', folder]);
    const copy = copyOfNative('userlinks');
    execFileSync('chmod', ['-R', 'a+rX', copy]);
    removeLinks(copy);
    const data = join(folder, 'data');
    mkdirSync(data, { mode: 0o700 });
    execFileSync('chown', [`${String(uid)}:${String(gid)}`, data]);
    const begin = performance.now();
    const child = await startInChild(data, { uid, gid, nativeDir: join(copy, 'native') });
    process.stdout.write(`first start as an ordinary user ${(performance.now() - begin).toFixed(0)} ms (with node)\n`);
    expect(statSync(join(data, 'postgres')).uid).toBe(uid);
    expect(existsSync(join(data, 'lib'))).toBe(true);
    const pid = postmaster(data);
    await stopChild(child);
    expect(isAlive(pid)).toBe(false);
    // Root finds the other user's cluster and runs it as that user.
    const engine = await start(data);
    expect(await ask(engine, 'select 1 as value')).toBe(1);
    expect(statSync(`/proc/${String(postmaster(data))}`).uid).toBe(uid);
  });
});

describe('what the embedded Postgres cannot do is said in one coded line', () => {
  it('refuses a data folder that is a file or may not be written', async () => {
    const file = join(temporary('file'), 'file');
    writeFileSync(file, '');
    expect(await codeWhen(startEngine({ kind: 'embedded', dataDir: file, log: () => undefined }))).toBe('CONFIG_INVALID');
  });

  it('says when the programs are not for this machine', async () => {
    const copy = temporary('arch');
    mkdirSync(join(copy, 'bin'));
    writeFileSync(join(copy, 'bin', 'initdb'), '\u007fELF not a program', { mode: 0o755 });
    expect(await codeWhen(start(temporary('archdata'), copy))).toBe('DATABASE_UNAVAILABLE');
  });

  it('says when the disk is full and leaves no half-made cluster', async () => {
    const folder = temporary('full');
    const mounted = asRoot && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'none', folder]).status === 0;
    if (!mounted) {
      process.stdout.write('skipped: no small disk can be mounted here\n');
      return;
    }
    try {
      expect(await codeWhen(start(folder))).toBe('DISK_FULL');
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      execFileSync('umount', [folder]);
    }
  });
});

describe('as root without user namespaces', () => {
  const machine = { uid: 0, namespaces: () => false, nobody: () => ({ uid: 65534, gid: 65534 }) };

  it('runs as nobody, in the data folder when nobody can reach it, else in a shared place', () => {
    const folder = temporary('nobody');
    expect(openToAll(folder)).toBe(false);
    expect(choosePlace(folder, machine)).toEqual({
      account: { kind: 'user', uid: 65534, gid: 65534 },
      folder: expect.stringMatching(/^\/var\/lib\/thalamus\//) as string,
    });
    execFileSync('chmod', ['0711', folder]);
    expect(choosePlace(folder, machine).folder).toBe(join(folder, 'served'));
  });

  (asRoot ? it : it.skip)('makes and runs the cluster as nobody, with the programs copied to where nobody can reach them', async () => {
    const folder = temporary('asnobody');
    execFileSync('chmod', ['0711', folder]);
    const copy = copyOfNative('unreachable');
    cpSync(join(findNative(), '..', 'package.json'), join(copy, 'package.json'));
    const options = { kind: 'embedded' as const, dataDir: folder, nativeDir: join(copy, 'native'), machine, log: () => undefined };
    const engine = await startEngine(options);
    engines.push(engine);
    expect(await ask(engine, 'select 1 as value')).toBe(1);
    expect(statSync(`/proc/${String(postmaster(join(folder, 'served')))}`).uid).toBe(65534);
    expect(existsSync(join(folder, 'server-18.4.0-beta.17', 'native', 'bin'))).toBe(true);
    await engine.stop();
    // The next start finds it again, namespaces or not.
    expect(await ask(await start(folder), 'select 1 as value')).toBe(1);
  });

  it('says so when there is no nobody', async () => {
    const work = Promise.resolve().then(() => choosePlace(temporary('none'), { ...machine, nobody: () => undefined }));
    expect(await codeWhen(work)).toBe('DATABASE_UNAVAILABLE');
  });
});

describe('durability', () => {
  it.each(['fsync', 'full_page_writes'])('refuses a server with %s off', async (name) => {
    const engine = await start(madeBefore(name));
    await assertDurable(engine.ownerUrl());
    const { host, port } = engine.ownerUrl();
    await engine.stop();
    const folder = String(host).replace(/\/run$/, '');
    const server = startUnsafe(folder, name, Number(port));
    try {
      for (let i = 0; i < 400 && readPidFile(cluster(folder))?.status !== 'ready'; i++) await sleep(10);
      await expect(assertDurable(engine.ownerUrl())).rejects.toMatchObject({
        code: 'DATABASE_UNSAFE',
        message: expect.stringContaining(name) as string,
      });
      // Joining the running server does not get round the check.
      expect(await codeWhen(start(folder))).toBe('DATABASE_UNSAFE');
    } finally {
      server.kill('SIGINT');
      await new Promise((done) => server.once('exit', done));
    }
  });

  it('refuses a session whose synchronous_commit is off', async () => {
    const engine = await start(made);
    const config = { ...engine.ownerUrl(), options: '-c synchronous_commit=off' };
    await expect(assertDurable(config)).rejects.toMatchObject({ code: 'DATABASE_UNSAFE' });
  });
});

function startUnsafe(folder: string, name: string, port: number): ChildProcess {
  const program = [
    join(findNative(), 'bin', 'postgres'),
    '-D',
    cluster(folder),
    '-p',
    String(port),
    '-c',
    `${name}=off`,
    '-c',
    'listen_addresses=',
    '-c',
    `unix_socket_directories=${join(folder, 'run')}`,
  ];
  const [file, ...args] = asRoot ? ['unshare', '--user', '--map-user=65534', '--map-group=65534', '--', ...program] : program;
  return spawn(String(file), args, { stdio: 'ignore' });
}

function copyOfNative(name: string): string {
  const folder = temporary(name);
  cpSync(realpathSync(findNative()), join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
  return folder;
}

function removeLinks(copy: string): number {
  const listed = JSON.parse(readFileSync(join(copy, 'native', 'pg-symlinks.json'), 'utf8')) as { target: string }[];
  const links = listed
    .map(({ target }) => join(copy, target))
    .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink());
  for (const path of links) unlinkSync(path);
  return links.length;
}

/** Starts the engine in a process of its own; resolves when it says that it is ready. */
function startInChild(
  dataDir: string,
  as: { uid?: number; gid?: number; nativeDir?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<ChildProcess> {
  const { nativeDir, ...identity } = as;
  const child = fork(join(root, 'test/support/engine-child.ts'), [dataDir, ...(nativeDir === undefined ? [] : [nativeDir])], {
    execArgv: ['-r', join(root, 'bin/ts.js')],
    cwd: '/',
    ...identity,
  });
  return new Promise((done, fail) => {
    child.once('message', (message) => {
      if (message === 'ready') done(child);
      else fail(new Error(JSON.stringify(message)));
    });
    child.once('exit', () => {
      fail(new Error('the child ended'));
    });
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  const ended = new Promise((done) => child.once('exit', done));
  child.send('stop');
  await ended;
}

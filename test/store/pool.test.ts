import { fork } from 'node:child_process';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { isCoded } from '../../src/kernel/error.js';
import type { Engine } from '../../src/store/engines/engine.js';
import { READER_ROLE, WRITER_ROLE, configAs, openPools } from '../../src/store/pool.js';
import type { TestDatabase } from '../support/database.js';
import { createDatabase } from '../support/database.js';

jest.setTimeout(60_000);

const root = resolve(__dirname, '../..');
const names = [READER_ROLE, WRITER_ROLE];
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

const engineWith = (config: Partial<ReturnType<Engine['ownerUrl']>>): Engine => ({
  ...database.engine,
  ownerUrl: () => ({ ...inParts(database.config), ...config }),
});

/** A connection string would win over the parts that a case changes. */
function inParts(config: TestDatabase['config']): TestDatabase['config'] {
  if (config.connectionString === undefined) return config;
  const { hostname, port, username, password, pathname } = new URL(config.connectionString);
  return {
    host: hostname,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
  };
}

async function asOwner(statement: string): Promise<void> {
  const client = new Client(database.config);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

describe('pools', () => {
  it('connect as roles that own nothing, bypass nothing and always flush', async () => {
    const pools = await openPools(database.engine);
    try {
      for (const [pool, role] of [
        [pools.reader, READER_ROLE],
        [pools.writer, WRITER_ROLE],
      ] as const) {
        const { rows } = await pool.query<Record<string, unknown>>(
          `select rolname, rolsuper, rolbypassrls, rolinherit, rolcreaterole, rolcreatedb, rolreplication,
                  current_setting('synchronous_commit') as flush from pg_roles where rolname = current_user`,
        );
        expect(rows).toEqual([
          {
            rolname: role,
            rolsuper: false,
            rolbypassrls: false,
            rolinherit: false,
            rolcreaterole: false,
            rolcreatedb: false,
            rolreplication: false,
            flush: 'on',
          },
        ]);
        await expect(pool.query('create table public.mine (id int)')).rejects.toMatchObject({ code: '42501' });
      }
      expect(pools.owner.options.max).toBe(2);
      expect(pools.reader.options.max).toBe(8);
      expect(pools.writer.options.max).toBe(10);
    } finally {
      await pools.end();
      await pools.end();
    }
  });

  it('repair a role that was given more or another password', async () => {
    await (await openPools(database.engine)).end();
    await asOwner(`alter role ${READER_ROLE} bypassrls inherit nologin password 'other'`);
    const pools = await openPools(database.engine);
    const { rows } = await pools.reader.query('select rolbypassrls, rolinherit from pg_roles where rolname = current_user');
    expect(rows).toEqual([{ rolbypassrls: false, rolinherit: false }]);
    await pools.end();
  });

  it('refuse a role that owns something or belongs to another role', async () => {
    await asOwner(`create table public.owned (id int); alter table public.owned owner to ${READER_ROLE}`);
    await expect(openPools(database.engine)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await asOwner('drop table public.owned');
    await asOwner(`grant pg_read_all_data to ${WRITER_ROLE}`);
    await expect(openPools(database.engine)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await asOwner(`revoke pg_read_all_data from ${WRITER_ROLE}`);
    await (await openPools(database.engine)).end();
  });

  it('are opened by many processes at once, over several databases, from passwords that are out of date', async () => {
    const other = await createDatabase();
    try {
      await asOwner(names.map((name) => `alter role ${name} password 'out of date'`).join(';'));
      const jobs = Array.from({ length: 6 }, (_, i) => openInChild(i % 2 === 0 ? database.url : other.url));
      expect(await Promise.all(jobs)).toEqual(jobs.map(() => 'opened'));
    } finally {
      await other.drop();
    }
  });

  it('survive a lost connection, idle or lent out', async () => {
    const lines: string[] = [];
    const pools = await openPools(database.engine, (line) => lines.push(line));
    const lent = await pools.reader.connect();
    await pools.writer.query('select 1');
    await asOwner(
      `select pg_terminate_backend(pid) from pg_stat_activity where usename in ('${names.join("','")}') and datname = current_database()`,
    );
    await expect(lent.query('select 1')).rejects.toThrow();
    lent.release(true);
    expect((await pools.reader.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect((await pools.writer.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(lines.join()).toContain('writer was lost');
    await pools.end();
  });

  it('say in a code that the server is away or that no password can be derived', async () => {
    for (const [config, code] of [
      [{ port: 1 }, 'DATABASE_UNAVAILABLE'],
      [{ password: '' }, 'CONFIG_INVALID'],
    ] as const) {
      const error: unknown = await openPools(engineWith(config)).catch((reason: unknown) => reason);
      expect(isCoded(error) && error.code).toBe(code);
    }
  });

  it('keep the options of a URL when the role changes', () => {
    const config = configAs(
      { connectionString: 'postgres://own:a%40b@db.example:6432/health?sslmode=require&user=own', password: 'a@b' },
      'reader',
      'p/w',
    );
    expect(config.connectionString).toBe('postgres://reader:p%2Fw@db.example:6432/health?sslmode=require');
  });
});

function openInChild(url: string): Promise<unknown> {
  const child = fork(join(root, 'test/support/pool-child.ts'), [url], { execArgv: ['-r', join(root, 'bin/ts.js')] });
  return new Promise((done, fail) => {
    child.once('message', done);
    child.once('exit', () => {
      fail(new Error('the child ended without a word'));
    });
  });
}

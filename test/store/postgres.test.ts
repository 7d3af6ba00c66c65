import type { Engine } from '../../src/store/engines/engine.js';
import { startEngine } from '../../src/store/engines/start.js';
import { ask, codeWhen } from '../support/ask.js';
import { createDatabase } from '../support/database.js';

describe('a Postgres by URL', () => {
  const connect = (url?: string): Promise<Engine> => startEngine({ kind: 'postgres', dataDir: '', url, log: () => undefined });

  it('is used as it is and never stopped', async () => {
    const database = await createDatabase();
    try {
      const engine = await connect(database.url);
      expect(await ask(engine, 'select current_database() as value')).toBe(database.name);
      await engine.stop();
      expect(await ask(engine, 'select 1 as value')).toBe(1);
    } finally {
      await database.drop();
    }
  });

  it.each([
    ['nothing', undefined, 'CONFIG_INVALID'],
    ['no URL', 'somewhere', 'CONFIG_INVALID'],
    ['another scheme', 'mysql://a:b@127.0.0.1/c', 'CONFIG_INVALID'],
    ['no password', 'postgres://a@127.0.0.1/c', 'CONFIG_INVALID'],
    ['a closed port', 'postgres://a:b@127.0.0.1:1/c', 'DATABASE_UNAVAILABLE'],
  ])('refuses %s', async (_, url, code) => {
    expect(await codeWhen(connect(url))).toBe(code);
  });

  it('refuses a wrong password and an unknown database without repeating the URL', async () => {
    const database = await createDatabase();
    await database.drop();
    const wrong = new URL(database.url);
    wrong.password = 'notthis';
    for (const url of [wrong.href, database.url]) {
      const error = await connect(url).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
      expect(String(error)).not.toMatch(/notthis|thalamus_test/);
    }
  });
});

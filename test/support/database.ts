import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolConfig } from 'pg';
import { Client, escapeIdentifier } from 'pg';
import type { Engine } from '../../src/store/engines/engine.js';

export interface TestDatabase {
  readonly name: string;
  /** The owner's connection. */
  readonly config: PoolConfig;
  /** The same as a URL, for a child process (`DATABASE_URL`). */
  readonly url: string;
  /** As `openPools` takes it; its stop() leaves the shared server alone. */
  readonly engine: Engine;
  /** Ends every connection to it and removes it. */
  drop(): Promise<void>;
}

const ATTEMPTS_MAX = 20;

/** A database of the test's own, cloned from the run's prepared template or from the one named. */
export async function createDatabase(template = process.env['THALAMUS_TEST_TEMPLATE'] ?? 'template0'): Promise<TestDatabase> {
  const name = `thalamus_test_${randomBytes(6).toString('hex')}`;
  for (let attempt = 1; ; attempt++) {
    try {
      await onServer(`create database ${escapeIdentifier(name)} template ${escapeIdentifier(template)}`);
      break;
    } catch (error) {
      // Somebody is still connected to the template: a connection that was just closed takes a moment to go.
      const busy = error instanceof Error && 'code' in error && error.code === '55006';
      if (!busy || attempt === ATTEMPTS_MAX) throw error;
      await sleep(50);
    }
  }
  const config = configOf(name);
  const engine: Engine = { name: 'postgres', ownerUrl: () => ({ ...config }), stop: () => Promise.resolve() };
  return { name, config, url: urlOf(config), engine, drop: () => dropDatabase(name) };
}

export function dropDatabase(name: string): Promise<void> {
  return onServer(`drop database if exists ${escapeIdentifier(name)} with (force)`);
}

function server(): PoolConfig {
  const text = process.env['THALAMUS_TEST_SERVER'];
  if (text === undefined) throw new Error('This jest project has no database: give it globalSetup in jest.config.js.');
  return JSON.parse(text) as PoolConfig;
}

function configOf(database: string): PoolConfig {
  const base = server();
  if (base.connectionString === undefined) return { ...base, database };
  const url = new URL(base.connectionString);
  url.pathname = `/${database}`;
  return { ...base, connectionString: url.href };
}

function urlOf(config: PoolConfig): string {
  if (config.connectionString !== undefined) return config.connectionString;
  const url = new URL('postgres://localhost');
  url.username = config.user ?? '';
  url.password = typeof config.password === 'string' ? config.password : '';
  url.pathname = `/${config.database ?? ''}`;
  url.searchParams.set('host', config.host ?? '');
  url.searchParams.set('port', String(config.port));
  return url.href;
}

async function onServer(statement: string): Promise<void> {
  const client = new Client(server());
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

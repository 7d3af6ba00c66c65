import type { PoolConfig } from 'pg';
import { CodedError, isCoded } from '../../kernel/error.js';
import { assertDurable } from './durability.js';
import type { Engine, EngineOptions } from './engine.js';
import { codeOf } from './engine.js';

const SCHEMES = new Set(['postgres:', 'postgresql:']);

/** Reasons that the operator can act on; every other failure reads 'cannot be reached'. */
const REASONS: Readonly<Record<string, string>> = {
  '28P01': 'refuses the password of DATABASE_URL',
  '28000': 'refuses the user of DATABASE_URL',
  '3D000': 'has no database of the name in DATABASE_URL',
  '53300': 'has no free connection',
  '57P03': 'is starting or stopping',
  ENOTFOUND: 'cannot be found by its host name',
  ECONNREFUSED: 'refuses connections at the host and port of DATABASE_URL',
  ETIMEDOUT: 'does not answer in time',
};

/** A Postgres >= 15 that runs elsewhere, named by URL; it is checked once and never stopped. */
export async function connectPostgres(options: EngineOptions): Promise<Engine> {
  const config = readUrl(options.url);
  try {
    await assertDurable(config);
  } catch (error) {
    if (isCoded(error)) throw error;
    const reason = REASONS[codeOf(error) ?? ''] ?? 'cannot be reached';
    throw new CodedError('DATABASE_UNAVAILABLE', `The database server ${reason}.`, { detail: String(error), cause: error });
  }
  return { name: 'postgres', ownerUrl: () => ({ ...config }), stop: () => Promise.resolve() };
}

function readUrl(url: string | undefined): PoolConfig {
  if (url === undefined || url === '') throw new CodedError('CONFIG_INVALID', 'DATABASE_URL is not set.');
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !SCHEMES.has(parsed.protocol)) {
    throw new CodedError('CONFIG_INVALID', 'DATABASE_URL is not a postgres:// URL.');
  }
  if (parsed.username === '' || parsed.password === '') {
    // The passwords of the reader and writer roles are derived from the owner's, so there has to be one.
    throw new CodedError('CONFIG_INVALID', 'DATABASE_URL names no user or no password.');
  }
  return { connectionString: url, password: decodeURIComponent(parsed.password) };
}

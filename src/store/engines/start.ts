import { startEmbedded } from './embedded.js';
import type { Engine, EngineOptions } from './engine.js';
import { connectPostgres } from './postgres.js';

/**
 * Gives a Postgres that answers, is of version 15 or later and keeps what it acknowledges.
 * Throws DATABASE_UNAVAILABLE, DATABASE_UNSAFE, DISK_FULL or CONFIG_INVALID, each with one clear line.
 */
export function startEngine(options: EngineOptions): Promise<Engine> {
  return options.kind === 'embedded' ? startEmbedded(options) : connectPostgres(options);
}

import type { PoolConfig } from 'pg';
import type { Machine } from './account.js';

/** A running Postgres, whichever way it came to run (spec/pipelines.md section 10). */
export interface Engine {
  readonly name: 'embedded' | 'postgres';
  /** How the owner of the schema connects. Holds a secret: never log it. A fresh object at every call. */
  ownerUrl(): PoolConfig;
  /** Stops the server when this process started it; otherwise does nothing. May be called twice. */
  stop(): Promise<void>;
}

export interface EngineOptions {
  readonly kind: Engine['name'];
  /** Folder of the product's own data; made when absent. Unused by `postgres`. */
  readonly dataDir: string;
  /** A `postgres://` URL with user and password; required by `postgres`. */
  readonly url?: string | undefined;
  /** One line for the operator: what happens and what was recovered from. Never a secret. */
  readonly log: (line: string) => void;
  /** Tests only: the folder that holds bin/, lib/ and pg-symlinks.json instead of the installed package's. */
  readonly nativeDir?: string | undefined;
  /** Tests only: what this machine allows, instead of what it was found to allow. */
  readonly machine?: Machine | undefined;
}

/** The SQLSTATE or system code of an error of pg or node, when it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

import { Client } from 'pg';
import type { ErrorCode } from '../../src/kernel/error.js';
import { isCoded } from '../../src/kernel/error.js';
import type { Engine } from '../../src/store/engines/engine.js';

/** The column `value` of the first row, over a connection of its own. */
export async function ask<T>(engine: Engine, statement: string): Promise<T | undefined> {
  const client = new Client(engine.ownerUrl());
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ value: T }>(statement);
    return rows[0]?.value;
  } finally {
    await client.end();
  }
}

/** The code with which the work fails; undefined when it succeeds. Other errors pass through. */
export async function codeWhen(work: Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await work;
  } catch (error) {
    if (isCoded(error)) return error.code;
    throw error;
  }
  return undefined;
}

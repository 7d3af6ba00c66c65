import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Format, Parsed, ParsedFault, ParsedRecord } from '../../../../src/kernel/format.js';

export const CLINICAL = resolve(__dirname, '../../../../../shared/data/clinical');

/** Runs the suite where the data folder is; elsewhere skips it with a reason, and fails under CI. */
export function describeWithData(name: string, suite: () => void): void {
  if (existsSync(CLINICAL)) describe(name, suite);
  else if (process.env['CI'] !== undefined)
    test(name, () => {
      throw new Error('../shared/data/clinical is absent');
    });
  else test.skip(`${name} (skipped: ../shared/data/clinical is absent)`, () => undefined);
}

export async function* pieces(bytes: Uint8Array, size = bytes.length): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function readAs<T>(format: Format<T>, content: unknown, options: { name?: string; size?: number } = {}): Promise<Parsed<T>[]> {
  const bytes = content instanceof Uint8Array ? content : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  const found: Parsed<T>[] = [];
  for await (const one of format.parse(pieces(bytes, options.size), { name: options.name ?? 'file', now: 0 })) found.push(one);
  return found;
}

export const values = <T>(parsed: readonly Parsed<T>[]): T[] =>
  parsed.filter((one): one is ParsedRecord<T> => one.ok).map((one) => one.value);
export const faults = <T>(parsed: readonly Parsed<T>[]): [string, string][] =>
  parsed.filter((one): one is ParsedFault => !one.ok).map((one) => [one.code, one.place]);

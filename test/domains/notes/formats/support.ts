import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import * as path from 'node:path';
import type { Format, Parsed } from '../../../../src/kernel/format.js';

export const DATA = path.resolve(__dirname, '../../../../../shared/data/notes');

/** `describe` over real files: says why it is skipped when they are absent, and fails instead when CI is set. */
export function describeWithData(title: string, body: () => void): void {
  if (existsSync(DATA)) describe(title, body);
  else if (process.env['CI'] !== undefined && process.env['CI'] !== '')
    it(`${title}: the data folder is present in CI`, () => {
      throw new Error(`${DATA} is absent`);
    });
  else describe.skip(`${title} (skipped: ../shared/data/notes is absent)`, body);
}

export async function* chunks(bytes: Uint8Array, size = 4096): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

export async function read<T>(format: Format<T>, content: Uint8Array | string, name = 'note', size = 4096): Promise<Parsed<T>[]> {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  const out: Parsed<T>[] = [];
  for await (const parsed of format.parse(chunks(bytes, size), { name, now: 0 })) out.push(parsed);
  return out;
}

/** The values of all records; throws when one of them is a fault. */
export async function values<T>(format: Format<T>, content: Uint8Array | string): Promise<T[]> {
  return (await read(format, content)).map((parsed) => {
    if (!parsed.ok) throw new Error(`${parsed.code} at ${parsed.place}: ${parsed.reason}`);
    return parsed.value;
  });
}

export async function value<T>(format: Format<T>, content: Uint8Array | string): Promise<T> {
  const [only] = await values(format, content);
  if (only === undefined) throw new Error('no record');
  return only;
}

export function filesBelow(folder: string, ending: string): string[] {
  const out: string[] = [];
  for (const name of readdirSync(folder).sort()) {
    const file = path.join(folder, name);
    if (statSync(file).isDirectory()) out.push(...filesBelow(file, ending));
    else if (name.endsWith(ending)) out.push(file);
  }
  return out;
}

export function bytesOf(...parts: string[]): Buffer {
  return readFileSync(path.join(DATA, ...parts));
}

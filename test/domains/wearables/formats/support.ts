import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Format, Parsed, ParsedFault } from '../../../../src/kernel/format.js';
import { samplesOf } from '../../../../src/domains/wearables/formats/sample.js';
import type { WearableBatch, WearableSample } from '../../../../src/domains/wearables/formats/sample.js';

/** The public wearables data beside the project. */
export const DATA = path.resolve(__dirname, '../../../../../shared/data/wearables');

export const NOW = Date.UTC(2026, 0, 1);

/** `describe` where the data are; a printed reason to skip elsewhere, and a failure where CI must have them. */
export function describeWithData(name: string, body: () => void): void {
  if (existsSync(DATA)) {
    describe(name, body);
    return;
  }
  if (process.env['CI'] !== undefined) {
    test(name, () => {
      throw new Error('the data folder ../shared/data/wearables is absent');
    });
    return;
  }
  process.stderr.write(`skipped: ${name} (no ../shared/data/wearables)\n`);
  describe.skip(name, body);
}

export async function* chunks(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

export interface Gathered {
  readonly batches: WearableBatch[];
  readonly samples: WearableSample[];
  readonly faults: ParsedFault[];
}

/** Runs a format over bytes and sorts what it yields. */
export async function gather(
  format: Format<WearableBatch>,
  bytes: Uint8Array | string,
  options: { name?: string; now?: number; chunk?: number } = {},
): Promise<Gathered> {
  const raw = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
  const all: Parsed<WearableBatch>[] = [];
  for await (const parsed of format.parse(chunks(raw, options.chunk), { name: options.name ?? 'file', now: options.now ?? NOW }))
    all.push(parsed);
  const batches = all.flatMap((parsed) => (parsed.ok ? [parsed.value] : []));
  const faults = all.flatMap((parsed) => (parsed.ok ? [] : [parsed]));
  return { batches, samples: batches.flatMap((batch) => [...samplesOf(batch)]), faults };
}

/** All files under a folder, sorted. */
export function filesUnder(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const full = path.join(folder, name);
      return statSync(full).isDirectory() ? filesUnder(full) : [full];
    });
}

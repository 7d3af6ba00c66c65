import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Parsed } from '../../../../src/kernel/format.js';
import { CodedError } from '../../../../src/kernel/error.js';
import { vcf, type VcfRecord } from '../../../../src/domains/genomics/formats/vcf.js';
import type { VcfHeader } from '../../../../src/domains/genomics/formats/vcf-header.js';
import type { VcfSite } from '../../../../src/domains/genomics/formats/vcf-site.js';

export const DATA = resolve(__dirname, '../../../../../shared/data/genomics');
const present = existsSync(DATA);

/** Runs the tests against the public files; skips them, saying so, where the files are absent, unless CI is set. */
export function describeWithData(name: string, body: () => void): void {
  if (present || process.env['CI'] !== undefined) {
    describe(name, body);
    return;
  }
  process.stderr.write(`skipped: ${name}: ../shared/data/genomics is absent\n`);
  describe.skip(name, body);
}

export function vcfFilesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.vcf(\.gz)?$/.test(file))
    .map((file) => join(folder, file))
    .sort();
}

export interface Outcome {
  readonly header: VcfHeader | undefined;
  readonly sites: VcfSite[];
  readonly faults: Extract<Parsed<VcfRecord>, { ok: false }>[];
  readonly thrown: CodedError | undefined;
  readonly order: Parsed<VcfRecord>[];
}

/** Reads to the end or to the thrown error; anything thrown that is not a CodedError is passed on. */
export async function readVcf(input: AsyncIterable<Uint8Array>, assembly?: string): Promise<Outcome> {
  const order: Parsed<VcfRecord>[] = [];
  let thrown: CodedError | undefined;
  try {
    const options = { name: 'x.vcf', now: 0 };
    for await (const record of vcf.parse(input, assembly === undefined ? options : { ...options, assembly })) order.push(record);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    thrown = error;
  }
  const header = order.find((record) => record.ok && record.value.kind === 'header');
  return {
    header: header?.ok === true && header.value.kind === 'header' ? header.value.header : undefined,
    sites: order.flatMap((record) => (record.ok && record.value.kind === 'site' ? [record.value.site] : [])),
    faults: order.filter((record) => !record.ok),
    thrown,
    order,
  };
}

export function readVcfFile(file: string): Promise<Outcome> {
  return readVcf(createReadStream(file));
}

/** The bytes in pieces of the given size. */
export async function* pieces(bytes: Uint8Array | string, size = 65_536): AsyncGenerator<Uint8Array> {
  const all = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  for (let at = 0; at < all.length; at += size) yield Promise.resolve(all.subarray(at, at + size));
}

import { CodedError } from '../kernel/error.js';
import { gunzip, isGzip } from './gunzip.js';
import type { PipelinePlan, PlannedBinding } from './plan.js';
import { unsupportedKind } from './unsupported.js';

const HEAD_BYTES = 4_096;
/** A compressed head of this size inflates to more than HEAD_BYTES in practice. */
const GZIP_HEAD_BYTES = 65_536;
const TAR_MAGIC_AT = 257;

export type Detected = { readonly kind: 'file'; readonly planned: PlannedBinding } | { readonly kind: 'zip' | 'tar' };

/** The first 4 KiB, gunzipped where the file is gzip. Damage after that is left for the reader to find. */
export async function headOf(input: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const raw = await first(input, GZIP_HEAD_BYTES);
  if (!isGzip(raw)) return raw.subarray(0, HEAD_BYTES);
  async function* only(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(raw);
  }
  return (await first(gunzip(only()), HEAD_BYTES)).subarray(0, HEAD_BYTES);
}

async function first(input: AsyncIterable<Uint8Array>, bytes: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of input) {
      parts.push(part);
      size += part.length;
      if (size >= bytes) break;
    }
  } catch (error) {
    if (size === 0) throw error;
  }
  return Buffer.concat(parts).subarray(0, bytes);
}

/**
 * What kind of file it is: formats are asked in the order of the plan, those of `product` only where one is named.
 * Throws FILE_EMPTY, FORMAT_UNSUPPORTED with what is wrong with the kind, or FORMAT_UNKNOWN.
 */
export function detect(head: Uint8Array, name: string, plan: PipelinePlan, product?: string): Detected {
  if (head.length === 0) throw new CodedError('FILE_EMPTY', 'The file holds no bytes.', { place: 'byte 0' });
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.length);
  const magic = bytes.readUIntBE(0, Math.min(4, bytes.length));
  if (magic === 0x504b0304 || magic === 0x504b0506) return { kind: 'zip' };
  if (bytes.subarray(TAR_MAGIC_AT, TAR_MAGIC_AT + 5).toString('latin1') === 'ustar') return { kind: 'tar' };
  // The ending of a compressed file is that of what it holds.
  const inner = name.toLowerCase().replace(/\.(gz|bgz)$/, '');
  const planned = plan.bindings.find(({ binding }) => binding.format.sniff(head, inner));
  const place = 'byte 0';
  if (planned === undefined) {
    const says = unsupportedKind(head, inner);
    if (says !== undefined) throw new CodedError('FORMAT_UNSUPPORTED', says, { place });
    throw new CodedError('FORMAT_UNKNOWN', 'The first bytes belong to no format that is read.', { place });
  }
  if (product !== undefined && planned.product !== product) {
    throw new CodedError('FORMAT_UNSUPPORTED', `The file is ${planned.binding.format.name}, which belongs to ${planned.product}.`, { place });
  }
  return { kind: 'file', planned };
}

import { CodedError, isCoded } from '../kernel/error.js';
import { gunzip, isGzip } from './gunzip.js';
import type { PipelinePlan, PlannedBinding } from './plan.js';
import { unsupportedKind } from './unsupported.js';

const HEAD_BYTES = 4_096;
/** A compressed head of this size inflates to more than HEAD_BYTES in practice. */
const GZIP_HEAD_BYTES = 65_536;
const TAR_MAGIC_AT = 257;

export type Detected = { readonly kind: 'file'; readonly planned: PlannedBinding } | { readonly kind: 'zip' | 'tar' };

export interface Head {
  readonly bytes: Buffer;
  /** Why the compressed head could not be inflated further, where the whole file was read for it. */
  readonly fault: unknown;
}

/** The first 4 KiB, gunzipped where the file is gzip. Damage after that is left for the reader to find. */
export async function headOf(input: AsyncIterable<Uint8Array>): Promise<Head> {
  const raw = await first(input, GZIP_HEAD_BYTES);
  if (raw.fault !== undefined) throw raw.fault instanceof Error ? raw.fault : new Error('the file cannot be read');
  if (!isGzip(raw.bytes)) return { bytes: raw.bytes.subarray(0, HEAD_BYTES), fault: undefined };
  async function* only(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(raw.bytes);
  }
  const { bytes, fault } = await first(gunzip(only()), HEAD_BYTES);
  return { bytes, fault: raw.bytes.length < GZIP_HEAD_BYTES ? fault : undefined };
}

async function first(input: AsyncIterable<Uint8Array>, bytes: number): Promise<Head> {
  const parts: Uint8Array[] = [];
  let size = 0;
  let fault: unknown;
  try {
    for await (const part of input) {
      parts.push(part);
      size += part.length;
      if (size >= bytes) break;
    }
  } catch (error) {
    fault = error;
  }
  return { bytes: Buffer.concat(parts).subarray(0, bytes), fault };
}

/**
 * What kind of file it is: formats are asked in the order of the plan, those of `product` only where one is named.
 * Throws FILE_EMPTY, the fault of the head where that hides the kind, FORMAT_UNSUPPORTED with what is wrong with the kind, or FORMAT_UNKNOWN.
 */
export function detect({ bytes: head, fault }: Head, name: string, plan: PipelinePlan, product?: string): Detected {
  if (head.length === 0 && fault === undefined) throw new CodedError('FILE_EMPTY', 'The file holds no bytes.', { place: 'byte 0' });
  const magic = head.length < 4 ? 0 : head.readUInt32BE(0);
  if (magic === 0x504b0304 || magic === 0x504b0506) return { kind: 'zip' };
  if (head.subarray(TAR_MAGIC_AT, TAR_MAGIC_AT + 5).toString('latin1') === 'ustar') return { kind: 'tar' };
  // The ending of a compressed file is that of what it holds.
  const inner = name.toLowerCase().replace(/\.(gz|bgz)$/, '');
  const planned = plan.bindings.find(({ binding }) => binding.format.sniff(head, inner));
  const place = 'byte 0';
  if (planned === undefined) {
    if (isCoded(fault)) throw fault;
    const says = unsupportedKind(head, inner);
    if (says !== undefined) throw new CodedError('FORMAT_UNSUPPORTED', says, { place });
    throw new CodedError('FORMAT_UNKNOWN', 'The first bytes belong to no format that is read.', { place });
  }
  if (product !== undefined && planned.product !== product) {
    throw new CodedError('FORMAT_UNSUPPORTED', `The file is ${planned.binding.format.name}, which belongs to ${planned.product}.`, {
      place,
    });
  }
  return { kind: 'file', planned };
}

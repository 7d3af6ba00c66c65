import { createHash } from 'node:crypto';

/**
 * Ids of one record: UUID v7 (RFC 9562, section 5.7) whose time is the arrival of the file and whose other bits follow from the record,
 * so that reading the record again gives the same ids.
 */
export function idsOf(digest: string, ordinal: number, arrivedAt: number, purpose = 'row'): () => string {
  let count = 0;
  const time = arrivedAt.toString(16).padStart(12, '0').slice(-12);
  return () => {
    const bits = createHash('sha256').update(`${digest}\n${ordinal}\n${purpose}\n${count++}`).digest();
    bits[0] = 0x70 | ((bits[0] ?? 0) & 0x0f);
    bits[2] = 0x80 | ((bits[2] ?? 0) & 0x3f);
    const hex = bits.toString('hex');
    return `${time.slice(0, 8)}-${time.slice(8)}-${hex.slice(0, 4)}-${hex.slice(4, 8)}-${hex.slice(8, 20)}`;
  };
}

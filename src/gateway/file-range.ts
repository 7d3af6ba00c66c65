/** Bytes from `from` up to and without `to`. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

const HEADER_CHARS_MAX = 64;

/**
 * The one range of a Range header (RFC 9110 section 14.2), null where the whole is sent: no header, another unit, several ranges, or one that is
 * badly written, all of which a server may ignore. A header that is longer than one range can be is not looked at.
 */
export function rangeOf(headers: readonly string[], bytes: number): ByteRange | 'unsatisfiable' | null {
  const [header] = headers;
  if (headers.length !== 1 || header === undefined || header.length > HEADER_CHARS_MAX) return null;
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header) ?? [];
  if (first === '' && last === '') return null;
  if (first === '') {
    const suffix = Math.min(Number(last), bytes);
    return suffix === 0 ? 'unsatisfiable' : { from: bytes - suffix, to: bytes };
  }
  if (last !== '' && Number(last) < Number(first)) return null;
  if (Number(first) >= bytes) return 'unsatisfiable';
  return { from: Number(first), to: last === '' ? bytes : Math.min(Number(last) + 1, bytes) };
}

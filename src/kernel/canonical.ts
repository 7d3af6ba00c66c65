import { createHash } from 'node:crypto';

/**
 * One text for one value: keys in code unit order, no white space, numbers as ECMAScript prints them (the form of RFC 8785). What JSON does not have becomes
 * null, and keys without a value are left out.
 */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(',')}}`;
  }
  return value === undefined ? 'null' : JSON.stringify(value);
}

/** SHA-256 in lower-case hexadecimal. */
export const digestOf = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

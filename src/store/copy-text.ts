import type { SqlType } from '../kernel/index.js';
import { CodedError } from '../kernel/error.js';

type Row = Readonly<Record<string, unknown>>;

const NULL = '\\N';
const PLAIN = /^[^\\\t\n\r\0]*$/;

/** One line of COPY in its text format, with its end. `lead` stands before the columns. Throws ENCODING_INVALID and SAMPLE_INVALID. */
export function copyLine(lead: string, columns: readonly (readonly [string, SqlType])[], row: Row): string {
  let line = lead;
  for (const [name, type] of columns) {
    const value = row[name];
    if (line !== '') line += '\t';
    line += value === null || value === undefined ? NULL : fieldOf(value, type, name);
  }
  return `${line}\n`;
}

function fieldOf(value: unknown, type: SqlType, name: string): string {
  const text = literalOf(value, type, name);
  if (type === 'bytea') return `\\${text}`;
  return NEVER_ESCAPED.has(type) ? text : escaped(text);
}

const NEVER_ESCAPED: ReadonlySet<SqlType> = new Set(['bool', 'int', 'bigint', 'float8']);

/** A value as Postgres reads its type from text. Throws ENCODING_INVALID and SAMPLE_INVALID. */
export function literalOf(value: unknown, type: SqlType, name: string): string {
  switch (type) {
    case 'bytea':
      if (value instanceof Uint8Array) return `\\x${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}`;
      break;
    case 'text[]':
      if (Array.isArray(value)) return whole(arrayOf(value as unknown[], name), name);
      break;
    case 'json':
      // Text is taken as JSON already written; a value that is itself a text comes quoted.
      return whole(typeof value === 'string' ? value : JSON.stringify(value), name);
    case 'timestamptz':
    case 'date':
      if (value instanceof Date && !Number.isNaN(value.getTime())) {
        return type === 'date' ? value.toISOString().slice(0, 10) : value.toISOString();
      }
      if (typeof value === 'string') return whole(value, name);
      break;
    case 'bool':
      if (typeof value === 'boolean') return value ? 't' : 'f';
      break;
    case 'int':
    case 'bigint':
      if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value);
      break;
    case 'float8':
      // Infinity and NaN are written as Postgres reads them.
      if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
      break;
    case 'uuid':
    case 'text':
      if (typeof value === 'string') return whole(value, name);
      break;
  }
  throw new CodedError('SAMPLE_INVALID', `The value of column ${name} is not of type ${type}.`, { place: name });
}

function whole(text: string, name: string): string {
  if (text.includes('\0')) throw new CodedError('ENCODING_INVALID', `The text of column ${name} holds a NUL character.`, { place: name });
  return text;
}

function escaped(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(/[\\\t\n\r]/g, (found) => (found === '\\' ? '\\\\' : found === '\t' ? '\\t' : found === '\n' ? '\\n' : '\\r'));
}

/** The text form of a one-dimensional array; every item is quoted, so that no word is taken for null. */
function arrayOf(items: readonly unknown[], name: string): string {
  const parts = items.map((item) => {
    if (item === null) return 'NULL';
    if (typeof item !== 'string') throw new CodedError('SAMPLE_INVALID', `An item of column ${name} is no text.`, { place: name });
    return `"${item.replace(/["\\]/g, '\\$&')}"`;
  });
  return `{${parts.join(',')}}`;
}

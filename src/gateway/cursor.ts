import { createHash } from 'node:crypto';
import { CodedError, type EntityDeclaration } from '../kernel/index.js';
import type { ColumnTypes } from '../store/index.js';
import { isStorable } from './step.js';

/** Which list a cursor belongs to: the field, its order and all its arguments but the page. */
export interface CursorScope {
  readonly coordinate: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly order: string;
}

export function cursorDigest({ coordinate, args, order }: CursorScope): string {
  const rest = Object.entries(args).filter(([name]) => name !== 'first' && name !== 'after' && name !== 'orderBy');
  rest.sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([coordinate, order, rest]))
    .digest('base64url')
    .slice(0, 12);
}

/** Base64 of [digest, sort key, row key ...]. It says where to go on; which rows are shown is decided anew on every page. */
export function encodeCursor(scope: CursorScope, position: readonly string[]): string {
  const parts = [cursorDigest(scope), ...position].map((each) => JSON.stringify(each));
  // The spacing is that of json_build_array, so that both executors give the same text.
  return Buffer.from(`[${parts.join(', ')}]`, 'utf8').toString('base64');
}

/** Types of the position in a list: its sort key, then its row key. */
export function positionTypes(types: ColumnTypes, { table, key }: EntityDeclaration, order: string | undefined): string[] {
  const columns = [...(order === undefined ? [] : [order]), ...key.filter((name) => name !== order)];
  return columns.map((name) => types.get(table)?.get(name) ?? 'text');
}

/** The position of a cursor. Anybody can write one, so that each part must be a value of its type. Throws CURSOR_INVALID. */
export function decodeCursor(cursor: string, scope: CursorScope, types: readonly string[]): readonly string[] {
  try {
    const [digest, ...position]: unknown[] = JSON.parse(Buffer.from(cursor, 'base64').toString('utf8')) as unknown[];
    if (
      digest === cursorDigest(scope) &&
      position.length === types.length &&
      position.every((part, i): part is string => isOf(types[i], part))
    )
      return position;
  } catch {
    // Whatever the text was, it is no cursor of this list.
  }
  throw new CodedError('CURSOR_INVALID', 'The cursor does not belong to this list.', { place: `${scope.coordinate}(after:)` });
}

const INT_MAX: Readonly<Record<string, bigint>> = { int2: 2n ** 15n, int4: 2n ** 31n, int8: 2n ** 63n };

/** True where a text is a value of a type as Postgres prints it. */
function isOf(type: string | undefined, part: unknown): boolean {
  if (typeof part !== 'string' || !isStorable(part)) return false;
  switch (type) {
    case 'uuid':
      return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(part);
    case 'int2':
    case 'int4':
    case 'int8':
      return /^-?\d{1,19}$/.test(part) && BigInt(part) < (INT_MAX[type] ?? 0n) && BigInt(part) >= -(INT_MAX[type] ?? 0n);
    case 'float8':
      return /^-?\d{1,17}(?:\.\d{1,17})?(?:e[-+]?\d{1,2})?$/.test(part);
    case 'bool':
      return part === 'true' || part === 'false';
    case 'date':
    case 'timestamptz':
      return /^\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d{1,6})?\+00)?$/.test(part) && !Number.isNaN(Date.parse(part.slice(0, 10)));
    default:
      return true;
  }
}

import { createHash } from 'node:crypto';
import { CodedError } from '../kernel/index.js';

/** Which list a cursor belongs to: the field, its order and all its arguments but the page. */
export interface CursorScope {
  readonly coordinate: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly order: string;
}

export function cursorDigest({ coordinate, args, order }: CursorScope): string {
  const rest = Object.entries(args).filter(([name]) => name !== 'first' && name !== 'after' && name !== 'orderBy');
  rest.sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify([coordinate, order, rest])).digest('base64url').slice(0, 12);
}

/** Base64 of [digest, sort key, row key ...]. It says where to go on; which rows are shown is decided anew on every page. */
export function encodeCursor(scope: CursorScope, position: readonly string[]): string {
  const parts = [cursorDigest(scope), ...position].map((each) => JSON.stringify(each));
  // The spacing is that of json_build_array, so that both executors give the same text.
  return Buffer.from(`[${parts.join(', ')}]`, 'utf8').toString('base64');
}

export function decodeCursor(cursor: string, scope: CursorScope): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64').toString('utf8'));
    if (Array.isArray(parts) && parts[0] === cursorDigest(scope) && parts.slice(1).every((part) => typeof part === 'string')) return parts.slice(1) as string[];
  } catch {
    // Whatever the text was, it is no cursor of this list.
  }
  throw new CodedError('CURSOR_INVALID', 'The cursor does not belong to this list.', { place: `${scope.coordinate}(after:)` });
}

import { createHash } from 'node:crypto';

const NAMES_KNOWN_MAX = 10_000;
const known = new Map<string, string>();

/** The name of a statement by its text: a named one is parsed and planned once a connection. For texts that come again only. */
export function statementName(text: string): string {
  const found = known.get(text);
  if (found !== undefined) return found;
  if (known.size >= NAMES_KNOWN_MAX) known.clear();
  const made = createHash('sha256').update(text).digest('base64url').slice(0, 24);
  known.set(text, made);
  return made;
}

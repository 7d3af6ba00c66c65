import type { ExportCursor, RunSource } from '../evidence/index.js';
import { CodedError } from '../kernel/index.js';
import type { EvidenceStore } from '../store/index.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface FeedParts {
  readonly evidence: EvidenceStore;
  readonly cursor: ExportCursor;
  readonly source: RunSource;
  readonly clock: () => number;
  /** For the operator; lines hold codes and ids, never words of the other side. */
  readonly log: (line: string) => void;
}

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** An address that a setting names: https, or http on this machine. Throws CONFIG_INVALID without repeating it. */
export function httpsUrl(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const good =
    url !== null && url.username === '' && (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.has(url.hostname)));
  if (!good) throw new CodedError('CONFIG_INVALID', `${name} is an https address without a user name; on this machine it may be http.`);
  return url.href;
}

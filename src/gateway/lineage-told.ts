import { CodedError, digestOf, isUuid, type SightingFacts, type SightingsQuestion, type UseFacts } from '../kernel/index.js';
import type { DisclosedRun, RunDetails, Use } from '../store/index.js';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export const iso = (ms: number): string => new Date(ms).toISOString();
export const isDay = (text: string): boolean => DAY.test(text) && Number.isFinite(Date.parse(text));
export const use = ({ runs, firstAt, lastAt }: Use): UseFacts => ({ runs, firstAt: firstAt.toISOString(), lastAt: lastAt.toISOString() });
export const textsOf = (list: unknown): string[] =>
  Array.isArray(list) ? list.filter((each): each is string => typeof each === 'string') : [];

export function modelOf(
  facts: Readonly<Record<string, unknown>>,
): { readonly id: string; readonly name: string; readonly trained: boolean } | null {
  const model = facts['model'];
  if (typeof model !== 'object' || model === null || !('id' in model) || !('version' in model)) return null;
  return { id: String(model.id), name: `${String(model.id)}@${String(model.version)}`, trained: 'known' in model };
}

export const sighting = (run: DisclosedRun, details: RunDetails | undefined, glass: ReadonlySet<string>): SightingFacts => ({
  run: run.runId,
  at: iso(run.at),
  principal: details?.principal ?? null,
  roles: details?.roles ?? [],
  purpose: run.purpose,
  recipient: run.recipient,
  plan: details?.plan ?? null,
  document: typeof details?.document === 'string' ? digestOf(details.document) : null,
  breakGlass: textsOf(run.facts['breakGlass']).some((id) => glass.has(id)),
});

type Asked = Pick<SightingsQuestion, 'patientId' | 'from' | 'to'>;
const CURSOR_WORDS = 5;
const wordsOf = ({ patientId, from, to }: Asked): string[] => [patientId.toLowerCase(), String(from), String(to)];

export const cursorOf = ({ at, runId }: DisclosedRun, asked: Asked): string =>
  Buffer.from(JSON.stringify([...wordsOf(asked), String(at), runId])).toString('base64url');

/** Throws CURSOR_INVALID for a cursor of another question. */
export function readCursor(text: string, asked: Asked): { readonly at: number; readonly run: string } {
  try {
    const words = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown;
    const [at, run] = textsOf(words).slice(CURSOR_WORDS - 2);
    const same = Array.isArray(words) && words.length === CURSOR_WORDS && wordsOf(asked).every((word, i) => word === words[i]);
    if (same && run !== undefined && isUuid(run) && Number.isSafeInteger(Number(at))) return { at: Number(at), run };
  } catch {
    // What is no JSON is no cursor.
  }
  throw new CodedError('CURSOR_INVALID', 'The cursor is not one of this question.', { place: 'after' });
}

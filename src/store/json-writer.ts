import type { ReaderPlan, ValueSelection } from '../kernel/index.js';

/** The JSON text of what a reader returned, cut to the selection. Values keep the order of the selection, as the executor would give them. */
export function valueJson(selection: ValueSelection, value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return `[${value.map((each) => valueJson(selection, each)).join(',')}]`;
  const source = value as Readonly<Record<string, unknown>>;
  const parts = selection.map((each) => {
    const text =
      each.kind === 'typename'
        ? JSON.stringify(each.value)
        : each.of
          ? valueJson(each.of, source[each.name])
          : scalarJson(source[each.name]);
    return `${JSON.stringify(each.key)}:${text}`;
  });
  return `{${parts.join(',')}}`;
}

function scalarJson(value: unknown): string {
  // NaN and infinities have no JSON form.
  if (value === undefined || value === null || (typeof value === 'number' && !Number.isFinite(value))) return 'null';
  return JSON.stringify(value);
}

/** Where a reader's answer belongs in the text that Postgres wrote. */
interface Mark {
  readonly start: number;
  readonly end: number;
  readonly reader: number;
  /** Base64 of the JSON array of the parent's columns. */
  readonly key: string;
}

/** Finds the marks `"<nonce>:<reader>:<key>:"`. The nonce is drawn for each request, so no datum can hold it. */
export function findMarks(text: string, nonce: string): Mark[] {
  const pattern = new RegExp(`"${nonce}:(\\d+):([A-Za-z0-9+/=]*):"`, 'g');
  return [...text.matchAll(pattern)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    reader: Number(match[1]),
    key: match[2] ?? '',
  }));
}

/** The parent row that a mark names. */
export function parentOf(plan: ReaderPlan, key: string): Record<string, unknown> {
  const values = JSON.parse(Buffer.from(key, 'base64').toString('utf8')) as unknown[];
  return Object.fromEntries(plan.field.parent.map((name, i) => [name, values[i]]));
}

export function splice(text: string, marks: readonly Mark[], answer: (mark: Mark) => string): string {
  const parts: string[] = [];
  let at = 0;
  for (const mark of marks) {
    parts.push(text.slice(at, mark.start), answer(mark));
    at = mark.end;
  }
  parts.push(text.slice(at));
  return parts.join('');
}

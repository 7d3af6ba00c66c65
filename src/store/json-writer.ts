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

/** Where an answer belongs that Postgres did not write: of a reader, a count, or whether there is anything to count. */
export interface Mark {
  readonly start: number;
  readonly end: number;
  readonly kind: 'reader' | 'count' | 'exists';
  /** Index of the arguments of the field. */
  readonly field: number;
  /** Base64: of the JSON array of a reader's parent columns, or of the persons who are counted. */
  readonly key: string;
}

const KINDS = { '': 'reader', n: 'count', e: 'exists' } as const;

/** Finds the marks `"<nonce>:<kind><field>:<key>:"`. The nonce is drawn for each request, so no datum can hold it. */
export function findMarks(text: string, nonce: string): Mark[] {
  const pattern = new RegExp(`"${nonce}:([ne]?)(\\d+):([A-Za-z0-9+/=]*):"`, 'g');
  return [...text.matchAll(pattern)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    kind: KINDS[(match[1] ?? '') as keyof typeof KINDS],
    field: Number(match[2]),
    key: match[3] ?? '',
  }));
}

const UUID_BYTES = 16;
const ENTRY_BYTES = UUID_BYTES + 4;

/** The persons that a mark of a count names, with the rows of each. */
export function countedIn(key: string): { persons: string[]; rows: number[] } {
  const bytes = Buffer.from(key, 'base64');
  const persons: string[] = [];
  const rows: number[] = [];
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    const hex = bytes.toString('hex', at, at + UUID_BYTES);
    persons.push(`${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`);
    rows.push(bytes.readInt32BE(at + UUID_BYTES));
  }
  return { persons, rows };
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

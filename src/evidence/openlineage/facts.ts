import { MODALITIES, isUuid } from '../../kernel/index.js';
import type { AuditRecord } from '../entry.js';

/** A model that a run trained or asked, and what there was for it. */
export interface FusionFacts {
  readonly act: 'train' | 'run';
  readonly id: string;
  readonly version: string | null;
  readonly digest: string | null;
  /** Request that trained it, where it is told. */
  readonly trainedBy: string | null;
  readonly used: readonly string[];
  readonly missing: readonly { readonly modality: string; readonly reason: string }[];
  readonly withheld: readonly string[];
  /** Version of the feature view by modality. */
  readonly features: Readonly<Record<string, string>>;
  /** Version of each table that the model was trained on, where it is told. */
  readonly trainingData: Readonly<Record<string, number>> | null;
}

/** A stored file that was loaded, or handed out whole or in part. */
export interface FileFacts {
  readonly digest: string | null;
  /** Bytes as `from-to/size`. */
  readonly range: string | null;
}

export interface IngestFacts {
  readonly product: string | null;
  readonly format: string | null;
  readonly rows: Readonly<Record<string, number>>;
}

/**
 * What of the facts of a record may stand in an event. Facts are free in form, so nothing is copied as it stands: each member is read by name and
 * passes only in the form that it has to have. What does not is left out.
 */
const WORD = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const TABLE = /^[a-z][a-z0-9_]{0,62}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const CODE = /^[A-Z][A-Z0-9_]{0,63}$/;
const RANGE = /^\d{1,16}-\d{1,16}\/\d{1,16}$/;

type Json = Readonly<Record<string, unknown>>;
const objectIn = (value: unknown): Json => (value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Json) : {});
const textIn = (value: unknown, form: RegExp): string | null => (typeof value === 'string' && form.test(value) ? value : null);
const countIn = (value: unknown): number | null => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null);
const isModality = (name: unknown): name is string => typeof name === 'string' && Object.hasOwn(MODALITIES, name);

function entriesOf<T>(value: unknown, isName: (name: string) => boolean, read: (value: unknown) => T | null): Record<string, T> {
  const entries = Object.entries(objectIn(value)).flatMap(([name, each]): [string, T][] => {
    const found = isName(name) ? read(each) : null;
    return found === null ? [] : [[name, found]];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Counts or versions by table. */
const byTable = (value: unknown): Record<string, number> => entriesOf(value, (name) => TABLE.test(name), countIn);

export const versionsOf = ({ versions }: AuditRecord): Record<string, number> => byTable(versions);

/** Stable code of a run that failed; a code that is none is not told. */
export const codeOf = ({ code }: AuditRecord): string => textIn(code, CODE) ?? 'INTERNAL';

export const digestIn = (value: unknown): string | null => textIn(value, DIGEST);

export function fusionFacts({ kind, facts }: AuditRecord): FusionFacts | null {
  const model = objectIn(facts['model']);
  const id = textIn(model['id'], WORD);
  if (id === null || kind !== 'mutation') return null;
  const withheld = entriesOf(facts['withheld'], isModality, (value) => countIn(value) ?? textIn(value, CODE));
  const modalities: readonly unknown[] = Array.isArray(facts['modalities']) ? facts['modalities'] : [];
  const trainedBy = model['lineageId'];
  return {
    act: 'results' in facts || 'withheld' in facts ? 'run' : 'train',
    id,
    version: textIn(model['version'], WORD),
    digest: digestIn(model['hash']),
    trainedBy: typeof trainedBy === 'string' && isUuid(trainedBy) ? trainedBy : null,
    used: [...new Set(modalities.filter(isModality))].sort(),
    missing: Object.entries(withheld).flatMap(([modality, reason]) => (typeof reason === 'string' ? [{ modality, reason }] : [])),
    withheld: Object.entries(withheld).flatMap(([modality, count]) => (typeof count === 'number' && count > 0 ? [modality] : [])),
    features: entriesOf(facts['datasets'], isModality, (value) => textIn(value, WORD)),
    trainingData: 'trainingData' in model ? byTable(model['trainingData']) : null,
  };
}

export function fileFacts({ facts, kind, result }: AuditRecord): FileFacts | null {
  if (kind === 'ingest') return { digest: digestIn(facts['digest']) ?? digestIn(result), range: null };
  return 'file' in facts ? { digest: digestIn(facts['digest']), range: textIn(facts['range'], RANGE) } : null;
}

export function ingestFacts({ facts, kind }: AuditRecord): IngestFacts | null {
  if (kind !== 'ingest') return null;
  return { product: textIn(facts['product'], WORD), format: textIn(facts['format'], WORD), rows: byTable(facts['rows']) };
}

/** The operation of a federation router, or another run, under which this one was made. */
export function parentFacts({ facts }: AuditRecord): { readonly run: string | null; readonly router: string | null } {
  const run = facts['parent'];
  return { run: typeof run === 'string' && isUuid(run) ? run.toLowerCase() : null, router: textIn(facts['router'], WORD) };
}

/** True for a run that ended before its work did, as a stream that was broken off. */
export const wasCutOff = ({ facts }: AuditRecord): boolean => facts['cutOff'] === true;

/** How many paths of the document were denied, where it is told. */
export const deniedPaths = ({ facts }: AuditRecord): number | null => countIn(facts['denied']);

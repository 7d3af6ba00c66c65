import {
  LIMITS,
  CodedError,
  type EntityDeclaration,
  type Plan,
  type PlanField,
  type PlanValues,
  type Predicate,
  type ReaderPlan,
} from '../kernel/index.js';
import { countedIn, findMarks, parentOf, splice, valueJson, type Mark } from './json-writer.js';
import { rowSource, type SourceRead } from './row-source.js';
import type { ReadSession } from './session.js';
import { statementName } from './statement-name.js';
import type { ColumnTypes, CompiledSql } from './sql.js';

/** What a plan gave: the text of `data`, and what stands behind it. */
export interface PlanAnswer {
  /** JSON text of the data object. */
  readonly data: string;
  readonly patients: ReadonlySet<string>;
  /** Version of each dataset in the snapshot that was read. */
  readonly versions: Readonly<Record<string, number>>;
}

export interface PlanRun {
  readonly plan: Plan;
  readonly sql: CompiledSql;
  readonly values: PlanValues;
  readonly now: number;
  /** Rows that a reader may use. */
  readonly readerRule: (reader: ReaderPlan, entity: EntityDeclaration) => Predicate;
  /** Hears of each statement of a reader before it runs. */
  readonly read?: (reader: ReaderPlan, what: SourceRead) => void;
  /** Which counts over persons the caller is told, in their order; null = withheld. */
  readonly tell: (min: number, groups: readonly Counted[]) => Promise<readonly (number | null)[]>;
}

/** Rows that are counted, by the persons whom they are about; without `rows`, the persons themselves are counted. */
export interface Counted {
  readonly dataset: string;
  readonly persons: readonly string[];
  readonly rows?: readonly number[];
}

/** Runs a compiled plan on one snapshot: one statement for rows, then each reader once for all its parents, spliced into the text. */
export async function runPlan(session: ReadSession, types: ColumnTypes, run: PlanRun): Promise<PlanAnswer> {
  const { plan, sql, values } = run;
  const { rows } = await session.query<Record<string, unknown>>({
    text: sql.text,
    values: sql.binds.map((bind) => bind(values)),
    name: statementName(sql.text),
  });
  const [row] = rows;
  // What the store leaves out must not look like data that are absent.
  if (!row || sql.fields.some((_, i) => row[`j${i}`] === undefined))
    throw new CodedError('INTERNAL', 'The store did not answer every field.');
  const patients = new Set<string>();
  const texts = new Map<number, string>();
  sql.fields.forEach((field, i) => {
    texts.set(field, (row[`j${i}`] as string | null) ?? 'null');
    for (const id of (row[`p${i}`] as string[] | null) ?? []) patients.add(id);
  });
  const spliced: Spliced = { readers: new Map(), counts: new Map() };
  collectSpliced(plan.fields, spliced);
  const touched = (ids: Iterable<string>): void => {
    for (const id of ids) patients.add(id);
  };
  const load = async (reader: ReaderPlan, parents: readonly Record<string, unknown>[]): Promise<readonly unknown[]> => {
    const source = rowSource(session, types, {
      rule: (entity) => run.readerRule(reader, entity),
      values,
      now: run.now,
      touched,
      read: (what) => run.read?.(reader, what),
    });
    const answers = await reader.field.load(source, parents, values.args[reader.arguments] ?? {});
    if (answers.length !== parents.length)
      throw new CodedError('INTERNAL', 'A reader did not answer each of its rows.', { place: reader.coordinate });
    return answers;
  };
  const parts: string[] = [];
  for (const [index, field] of plan.fields.entries()) {
    parts.push(`${JSON.stringify(field.key)}:${await fieldText(field, index, texts, spliced, run, load)}`);
  }
  const versions = typeof row['versions'] === 'string' ? (JSON.parse(row['versions']) as Record<string, number>) : {};
  return { data: `{${parts.join(',')}}`, patients, versions };
}

type Load = (reader: ReaderPlan, parents: readonly Record<string, unknown>[]) => Promise<readonly unknown[]>;

/** What of a plan Postgres leaves open: readers below the root and counts that are not told without a look, by the index of their arguments. */
interface Spliced {
  readonly readers: Map<number, ReaderPlan>;
  readonly counts: Map<number, CountPlan>;
}

type CountPlan = PlanField & { kind: 'collection' | 'aggregate' };

async function fieldText(
  field: PlanField,
  index: number,
  texts: ReadonlyMap<number, string>,
  spliced: Spliced,
  run: PlanRun,
  load: Load,
): Promise<string> {
  if (field.kind === 'typename') return JSON.stringify(field.value);
  if (field.kind === 'reader') return valueJson(field.selection, (await load(field, [{}]))[0]);
  const text = texts.get(index) ?? 'null';
  if (spliced.readers.size + spliced.counts.size === 0) return text;
  const marks = findMarks(text, run.values.nonce);
  const read = await readerAnswers(marks, spliced.readers, load);
  const counted = await countAnswers(marks, spliced.counts, run);
  return splice(text, marks, (mark) => (mark.kind === 'reader' ? read : counted).get(`${mark.kind}:${mark.field}:${mark.key}`) ?? 'null');
}

async function readerAnswers(
  marks: readonly Mark[],
  readers: ReadonlyMap<number, ReaderPlan>,
  load: Load,
): Promise<ReadonlyMap<string, string>> {
  const answers = new Map<string, string>();
  for (const [id, reader] of readers) {
    const keys = [...new Set(marks.filter((mark) => mark.kind === 'reader' && mark.field === id).map((mark) => mark.key))];
    if (keys.length === 0) continue;
    if (keys.length > LIMITS.list_argument_items_max)
      throw new CodedError('COST_EXCEEDED', 'A nested reader has too many rows above it.', { place: reader.coordinate });
    const results = await load(
      reader,
      keys.map((key) => parentOf(reader, key)),
    );
    keys.forEach((key, i) => answers.set(`reader:${id}:${key}`, valueJson(reader.selection, results[i])));
  }
  return answers;
}

async function countAnswers(
  marks: readonly Mark[],
  counts: ReadonlyMap<number, CountPlan>,
  run: PlanRun,
): Promise<ReadonlyMap<string, string>> {
  const answers = new Map<string, string>();
  for (const mark of marks) {
    const field = mark.kind === 'reader' ? undefined : counts.get(mark.field);
    const name = `${mark.kind}:${mark.field}:${mark.key}`;
    if (!field || answers.has(name)) continue;
    const { entity } = field.step;
    const { persons, rows } = countedIn(mark.key);
    const group = isPersonItself(entity) ? { dataset: entity.table, persons } : { dataset: entity.table, persons, rows };
    const [told = null] = await run.tell(field.smallCellMin, [group]);
    answers.set(name, JSON.stringify(mark.kind === 'count' || told === null ? told : told > 0));
  }
  return answers;
}

/** True where a row of an entity is a person, and not a row about one. */
export const isPersonItself = (entity: EntityDeclaration): boolean => entity.key.length === 1 && entity.key[0] === entity.patient;

function collectSpliced(fields: readonly PlanField[], into: Spliced): void {
  for (const field of fields) {
    if (field.kind === 'reader' && field.field.parent.length > 0) into.readers.set(field.arguments, field);
    else if (field.kind === 'reference') collectSpliced(field.fields, into);
    else if (field.kind === 'aggregate' && field.smallCellMin > 0) into.counts.set(field.step.arguments, field);
    else if (field.kind === 'collection') {
      if (field.smallCellMin > 0) into.counts.set(field.step.arguments, field);
      for (const part of field.parts) {
        if (part.kind !== 'edges') continue;
        for (const item of part.items) if (item.kind === 'node') collectSpliced(item.fields, into);
      }
    }
  }
}

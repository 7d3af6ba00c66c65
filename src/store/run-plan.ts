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
import { findMarks, parentOf, splice, valueJson } from './json-writer.js';
import { rowSource } from './row-source.js';
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
}

/** Runs a compiled plan on one snapshot: one statement for rows, then each reader once for all its parents, spliced into the text. */
export async function runPlan(session: ReadSession, types: ColumnTypes, run: PlanRun): Promise<PlanAnswer> {
  const { plan, sql, values } = run;
  const { rows } = await session.query<Record<string, unknown>>({
    text: sql.text,
    values: sql.binds.map((bind) => bind(values)),
    name: statementName(sql.text),
  });
  const row = rows[0] ?? {};
  const patients = new Set<string>();
  const texts = new Map<number, string>();
  sql.fields.forEach((field, i) => {
    texts.set(field, (row[`j${i}`] as string | null) ?? 'null');
    for (const id of (row[`p${i}`] as string[] | null) ?? []) patients.add(id);
  });
  const readers = new Map<number, ReaderPlan>();
  collectReaders(plan.fields, readers);
  const touched = (ids: Iterable<string>): void => {
    for (const id of ids) patients.add(id);
  };
  const load = async (reader: ReaderPlan, parents: readonly Record<string, unknown>[]): Promise<readonly unknown[]> => {
    const source = rowSource(session, types, { rule: (entity) => run.readerRule(reader, entity), values, now: run.now, touched });
    const answers = await reader.field.load(source, parents, values.args[reader.arguments] ?? {});
    if (answers.length !== parents.length)
      throw new CodedError('INTERNAL', 'A reader did not answer each of its rows.', { place: reader.coordinate });
    return answers;
  };
  const parts: string[] = [];
  for (const [index, field] of plan.fields.entries()) {
    parts.push(`${JSON.stringify(field.key)}:${await fieldText(field, index, texts, readers, values.nonce, load)}`);
  }
  const versions = typeof row['versions'] === 'string' ? (JSON.parse(row['versions']) as Record<string, number>) : {};
  return { data: `{${parts.join(',')}}`, patients, versions };
}

type Load = (reader: ReaderPlan, parents: readonly Record<string, unknown>[]) => Promise<readonly unknown[]>;

async function fieldText(
  field: PlanField,
  index: number,
  texts: ReadonlyMap<number, string>,
  readers: ReadonlyMap<number, ReaderPlan>,
  nonce: string,
  load: Load,
): Promise<string> {
  if (field.kind === 'typename') return JSON.stringify(field.value);
  if (field.kind === 'reader') return valueJson(field.selection, (await load(field, [{}]))[0]);
  const text = texts.get(index) ?? 'null';
  return readers.size === 0 ? text : spliceReaders(text, readers, nonce, load);
}

async function spliceReaders(text: string, readers: ReadonlyMap<number, ReaderPlan>, nonce: string, load: Load): Promise<string> {
  const marks = findMarks(text, nonce);
  const answers = new Map<string, string>();
  for (const [id, reader] of readers) {
    const keys = [...new Set(marks.filter((mark) => mark.reader === id).map((mark) => mark.key))];
    if (keys.length === 0) continue;
    if (keys.length > LIMITS.list_argument_items_max)
      throw new CodedError('COST_EXCEEDED', 'A nested reader has too many rows above it.', { place: reader.coordinate });
    const results = await load(
      reader,
      keys.map((key) => parentOf(reader, key)),
    );
    keys.forEach((key, i) => answers.set(`${id}:${key}`, valueJson(reader.selection, results[i])));
  }
  return splice(text, marks, (mark) => answers.get(`${mark.reader}:${mark.key}`) ?? 'null');
}

/** Readers below the root, by the index of their arguments, which their marks carry. */
function collectReaders(fields: readonly PlanField[], into: Map<number, ReaderPlan>): void {
  for (const field of fields) {
    if (field.kind === 'reader' && field.field.parent.length > 0) into.set(field.arguments, field);
    else if (field.kind === 'reference') collectReaders(field.fields, into);
    else if (field.kind === 'collection') {
      for (const part of field.parts) {
        if (part.kind !== 'edges') continue;
        for (const item of part.items) if (item.kind === 'node') collectReaders(item.fields, into);
      }
    }
  }
}

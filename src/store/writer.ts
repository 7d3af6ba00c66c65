import { once } from 'node:events';
import type { PoolClient, QueryResult, QueryResultRow } from 'pg';
import { escapeIdentifier } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { AssetDeclaration, SqlType } from '../kernel/index.js';
import type { CodedError } from '../kernel/error.js';
import { copyLine, literalOf } from './copy-text.js';
import { castOf } from './sql-rules.js';
import { statementName } from './statement-name.js';
import { storedTypes } from './stored-types.js';

type Row = Readonly<Record<string, unknown>>;

/** A table and what to do where a key is already there. */
export type WriteTarget = Pick<AssetDeclaration, 'table' | 'columns' | 'key' | 'onConflict' | 'ignore' | 'merge'>;

export interface WriteConflict {
  /** Index into the rows given. */
  readonly index: number;
  /** The record that was there first, where the table names it. */
  readonly digest: string | null;
  readonly ordinal: number | null;
  /** Reason of a merge; null where contents differ. */
  readonly fault: CodedError | null;
}

export interface WriteResult {
  /** Rows inserted or updated. */
  readonly written: number;
  readonly conflicts: readonly WriteConflict[];
}

const SOURCE_COLUMNS = ['id', 'source_digest', 'source_ordinal'] as const;
const COPY_BYTES = 128 * 1024;
/** Up to so many rows pass as parameters: making a temporary table costs more than they do. */
const INLINE_ROWS_MAX = 256;
let stages = 0;

/** Rows on their way into a table, numbered from 0 in column stage_n. */
interface Stage {
  /** What stands behind `from`. */
  readonly source: string;
  readonly values: readonly (readonly (string | null)[])[];
  readonly table: string | null;
}

/**
 * Writes rows inside the transaction of `client`: COPY into a temporary table (few rows pass as parameters), then one insert. Later rows come after earlier ones:
 * `ignore-identical` keeps the first of a key, `update` the last, `merge` folds them in order. Columns that a row lacks become null.
 */
export async function writeRows(client: PoolClient, target: WriteTarget, rows: readonly Row[]): Promise<WriteResult> {
  if (rows.length === 0) return { written: 0, conflicts: [] };
  switch (target.onConflict) {
    case 'ignore-identical':
      return keepFirst(client, target, rows);
    case 'update':
      return { written: await replace(client, target, rows, target.ignore ?? []), conflicts: [] };
    case 'merge':
      return merge(client, target, rows);
  }
}

async function keepFirst(client: PoolClient, target: WriteTarget, rows: readonly Row[]): Promise<WriteResult> {
  const columns = Object.keys(target.columns);
  const stage = await stageRows(client, target, columns, rows);
  const { rowCount } = await run(client, stage, `${insertFrom(stage, target, columns, 'stage_n')} on conflict do nothing`);
  const left = new Set<string>([...target.key, ...(target.ignore ?? []), ...SOURCE_COLUMNS]);
  const compared = columns.filter((column) => !left.has(column));
  const source = (name: string): string => (name in target.columns ? `t.${name}` : 'null');
  const written = rowCount ?? 0;
  if (compared.length === 0 || written === rows.length) return { written, conflicts: await drop(client, stage, []) };
  const side = (alias: string): string => `row(${compared.map((column) => `${alias}.${escapeIdentifier(column)}`).join(', ')})`;
  const found = await run<{ stage_n: number; digest: string | null; ordinal: number | null }>(
    client,
    stage,
    `select s.stage_n, ${source('source_digest')} as digest, ${source('source_ordinal')} as ordinal
       from ${stage.source} s join ${escapeIdentifier(target.table)} t on ${sameKey(target)}
      where ${side('s')} is distinct from ${side('t')} order by s.stage_n`,
  );
  const conflicts = found.rows.map((row) => ({ index: row.stage_n, digest: row.digest, ordinal: row.ordinal, fault: null }));
  return { written, conflicts: await drop(client, stage, conflicts) };
}

async function replace(client: PoolClient, target: WriteTarget, rows: readonly Row[], kept: readonly string[]): Promise<number> {
  const columns = Object.keys(target.columns);
  const stage = await stageRows(client, target, columns, rows);
  const changed = columns
    .filter((column) => !target.key.includes(column) && !kept.includes(column))
    .map((column) => escapeIdentifier(column));
  const action = changed.length === 0 ? 'nothing' : `update set ${changed.map((column) => `${column} = excluded.${column}`).join(', ')}`;
  const { rowCount } = await run(
    client,
    stage,
    `${insertFrom(stage, target, columns, 'stage_n desc')} on conflict (${list(target.key)}) do ${action}`,
  );
  await drop(client, stage, []);
  return rowCount ?? 0;
}

/** Locks the table against other merges, since a key that is not there yet cannot be locked. */
async function merge(client: PoolClient, target: WriteTarget, rows: readonly Row[]): Promise<WriteResult> {
  const columns = Object.keys(target.columns);
  const fold: NonNullable<WriteTarget['merge']> = target.merge ?? ((_stored, incoming) => ({ row: incoming }));
  await client.query('select pg_advisory_xact_lock(hashtextextended($1, 1))', [`merge ${target.table}`]);
  const stage = await stageRows(client, target, target.key, rows);
  const found = await run<Row & { readonly stage_n: number }>(
    client,
    stage,
    `select s.stage_n, ${columns.map((column) => `t.${escapeIdentifier(column)}`).join(', ')}
             from (select distinct on (${list(target.key)}) * from ${stage.source} s order by ${list(target.key)}, stage_n) s
             join ${escapeIdentifier(target.table)} t on ${sameKey(target)} for update of t`,
  );
  const firsts = rows.length === 1 ? [{ stage_n: 0, first: 0 }] : await firstOfKey(client, stage, target);
  await drop(client, stage, []);
  const current = new Map<number, Row>(found.rows.map(({ stage_n: n, ...row }) => [n, row]));
  const conflicts: WriteConflict[] = [];
  const results = new Map<number, Row>();
  for (const { stage_n: n, first } of firsts) {
    const incoming = rows[n];
    if (incoming === undefined) continue;
    const stored = results.get(first) ?? current.get(first) ?? null;
    const folded = fold(stored, incoming);
    results.set(first, folded.row);
    if (folded.conflict !== undefined) {
      conflicts.push({ index: n, digest: textOf(stored?.['source_digest']), ordinal: null, fault: folded.conflict });
    }
  }
  return { written: await replace(client, target, [...results.values()], []), conflicts };
}

/** For each staged row the first with its key, as the database tells keys apart. */
async function firstOfKey(client: PoolClient, stage: Stage, target: WriteTarget): Promise<{ stage_n: number; first: number }[]> {
  const text = `select stage_n, min(stage_n) over (partition by ${list(target.key)}) as first from ${stage.source} s order by stage_n`;
  return (await run<{ stage_n: number; first: number }>(client, stage, text)).rows;
}

/** A statement over staged rows. Texts over a temporary table do not come again; the others are named. */
function run<R extends QueryResultRow>(client: PoolClient, stage: Stage, text: string): Promise<QueryResult<R>> {
  const name = stage.table === null ? { name: statementName(text) } : {};
  return client.query<R>({ ...name, text, values: [...stage.values], types: storedTypes });
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const list = (columns: readonly string[]): string => columns.map((column) => escapeIdentifier(column)).join(', ');
const sameKey = (target: WriteTarget): string =>
  target.key.map((column) => `s.${escapeIdentifier(column)} = t.${escapeIdentifier(column)}`).join(' and ');

/** In key order, so that writers who meet lock rows in the same order. */
function insertFrom(stage: Stage, target: WriteTarget, columns: readonly string[], order: string): string {
  return (
    `insert into ${escapeIdentifier(target.table)} (${list(columns)}) ` +
    `select distinct on (${list(target.key)}) ${list(columns)} from ${stage.source} s order by ${list(target.key)}, ${order}`
  );
}

async function drop<T>(client: PoolClient, stage: Stage, result: T): Promise<T> {
  if (stage.table !== null) await client.query(`drop table ${stage.table}`);
  return result;
}

function inline(target: WriteTarget, columns: readonly string[], rows: readonly Row[]): Stage {
  const typed = columns.map((column): [string, SqlType] => [column, target.columns[column] ?? 'text']);
  const values = typed.map(([column, type]) =>
    rows.map((row) => {
      const value = row[column];
      return value === null || value === undefined ? null : literalOf(value, type, column);
    }),
  );
  const cast = typed.map(([column, type], i) => `c${i}::${castOf(type)} as ${escapeIdentifier(column)}`);
  const arrays = typed.map((_, i) => `$${i + 1}::text[]`);
  const names = typed.map((_, i) => `c${i}`);
  const source = `(select (n - 1)::int as stage_n, ${cast.join(', ')} from unnest(${arrays.join(', ')}) with ordinality as u(${names.join(', ')}, n))`;
  return { source, values, table: null };
}

/** A temporary table with the types of the target, or the rows themselves where they are few. */
async function stageRows(client: PoolClient, target: WriteTarget, columns: readonly string[], rows: readonly Row[]): Promise<Stage> {
  if (rows.length <= INLINE_ROWS_MAX) return inline(target, columns, rows);
  stages = (stages + 1) % 1_000_000;
  const stage = `pg_temp.stage_${stages}`;
  await client.query(
    `create temporary table ${stage} on commit drop as select 0::int as stage_n, ${list(columns)} from ${escapeIdentifier(target.table)} limit 0`,
  );
  const typed = columns.map((column): [string, SqlType] => [column, target.columns[column] ?? 'text']);
  const stream = client.query(copyFrom(`copy ${stage} (stage_n, ${list(columns)}) from stdin`));
  const done = once(stream, 'finish');
  // Heard below; without this an early failure would count as unhandled.
  done.catch(() => undefined);
  try {
    await feed(stream, typed, rows);
  } catch (error) {
    stream.destroy(error instanceof Error ? error : undefined);
    await done.catch(() => undefined);
    throw error;
  }
  await done;
  return { source: stage, values: [], table: stage };
}

async function feed(stream: NodeJS.WritableStream, columns: readonly (readonly [string, SqlType])[], rows: readonly Row[]): Promise<void> {
  let text = '';
  for (let n = 0; n < rows.length; n++) {
    text += copyLine(String(n), columns, rows[n] ?? {});
    if (text.length < COPY_BYTES) continue;
    const free = stream.write(text);
    text = '';
    if (!free) await once(stream, 'drain');
  }
  stream.end(text);
}

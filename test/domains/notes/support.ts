import 'reflect-metadata';
import type { AssetDeclaration, FormatBinding, RowSource, Staged, StageContext } from '../../../src/kernel/index.js';
import { entityOf } from '../../../src/kernel/index.js';
import { pipeline } from '../../../src/domains/notes/pipeline.js';
import { chunks } from './formats/support.js';

export { DATA, bytesOf, describeWithData, filesBelow } from './formats/support.js';

export type Row = Readonly<Record<string, unknown>>;
export type StagedRow = Staged & { kind: 'row' };

export function bindingOf(name: string): FormatBinding {
  const found = pipeline.formats.find((binding) => binding.format.name === name);
  if (!found) throw new Error(`no format ${name}`);
  return found;
}

export function assetOf(table: string): AssetDeclaration {
  const found = pipeline.assets.find((asset) => asset.table === table);
  if (!found) throw new Error(`no asset ${table}`);
  return found;
}

let ids = 0;
export function contextOf(ordinal = 0): StageContext {
  return {
    digest: 'd'.repeat(64),
    name: 'note',
    assembly: undefined,
    ordinal,
    now: 0,
    newId: () => `00000000-0000-7000-8000-${String((ids += 1)).padStart(12, '0')}`,
    memo: new Map(),
  };
}

/** Every row that a file becomes, in order. */
export async function stageFile(formatName: string, content: Uint8Array | string): Promise<StagedRow[]> {
  const { format, stage } = bindingOf(formatName);
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const rows: StagedRow[] = [];
  for await (const parsed of format.parse(chunks(bytes), { name: 'note', now: 0 })) {
    if (!parsed.ok) continue;
    for (const staged of stage(parsed.value, contextOf(parsed.ordinal))) if (staged.kind === 'row') rows.push(staged);
  }
  return rows;
}

export const rowsOf = (staged: readonly StagedRow[], asset: string): Row[] =>
  staged.filter((each) => each.asset === asset).map((each) => each.row);

/** Names of the expectations of its asset that a row breaks. */
export function broken(staged: StagedRow): string[] {
  return assetOf(staged.asset)
    .expectations.filter((each) => !each.holds(staged.row))
    .map((each) => each.name);
}

/** Rows in memory: equality, bounds (the upper one open) and columns, as the store gives them. */
export function sourceOf(tables: Readonly<Record<string, readonly Row[]>>): RowSource {
  return {
    now: 0,
    touched: () => undefined,
    rows: <T>({ of, columns, where, between }: Parameters<RowSource['rows']>[0]): Promise<T[]> => {
      const matches = (row: Row): boolean =>
        Object.entries(where).every(([name, value]) =>
          Array.isArray(value) ? (value as unknown[]).includes(row[name]) : row[name] === value,
        ) &&
        Object.entries(between ?? {}).every(([name, { from, to }]) => {
          const value = row[name];
          return typeof value === 'string' && (from === undefined || value >= String(from)) && (to === undefined || value < String(to));
        });
      const found = (tables[entityOf(of()).table] ?? []).filter(matches);
      return Promise.resolve(found.map((row) => Object.fromEntries(columns.map((name) => [name, row[name]])) as T));
    },
  };
}

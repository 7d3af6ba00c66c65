import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { entityOf, type RowSource, type StageContext, type Staged } from '../../../src/kernel/index.js';
import { pipeline } from '../../../src/domains/genomics/pipeline.js';
import { DATA, pieces } from './formats/data.js';

export const NOW = Date.parse('2026-05-01T00:00:00Z');
export const DIGEST = 'a1'.repeat(32);

type Row = Record<string, unknown>;
export type Tables = Record<string, Row[]>;

export interface StageOptions {
  readonly assembly?: string;
  readonly digest?: string;
  readonly now?: number;
}

/** Rows by asset, with the property that the expectations of the asset see. */
export async function stageStream(
  input: AsyncIterable<Uint8Array>,
  { assembly, digest = DIGEST, now = NOW }: StageOptions = {},
): Promise<Tables> {
  const [binding] = pipeline.formats;
  if (!binding) throw new Error('the pipeline has no format');
  const tables: Tables = { callset: [], sample_index: [], variant: [], genotype_block: [] };
  const memo = new Map<string, unknown>();
  let ids = 0;
  for await (const record of binding.format.parse(input, { name: 'x.vcf', now, ...(assembly === undefined ? {} : { assembly }) })) {
    if (!record.ok) continue;
    const context: StageContext = {
      digest,
      name: 'x.vcf',
      assembly,
      ordinal: record.ordinal,
      now,
      newId: () => `id-${String(ids++)}`,
      memo,
    };
    for (const staged of binding.stage(record.value, context)) keep(tables, staged);
  }
  return tables;
}

function keep(tables: Tables, staged: Staged): void {
  if (staged.kind !== 'row') throw new Error('a VCF registers nobody');
  tables[staged.asset]?.push({ ...staged.row, ...(staged.keys ? { keys: staged.keys } : {}) });
}

export const stageFile = (name: string, options?: StageOptions): Promise<Tables> =>
  stageStream(createReadStream(join(DATA, name)), options);
export const stageText = (text: string, options?: StageOptions): Promise<Tables> => stageStream(pieces(text), options);

export function vcfText(samples: readonly string[], lines: readonly string[], meta: readonly string[] = ['##reference=GRCh38']): string {
  const columns = ['#CHROM', 'POS', 'ID', 'REF', 'ALT', 'QUAL', 'FILTER', 'INFO', ...(samples.length > 0 ? ['FORMAT', ...samples] : [])];
  return ['##fileformat=VCFv4.2', ...meta, columns.join('\t'), ...lines, ''].join('\n');
}

/** Adds two stagings as two loads of one store would: a variant of both is one row. */
export function joinTables(a: Tables, b: Tables): Tables {
  const joined = Object.fromEntries(Object.keys(a).map((table) => [table, [...(a[table] ?? []), ...(b[table] ?? [])]]));
  return { ...joined, variant: [...new Map((joined['variant'] ?? []).map((row) => [row['variant_id'], row])).values()] };
}

export interface FakeSource extends RowSource {
  readonly calls: string[];
}

/** A source over staged rows: `people` names the person of a sample; samples without a person are not visible, as under the real policy. */
export function sourceOf(tables: Tables, people: (sample: string) => string | null): FakeSource {
  const calls: string[] = [];
  const stored: Tables = {
    ...tables,
    sample_index: (tables['sample_index'] ?? [])
      .map((row) => ({ ...row, patient_id: people(String(row['sample_id'])) }))
      .filter((row) => row.patient_id !== null),
  };
  const rows: RowSource['rows'] = <T>({
    of,
    columns,
    where,
    between = {},
    order = [],
    limit = Infinity,
  }: Parameters<RowSource['rows']>[0]): Promise<T[]> => {
    const { table } = entityOf(of());
    calls.push(table);
    const wanted = Object.entries(where).map(
      ([name, values]) => [name, new Set<unknown>(Array.isArray(values) ? values : [values])] as const,
    );
    const bounds = Object.entries(between);
    const found = (stored[table] ?? []).filter(
      (row) =>
        wanted.every(([name, values]) => values.has(row[name])) &&
        bounds.every(([name, { from, to }]) => Number(row[name]) >= Number(from) && Number(row[name]) <= Number(to)),
    );
    const compare = (a: Row, b: Row): number => order.reduce((sign, name) => sign || rank(a[name], b[name]), 0);
    const picked = [...found]
      .sort(compare)
      .slice(0, limit)
      .map((row) => Object.fromEntries(columns.map((name) => [name, row[name]])));
    return Promise.resolve(picked as T[]);
  };
  return { calls, rows, now: NOW, touched: () => undefined };
}

function rank(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

import { createHash } from 'node:crypto';
import { entityOf, type RowSource, type StageContext, type Staged } from '../../../src/kernel/index.js';
import type { WriterElement } from '../../../src/domains/imaging/formats/dicom-writer.js';
import { writeDicom } from '../../../src/domains/imaging/formats/dicom-writer.js';
import { pipeline } from '../../../src/domains/imaging/pipeline.js';
import { imageElements } from './formats/support.js';

export type Row = Record<string, unknown>;
export type StagedRow = Extract<Staged, { kind: 'row' }>;
export const TABLES = ['imaging_study', 'imaging_series', 'imaging_instance'] as const;
export type Table = (typeof TABLES)[number];

let made = 0;

function contextOf(bytes: Buffer): StageContext {
  const digest = createHash('sha256').update(bytes).digest('hex');
  const newId = (): string => `00000000-0000-7000-8000-${String(++made).padStart(12, '0')}`;
  return { digest, name: 'object.dcm', assembly: undefined, ordinal: 0, now: 0, newId, memo: new Map() };
}

/** Parses and stages one object through the declared binding. */
export async function stageObject(bytes: Buffer): Promise<StagedRow[]> {
  const [binding] = pipeline.formats;
  if (!binding) throw new Error('no format is bound');
  const staged: StagedRow[] = [];
  async function* input(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  for await (const parsed of binding.format.parse(input(), { name: 'object.dcm', now: 0 })) {
    if (!parsed.ok) throw new Error(parsed.code);
    for (const each of binding.stage(parsed.value, contextOf(bytes))) if (each.kind === 'row') staged.push(each);
  }
  return staged;
}

export function assetOf(table: string): (typeof pipeline.assets)[number] {
  const asset = pipeline.assets.find((each) => each.table === table);
  if (!asset) throw new Error(`no asset ${table}`);
  return asset;
}

export interface ObjectFacts {
  readonly study?: string;
  readonly series?: string;
  readonly sop?: string;
  readonly date?: string | null;
  readonly samples?: readonly number[];
  readonly more?: readonly WriterElement[];
}

/** A CT object of one row of signed 16-bit samples. */
export function ctObject(facts: ObjectFacts = {}): Buffer {
  const date = facts.date === undefined ? '20240301' : facts.date;
  const uids: Partial<Record<string, string>> = {
    '0020000D': facts.study ?? '2.25.1',
    '0020000E': facts.series ?? '2.25.2',
    '00080018': facts.sop ?? '2.25.3',
    '00080060': 'CT',
  };
  const own: WriterElement[] = [...(date === null ? [] : [{ tag: '00080020', vr: 'DA' as const, value: date }]), ...(facts.more ?? [])];
  const elements = imageElements(facts.samples ?? [10, 20, 30], own);
  return writeDicom(elements.map((each) => ({ ...each, value: uids[each.tag] ?? each.value })));
}

/** Tables in memory: rows are merged by the declared keys as the runner would. */
export class MemoryRows {
  readonly tables: Record<Table, Row[]> = { imaging_study: [], imaging_series: [], imaging_instance: [] };
  readonly asked: { table: string; columns: readonly string[] }[] = [];

  async add(patientId: string, bytes: Buffer): Promise<void> {
    for (const { asset, row } of await stageObject(bytes)) {
      const { key, merge } = assetOf(asset);
      const incoming: Row = { ...row, patient_id: patientId };
      const rows = this.tables[asset as Table];
      const at = rows.findIndex((each) => key.every((name) => each[name] === incoming[name]));
      const stored = rows[at] ?? null;
      const merged = merge ? merge(stored, incoming).row : (stored ?? incoming);
      rows.splice(at < 0 ? rows.length : at, 1, merged);
    }
  }

  source(now = 0): RowSource {
    return {
      now,
      touched: () => undefined,
      rows: <T>({ of, columns, where, between }: Parameters<RowSource['rows']>[0]): Promise<T[]> => {
        const { table } = entityOf(of());
        this.asked.push({ table, columns });
        const found = this.tables[table as Table].filter((row) => {
          const equal = Object.entries(where).every(([name, value]) =>
            Array.isArray(value) ? (value as unknown[]).includes(row[name]) : row[name] === value,
          );
          const inside = Object.entries(between ?? {}).every(([name, { from, to }]) => {
            const value = String(row[name]);
            return (from === undefined || value >= String(from)) && (to === undefined || value <= String(to));
          });
          return equal && inside;
        });
        return Promise.resolve(found.map((row) => Object.fromEntries(columns.map((name) => [name, row[name]]))) as T[]);
      },
    };
  }
}

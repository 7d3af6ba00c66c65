import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { CodedError, isCoded } from '../../src/kernel/error.js';
import type { AssetDeclaration, Format, IdentityKey, Parsed, PipelineDeclaration, Product, Staged } from '../../src/kernel/index.js';
import { planPipelines, type Evidence, type PipelineDeps, type PipelineStore, type Transaction } from '../../src/pipeline/index.js';
import { localObjects } from '../../src/store/objects.js';
import { writeStore } from '../../src/store/pipeline-store.js';
import { openPools, type Pools } from '../../src/store/pool.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

/** One line of the format of these tests. */
export interface Line {
  readonly id?: string;
  readonly value?: number;
  readonly asset?: string;
  readonly keys?: readonly IdentityKey[];
  readonly register?: readonly IdentityKey[];
  readonly anchors?: readonly IdentityKey[];
  readonly items?: readonly string[];
  readonly fail?: 'stage' | 'bug' | 'parse' | 'file';
}

/** A file of lines of JSON after the word LINES. */
const lines: Format<Line> = {
  name: 'lines',
  mediaType: 'text/lines',
  sniff: (head) => Buffer.from(head).toString('latin1').startsWith('LINES'),
  async *parse(input): AsyncGenerator<Parsed<Line>> {
    let rest = '';
    let number = 0;
    for await (const part of input) {
      const cut = `${rest}${Buffer.from(part).toString('utf8')}`.split('\n');
      rest = cut.pop() ?? '';
      for (const text of cut) {
        if (number++ === 0 || text === '') continue;
        const ordinal = number - 2;
        const place = `line ${number}`;
        const value = JSON.parse(text) as Line;
        if (value.fail === 'file') throw new CodedError('JSON_INVALID', 'The file breaks here.', { place });
        if (value.fail === 'parse')
          yield { ok: false, ordinal, place, code: 'JSON_INVALID', reason: 'The line breaks.', bytes: Buffer.from(text) };
        else yield { ok: true, ordinal, place, value };
      }
    }
  },
};

function* stage(line: Line, context: { newId(): string }): Iterable<Staged> {
  if (line.fail === 'stage') throw new CodedError('SAMPLE_INVALID', 'The record is refused.');
  if (line.fail === 'bug') throw new TypeError('not a function');
  if (line.register !== undefined) {
    yield { kind: 'register', asset: 't_person', keys: line.register, site: 'north', row: { id: context.newId(), value: line.value ?? 0 } };
  } else if (line.anchors !== undefined) {
    yield { kind: 'link', anchors: line.anchors, keys: line.keys ?? [], basis: 'EXPLICIT_CROSSWALK' };
  } else {
    const row = { id: line.id, value: line.value ?? 0, items: line.items ?? [] };
    yield { kind: 'row', asset: line.asset ?? 't_keep', row, ...(line.keys === undefined ? {} : { keys: line.keys }) };
  }
}

const source = { source_digest: 'text', source_ordinal: 'int' } as const;
const person = { patient_id: 'uuid', site_id: 'text', sensitivity: 'int', ...source } as const;
const asset = (over: Partial<AssetDeclaration> & Pick<AssetDeclaration, 'table'>): AssetDeclaration => ({
  columns: { id: 'text', value: 'float8', items: 'text[]', ...source },
  key: ['id'],
  patient: 'none',
  onConflict: 'ignore-identical',
  expectations: [],
  ...over,
});

const pipeline: PipelineDeclaration = {
  formats: [{ format: lines, stage: (record, context) => stage(record as Line, context) }],
  assets: [
    asset({
      table: 't_person',
      columns: { ...person, ordinal: 'int', id: 'text', value: 'float8' },
      key: ['patient_id'],
      patient: 'required',
      onConflict: 'update',
      ignore: ['ordinal', 'id'],
    }),
    asset({
      table: 't_keep',
      expectations: [
        { name: 'not_ten', description: 'x', action: 'warn', holds: (row) => row['value'] !== 10 },
        { name: 'not_eleven', description: 'x', action: 'drop', holds: (row) => row['value'] !== 11 },
        { name: 'not_twelve', description: 'x', action: 'quarantine', holds: (row) => row['value'] !== 12 },
        { name: 'not_thirteen', description: 'x', action: 'fail', holds: (row) => row['value'] !== 13 },
        {
          name: 'no_throw',
          description: 'x',
          action: 'quarantine',
          holds: (row) => {
            if (row['value'] === 14) throw new Error('raised');
            return true;
          },
        },
      ],
    }),
    asset({ table: 't_last', onConflict: 'update' }),
    asset({
      table: 't_sum',
      onConflict: 'merge',
      merge: (stored, incoming) => ({
        row: {
          ...incoming,
          value: Number(stored?.['value'] ?? 0) + Number(incoming['value']),
          items: [...((stored?.['items'] as string[] | undefined) ?? []), ...(incoming['items'] as string[])],
        },
        ...(incoming['value'] === -1 ? { conflict: new CodedError('RECORD_CONFLICT', 'The merge refuses.') } : {}),
      }),
    }),
    asset({ table: 't_must', columns: { ...person, id: 'text', value: 'float8' }, key: ['patient_id', 'id'], patient: 'required' }),
    asset({
      table: 't_later',
      columns: { ...person, id: 'text', value: 'float8' },
      patient: 'later',
      linked: { issuer: 'sample', sql: 'update t_later set patient_id = $1, site_id = $2 where id = $3 and patient_id is null' },
    }),
  ],
  derived: [
    {
      table: 't_total',
      from: 't_must',
      alsoOnRegister: true,
      columns: { patient_id: 'uuid', total: 'float8' },
      key: ['patient_id'],
      rows: (patientId, stored) => [{ patient_id: patientId, total: stored.reduce((sum, row) => sum + Number(row['value']), 0) }],
    },
  ],
};

const about = 'patient_id uuid, site_id text, sensitivity smallint not null, source_digest text not null, source_ordinal int not null';
const TABLES = `
create table t_person (${about}, ordinal int not null, id text, value float8, primary key (patient_id));
create table t_keep (id text primary key, value float8 not null, items text[], source_digest text, source_ordinal int);
create table t_last (id text primary key, value float8 not null, items text[], source_digest text, source_ordinal int);
create table t_sum (id text primary key, value float8 not null, items text[], source_digest text, source_ordinal int);
create table t_must (${about}, id text, value float8, primary key (patient_id, id));
create table t_later (${about}, id text primary key, value float8);
create table t_total (patient_id uuid primary key, total float8);
grant select, insert, update, delete on t_person, t_keep, t_last, t_sum, t_must, t_later, t_total to thalamus_writer;
`;

export const product: Pick<Product, 'name' | 'pipeline'> = { name: 'patients', pipeline };

export interface Bench {
  readonly deps: PipelineDeps;
  readonly store: PipelineStore;
  readonly owner: Pool;
  readonly url: string;
  readonly folder: string;
  readonly told: Parameters<Evidence['ingested']>[0][];
  /** Throws inside the nth transaction from now on that writes the table. */
  breakAt: { table: string; after: number } | null;
  rows<T = Record<string, unknown>>(statement: string): Promise<T[]>;
  close(): Promise<void>;
}

/** A database with the tables of these tests, and everything that loading needs. */
export async function openBench(): Promise<Bench> {
  const database: TestDatabase = await createDatabase();
  const pools: Pools = await openPools(database.engine);
  await pools.owner.query(TABLES);
  const folder = mkdtempSync(join(tmpdir(), 'thalamus-pipeline-'));
  const real = writeStore(pools.writer, localObjects(folder));
  const told: Parameters<Evidence['ingested']>[0][] = [];
  const store: PipelineStore = {
    objects: real.objects,
    transaction: (work) =>
      real.transaction((tx) => {
        const watched: Transaction = {
          query: (text, values) => tx.query(text, values),
          write: async (target, rows) => {
            const result = await tx.write(target, rows);
            if (bench.breakAt?.table === target.table && bench.breakAt.after-- === 0) throw new Error('the power went out');
            return result;
          },
        };
        return work(watched);
      }),
  };
  let clock = Date.UTC(2026, 0, 1);
  const bench: Bench = {
    store,
    told,
    owner: pools.owner,
    url: database.url,
    folder,
    breakAt: null,
    deps: {
      plan: planPipelines([product]),
      store,
      evidence: {
        ingested: (load) => {
          told.push(load);
          return Promise.resolve(`lineage-${told.length}`);
        },
      },
      now: () => (clock += 1_000),
      actor: 'tester',
      chunk: { records: 4, bytes: 1_000_000 },
    },
    rows: async <T>(statement: string) => (await pools.owner.query(statement)).rows as T[],
    close: async () => {
      await pools.end();
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return bench;
}

export const fileOf = (
  content: Uint8Array | string,
  name = 'incoming/some.lines',
): { name: string; open: () => AsyncIterable<Uint8Array> } => ({
  name,
  async *open() {
    yield await Promise.resolve(Buffer.from(content));
  },
});

export const linesOf = (all: readonly Line[], salt = ''): string =>
  `LINES ${salt}\n${all.map((line) => JSON.stringify(line)).join('\n')}\n`;

export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    return isCoded(error) ? error.code : String(error);
  }
}

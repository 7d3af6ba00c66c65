import { canonical } from '../../kernel/index.js';
import { ByteReader, ByteWriter, decodeDeltas, decodeIndexes, encodeDeltas, encodeIndexes, pack, unpack } from './bytes.js';

/** A record of the log as JSON has it; the evidence room makes it. */
export interface LogRecord {
  readonly seq: number;
  readonly at: string;
  readonly mono: number;
  readonly writer: string;
  readonly kind: string;
  readonly run: string;
  readonly principal: string;
  readonly roles: readonly string[];
  readonly purpose: string;
  readonly recipient: string | null;
  readonly caller: string | null;
  readonly policy: string;
  readonly plan: string | null;
  readonly patients: number;
  readonly set: string | null;
  readonly rows: number;
  readonly result: string | null;
  readonly bytes: number;
  readonly versions: Readonly<Record<string, number>>;
  readonly code: string | null;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly sealed: string | null;
}

export type Who = Pick<LogRecord, 'principal' | 'roles' | 'purpose' | 'recipient' | 'caller' | 'policy'>;
export interface Act {
  readonly kind: string;
  readonly code: string | null;
  /** True where data was told. */
  readonly told: boolean;
}

/** What many records have in common, each once. */
export interface Dictionaries {
  readonly act: readonly Act[];
  readonly who: readonly Who[];
  readonly plan: readonly (string | null)[];
  readonly versions: readonly Readonly<Record<string, number>>[];
  readonly facts: readonly Readonly<Record<string, unknown>>[];
  readonly writer: readonly string[];
}

const NAMES = ['act', 'who', 'plan', 'versions', 'facts', 'writer'] as const satisfies readonly (keyof Dictionaries)[];
const NUMBERS = ['at', 'rows', 'patients'] as const;

/** What questions need of consecutive records, column by column. */
export interface Columns extends Record<(typeof NUMBERS)[number], Float64Array> {
  readonly count: number;
  readonly dictionaries: Dictionaries;
  readonly index: Readonly<Record<keyof Dictionaries, Uint16Array>>;
  /** 0 where nobody stood behind it, else the number of the set, from 1. */
  readonly set: Uint16Array;
}

/** What questions do not need: it only serves to rebuild the records. */
export interface Rest {
  readonly run: readonly string[];
  readonly result: readonly (string | null)[];
  readonly bytes: Float64Array;
  readonly mono: Float64Array;
  readonly sealed: readonly (string | null)[];
}

export interface Split {
  readonly columns: Columns;
  readonly rest: Rest;
  /** Digests of the distinct sets in the order of their numbers. */
  readonly sets: readonly string[];
}

class Dictionary<T> {
  readonly entries: T[] = [];
  private readonly known = new Map<string, number>();

  indexOf(key: string, make: () => T): number {
    const known = this.known.get(key);
    if (known !== undefined) return known;
    this.known.set(key, this.entries.length);
    return this.entries.push(make()) - 1;
  }
}

/** Takes records apart into columns. */
export function splitRecords(records: readonly LogRecord[]): Split {
  const count = records.length;
  const dictionaries = Object.fromEntries(NAMES.map((name) => [name, new Dictionary<unknown>()])) as Record<
    keyof Dictionaries,
    Dictionary<unknown>
  >;
  const index = Object.fromEntries(NAMES.map((name) => [name, new Uint16Array(count)])) as Record<keyof Dictionaries, Uint16Array>;
  const numbers = { at: new Float64Array(count), rows: new Float64Array(count), patients: new Float64Array(count) };
  const bytes = new Float64Array(count);
  const mono = new Float64Array(count);
  const set = new Uint16Array(count);
  const sets = new Dictionary<string>();
  records.forEach((record, i) => {
    const { kind, code, principal, roles, purpose, recipient, caller, policy } = record;
    const entries: Record<keyof Dictionaries, unknown> = {
      act: { kind, code, told: record.result !== null } satisfies Act,
      who: { principal, roles, purpose, recipient, caller, policy } satisfies Who,
      plan: record.plan,
      versions: record.versions,
      facts: record.facts,
      writer: record.writer,
    };
    for (const name of NAMES) index[name][i] = dictionaries[name].indexOf(JSON.stringify(entries[name]), () => entries[name]);
    const digest = record.set;
    if (digest !== null) set[i] = 1 + sets.indexOf(digest, () => digest);
    numbers.at[i] = Date.parse(record.at);
    numbers.rows[i] = record.rows;
    numbers.patients[i] = record.patients;
    bytes[i] = record.bytes;
    mono[i] = record.mono;
  });
  const found = Object.fromEntries(NAMES.map((name) => [name, dictionaries[name].entries])) as unknown as Dictionaries;
  return {
    columns: { count, dictionaries: found, index, set, ...numbers },
    rest: {
      run: records.map((record) => record.run),
      result: records.map((record) => record.result),
      sealed: records.map((record) => record.sealed),
      bytes,
      mono,
    },
    sets: sets.entries,
  };
}

/** The text of one record as it was written; `sets` are the digests of the sets by number. */
export function recordText({ columns, rest, sets }: Split, firstSeq: number, i: number): string {
  const { dictionaries, index, set } = columns;
  const { kind, code } = dictionaries.act[index.act[i] ?? 0] ?? {};
  const ordinal = set[i] ?? 0;
  return canonical({
    ...dictionaries.who[index.who[i] ?? 0],
    kind,
    code,
    seq: firstSeq + i,
    at: new Date(columns.at[i] ?? 0).toISOString(),
    mono: rest.mono[i],
    writer: dictionaries.writer[index.writer[i] ?? 0],
    run: rest.run[i],
    plan: dictionaries.plan[index.plan[i] ?? 0],
    patients: columns.patients[i],
    set: ordinal === 0 ? null : sets[ordinal - 1],
    rows: columns.rows[i],
    result: rest.result[i],
    bytes: rest.bytes[i],
    versions: dictionaries.versions[index.versions[i] ?? 0],
    facts: dictionaries.facts[index.facts[i] ?? 0],
    sealed: rest.sealed[i],
  });
}

export async function encodeColumns(columns: Columns): Promise<Buffer> {
  const { count, dictionaries, index, set } = columns;
  const writer = new ByteWriter().varint(count).block(Buffer.from(JSON.stringify(dictionaries)));
  for (const name of NAMES) writer.block(encodeIndexes(index[name], dictionaries[name].length));
  writer.block(encodeIndexes(set, count + 1));
  for (const name of NUMBERS) writer.block(encodeDeltas(columns[name]));
  return pack(writer.bytes);
}

export function decodeColumns(bytes: Buffer): Columns {
  const reader = new ByteReader(unpack(bytes));
  const count = reader.varint();
  const dictionaries = JSON.parse(reader.block().toString('utf8')) as Dictionaries;
  const index = Object.fromEntries(NAMES.map((name) => [name, decodeIndexes(reader.block(), count)])) as Record<
    keyof Dictionaries,
    Uint16Array
  >;
  const set = decodeIndexes(reader.block(), count);
  const [at, rows, patients] = NUMBERS.map(() => decodeDeltas(reader.block(), count)) as [Float64Array, Float64Array, Float64Array];
  return { count, dictionaries, index, set, at, rows, patients };
}

const RUN_TAIL_BYTES = 10;
const DIGEST_BYTES = 32;

/** Run ids: their first six bytes, which are the time of the request (UUID version 7), against the time of the record; the rest is random. */
export function encodeRuns(runs: readonly string[], at: Float64Array): Buffer {
  const heads = new ByteWriter();
  const tails = new ByteWriter();
  runs.forEach((run, i) => {
    const hex = run.replaceAll('-', '');
    heads.signed(parseInt(hex.slice(0, 12), 16) - (at[i] ?? 0));
    tails.raw(Buffer.from(hex.slice(12), 'hex'));
  });
  return Buffer.concat([tails.bytes, heads.bytes]);
}

/** Reads run ids one by one: questions want few of them. */
export function decodeRuns(bytes: Buffer, { at, count }: Pick<Columns, 'at' | 'count'>): (i: number) => string {
  const reader = new ByteReader(bytes.subarray(count * RUN_TAIL_BYTES));
  const heads = Float64Array.from({ length: count }, (_, i) => reader.signed() + (at[i] ?? 0));
  return (i) => {
    const tail = bytes.toString('hex', i * RUN_TAIL_BYTES, (i + 1) * RUN_TAIL_BYTES);
    const hex = (heads[i] ?? 0).toString(16).padStart(12, '0') + tail;
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };
}

/** Everything of `Rest` but the run ids. Digests and what is sealed are as good as random and stand as they are. */
export async function encodeRest({ result, bytes, mono, sealed }: Rest): Promise<Buffer> {
  const lengths = new ByteWriter();
  const texts = new ByteWriter();
  for (const each of sealed) {
    const raw = each === null ? null : Buffer.from(each, 'base64url');
    lengths.varint(raw ? raw.length + 1 : 0);
    if (raw) texts.raw(raw);
  }
  const numbers = new ByteWriter().block(encodeDeltas(bytes)).block(encodeDeltas(mono)).block(lengths.bytes);
  const digests = Buffer.concat(result.flatMap((each) => (each === null ? [] : [Buffer.from(each, 'hex')])));
  return new ByteWriter()
    .block(await pack(numbers.bytes))
    .block(digests)
    .block(texts.bytes).bytes;
}

export function decodeRest(bytes: Buffer, runs: Buffer, columns: Columns): Rest {
  const { count, dictionaries, index } = columns;
  const reader = new ByteReader(bytes);
  const numbers = new ByteReader(unpack(reader.block()));
  const digests = new ByteReader(reader.block());
  const texts = new ByteReader(reader.block());
  const sizes = decodeDeltas(numbers.block(), count);
  const mono = decodeDeltas(numbers.block(), count);
  const lengths = new ByteReader(numbers.block());
  const runAt = decodeRuns(runs, columns);
  const each = <T>(read: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => read(i));
  return {
    run: each(runAt),
    result: each((i) => (dictionaries.act[index.act[i] ?? 0]?.told === true ? digests.raw(DIGEST_BYTES).toString('hex') : null)),
    sealed: each(() => {
      const length = lengths.varint();
      return length === 0 ? null : texts.raw(length - 1).toString('base64url');
    }),
    bytes: sizes,
    mono,
  };
}

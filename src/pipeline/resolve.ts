import type { AssetDeclaration, ErrorCode, IdentityKey, Staged } from '../kernel/index.js';
import type { Refusal, StagedRecord } from './expect.js';
import { IdentityBook, type Person } from './identity.js';
import { idsOf } from './ids.js';
import type { Transaction } from './ports.js';

/** A row ready for its table, with the record that it came from. */
export interface ReadyRow {
  readonly record: StagedRecord;
  readonly row: Record<string, unknown>;
}

export interface Resolved {
  readonly rows: ReadonlyMap<string, readonly ReadyRow[]>;
  readonly refusals: readonly Refusal[];
  readonly book: IdentityBook;
  /** Persons who were not known before. */
  readonly registered: ReadonlySet<string>;
}

export interface Origin {
  readonly digest: string;
  /** Milliseconds since 1970. */
  readonly arrivedAt: number;
}

const UNASSIGNED = 'unassigned';
const REASONS = {
  PATIENT_UNKNOWN: 'No identifier of the record belongs to a known patient.',
  IDENTITY_CONTESTED: 'The identifiers of the record lead to more than one patient.',
} as const;

class Refused extends Error {
  constructor(readonly code: keyof typeof REASONS) {
    super(code);
  }
}

/**
 * Finds the person of each row, record by record in their order. A record whose person is unknown or contested is refused as a whole;
 * rows of assets that link later stay without person and are counted in the quarantine one by one.
 */
export async function resolve(
  tx: Transaction,
  records: readonly StagedRecord[],
  assets: ReadonlyMap<string, AssetDeclaration>,
  origin: Origin,
): Promise<Resolved> {
  const changes = records.some((record) => record.staged.some((one) => one.kind !== 'row'));
  const book = await IdentityBook.load(tx, keysOf(records), changes);
  const resolver = new Resolver(assets, origin, book);
  for (const record of records) resolver.take(record);
  await resolver.giveOrdinals(tx);
  return { rows: resolver.rows, refusals: resolver.refusals, book, registered: new Set(resolver.registered.keys()) };
}

function* keysOf(records: readonly StagedRecord[]): Generator<IdentityKey> {
  for (const { staged } of records) {
    for (const one of staged) {
      if (one.keys !== undefined) yield* one.keys;
      if (one.kind === 'link') yield* one.anchors;
    }
  }
}

class Resolver {
  readonly rows = new Map<string, ReadyRow[]>();
  readonly refusals: Refusal[] = [];
  readonly registered = new Map<string, Person>();
  private readonly numbered: { readonly row: Record<string, unknown>; readonly table: string }[] = [];

  constructor(
    private readonly assets: ReadonlyMap<string, AssetDeclaration>,
    private readonly origin: Origin,
    private readonly book: IdentityBook,
  ) {}

  take(record: StagedRecord): void {
    const ready: { readonly asset: AssetDeclaration; readonly row: Record<string, unknown> }[] = [];
    const later: Refusal[] = [];
    try {
      record.staged.forEach((one, index) => {
        if (one.kind === 'link') this.link(one);
        else ready.push(this.ready(record, one, index, later));
      });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.refusals.push(this.refusal(record, error.code, null, record.place));
      return;
    }
    this.refusals.push(...later);
    for (const { asset, row } of ready) {
      const list = this.rows.get(asset.table);
      if (list === undefined) this.rows.set(asset.table, [{ record, row }]);
      else list.push({ record, row });
    }
  }

  private ready(
    record: StagedRecord,
    one: Exclude<Staged, { kind: 'link' }>,
    index: number,
    later: Refusal[],
  ): { asset: AssetDeclaration; row: Record<string, unknown> } {
    const asset = this.assets.get(one.asset);
    if (asset === undefined) throw new TypeError(`no asset ${one.asset}`);
    const row: Record<string, unknown> = { ...one.row };
    if ('source_digest' in asset.columns) row['source_digest'] = this.origin.digest;
    if ('source_ordinal' in asset.columns) row['source_ordinal'] = record.ordinal;
    if ('sensitivity' in asset.columns) row['sensitivity'] ??= 0;
    if (one.kind === 'register') {
      assign(row, this.register(record, one), asset);
      if ('ordinal' in asset.columns) this.numbered.push({ row, table: asset.table });
    } else if (asset.patient !== 'none') {
      const found = this.book.find(one.keys ?? []);
      if (found.is === 'contested') throw new Refused('IDENTITY_CONTESTED');
      if (found.is === 'unknown' && asset.patient === 'required') throw new Refused('PATIENT_UNKNOWN');
      if (found.is === 'unknown') later.push(this.refusal(record, 'PATIENT_UNKNOWN', asset.table, `${record.place} row ${index}`));
      assign(row, found.is === 'known' ? found.person : null, asset);
    }
    return { asset, row };
  }

  private register(record: StagedRecord, one: Extract<Staged, { kind: 'register' }>): Person {
    const found = this.book.find(one.keys);
    if (found.is === 'contested') throw new Refused('IDENTITY_CONTESTED');
    const sensitivity = Number(one.row['sensitivity'] ?? 0);
    const person: Person =
      found.is === 'known'
        ? found.person
        : {
            patientId: idsOf(this.origin.digest, record.ordinal, this.origin.arrivedAt, 'person')(),
            siteId: one.site ?? UNASSIGNED,
            sensitivity,
          };
    if (found.is === 'unknown') {
      this.registered.set(person.patientId, person);
      this.book.registered(person);
    }
    this.book.link(person, one.keys, 'SAME_IDENTIFIER');
    return person;
  }

  private link(one: Extract<Staged, { kind: 'link' }>): void {
    const found = this.book.find(one.anchors);
    if (found.is === 'contested') throw new Refused('IDENTITY_CONTESTED');
    if (found.is === 'unknown') throw new Refused('PATIENT_UNKNOWN');
    if (!this.book.link(found.person, one.keys, one.basis)) throw new Refused('IDENTITY_CONTESTED');
  }

  private refusal(record: StagedRecord, code: keyof typeof REASONS & ErrorCode, asset: string | null, place: string): Refusal {
    return { ordinal: record.ordinal, place, code, reason: REASONS[code], asset, bytes: null };
  }

  /** Persons are numbered from 0 without gaps; sets of persons in the lineage are bitmaps over these numbers. */
  async giveOrdinals(tx: Transaction): Promise<void> {
    for (const table of new Set(this.numbered.map((one) => one.table))) {
      const rows = this.numbered.filter((one) => one.table === table).map((one) => one.row);
      const ids = [...new Set(rows.map((row) => String(row['patient_id'])))];
      const stored = await tx.query<{ patient_id: string; ordinal: number }>(
        `select patient_id, ordinal from "${table}" where patient_id = any($1::uuid[])`,
        [ids],
      );
      const ordinals = new Map(stored.map((row) => [row.patient_id, row.ordinal]));
      const without = ids.filter((id) => !ordinals.has(id));
      if (without.length > 0) {
        const [counter] = await tx.query<{ value: number }>(
          `insert into counter (name, value) values ($1, $2)
           on conflict (name) do update set value = counter.value + excluded.value returning value`,
          [table, without.length],
        );
        const next = (counter?.value ?? 0) - without.length;
        without.forEach((id, index) => ordinals.set(id, next + index));
      }
      for (const row of rows) row['ordinal'] = ordinals.get(String(row['patient_id']));
    }
  }
}

function assign(row: Record<string, unknown>, person: Person | null, asset: AssetDeclaration): void {
  row['patient_id'] = person?.patientId ?? null;
  if ('site_id' in asset.columns) row['site_id'] = person?.siteId ?? null;
}

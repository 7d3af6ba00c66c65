import type { AssetDeclaration, DerivedTable } from '../kernel/index.js';
import type { Refusal, Screened } from './expect.js';
import { idsOf } from './ids.js';
import type { PipelinePlan } from './plan.js';
import type { Row, Transaction } from './ports.js';
import { resolve, type Origin, type ReadyRow, type Resolved } from './resolve.js';

export interface Applied {
  /** Rows written by table. */
  readonly rows: ReadonlyMap<string, number>;
  readonly refusals: readonly Refusal[];
  /** Version that each table touched has from this transaction on. */
  readonly versions: Readonly<Record<string, number>>;
}

export interface Applying {
  readonly plan: PipelinePlan;
  readonly origin: Origin;
  readonly actor: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Writes what was kept, with identity and derived tables, inside one transaction, and raises the version of each table touched. */
export async function apply(tx: Transaction, screened: Screened, context: Applying): Promise<Applied> {
  const { plan, origin } = context;
  const at = new Date(context.now).toISOString();
  const resolved = await resolve(tx, screened.kept, plan.assets, origin);
  const rows = new Map<string, number>();
  const refusals = [...screened.refusals, ...resolved.refusals];
  for (const asset of plan.assets.values()) {
    const ready = resolved.rows.get(asset.table);
    if (ready === undefined) continue;
    const target = asset.patient === 'later' ? { ...asset, ignore: [...(asset.ignore ?? []), 'patient_id', 'site_id'] } : asset;
    const result = await tx.write(
      target,
      ready.map((one) => one.row),
    );
    rows.set(asset.table, result.written);
    for (const conflict of result.conflicts) refusals.push(conflictOf(ready, asset, conflict));
  }
  const first = screened.kept[0]?.ordinal ?? 0;
  await resolved.book.flush(tx, at, context.actor, origin.digest, idsOf(origin.digest, first, origin.arrivedAt, `identity ${context.now}`));
  const touched = new Set([...rows].filter(([, written]) => written > 0).map(([table]) => table));
  if (resolved.book.changed) touched.add('identity_key');
  for (const table of await linkWaiting(tx, resolved, plan)) touched.add(table);
  for (const derived of plan.derived) {
    if (await derive(tx, derived, plan, resolved)) touched.add(derived.table);
  }
  const persons = personsOf(screened, resolved);
  const versions = await raiseVersions(tx, { tables: [...touched], persons, digest: origin.digest, at });
  return { rows, refusals, versions };
}

function conflictOf(
  ready: readonly ReadyRow[],
  asset: AssetDeclaration,
  conflict: Awaited<ReturnType<Transaction['write']>>['conflicts'][number],
): Refusal {
  const record = ready[conflict.index]?.record;
  const first =
    conflict.digest === null
      ? ''
      : ` The first came with file ${conflict.digest}${conflict.ordinal === null ? '' : `, record ${conflict.ordinal}`}.`;
  return {
    ordinal: record?.ordinal ?? 0,
    place: conflict.fault?.place ?? record?.place ?? '',
    code: conflict.fault?.code ?? 'RECORD_CONFLICT',
    reason: conflict.fault?.message ?? `The key is already in ${asset.table} with other content.${first}`,
    asset: asset.table,
    bytes: null,
  };
}

/** Rows of any product that waited for a key are linked as soon as a person has it. */
async function linkWaiting(tx: Transaction, { book }: Resolved, plan: PipelinePlan): Promise<Set<string>> {
  const touched = new Set<string>();
  for (const asset of plan.assets.values()) {
    const { linked } = asset;
    if (linked === undefined) continue;
    for (const { person, key } of book.linked) {
      if (key.issuer !== linked.issuer) continue;
      await tx.query(linked.sql, [person.patientId, person.siteId, key.value]);
      touched.add(asset.table);
    }
  }
  return touched;
}

async function derive(tx: Transaction, derived: DerivedTable, plan: PipelinePlan, resolved: Resolved): Promise<boolean> {
  const source = plan.assets.get(derived.from);
  if (source === undefined) return false;
  const persons = new Set<string>(derived.alsoOnRegister === true ? resolved.registered : []);
  for (const { row } of resolved.rows.get(derived.from) ?? []) {
    if (typeof row['patient_id'] === 'string') persons.add(row['patient_id']);
  }
  if (persons.size === 0) return false;
  const ids = [...persons].sort();
  const columns = Object.keys(source.columns).map((column) => `"${column}"`);
  const order = source.key.map((column) => `"${column}"`);
  // Two chunks that touch one person at a time must not both write what they alone saw.
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 1))', [`derive ${derived.table}`]);
  const stored = await tx.query<Row>(
    `select ${columns.join(', ')} from "${source.table}" where patient_id = any($1::uuid[]) order by ${order.join(', ')}`,
    [ids],
  );
  const byPerson = new Map<string, Row[]>(ids.map((id) => [id, []]));
  for (const row of stored) byPerson.get(String(row['patient_id']))?.push(row);
  await tx.query(`delete from "${derived.table}" where patient_id = any($1::uuid[])`, [ids]);
  const rows = [...byPerson].flatMap(([id, own]) => [...derived.rows(id, own)]);
  await tx.write({ table: derived.table, columns: derived.columns, key: derived.key, onConflict: 'update' }, rows);
  return true;
}

/** Persons of whom the records tell, also where all that they say was stored before. */
function personsOf(screened: Screened, { rows, book }: Resolved): string[] {
  const persons = new Set<string>();
  for (const ready of rows.values()) {
    for (const { row } of ready) if (typeof row['patient_id'] === 'string') persons.add(row['patient_id']);
  }
  for (const { staged } of screened.kept) {
    for (const one of staged) {
      const found = one.kind === 'link' ? book.find(one.anchors) : null;
      if (found?.is === 'known') persons.add(found.person.patientId);
    }
  }
  return [...persons].sort();
}

interface Raise {
  readonly tables: readonly string[];
  readonly persons: readonly string[];
  readonly digest: string;
  readonly at: string;
}

/**
 * Last in the transaction: others who write the same tables wait from here to the commit, so versions are in the order of commits and a
 * snapshot that holds a version holds the changes of all before it. The books of versions and of files grow in the same round trip.
 */
async function raiseVersions(tx: Transaction, { tables, persons, digest, at }: Raise): Promise<Record<string, number>> {
  if (tables.length + persons.length === 0) return {};
  const rows = await tx.query<{ dataset: string; version: number }>(
    `with raised as (
       insert into dataset_version (dataset, version, at) select name, 1, $2 from unnest($1::text[]) as name order by name
       on conflict (dataset) do update set version = dataset_version.version + 1, at = excluded.at returning dataset, version, at),
     changed as (
       insert into dataset_change (dataset, version, change, at)
       select dataset, version, current_setting('thalamus.change')::bigint, at from raised),
     told as (insert into source_person (patient_id, digest) select person, $4 from unnest($3::uuid[]) as person on conflict do nothing)
     select dataset, version from raised`,
    [[...tables].sort(), at, persons, digest],
  );
  return Object.fromEntries(rows.map((row) => [row.dataset, row.version]));
}

import { createHash } from 'node:crypto';
import type { IdentityKey, LinkBasis } from '../kernel/index.js';
import type { Row, Transaction, WriteTarget } from './ports.js';

export interface Person {
  readonly patientId: string;
  readonly siteId: string;
  /** How confidential the person's keys are: 0 to 2. */
  readonly sensitivity: number;
}

export type Found = { readonly is: 'known'; readonly person: Person } | { readonly is: 'unknown' } | { readonly is: 'contested' };

interface Entry {
  readonly persons: Map<string, Person>;
  contested: boolean;
}

export interface LinkedKey {
  readonly person: Person;
  readonly key: IdentityKey;
}

const KEYS: WriteTarget = {
  table: 'identity_key',
  columns: {
    patient_id: 'uuid',
    issuer: 'text',
    value: 'text',
    site_id: 'text',
    sensitivity: 'int',
    basis: 'text',
    contested: 'bool',
    linked_at: 'timestamptz',
    source_digest: 'text',
  },
  key: ['patient_id', 'issuer', 'value'],
  onConflict: 'update',
  ignore: ['site_id', 'sensitivity', 'basis', 'linked_at', 'source_digest'],
};

const EVENTS: WriteTarget = {
  table: 'identity_event',
  columns: {
    event_id: 'uuid',
    at: 'timestamptz',
    kind: 'text',
    patient_id: 'uuid',
    issuer: 'text',
    value_digest: 'text',
    basis: 'text',
    actor: 'text',
  },
  key: ['event_id'],
  onConflict: 'update',
  ignore: ['at', 'kind', 'patient_id', 'issuer', 'value_digest', 'basis', 'actor'],
};

const nameOf = (key: IdentityKey): string => `${key.issuer}\0${key.value}`;
/** An issuer without name is no issuer, and Postgres holds no NUL: such keys lead to nobody. */
const usable = (key: IdentityKey): boolean =>
  key.issuer !== '' && key.value !== '' && !key.issuer.includes('\0') && !key.value.includes('\0');

/**
 * Who is who, for the keys of one chunk: read once, changed in memory record by record, written by `flush` (spec patients section 2).
 * A key that two persons have, or that is marked contested, leads to nobody until somebody decides.
 */
export class IdentityBook {
  private readonly entries: Map<string, Entry>;
  private readonly keyRows: Row[] = [];
  private readonly contestedKeys: IdentityKey[] = [];
  private readonly events: Omit<Row, 'event_id'>[] = [];
  private readonly fresh: LinkedKey[] = [];

  private constructor(entries: Map<string, Entry>) {
    this.entries = entries;
  }

  /** With `changes` other chunks that change identity wait until this transaction ends. */
  static async load(tx: Transaction, keys: Iterable<IdentityKey>, changes: boolean): Promise<IdentityBook> {
    if (changes) await tx.query("select pg_advisory_xact_lock(hashtextextended('identity', 1))");
    const wanted = new Map<string, IdentityKey>();
    for (const key of keys) if (usable(key)) wanted.set(nameOf(key), key);
    const entries = new Map<string, Entry>();
    if (wanted.size === 0) return new IdentityBook(entries);
    const all = [...wanted.values()];
    const rows = await tx.query<{
      issuer: string;
      value: string;
      patient_id: string;
      site_id: string;
      sensitivity: number;
      contested: boolean;
    }>(
      `select k.issuer, k.value, k.patient_id, k.site_id, k.sensitivity, k.contested
         from unnest($1::text[], $2::text[]) as q (issuer, value) join identity_key k using (issuer, value)`,
      [all.map((key) => key.issuer), all.map((key) => key.value)],
    );
    for (const row of rows) {
      const entry = entryOf(entries, row);
      entry.persons.set(row.patient_id, { patientId: row.patient_id, siteId: row.site_id, sensitivity: row.sensitivity });
      entry.contested ||= row.contested;
    }
    return new IdentityBook(entries);
  }

  /** The person whom any of the keys names; contested when they name several. */
  find(keys: readonly IdentityKey[]): Found {
    let person: Person | undefined;
    for (const key of keys) {
      const entry = usable(key) ? this.entries.get(nameOf(key)) : undefined;
      if (entry === undefined) continue;
      if (entry.contested || entry.persons.size > 1) return { is: 'contested' };
      for (const found of entry.persons.values()) {
        if (person !== undefined && person.patientId !== found.patientId) return { is: 'contested' };
        person ??= found;
      }
    }
    return person === undefined ? { is: 'unknown' } : { is: 'known', person };
  }

  /** Gives the person the keys that nobody has. Returns false, and marks the key on both sides, where another person has one. */
  link(person: Person, keys: readonly IdentityKey[], basis: LinkBasis): boolean {
    const given = keys.filter(usable);
    const taken = given.filter((key) => this.heldByOther(key, person));
    for (const key of taken) {
      entryOf(this.entries, key).contested = true;
      this.contestedKeys.push(key);
      this.keyRows.push(keyRow(person, key, basis, true));
      this.events.push(eventOf('contested', person, key, basis));
    }
    if (taken.length > 0) return false;
    for (const key of given) {
      const entry = entryOf(this.entries, key);
      if (entry.persons.has(person.patientId)) continue;
      entry.persons.set(person.patientId, person);
      this.keyRows.push(keyRow(person, key, basis, false));
      this.events.push(eventOf('linked', person, key, basis));
      this.fresh.push({ person, key });
    }
    return true;
  }

  registered(person: Person): void {
    this.events.push(eventOf('registered', person, null, null));
  }

  /** Keys that `flush` writes for the first time. */
  get linked(): readonly LinkedKey[] {
    return this.fresh;
  }

  get changed(): boolean {
    return this.events.length > 0;
  }

  async flush(tx: Transaction, at: string, actor: string, digest: string, newId: () => string): Promise<void> {
    if (!this.changed) return;
    await tx.write(
      KEYS,
      this.keyRows.map((row) => ({ ...row, linked_at: at, source_digest: digest })),
    );
    await tx.write(
      EVENTS,
      this.events.map((event) => ({ ...event, event_id: newId(), at, actor })),
    );
    if (this.contestedKeys.length === 0) return;
    await tx.query(
      `update identity_key k set contested = true from unnest($1::text[], $2::text[]) as q (issuer, value)
        where k.issuer = q.issuer and k.value = q.value`,
      [this.contestedKeys.map((key) => key.issuer), this.contestedKeys.map((key) => key.value)],
    );
  }

  private heldByOther(key: IdentityKey, person: Person): boolean {
    const entry = this.entries.get(nameOf(key));
    return entry !== undefined && (entry.contested || [...entry.persons.keys()].some((id) => id !== person.patientId));
  }
}

function entryOf(entries: Map<string, Entry>, key: IdentityKey): Entry {
  const name = nameOf(key);
  let entry = entries.get(name);
  if (entry === undefined) entries.set(name, (entry = { persons: new Map(), contested: false }));
  return entry;
}

function keyRow(person: Person, key: IdentityKey, basis: LinkBasis, contested: boolean): Row {
  const { patientId, siteId, sensitivity } = person;
  return { patient_id: patientId, issuer: key.issuer, value: key.value, site_id: siteId, sensitivity, basis, contested };
}

/** The value itself stays in identity_key; the event holds a digest that is of use only beside it. */
function eventOf(kind: 'registered' | 'linked' | 'contested', person: Person, key: IdentityKey | null, basis: LinkBasis | null): Row {
  const digest = key === null ? null : createHash('sha256').update(`${person.patientId}\n${key.issuer}\n${key.value}`).digest('hex');
  return { kind, patient_id: person.patientId, issuer: key?.issuer ?? null, value_digest: digest, basis };
}

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Pool } from 'pg';

const KEY_BYTES = 32;
/** Initial value of AES key wrap (RFC 3394 section 2.2.3.1). */
const WRAP_IV = Buffer.alloc(8, 0xa6);
const CACHED_MAX = 200_000;

interface PersonKey {
  readonly ordinal: number;
  readonly key: Buffer;
}

interface KeyRow {
  readonly patient_id: string;
  readonly ordinal: number;
  readonly wrapped: Buffer;
}

/**
 * The vault: the one place that leads from a person to the ordinal that stands in evidence, and to the key under which is kept what was asked about
 * the person. Keys are wrapped under one of the installation (RFC 3394), so that neither the database nor its backups can open them alone.
 */
export class PersonKeys {
  private readonly cached = new Map<string, PersonKey>();
  private readonly wrapKey: Buffer;

  constructor(
    private readonly writer: Pool,
    secret: Buffer,
  ) {
    this.wrapKey = Buffer.from(hkdfSync('sha256', secret, '', 'thalamus person keys', KEY_BYTES));
  }

  /** In the order of the ordinals. A person who has no key gets one; one who is not registered has none, and that is a fault. */
  async of(patientIds: ReadonlySet<string>): Promise<readonly PersonKey[]> {
    const missing = [...patientIds].filter((id) => !this.cached.has(id));
    if (missing.length > 0) await this.load(missing);
    const found = [...patientIds].map((id) => {
      const person = this.cached.get(id);
      if (!person) throw new Error('a person behind an answer is not registered');
      return person;
    });
    return found.sort((a, b) => a.ordinal - b.ordinal);
  }

  /** Keys by ordinal, in that order; null where one of them is gone. */
  async byOrdinals(ordinals: readonly number[]): Promise<readonly Buffer[] | null> {
    if (ordinals.length === 0) return [];
    const { rows } = await this.writer.query<KeyRow>(
      'select patient_id, ordinal, wrapped from person_key where ordinal = any($1::int[]) order by ordinal',
      [ordinals],
    );
    return rows.length === new Set(ordinals).size ? rows.map((row) => this.unwrap(row.wrapped)) : null;
  }

  /** Persons behind ordinals; who was erased is not among them. */
  async patientsOf(ordinals: readonly number[]): Promise<ReadonlyMap<number, string>> {
    const { rows } = await this.writer.query<{ patient_id: string; ordinal: number }>(
      'select patient_id, ordinal from person_key where ordinal = any($1::int[])',
      [ordinals],
    );
    return new Map(rows.map((row) => [row.ordinal, row.patient_id]));
  }

  async ordinalOf(patientId: string): Promise<number | null> {
    const { rows } = await this.writer.query<{ ordinal: number }>('select ordinal from person_key where patient_id = $1', [patientId]);
    return rows[0]?.ordinal ?? null;
  }

  /** Forgets what is kept in memory: a key that was destroyed elsewhere must not live on here. */
  forget(): void {
    this.cached.clear();
  }

  /** Destroys the key of a person for good; the ordinal that it had, or null where there is none. */
  async destroy(patientId: string): Promise<number | null> {
    const { rows } = await this.writer.query<{ ordinal: number }>('delete from person_key where patient_id = $1 returning ordinal', [
      patientId,
    ]);
    this.cached.clear();
    return rows[0]?.ordinal ?? null;
  }

  private async load(ids: readonly string[]): Promise<void> {
    if (this.cached.size + ids.length > CACHED_MAX) this.cached.clear();
    const known = await this.writer.query<KeyRow>({
      name: 'person-keys',
      text: 'select patient_id, ordinal, wrapped from person_key where patient_id = any($1::uuid[])',
      values: [ids],
    });
    this.remember(known.rows);
    const fresh = ids.filter((id) => !this.cached.has(id));
    if (fresh.length === 0) return;
    // Of two processes that make a key at once one is first; both then read what is there.
    const made = await this.writer.query<KeyRow>(
      `with made as (
         insert into person_key (patient_id, ordinal, wrapped)
         select p.patient_id, p.ordinal, k.wrapped from unnest($1::uuid[], $2::bytea[]) as k(patient_id, wrapped) join patient p using (patient_id)
         on conflict do nothing returning patient_id, ordinal, wrapped)
       select * from made`,
      [fresh, fresh.map(() => this.wrap(randomBytes(KEY_BYTES)))],
    );
    this.remember(made.rows);
    const others = fresh.filter((id) => !this.cached.has(id));
    if (others.length === 0) return;
    const { rows } = await this.writer.query<KeyRow>(
      'select patient_id, ordinal, wrapped from person_key where patient_id = any($1::uuid[])',
      [others],
    );
    this.remember(rows);
  }

  private remember(rows: readonly KeyRow[]): void {
    for (const row of rows) this.cached.set(row.patient_id, { ordinal: row.ordinal, key: this.unwrap(row.wrapped) });
  }

  private wrap(key: Buffer): Buffer {
    const cipher = createCipheriv('id-aes256-wrap', this.wrapKey, WRAP_IV);
    return Buffer.concat([cipher.update(key), cipher.final()]);
  }

  private unwrap(wrapped: Buffer): Buffer {
    const decipher = createDecipheriv('id-aes256-wrap', this.wrapKey, WRAP_IV);
    return Buffer.concat([decipher.update(wrapped), decipher.final()]);
  }
}

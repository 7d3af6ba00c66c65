/** Rows with everything that rules look at: sites, confidentiality, labels, consents of every kind, broken glass, and empty cells everywhere. */
import type { Pool } from 'pg';
import { permits } from '../../src/domains/patients/formats/consent-permits.js';
import type { ConsentEffect } from '../../src/domains/patients/formats/consent-effect.js';
import { MODALITIES, PURPOSES, type EntityDeclaration } from '../../src/kernel/index.js';
import type { Draw } from '../fuzz/random.js';
import type { Asking, Facts, Row } from './oracle.js';
import type { Table } from './coordinates.js';

export const NOW = Date.parse('2026-06-01T12:00:00Z');
export const SITES = ['north', 'south', 'west'] as const;
export const SUBS = ['ann', 'ben'] as const;
export const IDENTITIES = ['Practitioner/1', 'Organization/2'] as const;
const REFS = ['Encounter/1', 'DocumentReference/2'] as const;
const DAY_MS = 86_400_000;
const PERSONS = 10;
export const personOf = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const iso = (at: number): string => new Date(at).toISOString();

export interface Glass {
  readonly sub: string;
  readonly patient: string;
  readonly from: number;
  readonly to: number;
  readonly ended: boolean;
}

export interface World {
  readonly effects: ReadonlyMap<string, readonly ConsentEffect[]>;
  readonly glasses: readonly Glass[];
  /** By table. */
  readonly rows: ReadonlyMap<string, readonly Row[]>;
}

/** What the world knows of persons, for one caller. */
export function factsOf(world: World, asking: Asking): Facts {
  return {
    permits: (row) => {
      const { entity, values } = row;
      const { modality, patient, occurred } = entity;
      if (modality === undefined || patient === undefined) return false;
      const at = occurred === undefined ? null : values[occurred];
      return permits(world.effects.get(String(values[patient])) ?? [], {
        purpose: asking.purpose,
        category: MODALITIES[modality],
        sensitivity: (['N', 'R', 'V'] as const)[Number(values['sensitivity'])] ?? 'V',
        labels: Number(values['label_bits']),
        occurred: typeof at === 'string' ? Date.parse(at) : null,
        refs: (values['refs'] as readonly string[] | undefined) ?? [],
        identities: IDENTITIES,
        at: NOW,
        ofPerson: entity.table === 'patient',
      });
    },
    glass: ({ entity, values }) =>
      entity.patient !== undefined &&
      world.glasses.some(
        (each) =>
          each.sub === asking.sub && each.patient === values[entity.patient ?? ''] && each.from <= NOW && NOW < each.to && !each.ended,
      ),
  };
}

/** Persons 0 to 2 permit much, 3 to 6 something, 7 what is bound or over, 8 and 9 nothing. */
export function persons(draw: Draw): Pick<World, 'effects' | 'glasses'> {
  const purposes = [...Object.keys(PURPOSES), 'study:S1'];
  const effects = new Map<string, ConsentEffect[]>();
  for (let n = 0; n < PERSONS - 2; n++) {
    const wide = n < 3;
    effects.set(
      personOf(n),
      purposes.flatMap((purpose) =>
        wide || draw.chance(0.6) ? [effectOf(draw, purpose, wide ? 'wide' : n < 7 ? 'narrow' : 'bound')] : [],
      ),
    );
  }
  // Bounds of data say nothing about the row of the person.
  const bound = (purpose: string, over: Partial<ConsentEffect>): ConsentEffect => ({ ...effectOf(draw, purpose, 'wide'), ...over });
  effects.set(personOf(7), [
    bound('HRESCH', { dataFrom: iso(NOW - 2000 * DAY_MS), dataTo: iso(NOW - 20 * DAY_MS) }),
    bound('TREAT', { refs: [REFS[0]] }),
    bound('HOPERAT', { refsNot: [REFS[1]], recipients: [IDENTITIES[1]] }),
    bound('ETREAT', { minSensitivity: 'R', labelsAny: 1 }),
  ]);
  const glass = (sub: string, n: number, from: number, to: number, ended = false): Glass => ({
    sub,
    patient: personOf(n),
    from,
    to,
    ended,
  });
  const minutes = 60_000;
  return {
    effects,
    glasses: [
      glass(SUBS[0], 1, NOW - 10 * minutes, NOW + 10 * minutes),
      glass(SUBS[0], 8, NOW, NOW + 30 * minutes),
      glass(SUBS[0], 9, NOW - 30 * minutes, NOW),
      glass(SUBS[0], 7, NOW + minutes, NOW + 30 * minutes),
      glass(SUBS[0], 6, NOW - minutes, NOW + 30 * minutes, true),
      glass(SUBS[1], 9, NOW - minutes, NOW + 30 * minutes),
    ],
  };
}

function effectOf(draw: Draw, purpose: string, kind: 'wide' | 'narrow' | 'bound'): ConsentEffect {
  const bound = kind === 'bound';
  const from = draw.pick([null, iso(NOW - 9 * DAY_MS), iso(NOW)]);
  const to = draw.pick([null, iso(NOW + 9 * DAY_MS)]);
  return {
    purpose,
    categories: kind === 'wide' ? 31 : draw.int(1, 31),
    minSensitivity: bound && draw.chance(0.3) ? 'R' : 'N',
    maxSensitivity: kind === 'wide' ? 'V' : draw.pick(['R', 'V']),
    labels: kind === 'wide' ? 8191 : draw.pick([0, 1, 8191]),
    labelsAny: bound && draw.chance(0.3) ? 1 : 0,
    recipients: bound && draw.chance(0.5) ? draw.pick([[IDENTITIES[1]], ['Organization/3'], [...IDENTITIES]]) : null,
    dataFrom: bound && draw.chance(0.4) ? iso(NOW - 2000 * DAY_MS) : null,
    dataTo: bound && draw.chance(0.4) ? iso(NOW - 20 * DAY_MS) : null,
    refs: bound && draw.chance(0.3) ? [draw.pick(REFS)] : null,
    refsNot: bound && draw.chance(0.3) ? [draw.pick(REFS)] : null,
    validFrom: kind === 'wide' ? null : from,
    validTo: kind === 'wide' ? null : draw.chance(0.15) ? iso(NOW) : to,
  };
}

/** A value of a column by its type in the database; `n` makes it unlike those of other rows where `key` is true. */
export function valueOf(draw: Draw, column: string, type: string, n: number, key: boolean): unknown {
  if (column === 'site_id') return draw.pick(SITES);
  if (column === 'sensitivity') return draw.pick([0, 0, 0, 1, 2]);
  if (column === 'label_bits') return draw.pick([0, 0, 0, 1, 3, 16]);
  if (column === 'refs') return draw.some(REFS, 0.3);
  if (column === 'principal') return draw.pick([...SUBS, 'cat']);
  if (column === 'patient_id') return personOf(key ? n % PERSONS : draw.int(0, PERSONS - 1));
  if (column === 'postal_code') return draw.pick(['02139', '03601', '10283-1', '0213', 'SW1A 1AA']);
  switch (type) {
    case 'uuid':
      return personOf(1000 + (key ? n : draw.int(0, 99)));
    case 'int4':
    case 'int2':
    case 'int8':
      if (column === 'birth_year') return draw.pick([1921, 1935, 1936, 1990]);
      return key ? n + 1 : draw.int(-3, 120);
    case 'float8':
      return draw.pick([-1.5, 0, 0.25, 37.5, 120, 1e6]);
    case 'bool':
      return draw.chance(0.5);
    case 'date':
      return key ? iso(NOW - n * DAY_MS).slice(0, 10) : draw.pick(['1921-05-05', '1990-12-31', '2024-02-29']);
    case 'timestamptz':
      return iso(NOW - draw.pick([0, 3, 20, 400, 3000]) * DAY_MS - draw.int(0, 999));
    case '_text':
      return draw.some(['a', 'b', 'c'], 0.5);
    case 'jsonb':
      return JSON.stringify({ n: draw.int(0, 9) });
    case 'bytea':
      return Buffer.from([draw.int(0, 255)]);
    default:
      return key ? `${column}-${n}` : draw.pick(['Alderwick', 'é', 'abcd', '1234567', 'ﬀ', '😀 face', '', 'Z']);
  }
}

/** Rows in memory, of declared columns only: for checks without a database. */
export function rowsInMemory(draw: Draw, tables: readonly Table[], each: number): Map<string, Row[]> {
  return new Map(
    tables.map(({ entity, fields }) => [entity.table, Array.from({ length: each }, (_, n) => rowInMemory(draw, entity, fields, n))]),
  );
}

const PG: Readonly<Record<string, string>> = { int: 'int4', bigint: 'int8', 'text[]': '_text', json: 'jsonb' };

function rowInMemory(draw: Draw, entity: EntityDeclaration, fields: Table['fields'], n: number): Row {
  const types = new Map<string, string>();
  for (const { field } of fields) {
    if (field.kind === 'computed') for (const from of field.from) types.set(from.column, from.type);
    else types.set(field.column, field.type).set(field.redacted ?? field.column, field.type);
  }
  for (const column of ['sensitivity', 'label_bits']) types.set(column, 'int4');
  for (const column of ['site_id', ...(entity.principal === undefined ? [] : [entity.principal])]) types.set(column, 'text');
  types.set('refs', '_text');
  if (entity.patient !== undefined) types.set(entity.patient, 'uuid');
  if (entity.occurred !== undefined) types.set(entity.occurred, 'timestamptz');
  const fixed = new Set([...entity.key, 'site_id', 'sensitivity', 'label_bits', 'refs', entity.patient]);
  const values = [...types].map(([column, type]) => {
    const isEmpty = !fixed.has(column) && draw.chance(0.2);
    return [column, isEmpty ? null : valueOf(draw, column, PG[type] ?? type, n, entity.key.includes(column))] as const;
  });
  return { entity, values: Object.fromEntries(values) };
}

/** Stores what the world knows of persons. */
export async function storePersons(pool: Pool, world: Pick<World, 'effects' | 'glasses'>): Promise<void> {
  let atom = 0;
  for (const [patient, effects] of world.effects)
    for (const each of effects) {
      const bounds = [each.recipients, each.dataFrom, each.dataTo, each.refs, each.refsNot];
      const bound = each.minSensitivity !== 'N' || each.labelsAny !== 0 || bounds.some((one) => one !== null);
      await pool.query(
        `insert into consent_effect (patient_id, purpose, atom, categories, sensitivity_min, sensitivity_max, labels, labels_any, recipients,
           data_from, data_to, refs, refs_not, valid_from, valid_to, bound)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, coalesce($14::timestamptz, '-infinity'), coalesce($15::timestamptz, 'infinity'), $16)`,
        [
          patient,
          each.purpose,
          String(atom++),
          each.categories,
          'NRV'.indexOf(each.minSensitivity),
          'NRV'.indexOf(each.maxSensitivity),
          each.labels,
          each.labelsAny,
          each.recipients,
          each.dataFrom,
          each.dataTo,
          each.refs,
          each.refsNot,
          each.validFrom,
          each.validTo,
          bound,
        ],
      );
    }
  for (const [n, each] of world.glasses.entries()) {
    await pool.query(
      `insert into break_glass (glass_id, sub, patient_id, reason, started_at, ends_at, run_id) values ($1, $2, $3, 'for a test', $4, $5, $1)`,
      [personOf(5000 + n), each.sub, each.patient, iso(each.from), iso(each.to)],
    );
    if (each.ended)
      await pool.query(`insert into break_glass_event (event_id, glass_id, kind, at, actor) values ($1, $2, 'ended', $3, $4)`, [
        personOf(6000 + n),
        personOf(5000 + n),
        iso(each.from + 1),
        each.sub,
      ]);
  }
}

/** Packed rows carry digests of themselves, as their pipelines write them. */
const DIGESTS: Readonly<Record<string, string>> = {
  wear_chunk: `update wear_chunk set header_digest = wear_header_digest(patient_id, metric, device, day, id, unit, t0, step_ms, n, enc, mn, mx, sm, sq, offset_minutes, version),
    content_digest = wear_chunk_digest(patient_id, metric, device, day, unit, t0, step_ms, n, enc, vals)`,
};

/** Fills the tables of the mesh with rows of its own making: `each` rows a table, columns that may be null empty in a fifth of them. */
export async function storeRows(owner: Pool, writer: Pool, draw: Draw, tables: readonly string[], each: number): Promise<void> {
  for (const table of tables) {
    const { rows: columns } = await owner.query<{ name: string; type: string; nullable: boolean; key: boolean; made: boolean }>(
      `select a.attname as name, t.typname as type, not a.attnotnull as nullable, a.attgenerated <> '' as made,
         exists (select 1 from pg_index i where i.indrelid = a.attrelid and i.indisunique and a.attnum = any(i.indkey)) as key
       from pg_attribute a join pg_type t on t.oid = a.atttypid where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`,
      [table],
    );
    const stored = columns.filter((column) => !column.made);
    const text = `insert into ${table} (${stored.map((column) => `"${column.name}"`).join(', ')}) values (${stored.map((_, i) => `$${i + 1}`).join(', ')})`;
    for (let n = 0; n < each; n++) {
      const values: Record<string, unknown> = {};
      for (const { name, type, nullable, key } of stored)
        values[name] = nullable && !key && draw.chance(0.2) ? null : valueOf(draw, name, type, n, key);
      if (table === 'patient') values['patient_id'] = personOf(n);
      // No glass of these rows is that of a caller; it is broken for at most an hour.
      if (table === 'break_glass') values['ends_at'] = iso(Date.parse(String(values['started_at'])) + 60_000);
      if (table === 'fusion_model') values['id'] = `${String(values['model_id'])}@${String(values['version'])}`;
      await writer.query(
        text,
        stored.map(({ name }) => values[name]),
      );
    }
    const rewrite = DIGESTS[table];
    if (rewrite !== undefined) await writer.query(rewrite);
  }
}

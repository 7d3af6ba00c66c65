import fc from 'fast-check';
import { maskPads, maskValue, type MaskedCell } from '../../src/governance/index.js';
import { MASKS, type ColumnField, type EntityDeclaration, type Mask, type PlanValues, type SqlType } from '../../src/kernel/index.js';
import { openPools, type Pools } from '../../src/store/index.js';
import { SqlBuilder } from '../../src/store/sql-builder.js';
import { castOf, jsonForm, maskSql } from '../../src/store/sql-rules.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let pools: Pools;
beforeAll(async () => {
  database = await createDatabase();
  pools = await openPools(database.engine);
}, 20_000);
afterAll(async () => {
  await pools.end();
  await database.drop();
});

const pads = maskPads(Buffer.alloc(32, 5));
const NOW = Date.parse('2026-06-01T00:00:00Z');
const PERSONS = { patient: 'patient_id' } as EntityDeclaration;
const personOf = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const cell = (type: SqlType, over: Partial<MaskedCell> = {}): MaskedCell => ({
  type,
  pads,
  redacted: null,
  patient: personOf(1),
  now: NOW,
  identifier: undefined,
  ...over,
});
const text = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.stringMatching(/^\d{0,9}$/),
    fc.constantFrom('03601', '10283-1', '02139', '021390', '0213', '９４１０３', '12 45', '12345\n', '\n12345'),
  )
  .filter((each) => !each.includes('\0'));
const instant = fc.date({ min: new Date('1000-01-01T00:00:00Z'), max: new Date('9998-12-31T23:59:59.999Z'), noInvalidDate: true });
const VALUES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  text,
  uuid: fc.uuid(),
  int: fc.integer(),
  bigint: fc.integer({ min: -1_000_000_000_000, max: 1_000_000_000_000 }),
  float8: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
  bool: fc.boolean(),
  date: instant.map((each) => each.toISOString().slice(0, 10)),
  timestamptz: instant.map((each) => each.toISOString()),
};

/** The masked values as the compiled path gives them. */
async function inSql(
  mask: Mask,
  type: SqlType,
  values: readonly unknown[],
  redacted: readonly (string | null)[],
  identifier: ColumnField['identifier'],
): Promise<unknown[]> {
  const builder = new SqlBuilder();
  const given = builder.bind('values', `${castOf(type)}[]`, () => values);
  const clean = builder.bind('clean', `${castOf(type)}[]`, () => redacted);
  const masked = jsonForm(
    `(${maskSql(builder, mask, { expression: 'v.x', type, alias: 'v', entity: PERSONS, field: { redacted: 'clean', identifier } as ColumnField })})`,
    type,
  );
  const binds = builder.binds.map((bind) => bind({ maskPads: pads, now: new Date(NOW).toISOString() } as PlanValues));
  const { rows } = await pools.reader.query<{ out: string | null }>(
    `select to_json(${masked})::text as out from unnest(${given}, ${clean}) with ordinality as v0(x, clean, n)
       cross join lateral (select v0.x, v0.clean, v0.n, ('00000000-0000-7000-8000-' || lpad(v0.n::text, 12, '0'))::uuid as patient_id) v order by v.n`,
    binds,
  );
  return rows.map((row) => (row.out === null ? null : (JSON.parse(row.out) as unknown)));
}

const PAIRS = MASKS.flatMap((mask) => Object.keys(VALUES).map((type) => [mask, type as SqlType] as const));

it.each(PAIRS)('%s of %s is the same in SQL and in JavaScript', async (mask, type) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(VALUES[type] ?? text, { freq: 8 }), { minLength: 1, maxLength: 40 }), async (values) => {
      const redacted = values.map((_, i) => (type === 'text' && i % 3 > 0 ? `[name ${i}]` : null));
      const identifier = values.length % 2 === 0 ? 'birth' : undefined;
      const expected = values.map(
        (value, i) => maskValue(mask, value, { type, pads, redacted: redacted[i], patient: personOf(i + 1), now: NOW, identifier }) ?? null,
      );
      expect(await inSql(mask, type, values, redacted, identifier)).toEqual(expected);
    }),
    { numRuns: type === 'text' ? 25 : 8 },
  );
});

describe('a mask', () => {
  const masked = (mask: Mask, value: unknown, type: SqlType = 'text'): unknown => maskValue(mask, value, cell(type));

  it.each<[Mask, SqlType, unknown, unknown]>([
    ['NULL', 'text', 'Alderwick', null],
    ['LAST4', 'text', '123-45-6789', 'xxxxxxx6789'],
    ['LAST4', 'text', '6789', 'xxxx'],
    ['LAST4', 'int', 6789, null],
    ['YEAR', 'date', '1951-07-23', '1951-01-01'],
    ['YEAR', 'timestamptz', '1951-12-31T23:59:59.000Z', '1951-01-01T00:00:00.000Z'],
    ['YEAR', 'text', '1951-07-23', null],
    ['FIRST4', 'text', '123-45-6789', '123-xxxxxxx'],
    ['FIRST4', 'text', '6789', 'xxxx'],
    ['AGE90', 'int', 89, 89],
    ['AGE90', 'int', 104, 90],
    ['AGE90', 'int', -1, null],
    ['AGE90', 'date', '1921-05-05', '1936-01-01'],
    ['AGE90', 'date', '1990-05-05', '1990-01-01'],
    ['AGE90', 'text', '104', null],
    ['DATESHIFT', 'text', '1990-05-05', null],
    ['ZIP3', 'text', '02139-1234', '021'],
    ['ZIP3', 'text', '03601', '000'],
    ['ZIP3', 'text', 'SW1A 1AA', '000'],
    ['REDACT', 'text', 'Alderwick', null],
    ['HASH', 'date', '1951-07-23', null],
  ])('%s of %s %j is %j', (mask, type, value, expected) => {
    expect(masked(mask, value, type)).toBe(expected);
  });

  it('HASH is keyed, joinable under one key, and keeps 96 bits', () => {
    const hash = masked('HASH', 'Alderwick');
    expect(hash).toMatch(/^h:[0-9a-f]{24}$/);
    expect(masked('HASH', 'Alderwick')).toBe(hash);
    expect(maskValue('HASH', 'Alderwick', cell('text', { pads: maskPads(Buffer.alloc(32, 6)) }))).not.toBe(hash);
  });

  it('DATESHIFT keeps the intervals of one person, differs between persons and purposes, and moves by 1 to 364 days', () => {
    const days = (value: string, over: Partial<MaskedCell> = {}): number =>
      (Date.parse(value) - Date.parse(String(maskValue('DATESHIFT', value, cell('date', over))))) / 86_400_000;
    expect(days('2020-03-01')).toBe(days('1999-12-31'));
    const persons = Array.from({ length: 50 }, (_, i) => days('2020-03-01', { patient: personOf(i) }));
    expect(new Set(persons).size).toBeGreaterThan(30);
    for (const each of persons) expect([each >= 1, each <= 364]).toEqual([true, true]);
    const other = Array.from({ length: 50 }, (_, i) => days('2020-03-01', { patient: personOf(i), pads: maskPads(Buffer.alloc(32, 9)) }));
    expect(other).not.toEqual(persons);
    expect(maskValue('DATESHIFT', '2020-03-01', cell('date', { patient: null }))).toBeNull();
  });

  it('leaves null as null', () => {
    for (const mask of MASKS) for (const type of Object.keys(VALUES)) expect(masked(mask, null, type as SqlType)).toBeNull();
  });
});

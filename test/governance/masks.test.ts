import fc from 'fast-check';
import { maskPads, maskValue } from '../../src/governance/index.js';
import { MASKS, type ColumnField, type Mask, type PlanValues, type SqlType } from '../../src/kernel/index.js';
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
async function inSql(mask: Mask, type: SqlType, values: readonly unknown[], redacted: readonly (string | null)[]): Promise<unknown[]> {
  const builder = new SqlBuilder();
  const given = builder.bind('values', `${castOf(type)}[]`, () => values);
  const clean = builder.bind('clean', `${castOf(type)}[]`, () => redacted);
  const masked = jsonForm(`(${maskSql(builder, mask, 'v.x', type, 'v', { redacted: 'clean' } as ColumnField)})`, type);
  const binds = builder.binds.map((bind) => bind({ maskPads: pads } as PlanValues));
  const { rows } = await pools.reader.query<{ out: string | null }>(
    `select to_json(${masked})::text as out from unnest(${given}, ${clean}) with ordinality as v(x, clean, n) order by n`,
    binds,
  );
  return rows.map((row) => (row.out === null ? null : (JSON.parse(row.out) as unknown)));
}

const PAIRS = MASKS.flatMap((mask) => Object.keys(VALUES).map((type) => [mask, type as SqlType] as const));

it.each(PAIRS)('%s of %s is the same in SQL and in JavaScript', async (mask, type) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(VALUES[type] ?? text, { freq: 8 }), { minLength: 1, maxLength: 40 }), async (values) => {
      const redacted = values.map((_, i) => (type === 'text' && i % 3 > 0 ? `[name ${i}]` : null));
      const expected = values.map((value, i) => maskValue(mask, value, type, pads, redacted[i]) ?? null);
      expect(await inSql(mask, type, values, redacted)).toEqual(expected);
    }),
    { numRuns: type === 'text' ? 25 : 8 },
  );
});

describe('a mask', () => {
  const masked = (mask: Mask, value: unknown, type: SqlType = 'text'): unknown => maskValue(mask, value, type, pads, null);

  it.each<[Mask, SqlType, unknown, unknown]>([
    ['NULL', 'text', 'Alderwick', null],
    ['LAST4', 'text', '123-45-6789', 'xxxxxxx6789'],
    ['LAST4', 'text', '6789', 'xxxx'],
    ['LAST4', 'int', 6789, null],
    ['YEAR', 'date', '1951-07-23', '1951-01-01'],
    ['YEAR', 'timestamptz', '1951-12-31T23:59:59.000Z', '1951-01-01T00:00:00.000Z'],
    ['YEAR', 'text', '1951-07-23', null],
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
    expect(maskValue('HASH', 'Alderwick', 'text', maskPads(Buffer.alloc(32, 6)), null)).not.toBe(hash);
  });

  it('leaves null as null', () => {
    for (const mask of MASKS) for (const type of Object.keys(VALUES)) expect(masked(mask, null, type as SqlType)).toBeNull();
  });
});

import type { PoolClient } from 'pg';
import fc from 'fast-check';
import { BULK_CATEGORIES, BULK_RULE, categoriesOf, exceeded, mayDisclose, type BulkCategory } from '../../src/evidence/index.js';
import { isCoded } from '../../src/kernel/index.js';
import { bulkMeter, readBulkMeter, type BulkCharge, type BulkMeter } from '../../src/store/bulk-meter.js';
import { migrate } from '../../src/store/migrate.js';
import { openPools, type Pools } from '../../src/store/pool.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

jest.setTimeout(60_000);

const NOW = Date.parse('2026-06-15T12:00:00Z');
const DAY_MS = 86_400_000;
const limits = { windowMonths: BULK_RULE.windowMonths, exceeded };

let database: TestDatabase;
let pools: Pools;
beforeAll(async () => {
  database = await createDatabase();
  pools = await openPools(database.engine);
  await migrate(database.engine);
});
afterAll(async () => {
  await pools.end();
  await database.drop();
});

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const charge = (
  recipient: string,
  categories: readonly BulkCategory[],
  ordinals: readonly number[],
  more: Partial<BulkCharge> = {},
): BulkCharge => ({
  recipient,
  flagged: true,
  categories,
  ordinals,
  at: NOW,
  ...more,
});

/** As the write of evidence does it: one transaction, undone where it throws. The code of the refusal, or null. */
async function disclose(
  meter: BulkMeter,
  charges: readonly BulkCharge[],
  meanwhile?: (client: PoolClient) => Promise<void>,
): Promise<string | null> {
  const client = await pools.writer.connect();
  try {
    await client.query('begin');
    const committed = await meter.meterStatements(client, charges);
    await meanwhile?.(client);
    await client.query('commit');
    committed();
    return null;
  } catch (error) {
    await client.query('rollback');
    if (isCoded(error)) return `${error.code} ${error.place ?? ''}`;
    throw error;
  } finally {
    client.release();
  }
}

const read = (recipient: string, at = NOW) => readBulkMeter(pools.writer, recipient, at, BULK_RULE.windowMonths);

describe('the meter of bulk data', () => {
  it.each(BULK_CATEGORIES.map((category) => [category, BULK_RULE.thresholds[category]] as const))(
    'allows %s of %i persons to a flagged recipient and refuses one more',
    async (category, threshold) => {
      const meter = bulkMeter(limits);
      const to = `at-${category}`;
      expect(await disclose(meter, [charge(to, [category], range(1, threshold - 1))])).toBeNull();
      expect(await disclose(meter, [charge(to, [category], [threshold])])).toBeNull();
      expect(await disclose(meter, [charge(to, [category], [threshold + 1])])).toBe('BULK_LIMIT charges[0]');
      // Whom the recipient holds already may be asked about again, in this process and in another one.
      expect(await disclose(meter, [charge(to, [category], [1, threshold])])).toBeNull();
      expect(await disclose(bulkMeter(limits), [charge(to, [category], [1, threshold])])).toBeNull();
      expect(await read(to)).toMatchObject({ categories: { [category]: threshold }, persons: threshold });
    },
  );

  it.each<readonly [BulkCategory, BulkCategory, number]>([
    ['personal-health', 'human-genomic', 100],
    ['personal-health', 'biometric', 1_000],
    ['covered-identifiers', 'personal-health', 10_000],
    ['covered-identifiers', 'other-omic', 1_000],
  ])('holds %s combined with %s against %i persons of either', async (wide, narrow, threshold) => {
    const to = `combined-${wide}-${narrow}`;
    const meter = bulkMeter(limits);
    expect(await disclose(meter, [charge(to, [wide], range(1, threshold - 1))])).toBeNull();
    expect(await disclose(meter, [charge(to, [narrow], [threshold])])).toBeNull();
    expect(await disclose(meter, [charge(to, [narrow], [1])])).toBeNull();
    expect(await disclose(meter, [charge(to, [narrow], [threshold + 1])])).toBe('BULK_LIMIT charges[0]');
    expect(await disclose(meter, [charge(to, [wide], [threshold + 1])])).toBe('BULK_LIMIT charges[0]');
    expect(await read(to)).toMatchObject({ categories: { [wide]: threshold - 1, [narrow]: 2 }, persons: threshold });
  });

  it('leaves nothing of a refused transaction, whatever else stood in it', async () => {
    const meter = bulkMeter(limits);
    const charges = [charge('other', ['biometric'], [1, 2], { flagged: false }), charge('whole', ['human-genomic'], range(1, 101))];
    expect(await disclose(meter, charges)).toBe('BULK_LIMIT charges[1]');
    expect(await read('whole')).toMatchObject({ persons: 0, firstFallsOut: null });
    expect(await read('other')).toMatchObject({ persons: 0 });
    // The refusal is not remembered as metered either.
    expect(await disclose(meter, [charge('whole', ['human-genomic'], range(1, 100))])).toBeNull();
    expect((await read('whole')).persons).toBe(100);
  });

  it('counts all charges of one transaction together', async () => {
    const charges = [charge('batch', ['human-genomic'], range(1, 60)), charge('batch', ['human-genomic'], range(41, 101))];
    expect(await disclose(bulkMeter(limits), charges)).toBe('BULK_LIMIT charges[1]');
    expect(await disclose(bulkMeter(limits), [charges[0] as BulkCharge, charge('batch', ['human-genomic'], range(41, 100))])).toBeNull();
  });

  it('lets no two requests pass together that may only pass one by one', async () => {
    // Two processes, as far as the meter can tell: nothing is shared but the database.
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));
    const outcomes = await Promise.all(
      range(0, 7).map((i) => disclose(bulkMeter(limits), [charge('race', ['human-genomic'], range(i * 20 + 1, i * 20 + 20))], pause)),
    );
    expect(outcomes.filter((outcome) => outcome === null)).toHaveLength(5);
    expect(outcomes.filter((outcome) => outcome?.startsWith('BULK_LIMIT') === true)).toHaveLength(3);
    expect((await read('race')).persons).toBe(100);
  });

  it('finishes where transactions name several recipients in different orders', async () => {
    const both = (order: readonly string[], base: number): BulkCharge[] =>
      order.map((to) => charge(to, ['biometric'], range(base, base + 20)));
    const outcomes = await Promise.all(
      range(0, 7).map((i) => disclose(bulkMeter(limits), both(i % 2 === 0 ? ['left', 'right'] : ['right', 'left'], i * 10))),
    );
    expect(outcomes).toEqual(outcomes.map(() => null));
  });

  it('meters who is not flagged, and holds him back from nothing; once flagged he is held back at once', async () => {
    const meter = bulkMeter(limits);
    expect(await disclose(meter, [charge('friend', ['human-genomic'], range(1, 150), { flagged: false })])).toBeNull();
    expect(await read('friend')).toMatchObject({ categories: { 'human-genomic': 150 } });
    expect(await disclose(meter, [charge('friend', ['human-genomic'], [1])])).toBe('BULK_LIMIT charges[0]');
  });

  it('forgets a person a year after the last disclosure, day by day', async () => {
    const meter = bulkMeter(limits);
    const year = (n: number): number => Date.parse('2025-06-15T23:59:00Z') + n * DAY_MS;
    expect(await disclose(meter, [charge('aged', ['human-genomic'], range(1, 10), { at: year(-1) })])).toBeNull();
    expect(await disclose(meter, [charge('aged', ['human-genomic'], range(11, 100), { at: year(0) })])).toBeNull();
    // The first ten fell out on the day before, the others count for this day still.
    expect(await read('aged')).toMatchObject({ persons: 90, since: '2025-06-15', firstFallsOut: '2026-06-16' });
    expect(await disclose(meter, [charge('aged', ['human-genomic'], range(101, 110))])).toBeNull();
    expect(await disclose(meter, [charge('aged', ['human-genomic'], [111])])).toBe('BULK_LIMIT charges[0]');
    expect(await disclose(meter, [charge('aged', ['human-genomic'], range(201, 290), { at: NOW + DAY_MS })])).toBeNull();
    // Who is disclosed again starts anew.
    expect(await disclose(meter, [charge('aged', ['human-genomic'], [101], { at: NOW + DAY_MS })])).toBeNull();
    expect((await read('aged', NOW + DAY_MS)).fallsOut).toEqual({ 'human-genomic': '2027-06-16' });
  });

  it('takes a year from a leap day to the end of February', async () => {
    const leap = Date.parse('2024-02-29T10:00:00Z');
    await disclose(bulkMeter(limits), [charge('leap', ['biometric'], [1], { at: leap })]);
    expect(await read('leap', Date.parse('2025-02-28T23:00:00Z'))).toMatchObject({ persons: 1, firstFallsOut: '2025-03-01' });
    expect((await read('leap', Date.parse('2025-03-01T00:00:00Z'))).persons).toBe(0);
  });

  it('writes nothing for persons who were metered today', async () => {
    const meter = bulkMeter(limits);
    await disclose(meter, [charge('again', ['biometric'], range(1, 50))]);
    let statements = 0;
    const counting = { query: () => Promise.resolve(void (statements += 1)) } as unknown as PoolClient;
    await meter.meterStatements(counting, [charge('again', ['biometric'], range(1, 50))]);
    expect(statements).toBe(0);
    await expect(meter.meterStatements(counting, [charge('again', ['biometric'], [51])])).rejects.toThrow();
    expect(statements).toBeGreaterThan(0);
  });

  it('is the exact set, for any sequence of disclosures', async () => {
    const meter = bulkMeter(limits);
    const some = fc.record({
      categories: fc.subarray<BulkCategory>(['human-genomic', 'biometric', 'personal-health'], { minLength: 1 }),
      ordinals: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 }),
      daysAgo: fc.integer({ min: 0, max: 500 }),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(some, { maxLength: 8 }), async (sequence) => {
        const to = `any-${(run += 1)}`;
        const last = new Map<string, number>();
        for (const { categories, ordinals, daysAgo } of sequence) {
          expect(await disclose(meter, [charge(to, categories, ordinals, { at: NOW - daysAgo * DAY_MS })])).toBeNull();
          for (const category of categories)
            for (const ordinal of ordinals)
              last.set(`${category} ${ordinal}`, Math.min(daysAgo, last.get(`${category} ${ordinal}`) ?? 9_999));
        }
        const held = [...last].filter(([, daysAgo]) => daysAgo <= 365).map(([key]) => key.split(' ') as [string, string]);
        const counts = Object.fromEntries(
          [...new Set(held.map(([category]) => category))].map((each) => [each, held.filter(([c]) => c === each).length]),
        );
        const reading = await read(to);
        expect(reading.categories).toEqual(counts);
        expect(reading.persons).toBe(new Set(held.map(([, ordinal]) => ordinal)).size);
      }),
      { numRuns: 30 },
    );
  });
});

describe('the tables of the meter', () => {
  it('open to no reader of requests', async () => {
    for (const table of ['bulk_meter', 'disclosure_hold'])
      await expect(pools.reader.query(`select 1 from ${table}`)).rejects.toMatchObject({ code: '42501' });
  });
});

describe('what an answer carries', () => {
  it('follows from the columns that it depends on, whatever was done to them', () => {
    expect(categoriesOf(['genotype_block.codes', 'variant.pos'])).toEqual(['human-genomic']);
    expect(categoriesOf(['variant.pos', 'consent_effect.purpose', 'fusion_model.card'])).toEqual([]);
    expect(categoriesOf(['patient.family_name', 'observation.value'])).toEqual(['personal-health', 'covered-identifiers']);
    expect(categoriesOf(['imaging.instance_file'])).toEqual(['biometric', 'personal-health', 'covered-identifiers']);
  });

  it('is personal health where nobody declared the table', () => {
    expect(categoriesOf(['proteome.intensity'])).toEqual(['personal-health']);
    expect(categoriesOf(['constructor.name'])).toEqual(['personal-health']);
    expect(categoriesOf(['patient.constructor'])).toEqual(['covered-identifiers']);
  });

  it('may go to a flagged recipient up to the threshold, and to others beyond it', () => {
    const held = { categories: { 'human-genomic': 99 }, persons: 99 };
    const added = (persons: number) => ({ categories: { 'human-genomic': persons }, persons });
    expect([1, 2].map((persons) => mayDisclose({ bulk: 'of-concern' }, held, added(persons)))).toEqual([true, false]);
    expect([1, 2].map((persons) => mayDisclose({ bulk: 'unknown' }, held, added(persons)))).toEqual([true, false]);
    expect([1, 2].map((persons) => mayDisclose({ bulk: 'domestic' }, held, added(persons)))).toEqual([true, true]);
  });
});

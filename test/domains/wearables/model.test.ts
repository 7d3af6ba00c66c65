import 'reflect-metadata';
import fc from 'fast-check';
import type { GraphQLObjectType } from 'graphql';
import { buildSchemaSync, type NonEmptyArray } from 'type-graphql';
import { Patient, entityOf, type Principal, type TypeClass } from '../../../src/kernel/index.js';
import { DAY_MS } from '../../../src/domains/wearables/formats/chunk-codec.js';
import { lttb } from '../../../src/domains/wearables/formats/lttb.js';
import { product } from '../../../src/domains/wearables/index.js';
import { WearableDay, WearableDevice } from '../../../src/domains/wearables/model.js';
import { pipeline } from '../../../src/domains/wearables/pipeline.js';
import { CHUNK_COLUMNS, readSeries, readWindows, type SampleValue, type WindowValue } from '../../../src/domains/wearables/readers.js';
import { Classification, assertClassified, composePolicy, fieldDeclaration, type PolicyClass } from '../../../src/governance/index.js';
import { classOf } from '../../support/classes.js';
import { OTHER, PERSON, batchOf, sourceOf, stored, type BatchFacts, type Row } from './support.js';

const schema = buildSchemaSync({
  resolvers: product.resolvers as NonEmptyArray<TypeClass>,
  orphanedTypes: [Patient, ...product.types],
  validate: false,
});
const policy = composePolicy([product.policy]);
const classification = new Classification(schema, []);
const asRole = (role: string, purpose: Principal['purpose']): PolicyClass => classOf(policy, [role], purpose, { schema });
const clinician = asRole('clinician', 'TREAT');
const analyst = asRole('analyst', 'HRESCH');

const MIDNIGHT = Date.UTC(2025, 5, 2);
const MINUTE = 60_000;
const at = (minute: number): string => new Date(MIDNIGHT + minute * MINUTE).toISOString();
const minutes = (samples: readonly (readonly [number, number])[], facts?: BatchFacts, person = PERSON): Row[] =>
  stored(
    person,
    batchOf(
      samples.map(([minute, value]): [number, number] => [MIDNIGHT + minute * MINUTE, value]),
      facts,
    ),
  );
const parents = [{ patient_id: PERSON }];

async function windows(rows: readonly Row[], args: Row): Promise<WindowValue[]> {
  const [first] = await readWindows(sourceOf(rows), () => WearableDay, parents, { metric: 'heart_rate', ...args });
  return first ?? [];
}
async function series(rows: readonly Row[], args: Row): Promise<SampleValue[]> {
  const [first] = await readSeries(sourceOf(rows), () => WearableDay, parents, { metric: 'heart_rate', ...args });
  return first ?? [];
}

describe('the model', () => {
  test('is classified throughout and shows what it should', () => {
    expect(() => assertClassified(schema)).not.toThrow();
    const fields = (name: string): string[] => Object.keys((schema.getType(name) as GraphQLObjectType).getFields());
    expect(fields('Patient')).toEqual(expect.arrayContaining(['wearableDays', 'wearableDevices', 'wearableSeries', 'wearableWindows']));
    expect(fields('Query')).toEqual(['wearableDays']);
    expect(fields('Mutation')).toEqual(['ingestWearables']);
  });

  test('has the keys and tables of the pipeline, and its packed samples are served by no field', () => {
    for (const each of [WearableDay, WearableDevice]) {
      const asset = pipeline.assets.find(({ table }) => table === entityOf(each).table);
      expect(asset?.key).toEqual(entityOf(each).key);
    }
    expect(classification.columnTags(() => WearableDay, 'vals')).toBeUndefined();
    const columns = pipeline.assets.find((each) => each.table === 'wear_chunk')?.columns ?? {};
    for (const name of CHUNK_COLUMNS) expect(Object.keys(columns)).toContain(name);
  });

  test('gives the mean of a day in both forms', () => {
    const mean = fieldDeclaration((schema.getType('WearableDay') as GraphQLObjectType).getFields()['mean'] as never);
    if (mean.kind !== 'computed') throw new Error('not computed');
    expect(mean.js({ sm: 10, n: 4 })).toBe(2.5);
    expect(mean.js({ sm: 0, n: 0 })).toBeNull();
    expect(mean.sql).toContain('nullif({n}, 0)');
  });
});

describe('the policy', () => {
  const masks = (of: TypeClass, column: string, policyClass: PolicyClass): (string | null)[] =>
    policyClass.decide(classification.columnTags(() => of, column) ?? []).alternatives.map((each) => each.mask);
  const reads = (field: string, policyClass: PolicyClass): boolean => {
    const declaration = fieldDeclaration((schema.getType('Patient') as GraphQLObjectType).getFields()[field] as never);
    if (declaration.kind !== 'reader') throw new Error('not a reader');
    return policyClass
      .decide([...entityOf(Patient).tags, ...classification.readerTags(declaration)])
      .alternatives.some((each) => each.mask === null);
  };

  test('shows an analyst daily values with the device hashed and the year of the day', () => {
    expect(masks(WearableDay, 'sm', analyst)).toEqual([null]);
    expect(masks(WearableDay, 'day', analyst)).toEqual(['YEAR']);
    expect(masks(WearableDay, 'device', analyst)).toEqual(['HASH']);
    expect(masks(WearableDay, 'device', clinician)).toEqual([null]);
  });

  test('gives instants to clinicians only: a window tells the day that an analyst may not see', () => {
    for (const field of ['wearableSeries', 'wearableWindows'])
      expect([field, reads(field, clinician), reads(field, analyst)]).toEqual([field, true, false]);
  });

  test('gives engineers features and no cell, officers nothing, stewards the right to load', () => {
    const tags = product.features?.tags ?? [];
    const engineer = asRole('ml_engineer', 'HRESCH');
    expect([engineer.may('feature', tags), engineer.may('train', tags), engineer.may('read', ['wearable'])]).toEqual([true, true, false]);
    expect(asRole('privacy_officer', 'HOPERAT').empty).toBe(true);
    const steward = asRole('steward', 'HOPERAT');
    expect([steward.may('write', ['wearable']), steward.may('read', ['wearable'])]).toEqual([true, false]);
  });
});

describe('windows', () => {
  test('are half-open, counted from the start of the range, and the last is cut at its end', async () => {
    const rows = minutes([
      [0, 60],
      [59, 80],
      [60, 100],
      [89, 110],
      [90, 200],
    ]);
    const found = await windows(rows, { from: new Date(MIDNIGHT), to: at(90), size: '1h' });
    expect(found.map(({ start, end, n, mean, min, max, sum }) => ({ start, end, n, mean, min, max, sum }))).toEqual([
      { start: at(0), end: at(60), n: 2, mean: 70, min: 60, max: 80, sum: 140 },
      { start: at(60), end: at(90), n: 2, mean: 105, min: 100, max: 110, sum: 210 },
    ]);
  });

  test('without samples come with fill only and hold nulls, never 0', async () => {
    const rows = minutes([
      [0, 60],
      [121, 61],
    ]);
    const args = { from: at(0), to: at(180), size: '1h' };
    expect((await windows(rows, args)).map((each) => each.start)).toEqual([at(0), at(120)]);
    const [, empty] = await windows(rows, { ...args, fill: true });
    expect(empty).toEqual({
      start: at(60),
      end: at(120),
      n: 0,
      expectedN: null,
      coverage: null,
      mean: null,
      min: null,
      max: null,
      sum: null,
    });
  });

  test('state how many samples the step of the device leads to expect', async () => {
    const half = Array.from({ length: 90 }, (_, minute): [number, number] => [minute, 60]);
    const [whole, rest] = await windows(minutes(half), { from: at(0), to: at(120), size: '1h' });
    expect(whole).toMatchObject({ n: 60, expectedN: 60, coverage: 1 });
    expect(rest).toMatchObject({ n: 30, expectedN: 60, coverage: 0.5 });
    const gapped = minutes(half.filter(([minute]) => minute !== 7));
    expect((await windows(gapped, { from: at(0), to: at(60), size: '1h' }))[0]).toMatchObject({ n: 59, expectedN: 60 });
    const weights = minutes(
      [
        [0, 70],
        [1, 71],
      ],
      { metric: 'body_weight' },
    );
    expect((await windows(weights, { metric: 'body_weight', from: at(0), to: at(60), size: '1h' }))[0]).toMatchObject({
      expectedN: null,
      coverage: null,
    });
  });

  test('take one device where devices overlap, and the other where it is alone', async () => {
    const steps = { metric: 'steps' } as const;
    const rows = [
      ...minutes(
        [
          [70, 500],
          [10, 100],
        ],
        { ...steps, device: 'b' },
      ),
      ...minutes([[20, 90]], { ...steps, device: 'a' }),
    ];
    for (const order of [rows, [...rows].reverse()]) {
      const found = await windows(order, { ...steps, from: at(0), to: at(120), size: '1h' });
      expect(found.map((each) => each.sum)).toEqual([90, 500]);
    }
  });

  test('of a week span days and match the samples that they hold', async () => {
    const values = fc.uniqueArray(fc.tuple(fc.integer({ min: -1440, max: 4 * 1440 }), fc.integer({ min: 40, max: 180 })), {
      selector: ([minute]) => minute,
      minLength: 1,
      maxLength: 80,
    });
    await fc.assert(
      fc.asyncProperty(values, fc.constantFrom('5m', '6h', '1d', '7d'), async (samples, size) => {
        const inside = samples.filter(([minute]) => minute >= 0 && minute < 3 * 1440);
        const found = await windows(minutes(samples), { from: at(0), to: at(3 * 1440), size });
        expect(found.reduce((sum, each) => sum + each.n, 0)).toBe(inside.length);
        for (const { start, end, n, sum } of found) {
          const held = inside.filter(([minute]) => at(minute) >= start && at(minute) < end).map(([, value]) => value);
          expect([n, sum]).toEqual([held.length, held.reduce((total, value) => total + value, 0)]);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('series', () => {
  test('give every sample of the range in order of time with device and unit', async () => {
    const rows = [
      ...minutes(
        [
          [1, 61],
          [1440, 62],
          [2000, 63],
        ],
        { device: 'b' },
      ),
      ...minutes([[2, 90]], { device: 'a' }),
    ];
    expect(await series(rows, { from: at(1), to: at(2000) })).toEqual([
      { t: at(1), value: 61, unit: '/min', device: 'b' },
      { t: at(2), value: 90, unit: '/min', device: 'a' },
      { t: at(1440), value: 62, unit: '/min', device: 'b' },
    ]);
  });

  test('are thinned to real samples that keep the peaks, within the number asked for', async () => {
    const flat = Array.from({ length: 1000 }, (_, minute): [number, number] => [minute, minute === 500 ? 180 : 60]);
    const rows = [...minutes(flat, { device: 'a' }), ...minutes(flat.slice(0, 200), { device: 'b' })];
    const thin = await series(rows, { from: at(0), to: at(1440), maxPoints: 50 });
    expect(thin.length).toBeGreaterThan(40);
    expect(thin.length).toBeLessThanOrEqual(50);
    expect(thin.some((each) => each.value === 180 && each.t === at(500))).toBe(true);
  });

  test('thinning keeps both ends, order and number for any series', () => {
    const walk = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(walk, fc.integer({ min: 3, max: 100 }), (values, points) => {
        const chosen = [...lttb({ t: Float64Array.from(values, (_, index) => index * 1000), v: Float64Array.from(values) }, points)];
        expect(chosen.length).toBe(Math.min(points, values.length));
        expect([chosen[0], chosen.at(-1)]).toEqual([0, values.length - 1]);
        expect(chosen.every((index, place) => place === 0 || index > (chosen[place - 1] ?? 0))).toBe(true);
      }),
    );
  });
});

describe('readers', () => {
  test('answer all persons from one read, in the order asked, and a person without rows with nothing', async () => {
    const asked: string[][] = [];
    const rows = [...minutes([[0, 60]]), ...minutes([[0, 70]], {}, OTHER)];
    const all = [{ patient_id: OTHER }, { patient_id: 'nobody' }, { patient_id: PERSON }];
    const args = { metric: 'heart_rate', from: at(0), to: at(1440), size: '1d' };
    expect((await readWindows(sourceOf(rows, asked), () => WearableDay, all, args)).map((each) => each.map(({ mean }) => mean))).toEqual([
      [70],
      [],
      [60],
    ]);
    expect((await readSeries(sourceOf(rows, asked), () => WearableDay, all, args)).map((each) => each.map(({ value }) => value))).toEqual([
      [70],
      [],
      [60],
    ]);
    expect(asked).toHaveLength(2);
  });

  test('refuse what they cannot answer with its argument named', async () => {
    const range = { from: at(0), to: at(1) };
    await expect(series([], { ...range, metric: 'mood' })).rejects.toMatchObject({ code: 'BAD_INPUT', place: 'metric' });
    await expect(series([], { ...range, from: 'soon' })).rejects.toMatchObject({ code: 'BAD_INPUT', place: 'from' });
    await expect(series([], { from: at(1), to: at(1) })).rejects.toMatchObject({ code: 'BAD_INPUT', place: 'to' });
    await expect(series([], { ...range, maxPoints: 2 })).rejects.toMatchObject({ code: 'BAD_INPUT', place: 'maxPoints' });
    await expect(windows([], { ...range, size: '2h' })).rejects.toMatchObject({ code: 'BAD_INPUT', place: 'size' });
    await expect(windows([], { ...range, size: 'toString' })).rejects.toMatchObject({ code: 'BAD_INPUT', place: 'size' });
    const long = { from: at(0), to: new Date(MIDNIGHT + 400 * DAY_MS + 1) };
    await expect(series([], long)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', place: 'to' });
    await expect(windows([], { from: at(0), to: new Date(MIDNIGHT + 400 * DAY_MS), size: '1m' })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      place: 'size',
    });
    expect(await series([], { from: at(0), to: new Date(MIDNIGHT + 400 * DAY_MS) })).toEqual([]);
  });
});

import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { ISSUERS, isCoded } from '../../../src/kernel/index.js';
import { describeWithData, load, objectFiles } from './formats/support.js';
import { assetOf, ctObject, stageObject, TABLES, type Row, type StagedRow } from './support.js';

const MIGRATION = readFileSync(path.resolve(__dirname, '../../../migrations/20261122100300-create-imaging.ts'), 'utf8');
const FILLED_BY_RUNNER = ['patient_id', 'site_id', 'source_digest', 'source_ordinal'];
const warned = (staged: StagedRow): string[] =>
  assetOf(staged.asset)
    .expectations.filter((each) => !each.holds(staged.row))
    .map((each) => each.name);
const merged = (table: string, rows: readonly Row[]): Row =>
  rows.reduce<Row | null>((stored, row) => assetOf(table).merge?.(stored, row).row ?? null, null) ?? {};

describe('staging of one object', () => {
  test('an object becomes its study, its series and itself, parents first and with the same keys', async () => {
    const staged = await stageObject(ctObject());
    expect(staged.map((each) => each.asset)).toEqual(TABLES);
    expect(staged[0]?.row).toMatchObject({
      study_uid: '2.25.1',
      started_at: '2024-03-01T00:00:00.000Z',
      started_key: '2024-03-01T00:00:00.000Z',
      modalities: ['CT'],
      body_parts: [],
      sensitivity: 0,
    });
    expect(staged[1]?.row).toMatchObject({
      study_uid: '2.25.1',
      series_uid: '2.25.2',
      modality: 'CT',
      number: null,
      number_key: 2_147_483_647,
    });
    expect(staged[2]?.row).toMatchObject({
      sop_uid: '2.25.3',
      rows: 1,
      columns: 3,
      bits: 16,
      incomplete: false,
      pixel_mean: 20,
      pixel_p50: 20,
    });
  });

  test('the rows hold the columns of the migration, those that the runner fills excepted', async () => {
    for (const { asset, row } of await stageObject(ctObject())) {
      const declared = Object.keys(assetOf(asset).columns);
      expect([...Object.keys(row), ...FILLED_BY_RUNNER].sort()).toEqual([...declared].sort());
      const statement = new RegExp(`create table ${asset} \\(\\$\\{person\\},([\\s\\S]*?)primary key`).exec(MIGRATION)?.[1] ?? '';
      const columns = statement
        .split(',')
        .map((each) => each.trim().split(/\s/)[0])
        .filter((each) => each !== '');
      expect([...columns, ...FILLED_BY_RUNNER, 'sensitivity'].sort()).toEqual([...declared].sort());
    }
  });

  test('an object keeps the size and digest of its file', async () => {
    const bytes = ctObject();
    const [, , instance] = await stageObject(bytes);
    expect(instance?.row).toMatchObject({ file_bytes: bytes.length, file_digest: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown });
  });

  test('a start with an offset is kept as an instant; without a date the key is the earliest of all', async () => {
    const zoned = await stageObject(
      ctObject({
        more: [
          { tag: '00080030', vr: 'TM', value: '010000' },
          { tag: '00080201', vr: 'SH', value: '+0200' },
        ],
      }),
    );
    expect(zoned[0]?.row['started_at']).toBe('2024-02-29T23:00:00.000Z');
    const undated = await stageObject(ctObject({ date: null }));
    expect(undated[0]?.row).toMatchObject({ started_at: null, started_key: '1900-01-01T00:00:00.000Z' });
  });

  test('a bare number is tried under issuers of the product only where the source states no issuer', async () => {
    const id = { tag: '00100020', vr: 'LO' as const, value: 'P1' };
    const bare = await stageObject(ctObject({ more: [id] }));
    expect(bare[2]?.keys).toEqual([
      { issuer: ISSUERS.dicom, value: 'P1' },
      { issuer: ISSUERS.mrn, value: 'P1' },
    ]);
    const issued = await stageObject(ctObject({ more: [id, { tag: '00100021', vr: 'LO', value: 'urn:site:north' }] }));
    expect(issued[0]?.keys?.map((key) => key.issuer)).toEqual(['urn:site:north']);
    const anonymous = await stageObject(ctObject());
    expect(anonymous[0]?.keys).toEqual([]);
  });

  test('a statement of confidentiality restricts every row of the object', async () => {
    const staged = await stageObject(ctObject({ more: [{ tag: '00403001', vr: 'LO', value: 'R' }] }));
    expect(staged.map((each) => each.row['sensitivity'])).toEqual([1, 1, 1]);
  });

  test('no text that is staged holds a NUL', async () => {
    const staged = await stageObject(ctObject({ more: [{ tag: '00081030', vr: 'LO', value: 'chest\0 ct' }] }));
    expect(staged[0]?.row['description']).toBe('chest ct');
    expect(JSON.stringify(staged)).not.toContain('\\u0000');
  });
});

describe('expectations', () => {
  test('a plain object meets all of them', async () => {
    expect((await stageObject(ctObject())).flatMap(warned)).toEqual([]);
  });

  test('each names what it finds', async () => {
    const odd = ctObject({
      date: null,
      sop: `2.25.${'1'.repeat(70)}`,
      more: [
        { tag: '00180050', vr: 'DS', value: '0' },
        { tag: '00180060', vr: 'DS', value: '9000' },
        { tag: '00280301', vr: 'CS', value: 'YES' },
        { tag: '00280030', vr: 'DS', value: ['0', '1'] },
      ],
    });
    expect((await stageObject(odd)).flatMap(warned)).toEqual([
      'start_known',
      'plausible_thickness',
      'plausible_voltage',
      'no_burned_in_text',
      'plausible_spacing',
      'valid_uids',
    ]);
  });
});

describe('merging', () => {
  test('a study gathers the modalities, body parts and the earliest start, and keeps what it first knew', async () => {
    const first = (await stageObject(ctObject({ date: '20240302' })))[0]?.row ?? {};
    const second = {
      ...first,
      id: 'later',
      started_at: '2024-03-01T08:00:00.000Z',
      description: 'CHEST',
      modalities: ['SR'],
      body_parts: ['CHEST'],
      sensitivity: 1,
    };
    expect(merged('imaging_study', [first, second])).toMatchObject({
      id: first['id'],
      started_at: '2024-03-01T08:00:00.000Z',
      started_key: '2024-03-01T08:00:00.000Z',
      description: 'CHEST',
      modalities: ['CT', 'SR'],
      body_parts: ['CHEST'],
      sensitivity: 1,
    });
  });

  test('instants that the database gives back as dates are understood', async () => {
    const row = (await stageObject(ctObject()))[0]?.row ?? {};
    const stored = { ...row, started_at: new Date('2023-01-01T00:00:00Z'), started_key: new Date('2023-01-01T00:00:00Z') };
    expect(merged('imaging_study', [stored, row])['started_at']).toBe('2023-01-01T00:00:00.000Z');
  });

  test('a series fills its gaps and takes its number with its key', async () => {
    const first = (await stageObject(ctObject()))[1]?.row ?? {};
    const second = { ...first, number: 4, number_key: 4, kvp: 120, modality: 'MR' };
    expect(merged('imaging_series', [first, second])).toMatchObject({ number: 4, number_key: 4, kvp: 120, modality: 'CT' });
  });

  test('what a study gathers does not depend on the order of its objects, and an object that comes twice changes nothing', () => {
    const code = fc.constantFrom('CT', 'MR', 'SR', 'US');
    const time = fc.option(fc.integer({ min: 0, max: 2e12 }).map((at) => new Date(at).toISOString()));
    const row = fc
      .record({ modalities: fc.uniqueArray(code), body_parts: fc.uniqueArray(code), at: time, sensitivity: fc.integer({ min: 0, max: 2 }) })
      .map(({ at, ...rest }): Row => ({
        ...rest,
        modalities: rest.modalities.sort(),
        body_parts: rest.body_parts.sort(),
        started_at: at,
        started_key: at ?? '1900-01-01T00:00:00.000Z',
      }));
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), (rows) => {
        const once = merged('imaging_study', rows);
        expect(merged('imaging_study', [...rows].reverse())).toEqual(once);
        expect(merged('imaging_study', [once, ...rows])).toEqual(once);
      }),
    );
  });

  test('an object is never overwritten: other bytes under the same UID are other content', async () => {
    const asset = assetOf('imaging_instance');
    const [a, b] = await Promise.all([stageObject(ctObject({ samples: [1, 2] })), stageObject(ctObject({ samples: [1, 3] }))]);
    const compared = (staged: StagedRow[]): Row =>
      Object.fromEntries(Object.entries(staged[2]?.row ?? {}).filter(([name]) => !asset.ignore?.includes(name)));
    const again = await stageObject(ctObject({ samples: [1, 2] }));
    expect(asset.onConflict).toBe('ignore-identical');
    expect(compared(again)).toEqual(compared(a));
    expect(compared(b)).not.toEqual(compared(a));
  });
});

describeWithData('staging of public files', () => {
  test('every file that is read gives three rows that Postgres takes', async () => {
    let read = 0;
    for (const file of objectFiles()) {
      const staged = await stageObject(readFileSync(file)).catch((error: unknown) => {
        if (!isCoded(error)) throw error;
        return null;
      });
      if (staged === null) continue;
      read += 1;
      expect(staged.map((each) => each.asset)).toEqual(TABLES);
      expect(JSON.stringify(staged)).not.toContain('\\u0000');
      for (const { asset, row } of staged) {
        for (const [name, type] of Object.entries(assetOf(asset).columns)) {
          const value = row[name] ?? null;
          if (value === null) continue;
          if (type === 'int') expect(Number.isInteger(value)).toBe(true);
          if (type === 'float8') expect(Number.isFinite(value)).toBe(true);
          if (type === 'timestamptz') expect(value).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        }
      }
    }
    expect(read).toBeGreaterThan(60);
  });

  test('a CT of pydicom', async () => {
    const staged = await stageObject(load('pydicom/test_files/CT_small.dcm'));
    expect(staged[0]?.row).toMatchObject({ started_at: '2004-01-19T12:27:30.000Z', description: 'e+1', modalities: ['CT'] });
    expect(staged[1]?.row).toMatchObject({ modality: 'CT', manufacturer: 'GE MEDICAL SYSTEMS', slice_thickness_mm: 5, kvp: 120 });
    expect(staged[2]?.row).toMatchObject({
      rows: 128,
      columns: 128,
      bits: 16,
      file_bytes: 39_206,
      incomplete: false,
      photometric: 'MONOCHROME2',
    });
    expect(staged.flatMap(warned)).toEqual([]);
  });

  test('a cut file keeps its header and is marked', async () => {
    const staged = await stageObject(load('pydicom/test_files/MR_truncated.dcm'));
    expect(staged[2]?.row).toMatchObject({ incomplete: true, pixel_mean: null });
    expect(staged.flatMap(warned)).toContain('complete_pixel_data');
  });
});

import 'reflect-metadata';
import { rowIndex, rowOf, type FeatureRows } from '../../../src/kernel/index.js';
import { features } from '../../../src/domains/imaging/features.js';
import { describeWithData, load } from './formats/support.js';
import { ctObject, MemoryRows } from './support.js';

const AS_OF = Date.parse('2024-06-01T00:00:00Z');

/** The row of one person by name of feature, or null where the person has none. */
function of(answer: FeatureRows, patientId: string): Record<string, number> | null {
  const row = rowIndex(answer.frame).get(patientId);
  if (row === undefined) return null;
  const values = rowOf(answer.frame, row);
  return Object.fromEntries(features.features.map(({ name }, index) => [name, values[index] ?? NaN]));
}

describe('imaging features', () => {
  test('are means over the objects and series of the latest study', async () => {
    const rows = new MemoryRows();
    const kvp = (value: string) => [{ tag: '00180060', vr: 'DS' as const, value }];
    await rows.add('a', ctObject({ study: '2.25.10', sop: '2.25.1', date: '20230101', samples: [900, 900] }));
    await rows.add('a', ctObject({ study: '2.25.11', series: '2.25.5', sop: '2.25.2', samples: [10, 20, 30], more: kvp('100') }));
    await rows.add('a', ctObject({ study: '2.25.11', series: '2.25.6', sop: '2.25.3', samples: [30, 40, 50], more: kvp('120') }));
    const answer = await features.compute(rows.source(), ['a'], AS_OF);
    expect(of(answer, 'a')).toEqual({
      pixel_mean: 30,
      pixel_sd: expect.closeTo(Math.sqrt(200 / 3), 9) as unknown,
      pixel_p10: 20,
      pixel_p50: 30,
      pixel_p90: 40,
      kvp: 110,
      slice_thickness: NaN,
      image_instances: 2,
    });
    expect(answer.stale).toEqual([]);
  });

  test('use nothing that began after the time asked for', async () => {
    const rows = new MemoryRows();
    await rows.add('a', ctObject({ study: '2.25.10', sop: '2.25.1', date: '20240101', samples: [5] }));
    await rows.add('a', ctObject({ study: '2.25.11', sop: '2.25.2', date: '20240602', samples: [50] }));
    await rows.add('b', ctObject({ study: '2.25.12', sop: '2.25.3', date: '20240602' }));
    const answer = await features.compute(rows.source(), ['a', 'b'], AS_OF);
    expect(of(answer, 'a')?.['pixel_mean']).toBe(5);
    expect(of(answer, 'b')).toBeNull();
    expect(answer.stale).toEqual([]);
  });

  test('a study at the very instant counts', async () => {
    const rows = new MemoryRows();
    await rows.add('a', ctObject({ date: '20240601' }));
    expect(of(await features.compute(rows.source(), ['a'], AS_OF), 'a')).not.toBeNull();
  });

  test('a person whose latest study is older than three years is stale and has no row', async () => {
    const rows = new MemoryRows();
    await rows.add('a', ctObject({ date: '20210601' }));
    await rows.add('b', ctObject({ date: '20210603' }));
    const answer = await features.compute(rows.source(), ['a', 'b'], AS_OF);
    expect(answer.stale).toEqual(['a']);
    expect(answer.frame.keys).toEqual(['b']);
  });

  test('a study without a date, and a person without a study, give no row and are not stale', async () => {
    const rows = new MemoryRows();
    await rows.add('a', ctObject({ date: null }));
    const answer = await features.compute(rows.source(), ['a', 'b'], AS_OF);
    expect(answer).toMatchObject({ frame: { n: 0 }, stale: [] });
  });

  test('a study whose objects may not be read gives no row, never a zero', async () => {
    const rows = new MemoryRows();
    await rows.add('a', ctObject());
    rows.tables.imaging_instance.length = 0;
    expect((await features.compute(rows.source(), ['a'], AS_OF)).frame.n).toBe(0);
  });

  test('two persons with one study UID are kept apart', async () => {
    const rows = new MemoryRows();
    await rows.add('a', ctObject({ samples: [1] }));
    await rows.add('b', ctObject({ samples: [3] }));
    const answer = await features.compute(rows.source(), ['a', 'b'], AS_OF);
    expect([of(answer, 'a')?.['pixel_mean'], of(answer, 'b')?.['pixel_mean']]).toEqual([1, 3]);
  });

  test('nothing is read that is not declared', async () => {
    const rows = new MemoryRows();
    await rows.add('a', ctObject());
    await features.compute(rows.source(), ['a'], AS_OF);
    expect(rows.asked.map((each) => each.columns)).toEqual(features.reads.map((each) => each.columns));
  });
});

describeWithData('imaging features of public files', () => {
  test('a compressed image has its header features and no pixel values', async () => {
    const rows = new MemoryRows();
    await rows.add('native', load('pydicom/test_files/CT_small.dcm'));
    await rows.add('compressed', load('pydicom/test_files/JPEG2000.dcm'));
    const answer = await features.compute(rows.source(), ['native', 'compressed'], Date.parse('2004-12-31T00:00:00Z'));
    expect(of(answer, 'native')).toMatchObject({ kvp: 120, slice_thickness: 5, image_instances: 1 });
    expect(Number.isFinite(of(answer, 'native')?.['pixel_mean'])).toBe(true);
    expect(of(answer, 'compressed')).toMatchObject({ pixel_mean: NaN, image_instances: 1 });
  });
});

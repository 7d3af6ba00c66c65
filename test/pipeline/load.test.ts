import { ingestFile } from '../../src/pipeline/index.js';
import { codeOf, fileOf, linesOf, openBench, type Bench, type Line } from './harness.js';

jest.setTimeout(60_000);

let bench: Bench;
beforeEach(async () => (bench = await openBench()));
afterEach(() => bench.close());

const load = (lines: readonly Line[], name = 'a.lines'): ReturnType<typeof ingestFile> =>
  ingestFile(fileOf(linesOf(lines, name), name), bench.deps);
const count = async (table: string): Promise<number> => (await bench.rows<{ n: number }>(`select count(*)::int n from ${table}`))[0]!.n;
const ten = Array.from({ length: 10 }, (_, index): Line => ({
  id: `r${index}`,
  value: index / 4,
  items: ['a\tb', 'c\\d', 'e"f', 'NULL', ''],
}));

describe('loading a file', () => {
  it('writes each record once, tells the evidence and adds nothing when the bytes come again under any name', async () => {
    const first = await load(ten);
    expect(first).toMatchObject({
      status: 'ingested',
      product: 'patients',
      format: 'lines',
      records: 10,
      rows: { t_keep: 10 },
      quarantined: 0,
      lineageId: 'lineage-1',
    });
    expect(bench.told[0]).toMatchObject({ datasets: ['t_keep'], versions: { t_keep: 3 } });
    expect(await bench.rows("select items, value from t_keep where id = 'r3'")).toEqual([
      { items: ['a\tb', 'c\\d', 'e"f', 'NULL', ''], value: 0.75 },
    ]);
    const again = await ingestFile(fileOf(linesOf(ten, 'a.lines'), 'other.lines'), bench.deps);
    expect(again).toMatchObject({ status: 'duplicate', digest: first.digest, records: 0, rows: {}, lineageId: 'lineage-1' });
    expect(await count('t_keep')).toBe(10);
    expect(bench.told).toHaveLength(1);
  });

  it('refuses other bytes under a name that was loaded, and says both digests', async () => {
    const first = await load(ten);
    const second = await ingestFile(fileOf(linesOf(ten, 'changed'), 'a.lines'), bench.deps);
    expect(second).toMatchObject({ status: 'refused', faults: [{ code: 'NAME_REUSED' }] });
    expect(second.faults[0]!.reason).toContain(first.digest);
    expect(second.faults[0]!.reason).toContain(second.digest);
    const accepted = await ingestFile(fileOf(linesOf(ten, 'changed'), 'a.lines'), { ...bench.deps, nameReuse: 'accept' });
    expect(accepted.status).toBe('ingested');
  });

  it.each([0, 1, 2])('goes on where it stopped when chunk %i fails, with nothing lost and nothing twice', async (chunk) => {
    const sums = ten.map((line, index): Line => ({ ...line, id: `s${index % 2}`, asset: 't_sum', value: 1 }));
    bench.breakAt = { table: 't_sum', after: chunk };
    await expect(load(sums)).rejects.toThrow('the power went out');
    bench.breakAt = null;
    const report = await load(sums);
    expect(report).toMatchObject({ status: 'ingested', records: 10 });
    expect(await bench.rows('select id, value from t_sum order by id')).toEqual([
      { id: 's0', value: 5 },
      { id: 's1', value: 5 },
    ]);
    expect(bench.told).toHaveLength(1);
    expect(bench.told[0]!.report.records).toBe(10);
  });

  it('keeps the first of a key, and quarantines other content with the record that was first', async () => {
    const report = await load([
      { id: 'x', value: 1 },
      { id: 'x', value: 1 },
      { id: 'x', value: 2 },
    ]);
    expect(report).toMatchObject({ rows: { t_keep: 1 }, quarantined: 1, faults: [{ code: 'RECORD_CONFLICT', place: 'line 4' }] });
    expect(report.faults[0]!.reason).toContain(`${report.digest}, record 0`);
    const other = await load(
      [
        { id: 'x', value: 3 },
        { id: 'x', value: 1 },
      ],
      'b.lines',
    );
    expect(other).toMatchObject({ rows: { t_keep: 0 }, quarantined: 1 });
    expect(await bench.rows('select value from t_keep')).toEqual([{ value: 1 }]);
  });

  it('takes the last of a key on update, and folds all of them on merge', async () => {
    const asset = (table: string, values: number[]): Line[] =>
      values.map((value) => ({ id: 'x', value, asset: table, items: [String(value)] }));
    await load([...asset('t_last', [1, 2]), ...asset('t_sum', [1, 2])]);
    const report = await load([...asset('t_last', [9, 3]), ...asset('t_sum', [4, -1])], 'b.lines');
    expect(await bench.rows('select value from t_last')).toEqual([{ value: 3 }]);
    expect(await bench.rows('select value, items from t_sum')).toEqual([{ value: 6, items: ['1', '2', '4', '-1'] }]);
    expect(report).toMatchObject({ quarantined: 1, faults: [{ code: 'RECORD_CONFLICT', reason: 'The merge refuses.' }] });
  });

  it('asks each expectation and counts what came of it', async () => {
    const report = await load([9, 10, 11, 12, 14].map((value) => ({ id: `v${value}`, value })));
    expect(report).toMatchObject({ records: 5, rows: { t_keep: 2 }, quarantined: 2, dropped: 1 });
    expect(report.faults.map((fault) => fault.code)).toEqual(['EXPECTATION_FAILED', 'EXPECTATION_FAILED']);
    const [update] = await bench.rows<{ counts: { expectations: unknown } }>('select counts from pipeline_update');
    expect(update!.counts.expectations).toMatchObject({
      't_keep.not_ten': { passed: 4, failed: 1 },
      't_keep.no_throw': { passed: 4, failed: 1 },
    });
  });

  it('stops at an expectation that says fail: nothing of that chunk is in, and the file may come again', async () => {
    const lines: Line[] = [...ten.slice(0, 5), { id: 'bad', value: 13 }];
    expect(await codeOf(load(lines))).toBe('EXPECTATION_FAILED');
    expect(await count('t_keep')).toBe(4);
    expect(await codeOf(load(lines))).toBe('EXPECTATION_FAILED');
    expect(bench.told).toHaveLength(0);
  });

  it('quarantines the record that its parser, its stage or the database refuses, and loads the others of the chunk', async () => {
    const lines: Line[] = [{ id: 'a' }, { fail: 'parse' }, { fail: 'stage' }, { fail: 'bug' }, { id: 'nul\0' }, { value: 1 }, { id: 'b' }];
    const report = await load(lines);
    expect(report).toMatchObject({ status: 'partly', records: 7, quarantined: 5, rows: { t_keep: 2 } });
    expect(await bench.rows('select ordinal, code, place, bytes is null as bare from quarantine order by ordinal')).toEqual([
      { ordinal: 1, code: 'JSON_INVALID', place: 'line 3', bare: false },
      { ordinal: 2, code: 'SAMPLE_INVALID', place: 'line 4', bare: true },
      { ordinal: 3, code: 'INTERNAL', place: 'line 5', bare: true },
      { ordinal: 4, code: 'ENCODING_INVALID', place: 'line 6', bare: true },
      { ordinal: 5, code: 'SAMPLE_INVALID', place: 'line 7', bare: true },
    ]);
  });

  it('keeps what was read before the file broke, once', async () => {
    const report = await load([{ id: 'a' }, { id: 'b' }, { fail: 'file' }]);
    expect(report).toMatchObject({
      status: 'partly',
      records: 2,
      rows: { t_keep: 2 },
      faults: [{ code: 'JSON_INVALID', place: 'line 4' }],
    });
    expect(await bench.rows('select ordinal, place from quarantine')).toEqual([{ ordinal: -1, place: 'line 4' }]);
    expect((await load([{ id: 'a' }, { id: 'b' }, { fail: 'file' }])).status).toBe('duplicate');
    expect(await load([{ fail: 'file' }], 'c.lines')).toMatchObject({ status: 'refused', records: 0 });
  });

  it('lets one of two loads of the same bytes write, and the other stop', async () => {
    const outcomes = await Promise.all([load(ten), load(ten)].map((work) => codeOf(work)));
    expect(outcomes.filter((code) => code !== 'none' && code !== 'CONFLICT')).toEqual([]);
    expect(outcomes).toContain('none');
    expect(await count('t_keep')).toBe(10);
    expect((await bench.rows<{ n: number }>("select (counts ->> 'records')::int n from pipeline_update"))[0]).toEqual({ n: 10 });
  });
});

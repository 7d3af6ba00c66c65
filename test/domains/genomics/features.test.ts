import 'reflect-metadata';
import { rowIndex } from '../../../src/kernel/index.js';
import { features } from '../../../src/domains/genomics/features.js';
import { describeWithData } from './formats/data.js';
import { NOW, joinTables, sourceOf, stageFile, stageText, vcfText, type Tables } from './support.js';

const person = (sample: string): string => `p-${sample}`;
const site = (pos: number, gene: string, calls: string): string =>
  `1\t${String(pos)}\t.\tA\tC\t.\t.\tGENE=${gene}\tGT\t${calls.split(' ').join('\t')}`;
const lines = [
  site(1, 'TTN', '0/1 0/0 ./. 1'),
  site(2, 'TTN', '1/1 0/0 ./. 0'),
  site(3, 'LMNA', './. 1|0 ./. .'),
  site(4, 'OTHER', '1/1 1/1 1/1 1'),
];
const staged = stageText(vcfText(['A', 'B', 'C', 'D'], lines));

async function values(tables: Tables, ids: string[], asOf = NOW): Promise<Record<string, Record<string, number>>> {
  const { frame, stale } = await features.compute(sourceOf(tables, person), ids, asOf);
  expect(stale).toEqual([]);
  expect(frame.columns.map(({ name }) => name)).toEqual(features.features.map(({ name }) => name));
  return Object.fromEntries(
    [...rowIndex(frame)].map(([key, row]) => [key, Object.fromEntries(frame.columns.map((each) => [each.name, each.values[row] ?? -1]))]),
  );
}

describe('genomic features', () => {
  test('burden is the carried ALT alleles of a gene, with NaN where no site of it was called', async () => {
    const found = await values(await staged, ['p-A', 'p-B', 'p-D']);
    expect(found['p-A']).toMatchObject({ burden_ttn: 3, burden_lmna: NaN, burden_brca2: NaN, burden_total: 3, call_rate: 2 / 3 });
    expect(found['p-B']).toMatchObject({ burden_ttn: 0, burden_lmna: 1, burden_total: 1, call_rate: 1 });
    expect(found['p-D']).toMatchObject({ burden_ttn: 1, burden_lmna: NaN, burden_total: 1 });
  });

  test('a sample without any call is missing in every burden and is never zero', async () => {
    const found = await values(await staged, ['p-C']);
    expect(found['p-C']).toMatchObject({ burden_ttn: NaN, burden_lmna: NaN, burden_total: NaN, call_rate: 0 });
  });

  test('a person without a sample has no row', async () => {
    expect(Object.keys(await values(await staged, ['p-Z', 'p-B']))).toEqual(['p-B']);
    expect(await values(await staged, [])).toEqual({});
  });

  test('what was loaded after asOf is not used', async () => {
    expect(await values(await staged, ['p-A'], NOW - 1)).toEqual({});
  });

  test('a person on two assemblies or in two files counts once', async () => {
    const old = await stageText(vcfText(['A'], [site(9, 'TTN', '1/1')], ['##reference=GRCh37']), { digest: 'b2'.repeat(32) });
    const again = await stageText(vcfText(['A'], [site(1, 'TTN', '0/1'), site(3, 'LMNA', '0/1')]), { digest: 'c3'.repeat(32) });
    const found = await values(joinTables(joinTables(await staged, old), again), ['p-A']);
    expect(found['p-A']).toMatchObject({ burden_ttn: 3, burden_lmna: 1, call_rate: 1 });
  });

  test('four reads, whatever the number of persons', async () => {
    const source = sourceOf(await staged, person);
    await features.compute(source, ['p-A', 'p-B', 'p-C', 'p-D'], NOW);
    expect(source.calls).toEqual(['sample_index', 'callset', 'variant', 'genotype_block']);
  });
});

describeWithData('genomic features of 1000 Genomes', () => {
  test('a naive count over the calls of relabelled sites gives the same burden', async () => {
    const tables = await stageFile('pgscatalog/tiny1000G.vcf.gz', { assembly: 'GRCh38' });
    tables['variant']?.forEach((row, at) => (row['gene'] = at % 2 === 0 ? 'TTN' : 'APOB'));
    const samples = tables['sample_index'] ?? [];
    const { frame } = await features.compute(
      sourceOf(tables, person),
      samples.map((row) => person(String(row['sample_id']))),
      NOW,
    );
    expect(frame.n).toBe(samples.length);
    const total = frame.columns.find(({ name }) => name === 'burden_total')?.values ?? new Float64Array();
    const ac = (tables['genotype_block'] ?? []).reduce((sum, row) => sum + Number(row['ac']), 0);
    expect(total.reduce((sum, value) => sum + value, 0)).toBe(ac);
  });
});

import 'reflect-metadata';
import fc from 'fast-check';
import { printSchema, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { buildSchemaSync, type NonEmptyArray } from 'type-graphql';
import { DECLARATION, LIMITS, Patient, type ReaderField, type Tag, type TypeClass } from '../../../src/kernel/index.js';
import { Classification, assertClassified, composePolicy, type PolicyClass } from '../../../src/governance/index.js';
import { classOf as makeClass } from '../../support/classes.js';
import { product } from '../../../src/domains/genomics/index.js';
import { policy } from '../../../src/domains/genomics/policy.js';
import { loadCarriers, loadFrequencies, loadGenotypes } from '../../../src/domains/genomics/readers.js';
import { Variant } from '../../../src/domains/genomics/model.js';
import { describeWithData } from './formats/data.js';
import { joinTables, sourceOf, stageFile, stageText, vcfText, type Tables } from './support.js';

type Row = Record<string, unknown>;
const person = (sample: string): string => `p-${sample}`;
const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `S${String(at).padStart(4, '0')}`);
const parents = (tables: Tables): Row[] => tables['variant'] ?? [];
const genotypesOf = (source: Parameters<typeof loadGenotypes>[0], ids: string[], args: Row) =>
  loadGenotypes(
    source,
    () => Variant,
    ids.map((id) => ({ patient_id: id })),
    args,
  );

function site(pos: number, calls: readonly string[], info = '.', chrom = 'chr1'): string {
  return `${chrom}\t${String(pos)}\t.\tA\tC\t.\t.\t${info}\tGT\t${calls.join('\t')}`;
}

async function frequency(calls: readonly string[], people: (sample: string) => string | null = person): Promise<Row | undefined> {
  const tables = await stageText(vcfText(names(calls.length), [site(5, calls)]));
  return (await loadFrequencies(sourceOf(tables, people), parents(tables)))[0];
}

const repeat = (parts: Record<string, number>): string[] =>
  Object.entries(parts).flatMap(([call, count]) => Array.from({ length: count }, () => call));

describe('Variant.frequency', () => {
  test('counts persons and alleles', async () => {
    expect(await frequency(repeat({ '0/0': 40, '0/1': 12, '0|1': 3, '1/1': 11, './.': 20, '0': 2, '1': 12 }))).toEqual({
      ac: 15 + 22 + 12,
      an: 2 * 66 + 14,
      af: 49 / 146,
      hetCount: 15,
      homCount: 11,
      hemiCount: 12,
      samples: 100,
      missing: 20,
    });
  });

  test('one to ten carriers are withheld with everything that tells their number; none is told', async () => {
    expect(await frequency(repeat({ '0/0': 40, '1/1': 10 }))).toEqual({
      ac: null,
      af: null,
      an: 100,
      hetCount: null,
      homCount: null,
      hemiCount: null,
      samples: 50,
      missing: 0,
    });
    expect(await frequency(repeat({ '0/0': 40 }))).toMatchObject({ ac: 0, af: 0, hetCount: 0, samples: 40 });
  });

  test('a small group inside a large one hides the split and not the sum', async () => {
    expect(await frequency(repeat({ '0/0': 40, '0/1': 20, '1/1': 3 }))).toMatchObject({
      ac: 26,
      hetCount: null,
      homCount: null,
      hemiCount: null,
    });
    expect(await frequency(repeat({ '0/0': 5, '1/1': 40 }))).toMatchObject({ ac: null, homCount: null });
    expect(await frequency(repeat({ '0/0': 5, './.': 40 }))).toMatchObject({ ac: null, an: null, samples: null, missing: null });
  });

  test('no number that is told stands for one to ten persons', async () => {
    const call = fc.constantFrom('0/0', '0/1', '1/1', './.', '1', '0');
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 60 }), async (calls) => {
        const found = (await frequency(calls)) ?? {};
        for (const name of ['homCount', 'hetCount', 'hemiCount', 'samples', 'missing']) {
          const count = found[name];
          expect(count === null || count === 0 || Number(count) >= LIMITS.small_cell_min).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('only persons that the caller may use count, each once', async () => {
    const calls = repeat({ '0/0': 30, '0/1': 30 });
    expect(await frequency(calls, (sample) => (sample < 'S0015' ? null : person(sample)))).toMatchObject({ samples: 45, ac: 30, an: 90 });
    const first = await stageText(vcfText(names(60), [site(5, calls)]));
    const again = await stageText(
      vcfText(names(60), [
        site(
          5,
          calls.map((each, at) => (at === 0 ? './.' : each)),
        ),
      ]),
      { digest: 'b2'.repeat(32) },
    );
    const [both] = await loadFrequencies(sourceOf(joinTables(again, first), person), parents(first));
    expect(both).toMatchObject({ samples: 60, missing: 0, ac: 30, an: 120 });
  });

  test('a page of variants needs two reads', async () => {
    const tables = await stageText(
      vcfText(
        names(20),
        [5, 6, 7, 8].map((pos) => site(pos, repeat({ '0/1': 20 }))),
      ),
    );
    const source = sourceOf(tables, person);
    expect(await loadFrequencies(source, parents(tables))).toHaveLength(4);
    expect(source.calls).toEqual(['genotype_block', 'sample_index']);
  });
});

describe('Variant.carriers', () => {
  test('gives persons with the allele, phase and zygosity, in the order of their ids, up to first', async () => {
    const tables = await stageText(vcfText(names(7), [site(5, ['1|0', '0/0', './.', '1/1', '1', '0|1', '0'])]));
    const source = sourceOf(tables, (sample) => `p-${String(9 - Number(sample.slice(1)))}`);
    expect(await loadCarriers(source, parents(tables), {})).toEqual([
      [
        { patientId: 'p-4', genotype: '0|1', zygosity: 'HET' },
        { patientId: 'p-5', genotype: '1', zygosity: 'HEMI' },
        { patientId: 'p-6', genotype: '1/1', zygosity: 'HOM' },
        { patientId: 'p-9', genotype: '1|0', zygosity: 'HET' },
      ],
    ]);
    expect((await loadCarriers(source, parents(tables), { first: 2 }))[0]).toHaveLength(2);
    await expect(loadCarriers(source, parents(tables), { first: 501 })).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });
});

describe('Patient.genotypes', () => {
  const lines = [
    site(2_000_000, ['0/1', '0/0', './.'], 'GENE=TTN', 'chr2'),
    site(100, ['1/1', '0/0', '0/1'], 'GENE=LMNA'),
    site(5_500_000, ['0/1', '0/1', '0/1'], 'GENE=LMNA'),
  ];
  const staged = stageText(vcfText(['A', 'B', 'C'], lines));

  test('gives called genotypes by gene, ids or region, for all persons in three reads', async () => {
    const source = sourceOf(await staged, person);
    const [b, a, nobody] = await genotypesOf(source, ['p-B', 'p-A', 'p-Z'], { gene: 'LMNA' });
    expect(source.calls).toEqual(['variant', 'sample_index', 'genotype_block']);
    expect(b?.map((each) => [each['pos'], each['genotype']])).toEqual([[5_500_000, '0/1']]);
    expect(a?.map((each) => [each['pos'], each['zygosity']])).toEqual([
      [100, 'HOM'],
      [5_500_000, 'HET'],
    ]);
    expect(nobody).toEqual([]);
    const [byId] = await genotypesOf(source, ['p-A'], { variantIds: ['GRCh38-2-2000000-A-C'] });
    expect(byId).toEqual([
      {
        variantId: 'GRCh38-2-2000000-A-C',
        assembly: 'GRCh38',
        chrom: '2',
        pos: 2_000_000,
        ref: 'A',
        alt: 'C',
        gene: 'TTN',
        genotype: '0/1',
        zygosity: 'HET',
        callsetId: 'a1a1a1a1-a1a1-81a1-a1a1-a1a1a1a1a1a1',
      },
    ]);
    const [inRegion] = await genotypesOf(source, ['p-C'], { assembly: 'GRCh38', chrom: 'chr1', start: 1, end: 5_000_000 });
    expect(inRegion?.map((each) => each['pos'])).toEqual([100]);
  });

  test('reference calls come only when asked for, and what was not called never', async () => {
    const source = sourceOf(await staged, person);
    const [b, c] = await genotypesOf(source, ['p-B', 'p-C'], { gene: 'TTN', includeReference: true });
    expect(b?.map((each) => [each['genotype'], each['zygosity']])).toEqual([['0/0', 'HOM_REF']]);
    expect(c).toEqual([]);
  });

  test.each([
    ['nothing named', {}],
    ['an open region', { chrom: '1', start: 1 }],
    ['a region that ends before it starts', { chrom: '1', start: 9, end: 8 }],
    ['a region beyond the limit', { chrom: '1', start: 1, end: LIMITS.region_bases_max + 1 }],
  ])('%s is refused', async (_, args) => {
    await expect(genotypesOf(sourceOf(await staged, person), ['p-A'], args)).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  test('a region without assembly is refused where the data hold two', async () => {
    const other = await stageText(vcfText(['A', 'B', 'C'], lines, ['##reference=GRCh37']), { digest: 'c3'.repeat(32) });
    const source = sourceOf(joinTables(await staged, other), person);
    const region = { chrom: '1', start: 1, end: 200 };
    await expect(genotypesOf(source, ['p-A'], region)).rejects.toMatchObject({ code: 'BAD_INPUT', place: 'assembly' });
    expect((await genotypesOf(source, ['p-A'], { ...region, assembly: 'GRCh37' }))[0]).toHaveLength(1);
  });
});

describe('schema and policy', () => {
  let schema: GraphQLSchema;
  beforeAll(() => {
    schema = buildSchemaSync({
      resolvers: product.resolvers as unknown as NonEmptyArray<TypeClass>,
      orphanedTypes: [Patient, ...product.types],
      validate: false,
    });
  });

  test('every field of the product is classified and no sample id is served', () => {
    expect(() => {
      assertClassified(schema);
    }).not.toThrow();
    const text = printSchema(schema);
    expect(text).not.toMatch(/sampleId|sample_id|type SampleIndex|type GenotypeBlock/);
    expect(text).toMatch(/enum VariantKind \{/);
    expect(text).toMatch(/enum Zygosity \{/);
  });

  test('a read needs the tags of the field and of all rows behind it', () => {
    expect([...tagsOf('frequency')].sort()).toEqual(['genomic.aggregate', 'pseudonym']);
    expect([...tagsOf('carriers')].sort()).toEqual(['genomic.aggregate', 'genomic.individual', 'pseudonym']);
  });

  const roles = { clinician: 'TREAT', analyst: 'HRESCH', ml_engineer: 'HRESCH', steward: 'HOPERAT', privacy_officer: 'HOPERAT' } as const;
  const classOf = (role: keyof typeof roles): PolicyClass =>
    makeClass(composePolicy([policy]), [role], roles[role], { schema, allSites: false });
  const tagsOf = (field: 'frequency' | 'carriers'): readonly Tag[] => {
    const declared = (schema.getType('Variant') as GraphQLObjectType).getFields()[field];
    return new Classification(schema, []).readerTags(declared?.extensions[DECLARATION] as ReaderField);
  };

  test('an analyst counts alleles and reads no genotype; an engineer and an officer read neither', () => {
    const told = (Object.keys(roles) as (keyof typeof roles)[]).map((role) => [
      role,
      classOf(role).may('read', tagsOf('frequency')),
      classOf(role).may('read', tagsOf('carriers')),
    ]);
    expect(told).toEqual([
      ['clinician', true, true],
      ['analyst', true, false],
      ['ml_engineer', false, false],
      ['steward', false, false],
      ['privacy_officer', false, false],
    ]);
    expect(classOf('analyst').decide(tagsOf('frequency')).smallCellMin).toBe(11);
  });

  test('features are one grant for clinician, analyst and engineer, and only the engineer trains', () => {
    const tags = product.features?.tags ?? [];
    expect((Object.keys(roles) as (keyof typeof roles)[]).filter((role) => classOf(role).may('feature', tags))).toEqual([
      'clinician',
      'analyst',
      'ml_engineer',
    ]);
    expect((Object.keys(roles) as (keyof typeof roles)[]).filter((role) => classOf(role).may('train', tags))).toEqual(['ml_engineer']);
    expect(classOf('steward').may('write', ['genomic.site', 'genomic.individual'])).toBe(true);
  });
});

describe('decoding', () => {
  test('a region of 300 sites and 2504 samples is counted in a fraction of a second', async () => {
    const calls = Array.from({ length: 2504 }, (_, at) => (at % 3 === 0 ? '0/1' : at % 50 === 1 ? './.' : '0/0'));
    const tables = await stageText(
      vcfText(
        names(2504),
        Array.from({ length: 300 }, (_, at) => site(at + 1, calls)),
      ),
    );
    const rows = parents(tables);
    const source = sourceOf(tables, person);
    await loadFrequencies(source, rows);
    const start = performance.now();
    await loadFrequencies(source, rows);
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});

describeWithData('1000 Genomes', () => {
  test('frequency equals the counts stored with the block', async () => {
    const tables = await stageFile('pgscatalog/tiny1000G.vcf.gz', { assembly: 'GRCh38' });
    const found = await loadFrequencies(sourceOf(tables, person), parents(tables));
    const stored = tables['genotype_block'] ?? [];
    expect(found).toHaveLength(stored.length);
    found.forEach((row, at) => {
      expect(row['an']).toBe(stored[at]?.['an']);
      if (row['ac'] !== null) expect(row['ac']).toBe(stored[at]?.['ac']);
    });
    expect(found.filter((row) => row['ac'] !== null).length).toBeGreaterThan(500);
  });
});

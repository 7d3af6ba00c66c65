import 'reflect-metadata';
import { createReadStream, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { pipeline } from '../../../src/domains/genomics/pipeline.js';
import { unpackGenotypes } from '../../../src/domains/genomics/formats/genotype-codec.js';
import { bucketOf, bucketOfId, bucketsOf, chromOf, kindOf } from '../../../src/domains/genomics/formats/vcf-locus.js';
import { DATA, describeWithData, readVcf } from './formats/data.js';
import { DIGEST, stageFile, stageText, vcfText } from './support.js';

const CSQ =
  '##INFO=<ID=CSQ,Number=.,Type=String,Description="Consequence annotations from Ensembl VEP. Format: SYMBOL|Consequence|Allele|PICK">';
const ANN = `##INFO=<ID=ANN,Number=.,Type=String,Description="Functional annotations: 'Allele | Annotation | Annotation_Impact | Gene_Name'">`;

const asset = (table: string) => {
  const found = pipeline.assets.find((each) => each.table === table);
  if (!found) throw new Error(`no asset ${table}`);
  return found;
};
const holds = (table: string, name: string, row: Record<string, unknown>): boolean | undefined =>
  asset(table)
    .expectations.find((each) => each.name === name)
    ?.holds(row);

describe('staging of a VCF', () => {
  test('the header makes a call set that follows from the file, and a sample row a column', async () => {
    const { callset, sample_index: samples } = await stageText(vcfText(['S-1', 'S-2'], []));
    const id = 'a1a1a1a1-a1a1-81a1-a1a1-a1a1a1a1a1a1';
    expect(callset).toEqual([{ callset_id: id, assembly: 'GRCh38', version: '4.2', samples: 2, at: '2026-05-01T00:00:00.000Z' }]);
    expect(samples).toEqual(
      ['S-1', 'S-2'].map((value, ordinal) => ({
        ...{ callset_id: id, ordinal, sample_id: value, sensitivity: 0 },
        keys: [{ issuer: 'urn:thalamus:sample', value }],
      })),
    );
    expect(DIGEST).toHaveLength(64);
  });

  test('each ALT is a variant and a block; chromosome names lose chr and are given their buckets', async () => {
    const { variant, genotype_block: blocks } = await stageText(
      vcfText(
        ['A1', 'A2', 'A3'],
        ['chr1\t5000000\trs7;x\ta\tC,AT,*\t30\tPASS\tGENE=TTN\tGT\t0/1\t1|2\t./.', 'chrM\t9\t.\tAC\tA\t.\tq10\t.\tGT\t1\t0\t.'],
      ),
    );
    expect(variant?.map((row) => [row['variant_id'], row['bucket'], row['kind'], row['rs_id'], row['gene']])).toEqual([
      ['GRCh38-1-5000000-A-C', 1005, 'SNV', 'rs7', 'TTN'],
      ['GRCh38-1-5000000-A-AT', 1005, 'INS', 'rs7', 'TTN'],
      ['GRCh38-MT-9-AC-A', 25000, 'DEL', null, null],
    ]);
    expect(blocks?.map((row) => [row['ac'], row['an'], row['het'], row['hemi_alt'], row['missing'], row['filters'], row['qual']])).toEqual([
      [2, 4, 2, 0, 1, [], 30],
      [1, 4, 1, 0, 1, [], 30],
      [1, 2, 0, 1, 1, ['q10'], null],
    ]);
    expect([...unpackGenotypes(Number(blocks?.[0]?.['enc']), blocks?.[0]?.['codes'] as Buffer, 3)]).toEqual([1, 7, 3]);
  });

  test('a file whose assembly nobody states is refused, and so are its sites', async () => {
    const text = vcfText(['S-1'], ['1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1'], []);
    await expect(stageText(text)).rejects.toMatchObject({ code: 'VCF_ASSEMBLY' });
    expect((await stageText(text, { assembly: 'GRCh37' }))['variant']?.[0]).toMatchObject({ variant_id: 'GRCh37-1-5-A-C' });
    const context = { digest: DIGEST, name: 'x', assembly: undefined, ordinal: 1, now: 0, newId: () => 'x', memo: new Map() };
    const site = (
      await readVcf(
        (async function* () {
          yield await Promise.resolve(Buffer.from(text));
        })(),
      )
    ).sites[0];
    expect(() => [...(pipeline.formats[0]?.stage({ kind: 'site', site }, context) ?? [])]).toThrow(
      expect.objectContaining({ code: 'VCF_ASSEMBLY' }),
    );
  });

  test('CSQ and ANN are read in the order that the header states, for the ALT that they name', async () => {
    const info = 'CSQ=GENE1|missense_variant|C|,GENE2|stop_gained|C|1,GENE3|synonymous_variant|G|,broken|entry';
    const { variant } = await stageText(vcfText([], [`1\t5\t.\tA\tC,G\t.\t.\t${info}`], ['##reference=GRCh38', CSQ]));
    expect(variant?.map((row) => [row['gene'], row['consequence']])).toEqual([
      ['GENE2', 'stop_gained'],
      ['GENE3', 'synonymous_variant'],
    ]);
    const snpeff = await stageText(vcfText([], ['1\t5\t.\tA\tC\t.\t.\tANN=C|stop_lost|HIGH|LMNA'], ['##reference=GRCh38', ANN]));
    expect(snpeff['variant']?.[0]).toMatchObject({ gene: 'LMNA', consequence: 'stop_lost' });
    const unstated = await stageText(vcfText([], ['1\t5\t.\tA\tC\t.\t.\tANN=C|stop_lost|HIGH|LMNA']));
    expect(unstated['variant']?.[0]).toMatchObject({ gene: null, consequence: null });
  });

  test('clinical significance is in the words of ClinVar, coded forms included', async () => {
    const significance = async (alt: string, info: string): Promise<unknown[] | undefined> =>
      (await stageText(vcfText([], [`1\t5\t.\tA\t${alt}\t.\t.\t${info}`])))['variant']?.map((row) => row['clinical_significance']);
    expect(await significance('C', 'CLNSIG=Likely_pathogenic')).toEqual(['Likely_pathogenic']);
    expect(await significance('C,G', 'CLNALLE=2;CLNSIG=5|5|255')).toEqual([null, 'Pathogenic|other']);
    expect(await significance('C', 'DP=1')).toEqual([null]);
  });

  test('long alleles get ids of bounded length that tell them apart', async () => {
    const long = 'ACGT'.repeat(300);
    const { variant } = await stageText(vcfText([], [`1\t5\t.\tA\t${long},${long}A\t.\t.\t.`]));
    const ids = variant?.map((row) => String(row['variant_id'])) ?? [];
    expect(new Set(ids).size).toBe(2);
    expect(ids.every((id) => /^GRCh38-1-5-sha256\.[0-9a-f]{32}$/.test(id))).toBe(true);
  });
});

describe('assets', () => {
  test('columns are those of the migration', () => {
    const sql = readFileSync(resolve(__dirname, '../../../migrations/20261122100200-create-genomics.ts'), 'utf8');
    const digests = readFileSync(resolve(__dirname, '../../../migrations/20261122190200-digest-blocks.ts'), 'utf8');
    for (const { table, columns, key } of pipeline.assets) {
      const body = new RegExp(`create table ${table} \\(([^;]*)\\);`).exec(sql)?.[1] ?? '';
      for (const name of [...Object.keys(columns), ...key])
        expect(`${table} ${body} ${new RegExp(`alter table ${table} add column [^;]*;`).exec(digests)?.[0] ?? ''}`).toMatch(
          new RegExp(`\\b${name} (uuid|text|int|smallint|float8|timestamptz|bytea)`),
        );
      expect(body).toMatch(new RegExp(`primary key \\(${key.join(', ')}\\)|^\\s*${key.join()} uuid primary key`));
    }
  });

  test('a variant that comes again fills the annotations that the stored one lacks and changes none', () => {
    const merge = asset('variant').merge;
    const stored = { variant_id: 'v', rs_id: null, gene: 'TTN', consequence: null, clinical_significance: null, source_digest: 'first' };
    const incoming = {
      variant_id: 'v',
      rs_id: 'rs1',
      gene: 'OTHER',
      consequence: null,
      clinical_significance: 'Benign',
      source_digest: 'second',
    };
    expect(merge?.(null, incoming).row).toEqual(incoming);
    expect(merge?.(stored, incoming).row).toEqual({ ...stored, rs_id: 'rs1', clinical_significance: 'Benign' });
  });

  test('expectations tell sound rows from broken ones', () => {
    expect([0, 2].map((findings) => holds('variant', 'follows_its_header', { findings }))).toEqual([true, false]);
    expect([0, 1].map((pos) => holds('variant', 'has_a_position', { pos }))).toEqual([false, true]);
    expect(['X', 'GL000220.1'].map((chrom) => holds('variant', 'stands_on_a_chromosome', { chrom }))).toEqual([true, false]);
    const block = { samples: 3, ac: 2, an: 4, het: 2, hom_alt: 0, hemi_alt: 0, missing: 1 };
    expect([block, { ...block, ac: 5 }, { ...block, missing: 2 }].map((row) => holds('genotype_block', 'counts_add_up', row))).toEqual([
      true,
      false,
      false,
    ]);
    expect([1, 2].map((missing) => holds('genotype_block', 'is_mostly_called', { ...block, missing }))).toEqual([true, false]);
  });
});

describe('loci', () => {
  test('names of chromosomes, buckets and kinds', () => {
    expect(['chr1', '1', 'chrM', 'M', 'NC_000023.11', 'NC_012920.1', 'chrx', 'GL000220.1'].map(chromOf)).toEqual([
      '1',
      '1',
      'MT',
      'MT',
      'X',
      'MT',
      'X',
      'GL000220.1',
    ]);
    expect(bucketsOf('2', 1_999_999, 3_000_000)).toEqual([2001, 2002, 2003]);
    expect(bucketsOf('2')).toHaveLength(249);
    expect(bucketOfId('GRCh38-X-153000000-A-T')).toBe(bucketOf('X', 153_000_000));
    expect(bucketOfId('rs123')).toBeUndefined();
    expect(
      [
        ['A', 'C'],
        ['AC', 'GT'],
        ['A', 'AC'],
        ['AC', 'A'],
        ['A', '<DEL>'],
        ['A', 'A[2:5['],
        ['A', '<NON_REF>'],
      ].map(([ref = '', alt = '']) => kindOf(ref, alt)),
    ).toEqual(['SNV', 'MNV', 'INS', 'DEL', 'SV', 'BND', undefined]);
  });
});

describeWithData('staging of real files', () => {
  test('1000 Genomes: a row an ALT, the counts of its block are those of the parsed codes', async () => {
    const { sites } = await readVcf(createReadStream(join(DATA, 'pgscatalog/tiny1000G.vcf.gz')));
    const {
      callset,
      sample_index: samples,
      variant,
      genotype_block: blocks,
    } = await stageFile('pgscatalog/tiny1000G.vcf.gz', { assembly: 'GRCh38' });
    const alts = sites.flatMap((site) => site.alts);
    expect(alts.length).toBeGreaterThan(1000);
    expect(variant).toHaveLength(alts.length);
    expect(blocks).toHaveLength(alts.length);
    expect(new Set(variant?.map((row) => row['variant_id'])).size).toBe(alts.length);
    expect(callset?.[0]).toMatchObject({ samples: samples?.length });
    expect(blocks?.every((row) => holds('genotype_block', 'counts_add_up', row))).toBe(true);
    expect(blocks?.every((row, at) => row['variant_id'] === variant?.[at]?.['variant_id'])).toBe(true);
  });

  test('ClinVar exemplars: gene from GENEINFO, significance in words', async () => {
    // The file calls itself 4.0, which is not read; its lines are those of 4.1.
    const text = gunzipSync(readFileSync(join(DATA, 'hgvs/exemplars.vcf.gz')))
      .toString('utf8')
      .replace('VCFv4.0', 'VCFv4.1');
    const { variant } = await stageText(text);
    expect(variant?.[0]).toMatchObject({
      variant_id: 'GRCh37-1-883516-G-A',
      rs_id: 'rs267598747',
      gene: 'NOC2L',
      clinical_significance: 'other',
    });
    const third = variant?.filter((row) => row['pos'] === 984971).map((row) => [row['alt'], row['gene'], row['clinical_significance']]);
    expect(third).toEqual([
      ['A', 'AGRN', 'Likely_benign'],
      ['C', 'AGRN', null],
      ['T', 'AGRN', null],
    ]);
  });

  test('VEP: symbols and consequences of split-vep and ExAC, whose headers differ in order', async () => {
    const vep = await stageFile('bcftools-test/split-vep.vcf', { assembly: 'GRCh37' });
    expect(vep['variant']?.[0]).toMatchObject({ gene: 'WASH7P', consequence: 'non_coding_transcript_exon_variant' });
    const exac = await stageFile('vcfanno-examples/exac.vcf.gz');
    expect(exac['variant']?.[0]).toMatchObject({ variant_id: 'GRCh37-1-13372-G-C', gene: 'DDX11L1' });
    expect(exac['variant']?.every((row) => /^[a-z_0-9&]+$|^null$/i.test(String(row['consequence'])))).toBe(true);
  });
});

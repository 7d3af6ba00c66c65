import { LIMITS } from '../../../../src/kernel/limits.js';
import { bgzfCompress } from '../../../../src/domains/genomics/formats/bgzf.js';
import { vcf } from '../../../../src/domains/genomics/formats/vcf.js';
import { pieces, readVcf, type Outcome } from './data.js';

const META = [
  '##fileformat=VCFv4.3',
  '##contig=<ID=chr1,length=248956422>',
  '##INFO=<ID=XI,Number=1,Type=Integer,Description="own">',
  '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
];
const COLUMNS = '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO';

function text(lines: readonly string[], samples = 2, meta: readonly string[] = META): string {
  const names = samples === 0 ? '' : `\tFORMAT\t${Array.from({ length: samples }, (_, at) => `S${at}`).join('\t')}`;
  return [...meta, `${COLUMNS}${names}`, ...lines, ''].join('\n');
}

function read(lines: readonly string[], samples = 2, meta: readonly string[] = META): Promise<Outcome> {
  return readVcf(pieces(text(lines, samples, meta)));
}

async function codes(alt: string, calls: readonly string[], format = 'GT'): Promise<number[][] | undefined> {
  const { sites, faults } = await read([`chr1\t5\t.\tA\t${alt}\t.\t.\t.\t${format}\t${calls.join('\t')}`], calls.length);
  expect(faults).toEqual([]);
  return sites[0]?.genotypes?.map((list) => [...list]);
}

describe('VCF records', () => {
  test('the header comes first, then each site with its columns', async () => {
    const { order, header, sites } = await read([
      'chr1\t7\trs1;rs2\tA\tG,<DEL>\t12.5\tq10;s50\tDP=3;XI=4;DB\tGT:DP\t0|1:3\t./.:.',
      'chr1\t8\t.\tC\t*\t.\tPASS\t.\tGT\t0/0\t1/1',
      'chr1\t9\t.\tC\t.\t1e3\t.\tEND=20\tGT\t0/0\t0/0',
    ]);
    expect(order[0]).toMatchObject({ ok: true, ordinal: 0, place: 'line 5', value: { kind: 'header' } });
    expect(header).toMatchObject({ version: '4.3', samples: ['S0', 'S1'], assembly: 'GRCh38', hasFormat: true });
    expect(header?.info.get('XI')).toEqual({ id: 'XI', number: '1', type: 'Integer' });
    expect(sites[0]).toMatchObject({
      chrom: 'chr1',
      pos: 7,
      ids: ['rs1', 'rs2'],
      ref: 'A',
      alts: ['G', '<DEL>'],
      qual: 12.5,
      filters: ['q10', 's50'],
    });
    expect(['DP', 'XI', 'DB', 'X', 'D'].map((key) => sites[0]?.infoValue(key))).toEqual(['3', '4', true, undefined, undefined]);
    expect(sites[1]).toMatchObject({ ids: [], qual: null, filters: [] });
    expect(sites[2]).toMatchObject({ alts: [], qual: 1000, filters: null, genotypes: [] });
  });

  test('genotype codes follow ploidy, phase and missing alleles', async () => {
    const calls = ['0/0', '0/1', '1/0', '1/1', './.', './1', '.', '0', '1', '0|1', '1|0', '1|1', '/0/1', '|1', '0/1/1'];
    const wanted = [0, 1, 1, 2, 3, 3, 3, 4, 5, 6, 7, 2, 1, 5, 3];
    expect(await codes('G', calls)).toEqual([wanted]);
    expect(
      await codes(
        'G',
        calls.map((call) => `${call}:7`),
        'GT:DP',
      ),
    ).toEqual([wanted]);
  });

  test('at a multi-allelic site another ALT counts as not this ALT', async () => {
    expect(await codes('G,T', ['1/2', '0|2', '2', '2/2', '1|0', './2'])).toEqual([
      [1, 0, 4, 0, 7, 3],
      [1, 6, 5, 2, 0, 3],
    ]);
    const many = Array.from({ length: 11 }, (_, at) => 'A'.repeat(at + 2)).join(',');
    const rows = (await codes(many, ['0/11', '10|1']))?.map((list) => list.join(''));
    expect(rows).toEqual(['06', '00', '00', '00', '00', '00', '00', '00', '00', '07', '10']);
  });

  test('CRLF, a BOM, single-byte chunks, gzip and files without samples read alike', async () => {
    const plain = text(['chr1\t7\t.\tA\tG\t.\t.\t.\tGT\t0/1\t1/1']);
    const wanted = (await readVcf(pieces(plain))).sites;
    expect(wanted).toHaveLength(1);
    for (const input of [
      pieces(plain.replaceAll('\n', '\r\n')),
      pieces(`\uFEFF${plain}`),
      pieces(plain, 1),
      pieces(bgzfCompress(Buffer.from(plain)), 11),
      pieces(plain.trimEnd()),
    ]) {
      const { sites, faults, thrown } = await readVcf(input);
      expect([JSON.stringify(sites), faults, thrown]).toEqual([JSON.stringify(wanted), [], undefined]);
    }
    expect((await read(['chr1\t7\t.\tA\tG\t.\t.\t.'], 0)).sites[0]?.genotypes).toBeNull();
  });

  test.each([
    'G]17:198982]',
    ']13:123456]T',
    'C[2:321682[',
    '[17:198983[A',
    '<*>',
    '<NON_REF>',
    '<INS:ME:L1>',
    '*',
    'C[<ctg1>:1[',
    '.A',
    'GA.',
  ])('ALT %s is allowed', async (alt) => {
    expect((await read([`chr1\t7\t.\tT\t${alt}\t.\t.\t.\tGT\t0/1\t1/1`])).faults).toEqual([]);
  });
});

describe('VCF faults', () => {
  const call = 'GT\t0/1\t1/1';
  test.each([
    ['too few columns', 'chr1\t7\t.\tA\tG', 'line 6 column 5'],
    ['a bad CHROM', `chr 1\t7\t.\tA\tG\t.\t.\t.\t${call}`, 'line 6 column 1'],
    ['POS not an integer', `chr1\t7x\t.\tA\tG\t.\t.\t.\t${call}`, 'line 6 column 2'],
    ['POS negative', `chr1\t-7\t.\tA\tG\t.\t.\t.\t${call}`, 'line 6 column 2'],
    ['POS too large', `chr1\t2147483648\t.\tA\tG\t.\t.\t.\t${call}`, 'line 6 column 2'],
    ['an empty ID', `chr1\t7\trs1;\tA\tG\t.\t.\t.\t${call}`, 'line 6 column 3'],
    ['REF outside its alphabet', `chr1\t7\t.\tAX\tG\t.\t.\t.\t${call}`, 'line 6 column 4'],
    ['ALT outside its syntax', `chr1\t7\t.\tA\t<DEL\t.\t.\t.\t${call}`, 'line 6 column 5'],
    ['ALT equal to REF', `chr1\t7\t.\tA\tA\t.\t.\t.\t${call}`, 'line 6 column 5'],
    ['QUAL not a number', `chr1\t7\t.\tA\tG\thigh\t.\t.\t${call}`, 'line 6 column 6'],
    ['FILTER with an empty name', `chr1\t7\t.\tA\tG\t.\tq10;\t.\t${call}`, 'line 6 column 7'],
    ['a reserved INFO key of another type', `chr1\t7\t.\tA\tG\t.\t.\tDP=x\t${call}`, 'line 6 column 8'],
    ['a reserved INFO key of another count', `chr1\t7\t.\tA\tG\t.\t.\tAC=1,2\t${call}`, 'line 6 column 8'],
    ['an INFO key twice', `chr1\t7\t.\tA\tG\t.\t.\tDP=1;DP=1\t${call}`, 'line 6 column 8'],
    ['GT not first', 'chr1\t7\t.\tA\tG\t.\t.\t.\tDP:GT\t1:0/1\t1:1/1', 'line 6 column 9'],
    ['no FORMAT', 'chr1\t7\t.\tA\tG\t.\t.\t.', 'line 6 column 9'],
    ['an allele that is not there', 'chr1\t7\t.\tA\tG\t.\t.\t.\tGT\t0/1\t0/2', 'line 6 column 11'],
    ['a genotype that is none', 'chr1\t7\t.\tA\tG\t.\t.\t.\tGT\t0/\t0/1', 'line 6 column 10'],
    ['an empty genotype', 'chr1\t7\t.\tA\tG\t.\t.\t.\tGT\t\t0/1', 'line 6 column 10'],
    ['a sample too few', 'chr1\t7\t.\tA\tG\t.\t.\t.\tGT\t0/1', 'line 6 column 11'],
    ['a sample too many', `chr1\t7\t.\tA\tG\t.\t.\t.\t${call}\t0/1`, 'line 6 column 12'],
    ['more sub-fields than FORMAT', 'chr1\t7\t.\tA\tG\t.\t.\t.\tGT\t0/1:3\t0/1', 'line 6 column 10'],
    ['an empty line', '', 'line 6'],
  ])('%s is VCF_LINE at its place, with the bytes of the line; the next line is read', async (_name, line, place) => {
    const { faults, sites, thrown } = await read([line, `chr1\t9\t.\tA\tG\t.\t.\t.\t${call}`]);
    expect(thrown).toBeUndefined();
    expect(faults).toEqual([
      { ok: false, ordinal: 1, place, code: 'VCF_LINE', reason: expect.any(String) as string, bytes: Uint8Array.from(Buffer.from(line)) },
    ]);
    expect(sites.map((site) => site.pos)).toEqual([9]);
  });

  test('disorder is VCF_ORDER: a lower POS, a chromosome that comes back', async () => {
    const at = (chrom: string, pos: number): string => `${chrom}\t${pos}\t.\tA\tG\t.\t.\t.`;
    const { faults, sites } = await read([at('1', 5), at('1', 4), at('2', 1), at('1', 9), at('2', 2)], 0);
    expect(faults.map(({ code, place }) => [code, place])).toEqual([
      ['VCF_ORDER', 'line 7 column 2'],
      ['VCF_ORDER', 'line 9 column 1'],
    ]);
    expect(sites.map((site) => site.pos)).toEqual([5, 1, 2]);
  });

  test('an allele that comes twice is VCF_LINE, also in another context', async () => {
    const { faults } = await read(
      ['1\t5\t.\tTAT\tTGT\t.\t.\t.', '1\t6\t.\tA\tG\t.\t.\t.', '1\t6\t.\tA\tC\t.\t.\t.', '1\t6\t.\tA\tC\t.\t.\t.'],
      0,
    );
    expect(faults.map(({ place }) => place)).toEqual(['line 7 column 5', 'line 9 column 5']);
  });

  test('a value that disagrees with the header of its own file is a finding; the site is still read', async () => {
    const { faults, sites } = await read(
      ['1\t5\t.\tA\tG\t.\t.\tXI=1.5\tGT\t0/1\t0/1', '1\t6\t.\tA\tG\t.\t.\tXI=15\tGT:DP\t0/1:3\t0/1:x'],
      2,
    );
    expect(faults).toEqual([]);
    expect(sites.map((site) => site.findings.map(({ column }) => column))).toEqual([[8], [11]]);
  });

  test('a header line that breaks a rule is reported behind the header; the sites are read', async () => {
    const { order, faults, sites } = await read(['1\t5\t.\tA\tG\t.\t.\t.'], 0, [
      '##fileformat=VCFv4.2',
      '##FORMAT=<ID=GQ,Number=1,Type=Float,Description="x">',
    ]);
    expect(order.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(faults[0]).toMatchObject({ code: 'VCF_HEADER', place: 'line 2' });
    expect(sites).toHaveLength(1);
  });

  test('a line above the limit is LIMIT_RECORD and keeps only its beginning', async () => {
    async function* input(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.from(`${text([], 0)}1\t5\t.\tA\tG\t.\t.\tX=`));
      const filler = Buffer.alloc(1 << 20, 'A');
      for (let size = 0; size <= LIMITS.record_bytes_max; size += filler.length) yield filler;
      yield Buffer.from('\n1\t6\t.\tA\tG\t.\t.\t.\n');
    }
    const { faults, sites } = await readVcf(input());
    expect(faults).toMatchObject([{ code: 'LIMIT_RECORD', place: 'line 6' }]);
    expect(faults[0]?.bytes).toHaveLength(LIMITS.quarantine_bytes_kept_max);
    expect(sites.map((site) => site.pos)).toEqual([6]);
  });

  test.each([
    ['', 'FILE_EMPTY'],
    ['##fileformat=VCFv4.0\n', 'VCF_VERSION'],
    ['##fileformat=VCFv5.1\n', 'VCF_VERSION'],
    ['##reference=x\n', 'VCF_HEADER'],
    [`${COLUMNS}\n`, 'VCF_HEADER'],
    ['##fileformat=VCFv4.2\n##words\n', 'VCF_HEADER'],
    ['##fileformat=VCFv4.2\n##INFO=<ID=A,Number=1,Type=Int,Description="x">\n', 'VCF_HEADER'],
    ['##fileformat=VCFv4.2\n##INFO=<ID=A,Number=1,Type=String,Description="x>\n', 'VCF_HEADER'],
    ['##fileformat=VCFv4.2\n##contig=<length=5>\n', 'VCF_HEADER'],
    [`##fileformat=VCFv4.2\n${COLUMNS}\tFORMAT\tS\tS\n`, 'VCF_HEADER'],
    ['##fileformat=VCFv4.2\n#CHROM POS ID\n', 'VCF_HEADER'],
    ['##fileformat=VCFv4.2\n##source=x\n', 'VCF_HEADER'],
    ['##fileformat=VCFv4.2\n1\t5\t.\tA\tG\t.\t.\t.\n', 'VCF_HEADER'],
  ])('header case %# throws', async (bytes, code) => {
    expect((await readVcf(pieces(bytes))).thrown).toMatchObject({ code });
  });
});

describe('assembly', () => {
  test.each([
    [['##reference=file:///data/human_g1k_v37.fasta'], 'GRCh37'],
    [['##reference=GRCh38.p13'], 'GRCh38'],
    [['##contig=<ID=2,length=243199373>'], 'GRCh37'],
    [['##contig=<ID=chrX,length=156040895>'], 'GRCh38'],
    [['##contig=<ID=1,assembly=b37>'], 'GRCh37'],
    [['##reference=hg19', '##contig=<ID=chr1,length=248956422>'], undefined],
    [['##reference=mm10'], undefined],
  ])('%j says %s', async (lines, assembly) => {
    const body = text([], 0, ['##fileformat=VCFv4.2', ...lines]);
    expect((await readVcf(pieces(body))).header?.assembly).toBe(assembly);
    expect((await readVcf(pieces(body), 'GRCh38')).header?.assembly).toBe('GRCh38');
  });
});

test('a VCF is told by its first bytes', () => {
  expect([META.join('\n'), `\uFEFF${META[0] ?? ''}`, '#CHROM\tPOS', 'MSH|'].map((head) => vcf.sniff(Buffer.from(head), 'x'))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

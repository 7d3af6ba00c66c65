import { crc32, deflateRawSync } from 'node:zlib';
import type { Person } from './people.js';
import { Random } from './random.js';
import { isoDate } from './time.js';
import { CONTIGS, type VariantSite } from './variants.js';

const BLOCK_BYTES = 0xff00;
/** The empty block that ends every BGZF file (SAM specification 4.1.2). */
const BGZF_END = Buffer.from('1f8b08040000000000ff0600424302001b0003000000000000000000', 'hex');

function bgzfBlock(data: Buffer): Buffer {
  const body = deflateRawSync(data, { level: 6 });
  const block = Buffer.alloc(18 + body.length + 8);
  block.write('1f8b08040000000000ff060042430200', 0, 'hex');
  block.writeUInt16LE(block.length - 1, 16);
  body.copy(block, 18);
  block.writeUInt32LE(crc32(data), 18 + body.length);
  block.writeUInt32LE(data.length, 22 + body.length);
  return block;
}

/** Compresses into blocked gzip (BGZF, SAM specification 4.1), with the closing empty block. */
export function bgzip(text: string): Buffer {
  const data = Buffer.from(text, 'utf8');
  const blocks: Buffer[] = [];
  for (let start = 0; start < data.length; start += BLOCK_BYTES) blocks.push(bgzfBlock(data.subarray(start, start + BLOCK_BYTES)));
  return Buffer.concat([...blocks, BGZF_END]);
}

export function sampleId(person: Person): string {
  return `DEMO-${String(person.number)}-S`;
}

/** The header of a VCF 4.3 file on GRCh38, ending with the column line. */
export function vcfHeader(samples: readonly string[], now: number): string {
  const contigs = CONTIGS.map(([name, length]) => `##contig=<ID=${name},length=${String(length)},assembly=GRCh38>`);
  return [
    '##fileformat=VCFv4.3',
    `##fileDate=${isoDate(now).replaceAll('-', '')}`,
    '##source=ThalamusDemo_SYNTHETIC_reference_bases_and_genotypes_are_invented',
    '##reference=GRCh38',
    ...contigs,
    '##FILTER=<ID=PASS,Description="All filters passed">',
    '##INFO=<ID=AC,Number=A,Type=Integer,Description="Alternate alleles among the samples of this file">',
    '##INFO=<ID=AN,Number=1,Type=Integer,Description="Called alleles among the samples of this file">',
    '##INFO=<ID=AF,Number=A,Type=Float,Description="AC divided by AN">',
    '##INFO=<ID=GENE,Number=1,Type=String,Description="Gene symbol">',
    '##INFO=<ID=CLNSIG,Number=.,Type=String,Description="Invented clinical significance in the words of ClinVar">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    `#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t${samples.join('\t')}`,
    '',
  ].join('\n');
}

function genotypeText(first: number, second: number, missing: boolean): string {
  if (second < 0) return missing ? '.' : String(first);
  if (missing) return './.';
  return first <= second ? `${String(first)}/${String(second)}` : `${String(second)}/${String(first)}`;
}

function vcfLine(site: VariantSite, index: number, people: readonly Person[], random: Random): string {
  const counts = site.alts.map(() => 0);
  let called = 0;
  let calls = '';
  for (const person of people) {
    const first = person.genotypes.first[index] ?? 0;
    const second = person.genotypes.second[index] ?? 0;
    const missing = random.chance(0.004);
    calls += `\t${genotypeText(first, second, missing)}`;
    if (missing) continue;
    for (const allele of [first, second]) {
      if (allele >= 0) called++;
      if (allele > 0) counts[allele - 1] = (counts[allele - 1] ?? 0) + 1;
    }
  }
  const frequencies = counts.map((count) => (called === 0 ? '0' : String(Number((count / called).toPrecision(4)))));
  const info = `AC=${counts.join(',')};AN=${String(called)};AF=${frequencies.join(',')};GENE=${site.gene};CLNSIG=${site.significance}`;
  return `${site.contig}\t${String(site.position)}\t.\t${site.ref}\t${site.alts.join(',')}\t${String(random.int(60, 990))}\tPASS\t${info}\tGT${calls}\n`;
}

/** One multi-sample VCF 4.3 of the given people, as text. */
export function vcfText(seed: number, siteCode: string, people: readonly Person[], sites: readonly VariantSite[], now: number): string {
  const random = new Random(seed, `vcf-${siteCode}`);
  const lines = sites.map((site, index) => vcfLine(site, index, people, random));
  return vcfHeader(people.map(sampleId), now) + lines.join('');
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { packGenotypes } from '../../../../src/domains/genomics/formats/genotype-codec.js';
import { DATA, describeWithData, readVcfFile, vcfFilesBelow, type Outcome } from './data.js';

const SPECS = join(DATA, 'hts-specs');

function folders(verdict: string): string[] {
  return existsSync(SPECS)
    ? readdirSync(SPECS)
        .map((version) => join(SPECS, version, verdict))
        .filter((folder) => existsSync(folder))
    : [];
}

function naiveLines(name: string): string[] {
  return gunzipSync(readFileSync(join(DATA, name)))
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function rejected({ thrown, faults, sites }: Outcome): boolean {
  return thrown !== undefined || faults.length > 0 || sites.some((site) => site.findings.length > 0);
}

describeWithData('real VCF files', () => {
  test('every file is read or refused with a coded error', async () => {
    const files = vcfFilesBelow(DATA);
    expect(files.length).toBeGreaterThan(500);
    for (const file of files) await readVcfFile(file);
  });

  test('sound files of the specification have no fault', async () => {
    for (const file of folders('passed').flatMap(vcfFilesBelow)) {
      const outcome = await readVcfFile(file);
      // This one file lists POS 400 before POS 300, which section 1.6.1 item 2 of the same specification forbids.
      const disorder = file.endsWith('zero_length_LAA.vcf') ? ['VCF_ORDER'] : [];
      expect([relative(DATA, file), outcome.thrown, outcome.faults.map(({ code }) => code)]).toEqual([
        relative(DATA, file),
        undefined,
        disorder,
      ]);
    }
  });

  test('at least 95 in 100 bad files of the specification are found out', async () => {
    const files = folders('failed').flatMap(vcfFilesBelow);
    const outcomes = await Promise.all(files.map(readVcfFile));
    expect(files).toHaveLength(495);
    expect(outcomes.filter(rejected).length / files.length).toBeGreaterThanOrEqual(0.95);
  });

  test.each(['variantannotation/chr22.vcf.gz', 'variantannotation/hapmap_exome_chr22.vcf.gz', 'pgscatalog/tiny1000G.vcf.gz'])(
    '%s has as many sites as it has lines, at the same positions',
    async (name) => {
      const { sites, thrown } = await readVcfFile(join(DATA, name));
      expect(thrown).toBeUndefined();
      expect(sites.map((site) => `${site.chrom}\t${site.pos}`)).toEqual(naiveLines(name).map((line) => line.split('\t', 2).join('\t')));
    },
  );

  test.each(['variantannotation/chr22.vcf.gz', 'variantannotation/hapmap_exome_chr22.vcf.gz', 'pgscatalog/tiny1000G.vcf.gz'])(
    'AC and AN of %s equal those counted on strings',
    async (name) => {
      const { sites } = await readVcfFile(join(DATA, name));
      const found = sites.map((site) => site.genotypes?.map((codes) => packGenotypes(codes)).map(({ ac, an }) => [ac, an]));
      expect(found).toEqual(naiveLines(name).map(naiveCounts));
    },
  );
});

/** AC and AN of each ALT of one line; a call with a missing allele counts as not called. */
function naiveCounts(line: string): number[][] {
  const columns = line.split('\t');
  const calls = columns
    .slice(9)
    .map((sample) => (sample.split(':')[0] ?? '').split(/[/|]/))
    .filter((call) => !call.includes('.'));
  const an = calls.reduce((sum, call) => sum + call.length, 0);
  return (columns[4] ?? '')
    .split(',')
    .map((_, alt) => [calls.reduce((sum, call) => sum + call.filter((allele) => allele === String(alt + 1)).length, 0), an]);
}

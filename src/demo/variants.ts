import { Random } from './random.js';

/** A gene on GRCh38. `risk` genes carry the heritable part of the demo outcome. */
interface Gene {
  readonly symbol: string;
  readonly contig: string;
  readonly start: number;
  readonly end: number;
  readonly risk: boolean;
}

/** Contigs of GRCh38 in file order, with their lengths in bases. */
export const CONTIGS: readonly (readonly [string, number])[] = [
  ['chr1', 248956422],
  ['chr2', 242193529],
  ['chr3', 198295559],
  ['chr4', 190214555],
  ['chr5', 181538259],
  ['chr6', 170805979],
  ['chr7', 159345973],
  ['chr8', 145138636],
  ['chr9', 138394717],
  ['chr10', 133797422],
  ['chr11', 135086622],
  ['chr12', 133275309],
  ['chr13', 114364328],
  ['chr14', 107043718],
  ['chr15', 101991189],
  ['chr16', 90338345],
  ['chr17', 83257441],
  ['chr18', 80373285],
  ['chr19', 58617616],
  ['chr20', 64444167],
  ['chr21', 46709983],
  ['chr22', 50818468],
  ['chrX', 156040895],
];

const GENES: readonly Gene[] = [
  { symbol: 'PCSK9', contig: 'chr1', start: 55039447, end: 55064852, risk: false },
  { symbol: 'LMNA', contig: 'chr1', start: 156082573, end: 156140081, risk: true },
  { symbol: 'TNNT2', contig: 'chr1', start: 201359014, end: 201377680, risk: true },
  { symbol: 'APOB', contig: 'chr2', start: 21001429, end: 21044073, risk: false },
  { symbol: 'TTN', contig: 'chr2', start: 178525989, end: 178807423, risk: true },
  { symbol: 'SCN5A', contig: 'chr3', start: 38548062, end: 38649687, risk: false },
  { symbol: 'PLN', contig: 'chr6', start: 118548296, end: 118560730, risk: true },
  { symbol: 'BAG3', contig: 'chr10', start: 119651380, end: 119677819, risk: true },
  { symbol: 'MYBPC3', contig: 'chr11', start: 47331406, end: 47352702, risk: true },
  { symbol: 'BRCA2', contig: 'chr13', start: 32315508, end: 32400268, risk: false },
  { symbol: 'MYH7', contig: 'chr14', start: 23412740, end: 23435660, risk: true },
  { symbol: 'LDLR', contig: 'chr19', start: 11089463, end: 11133820, risk: false },
  { symbol: 'LAMP2', contig: 'chrX', start: 120427827, end: 120469365, risk: false },
];

/** One site of the catalogue. Reference bases are invented; positions lie inside the named gene. */
export interface VariantSite {
  readonly gene: string;
  readonly contig: string;
  readonly position: number;
  readonly ref: string;
  /** One alternate, or two at the few multi-allelic sites. */
  readonly alts: readonly string[];
  /** Frequency of the first alternate in the whole demo population. */
  readonly frequency: number;
  readonly significance: string;
  /** Weight of one alternate allele in the latent genetic risk. */
  readonly weight: number;
}

const BASES = ['A', 'C', 'G', 'T'] as const;

function alleles(random: Random, index: number): { ref: string; alts: string[] } {
  const ref = random.pick(BASES);
  const others = BASES.filter((base) => base !== ref);
  const alt = random.pick(others);
  if (index % 23 === 7) return { ref, alts: [ref + alt] };
  if (index % 23 === 15) return { ref: ref + alt, alts: [ref] };
  if (index % 97 === 60) return { ref, alts: others.slice(0, 2) };
  return { ref, alts: [alt] };
}

/** Log-uniform between two frequencies: most sites lie near the lower end, as in real cohorts. */
function frequencyBetween(random: Random, low: number, high: number): number {
  return low * Math.exp(random.uniform() * Math.log(high / low));
}

function siteOf(random: Random, gene: Gene, index: number, rank: number, position: number): VariantSite {
  const base = { gene: gene.symbol, contig: gene.contig, position, ...alleles(random, index) };
  if (rank < 9) {
    const frequency = frequencyBetween(random, 0.08, 0.5);
    return { ...base, frequency, significance: gene.risk ? 'risk_factor' : 'Benign', weight: gene.risk ? 1 : 0 };
  }
  if (rank < 15) return { ...base, frequency: frequencyBetween(random, 0.005, 0.05), significance: 'Likely_benign', weight: 0 };
  const frequency = frequencyBetween(random, 0.0005, 0.004);
  const carrierGene = gene.symbol === 'TTN' || gene.symbol === 'LMNA';
  if (rank % 3 === 0)
    return { ...base, frequency: carrierGene ? frequency * 2 : frequency, significance: 'Pathogenic', weight: carrierGene ? 6 : 0 };
  return { ...base, frequency, significance: 'Uncertain_significance', weight: 0 };
}

/** The catalogue of all sites in file order, about 300 in 13 genes. */
export function variantCatalogue(seed: number): VariantSite[] {
  const random = new Random(seed, 'catalogue');
  const sites: VariantSite[] = [];
  for (const gene of GENES) {
    const count = gene.contig === 'chrX' ? 10 : 24;
    const step = Math.floor((gene.end - gene.start) / count);
    // The shuffle spreads common and rare sites over the gene; one site per stretch keeps the order sorted and unique.
    const ranks = Array.from({ length: count }, (_, rank) => ({ rank, key: random.uniform() })).sort((a, b) => a.key - b.key);
    ranks.forEach(({ rank }, place) => {
      const position = gene.start + place * step + random.int(0, step - 4);
      sites.push(siteOf(random, gene, sites.length, rank, position));
    });
  }
  return sites;
}

/** Alleles carried by one person at one site: -1 on the second copy marks a haploid call. */
export interface Genotypes {
  readonly first: Int8Array;
  readonly second: Int8Array;
}

/** Draws both copies at Hardy-Weinberg equilibrium; men carry one X chromosome. */
export function drawGenotypes(random: Random, sites: readonly VariantSite[], male: boolean): Genotypes {
  const first = new Int8Array(sites.length);
  const second = new Int8Array(sites.length);
  sites.forEach((site, index) => {
    first[index] = drawAllele(random, site);
    second[index] = male && site.contig === 'chrX' ? -1 : drawAllele(random, site);
  });
  return { first, second };
}

function drawAllele(random: Random, site: VariantSite): number {
  const draw = random.uniform();
  if (draw < site.frequency) return 1;
  return site.alts.length > 1 && draw < site.frequency * 1.2 ? 2 : 0;
}

/** The genetic signal, standardised with the frequencies of the catalogue. */
export function geneticSignal(genotypes: Genotypes, sites: readonly VariantSite[]): number {
  let sum = 0;
  let variance = 0;
  sites.forEach((site, index) => {
    if (site.weight === 0) return;
    const carried = (genotypes.first[index] === 1 ? 1 : 0) + (genotypes.second[index] === 1 ? 1 : 0);
    sum += site.weight * (carried - 2 * site.frequency);
    variance += site.weight ** 2 * 2 * site.frequency * (1 - site.frequency);
  });
  return sum / Math.sqrt(variance);
}

import { createHash } from 'node:crypto';

/** Kinds of variants, told apart by the lengths and the form of their alleles. */
export const VARIANT_KINDS = ['SNV', 'INS', 'DEL', 'MNV', 'SV', 'BND'] as const;
export type VariantKind = (typeof VARIANT_KINDS)[number];

const BASES_PER_BUCKET = 1_000_000;
const BUCKETS_PER_CHROMOSOME = 1_000;
/** The longest human chromosome ends in its 249th million of bases. */
const LAST_HUMAN_BUCKET = 248;
const ALLELES_LENGTH_MAX = 64;
const CHROMOSOMES = [...Array.from({ length: 22 }, (_, at) => String(at + 1)), 'X', 'Y', 'MT'];
const INDEX = new Map(CHROMOSOMES.map((chrom, at) => [chrom, at + 1]));
/** All contigs that are no chromosome share one range of buckets; the key of a row holds their name. */
const OTHER_INDEX = CHROMOSOMES.length + 1;
const ALIASES = new Map(CHROMOSOMES.flatMap((chrom) => [chrom, `chr${chrom}`].map((name) => [name.toUpperCase(), chrom] as const)));
ALIASES.set('M', 'MT').set('CHRM', 'MT').set('NC_012920', 'MT');
CHROMOSOMES.slice(0, 24).forEach((chrom, at) => ALIASES.set(`NC_${String(at + 1).padStart(6, '0')}`, chrom));

/** The name of a chromosome without `chr`, from its UCSC, Ensembl or RefSeq name; another contig keeps its name (spec genomics G30). */
export function chromOf(contig: string): string {
  const name = contig.startsWith('NC_') ? contig.replace(/\.\d+$/, '') : contig;
  return ALIASES.get(name.toUpperCase()) ?? contig;
}

export function isChromosome(chrom: string): boolean {
  return INDEX.has(chrom);
}

/** Sort key of chromosomes: 1-22, X, Y, MT, then all others. */
export function chromIndex(chrom: string): number {
  return INDEX.get(chrom) ?? OTHER_INDEX;
}

/** The bucket of a 1-based position: index of the chromosome times 1000, plus the million of bases. */
export function bucketOf(chrom: string, pos: number): number {
  return chromIndex(chrom) * BUCKETS_PER_CHROMOSOME + Math.min(BUCKETS_PER_CHROMOSOME - 1, Math.max(0, Math.floor(pos / BASES_PER_BUCKET)));
}

/** The buckets of a closed region; an open end reaches to the end of the chromosome. */
export function bucketsOf(chrom: string, start = 0, end?: number): number[] {
  const base = chromIndex(chrom) * BUCKETS_PER_CHROMOSOME;
  const last = base + (isChromosome(chrom) ? LAST_HUMAN_BUCKET : BUCKETS_PER_CHROMOSOME - 1);
  const from = bucketOf(chrom, start);
  const to = end === undefined ? last : Math.min(last, bucketOf(chrom, end));
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at);
}

/** 'GRCh38-1-12345-A-T'; alleles of more than 64 characters together are named by 32 hex digits of their sha256. */
export function variantIdOf(assembly: string, chrom: string, pos: number, ref: string, alt: string): string {
  const place = `${assembly}-${chrom}-${String(pos)}`;
  if (ref.length + alt.length <= ALLELES_LENGTH_MAX) return `${place}-${ref}-${alt}`;
  return `${place}-sha256.${createHash('sha256').update(`${ref}>${alt}`).digest('hex').slice(0, 32)}`;
}

/** The bucket that an identifier of a variant names, or undefined where it is not of that form. */
export function bucketOfId(id: string): number | undefined {
  const match = /^GRCh3[78]-(.+?)-(\d{1,10})-/.exec(id);
  return match === null ? undefined : bucketOf(match[1] ?? '', Number(match[2]));
}

/** The kind of an ALT; undefined for alleles that stand for no variant of their own: `*`, `<*>`, `<NON_REF>`. */
export function kindOf(ref: string, alt: string): VariantKind | undefined {
  if (alt === '*' || alt === '<*>' || alt === '<NON_REF>') return undefined;
  if (alt.includes('[') || alt.includes(']') || alt.startsWith('.') || alt.endsWith('.')) return 'BND';
  if (alt.startsWith('<')) return 'SV';
  if (alt.length === ref.length) return alt.length === 1 ? 'SNV' : 'MNV';
  return alt.length > ref.length ? 'INS' : 'DEL';
}

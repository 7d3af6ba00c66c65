import type { VcfHeader } from './vcf-header.js';
import type { VcfSite } from './vcf-site.js';

/** What annotators say of one ALT; null where none says it. */
export interface VcfAnnotation {
  readonly gene: string | null;
  readonly consequence: string | null;
  readonly clinicalSignificance: string | null;
}

/** Where the sub-fields of a CSQ or ANN entry stand, as the header states it; -1 where it names none. */
interface Layout {
  readonly key: string;
  readonly columns: number;
  readonly allele: number;
  readonly alleleNumber: number;
  readonly pick: number;
  readonly genes: readonly number[];
  readonly consequence: number;
}

/** Codes of CLNSIG in ClinVar files before 2017 in the words of the later ones. */
const CLINVAR_CODES: Readonly<Record<string, string>> = {
  '0': 'Uncertain_significance',
  '1': 'not_provided',
  '2': 'Benign',
  '3': 'Likely_benign',
  '4': 'Likely_pathogenic',
  '5': 'Pathogenic',
  '6': 'drug_response',
  '7': 'histocompatibility',
  '255': 'other',
};
const CODED = /^-?\d+(?:[|,]-?\d+)*$/;

/** Reads gene, consequence and clinical significance from INFO: GENE, GENEINFO, CSQ (VEP), ANN (SnpEff), CLNSIG (spec genomics G23). */
export class AnnotationReader {
  private readonly layouts: readonly Layout[];

  constructor(header: VcfHeader) {
    this.layouts = ['CSQ', 'ANN'].flatMap((key) => layoutOf(key, header.descriptions.get(key)) ?? []);
  }

  /** `index` counts the ALTs of the site from 0. */
  read(site: VcfSite, index: number): VcfAnnotation {
    const entry = this.entryOf(site, index);
    return {
      gene: plain(site.infoValue('GENE')) ?? geneInfo(site.infoValue('GENEINFO')) ?? entry.gene,
      consequence: entry.consequence,
      clinicalSignificance: significance(site, index),
    };
  }

  private entryOf(site: VcfSite, index: number): Pick<VcfAnnotation, 'gene' | 'consequence'> {
    for (const layout of this.layouts) {
      const text = site.infoValue(layout.key);
      if (typeof text !== 'string') continue;
      const entries = text.split(',').map((entry) => entry.split('|'));
      // An entry with another number of sub-fields than the header states cannot be told apart: it is left out.
      const ours = entries.filter((entry) => entry.length === layout.columns && isOf(layout, entry, site, index));
      const chosen = ours.find((entry) => entry[layout.pick] === '1') ?? ours.find((entry) => geneOf(layout, entry) !== null) ?? ours[0];
      if (chosen) return { gene: geneOf(layout, chosen), consequence: plain(chosen[layout.consequence]) };
    }
    return { gene: null, consequence: null };
  }
}

function layoutOf(key: string, description: string | undefined): Layout | undefined {
  const at = description?.search(/[^\s:'"|]+\s*\|/) ?? -1;
  if (description === undefined || at === -1) return undefined;
  const names = description
    .slice(at)
    .replace(/['"\s.]+$/, '')
    .split('|')
    .map((name) => name.trim().toLowerCase());
  const find = (...wanted: string[]): number => wanted.reduce((found, name) => (found === -1 ? names.indexOf(name) : found), -1);
  const genes = ['symbol', 'gene_name', 'gene'].map((name) => names.indexOf(name)).filter((place) => place !== -1);
  const consequence = find('consequence', 'annotation');
  return { key, columns: names.length, allele: find('allele'), alleleNumber: find('allele_num'), pick: find('pick'), genes, consequence };
}

/** VEP names an indel without the base that it shares with REF, and a deletion '-'; SnpEff writes the ALT itself. */
function isOf(layout: Layout, entry: readonly string[], site: VcfSite, index: number): boolean {
  const number = entry[layout.alleleNumber];
  if (number) return number === String(index + 1);
  const allele = entry[layout.allele];
  const alt = site.alts[index] ?? '';
  if (allele === undefined || site.alts.length === 1) return site.alts.length === 1;
  return allele === alt || allele === (alt.length > 1 ? alt.slice(1) : '-');
}

function geneOf(layout: Layout, entry: readonly string[]): string | null {
  for (const place of layout.genes) if (entry[place]) return entry[place];
  return null;
}

function plain(value: string | true | undefined): string | null {
  return value === undefined || value === true || value === '' || value === '.' ? null : value;
}

/** GENEINFO is symbol:id|symbol:id. */
function geneInfo(value: string | true | undefined): string | null {
  return plain(plain(value)?.split('|', 1)[0]?.split(':', 1)[0]);
}

function significance(site: VcfSite, index: number): string | null {
  const text = plain(site.infoValue('CLNSIG'));
  if (text === null || !CODED.test(text)) return text;
  // Coded values stand for the alleles that CLNALLE numbers, 0 for REF.
  const alleles = plain(site.infoValue('CLNALLE'))?.split(',') ?? site.alts.map((_, at) => String(at + 1));
  const own = text.split(',')[alleles.indexOf(String(index + 1))];
  if (own === undefined) return null;
  return [...new Set(own.split('|').map((code) => CLINVAR_CODES[code] ?? 'other'))].join('|');
}

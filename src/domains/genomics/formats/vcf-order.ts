import { LineFault } from './vcf-fault.js';
import type { VcfSite } from './vcf-site.js';

const PLAIN = /^[ACGTNacgtn]+$/;
const ALLELES_KEPT_MAX = 4_096;

/** Watches that chromosomes are contiguous, positions do not decrease and no plain allele comes twice (spec genomics G32). */
export class OrderWatch {
  private readonly closed = new Set<string>();
  private chrom: string | undefined;
  private pos = 0;
  private readonly seen = new Set<string>();
  private farthest = 0;

  check(site: VcfSite): LineFault | undefined {
    // <1> names contig 1 of the assembly file (section 1.6.1 item 1): the same run of lines.
    const chrom = site.chrom.startsWith('<') ? site.chrom.slice(1, -1) : site.chrom;
    if (chrom !== this.chrom) {
      if (this.closed.has(chrom)) return new LineFault('A chromosome comes back after another one.', 1, 'VCF_ORDER');
      if (this.chrom !== undefined) this.closed.add(this.chrom);
      this.chrom = chrom;
      this.pos = 0;
      this.forget();
    }
    if (site.pos < this.pos) return new LineFault('POS is lower than on the line before.', 2, 'VCF_ORDER');
    this.pos = site.pos;
    return this.checkRepeat(site);
  }

  private forget(): void {
    this.seen.clear();
    this.farthest = 0;
  }

  /** An allele is compared in its shortest form, so that the same change in another context is found too. */
  private checkRepeat(site: VcfSite): LineFault | undefined {
    if (site.pos > this.farthest || this.seen.size > ALLELES_KEPT_MAX) this.forget();
    const keys: string[] = [];
    for (const alt of site.alts) {
      if (!PLAIN.test(alt)) continue;
      const key = trimmed(site.pos, site.ref, alt);
      if (this.seen.has(key)) return new LineFault('The line repeats an allele of an earlier line.', 5);
      keys.push(key);
    }
    for (const key of keys) this.seen.add(key);
    this.farthest = Math.max(this.farthest, site.pos + site.ref.length - 1);
    return undefined;
  }
}

function trimmed(pos: number, ref: string, alt: string): string {
  let endRef = ref.length;
  let endAlt = alt.length;
  while (endRef > 1 && endAlt > 1 && ref[endRef - 1] === alt[endAlt - 1]) {
    endRef -= 1;
    endAlt -= 1;
  }
  let start = 0;
  while (start < endRef - 1 && start < endAlt - 1 && ref[start] === alt[start]) start += 1;
  return `${pos + start}:${ref.slice(start, endRef)}:${alt.slice(start, endAlt)}`;
}

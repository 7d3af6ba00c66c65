import { LineFault } from './vcf-fault.js';
import { GenotypeScanner } from './vcf-genotypes.js';
import type { VcfHeader } from './vcf-header.js';
import { InfoChecker, infoValue } from './vcf-info.js';
import { reservedFormat, reservedInfo } from './vcf-reserved.js';
import { isFloat } from './vcf-value.js';

const TAB = 9;
const FIXED_COLUMNS = 8;
const FORMAT_AT = 8;
const BASES = /^[ACGTNacgtn]+$/;
const ALT_BASES = /^[ACGTNacgtn]+$|^\*$|^<[^<>\s,]+>$|^[ACGTNacgtn]+\.$|^\.[ACGTNacgtn]+$/;
const BREAKEND = /^(?:[ACGTNacgtn.]+(?:\[[^[\]\s,]+\[|\][^[\]\s,]+\])|(?:\[[^[\]\s,]+\[|\][^[\]\s,]+\])[ACGTNacgtn.]+)$/;
const BREAKEND_MATE = /[[\]](?:<[^<>]+>|[^<>]+:\d+)[[\]]|[[\]]<[^<>]+>:\d+[[\]]/;
const CHROM = /^(?:<[^<>\s]+>|[^\s<>[\]:*,=][^\s<>[\],]*)$/;
const NAME = /^[^\s;]+$/;
const POSITION_MAX = 2 ** 31 - 1;

/** One line of the body. `chrom` is as written, `pos` 1-based; `genotypes` has one array of codes for each ALT (see genotype-codec). */
export interface VcfSite {
  readonly chrom: string;
  readonly pos: number;
  readonly ids: readonly string[];
  readonly ref: string;
  readonly alts: readonly string[];
  readonly qual: number | null;
  /** [] for PASS, null for '.'. */
  readonly filters: readonly string[] | null;
  /** The INFO column as written. */
  readonly info: string;
  /** The raw value of one INFO key, true for a key without a value, undefined when absent. */
  infoValue(key: string): string | true | undefined;
  readonly genotypes: readonly Uint8Array[] | null;
  /** Rules that the line breaks although it can be read: values that disagree with the header's own definitions. */
  readonly findings: readonly LineFault[];
}

const NONE: readonly LineFault[] = [];

class Site implements VcfSite {
  constructor(
    readonly chrom: string,
    readonly pos: number,
    readonly ids: readonly string[],
    readonly ref: string,
    readonly alts: readonly string[],
    readonly qual: number | null,
    readonly filters: readonly string[] | null,
    readonly info: string,
    readonly genotypes: readonly Uint8Array[] | null,
    readonly findings: readonly LineFault[],
  ) {}

  infoValue(key: string): string | true | undefined {
    return infoValue(this.info, key);
  }
}

/** Reads the lines of one body against one header (VCF 4.1-4.5 section 1.6). */
export class SiteReader {
  private readonly info: InfoChecker;
  private readonly genotypes: GenotypeScanner;
  private readonly tabs = new Int32Array(FIXED_COLUMNS + 1);

  constructor(private readonly header: VcfHeader) {
    const { version } = header;
    this.info = new InfoChecker(reservedInfo(version), header.info, version >= '4.3');
    this.genotypes = new GenotypeScanner(header.samples.length, new Map([...reservedFormat(version), ...header.format]));
  }

  read(line: Buffer): VcfSite | LineFault {
    const columns = this.findTabs(line);
    if (columns < FIXED_COLUMNS) return new LineFault('The line has fewer than the eight fixed columns.', columns);
    const { header } = this;
    if (!header.hasFormat && columns > FIXED_COLUMNS) return new LineFault('The line has more columns than the header.', FIXED_COLUMNS + 1);
    if (header.hasFormat && header.samples.length > 0 && columns === FIXED_COLUMNS)
      return new LineFault('The line has no FORMAT column.', FIXED_COLUMNS + 1);
    const chrom = this.text(line, 0);
    // Colons are refused up to 4.2 (section 1.4.1 item 1) and allowed from 4.3 on.
    if (!CHROM.test(chrom) || (header.version < '4.3' && chrom.includes(':')))
      return new LineFault('CHROM holds a character that is not allowed.', 1);
    const pos = this.position(line);
    if (pos === -1) return new LineFault('POS is not an integer from 0 to 2147483647.', 2);
    const ids = names(this.text(line, 2));
    if (ids === null) return new LineFault('ID holds an empty or repeated name or white space.', 3);
    const ref = this.text(line, 3);
    if (!BASES.test(ref)) return new LineFault('REF is not a string of A, C, G, T, N.', 4);
    const alts = altsOf(this.text(line, 4), ref);
    if (alts instanceof LineFault) return alts;
    const qual = qualOf(this.text(line, 5));
    if (qual === undefined) return new LineFault('QUAL is not a number of 0 or more.', 6);
    const filters = filtersOf(this.text(line, 6));
    if (filters === undefined) return new LineFault('FILTER holds an empty, repeated or reserved name or white space.', 7);
    const info = this.text(line, 7);
    const infoFault = this.info.check(info, alts.length);
    if (infoFault !== undefined) return infoFault;
    const called = columns > FIXED_COLUMNS ? this.genotypes.scan(line, (this.tabs[FORMAT_AT - 1] ?? 0) + 1, alts.length) : null;
    if (called instanceof LineFault) return called;
    const broken = [this.info.finding, called === null && columns === FIXED_COLUMNS ? undefined : this.genotypes.finding];
    const findings = broken[0] === undefined && broken[1] === undefined ? NONE : broken.filter((finding) => finding !== undefined);
    return new Site(chrom, pos, ids, ref, alts, qual, filters, info, called, findings);
  }

  /** Notes the first eight tabs and gives the number of columns up to nine. */
  private findTabs(line: Buffer): number {
    let at = -1;
    for (let column = 0; column < FIXED_COLUMNS; column += 1) {
      at = line.indexOf(TAB, at + 1);
      this.tabs[column] = at === -1 ? line.length : at;
      if (at === -1) return column + 1;
    }
    return FIXED_COLUMNS + 1;
  }

  private text(line: Buffer, column: number): string {
    return line.toString('utf8', column === 0 ? 0 : (this.tabs[column - 1] ?? 0) + 1, this.tabs[column] ?? 0);
  }

  private position(line: Buffer): number {
    const start = (this.tabs[0] ?? 0) + 1;
    const end = this.tabs[1] ?? 0;
    let pos = 0;
    if (start === end) return -1;
    for (let at = start; at < end; at += 1) {
      const digit = (line[at] ?? 0) - 48;
      if (digit < 0 || digit > 9) return -1;
      pos = pos * 10 + digit;
      if (pos > POSITION_MAX) return -1;
    }
    return pos;
  }
}

function names(text: string): readonly string[] | null {
  if (text === '.') return [];
  if (!text.includes(';')) return NAME.test(text) ? [text] : null;
  const parts = text.split(';');
  return parts.every((part) => NAME.test(part)) && new Set(parts).size === parts.length ? parts : null;
}

function altsOf(text: string, ref: string): readonly string[] | LineFault {
  if (text === '.') return [];
  const alts = text.includes(',') ? text.split(',') : [text];
  for (const alt of alts) {
    if (!ALT_BASES.test(alt) && !(BREAKEND.test(alt) && BREAKEND_MATE.test(alt)))
      return new LineFault('ALT is not an allele that VCF knows.', 5);
    if (alt === ref) return new LineFault('An ALT equals REF.', 5);
  }
  if (alts.length > 1 && new Set(alts).size !== alts.length) return new LineFault('ALT names an allele twice.', 5);
  return alts;
}

function qualOf(text: string): number | null | undefined {
  if (text === '.') return null;
  if (!isFloat(text, 0, text.length) || text.startsWith('-')) return undefined;
  const value = Number(text);
  if (!Number.isNaN(value)) return value;
  return /inf/i.test(text) ? Infinity : null;
}

function filtersOf(text: string): readonly string[] | null | undefined {
  if (text === 'PASS') return [];
  if (text === '.') return null;
  const parts = text.split(';');
  const sound = parts.every((part) => NAME.test(part) && part !== '.' && part !== '0');
  return sound && new Set(parts).size === parts.length ? parts.filter((part) => part !== 'PASS') : undefined;
}

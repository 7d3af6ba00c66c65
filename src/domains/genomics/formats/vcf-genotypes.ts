import { GENOTYPE } from './genotype-codec.js';
import { LineFault } from './vcf-fault.js';
import type { VcfDefinition } from './vcf-reserved.js';
import { fitsType, genotypeCount } from './vcf-value.js';

const TAB = 9;
const COLON = 58;
const SLASH = 47;
const PIPE = 124;
const ZERO = 48;
const DOT = 46;
const FORMAT_COLUMN = 9;
const FIRST_SAMPLE_COLUMN = 10;
const MISSING = -1;
const ALLELES_MAX = 64;

interface FormatPlan {
  readonly text: string;
  readonly keys: readonly string[];
  readonly hasGenotype: boolean;
  /** Definition of each sub-field whose values are checked; undefined elsewhere. */
  readonly checks: readonly (VcfDefinition | undefined)[];
  readonly anyCheck: boolean;
}

/**
 * Reads the FORMAT and sample columns of one line after another, byte by byte; no string is made of a sample column
 * unless a sub-field with a declared Type is checked. Alleles of one sample are kept in `alleles`, -1 for missing.
 */
export class GenotypeScanner {
  private plan: FormatPlan | undefined;
  private readonly alleles = new Int32Array(ALLELES_MAX);
  private ploidy = 0;
  private phased = false;
  /** The first sample of the last line whose sub-field breaks its definition: worth a report, but the genotypes can be read. */
  finding: LineFault | undefined;

  constructor(
    private readonly samples: number,
    private readonly definitions: ReadonlyMap<string, VcfDefinition>,
  ) {}

  /** One array of genotype codes for each ALT, null when FORMAT has no GT. `start` is the first byte of FORMAT. */
  scan(line: Buffer, start: number, alts: number): Uint8Array[] | null | LineFault {
    this.finding = undefined;
    const tab = line.indexOf(TAB, start);
    const end = tab === -1 ? line.length : tab;
    const plan = this.planOf(line, start, end);
    if (plan instanceof LineFault) return plan;
    const codes = plan.hasGenotype ? Array.from({ length: alts }, () => new Uint8Array(this.samples)) : null;
    const only = codes?.length === 1 && plan.keys.length === 1 ? codes[0] : undefined;
    const done = only === undefined ? 0 : plainRun(line, end + 1, only);
    let at = end + 1 + done * 4;
    for (let sample = done; sample < this.samples; sample += 1) {
      if (at > line.length) return new LineFault('The line has fewer samples than the header.', FIRST_SAMPLE_COLUMN + sample);
      const next = this.scanSample(line, at, sample, alts, plan, codes);
      if (next instanceof LineFault) return next;
      at = next + 1;
    }
    if (at <= line.length) return new LineFault('The line has more samples than the header.', FIRST_SAMPLE_COLUMN + this.samples);
    return codes;
  }

  private planOf(line: Buffer, start: number, end: number): FormatPlan | LineFault {
    const known = this.plan;
    if (known?.text.length === end - start && known.text === line.toString('latin1', start, end)) return known;
    const text = line.toString('latin1', start, end);
    const keys = text.split(':');
    const bad = (reason: string): LineFault => new LineFault(reason, FORMAT_COLUMN);
    if (text !== '.' && keys.some((key) => !/^[A-Za-z_][0-9A-Za-z_.]*$/.test(key)))
      return bad('FORMAT holds a key that is empty or not allowed.');
    if (new Set(keys).size !== keys.length) return bad('FORMAT holds a key twice.');
    if (keys.indexOf('GT') > 0) return bad('GT is not the first key of FORMAT.');
    const checks = keys.map((key) => (key === 'GT' ? undefined : this.definitions.get(key)));
    this.plan = { text, keys, hasGenotype: keys[0] === 'GT', checks, anyCheck: checks.some((check) => check !== undefined) };
    return this.plan;
  }

  /** Reads one sample column and gives the offset of the tab behind it. */
  private scanSample(
    line: Buffer,
    at: number,
    sample: number,
    alts: number,
    plan: FormatPlan,
    codes: Uint8Array[] | null,
  ): number | LineFault {
    let from = at;
    this.ploidy = 2;
    if (codes !== null) {
      const fast = alts === 1 ? plainCode(line, at) : -1;
      const only = codes[0];
      if (fast !== -1 && only !== undefined) {
        only[sample] = fast;
        from = at + 3;
      } else {
        from = this.readGenotype(line, at, alts);
        if (from === -1) return new LineFault('A genotype cannot be read.', FIRST_SAMPLE_COLUMN + sample);
        if (from === -2) return new LineFault('A genotype names an allele that the line does not have.', FIRST_SAMPLE_COLUMN + sample);
        for (let alt = 0; alt < alts; alt += 1) {
          const target = codes[alt];
          if (target !== undefined) target[sample] = this.codeOf(alt + 1);
        }
      }
      if (from >= line.length || line[from] === TAB) return from;
    }
    return this.scanRest(line, at, from, sample, alts, plan);
  }

  /** Counts the sub-fields behind the genotype and checks them where the header declares them. */
  private scanRest(line: Buffer, at: number, from: number, sample: number, alts: number, plan: FormatPlan): number | LineFault {
    let end = from;
    let colons = 0;
    for (; end < line.length; end += 1) {
      const byte = line[end];
      if (byte === TAB) break;
      if (byte === COLON) colons += 1;
    }
    if (colons >= plan.keys.length) return new LineFault('A sample has more sub-fields than FORMAT.', FIRST_SAMPLE_COLUMN + sample);
    if (!plan.anyCheck || this.finding !== undefined) return end;
    const reason = this.checkSubfields(line.toString('latin1', at, end), alts, plan);
    if (reason !== undefined) this.finding = new LineFault(reason, FIRST_SAMPLE_COLUMN + sample);
    return end;
  }

  private checkSubfields(text: string, alts: number, plan: FormatPlan): string | undefined {
    let start = 0;
    for (let key = 0; key < plan.checks.length && start <= text.length; key += 1) {
      const stop = text.indexOf(':', start);
      const end = stop === -1 ? text.length : stop;
      const check = plan.checks[key];
      const missing = end === start || (end === start + 1 && text[start] === '.');
      if (check !== undefined && !missing) {
        const reason = checkSubfield(check, text, start, end, alts, this.ploidy);
        if (reason !== undefined) return reason;
      }
      start = end + 1;
    }
    return undefined;
  }

  /** The checked path: any ploidy, missing alleles, several digits, the phasing prefix of VCF 4.4. Gives the offset behind GT, -1 or -2. */
  private readGenotype(line: Buffer, start: number, alts: number): number {
    let at = start;
    let ploidy = 0;
    this.phased = false;
    if (line[at] === PIPE || line[at] === SLASH) at += 1;
    for (;;) {
      if (ploidy === ALLELES_MAX) return -1;
      const first = at;
      let allele = MISSING;
      if (line[at] === DOT) {
        at += 1;
      } else {
        allele = 0;
        for (let digit = (line[at] ?? 0) - ZERO; digit >= 0 && digit <= 9; digit = (line[at] ?? 0) - ZERO) {
          allele = Math.min(allele * 10 + digit, 1_000_000);
          at += 1;
        }
      }
      if (at === first) return -1;
      // ALT '.' leaves allele 1 unnamed rather than absent; such a line has no codes to give.
      if (allele > Math.max(alts, 1)) return -2;
      this.alleles[ploidy] = allele;
      ploidy += 1;
      const byte = line[at];
      if (byte !== PIPE && byte !== SLASH) break;
      if (byte === PIPE) this.phased = true;
      at += 1;
    }
    this.ploidy = ploidy;
    return at >= line.length || line[at] === TAB || line[at] === COLON ? at : -1;
  }

  private codeOf(alt: number): number {
    const a = this.alleles[0] ?? MISSING;
    if (this.ploidy === 1) return a === MISSING ? GENOTYPE.missing : a === alt ? GENOTYPE.hemiAlt : GENOTYPE.hemiRef;
    const b = this.alleles[1] ?? MISSING;
    // A call of three or more alleles has no code; it counts as not called rather than as reference.
    if (this.ploidy !== 2 || a === MISSING || b === MISSING) return GENOTYPE.missing;
    if (a === alt) return b === alt ? GENOTYPE.homAlt : this.phased ? GENOTYPE.hetLeft : GENOTYPE.het;
    if (b !== alt) return GENOTYPE.homRef;
    return this.phased ? GENOTYPE.hetRight : GENOTYPE.het;
  }
}

/** The code of a plain diploid call of alleles 0 and 1 that ends at a tab, colon or line end; -1 for anything else. */
function plainCode(line: Buffer, at: number): number {
  const a = (line[at] ?? 0) - ZERO;
  const separator = line[at + 1];
  const b = (line[at + 2] ?? 0) - ZERO;
  if (a < 0 || a > 1 || b < 0 || b > 1 || (separator !== PIPE && separator !== SLASH)) return -1;
  const behind = line[at + 3];
  if (behind !== TAB && behind !== COLON && at + 3 < line.length) return -1;
  if (a === b) return a === 0 ? GENOTYPE.homRef : GENOTYPE.homAlt;
  if (separator === SLASH) return GENOTYPE.het;
  return a === 0 ? GENOTYPE.hetRight : GENOTYPE.hetLeft;
}

/** Reads plain calls of one ALT for as long as each is followed by a tab, and gives how many it read. */
function plainRun(line: Buffer, start: number, codes: Uint8Array): number {
  let at = start;
  for (let sample = 0; sample < codes.length; sample += 1, at += 4) {
    const a = line[at];
    const b = line[at + 2];
    const separator = line[at + 1];
    if (line[at + 3] !== TAB || (separator !== PIPE && separator !== SLASH)) return sample;
    if (a === ZERO && b === ZERO) continue;
    const code = plainCode(line, at);
    if (code === -1) return sample;
    codes[sample] = code;
  }
  return codes.length;
}

function checkSubfield(check: VcfDefinition, text: string, start: number, end: number, alts: number, ploidy: number): string | undefined {
  let count = 1;
  let from = start;
  for (let comma = text.indexOf(',', from); ; comma = text.indexOf(',', from)) {
    const stop = comma === -1 || comma > end ? end : comma;
    if (!fitsType(check.type, text, from, stop)) return `A sample's ${check.id} is not of its Type.`;
    if (stop === end) break;
    count += 1;
    from = stop + 1;
  }
  const wanted = wantedCount(check.number, alts, ploidy);
  return wanted === undefined || wanted === count ? undefined : `A sample's ${check.id} has a count of values other than its Number.`;
}

function wantedCount(number: string, alts: number, ploidy: number): number | undefined {
  if (number === 'A') return alts === 0 ? undefined : alts;
  if (number === 'R') return alts + 1;
  if (number === 'G') return alts === 0 ? undefined : genotypeCount(alts + 1, ploidy);
  const code = number.charCodeAt(0);
  return code >= ZERO + 1 && code <= ZERO + 9 ? Number(number) : undefined;
}

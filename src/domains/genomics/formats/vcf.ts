import { CodedError } from '../../../kernel/error.js';
import type { Format, Parsed, ParsedFault, ParseOptions } from '../../../kernel/format.js';
import { LIMITS } from '../../../kernel/limits.js';
import { gunzip } from './bgzf.js';
import { LineCutter, type ByteLine } from './byte-lines.js';
import { LineFault } from './vcf-fault.js';
import { VcfHeaderReader, type VcfHeader } from './vcf-header.js';
import { OrderWatch } from './vcf-order.js';
import { SiteReader, type VcfSite } from './vcf-site.js';

export type VcfRecord = { readonly kind: 'header'; readonly header: VcfHeader } | { readonly kind: 'site'; readonly site: VcfSite };

const HASH = 35;
const HEADER_BYTES_MAX = 16 * 1024 * 1024;
const MAGIC = '##fileformat=VCF';

function lineFault(ordinal: number, line: ByteLine, found: LineFault): ParsedFault {
  const place = found.column > 0 ? `line ${line.number} column ${found.column}` : `line ${line.number}`;
  return { ok: false, ordinal, place, code: found.code, reason: found.reason, bytes: Uint8Array.from(line.bytes) };
}

/** Turns the lines of one file into records. The header comes first, then the header lines that break a rule, then the body. */
class VcfParser {
  private ordinal = 0;
  private headerBytes = 0;
  private readonly headerReader: VcfHeaderReader;
  private readonly headerFaults: { line: ByteLine; fault: LineFault }[] = [];
  private header: VcfHeader | undefined;
  private sites: SiteReader | undefined;
  private readonly order = new OrderWatch();
  private lines = 0;

  constructor(options: ParseOptions) {
    this.headerReader = new VcfHeaderReader(options.assembly);
  }

  *line(line: ByteLine): Generator<Parsed<VcfRecord>, void, undefined> {
    this.lines = line.number;
    if (this.sites === undefined) yield* this.headerLine(line);
    else yield this.siteLine(line, this.sites);
  }

  private *headerLine(line: ByteLine): Generator<Parsed<VcfRecord>, void, undefined> {
    this.headerBytes += line.bytes.length;
    const place = `line ${line.number}`;
    if (line.tooLong || this.headerBytes > HEADER_BYTES_MAX)
      throw new CodedError('VCF_HEADER', 'The header is larger than the limit.', { place });
    const text = line.bytes.toString('utf8');
    if (text.startsWith('##')) {
      const fault = this.headerReader.meta(text, line.number);
      if (fault === undefined) return;
      // The bytes of a line live only until the next one; header faults are kept until the header is complete.
      this.headerFaults.push({ line: { ...line, bytes: Buffer.from(line.bytes) }, fault: new LineFault(fault.reason, 0, 'VCF_HEADER') });
      return;
    }
    if (line.bytes[0] !== HASH) throw new CodedError('VCF_HEADER', 'A line of the header begins with neither ## nor #CHROM.', { place });
    this.header = this.headerReader.columns(text, line.number);
    this.sites = new SiteReader(this.header);
    yield { ok: true, ordinal: this.take(), place, value: { kind: 'header', header: this.header } };
    for (const kept of this.headerFaults) yield lineFault(this.take(), kept.line, kept.fault);
  }

  private siteLine(line: ByteLine, sites: SiteReader): Parsed<VcfRecord> {
    const ordinal = this.take();
    const fault = (found: LineFault): ParsedFault => lineFault(ordinal, line, found);
    if (line.tooLong) return fault(new LineFault('The line is longer than the limit.', 0, 'LIMIT_RECORD'));
    if (line.bytes.length === 0) return fault(new LineFault('The line is empty.', 0));
    const site = sites.read(line.bytes);
    if (site instanceof LineFault) return fault(site);
    const disorder = this.order.check(site);
    if (disorder !== undefined) return fault(disorder);
    return { ok: true, ordinal, place: `line ${line.number}`, value: { kind: 'site', site } };
  }

  private take(): number {
    this.ordinal += 1;
    return this.ordinal - 1;
  }

  end(): void {
    if (this.lines === 0) throw new CodedError('FILE_EMPTY', 'The file holds no bytes.');
    if (this.header === undefined)
      throw new CodedError('VCF_HEADER', 'The file ends before the #CHROM line.', { place: `line ${this.lines}` });
  }
}

async function* parse(input: AsyncIterable<Uint8Array>, options: ParseOptions): AsyncGenerator<Parsed<VcfRecord>, void, undefined> {
  const cutter = new LineCutter(LIMITS.record_bytes_max);
  const parser = new VcfParser(options);
  for await (const chunk of gunzip(input)) {
    for (const line of cutter.push(chunk)) yield* parser.line(line);
  }
  for (const line of cutter.end()) yield* parser.line(line);
  parser.end();
}

/** VCF 4.1-4.5, plain, gzip or BGZF (spec genomics G20). Places are 'line N' or 'line N column M', M counting tab-separated fields from 1. */
export const vcf: Format<VcfRecord> = {
  name: 'vcf',
  mediaType: 'text/vcf',
  sniff(head) {
    const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 64)).toString('latin1');
    return text.startsWith(MAGIC) || text.startsWith(`\u00ef\u00bb\u00bf${MAGIC}`);
  },
  parse,
};

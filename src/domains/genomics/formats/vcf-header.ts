import { CodedError } from '../../../kernel/error.js';
import { assemblyOfLength, assemblyOfText, type Assembly } from './vcf-assembly.js';
import { checkDefinition, parseFields, type MetaFault } from './vcf-meta.js';
import { VCF_VERSIONS, type VcfDefinition, type VcfVersion } from './vcf-reserved.js';

export interface VcfContig {
  readonly id: string;
  /** Base pairs. */
  readonly length: number | undefined;
  readonly assembly: string | undefined;
}

/** What the lines before the first record say. */
export interface VcfHeader {
  readonly version: VcfVersion;
  readonly samples: readonly string[];
  readonly contigs: ReadonlyMap<string, VcfContig>;
  /** Undefined when nothing states it or when the statements disagree. */
  readonly assembly: Assembly | undefined;
  readonly info: ReadonlyMap<string, VcfDefinition>;
  /** Description of each INFO key; annotators (CSQ, ANN) state the order of their sub-fields there. */
  readonly descriptions: ReadonlyMap<string, string>;
  readonly format: ReadonlyMap<string, VcfDefinition>;
  readonly filters: ReadonlySet<string>;
  /** False when the file has no FORMAT column. */
  readonly hasFormat: boolean;
}

const COLUMNS = '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO';

function fault(line: number, message: string): CodedError {
  return new CodedError('VCF_HEADER', message, { place: `line ${line}` });
}

/**
 * Collects the header line by line. Faults of structure throw VCF_HEADER or VCF_VERSION;
 * definitions that only disagree with the specification's tables are handed back, so that the file can still be read.
 */
export class VcfHeaderReader {
  private version: VcfVersion | undefined;
  private readonly contigs = new Map<string, VcfContig>();
  private readonly info = new Map<string, VcfDefinition>();
  private readonly descriptions = new Map<string, string>();
  private readonly format = new Map<string, VcfDefinition>();
  private readonly filters = new Set<string>();
  private readonly assemblies = new Set<Assembly>();

  constructor(private readonly stated: string | undefined) {}

  /** Reads one line that begins with ##. */
  meta(text: string, line: number): MetaFault | undefined {
    const equals = text.indexOf('=');
    if (this.version === undefined) {
      this.readVersion(text, line);
      return undefined;
    }
    if (equals < 3) throw fault(line, 'A metadata line is not ##key=value.');
    const key = text.slice(2, equals);
    const value = text.slice(equals + 1);
    if (key === 'fileformat') throw fault(line, 'The fileformat line comes a second time.');
    if (value === '') return { reason: 'A metadata line has no value.' };
    if (key === 'reference' || key === 'assembly') this.note(assemblyOfText(value));
    return this.structured(key, value, line, this.version);
  }

  private readVersion(text: string, line: number): void {
    const match = /^##fileformat=VCFv(\S+)$/.exec(text);
    if (match === null) throw fault(line, 'The file does not begin with ##fileformat=VCFv.');
    const version = VCF_VERSIONS.find((known) => known === match[1]);
    if (version === undefined) {
      throw new CodedError('VCF_VERSION', 'The header names a version of VCF that is not read.', { place: `line ${line}` });
    }
    this.version = version;
  }

  private structured(key: string, value: string, line: number, version: VcfVersion): MetaFault | undefined {
    const checked = checkDefinition(key, value, version);
    if (checked?.fatal === true) throw fault(line, checked.reason);
    const fields = value.startsWith('<') ? parseFields(value) : undefined;
    if (!(fields instanceof Map)) return checked;
    const id = fields.get('ID')?.text ?? '';
    const text = (name: string): string | undefined => fields.get(name)?.text;
    if (key === 'INFO' || key === 'FORMAT') {
      const target = key === 'INFO' ? this.info : this.format;
      const repeated = target.has(id);
      if (!repeated) target.set(id, { id, number: text('Number') ?? '.', type: text('Type') ?? 'String' });
      if (!repeated && key === 'INFO') this.descriptions.set(id, text('Description') ?? '');
      if (repeated) return { reason: `${key} is defined twice for one ID.` };
    } else if (key === 'FILTER') {
      this.filters.add(id);
    } else if (key === 'contig') {
      this.addContig(id, text('length'), text('assembly'));
    }
    return checked;
  }

  private addContig(id: string, lengthText: string | undefined, assembly: string | undefined): void {
    const length = lengthText !== undefined && /^\d+$/.test(lengthText) ? Number(lengthText) : undefined;
    this.contigs.set(id, { id, length, assembly });
    if (assembly !== undefined) this.note(assemblyOfText(assembly));
    if (length !== undefined) this.note(assemblyOfLength(id, length));
  }

  private note(assembly: Assembly | undefined): void {
    if (assembly !== undefined) this.assemblies.add(assembly);
  }

  /** Reads the #CHROM line and closes the header. */
  columns(text: string, line: number): VcfHeader {
    if (this.version === undefined) throw fault(line, 'The file does not begin with ##fileformat=VCFv.');
    if (!text.startsWith(COLUMNS)) throw fault(line, 'The column line does not name the eight fixed columns, separated by tabs.');
    const more = text.slice(COLUMNS.length).split('\t');
    const hasFormat = more.length > 1;
    if (more[0] !== '' || (hasFormat && more[1] !== 'FORMAT')) throw fault(line, 'The ninth column is not FORMAT.');
    const samples = more.slice(2);
    if (samples.some((sample) => sample === '')) throw fault(line, 'A sample has no name.');
    if (new Set(samples).size !== samples.length) throw fault(line, 'Two samples have one name.');
    const { version, contigs, info, descriptions, format, filters } = this;
    return { version, samples, contigs, info, descriptions, format, filters, hasFormat, assembly: this.decideAssembly() };
  }

  private decideAssembly(): Assembly | undefined {
    if (this.stated === 'GRCh37' || this.stated === 'GRCh38') return this.stated;
    return this.assemblies.size === 1 ? [...this.assemblies][0] : undefined;
  }
}

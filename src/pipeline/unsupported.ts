/** A kind of file that is known here but that no pipeline reads. Order matters: magic numbers first, words of text last. */
interface KnownKind {
  readonly says: string;
  readonly is: (head: Buffer, text: string, name: string) => boolean;
}

const ending =
  (...endings: readonly string[]) =>
  (_head: Buffer, _text: string, name: string): boolean =>
    endings.some((one) => name.endsWith(one));
const magic =
  (hex: string) =>
  (head: Buffer): boolean =>
    head.subarray(0, hex.length / 2).toString('hex') === hex;
const starts =
  (...words: readonly string[]) =>
  (_head: Buffer, text: string): boolean =>
    words.some((word) => text.startsWith(word));

const KINDS: readonly KnownKind[] = [
  { says: 'Zstandard data are not read; decompress the file first.', is: magic('28b52ffd') },
  { says: 'bzip2 data are not read; decompress the file first.', is: magic('425a68') },
  { says: 'xz data are not read; decompress the file first.', is: magic('fd377a585a00') },
  { says: '7z archives are not read; send a zip or tar file.', is: magic('377abcaf271c') },
  { says: 'BCF is not read; send the same calls as VCF.', is: magic('424346') },
  { says: 'A tabix index holds no records; send the file that it belongs to.', is: magic('54424901') },
  { says: 'A CSI index holds no records; send the file that it belongs to.', is: magic('43534901') },
  { says: 'BAM holds reads, not calls; send VCF.', is: magic('42414d01') },
  { says: 'CRAM holds reads, not calls; send VCF.', is: magic('4352414d') },
  { says: 'NumPy arrays are not read.', is: magic('934e554d5059') },
  { says: 'PDF documents are not read; send their text or C-CDA.', is: magic('25504446') },
  { says: 'Images without DICOM are not read.', is: (head) => magic('89504e47')(head) || magic('ffd8ff')(head) },
  { says: 'SAM holds reads, not calls; send VCF.', is: starts('@HD\t', '@SQ\t') },
  {
    says: 'GFF annotation is not read.',
    is: (head, text, name) => starts('##gff-version')(head, text) || ending('.gff', '.gff3', '.gtf')(head, text, name),
  },
  { says: 'Polygenic score files are not read.', is: starts('###PGS', '#PGS', '# PGS') },
  { says: 'Liftover chains are not read.', is: starts('chain ') },
  {
    says: 'Reference sequences are not read.',
    is: (head, text, name) => text.startsWith('>') || ending('.fai', '.fa', '.fasta')(head, text, name),
  },
  { says: 'FHIR Shorthand is not read; send the resources as JSON.', is: ending('.fsh') },
  { says: 'YAML is not read.', is: ending('.yaml', '.yml') },
  { says: 'GraphQL documents hold no records.', is: ending('.gql', '.graphql', '.graphqls') },
  {
    says: 'The FHIR resources come as XML; send them as JSON.',
    is: (_head, text) => text.includes('http://hl7.org/fhir') && text.startsWith('<'),
  },
  { says: 'The XML is of a kind that no pipeline reads.', is: starts('<') },
  { says: 'The JSON is neither a FHIR resource nor Open mHealth data points.', is: starts('{', '[') },
  { says: 'Tables are read only as a crosswalk of identity, with its columns.', is: ending('.csv', '.tsv') },
  {
    says: 'The text does not begin as a clinical note.',
    is: (head, text, name) => ending('.md', '.txt', '.rst', '.out', '.dump', 'license', 'source', 'readme')(head, text, name),
  },
];

/** The sentence for a known kind of file that no pipeline reads, or undefined when the kind is not known. */
export function unsupportedKind(head: Uint8Array, name: string): string | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.length);
  const text = bytes
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  return KINDS.find((kind) => kind.is(bytes, text, name.toLowerCase()))?.says;
}

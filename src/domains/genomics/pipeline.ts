import {
  CodedError,
  ISSUERS,
  bindFormat,
  contentDigest,
  type AssetDeclaration,
  type Expectation,
  type PipelineDeclaration,
  type StageContext,
  type Staged,
} from '../../kernel/index.js';
import { eraseGenotypes } from './erase.js';
import { packGenotypes } from './formats/genotype-codec.js';
import { AnnotationReader } from './formats/vcf-annotation.js';
import type { VcfHeader } from './formats/vcf-header.js';
import { bucketOf, chromOf, isChromosome, kindOf, variantIdOf } from './formats/vcf-locus.js';
import type { VcfSite } from './formats/vcf-site.js';
import { vcf, type VcfRecord } from './formats/vcf.js';
import { BLOCK_DIGEST } from './tables.js';

type Row = Readonly<Record<string, unknown>>;

/** What the header says that rules the sites after it. */
interface FileState {
  readonly assembly: string;
  readonly callsetId: string;
  readonly annotations: AnnotationReader;
}

const STATE = 'genomics.file';
const DIGEST = /^[0-9a-f]{32}/;

/** An identifier that follows from the file (RFC 9562 version 8): a file that is loaded again after a stop meets its own rows. */
function callsetIdOf(context: StageContext): string {
  if (!DIGEST.test(context.digest)) return context.newId();
  const hex = context.digest;
  const variant = ((parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function* stageHeader(header: VcfHeader, context: StageContext): Generator<Staged> {
  const assembly = header.assembly ?? context.assembly;
  if (assembly !== 'GRCh37' && assembly !== 'GRCh38') throw unknownAssembly();
  const callsetId = callsetIdOf(context);
  context.memo.set(STATE, { assembly, callsetId, annotations: new AnnotationReader(header) } satisfies FileState);
  const at = new Date(context.now).toISOString();
  yield {
    kind: 'row',
    asset: 'callset',
    row: { callset_id: callsetId, assembly, version: header.version, samples: header.samples.length, at },
  };
  for (const [ordinal, sample] of header.samples.entries()) {
    yield {
      kind: 'row',
      asset: 'sample_index',
      row: { callset_id: callsetId, ordinal, sample_id: sample, sensitivity: 0 },
      keys: [{ issuer: ISSUERS.sample, value: sample }],
    };
  }
}

function unknownAssembly(): CodedError {
  return new CodedError(
    'VCF_ASSEMBLY',
    'Neither the header nor the sender states the reference assembly, or the header contradicts itself.',
  );
}

const RS = /^rs\d+$/;
const DIGITS = /^\d+$/;

function rsIdOf(site: VcfSite): string | null {
  const named = site.ids.find((id) => RS.test(id));
  if (named !== undefined || site.alts.length > 1) return named ?? null;
  const number = site.infoValue('RS');
  return typeof number === 'string' && DIGITS.test(number) ? `rs${number}` : null;
}

/** VCF allows either case for bases; symbolic alleles and names of contigs keep theirs. */
const upper = (allele: string): string => (/[[\]<]/.test(allele) ? allele : allele.toUpperCase());

function* stageSite(site: VcfSite, { assembly, callsetId, annotations }: FileState): Generator<Staged> {
  const chrom = chromOf(site.chrom);
  const { pos, qual, filters } = site;
  const bucket = bucketOf(chrom, pos);
  const ref = upper(site.ref);
  const rsId = rsIdOf(site);
  for (const [index, written] of site.alts.entries()) {
    const alt = upper(written);
    const kind = kindOf(ref, alt);
    if (kind === undefined) continue;
    const variantId = variantIdOf(assembly, chrom, pos, ref, alt);
    const { gene, consequence, clinicalSignificance } = annotations.read(site, index);
    const place = { bucket, assembly, chrom, pos, ref, alt, variant_id: variantId, kind };
    const annotation = { rs_id: rsId, gene, consequence, clinical_significance: clinicalSignificance };
    yield { kind: 'row', asset: 'variant', row: { ...place, ...annotation, findings: site.findings.length } };
    const codes = site.genotypes?.[index];
    if (codes === undefined || codes.length === 0) continue;
    const packed = packGenotypes(codes);
    const { ac, an, het, homAlt, hemiAlt, missing, enc, bytes } = packed;
    const counts = { samples: codes.length, ac, an, het, hom_alt: homAlt, hemi_alt: hemiAlt, missing };
    const block = { qual, filters, enc, codes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) };
    const row = { bucket, variant_id: variantId, callset_id: callsetId, ...counts, ...block };
    yield { kind: 'row', asset: 'genotype_block', row: { ...row, content_digest: contentDigest(BLOCK_DIGEST.of, row) } };
  }
}

/** The header makes a call set and its samples, each site one variant and one block of genotypes an ALT. */
function stage(record: VcfRecord, context: StageContext): Iterable<Staged> {
  if (record.kind === 'header') return stageHeader(record.header, context);
  const state = context.memo.get(STATE) as FileState | undefined;
  if (!state) throw unknownAssembly();
  return stageSite(record.site, state);
}

const ANNOTATIONS = ['rs_id', 'gene', 'consequence', 'clinical_significance'];

/** What is stored stays; annotations that it lacks are filled from what arrives. */
function fillAnnotations(stored: Row | null, incoming: Row): { row: Row } {
  if (stored === null) return { row: incoming };
  return { row: { ...stored, ...Object.fromEntries(ANNOTATIONS.map((name) => [name, stored[name] ?? incoming[name] ?? null])) } };
}

const number = (row: Row, name: string): number => Number(row[name] ?? NaN);
const expectation = (name: string, action: Expectation['action'], description: string, holds: Expectation['holds']): Expectation => ({
  name,
  action,
  description,
  holds,
});

const source = { source_digest: 'text', source_ordinal: 'int' } as const;

const callset: AssetDeclaration = {
  table: 'callset',
  columns: { callset_id: 'uuid', assembly: 'text', version: 'text', samples: 'int', at: 'timestamptz', ...source },
  key: ['callset_id'],
  patient: 'none',
  onConflict: 'ignore-identical',
  ignore: ['at'],
  expectations: [],
};

const sampleIndex: AssetDeclaration = {
  table: 'sample_index',
  columns: { callset_id: 'uuid', ordinal: 'int', sample_id: 'text', patient_id: 'uuid', site_id: 'text', sensitivity: 'int', ...source },
  key: ['callset_id', 'ordinal'],
  patient: 'later',
  onConflict: 'ignore-identical',
  ignore: ['patient_id', 'site_id'],
  expectations: [
    expectation(
      'names_its_sample',
      'warn',
      'A sample has a name that can tell it from others: more than one character.',
      (row) => String(row['sample_id']).length > 1,
    ),
  ],
  linked: {
    issuer: ISSUERS.sample,
    sql: 'update sample_index set patient_id = $1, site_id = $2 where sample_id = $3 and patient_id is null',
  },
};

const variant: AssetDeclaration = {
  table: 'variant',
  columns: {
    ...{ bucket: 'int', assembly: 'text', chrom: 'text', pos: 'int', ref: 'text', alt: 'text', variant_id: 'text', kind: 'text' },
    ...{ rs_id: 'text', gene: 'text', consequence: 'text', clinical_significance: 'text', ...source },
  },
  key: ['bucket', 'assembly', 'chrom', 'pos', 'variant_id'],
  patient: 'none',
  onConflict: 'merge',
  merge: fillAnnotations,
  expectations: [
    expectation('follows_its_header', 'warn', 'The line agrees with the definitions of its own header.', (row) => row['findings'] === 0),
    expectation('stands_on_a_chromosome', 'warn', 'The contig is one of 1 to 22, X, Y and MT.', (row) =>
      isChromosome(String(row['chrom'])),
    ),
    expectation(
      'has_a_position',
      'quarantine',
      'The position is at least 1; 0 names a telomere and no base.',
      (row) => number(row, 'pos') >= 1,
    ),
  ],
};

const genotypeBlock: AssetDeclaration = {
  table: 'genotype_block',
  columns: {
    ...{ bucket: 'int', variant_id: 'text', callset_id: 'uuid', samples: 'int', ac: 'int', an: 'int', het: 'int', hom_alt: 'int' },
    ...{ hemi_alt: 'int', missing: 'int', qual: 'float8', filters: 'text[]', enc: 'int', codes: 'bytea' },
    ...{ content_digest: 'bytea', ...source },
  },
  key: ['bucket', 'variant_id', 'callset_id'],
  patient: 'none',
  onConflict: 'ignore-identical',
  digests: [BLOCK_DIGEST],
  expectations: [
    expectation('counts_add_up', 'quarantine', 'No more alleles are counted than were called, and no more persons than samples.', (row) => {
      const persons = number(row, 'het') + number(row, 'hom_alt') + number(row, 'hemi_alt') + number(row, 'missing');
      return number(row, 'ac') <= number(row, 'an') && persons <= number(row, 'samples');
    }),
    expectation(
      'is_mostly_called',
      'warn',
      'At least half of the samples have a call.',
      (row) => 2 * number(row, 'missing') <= number(row, 'samples'),
    ),
  ],
};

/** VCF to call sets, samples, variants and packed genotypes (spec genomics, section 5). */
export const pipeline: PipelineDeclaration = {
  formats: [bindFormat({ format: vcf, stage })],
  assets: [callset, sampleIndex, variant, genotypeBlock],
  erase: eraseGenotypes,
};

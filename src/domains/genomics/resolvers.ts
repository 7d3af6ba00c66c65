import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import {
  CodedError,
  IngestFile,
  IngestResult,
  aggregate,
  collection,
  ingestThrough,
  operation,
  queries,
  reference,
  type Filter,
  type Scope,
} from '../../kernel/index.js';
import { bucketOfId, bucketsOf } from './formats/vcf-locus.js';
import { Variant } from './model.js';

type Derive = NonNullable<Filter['derive']>;

/** The primary key leads with the bucket: a chromosome, with or without bounds, reads only the buckets that it touches. */
const bucketsOfRegion: Derive = {
  column: 'bucket',
  values({ chrom, start, end }) {
    if (typeof chrom !== 'string') return [];
    const from = typeof start === 'number' ? start : undefined;
    const to = typeof end === 'number' ? end : undefined;
    if (from !== undefined && to !== undefined && from > to)
      throw new CodedError('BAD_INPUT', 'The region ends before it starts.', { place: 'end' });
    return bucketsOf(chrom, from, to);
  },
};

/** An identifier that names no place on the genome names no variant. */
const bucketOfOne: Derive = {
  column: 'bucket',
  values({ id }) {
    const bucket = typeof id === 'string' ? bucketOfId(id) : undefined;
    return bucket === undefined ? [] : [bucket];
  },
};

const site: readonly Filter[] = [
  { argument: 'assembly', description: 'Reference assembly: GRCh37 or GRCh38.', type: 'String', column: 'assembly', operator: 'eq' },
  { argument: 'chrom', description: 'Chromosome without chr.', type: 'String', column: 'chrom', operator: 'eq', derive: bucketsOfRegion },
  { argument: 'start', description: 'First position, 1-based.', type: 'Int', column: 'pos', operator: 'gte' },
  { argument: 'end', description: 'Last position.', type: 'Int', column: 'pos', operator: 'lte' },
  { argument: 'gene', description: 'Symbol of the gene.', type: 'String', column: 'gene', operator: 'eq' },
  { argument: 'rsId', description: 'Identifier in dbSNP.', type: 'String', column: 'rs_id', operator: 'eq' },
  { argument: 'ids', description: 'Identifiers of variants.', type: 'IDList', column: 'variant_id', operator: 'in' },
  {
    argument: 'clinicalSignificance',
    description: 'Clinical significance in the words of ClinVar.',
    type: 'String',
    column: 'clinical_significance',
    operator: 'eq',
  },
];

/** Entrances of the genomics product. */
@queries()
export class GenomicsQueries {
  @reference({
    to: () => Variant,
    on: [],
    filters: [
      {
        argument: 'id',
        description: 'Identifier of the variant.',
        type: 'ID',
        required: true,
        column: 'variant_id',
        operator: 'eq',
        derive: bucketOfOne,
      },
    ],
    tags: ['genomic.site'],
    safeHarbor: 'none',
    description: 'One variant; unknown and hidden variants give the same answer.',
  })
  variant!: unknown;
  @collection({
    of: () => Variant,
    on: [],
    filters: site,
    tags: ['genomic.site'],
    safeHarbor: 'none',
    description: 'Variants as sites, in the order of the genome.',
  })
  variants!: unknown;
  @aggregate({
    of: () => Variant,
    on: [],
    filters: site,
    measure: { op: 'count' },
    tags: ['genomic.site'],
    safeHarbor: 'none',
    description: 'Number of variants.',
  })
  variantCount!: unknown;
}

@Resolver()
export class GenomicsMutations {
  @Mutation(() => IngestResult, { description: 'Loads a VCF 4.1 to 4.5 file, plain, gzip or BGZF.' })
  @operation({ action: 'write', tags: ['genomic.site', 'genomic.individual'] })
  async ingestVariants(@Arg('file', () => IngestFile) file: IngestFile, @Ctx() scope: Scope): Promise<IngestResult> {
    return ingestThrough(scope, 'genomics', file);
  }
}

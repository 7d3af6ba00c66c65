import { registerEnumType } from 'type-graphql';
import { Patient, SCALARS, column, entity, extension, reader, value, valueType, type ReaderField } from '../../kernel/index.js';
import { VARIANT_KINDS } from './formats/vcf-locus.js';
import { GENOTYPE_VARIANT_COLUMNS, loadCarriers, loadFrequencies, loadGenotypes } from './readers.js';
import { BLOCK_COLUMNS, GenotypeBlock, SAMPLE_COLUMNS, SampleIndex } from './tables.js';

const Zygosity = { HET: 'HET', HOM: 'HOM', HEMI: 'HEMI', HOM_REF: 'HOM_REF' } as const;
registerEnumType(Zygosity, { name: 'Zygosity', description: 'How many copies of the ALT a person has, of how many that can be.' });

const callReads: ReaderField['reads'] = [
  { of: () => SampleIndex, columns: [...SAMPLE_COLUMNS] },
  { of: () => GenotypeBlock, columns: [...BLOCK_COLUMNS] },
];

/** Counts over the persons that the caller may use; null where a small group of persons stands behind the number. */
@valueType('AlleleFrequency', 'Allele counts of one variant over the persons that the caller may use; small groups are withheld.')
export class AlleleFrequency {
  @value({
    type: () => SCALARS.Int,
    tags: ['genomic.aggregate'],
    safeHarbor: 'none',
    description: 'Alleles that are this ALT; null where fewer than 11 persons carry it.',
  })
  ac!: number | null;
  @value({ type: () => SCALARS.Int, tags: ['genomic.aggregate'], safeHarbor: 'none', description: 'Alleles that were called.' })
  an!: number | null;
  @value({ type: () => SCALARS.Float, tags: ['genomic.aggregate'], safeHarbor: 'none', description: 'The ratio of ac to an.' })
  af!: number | null;
  @value({ type: () => SCALARS.Int, tags: ['genomic.aggregate'], safeHarbor: 'none', description: 'Persons with two copies.' })
  homCount!: number | null;
  @value({ type: () => SCALARS.Int, tags: ['genomic.aggregate'], safeHarbor: 'none', description: 'Persons with one copy of two.' })
  hetCount!: number | null;
  @value({
    type: () => SCALARS.Int,
    tags: ['genomic.aggregate'],
    safeHarbor: 'none',
    description: 'Persons with one copy where only one can be.',
  })
  hemiCount!: number | null;
  @value({
    type: () => SCALARS.Int,
    tags: ['genomic.aggregate'],
    safeHarbor: 'none',
    description: 'Persons whose call sets hold the site, called or not.',
  })
  samples!: number | null;
  @value({
    type: () => SCALARS.Int,
    tags: ['genomic.aggregate'],
    safeHarbor: 'none',
    description: 'Persons whose genotype was not called at the site.',
  })
  missing!: number | null;
}

/** A person who has a copy of the ALT. */
@valueType('Carrier', 'A person who has at least one copy of the ALT of a variant.')
export class Carrier {
  @value({
    type: () => SCALARS.ID,
    required: true,
    tags: ['pseudonym', 'genomic.individual'],
    safeHarbor: 'R',
    description: 'Identifier of the person.',
  })
  patientId!: string;
  @value({
    type: () => SCALARS.String,
    required: true,
    tags: ['genomic.individual'],
    safeHarbor: 'R',
    description: 'Genotype in the notation of VCF: 0/1, 1/1, 0|1, 1|0 or 1.',
  })
  genotype!: string;
  @value({ type: () => Zygosity, required: true, tags: ['genomic.individual'], safeHarbor: 'R', description: 'HET, HOM or HEMI.' })
  zygosity!: string;
}

/** A called genotype of a person at one variant. */
@valueType('Genotype', 'A called genotype of a person at one variant, relative to that one ALT.')
export class Genotype {
  @value({ type: () => SCALARS.ID, required: true, tags: ['genomic.site'], safeHarbor: 'none', description: 'Identifier of the variant.' })
  variantId!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['genomic.site'], safeHarbor: 'none', description: 'Reference assembly.' })
  assembly!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['genomic.site'], safeHarbor: 'none', description: 'Chromosome without chr.' })
  chrom!: string;
  @value({ type: () => SCALARS.Int, required: true, tags: ['genomic.site'], safeHarbor: 'none', description: 'Position, 1-based.' })
  pos!: number;
  @value({ type: () => SCALARS.String, required: true, tags: ['genomic.site'], safeHarbor: 'none', description: 'Reference allele.' })
  ref!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['genomic.site'], safeHarbor: 'none', description: 'Alternate allele.' })
  alt!: string;
  @value({ type: () => SCALARS.String, tags: ['genomic.site'], safeHarbor: 'none', description: 'Symbol of the gene.' })
  gene!: string | null;
  @value({
    type: () => SCALARS.String,
    required: true,
    tags: ['genomic.individual'],
    safeHarbor: 'R',
    description: 'Genotype in the notation of VCF; 1 stands for this ALT and 0 for any other allele.',
  })
  genotype!: string;
  @value({
    type: () => Zygosity,
    required: true,
    tags: ['genomic.individual'],
    safeHarbor: 'R',
    description: 'HET, HOM, HEMI, or HOM_REF where the ALT was called absent.',
  })
  zygosity!: string;
  @value({
    type: () => SCALARS.ID,
    required: true,
    tags: ['genomic.individual'],
    safeHarbor: 'none',
    description: 'Call set that the genotype comes from.',
  })
  callsetId!: string;
}

/** A site of a reference assembly with one ALT. */
@entity('Variant', {
  description: 'One alternate allele at one position of a reference assembly, without any person.',
  table: 'variant',
  key: ['bucket', 'assembly', 'chrom', 'pos', 'variant_id'],
  tags: ['genomic.site'],
})
export class Variant {
  @column({
    column: 'variant_id',
    type: 'text',
    scalar: 'ID',
    required: true,
    tags: ['genomic.site'],
    safeHarbor: 'none',
    description: 'Identifier: assembly-chrom-pos-ref-alt, for example GRCh38-1-12345-A-T; long alleles are named by a digest.',
  })
  id!: string;
  @column({
    column: 'assembly',
    type: 'text',
    tags: ['genomic.site'],
    safeHarbor: 'none',
    description: 'Reference assembly: GRCh37 or GRCh38.',
  })
  assembly!: string | null;
  @column({
    column: 'chrom',
    type: 'text',
    tags: ['genomic.site'],
    safeHarbor: 'none',
    description: 'Chromosome without chr: 1 to 22, X, Y, MT, or the name of another contig.',
  })
  chrom!: string | null;
  @column({
    column: 'pos',
    type: 'int',
    tags: ['genomic.site'],
    safeHarbor: 'none',
    description: 'Position of the first base of ref, 1-based.',
  })
  pos!: number | null;
  @column({ column: 'ref', type: 'text', tags: ['genomic.site'], safeHarbor: 'none', description: 'Reference allele.' })
  ref!: string | null;
  @column({ column: 'alt', type: 'text', tags: ['genomic.site'], safeHarbor: 'none', description: 'Alternate allele as VCF writes it.' })
  alt!: string | null;
  @column({
    column: 'kind',
    type: 'text',
    values: VARIANT_KINDS,
    enumName: 'VariantKind',
    tags: ['genomic.site'],
    safeHarbor: 'none',
    description: 'Kind of the variant.',
  })
  kind!: string | null;
  @column({
    column: 'rs_id',
    type: 'text',
    tags: ['genomic.site'],
    safeHarbor: 'none',
    description: 'Identifier in dbSNP where the source gives one.',
  })
  rsId!: string | null;
  @column({
    column: 'gene',
    type: 'text',
    tags: ['genomic.site'],
    safeHarbor: 'none',
    description: 'Symbol of the gene as the source annotates it.',
  })
  gene!: string | null;
  @column({
    column: 'consequence',
    type: 'text',
    tags: ['genomic.site'],
    safeHarbor: 'none',
    description: 'Consequence in terms of the Sequence Ontology, several joined by &.',
  })
  consequence!: string | null;
  @column({
    column: 'clinical_significance',
    type: 'text',
    tags: ['genomic.site'],
    safeHarbor: 'none',
    description: 'Clinical significance in the words of ClinVar.',
  })
  clinicalSignificance!: string | null;
  @reader({
    returns: () => AlleleFrequency,
    list: false,
    parent: ['bucket', 'variant_id'],
    reads: callReads,
    arguments: [],
    tags: ['genomic.aggregate'],
    safeHarbor: 'none',
    description: 'Allele counts over the persons that the caller may use.',
    load: loadFrequencies,
  })
  frequency!: AlleleFrequency | null;
  @reader({
    returns: () => Carrier,
    list: true,
    parent: ['bucket', 'variant_id'],
    reads: callReads,
    arguments: [{ argument: 'first', description: 'Persons to give; 50 when left out, 500 at most.', type: 'Int' }],
    tags: ['pseudonym', 'genomic.individual'],
    safeHarbor: 'R',
    description: 'Persons who have the ALT, in the order of their identifiers.',
    load: loadCarriers,
  })
  carriers!: readonly Carrier[] | null;
}

/** What the genomics product knows of a person. */
@extension(() => Patient)
export class PatientFields {
  @reader({
    returns: () => Genotype,
    list: true,
    parent: ['patient_id'],
    reads: [...callReads, { of: () => Variant, columns: [...GENOTYPE_VARIANT_COLUMNS] }],
    arguments: [
      { argument: 'assembly', description: 'Reference assembly: GRCh37 or GRCh38.', type: 'String' },
      { argument: 'chrom', description: 'Chromosome of the region.', type: 'String' },
      { argument: 'start', description: 'First position of the region, 1-based.', type: 'Int' },
      { argument: 'end', description: 'Last position of the region; 5,000,000 bases at most.', type: 'Int' },
      { argument: 'gene', description: 'Symbol of a gene.', type: 'String' },
      { argument: 'variantIds', description: 'Identifiers of variants.', type: 'IDList' },
      { argument: 'includeReference', description: 'Also give genotypes that were called without the ALT.', type: 'Boolean' },
    ],
    tags: ['pseudonym', 'genomic.individual'],
    safeHarbor: 'R',
    description: 'Called genotypes of the person; a gene, variants or a region is required. What was not called is left out.',
    load: (source, parents, args) => loadGenotypes(source, () => Variant, parents, args),
  })
  genotypes!: readonly Genotype[] | null;
}

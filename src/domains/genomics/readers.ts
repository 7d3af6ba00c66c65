import { CodedError, LIMITS, column, entity, type RowSource, type TypeThunk } from '../../kernel/index.js';
import { GENOTYPE, codeAt, unpackGenotypes } from './formats/genotype-codec.js';
import { bucketsOf, chromIndex, chromOf } from './formats/vcf-locus.js';

/** One VCF file as it was called. */
@entity('Callset', { description: 'A file of variant calls over one set of samples.', table: 'callset', key: ['callset_id'], tags: ['genomic.aggregate'] })
export class Callset {
  @column({ column: 'callset_id', type: 'uuid', required: true, tags: ['genomic.aggregate'], safeHarbor: 'none', description: 'Identifier of the call set.' })
  id!: string;
}

/**
 * Which person stands at which ordinal of a call set. The row says that a person was sequenced and no genotype, so it is tagged as what
 * counting needs; whatever tells genotypes of a person asks for genomic.individual on its own field.
 */
@entity('SampleIndex', {
  description: 'The place of a person in the samples of a call set.',
  table: 'sample_index',
  key: ['callset_id', 'ordinal'],
  tags: ['pseudonym', 'genomic.aggregate'],
  modality: 'GENOMICS',
  patient: 'patient_id',
})
export class SampleIndex {
  @column({ column: 'callset_id', type: 'uuid', required: true, tags: ['pseudonym', 'genomic.aggregate'], safeHarbor: 'none', description: 'The call set.' })
  id!: string;
}

/** Genotypes of one variant in one call set, one code a sample (formats/genotype-codec). */
@entity('GenotypeBlock', {
  description: 'The packed genotypes of one variant in one call set.',
  table: 'genotype_block',
  key: ['bucket', 'variant_id', 'callset_id'],
  tags: ['genomic.aggregate'],
})
export class GenotypeBlock {
  @column({ column: 'variant_id', type: 'text', scalar: 'ID', required: true, tags: ['genomic.aggregate'], safeHarbor: 'none', description: 'The variant.' })
  id!: string;
}

export const SAMPLE_COLUMNS = ['patient_id', 'callset_id', 'ordinal'] as const;
export const BLOCK_COLUMNS = ['bucket', 'variant_id', 'callset_id', 'samples', 'enc', 'codes'] as const;
export const GENOTYPE_VARIANT_COLUMNS = ['bucket', 'assembly', 'chrom', 'pos', 'variant_id', 'ref', 'alt', 'gene'] as const;

export interface SampleRow {
  readonly patient_id: string;
  readonly callset_id: string;
  readonly ordinal: number;
}

export interface BlockRow {
  readonly bucket: number;
  readonly variant_id: string;
  readonly callset_id: string;
  readonly samples: number;
  readonly enc: number;
  readonly codes: Uint8Array;
}

interface VariantRow {
  readonly bucket: number;
  readonly assembly: string;
  readonly chrom: string;
  readonly pos: number;
  readonly variant_id: string;
  readonly ref: string;
  readonly alt: string;
  readonly gene: string | null;
}

interface VariantParent {
  readonly bucket: number;
  readonly variant_id: string;
}

type Row = Readonly<Record<string, unknown>>;
const distinct = <T>(values: Iterable<T>): T[] => [...new Set(values)];
const FEW = 4;

/** No block of the variant holds the person. */
export const OUTSIDE = 255;

/** Visible samples by call set, with a number for each person; a person may have several samples. */
export class Samples {
  readonly patients: readonly string[];
  private readonly places = new Map<string, { readonly ordinals: number[]; readonly people: number[] }>();

  constructor(rows: readonly SampleRow[]) {
    const numbers = new Map<string, number>();
    for (const row of rows) {
      const person = numbers.get(row.patient_id) ?? numbers.size;
      numbers.set(row.patient_id, person);
      let place = this.places.get(row.callset_id);
      if (!place) this.places.set(row.callset_id, (place = { ordinals: [], people: [] }));
      place.ordinals.push(row.ordinal);
      place.people.push(person);
    }
    this.patients = [...numbers.keys()];
  }

  /** Tells the code of each visible sample of one block. */
  each(block: BlockRow, tell: (person: number, code: number) => void): void {
    const place = this.places.get(block.callset_id);
    if (!place) return;
    const { ordinals, people } = place;
    const { enc, codes, samples } = block;
    const all = ordinals.length > FEW ? unpackGenotypes(enc, codes, samples) : undefined;
    for (let at = 0; at < ordinals.length; at += 1) {
      const ordinal = ordinals[at] ?? -1;
      tell(people[at] ?? 0, all ? (all[ordinal] ?? OUTSIDE) : codeAt(enc, codes, samples, ordinal));
    }
  }

  /** One code a person over all blocks of one variant: the first call counts, and a missing call only where there is no other. */
  codes(blocks: readonly BlockRow[], into = new Uint8Array(this.patients.length)): Uint8Array {
    into.fill(OUTSIDE);
    for (const block of blocks) {
      this.each(block, (person, code) => {
        if (into[person] === OUTSIDE || into[person] === GENOTYPE.missing) into[person] = code === OUTSIDE ? (into[person] ?? OUTSIDE) : code;
      });
    }
    return into;
  }
}

export function groupByVariant(blocks: readonly BlockRow[]): ReadonlyMap<string, readonly BlockRow[]> {
  const groups = new Map<string, BlockRow[]>();
  for (const block of blocks) {
    const group = groups.get(block.variant_id);
    if (group) group.push(block);
    else groups.set(block.variant_id, [block]);
  }
  return groups;
}

/** Blocks of the named variants, in the order of variant and call set. */
export async function blocksOf(source: RowSource, variants: readonly VariantParent[], callsets?: readonly string[]): Promise<BlockRow[]> {
  if (variants.length === 0 || callsets?.length === 0) return [];
  return source.rows<BlockRow>({
    of: () => GenotypeBlock,
    columns: [...BLOCK_COLUMNS],
    where: {
      bucket: distinct(variants.map((variant) => variant.bucket)),
      variant_id: distinct(variants.map((variant) => variant.variant_id)),
      ...(callsets ? { callset_id: callsets } : {}),
    },
    order: ['variant_id', 'callset_id'],
  });
}

async function samplesOf(source: RowSource, where: { callset_id: readonly string[] } | { patient_id: readonly string[] }): Promise<SampleRow[]> {
  if (Object.values(where).every((values) => values.length === 0)) return [];
  return source.rows<SampleRow>({ of: () => SampleIndex, columns: [...SAMPLE_COLUMNS], where, order: ['callset_id', 'ordinal'] });
}

/** Visible samples and blocks behind a page of variants: two reads, whatever the number of variants. */
async function callsOf(source: RowSource, variants: readonly VariantParent[]): Promise<{ samples: Samples; groups: ReadonlyMap<string, readonly BlockRow[]> }> {
  const blocks = await blocksOf(source, variants);
  const samples = new Samples(await samplesOf(source, { callset_id: distinct(blocks.map((block) => block.callset_id)) }));
  return { samples, groups: groupByVariant(blocks) };
}

const small = (count: number): boolean => count > 0 && count < LIMITS.small_cell_min;

/** Counts of one variant; small groups of persons are withheld, and with them every number that would give them away by subtraction. */
function frequencyOf(codes: Uint8Array): Row {
  const tally = new Uint32Array(256);
  for (const code of codes) tally[code] = (tally[code] ?? 0) + 1;
  const count = (...of: number[]): number => of.reduce((sum, code) => sum + (tally[code] ?? 0), 0);
  const het = count(GENOTYPE.het, GENOTYPE.hetLeft, GENOTYPE.hetRight);
  const hom = count(GENOTYPE.homAlt);
  const hemi = count(GENOTYPE.hemiAlt);
  const missing = count(GENOTYPE.missing);
  const others = count(GENOTYPE.homRef, GENOTYPE.hemiRef);
  const called = het + hom + hemi + others;
  const samples = called + missing;
  const an = 2 * (het + hom + count(GENOTYPE.homRef)) + hemi + count(GENOTYPE.hemiRef);
  const ac = het + 2 * hom + hemi;
  const hideAll = small(samples) || small(called);
  const hideAlleles = hideAll || small(het + hom + hemi) || small(others);
  const hideZygosity = hideAlleles || small(het) || small(hom) || small(hemi);
  return {
    ac: hideAlleles ? null : ac,
    an: hideAll ? null : an,
    af: hideAlleles || an === 0 ? null : ac / an,
    homCount: hideZygosity ? null : hom,
    hetCount: hideZygosity ? null : het,
    hemiCount: hideZygosity ? null : hemi,
    samples: hideAll || small(missing) ? null : samples,
    missing: hideAll || small(missing) ? null : missing,
  };
}

/** Variant.frequency: one AlleleFrequency a variant over the persons that the caller may use; zero of all where no block holds one. */
export async function loadFrequencies(source: RowSource, parents: readonly Row[]): Promise<readonly Row[]> {
  const variants = parents as unknown as readonly VariantParent[];
  const { samples, groups } = await callsOf(source, variants);
  const scratch = new Uint8Array(samples.patients.length);
  return variants.map((variant) => frequencyOf(samples.codes(groups.get(variant.variant_id) ?? [], scratch)));
}

const TEXTS = ['0/0', '0/1', '1/1', './.', '0', '1', '0|1', '1|0'];
const ZYGOSITIES = ['HOM_REF', 'HET', 'HOM', null, 'HOM_REF', 'HEMI', 'HET', 'HET'];

/** Variant.carriers: persons with the allele in the order of their ids. `first` beyond 1..page_rows_max: BAD_INPUT. */
export async function loadCarriers(source: RowSource, parents: readonly Row[], args: Row): Promise<readonly (readonly Row[])[]> {
  const first = Number(args['first'] ?? LIMITS.page_rows_default);
  if (first < 1 || first > LIMITS.page_rows_max) throw new CodedError('BAD_INPUT', 'The number of rows is outside the limits.', { place: 'first' });
  const variants = parents as unknown as readonly VariantParent[];
  const { samples, groups } = await callsOf(source, variants);
  const order = samples.patients.map((_, person) => person).sort((a, b) => compare(samples.patients[a], samples.patients[b]));
  return variants.map((variant) => {
    const codes = samples.codes(groups.get(variant.variant_id) ?? []);
    const carriers: Row[] = [];
    for (const person of order) {
      const code = codes[person] ?? OUTSIDE;
      const zygosity = ZYGOSITIES[code] ?? null;
      if (zygosity === null || zygosity === 'HOM_REF') continue;
      carriers.push({ patientId: samples.patients[person], genotype: TEXTS[code], zygosity });
      if (carriers.length === first) break;
    }
    return carriers;
  });
}

function compare(a = '', b = ''): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

interface Region {
  readonly chrom: string;
  readonly start: number;
  readonly end: number;
}

function regionOf(args: Row): Region | undefined {
  const { chrom, start, end } = args;
  if (chrom == null && start == null && end == null) return undefined;
  const region = { chrom: chromOf(String(chrom)), start: Number(start), end: Number(end) };
  if (chrom == null || start == null || end == null || region.start > region.end || region.start < 0) {
    throw new CodedError('BAD_INPUT', 'A region needs chrom, start and end, and its end does not lie before its start.', { place: 'start' });
  }
  if (region.end - region.start >= LIMITS.region_bases_max) {
    throw new CodedError('BAD_INPUT', `A region holds at most ${String(LIMITS.region_bases_max)} bases.`, { place: 'end' });
  }
  return region;
}

/** Variants that the arguments of Patient.genotypes name, in the order of the genome. */
async function variantsOf(source: RowSource, of: TypeThunk, args: Row): Promise<VariantRow[]> {
  const region = regionOf(args);
  const gene = args['gene'] as string | null | undefined;
  const ids = args['variantIds'] as readonly string[] | null | undefined;
  if (!region && gene == null && ids == null) throw new CodedError('BAD_INPUT', 'Name a gene, variants or a region.', { place: 'gene' });
  if (ids && ids.length > LIMITS.list_argument_items_max) throw new CodedError('BAD_INPUT', 'Too many variants are named.', { place: 'variantIds' });
  if (ids?.length === 0) return [];
  const rows = await source.rows<VariantRow>({
    of,
    columns: [...GENOTYPE_VARIANT_COLUMNS],
    where: {
      ...(args['assembly'] == null ? {} : { assembly: String(args['assembly']) }),
      ...(region ? { bucket: bucketsOf(region.chrom, region.start, region.end), chrom: region.chrom } : {}),
      ...(gene == null ? {} : { gene }),
      ...(ids ? { variant_id: distinct(ids) } : {}),
    },
    ...(region ? { between: { pos: { from: region.start, to: region.end } } } : {}),
    limit: LIMITS.list_argument_items_max + 1,
  });
  if (rows.length > LIMITS.list_argument_items_max) throw new CodedError('LIMIT_EXCEEDED', 'The arguments name too many variants.', { place: 'gene' });
  if (region && new Set(rows.map((row) => row.assembly)).size > 1) {
    throw new CodedError('BAD_INPUT', 'A region needs its assembly where the data hold more than one.', { place: 'assembly' });
  }
  return rows.sort((a, b) => chromIndex(a.chrom) - chromIndex(b.chrom) || compare(a.chrom, b.chrom) || a.pos - b.pos || compare(a.variant_id, b.variant_id));
}

/**
 * Patient.genotypes: called genotypes of each person in the order of the genome, three reads whatever the number of persons.
 * @throws CodedError BAD_INPUT without gene, variants or region; LIMIT_EXCEEDED beyond 10,000 variants.
 */
export async function loadGenotypes(source: RowSource, variant: TypeThunk, parents: readonly Row[], args: Row): Promise<readonly (readonly Row[])[]> {
  const variants = await variantsOf(source, variant, args);
  const rows = variants.length === 0 ? [] : await samplesOf(source, { patient_id: distinct(parents.map((parent) => String(parent['patient_id']))) });
  const samples = new Samples(rows);
  const groups = groupByVariant(await blocksOf(source, variants, distinct(rows.map((row) => row.callset_id))));
  const found = new Map<string, Row[]>(samples.patients.map((patient) => [patient, []]));
  for (const { variant_id, assembly, chrom, pos, ref, alt, gene } of variants) {
    for (const block of groups.get(variant_id) ?? []) {
      samples.each(block, (person, code) => {
        const zygosity = ZYGOSITIES[code] ?? null;
        if (zygosity === null || (zygosity === 'HOM_REF' && args['includeReference'] !== true)) return;
        const site = { variantId: variant_id, assembly, chrom, pos, ref, alt, gene };
        found.get(samples.patients[person] ?? '')?.push({ ...site, genotype: TEXTS[code], zygosity, callsetId: block.callset_id });
      });
    }
  }
  return parents.map((parent) => found.get(String(parent['patient_id'])) ?? []);
}

import { assertIntact, column, entity, type ContentDigest, type DigestColumns, type RowSource } from '../../kernel/index.js';
import { GENOTYPE, codeAt, unpackGenotypes } from './formats/genotype-codec.js';

/** One VCF file as it was called. */
@entity('Callset', {
  description: 'A file of variant calls over one set of samples.',
  table: 'callset',
  key: ['callset_id'],
  tags: ['genomic.aggregate'],
})
export class Callset {
  @column({
    column: 'callset_id',
    type: 'uuid',
    required: true,
    tags: ['genomic.aggregate'],
    safeHarbor: 'none',
    description: 'Identifier of the call set.',
  })
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
  @column({
    column: 'callset_id',
    type: 'uuid',
    required: true,
    tags: ['pseudonym', 'genomic.aggregate'],
    safeHarbor: 'none',
    description: 'The call set.',
  })
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
  @column({
    column: 'variant_id',
    type: 'text',
    scalar: 'ID',
    required: true,
    tags: ['genomic.aggregate'],
    safeHarbor: 'none',
    description: 'The variant.',
  })
  id!: string;
}

export const SAMPLE_COLUMNS = ['patient_id', 'callset_id', 'ordinal'] as const;

/** What the digest of a block covers: its key, so that two blocks cannot change places, its genotypes, and the counts taken from them. */
const PROVEN = {
  ...{ bucket: 'int', variant_id: 'text', callset_id: 'uuid', samples: 'int', ac: 'int', an: 'int', het: 'int', hom_alt: 'int' },
  ...{ hemi_alt: 'int', missing: 'int', enc: 'int', codes: 'bytea' },
} as const satisfies DigestColumns;

export const BLOCK_DIGEST: ContentDigest = {
  table: 'genotype_block',
  column: 'content_digest',
  of: PROVEN,
  place: (row) => /^GRCh3[78]-(.{1,60}?-\d{1,10})-/.exec(String(row['variant_id']))?.[1]?.replace(/-(?=\d+$)/, ':') ?? 'of no known place',
};

export const BLOCK_COLUMNS = [...(Object.keys(PROVEN) as (keyof typeof PROVEN)[]), 'content_digest'] as const;

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

export interface VariantParent {
  readonly bucket: number;
  readonly variant_id: string;
}

export const distinct = <T>(values: Iterable<T>): T[] => [...new Set(values)];
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
        if (into[person] === OUTSIDE || into[person] === GENOTYPE.missing)
          into[person] = code === OUTSIDE ? (into[person] ?? OUTSIDE) : code;
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

/** Blocks of the named variants, in the order of variant and call set. Throws DATA_CORRUPT where one is not what was written. */
export async function blocksOf(source: RowSource, variants: readonly VariantParent[], callsets?: readonly string[]): Promise<BlockRow[]> {
  if (variants.length === 0 || callsets?.length === 0) return [];
  const blocks = await source.rows<BlockRow & Readonly<Record<string, unknown>>>({
    of: () => GenotypeBlock,
    columns: [...BLOCK_COLUMNS],
    where: {
      bucket: distinct(variants.map((variant) => variant.bucket)),
      variant_id: distinct(variants.map((variant) => variant.variant_id)),
      ...(callsets ? { callset_id: callsets } : {}),
    },
    order: ['variant_id', 'callset_id'],
  });
  for (const block of blocks) assertIntact(BLOCK_DIGEST, block);
  return blocks;
}

/** Visible samples of the call sets or persons named. */
export async function samplesOf(
  source: RowSource,
  where: { callset_id: readonly string[] } | { patient_id: readonly string[] },
): Promise<SampleRow[]> {
  if (Object.values(where).every((values) => values.length === 0)) return [];
  return source.rows<SampleRow>({ of: () => SampleIndex, columns: [...SAMPLE_COLUMNS], where, order: ['callset_id', 'ordinal'] });
}

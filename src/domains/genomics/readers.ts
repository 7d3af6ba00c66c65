import { CodedError, LIMITS, type RowSource, type TypeThunk } from '../../kernel/index.js';
import { GENOTYPE } from './formats/genotype-codec.js';
import { bucketsOf, chromIndex, chromOf } from './formats/vcf-locus.js';
import { OUTSIDE, Samples, blocksOf, distinct, groupByVariant, samplesOf, type BlockRow, type VariantParent } from './tables.js';

export const GENOTYPE_VARIANT_COLUMNS = ['bucket', 'assembly', 'chrom', 'pos', 'variant_id', 'ref', 'alt', 'gene'] as const;

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

type Row = Readonly<Record<string, unknown>>;

/** Visible samples and blocks behind a page of variants: two reads, whatever the number of variants. */
async function callsOf(
  source: RowSource,
  variants: readonly VariantParent[],
): Promise<{ samples: Samples; groups: ReadonlyMap<string, readonly BlockRow[]> }> {
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
  if (first < 1 || first > LIMITS.page_rows_max)
    throw new CodedError('BAD_INPUT', 'The number of rows is outside the limits.', { place: 'first' });
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
  const { chrom = null, start = null, end = null } = args as Readonly<Record<string, string | number | null>>;
  if (chrom === null && start === null && end === null) return undefined;
  const region = { chrom: chromOf(String(chrom)), start: Number(start), end: Number(end) };
  if (chrom === null || start === null || end === null || region.start > region.end || region.start < 0) {
    throw new CodedError('BAD_INPUT', 'A region needs chrom, start and end, and its end does not lie before its start.', {
      place: 'start',
    });
  }
  if (region.end - region.start >= LIMITS.region_bases_max) {
    throw new CodedError('BAD_INPUT', `A region holds at most ${String(LIMITS.region_bases_max)} bases.`, { place: 'end' });
  }
  return region;
}

/** Variants that the arguments of Patient.genotypes name, in the order of the genome. */
async function variantsOf(source: RowSource, of: TypeThunk, args: Row): Promise<VariantRow[]> {
  const region = regionOf(args);
  const gene = (args['gene'] ?? null) as string | null;
  const ids = (args['variantIds'] ?? null) as readonly string[] | null;
  const assembly = (args['assembly'] ?? null) as string | null;
  if (!region && gene === null && ids === null) throw new CodedError('BAD_INPUT', 'Name a gene, variants or a region.', { place: 'gene' });
  if (ids && ids.length > LIMITS.list_argument_items_max)
    throw new CodedError('BAD_INPUT', 'Too many variants are named.', { place: 'variantIds' });
  if (ids?.length === 0) return [];
  const rows = await source.rows<VariantRow>({
    of,
    columns: [...GENOTYPE_VARIANT_COLUMNS],
    where: {
      ...(assembly === null ? {} : { assembly }),
      ...(region ? { bucket: bucketsOf(region.chrom, region.start, region.end), chrom: region.chrom } : {}),
      ...(gene === null ? {} : { gene }),
      ...(ids ? { variant_id: distinct(ids) } : {}),
    },
    ...(region ? { between: { pos: { from: region.start, to: region.end } } } : {}),
    limit: LIMITS.list_argument_items_max + 1,
  });
  if (rows.length > LIMITS.list_argument_items_max)
    throw new CodedError('LIMIT_EXCEEDED', 'The arguments name too many variants.', { place: 'gene' });
  if (region && new Set(rows.map((row) => row.assembly)).size > 1) {
    throw new CodedError('BAD_INPUT', 'A region needs its assembly where the data hold more than one.', { place: 'assembly' });
  }
  return rows.sort(
    (a, b) =>
      chromIndex(a.chrom) - chromIndex(b.chrom) || compare(a.chrom, b.chrom) || a.pos - b.pos || compare(a.variant_id, b.variant_id),
  );
}

/**
 * Patient.genotypes: called genotypes of each person in the order of the genome, three reads whatever the number of persons.
 * @throws CodedError BAD_INPUT without gene, variants or region; LIMIT_EXCEEDED beyond 10,000 variants.
 */
export async function loadGenotypes(
  source: RowSource,
  variant: TypeThunk,
  parents: readonly Row[],
  args: Row,
): Promise<readonly (readonly Row[])[]> {
  const variants = await variantsOf(source, variant, args);
  const rows =
    variants.length === 0 ? [] : await samplesOf(source, { patient_id: distinct(parents.map((parent) => String(parent['patient_id']))) });
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

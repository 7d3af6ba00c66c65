import { frameOf, type Feature, type FeatureRows, type FeatureView, type RowSource } from '../../kernel/index.js';
import { GENOTYPE } from './formats/genotype-codec.js';
import { Variant } from './model.js';
import {
  BLOCK_COLUMNS,
  Callset,
  GenotypeBlock,
  OUTSIDE,
  SAMPLE_COLUMNS,
  SampleIndex,
  Samples,
  blocksOf,
  groupByVariant,
  type SampleRow,
} from './tables.js';

/** Genes whose burden is handed over: cardiomyopathy, arrhythmia, lipids and breast cancer. */
export const GENES = ['TTN', 'MYBPC3', 'MYH7', 'LMNA', 'BAG3', 'PLN', 'TNNT2', 'SCN5A', 'APOB', 'LDLR', 'PCSK9', 'BRCA2'] as const;

const CALLSET_COLUMNS = ['callset_id', 'assembly', 'at'];
const VARIANT_COLUMNS = ['bucket', 'variant_id', 'assembly', 'gene'];

/** ALT alleles of each code; homRef 0, het 1, homAlt 2, missing, hemiRef 0, hemiAlt 1, phased het 1. */
const ALLELES = [0, 1, 2, NaN, 0, 1, 1, 1];

interface VariantRow {
  readonly bucket: number;
  readonly variant_id: string;
  readonly assembly: string;
  readonly gene: string;
}

interface CallsetRow {
  readonly callset_id: string;
  readonly assembly: string;
  readonly at: string;
}

/**
 * Samples of call sets that were there at `asOf`. A person counts on one assembly only, GRCh38 before GRCh37: the same allele called
 * on both would count twice.
 */
async function samplesAt(source: RowSource, patientIds: readonly string[], asOf: number): Promise<SampleRow[]> {
  if (patientIds.length === 0) return [];
  const rows = await source.rows<SampleRow>({
    of: () => SampleIndex,
    columns: [...SAMPLE_COLUMNS],
    where: { patient_id: patientIds },
    order: ['patient_id', 'callset_id', 'ordinal'],
  });
  if (rows.length === 0) return [];
  const callsets = await source.rows<CallsetRow>({
    of: () => Callset,
    columns: CALLSET_COLUMNS,
    where: { callset_id: [...new Set(rows.map((row) => row.callset_id))] },
  });
  const assemblies = new Map(callsets.filter((each) => Date.parse(each.at) <= asOf).map((each) => [each.callset_id, each.assembly]));
  const best = new Map<string, string>();
  for (const { patient_id, callset_id } of rows) {
    const assembly = assemblies.get(callset_id);
    if (assembly !== undefined && assembly > (best.get(patient_id) ?? '')) best.set(patient_id, assembly);
  }
  return rows.filter((row) => assemblies.has(row.callset_id) && assemblies.get(row.callset_id) === best.get(row.patient_id));
}

/** Sums over the sites of each gene: carried ALT alleles, called sites and missing sites of each person. */
class Burden {
  private readonly alleles: Float64Array;
  private readonly called: Float64Array;
  private readonly missing: Float64Array;

  constructor(private readonly people: number) {
    const cells = people * GENES.length;
    this.alleles = new Float64Array(cells);
    this.called = new Float64Array(cells);
    this.missing = new Float64Array(cells);
  }

  add(gene: number, codes: Uint8Array): void {
    const base = gene * this.people;
    for (let person = 0; person < this.people; person += 1) {
      const code = codes[person] ?? OUTSIDE;
      if (code === OUTSIDE) continue;
      const cell = base + person;
      if (code === GENOTYPE.missing) {
        this.missing[cell] = (this.missing[cell] ?? 0) + 1;
        continue;
      }
      this.called[cell] = (this.called[cell] ?? 0) + 1;
      this.alleles[cell] = (this.alleles[cell] ?? 0) + (ALLELES[code] ?? 0);
    }
  }

  /** NaN where no site of the gene was called: not called is not reference (spec genomics G61). */
  ofGene(gene: number): Float64Array {
    return Float64Array.from({ length: this.people }, (_, person) => {
      const cell = gene * this.people + person;
      return this.called[cell] === 0 ? NaN : (this.alleles[cell] ?? NaN);
    });
  }

  total(): Float64Array {
    return Float64Array.from({ length: this.people }, (_, person) =>
      this.sum(this.called, person) === 0 ? NaN : this.sum(this.alleles, person),
    );
  }

  callRate(): Float64Array {
    return Float64Array.from({ length: this.people }, (_, person) => {
      const called = this.sum(this.called, person);
      return called / (called + this.sum(this.missing, person));
    });
  }

  private sum(cells: Float64Array, person: number): number {
    let sum = 0;
    for (let cell = person; cell < cells.length; cell += this.people) sum += cells[cell] ?? 0;
    return sum;
  }
}

async function compute(source: RowSource, patientIds: readonly string[], asOf: number): Promise<FeatureRows> {
  const rows = await samplesAt(source, patientIds, asOf);
  const samples = new Samples(rows);
  const variants =
    rows.length === 0 ? [] : await source.rows<VariantRow>({ of: () => Variant, columns: VARIANT_COLUMNS, where: { gene: GENES } });
  const groups = groupByVariant(await blocksOf(source, variants, [...new Set(rows.map((row) => row.callset_id))]));
  const burden = new Burden(samples.patients.length);
  const scratch = new Uint8Array(samples.patients.length);
  const places = new Map<string, number>(GENES.map((gene, at) => [gene, at]));
  for (const { variant_id, gene } of variants) {
    const blocks = groups.get(variant_id);
    const place = places.get(gene);
    if (blocks && place !== undefined) burden.add(place, samples.codes(blocks, scratch));
  }
  const columns = [
    ...GENES.map((gene, at) => ({ name: nameOf(gene), unit: '1', values: burden.ofGene(at) })),
    { name: 'burden_total', unit: '1', values: burden.total() },
    { name: 'call_rate', unit: '1', values: burden.callRate() },
  ];
  return { frame: frameOf(samples.patients, columns), stale: [] };
}

const nameOf = (gene: string): string => `burden_${gene.toLowerCase()}`;

/** Genomic features: a person without a sample has no row; a gene without a called site is NaN, never 0 (spec genomics, section 6). */
export const features: FeatureView = {
  modality: 'GENOMICS',
  version: 'genomics/1',
  features: [
    ...GENES.map((gene): Feature => ({
      name: nameOf(gene),
      unit: '1',
      description: `Carried ALT alleles over the called sites of ${gene}.`,
    })),
    { name: 'burden_total', unit: '1', description: 'Carried ALT alleles over the called sites of all listed genes.' },
    { name: 'call_rate', unit: '1', description: 'Called sites of the listed genes over those that were called or missing.' },
  ],
  reads: [
    { of: () => SampleIndex, columns: [...SAMPLE_COLUMNS] },
    { of: () => Callset, columns: CALLSET_COLUMNS },
    { of: () => Variant, columns: VARIANT_COLUMNS },
    { of: () => GenotypeBlock, columns: [...BLOCK_COLUMNS] },
  ],
  tags: ['pseudonym', 'genomic.site', 'genomic.individual', 'genomic.aggregate'],
  maxAgeDays: null,
  compute,
};

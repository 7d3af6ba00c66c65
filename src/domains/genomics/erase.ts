import { assertIntact, contentDigest, type Erase, type ErasureTransaction } from '../../kernel/index.js';
import { GENOTYPE, packGenotypes, unpackGenotypes } from './formats/genotype-codec.js';
import { BLOCK_COLUMNS, BLOCK_DIGEST, type BlockRow } from './tables.js';

const BLOCKS_AT_ONCE = 2_000;

interface SampleRow {
  readonly callset_id: string;
  readonly samples: number;
  readonly source_digest: string;
  readonly ordinals: readonly number[];
}

type PlacedBlock = BlockRow & Readonly<Record<string, unknown>> & { readonly place: string };

/**
 * Genotypes of a person. A call set of this person alone goes whole, with the sites that only it knew. In one of many samples the person's calls
 * become missing and the counts are made anew; a site stays even where nobody else carries it, since the others were found not to.
 * Loads of genotypes wait meanwhile. Throws DATA_CORRUPT where a block is not what was written: no digest is made over damage.
 */
export const eraseGenotypes: Erase = async (tx, patientId) => {
  const callsets = await tx.query<SampleRow>(
    `select s.callset_id, c.samples, c.source_digest, array_agg(distinct s.ordinal) as ordinals
       from (select callset_id, ordinal from sample_index where patient_id = $1
             union select callset_id, ordinal from history.sample_index where patient_id = $1) s
       join callset c using (callset_id) group by 1, 2, 3 order by 1`,
    [patientId],
  );
  if (callsets.length === 0) return {};
  await tx.query('lock table genotype_block, history.genotype_block in share row exclusive mode');
  const counts: Record<string, number> = {};
  for (const callset of callsets) {
    const alone = callset.ordinals.length === callset.samples;
    const changed = alone ? await removeCallset(tx, callset) : await rewriteBlocks(tx, callset);
    for (const [table, count] of Object.entries(changed)) counts[table] = (counts[table] ?? 0) + count;
  }
  return counts;
};

async function removeCallset(
  tx: ErasureTransaction,
  { callset_id: callset, source_digest: digest }: SampleRow,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const remove = async (table: string, where: string, value: string): Promise<void> => {
    const text = `with gone as (delete from ${table} t where ${where} returning 1) select count(*)::int as n from gone`;
    counts[table] = (await tx.query<{ n: number }>(text, [value]))[0]?.n ?? 0;
  };
  for (const schema of ['', 'history.']) {
    await remove(`${schema}genotype_block`, 't.callset_id = $1', callset);
    await remove(`${schema}callset`, 't.callset_id = $1', callset);
  }
  const unknown =
    't.source_digest = $1 and not exists (select 1 from genotype_block b where b.bucket = t.bucket and b.variant_id = t.variant_id)';
  for (const schema of ['', 'history.']) await remove(`${schema}variant`, unknown, digest);
  return counts;
}

async function rewriteBlocks(tx: ErasureTransaction, callset: SampleRow): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of ['genotype_block', 'history.genotype_block']) {
    await tx.query(
      `declare erased_blocks no scroll cursor for select ctid::text as place, ${BLOCK_COLUMNS.join(', ')} from ${table} where callset_id = '${callset.callset_id}'`,
    );
    let changed = 0;
    for (;;) {
      const blocks = await tx.query<PlacedBlock>(`fetch ${String(BLOCKS_AT_ONCE)} from erased_blocks`);
      if (blocks.length === 0) break;
      changed += await withoutSamples(tx, table, blocks, callset.ordinals);
    }
    await tx.query('close erased_blocks');
    counts[table] = changed;
  }
  return counts;
}

async function withoutSamples(
  tx: ErasureTransaction,
  table: string,
  blocks: readonly PlacedBlock[],
  ordinals: readonly number[],
): Promise<number> {
  const changed = blocks.flatMap((block) => {
    assertIntact(BLOCK_DIGEST, block);
    const { place, enc, codes, ...key } = block;
    const calls = unpackGenotypes(enc, codes, key.samples);
    if (ordinals.every((ordinal) => calls[ordinal] === GENOTYPE.missing)) return [];
    for (const ordinal of ordinals) calls[ordinal] = GENOTYPE.missing;
    const { bytes, homAlt, hemiAlt, ...counts } = packGenotypes(calls);
    const row = { ...counts, hom_alt: homAlt, hemi_alt: hemiAlt };
    const digest = contentDigest(BLOCK_DIGEST.of, { ...key, ...row, codes: bytes });
    return [{ place, ...row, codes: bytea(bytes), content_digest: bytea(digest) }];
  });
  if (changed.length === 0) return 0;
  await tx.query(
    `update ${table} b set enc = q.enc, codes = q.codes, ac = q.ac, an = q.an, het = q.het, hom_alt = q.hom_alt, hemi_alt = q.hemi_alt,
        missing = q.missing, content_digest = q.content_digest
       from jsonb_to_recordset($1) as q (place tid, enc smallint, codes bytea, ac int, an int, het int, hom_alt int, hemi_alt int, missing int,
        content_digest bytea)
      where b.ctid = q.place`,
    [JSON.stringify(changed)],
  );
  return changed.length;
}

const bytea = (bytes: Uint8Array): string => `\\x${Buffer.from(bytes).toString('hex')}`;

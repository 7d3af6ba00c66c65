import 'reflect-metadata';
import { CodedError, contentDigest } from '../../../src/kernel/index.js';
import { features } from '../../../src/domains/genomics/features.js';
import { loadCarriers, loadFrequencies, loadGenotypes } from '../../../src/domains/genomics/readers.js';
import { Variant } from '../../../src/domains/genomics/model.js';
import { BLOCK_DIGEST } from '../../../src/domains/genomics/tables.js';
import { NOW, sourceOf, stageText, vcfText, type Tables } from './support.js';

type Row = Record<string, unknown>;

const CALLS = ['0/0', '0/1', '1/1', './.', '0|1', '1|0', '1', '0'];
const SAMPLES = Array.from({ length: 24 }, (_, at) => `S${at}`);
const site = (at: number): string =>
  [String(1 + (at % 22)), String(1000 + at), '.', 'A', 'G', '.', 'PASS', 'GENE=TTN', 'GT']
    .concat(SAMPLES.map((_, sample) => CALLS[(at * 7 + sample * sample) % CALLS.length] ?? './.'))
    .join('\t');
const person = (sample: string): string => `00000000-0000-7000-8000-${sample.slice(1).padStart(12, '0')}`;
const staged = stageText(
  vcfText(
    SAMPLES,
    Array.from({ length: 6 }, (_, at) => site(at)),
  ),
);

/** Every way in which genotypes leave the product. */
async function served(tables: Tables): Promise<unknown[]> {
  const parents = (tables['variant'] ?? []).map(({ bucket, variant_id }) => ({ bucket, variant_id }));
  const ids = parents.map((each) => each.variant_id);
  const patients = SAMPLES.map((sample) => ({ patient_id: person(sample) }));
  const source = (): ReturnType<typeof sourceOf> => sourceOf(tables, person);
  return Promise.all(
    [
      loadFrequencies(source(), parents),
      loadCarriers(source(), parents, {}),
      loadGenotypes(source(), () => Variant, patients, { variantIds: ids, includeReference: true }),
      features.compute(
        source(),
        patients.map((each) => each.patient_id),
        NOW,
      ),
    ].map((answer: Promise<unknown>) =>
      answer.then(
        () => 'served',
        (error: unknown) => (error instanceof CodedError ? `${error.code} ${String(error.place)}` : error),
      ),
    ),
  );
}

const withBlock = (tables: Tables, at: number, change: Row): Tables => ({
  ...tables,
  genotype_block: (tables['genotype_block'] ?? []).map((row, index) => (index === at ? { ...row, ...change } : row)),
});

function flipped(bytes: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** The value with one bit of it changed, as a disk might. */
function* flipsOf(value: unknown): Generator {
  if (value instanceof Uint8Array) for (let bit = 0; bit < value.length * 8; bit += 1) yield flipped(value, bit);
  else if (typeof value === 'number') for (let bit = 0; bit < 31; bit += 1) yield value ^ (1 << bit);
}

test('blocks as they were written are served', async () => {
  expect(await served(await staged)).toEqual(['served', 'served', 'served', 'served']);
});

test('every flipped bit of packed genotypes, their header and their digest is found by every reader and by features: nothing is served', async () => {
  const tables = await staged;
  let flips = 0;
  for (const [at, block] of (tables['genotype_block'] ?? []).entries()) {
    const [, chrom = '', pos = ''] = String(block['variant_id']).split('-');
    const refused = `DATA_CORRUPT genotype_block ${chrom}:${pos}`;
    for (const name of [...Object.keys(BLOCK_DIGEST.of), BLOCK_DIGEST.column]) {
      // A block under another key is not found at all; blocks that changed places are looked at below.
      if (name === 'bucket') continue;
      for (const value of flipsOf(block[name])) {
        flips += 1;
        const found = await served(withBlock(tables, at, { [name]: value }));
        if (found.some((each) => each !== refused)) throw new Error(`${name} of block ${at}: ${JSON.stringify(found)}`);
      }
    }
  }
  expect(flips).toBeGreaterThan(3_000);
}, 60_000);

test('two blocks that changed places, a cut one, a longer one and one without a digest are refused', async () => {
  const tables = await staged;
  const [a, b] = tables['genotype_block'] as [Row, Row];
  const packed = ({ samples, ac, an, het, hom_alt, hemi_alt, missing, enc, codes, content_digest }: Row): Row => ({
    ...{ samples, ac, an, het, hom_alt, hemi_alt, missing, enc, codes, content_digest },
  });
  const codes = a['codes'] as Buffer;
  const damaged: Tables[] = [
    withBlock(withBlock(tables, 0, packed(b)), 1, packed(a)),
    withBlock(tables, 0, { codes: codes.subarray(1) }),
    withBlock(tables, 0, { codes: codes.subarray(0, -1) }),
    withBlock(tables, 0, { codes: Buffer.concat([codes, Buffer.of(0)]) }),
    withBlock(tables, 0, { codes: null }),
    withBlock(tables, 0, { content_digest: null }),
    withBlock(tables, 0, { content_digest: Buffer.alloc(0) }),
  ];
  for (const each of damaged) expect(await served(each)).toEqual(Array(4).fill('DATA_CORRUPT genotype_block 1:1000'));
});

test('no byte can move from one column into the next without the digest telling', () => {
  const of = { a: 'text', b: 'text', c: 'bytea' } as const;
  const rows = [
    { a: 'ab', b: 'c', c: Buffer.from('d') },
    { a: 'a', b: 'bc', c: Buffer.from('d') },
    { a: 'ab', b: '', c: Buffer.from('cd') },
    { a: 'ab', b: null, c: Buffer.from('cd') },
  ];
  expect(new Set(rows.map((row) => contentDigest(of, row).toString('hex'))).size).toBe(rows.length);
});

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  CompactRange,
  consistencyProof,
  inclusionProof,
  leafHash,
  tileHashReader,
  tilesOf,
  verifyConsistency,
  verifyInclusion,
  type HashReader,
  type Tile,
} from '../../src/evidence/index.js';
import { naiveConsistency, naiveInclusion, naiveRoot } from '../support/rfc6962.js';

/** Leaves and roots of the trees of 0 to 8 leaves of the certificate-transparency reference tests. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map((hex) =>
  Buffer.from(hex, 'hex'),
);
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const records = (size: number): Buffer[] => Array.from({ length: size }, (_, i) => Buffer.from(`record ${i}`));
const rangeOf = (leaves: readonly Uint8Array[]): CompactRange => {
  const range = CompactRange.empty();
  for (const each of leaves) range.append(leafHash(each));
  return range;
};
/** Hashes of perfect subtrees out of a map that an append fills. */
function readerOf(leaves: readonly Uint8Array[]): HashReader {
  const nodes = new Map<string, Buffer>();
  const range = CompactRange.empty();
  for (const each of leaves) range.append(leafHash(each), (level, index, node) => nodes.set(`${level}/${index}`, node));
  return async (asked) => asked.map(({ level, index }) => nodes.get(`${level}/${index}`)!);
}

const size = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(63, 64, 65, 127, 128, 129, 255, 256, 257));
const within = size.chain((n) => fc.tuple(fc.constant(n), fc.nat(n - 1)));

it.each(ROOTS.map((root, leaves) => ({ leaves, root })))(
  'the tree of $leaves leaves has the root of the reference tests',
  ({ leaves, root }) => {
    expect(rangeOf(LEAVES.slice(0, leaves)).root().toString('hex')).toBe(root);
    expect(naiveRoot(LEAVES.slice(0, leaves)).toString('hex')).toBe(root);
  },
);

it('a hash of a leaf is over 0x00 and the UTF-8 bytes of its record', () => {
  const bytes = Buffer.from('Zoë');
  expect(leafHash('Zoë')).toEqual(createHash('sha256').update(Buffer.of(0)).update(bytes).digest());
  expect(leafHash(bytes)).toEqual(leafHash('Zoë'));
});

it('root after any number of appends, in one go or restored between, is the recursive one', () => {
  fc.assert(
    fc.property(within, ([n, cut]) => {
      const leaves = records(n);
      const first = rangeOf(leaves.slice(0, cut));
      const second = CompactRange.fromBuffer(cut, first.toBuffer());
      for (const each of leaves.slice(cut)) second.append(leafHash(each));
      expect(second.size).toBe(n);
      expect(second.root()).toEqual(naiveRoot(leaves));
      expect(first.root()).toEqual(naiveRoot(leaves.slice(0, cut)));
    }),
  );
});

it('a copy goes on apart from its original', () => {
  const range = rangeOf(records(7));
  const copy = range.clone();
  copy.append(leafHash('more'));
  expect(range.root()).toEqual(naiveRoot(records(7)));
  expect(copy.size).toBe(8);
});

it.each([
  [3, 32],
  [3, 96],
  [4, 33],
  [-1, 0],
  [1.5, 32],
])('a frontier for size %d of %d bytes is refused', (leaves, bytes) => {
  expect(() => CompactRange.fromBuffer(leaves, Buffer.alloc(bytes))).toThrow(expect.objectContaining({ code: 'AUDIT_BROKEN' }));
});

it('inclusion proofs are the recursive ones, and prove this leaf at this place alone', async () => {
  await fc.assert(
    fc.asyncProperty(within, async ([n, index]) => {
      const leaves = records(n);
      const proof = await inclusionProof(index, n, readerOf(leaves));
      expect(proof).toEqual(naiveInclusion(index, leaves));
      const claim = { index, size: n, leaf: leafHash(leaves[index]!), root: naiveRoot(leaves) };
      expect(verifyInclusion(claim, proof)).toBe(true);
      expect(verifyInclusion({ ...claim, leaf: leafHash('other') }, proof)).toBe(false);
      expect(verifyInclusion({ ...claim, root: leafHash('other') }, proof)).toBe(false);
      expect(verifyInclusion({ ...claim, index: n }, proof)).toBe(false);
      expect(verifyInclusion(claim, [...proof, leafHash('other')])).toBe(false);
      if (n > 1) expect(verifyInclusion({ ...claim, index: index === 0 ? 1 : index - 1 }, proof)).toBe(false);
      if (proof.length > 0) expect(verifyInclusion(claim, proof.slice(1))).toBe(false);
    }),
  );
});

it('consistency proofs are the recursive ones, and prove these two roots alone', async () => {
  await fc.assert(
    fc.asyncProperty(within, async ([n, m]) => {
      const leaves = records(n);
      const old = m + 1;
      const proof = await consistencyProof(old, n, readerOf(leaves));
      expect(proof).toEqual(naiveConsistency(old, leaves));
      const older = { size: old, root: naiveRoot(leaves.slice(0, old)) };
      const newer = { size: n, root: naiveRoot(leaves) };
      expect(verifyConsistency(older, newer, proof)).toBe(true);
      expect(verifyConsistency({ ...older, root: leafHash('other') }, newer, proof)).toBe(false);
      expect(verifyConsistency(older, { ...newer, root: leafHash('other') }, proof)).toBe(false);
      expect(verifyConsistency(newer, older, proof)).toBe(old === n);
      expect(verifyConsistency(older, newer, [...proof, leafHash('other')])).toBe(false);
    }),
  );
});

it('from nothing every tree follows without proof, and none with one', async () => {
  expect(await consistencyProof(0, 5, readerOf(records(5)))).toEqual([]);
  const nothing = { size: 0, root: naiveRoot([]) };
  const five = { size: 5, root: naiveRoot(records(5)) };
  expect(verifyConsistency(nothing, five, [])).toBe(true);
  expect(verifyConsistency(nothing, five, [five.root])).toBe(false);
});

it.each([
  [5, 5],
  [-1, 5],
])('an inclusion proof of leaf %d in a tree of %d is refused', async (index, leaves) => {
  await expect(inclusionProof(index, leaves, readerOf([]))).rejects.toMatchObject({ code: 'BAD_INPUT' });
});

it('proofs read from tiles are those read from nodes', async () => {
  const n = 70_003;
  const hashes = new Map<string, Buffer[]>();
  const range = CompactRange.empty();
  const nodes = new Map<string, Buffer>();
  for (let i = 0; i < n; i += 1)
    range.append(leafHash(`record ${i}`), (level, index, node) => {
      nodes.set(`${level}/${index}`, node);
      if (level % 8 !== 0) return;
      const key = `${level / 8}/${Math.floor(index / 256)}`;
      hashes.set(key, [...(hashes.get(key) ?? []), node]);
    });
  const tiles = [...tilesOf(n)];
  expect(tiles.map(({ level, index, width }) => [`${level}/${index}`, width])).toEqual(
    [...hashes].map(([key, each]) => [key, each.length]).sort((a, b) => order(String(a[0])) - order(String(b[0]))),
  );
  const read = tileHashReader(n, async ({ level, index }: Tile) => Buffer.concat(hashes.get(`${level}/${index}`)!));
  const direct: HashReader = async (asked) => asked.map(({ level, index }) => nodes.get(`${level}/${index}`)!);
  for (const index of [0, 255, 256, 65_535, 65_536, n - 1]) {
    const proof = await inclusionProof(index, n, read);
    expect(proof).toEqual(await inclusionProof(index, n, direct));
    expect(verifyInclusion({ index, size: n, leaf: leafHash(`record ${index}`), root: range.root() }, proof)).toBe(true);
    expect(await consistencyProof(index + 1, n, read)).toEqual(await consistencyProof(index + 1, n, direct));
  }
  const short = tileHashReader(n, async () => Buffer.alloc(32));
  await expect(inclusionProof(0, n, short)).rejects.toMatchObject({ code: 'AUDIT_BROKEN' });
});

const order = (key: string): number => {
  const [level, index] = key.split('/').map(Number);
  return level! * 1e6 + index!;
};

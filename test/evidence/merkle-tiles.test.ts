import fc from 'fast-check';
import { decodeBundle, encodeBundle, parseTilePath, tilePath, tileWidth, tilesOf } from '../../src/evidence/index.js';

it.each([
  [{ level: 0, index: 1_234_067, width: 256 }, 'tile/0/x001/x234/067'],
  [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
  [{ level: 1, index: 999, width: 17 }, 'tile/1/999.p/17'],
  [{ level: 63, index: 1_000, width: 1 }, 'tile/63/x001/000.p/1'],
  [{ level: 'entries' as const, index: 273, width: 112 }, 'tile/entries/273.p/112'],
])('the path of %j is %s', (tile, path) => {
  expect(tilePath(tile)).toBe(path);
  expect(parseTilePath(path)).toEqual(tile);
});

it.each([
  'tile/0/00',
  'tile/00/000',
  'tile/64/000',
  'tile/0/000.p/0',
  'tile/0/000.p/256',
  'tile/0/000.p/01',
  'tile/0/x000/001',
  'tile/0/001/000',
  'tile/data/000',
  'tile/0/../000',
  '',
])('the path %s is refused', (path) => {
  expect(parseTilePath(path)).toBeNull();
});

it('any tile is read back from its path', () => {
  const level = fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const));
  fc.assert(
    fc.property(
      fc.record({ level, index: fc.nat(2 ** 40), width: fc.integer({ min: 1, max: 256 }) }, { noNullPrototype: true }),
      (tile) => {
        expect(parseTilePath(tilePath(tile))).toEqual(tile);
      },
    ),
  );
});

it('a tree of 70,000 has the tiles that the specification counts', () => {
  const tiles = [...tilesOf(70_000)];
  expect(tiles.filter((each) => each.width === 256 && each.level === 0)).toHaveLength(273);
  expect(tiles.filter((each) => each.width < 256).map(({ level, width }) => [level, width])).toEqual([
    [0, 112],
    [1, 17],
    [2, 1],
  ]);
  expect([...tilesOf(256)].map(({ level, width }) => [level, width])).toEqual([
    [0, 256],
    [1, 1],
  ]);
  expect([...tilesOf(0)]).toEqual([]);
  expect(tileWidth('entries', 273, 70_000)).toBe(112);
  expect(tileWidth(0, 274, 70_000)).toBe(0);
});

it('a bundle gives back its entries, each after its length', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (entries) => {
      expect(decodeBundle(encodeBundle(entries))).toEqual(entries.map((each) => Buffer.from(each)));
    }),
  );
  expect(encodeBundle(['é'])).toEqual(Buffer.from([0, 2, 0xc3, 0xa9]));
  expect(decodeBundle(Buffer.from([0, 2, 1]))).toBeNull();
  expect(decodeBundle(Buffer.from([0]))).toBeNull();
});

it('an entry of 65,535 bytes is the longest', () => {
  expect(decodeBundle(encodeBundle([Buffer.alloc(65_535)]))?.[0]).toHaveLength(65_535);
  expect(() => encodeBundle([Buffer.alloc(65_536)])).toThrow(expect.objectContaining({ code: 'LIMIT_RECORD' }));
});

import fc from 'fast-check';
import { carriersOf, codeAt, packGenotypes, unpackGenotypes } from '../../../../src/domains/genomics/formats/genotype-codec.js';

const anyCodes = fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 400 });
const plainCodes = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 400 });
const rareCodes = fc
  .tuple(fc.integer({ min: 1, max: 5000 }), fc.array(fc.tuple(fc.nat(4999), fc.integer({ min: 1, max: 7 })), { maxLength: 12 }))
  .map(([n, marks]) => {
    const codes = Array.from({ length: n }, () => 0);
    for (const [at, code] of marks) codes[at % n] = code;
    return codes;
  });

describe('packed genotypes', () => {
  test('unpack to what was packed, with the counts of a naive tally, whatever coding is chosen', () => {
    const codings = new Set<number>();
    fc.assert(
      fc.property(fc.oneof(anyCodes, plainCodes, rareCodes), (list) => {
        const codes = Uint8Array.from(list);
        const packed = packGenotypes(codes);
        codings.add(packed.enc);
        expect([...unpackGenotypes(packed.enc, packed.bytes, codes.length)]).toEqual(list);
        const alleles = [
          [0, 2],
          [1, 2],
          [2, 2],
          [0, 0],
          [0, 1],
          [1, 1],
          [1, 2],
          [1, 2],
        ] as const;
        expect(packed.ac).toBe(list.reduce((sum, code) => sum + (alleles[code]?.[0] ?? 0), 0));
        expect(packed.an).toBe(list.reduce((sum, code) => sum + (alleles[code]?.[1] ?? 0), 0));
        expect(packed.missing).toBe(list.filter((code) => code === 3).length);
        expect(packed.het).toBe(list.filter((code) => code === 1 || code === 6 || code === 7).length);
        expect([packed.homAlt, packed.hemiAlt]).toEqual([
          list.filter((code) => code === 2).length,
          list.filter((code) => code === 5).length,
        ]);
        expect([...carriersOf(packed.enc, packed.bytes, codes.length)]).toEqual(
          list.flatMap((code, index) => ([1, 2, 5, 6, 7].includes(code) ? [[index, code]] : [])),
        );
        for (let index = 0; index < codes.length; index += 37) {
          expect(codeAt(packed.enc, packed.bytes, codes.length, index)).toBe(list[index]);
        }
      }),
      { numRuns: 400 },
    );
    expect([...codings].sort()).toEqual([0, 1, 2]);
  });

  test('take the smallest coding', () => {
    expect(packGenotypes(new Uint8Array(1000)).bytes).toHaveLength(0);
    expect(packGenotypes(new Uint8Array(1000).fill(1))).toMatchObject({ enc: 1, ac: 1000, an: 2000 });
    expect(packGenotypes(new Uint8Array(1000).fill(4))).toMatchObject({ enc: 2, ac: 0, an: 1000 });
  });

  test('refuse corrupt bytes with INTERNAL', () => {
    const internal = expect.objectContaining({ code: 'INTERNAL' }) as Error;
    const cases: [number, number[], number][] = [
      [0, [0x81], 9],
      [0, [0], 9],
      [0, [0xf9, 0x7f], 9],
      [1, [0], 9],
      [2, [0xff], 2],
      [3, [], 0],
      [0, [255, 255, 255, 255, 255, 255, 255, 255, 1], 9],
    ];
    for (const [enc, bytes, n] of cases) expect(() => unpackGenotypes(enc, Uint8Array.from(bytes), n)).toThrow(internal);
    expect(() => codeAt(0, new Uint8Array(0), 3, 3)).toThrow(internal);
    expect(() => packGenotypes(Uint8Array.of(8))).toThrow(internal);
  });

  test('never read beyond their samples, however the bytes are damaged', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 }), fc.uint8Array({ maxLength: 40 }), fc.nat(80), (enc, bytes, n) => {
        try {
          expect(unpackGenotypes(enc, bytes, n).every((code) => code < 8)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INTERNAL' });
        }
      }),
    );
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { bgzfCompress, gunzip, isBgzf } from '../../../../src/domains/genomics/formats/bgzf.js';
import { DATA, describeWithData, pieces, readVcf } from './data.js';

async function inflate(bytes: Uint8Array, step = 7_001): Promise<{ plain: Buffer; error: unknown }> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of gunzip(pieces(bytes, step))) parts.push(part);
  } catch (error) {
    return { plain: Buffer.concat(parts), error };
  }
  return { plain: Buffer.concat(parts), error: undefined };
}

describe('BGZF writer and reader', () => {
  test('give back any bytes, and plain gunzip reads them too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3_000 }), fc.integer({ min: 1, max: 200 }), async (bytes, step) => {
        const packed = bgzfCompress(bytes);
        expect(isBgzf(packed)).toBe(true);
        expect(gunzipSync(packed).equals(bytes)).toBe(true);
        const { plain, error } = await inflate(packed, step);
        expect([plain.equals(bytes), error]).toEqual([true, undefined]);
      }),
      { numRuns: 60 },
    );
  });

  test('keep blocks within 64 KiB for noise that does not compress', async () => {
    let state = 1;
    const noise = Uint8Array.from({ length: 200_000 }, () => (state = (state * 48_271) % 2_147_483_647) & 255);
    const packed = bgzfCompress(noise);
    expect((await inflate(packed)).plain.equals(noise)).toBe(true);
  });

  test('read gzip of many members and leave other bytes alone', async () => {
    const members = Buffer.concat([gzipSync('one\n'), gzipSync('two\n'), gzipSync('three\n')]);
    expect(isBgzf(members)).toBe(false);
    expect((await inflate(members, 3)).plain.toString()).toBe('one\ntwo\nthree\n');
    expect((await inflate(Buffer.from('plain text'), 4)).plain.toString()).toBe('plain text');
    const mixed = Buffer.concat([bgzfCompress(Buffer.from('block\n')), gzipSync('member\n')]);
    expect((await inflate(mixed, 5)).plain.toString()).toBe('block\nmember\n');
  });

  test.each([1, 9, 17, 25, 200])('a BGZF file that lacks its last %d bytes is truncated there', async (lacking) => {
    const packed = bgzfCompress(Buffer.from('a line of text\n'.repeat(20_000)));
    const { plain, error } = await inflate(packed.subarray(0, packed.length - lacking));
    expect(error).toMatchObject({ code: 'GZIP_TRUNCATED', place: `byte ${packed.length - lacking}` });
    expect(plain.length).toBeGreaterThan(0);
  });

  test('a BGZF file without its end-of-file block is truncated, after all its bytes were given', async () => {
    const packed = bgzfCompress(Buffer.from('text\n'));
    const { plain, error } = await inflate(packed.subarray(0, packed.length - 28));
    expect(plain.toString()).toBe('text\n');
    expect(error).toMatchObject({ code: 'GZIP_TRUNCATED' });
  });

  test('a flipped byte fails the checksum at the offset of its block', async () => {
    const packed = bgzfCompress(Buffer.from('text '.repeat(40_000)));
    const second = packed.readUInt16LE(16) + 1;
    const damaged = Buffer.from(packed);
    damaged.writeUInt8(damaged.readUInt8(second + 40) ^ 0x10, second + 40);
    const { plain, error } = await inflate(damaged);
    expect(error).toMatchObject({ code: 'GZIP_CORRUPT', place: `byte ${second}` });
    expect(plain).toHaveLength(0xff00);
    const noBlock = Buffer.concat([packed.subarray(0, second), Buffer.from('no block is here, only words')]);
    expect((await inflate(noBlock)).error).toMatchObject({ code: 'GZIP_CORRUPT', place: `byte ${second}` });
  });

  test('plain gzip: a cut is GZIP_TRUNCATED, damage is GZIP_CORRUPT', async () => {
    const packed = gzipSync(Buffer.from(Array.from({ length: 30_000 }, (_, at) => `line ${at * 7}\n`).join('')));
    for (const cut of [12, 100, packed.length >> 1, packed.length - 1]) {
      expect((await inflate(packed.subarray(0, cut))).error).toMatchObject({ code: 'GZIP_TRUNCATED', place: `byte ${cut}` });
    }
    const damaged = Buffer.from(packed);
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 6) ^ 1, damaged.length - 6);
    expect((await inflate(damaged)).error).toMatchObject({ code: 'GZIP_CORRUPT' });
  });
});

describeWithData('a truncated VCF', () => {
  test.each(['pgscatalog/tiny1000G.vcf.gz', 'variantannotation/chr22.vcf.gz', 'pyvcf-examples/gatk.vcf.gz'])(
    '%s gives its whole records before the cut and then the error',
    async (name) => {
      const packed = readFileSync(join(DATA, name));
      const whole = await readVcf(pieces(packed));
      let before = -1;
      for (const share of [0.3, 0.55, 0.8, 0.999]) {
        const cut = await readVcf(pieces(packed.subarray(0, Math.floor(packed.length * share))));
        expect(cut.thrown).toMatchObject({ code: 'GZIP_TRUNCATED', place: expect.stringMatching(/^byte \d+$/) as string });
        expect(cut.sites.length).toBeGreaterThanOrEqual(before);
        expect(cut.order.length).toBeLessThanOrEqual(whole.order.length);
        expect(cut.sites.map((site) => site.pos)).toEqual(whole.sites.slice(0, cut.sites.length).map((site) => site.pos));
        before = cut.sites.length;
      }
      expect(before).toBeGreaterThan(0);
    },
  );
});

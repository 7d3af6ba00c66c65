import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { ingestFile, ingestPaths } from '../../src/pipeline/index.js';
import { fileOf, linesOf, openBench, type Bench } from './harness.js';

jest.setTimeout(60_000);

let bench: Bench;
beforeAll(async () => (bench = await openBench()));
afterAll(() => bench.close());

interface Entry {
  readonly path: string;
  readonly bytes: Buffer;
  readonly claims?: number;
}

function zip(entries: readonly Entry[]): Buffer {
  const locals: Buffer[] = [];
  const table: Buffer[] = [];
  let at = 0;
  for (const { path, bytes, claims } of entries) {
    const packed = deflateRawSync(bytes);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(claims ?? bytes.length, 18);
    common.writeUInt16LE(path.length, 22);
    const local = Buffer.concat([Buffer.from('504b0304', 'hex'), common, Buffer.from(path), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    table.push(Buffer.concat([Buffer.from('504b01021400', 'hex'), common, rest, Buffer.from(path)]));
    locals.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(table);
  const end = Buffer.alloc(22);
  end.writeUInt32BE(0x504b0506, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
}

function tar(entries: readonly (Entry & { type?: string })[]): Buffer {
  const parts = entries.map(({ path, bytes, type = '0' }) => {
    const header = Buffer.alloc(512);
    header.write(path, 0);
    header.write('0000644\0', 100);
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('        ', 148);
    header.write(type, 156);
    header.write('ustar\x0000', 257);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

const member = (name: string): Entry => ({
  path: `folder/${name}.lines`,
  bytes: Buffer.from(linesOf([{ id: name }, { fail: 'stage' }], name)),
});
let number = 0;
const load = (bytes: Uint8Array | string, name = `file-${number++}`): ReturnType<typeof ingestFile> =>
  ingestFile(fileOf(bytes, name), bench.deps);
const refusal = async (bytes: Uint8Array | string, name?: string): Promise<string> => {
  const report = await load(bytes, name);
  return `${report.status} ${report.faults[0]?.code ?? ''}`;
};

describe('archives', () => {
  it.each([
    ['zip', zip([member('z1'), member('z2')])],
    ['tar', tar([member('t1'), { path: 'folder/', bytes: Buffer.alloc(0), type: '5' }, member('t2')])],
    ['tar', gzipSync(tar([member('g1'), member('g2')]))],
  ])('%s: each member is loaded as a file of its own', async (format, bytes) => {
    const report = await load(bytes);
    expect(report).toMatchObject({ status: 'partly', format, records: 4, rows: { t_keep: 2 }, quarantined: 2 });
    expect(report.faults).toMatchObject([{ code: 'SAMPLE_INVALID', place: 'member 0 line 3', count: 2 }]);
    expect((await load(bytes)).status).toBe('duplicate');
  });

  it('refuses members outside the folder, links, bombs, damage and archives inside archives', async () => {
    const before = await bench.rows('select count(*) from t_keep');
    const good = member('never');
    for (const path of ['../up.lines', '/root.lines', 'a/../../b', 'C:/x', 'a\\b']) {
      expect(await refusal(zip([good, { ...good, path }]))).toBe('refused ARCHIVE_PATH');
      expect(await refusal(tar([good, { ...good, path }]))).toBe('refused ARCHIVE_PATH');
    }
    expect(await refusal(tar([good, { ...member('link'), type: '2' }]))).toBe('refused ARCHIVE_PATH');
    expect(await refusal(zip([{ path: 'zeros', bytes: Buffer.alloc(40_000_000) }]))).toBe('refused ARCHIVE_BOMB');
    expect(await refusal(gzipSync(Buffer.concat([Buffer.from('LINES\n'), Buffer.alloc(40_000_000)])))).toBe('refused ARCHIVE_BOMB');
    expect(await refusal(zip([{ ...good, claims: 3 }]))).toBe('refused ARCHIVE_BOMB');
    expect(await refusal(zip([good]).subarray(0, -10))).toBe('refused ARCHIVE_CORRUPT');
    expect(await bench.rows('select count(*) from t_keep')).toEqual(before);
    const nested = await load(zip([{ path: 'inner.zip', bytes: zip([good]) }]));
    expect(nested.faults[0]).toMatchObject({ code: 'FORMAT_UNSUPPORTED', place: 'member 0 byte 0' });
  });
});

describe('files that no pipeline reads', () => {
  it.each([
    ['FILE_EMPTY', '', 'empty'],
    ['FORMAT_UNKNOWN', '\u0001\u0002\u0003', 'noise.bin'],
    ['FORMAT_UNSUPPORTED', 'Profile: X', 'profile.fsh'],
    ['FORMAT_UNSUPPORTED', Buffer.from('28b52ffd00', 'hex'), 'x.zst'],
    ['FORMAT_UNSUPPORTED', gzipSync('TBI\u0001..'), 'x.vcf.gz.tbi'],
    ['FORMAT_UNSUPPORTED', gzipSync('###PGS CATALOG SCORING FILE'), 'x.txt.gz'],
    ['FORMAT_UNSUPPORTED', '{"a": 1}', 'x.json'],
    ['FORMAT_UNSUPPORTED', 'a,b\n1,2\n', 'x.csv'],
    ['FORMAT_UNSUPPORTED', '# Title', 'README.md'],
    ['GZIP_TRUNCATED', gzipSync('LINES\n').subarray(0, 12), 'x.gz'],
  ])('%s', async (code, bytes, name) => {
    expect(await refusal(bytes, name)).toBe(`refused ${code}`);
    expect(await refusal(bytes, name)).toBe(`refused ${code}`);
  });

  it('keeps the raw bytes and a quarantine row of the whole file', async () => {
    const report = await load('\u0001\u0002noise', 'kept.bin');
    const parts: Uint8Array[] = [];
    for await (const part of bench.store.objects.open(report.digest)) parts.push(part);
    expect(Buffer.concat(parts).toString()).toBe('\u0001\u0002noise');
    expect(await bench.rows(`select ordinal, code from quarantine where digest = '${report.digest}'`)).toEqual([
      { ordinal: -1, code: 'FORMAT_UNKNOWN' },
    ]);
  });

  it('reads gzip to where it is cut off, and says so', async () => {
    const records = Array.from({ length: 5_000 }, (_, index) => ({ id: `cut-${index}-${(index * 7919) % 104729}` }));
    const whole = gzipSync(linesOf(records));
    const report = await ingestFile(fileOf(whole.subarray(0, whole.length >> 1), 'cut.gz'), {
      ...bench.deps,
      chunk: { records: 1_000, bytes: 1e7 },
    });
    expect(report).toMatchObject({ status: 'partly', faults: [{ code: 'GZIP_TRUNCATED' }] });
    expect(report.records).toBeGreaterThan(1_000);
    const trailing = await load(Buffer.concat([gzipSync(linesOf([{ id: 'trail' }])), Buffer.alloc(50_000)]));
    expect(trailing).toMatchObject({ status: 'ingested', records: 1 });
  });
});

it('walks folders in order, leaves dot files out and loads identity first', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'thalamus-walk-'));
  try {
    mkdirSync(join(folder, 'b/.hidden'), { recursive: true });
    const key = [{ issuer: 'walk', value: '1' }];
    writeFileSync(join(folder, 'a.txt'), 'no note');
    writeFileSync(join(folder, '.skip'), 'x');
    writeFileSync(join(folder, 'b/.hidden/c.lines'), linesOf([{ id: 'hidden' }]));
    writeFileSync(join(folder, 'b/p.lines'), linesOf([{ register: key }]));
    writeFileSync(join(folder, 'b/q.lines'), linesOf([{ id: 'w', asset: 't_must', keys: key }]));
    const seen: string[] = [];
    const totals = await ingestPaths([folder], bench.deps, ({ done, total, last }) => seen.push(`${done}/${total} ${last.status}`));
    expect(seen).toEqual(['1/3 ingested', '2/3 ingested', '3/3 refused']);
    expect(totals).toMatchObject({
      ingested: 2,
      refused: 1,
      records: 2,
      rows: { t_person: 1, t_must: 1 },
      byCode: { FORMAT_UNSUPPORTED: 1 },
    });
    expect(totals.files[2]!.path).toBe(join(folder, 'a.txt'));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseDicom } from 'dicom-parser';
import { SaxesParser } from 'saxes';
import { generateCohort } from '../../src/demo/index.js';
import { crosswalkRows, filesBelow, readVcf } from './cohort-files.js';

const NOW = Date.UTC(2026, 2, 1);
let root: string;

beforeAll(async () => {
  root = mkdtempSync(path.join(os.tmpdir(), 'demo-formats-'));
  await generateCohort({ patients: 150, seed: 21, outDir: root, now: NOW });
}, 60_000);

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

function read(name: string): Buffer {
  return readFileSync(path.join(root, name));
}

function named(pattern: RegExp): string[] {
  const names = filesBelow(root).filter((name) => pattern.test(name) && !name.startsWith('inbox-bad/'));
  expect(names.length).toBeGreaterThan(0);
  return names;
}

describe('VCF', () => {
  test('is BGZF: each block states its size and the empty block ends the file', () => {
    for (const name of named(/\.vcf\.gz$/)) {
      const data = read(name);
      let at = 0;
      let blocks = 0;
      while (at < data.length) {
        expect(data.subarray(at, at + 4).toString('hex')).toBe('1f8b0804');
        expect(data.subarray(at + 12, at + 16).toString('hex')).toBe('42430200');
        at += data.readUInt16LE(at + 16) + 1;
        blocks++;
      }
      expect(at).toBe(data.length);
      expect(blocks).toBeGreaterThan(1);
      expect(data.subarray(-28).toString('hex')).toBe('1f8b08040000000000ff0600424302001b0003000000000000000000');
    }
  });

  test('has a full row for every site, sorted, with declared keys and true counts', () => {
    for (const name of named(/\.vcf\.gz$/)) {
      const { header, samples, records } = readVcf(path.join(root, name));
      expect(header[0]).toBe('##fileformat=VCFv4.3');
      const contigs = header.flatMap((line) => /^##contig=<ID=([^,]+),length=\d+,assembly=GRCh38>$/.exec(line)?.[1] ?? []);
      const declared = new Set(header.flatMap((line) => /^##INFO=<ID=([^,]+)/.exec(line)?.[1] ?? []));
      let previous = [-1, -1];
      for (const cells of records) {
        expect(cells).toHaveLength(9 + samples.length);
        const place = [contigs.indexOf(cells[0] ?? ''), Number(cells[1])];
        expect(place[0]).toBeGreaterThanOrEqual(previous[0] as number);
        if (place[0] === previous[0]) expect(place[1]).toBeGreaterThan(previous[1] as number);
        previous = place;
        const info = new Map((cells[7] ?? '').split(';').map((pair) => pair.split('=') as [string, string]));
        for (const key of info.keys()) expect(declared.has(key)).toBe(true);
        const alleles = cells
          .slice(9)
          .flatMap((call) => call.split('/'))
          .filter((allele) => allele !== '.');
        const counts = (cells[4] ?? '').split(',').map((_, index) => alleles.filter((allele) => allele === String(index + 1)).length);
        expect(info.get('AN')).toBe(String(alleles.length));
        expect(info.get('AC')).toBe(counts.join(','));
      }
      expect(records.length).toBeGreaterThan(250);
    }
  });

  test('has missing calls, haploid calls on X only, indels and sites with two alternates', () => {
    const all = named(/\.vcf\.gz$/).flatMap((name) => readVcf(path.join(root, name)).records);
    expect(all.some((cells) => cells.includes('./.'))).toBe(true);
    expect(all.some((cells) => (cells[3] ?? '').length > 1)).toBe(true);
    expect(all.some((cells) => (cells[4] ?? '').includes(','))).toBe(true);
    const haploid = all.filter((cells) => cells.slice(9).some((call) => !call.includes('/')));
    expect(new Set(haploid.map((cells) => cells[0]))).toEqual(new Set(['chrX']));
  });
});

test('DICOM: Part 10, explicit little endian, keys of the crosswalk, pixel data of the stated size, unique UIDs', () => {
  const mrns = new Set(crosswalkRows(root).map((row) => row.dicomId));
  const uids = new Set<string>();
  const names = named(/\.dcm$/);
  for (const name of names) {
    const data = read(name);
    expect(data.toString('latin1', 128, 132)).toBe('DICM');
    const set = parseDicom(data);
    expect(set.string('x00020010')).toBe('1.2.840.10008.1.2.1');
    expect(set.string('x00020003')).toBe(set.string('x00080018'));
    expect(mrns.has(set.string('x00100020') ?? '')).toBe(true);
    expect(set.string('x00100021')).toMatch(/^urn:thalamus:demo:mrn:(north|south|west)$/);
    expect(set.string('x00080060')).toMatch(/^C[RT]$/);
    expect(set.string('x0020000d')).toMatch(/^2\.25\.[1-9]\d{30,38}$/);
    expect(set.uint16('x00280010')).toBe(64);
    expect(set.elements['x7fe00010']?.length).toBe(64 * 64 * 2);
    const tags = Object.keys(set.elements).filter((tag) => !tag.startsWith('x0002'));
    expect(tags).toEqual([...tags].sort());
    uids.add(set.string('x00080018') ?? '');
  }
  expect(uids.size).toBe(names.length);
});

test('C-CDA: well-formed, names its patient and holds the four sections', () => {
  for (const name of named(/\.xml$/)) {
    const text = read(name).toString('utf8');
    const codes: string[] = [];
    const parser = new SaxesParser();
    parser.on('opentag', (tag) => {
      if (tag.name === 'code') codes.push(String(tag.attributes['code']));
    });
    parser.write(text).close();
    expect(codes).toEqual(['11506-3', '10164-2', '10160-0', '51848-0', '18776-5']);
    expect(text.includes('code="ETH"')).toBe(text.includes('<confidentialityCode code="R"'));
    expect(text).toMatch(/<id root="urn:thalamus:demo:mrn:\w+" extension="[NSW]\d{6}"\/>/);
  }
});

test('text notes: header lines, a zone in the date, then headings', () => {
  for (const name of named(/notes\/.*\.txt$/)) {
    const [head = '', ...body] = read(name).toString('utf8').split('\n\n');
    expect(head).toMatch(
      /^Patient-ID: [NSW]\d{6}\nPatient-Name: .+\nIssuer: urn:\S+\nType: 34117-2\nTitle: .+\nDate: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-0[568]:00\nAuthor: .+(\nSensitivity: ETH)?$/,
    );
    expect(body.join('\n')).toContain('HISTORY OF PRESENT ILLNESS:');
  }
});

test('Open mHealth: data points of the two schemas, by known patients, in plausible ranges, with a zone', () => {
  const mrns = new Set(crosswalkRows(root).map((row) => row.mrn));
  for (const name of named(/wearables\/.*\.json$/)) {
    const points = JSON.parse(read(name).toString('utf8')) as {
      header: { id: string; user_id: string; schema_id: { name: string; version: string } };
      body: {
        heart_rate?: { value: number; unit: string };
        step_count?: { value: number; unit: string };
        effective_time_frame: { date_time?: string; time_interval?: { start_date_time: string } };
      };
    }[];
    expect(new Set(points.map((point) => point.header.id)).size).toBe(points.length);
    for (const { header, body } of points) {
      expect(mrns.has(header.user_id)).toBe(true);
      if (body.heart_rate !== undefined) expect([header.schema_id.version, body.heart_rate.unit]).toEqual(['2.0', 'beats/min']);
      else expect([header.schema_id.version, body.step_count?.unit]).toEqual(['3.0', 'steps']);
      expect(body.effective_time_frame.date_time ?? body.effective_time_frame.time_interval?.start_date_time).toMatch(/-0[568]:00$/);
    }
  }
});

/** CRC-16/ARC bit by bit: another way than the writer's table of nibbles. */
function crc16(data: Buffer): number {
  let crc = 0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}

test('FIT: sizes and both checksums hold, the serial number is in the crosswalk', () => {
  const devices = new Set(crosswalkRows(root).map((row) => row.device));
  for (const name of named(/\.fit$/)) {
    const data = read(name);
    expect(data.toString('latin1', 8, 12)).toBe('.FIT');
    expect(data.readUInt32LE(4)).toBe(data.length - 16);
    expect(data.readUInt16LE(12)).toBe(crc16(data.subarray(0, 12)));
    expect(data.readUInt16LE(data.length - 2)).toBe(crc16(data.subarray(0, -2)));
    const fileId = 14 + 6 + 15;
    expect(devices.has(String(data.readUInt32LE(fileId + 6)))).toBe(true);
  }
});

test('bad inputs are bad in the way that their names say', () => {
  expect(() => gunzipSync(read('inbox-bad/genotypes-truncated.vcf.gz'))).toThrow();
  expect(read('inbox-bad/note-without-patient.txt').toString('utf8')).toMatch(/^Patient-ID:\nPatient-Name: .+\nType:/);
  const fit = read('inbox-bad/activity-wrong-crc.fit');
  expect(fit.readUInt16LE(fit.length - 2)).not.toBe(crc16(fit.subarray(0, -2)));
  const lines = read('inbox-bad/genotypes-one-bad-line.vcf')
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('#'));
  expect(lines.map((line) => /^\d+$/.test(line.split('\t')[1] ?? ''))).toEqual([true, false, true]);
  const image = read('inbox-bad/image-truncated.dcm');
  expect(image.toString('latin1', 128, 132)).toBe('DICM');
  expect(() => parseDicom(image)).toThrow();
});

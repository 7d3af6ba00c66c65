import { readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { isCoded } from '../../../../src/kernel/error.js';
import { writeDicom } from '../../../../src/domains/imaging/formats/dicom-writer.js';
import { dicom, readDicom } from '../../../../src/domains/imaging/formats/dicom.js';
import { describeWithData, HEADER, imageElements, load, objectFiles, outcome } from './support.js';

/** An element of explicit VR little endian with a four byte length. */
function long(group: number, element: number, vr: string, value: Buffer, length = value.length): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16LE(group, 0);
  header.writeUInt16LE(element, 2);
  header.write(vr, 4, 'latin1');
  header.writeUInt32LE(length, 8);
  return Buffer.concat([header, value]);
}

const item = (value: Buffer): Buffer => {
  const header = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  header.writeUInt32LE(value.length, 4);
  return Buffer.concat([header, value]);
};

function nested(levels: number): Buffer {
  let inner: Buffer = Buffer.alloc(0);
  for (let level = 0; level < levels; level += 1) inner = long(0x0040, 0xa730, 'SQ', item(inner));
  return inner;
}

/** The given file with another transfer syntax of the same length class and another body. */
function deflatedFile(body: Buffer): Buffer {
  const plain = writeDicom(HEADER);
  const syntax = plain.indexOf('1.2.840.10008.1.2.1\0', 0, 'latin1');
  const declared = Buffer.from('1.2.840.10008.1.2.1.99', 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(declared.length);
  const rest = plain.subarray(syntax + 20, plain.indexOf(Buffer.from([0x08, 0x00, 0x05, 0x00]), syntax));
  return Buffer.concat([plain.subarray(0, syntax - 2), length, declared, rest, body]);
}

function refusalOf(bytes: Buffer): { code: string; place: string | undefined; message: string } {
  try {
    readDicom(bytes);
  } catch (error) {
    if (isCoded(error)) return { code: error.code, place: error.place, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
}

describeWithData('public DICOM files', () => {
  test('each one is read or refused with a code within two seconds', () => {
    const counts = new Map<string, number>();
    for (const file of objectFiles()) {
      const bytes = readFileSync(file);
      const start = performance.now();
      const result = outcome(bytes);
      expect(performance.now() - start).toBeLessThan(2_000);
      counts.set(result, (counts.get(result) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual({
      read: 74,
      incomplete: 4,
      DICOM_UID_MISSING: 12,
      DICOM_NOT_DICOM: 3,
      FORMAT_UNSUPPORTED: 7,
    });
  });

  test.each([
    'pydicom/test_files/CT_small.dcm',
    'pydicom/test_files/MR_small_bigendian.dcm',
    'pydicom/test_files/MR_small_jp2klossless.dcm',
    'pydicom/test_files/rtstruct.dcm',
    'pydicom/test_files/test-SR.dcm',
    'pydicom-data/liver_deflate.dcm',
    'pydicom-data/emri_small_RLE.dcm',
  ])('%s cut at each 5 %% of its length is never accepted as complete', (name) => {
    const bytes = load(name);
    expect(outcome(bytes)).toBe('read');
    for (let percent = 0; percent < 100; percent += 5) {
      expect([percent, outcome(bytes.subarray(0, Math.floor((bytes.length * percent) / 100)))]).not.toEqual([percent, 'read']);
    }
  });

  test('malformed files keep what can be read and say what is wrong', () => {
    expect(readDicom(load('pydicom/test_files/MR_truncated.dcm'))).toMatchObject({ incomplete: true, pixel: null, modality: 'MR' });
    expect(readDicom(load('pydicom/test_files/MR_small_padded.dcm'))).toMatchObject({ incomplete: false });
    expect(readDicom(load('pydicom/test_files/ExplVR_LitEndNoMeta.dcm'))).toMatchObject({
      inferred: true,
      transferSyntax: '1.2.840.10008.1.2.1',
    });
    expect(readDicom(load('pydicom/test_files/rtstruct.dcm'))).toMatchObject({ inferred: true, transferSyntax: '1.2.840.10008.1.2' });
    expect(readDicom(load('pydicom-data/emri_small_jpeg_2k_lossless_too_short.dcm')).incomplete).toBe(true);
    expect(readDicom(load('pydicom/test_files/badVR.dcm')).modality).toBe('RTDOSE');
    expect(readDicom(load('pydicom-data/bad_sequence.dcm')).modality).toBe('CT');
    expect(refusalOf(load('pydicom/test_files/dicomdirtests/DICOMDIR')).code).toBe('FORMAT_UNSUPPORTED');
    expect(refusalOf(load('pydicom/test_files/priv_SQ.dcm'))).toMatchObject({ code: 'DICOM_UID_MISSING', place: 'tag (0020,000d)' });
    expect(refusalOf(load('pydicom/test_files/rtplan.dump'))).toMatchObject({ code: 'DICOM_NOT_DICOM', place: 'byte 0' });
  });

  test('header fields of a CT slice', () => {
    expect(readDicom(load('pydicom/test_files/CT_small.dcm'))).toMatchObject({
      patientName: 'CompressedSamples^CT1',
      patientId: '1CT1',
      modality: 'CT',
      startedAt: '2004-01-19T07:27:30.000-05:00',
      manufacturer: 'GE MEDICAL SYSTEMS',
      rows: 128,
      columns: 128,
      frames: 1,
      bitsAllocated: 16,
      kvp: 120,
      sliceThicknessMm: 5,
      pixelSpacingMm: [0.661468, 0.661468],
      incomplete: false,
      inferred: false,
    });
  });

  test('one image gives the same header and statistics in either byte order', () => {
    const [big, padded] = ['MR_small_bigendian', 'MR_small_padded'].map((name) => readDicom(load(`pydicom/test_files/${name}.dcm`)));
    expect(big?.pixel).not.toBeNull();
    expect(big?.pixel).toEqual(padded?.pixel);
    expect(big?.sopClass).toBe(padded?.sopClass);
  });

  test('deflated frames leave the header as in the plain sibling', () => {
    const deflated = readDicom(load('pydicom-data/liver_deflate.dcm'));
    const plain = readDicom(load('pydicom-data/liver.dcm'));
    expect(deflated).toMatchObject({ transferSyntax: '1.2.840.10008.1.2.8.1', incomplete: false, pixel: null });
    // The public sibling differs in what its writer changed: two UIDs and the manufacturer.
    const rewritten = Object.fromEntries(
      ['SOPInstanceUID', 'SeriesInstanceUID', 'Manufacturer'].map((key) => [key, plain.attributes[key]]),
    );
    expect({ ...deflated.attributes, ...rewritten }).toEqual(plain.attributes);
  });

  test('attributes hold no private element, no meta group and no long value', () => {
    for (const file of objectFiles()) {
      if (!['read', 'incomplete'].includes(outcome(readFileSync(file)))) continue;
      for (const [key, value] of Object.entries(readDicom(readFileSync(file)).attributes)) {
        const group = /^([0-9a-f]{4}),[0-9a-f]{4}$/.exec(key)?.[1];
        if (group !== undefined) expect(Number.parseInt(group, 16) % 2).toBe(0);
        expect(String(value).length).toBeLessThanOrEqual(1_024);
      }
    }
  });
});

describe('refusals', () => {
  test('no bytes', () => {
    expect(outcome(Buffer.alloc(0))).toBe('FILE_EMPTY');
  });

  test('bytes that are not DICOM', () => {
    expect(outcome(Buffer.from('patient_id,name\n1,A\n'))).toBe('DICOM_NOT_DICOM');
    expect(outcome(Buffer.alloc(4_096))).toBe('DICOM_NOT_DICOM');
  });

  test('each missing UID is named', () => {
    const without = HEADER.filter(({ tag }) => tag !== '0020000E');
    const refusal = refusalOf(writeDicom(without));
    expect(refusal).toMatchObject({ code: 'DICOM_UID_MISSING', place: 'tag (0020,000e)' });
    expect(refusal.message).toContain('Series Instance UID');
    expect(refusal.message).not.toContain('Study');
  });

  test('a length past the end names the element', () => {
    const bytes = Buffer.concat([writeDicom(HEADER), long(0x0040, 0xa160, 'UT', Buffer.from('ab'), 1_000)]);
    expect(refusalOf(bytes)).toMatchObject({ code: 'DICOM_TRUNCATED', place: 'tag (0040,a160)' });
  });

  test('sequences nest 64 levels deep and no deeper, and a hundred thousand levels do not break the reader', () => {
    const header = writeDicom(HEADER);
    expect(outcome(Buffer.concat([header, nested(60)]))).toBe('read');
    expect(refusalOf(Buffer.concat([header, nested(80)]))).toMatchObject({ code: 'DICOM_ELEMENT', place: `byte ${String(header.length)}` });
    const opening = Buffer.from([
      0x40, 0, 0x30, 0xa7, 0x53, 0x51, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0xff, 0xff,
    ]);
    expect(outcome(Buffer.concat([header, ...Array.from({ length: 100_000 }, () => opening)]))).toBe('DICOM_ELEMENT');
  });

  test('a flood of empty items is refused by count', () => {
    const items = Buffer.alloc(8 * 1_100_000);
    for (let at = 0; at < items.length; at += 8) items.writeUInt32LE(0xe000fffe, at);
    const bytes = Buffer.concat([writeDicom(HEADER), long(0x0040, 0xa730, 'SQ', items)]);
    expect(outcome(bytes)).toBe('DICOM_ELEMENT');
  });

  test('a deflate bomb and a cut deflate stream', () => {
    expect(outcome(deflatedFile(deflateRawSync(Buffer.alloc(20_000_000))))).toBe('ARCHIVE_BOMB');
    const body = writeDicom(HEADER);
    const set = deflateRawSync(body.subarray(body.indexOf(Buffer.from([0x08, 0x00, 0x05, 0x00]))));
    expect(outcome(deflatedFile(set))).toBe('read');
    expect(outcome(deflatedFile(set.subarray(0, set.length - 20)))).toBe('DICOM_TRUNCATED');
  });
});

describe('format', () => {
  test('sniffs the prefix and a bare data set, and leaves other files alone', () => {
    const file = writeDicom(HEADER);
    expect(dicom.sniff(file.subarray(0, 4_096), 'x')).toBe(true);
    expect(dicom.sniff(file.subarray(file.indexOf(Buffer.from([0x08, 0x00, 0x05, 0x00]))), 'x')).toBe(true);
    expect(dicom.sniff(Buffer.from('##fileformat=VCFv4.2\n'), 'x.dcm')).toBe(false);
    expect(dicom.sniff(Buffer.alloc(0), 'x.dcm')).toBe(false);
  });

  test('one file is one record, whatever the chunks', async () => {
    const file = writeDicom(imageElements([1, 2, 3, 4]));
    async function* chunks(): AsyncIterable<Uint8Array> {
      for (let at = 0; at < file.length; at += 7) yield await Promise.resolve(file.subarray(at, at + 7));
    }
    const parsed = [];
    for await (const record of dicom.parse(chunks(), { name: 'a.dcm', now: 0 })) parsed.push(record);
    expect(parsed).toHaveLength(1);
    expect(parsed[0]).toMatchObject({ ok: true, ordinal: 0, value: { sopUid: '2.25.3', incomplete: false } });
  });
});

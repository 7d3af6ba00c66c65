import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { crosswalk } from '../../../../src/domains/patients/formats/crosswalk.js';
import { CsvReader } from '../../../../src/domains/patients/formats/csv.js';
import type { CsvRow } from '../../../../src/domains/patients/formats/csv.js';
import { CLINICAL, describeWithData, faults, readAs, values } from './support.js';

const HEADER = 'person_key,mrn,fhir_patient_id,sample_id,dicom_patient_id,dicom_issuer,device_id,link_basis\n';

describeWithData('the synthetic crosswalk (CL30, CL82)', () => {
  test('holds 23 people in the known patterns, every link marked as synthetic', async () => {
    const bytes = readFileSync(resolve(CLINICAL, 'crosswalk.SYNTHETIC.csv'));
    const parsed = await readAs(crosswalk, bytes, { size: 11 });
    expect(faults(parsed)).toEqual([]);
    const patterns: Record<string, number> = {};
    for (const row of values(parsed)) {
      const pattern = [row.sampleId && 'sample', row.dicomPatientId && 'image', row.deviceId && 'device'].filter(Boolean).join('+');
      patterns[pattern] = (patterns[pattern] ?? 0) + 1;
      expect(row.basis).toBe('SYNTHETIC');
      expect(row.mrn).not.toBe(row.fhirPatientId);
    }
    // Counted in the file by another CSV reader: 18 samples, 11 DICOM ids, 19 devices.
    expect(patterns).toEqual({
      'sample+image+device': 7,
      'sample+device': 8,
      'image+device': 2,
      'sample+image': 1,
      device: 2,
      sample: 2,
      image: 1,
    });
    expect(values(parsed)).toHaveLength(23);
    expect(crosswalk.sniff(bytes.subarray(0, 4096), 'a.csv')).toBe(true);
  });
});

describe('crosswalk', () => {
  test('BOM, CR LF, comments, quotes and columns in another order', async () => {
    const parsed = await readAs(
      crosswalk,
      '\ufeff# note\r\nlink_basis,person_key,mrn\r\nexplicit-crosswalk,"P ""1"", a","x\r\ny"\r\n\r\nMANUAL,P2,m2',
    );
    expect(parsed.map((one) => one.place)).toEqual(['row 1', 'row 2']);
    expect(values(parsed)).toMatchObject([
      { personKey: 'P "1", a', mrn: 'x\r\ny', basis: 'EXPLICIT_CROSSWALK', sampleId: null },
      { personKey: 'P2', basis: 'MANUAL' },
    ]);
  });

  test('a key of another person is contested, the first row is kept; the same id of another issuer is another key', async () => {
    const parsed = await readAs(
      crosswalk,
      `${HEADER}P1,m1,,,D1,A,,manual\nP2,m2,,,D1,A,,manual\nP3,m3,,,D1,B,,manual\nP1,m1,,,,,dev2,manual\nP4,m2,,,,,,manual\n`,
    );
    expect(faults(parsed)).toEqual([['IDENTITY_CONTESTED', 'row 2']]);
    expect(values(parsed).map((row) => row.personKey)).toEqual(['P1', 'P3', 'P1', 'P4']);
  });

  test.each([
    ['too few fields', 'P1,m1,manual'],
    ['no person', ',m1,,,,,,manual'],
    ['an unknown basis', 'P1,m1,,,,,,guess'],
    ['no key', 'P1,,,,,,,manual'],
    ['an issuer alone', 'P1,m1,,,,A,,manual'],
    ['a stray quote', 'P1,m"1,,,,,,manual'],
    ['text after a quote', 'P1,"m"1,,,,,,manual'],
  ])('%s is a fault of its row', async (_name, row) => {
    const parsed = await readAs(crosswalk, `${HEADER}${row}\nP9,m9,,,,,,manual\n`);
    expect(faults(parsed)).toEqual([['CROSSWALK_ROW', 'row 1']]);
    expect(values(parsed)).toHaveLength(1);
  });

  test('a header that lacks or misspells a column refuses the file', async () => {
    await expect(readAs(crosswalk, 'person_key,mrn\n')).rejects.toMatchObject({ code: 'CROSSWALK_ROW', place: 'header' });
    await expect(readAs(crosswalk, 'person_key,link_basis,dicom_patientid\n')).rejects.toMatchObject({ code: 'CROSSWALK_ROW' });
    await expect(readAs(crosswalk, '')).rejects.toMatchObject({ code: 'FILE_EMPTY' });
  });
});

test('any table written by RFC 4180 is read back, in pieces of any size', () => {
  const table = fc.array(
    fc.array(fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é') }), { minLength: 2, maxLength: 4 }),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(
    fc.property(table, fc.integer({ min: 1, max: 9 }), fc.boolean(), (rows, size, crlf) => {
      const written = rows.map((row) => row.map((field) => `"${field.replaceAll('"', '""')}"`).join(',')).join(crlf ? '\r\n' : '\n');
      const reader = new CsvReader();
      const read: CsvRow[] = [];
      for (let at = 0; at < written.length; at += size) read.push(...reader.push(written.slice(at, at + size)));
      const last = reader.end();
      if (last !== null) read.push(last);
      expect(read.map((row) => row.fields)).toEqual(rows);
      expect(read.every((row) => row.fault === null)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

import fc from 'fast-check';
import { writeDicom } from '../../../../src/domains/imaging/formats/dicom-writer.js';
import { readDicom } from '../../../../src/domains/imaging/formats/dicom.js';
import { HEADER, imageElements, outcome } from './support.js';

test('what is written is read back', () => {
  const record = readDicom(
    writeDicom(
      imageElements(
        [-5, 0, 5, 10],
        [
          { tag: '00080020', vr: 'DA', value: '20240229' },
          { tag: '00080030', vr: 'TM', value: '081530.25' },
          { tag: '00080201', vr: 'SH', value: '+0130' },
          { tag: '00100020', vr: 'LO', value: 'P-1' },
          { tag: '00200013', vr: 'IS', value: 7 },
          { tag: '00280030', vr: 'DS', value: [0.5, 0.25] },
          { tag: '00281052', vr: 'DS', value: -1000 },
          { tag: '00281053', vr: 'DS', value: 2 },
        ],
      ),
    ),
  );
  expect(record).toMatchObject({
    studyUid: '2.25.1',
    seriesUid: '2.25.2',
    sopUid: '2.25.3',
    transferSyntax: '1.2.840.10008.1.2.1',
    inferred: false,
    patientName: 'Müller^Jörg=山田^太郎',
    patientNameGroups: { alphabetic: 'Müller^Jörg', ideographic: '山田^太郎', phonetic: '' },
    patientId: 'P-1',
    startedAt: '2024-02-29T08:15:30.250+01:30',
    instanceNumber: 7,
    pixelSpacingMm: [0.5, 0.25],
    incomplete: false,
    warnings: [],
  });
  expect(record.pixel).toEqual({ mean: -995, sd: Math.sqrt(125), p10: -1010, p50: -1000, p90: -980, min: -1010, max: -980 });
});

test('every cut of a written image is refused or incomplete', () => {
  const bytes = writeDicom(imageElements([1, 2, 3, 4]));
  for (let length = 0; length < bytes.length; length += 1) {
    expect([length, outcome(bytes.subarray(0, length))]).not.toEqual([length, 'read']);
  }
});

test('statistics equal the plain formulas', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -32_768, max: 32_767 }), { minLength: 1, maxLength: 200 }),
      fc.integer({ min: -3, max: 3 }),
      (samples, slope) => {
        fc.pre(slope !== 0);
        const { pixel } = readDicom(writeDicom(imageElements(samples, [{ tag: '00281053', vr: 'DS', value: slope }])));
        // Adding 0 makes -0 the 0 that it equals.
        const sorted = samples.map((value) => value * slope + 0).sort((a, b) => a - b);
        const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
        const variance = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sorted.length;
        expect(pixel?.mean).toBeCloseTo(mean, 6);
        expect(pixel?.sd).toBeCloseTo(Math.sqrt(variance), 6);
        expect(pixel?.min).toBe(sorted[0]);
        expect(pixel?.max).toBe(sorted.at(-1));
        if (slope > 0)
          for (const [key, share] of [
            ['p10', 0.1],
            ['p50', 0.5],
            ['p90', 0.9],
          ] as const)
            expect(pixel?.[key]).toBe(sorted[Math.ceil(share * sorted.length) - 1]);
      },
    ),
    { numRuns: 60 },
  );
});

test('random damage is read or refused with a code', () => {
  const bytes = writeDicom(imageElements([1, 2, 3, 4]));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), (edits) => {
      const damaged = Buffer.from(bytes);
      for (const [at, byte] of edits) damaged[at] = byte;
      expect(typeof outcome(damaged)).toBe('string');
    }),
    { numRuns: 1_000 },
  );
});

test('what cannot be written is refused', () => {
  expect(() => writeDicom(HEADER.filter(({ tag }) => tag !== '00080018'))).toThrow(RangeError);
  expect(() => writeDicom([...HEADER, { tag: '0010', vr: 'LO', value: 'x' }])).toThrow(RangeError);
  expect(() => writeDicom([...HEADER, { tag: '00080060', vr: 'CS', value: 'MR' }])).toThrow(RangeError);
  expect(() => writeDicom([...HEADER, { tag: '00280010', vr: 'US', value: 70_000 }])).toThrow(RangeError);
});

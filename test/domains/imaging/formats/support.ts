import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isCoded } from '../../../../src/kernel/error.js';
import type { WriterElement } from '../../../../src/domains/imaging/formats/dicom-writer.js';
import { readDicom } from '../../../../src/domains/imaging/formats/dicom.js';

export const DATA = path.resolve(__dirname, '../../../../../shared/data/imaging');

/** describe, or a skip with its reason when the data folder is absent; under CI its absence is a failure. */
export function describeWithData(title: string, body: () => void): void {
  if (existsSync(DATA)) {
    describe(title, body);
  } else if (process.env['CI'] === undefined) {
    describe.skip(`${title} (skipped: ../shared/data/imaging is absent)`, body);
  } else {
    test(title, () => {
      throw new Error('../shared/data/imaging is absent');
    });
  }
}

/** Every file that may be an object: no compressed fixtures, no descriptions. */
export function objectFiles(): string[] {
  return readdirSync(DATA, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(zst|txt|json)$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

export const load = (name: string): Buffer => readFileSync(path.join(DATA, name));

/** The code of the refusal, or 'read' or 'incomplete'. Anything but a CodedError is rethrown. */
export function outcome(bytes: Buffer): string {
  try {
    return readDicom(bytes).incomplete ? 'incomplete' : 'read';
  } catch (error) {
    if (!isCoded(error)) throw error;
    return error.code;
  }
}

const CT_IMAGE = '1.2.840.10008.5.1.4.1.1.2';

/** A basic text SR without content: an object that needs no pixels. */
export const HEADER: readonly WriterElement[] = [
  { tag: '00080016', vr: 'UI', value: '1.2.840.10008.5.1.4.1.1.88.11' },
  { tag: '00080018', vr: 'UI', value: '2.25.3' },
  { tag: '00080060', vr: 'CS', value: 'SR' },
  { tag: '00100010', vr: 'PN', value: 'Müller^Jörg=山田^太郎' },
  { tag: '0020000D', vr: 'UI', value: '2.25.1' },
  { tag: '0020000E', vr: 'UI', value: '2.25.2' },
];

export function imageElements(samples: readonly number[], more: readonly WriterElement[] = []): WriterElement[] {
  return [
    ...HEADER.map((element) => (element.tag === '00080016' ? { ...element, value: CT_IMAGE } : element)),
    { tag: '00280002', vr: 'US', value: 1 },
    { tag: '00280004', vr: 'CS', value: 'MONOCHROME2' },
    { tag: '00280010', vr: 'US', value: 1 },
    { tag: '00280011', vr: 'US', value: samples.length },
    { tag: '00280100', vr: 'US', value: 16 },
    { tag: '00280101', vr: 'US', value: 16 },
    { tag: '00280102', vr: 'US', value: 15 },
    { tag: '00280103', vr: 'US', value: 1 },
    ...more,
    { tag: '7FE00010', vr: 'OW', value: new Uint8Array(Int16Array.from(samples).buffer) },
  ];
}

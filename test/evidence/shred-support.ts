import { createReadStream, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { drawPeople, type Person } from '../../src/demo/people.js';
import { mrnSystem } from '../../src/demo/sites.js';
import { variantCatalogue } from '../../src/demo/variants.js';
import { dicomStudy } from '../../src/demo/write-dicom.js';
import { fhirBundle } from '../../src/demo/write-fhir.js';
import { ccdaNote, textNote } from '../../src/demo/write-notes.js';
import { bgzip, sampleId, vcfText } from '../../src/demo/write-vcf.js';
import { fitActivity, omhDataPoints } from '../../src/demo/write-wearables.js';

const SEED = 5;

/** What only one person has, in every file about the person. */
export const CANARIES = {
  given: 'Zyxwanda',
  family: 'Quorvexname',
  mrn: 'N7731904426',
  ssn: '987-65-4329',
  phone: '555-0177-9931',
  city: 'Plomvexhaven',
} as const;
/** Of another person, who stays: what a scan has to find. */
export const CONTROL = 'Brumfaddle';

export const PERSONS = 10;

/** Persons with every modality at one site; the first has the canaries, the second the control. Each has files of its own. */
export function writePeople(folder: string, now: number): readonly Person[] {
  const sites = variantCatalogue(SEED).slice(0, 40);
  const all = { genomics: true, imaging: true, ccda: true, text: true, omh: true, fit: true };
  const drawn = drawPeople(SEED, 60, now, sites).filter((person) => person.site.code === 'north');
  const people = drawn.slice(0, PERSONS).map((person, index): Person => ({
    ...person,
    consent: 'research',
    has: all,
    ...(index === 0 ? CANARIES : index === 1 ? { family: CONTROL } : {}),
  }));
  for (const person of people) {
    const name = String(person.number);
    const write = (path: string, data: string | Buffer): void => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), data);
    };
    write(`crosswalk/${name}/crosswalk.csv`, crosswalkOf(person));
    write(`clinical/${name}.json`, fhirBundle(SEED, [person], now));
    write(`genomics/${name}.vcf.gz`, bgzip(vcfText(SEED, name, [person], sites, now)));
    for (const [file, data] of dicomStudy(SEED, person)) write(`imaging/${name}/${file}`, data);
    write(`notes/${name}.xml`, ccdaNote(SEED, person));
    write(`notes/${name}.txt`, textNote(SEED, person));
    write(`wearables/${name}.json`, omhDataPoints(SEED, person).text);
    write(`wearables/${name}.fit`, fitActivity(SEED, person));
  }
  return people;
}

const crosswalkOf = (person: Person): string =>
  [
    'person_key,mrn,synthea_patient_id,genomics_sample_id,dicom_patient_id,dicom_issuer,device_id,link_basis',
    [
      `D${String(person.number).padStart(6, '0')}`,
      person.mrn,
      person.fhirId,
      sampleId(person),
      person.mrn,
      mrnSystem(person.site),
      String(person.deviceSerial),
      'synthetic-assignment',
    ].join(','),
    '',
  ].join('\n');

export interface Scan {
  readonly files: number;
  readonly bytes: number;
  /** Hits by file and canary. */
  readonly hits: readonly string[];
}

const asBytes = (text: string): Buffer[] => {
  const plain = Buffer.from(text);
  const wide = Buffer.from(text, 'utf16le');
  const hex = plain.toString('hex');
  // Three alignments; what stands at the edges depends on the neighbours.
  const base64 = [0, 1, 2].map((shift) => {
    const coded = Buffer.concat([Buffer.alloc(shift), plain]).toString('base64');
    return coded.slice(shift === 0 ? 0 : shift + 1, Math.floor(((shift + plain.length) * 8) / 6) - 1);
  });
  return [
    plain,
    Buffer.from(text.toUpperCase()),
    wide,
    Buffer.from(wide).swap16(),
    ...[hex, hex.toUpperCase(), ...base64].map((each) => Buffer.from(each)),
  ];
};

interface Needle {
  readonly text: string;
  readonly bytes: Buffer;
}

/** The next place from `at` on where one of the beginnings of three bytes stands; -1 where there is none. */
function nextBeginning(piece: Uint8Array, begins: Uint8Array, at: number): number {
  let last = ((piece[at] ?? 0) << 8) | (piece[at + 1] ?? 0);
  const end = piece.length;
  for (let i = at + 2; i < end; i += 1) {
    last = ((last << 8) | (piece[i] as number)) & 0xffffff;
    if (begins[last] !== 0) return i - 2;
  }
  return -1;
}

/** Texts that stand in a piece of bytes: one pass, however many are looked for. */
function finder(needles: readonly Needle[]): (piece: Buffer) => Set<string> {
  const begins = new Uint8Array(1 << 24);
  const byBeginning = new Map<number, Needle[]>();
  for (const needle of needles) {
    const beginning = needle.bytes.readUIntBE(0, 3);
    begins[beginning] = 1;
    byBeginning.set(beginning, [...(byBeginning.get(beginning) ?? []), needle]);
  }
  return (piece) => {
    const found = new Set<string>();
    for (let at = nextBeginning(piece, begins, 0); at >= 0; at = nextBeginning(piece, begins, at + 1))
      for (const { text, bytes } of byBeginning.get(piece.readUIntBE(at, 3)) ?? [])
        if (piece[at + 5] === bytes[5] && piece.subarray(at, at + bytes.length).equals(bytes)) found.add(text);
    return found;
  };
}

/** Looks through every file below the folders for texts: plain, in capitals, hexadecimal, base64 and UTF-16. */
export async function scan(folders: readonly string[], texts: readonly string[]): Promise<Scan> {
  const needles = texts.flatMap((text) => asBytes(text).map((bytes) => ({ text, bytes })));
  const longest = Math.max(...needles.map(({ bytes }) => bytes.length));
  const find = finder(needles);
  const hits: string[] = [];
  let files = 0;
  let bytes = 0;
  for (const folder of folders) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      for (const text of find(Buffer.from(entry.name))) hits.push(`name of a file: ${text}`);
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      files += 1;
      bytes += statSync(path).size;
      let tail = Buffer.alloc(0);
      for await (const part of createReadStream(path, { highWaterMark: 4 << 20 }) as AsyncIterable<Buffer>) {
        const window = Buffer.concat([tail, part]);
        for (const text of find(window)) hits.push(`${path}: ${text}`);
        tail = window.subarray(-longest);
      }
    }
  }
  return { files, bytes, hits };
}

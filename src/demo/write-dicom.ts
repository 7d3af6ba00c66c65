import type { Person } from './people.js';
import { Random } from './random.js';
import { mrnSystem } from './sites.js';
import { compactDate, DAY_MS, zone } from './time.js';

const SIDE = 64;
const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const SOP_CLASS = { CR: '1.2.840.10008.5.1.4.1.1.1', CT: '1.2.840.10008.5.1.4.1.1.2' } as const;
const IMPLEMENTATION_UID = '2.25.90481264520193725568113040917264153';

/** One data element in explicit VR little endian (PS3.5 7.1.2); text is padded to even length. */
function element(tag: number, vr: string, value: string | number | Buffer): Buffer {
  let data: Buffer;
  if (typeof value === 'number') {
    data = Buffer.alloc(vr === 'UL' ? 4 : 2);
    data.writeUIntLE(value, 0, data.length);
  } else data = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  if (data.length % 2 === 1) data = Buffer.concat([data, Buffer.from(vr === 'UI' || vr === 'OB' ? '\0' : ' ')]);
  const long = vr === 'OB' || vr === 'OW';
  const head = Buffer.alloc(long ? 12 : 8);
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
  head.write(vr, 4, 'latin1');
  if (long) head.writeUInt32LE(data.length, 8);
  else head.writeUInt16LE(data.length, 6);
  return Buffer.concat([head, data]);
}

function fileMeta(sopClass: string, sopInstance: string): Buffer {
  const body = Buffer.concat([
    element(0x00020001, 'OB', Buffer.from([0, 1])),
    element(0x00020002, 'UI', sopClass),
    element(0x00020003, 'UI', sopInstance),
    element(0x00020010, 'UI', EXPLICIT_LITTLE_ENDIAN),
    element(0x00020012, 'UI', IMPLEMENTATION_UID),
    element(0x00020013, 'SH', 'THALAMUS_DEMO'),
  ]);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), element(0x00020000, 'UL', body.length), body]);
}

/**
 * A chest in outline: dark lungs, a bright heart whose width, mean and spread of values grow with the latent risk.
 * Values are 12-bit; the rescale intercept brings CR and CT to the same scale.
 */
function pixels(random: Random, risk: number, intercept: number): Buffer {
  const data = Buffer.alloc(SIDE * SIDE * 2);
  const mean = 400 - intercept + 45 * risk + 25 * random.normal();
  const spread = 90 * Math.exp(0.2 * risk + 0.1 * random.normal());
  const heartWidth = 13 + 1.5 * risk + random.normal();
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const inHeart = ((x - 36) / heartWidth) ** 2 + ((y - 38) / 12) ** 2 < 1;
      const inLung = Math.abs(x - 32) > 6 && Math.abs(x - 32) < 26 && y > 8 && y < 54;
      const tissue = inHeart ? 180 : inLung ? -120 : 60;
      // Three uniforms approach a normal closely enough and cost a tenth of it.
      const noise = (random.uniform() + random.uniform() + random.uniform() - 1.5) * 2;
      const value = Math.round(mean + tissue + spread * noise);
      data.writeUInt16LE(Math.min(4095, Math.max(0, value)), (y * SIDE + x) * 2);
    }
  }
  return data;
}

interface Study {
  readonly person: Person;
  readonly modality: 'CR' | 'CT';
  readonly time: number;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly frameUid: string;
  readonly accession: string;
}

function patientAndStudy(study: Study, sopUid: string): Buffer[] {
  const { person, modality, time } = study;
  const date = compactDate(time, person.site.offsetMinutes);
  const clock = compactDate(time, person.site.offsetMinutes, true).slice(8);
  const age = Math.floor((time - person.birth) / (365.25 * DAY_MS));
  return [
    element(0x00080005, 'CS', 'ISO_IR 192'),
    element(0x00080008, 'CS', modality === 'CT' ? 'ORIGINAL\\PRIMARY\\AXIAL' : 'ORIGINAL\\PRIMARY'),
    element(0x00080016, 'UI', SOP_CLASS[modality]),
    element(0x00080018, 'UI', sopUid),
    element(0x00080020, 'DA', date),
    element(0x00080021, 'DA', date),
    element(0x00080023, 'DA', date),
    element(0x00080030, 'TM', clock),
    element(0x00080031, 'TM', clock),
    element(0x00080033, 'TM', clock),
    element(0x00080050, 'SH', study.accession),
    element(0x00080060, 'CS', modality),
    element(0x00080070, 'LO', 'Demo Imaging (synthetic)'),
    element(0x00080080, 'LO', person.site.institution),
    element(0x00080090, 'PN', 'Demo^Referring'),
    element(0x00080201, 'SH', zone(person.site.offsetMinutes)),
    element(0x00081030, 'LO', modality === 'CT' ? 'CT chest' : 'Chest radiograph'),
    element(0x0008103e, 'LO', modality === 'CT' ? 'Axial 5 mm' : 'PA'),
    element(0x00081090, 'LO', modality === 'CT' ? 'DemoScan 64' : 'DemoRay 2'),
    element(0x00100010, 'PN', `${person.family}^${person.given}`),
    element(0x00100020, 'LO', person.mrn),
    element(0x00100021, 'LO', mrnSystem(person.site)),
    element(0x00100030, 'DA', compactDate(person.birth)),
    element(0x00100040, 'CS', person.sex === 'male' ? 'M' : 'F'),
    element(0x00101010, 'AS', `${String(age).padStart(3, '0')}Y`),
    element(0x00102154, 'SH', person.phone),
    element(0x00104000, 'LT', 'SYNTHETIC: no real person'),
  ];
}

function acquisition(study: Study): Buffer[] {
  const ct = study.modality === 'CT';
  return [
    element(0x00180015, 'CS', 'CHEST'),
    ...(ct ? [element(0x00180050, 'DS', '5')] : []),
    element(0x00180060, 'DS', ct ? '120' : '110'),
    element(0x00181000, 'LO', `DEMO-${study.person.site.code}-${study.modality}`),
    element(0x00181020, 'LO', '1.0'),
    element(0x00181030, 'LO', ct ? 'CHEST ROUTINE' : 'CHEST PA'),
    ...(ct ? [] : [element(0x00185101, 'CS', 'PA')]),
  ];
}

function position(study: Study, instance: number): Buffer[] {
  const location = String(-100 - 5 * instance);
  return [
    element(0x0020000d, 'UI', study.studyUid),
    element(0x0020000e, 'UI', study.seriesUid),
    element(0x00200010, 'SH', String(study.person.number)),
    element(0x00200011, 'IS', '1'),
    element(0x00200013, 'IS', String(instance)),
    ...(study.modality === 'CT'
      ? [
          element(0x00200032, 'DS', `-160\\-160\\${location}`),
          element(0x00200037, 'DS', '1\\0\\0\\0\\1\\0'),
          element(0x00200052, 'UI', study.frameUid),
          element(0x00201041, 'DS', location),
        ]
      : []),
  ];
}

function image(modality: 'CR' | 'CT', intercept: number, data: Buffer): Buffer[] {
  return [
    element(0x00280002, 'US', 1),
    element(0x00280004, 'CS', 'MONOCHROME2'),
    element(0x00280010, 'US', SIDE),
    element(0x00280011, 'US', SIDE),
    element(0x00280030, 'DS', '5\\5'),
    element(0x00280100, 'US', 16),
    element(0x00280101, 'US', 12),
    element(0x00280102, 'US', 11),
    element(0x00280103, 'US', 0),
    element(0x00281050, 'DS', '400'),
    element(0x00281051, 'DS', '900'),
    element(0x00281052, 'DS', String(intercept)),
    element(0x00281053, 'DS', '1'),
    element(0x00281054, 'LO', modality === 'CT' ? 'HU' : 'US'),
    element(0x7fe00010, 'OW', data),
  ];
}

/** The one study of a patient: DICOM Part 10 objects by file name. About 6 % of the studies are more than two years old (stale). */
export function dicomStudy(seed: number, person: Person): Map<string, Buffer> {
  const random = new Random(seed, 'imaging', person.number);
  const modality = random.chance(0.6) ? 'CT' : 'CR';
  const age = random.chance(0.06) ? random.int(800, 1400) : random.int(1, 60);
  const study: Study = {
    person,
    modality,
    time: person.index - age * DAY_MS,
    studyUid: random.uid(),
    seriesUid: random.uid(),
    frameUid: random.uid(),
    accession: `A${String(random.int(10_000_000, 99_999_999))}`,
  };
  const intercept = modality === 'CT' ? -1024 : 0;
  const files = new Map<string, Buffer>();
  const instances = modality === 'CT' && random.chance(0.5) ? 2 : 1;
  for (let instance = 1; instance <= instances; instance++) {
    const sopUid = random.uid();
    files.set(
      `${modality}-${String(instance)}.dcm`,
      Buffer.concat([
        fileMeta(SOP_CLASS[modality], sopUid),
        ...patientAndStudy(study, sopUid),
        ...acquisition(study),
        ...position(study, instance),
        ...image(modality, intercept, pixels(random, person.latent.imaging, intercept)),
      ]),
    );
  }
  return files;
}

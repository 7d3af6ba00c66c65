import type { Person } from './people.js';
import { Random } from './random.js';
import { DAY_MS, HOUR_MS, isoZoned } from './time.js';

interface Wearer {
  readonly restingRate: number;
  readonly stepsPerDay: number;
}

function wearer(seed: number, person: Person): Wearer {
  const random = new Random(seed, 'wearer', person.number);
  return {
    restingRate: 66 + 6 * person.latent.wearables + 3 * random.normal(),
    stepsPerDay: 7000 * Math.exp(-0.25 * person.latent.wearables + 0.2 * random.normal()),
  };
}

/** Share of a day's steps by hour block, 8 to 20 o'clock in four-hour steps. */
const STEP_BLOCKS = [
  { hour: 8, share: 0.3 },
  { hour: 12, share: 0.4 },
  { hour: 16, share: 0.3 },
] as const;

/**
 * Open mHealth data points of 7 to 14 days, one per line of a JSON array: hourly heart rate (omh:heart-rate:2.0, beats/min) while
 * the device is worn, 7 to 22 o'clock, and step counts (omh:step-count:3.0) per four hours. Some days and hours were not worn.
 */
export function omhDataPoints(seed: number, person: Person): { text: string; points: number } {
  const random = new Random(seed, 'omh', person.number);
  const { restingRate, stepsPerDay } = wearer(seed, person);
  const offset = person.site.offsetMinutes;
  const days = random.chance(0.7) ? random.int(7, 8) : random.int(9, 14);
  const midnight = Math.floor((person.index + offset * 60_000) / DAY_MS) * DAY_MS - offset * 60_000;
  const created = isoZoned(midnight, offset);
  const lines: string[] = [];
  const add = (name: string, version: string, body: string): void => {
    lines.push(
      `{"header":{"id":"demo-${String(person.number)}-${String(lines.length)}","creation_date_time":"${created}",` +
        `"schema_id":{"namespace":"omh","name":"${name}","version":"${version}"},"user_id":"${person.mrn}"},"body":${body}}`,
    );
  };
  for (let day = days; day >= 1; day--) {
    if (random.chance(0.08)) continue;
    const start = midnight - day * DAY_MS;
    for (let hour = 7; hour <= 22; hour++) {
      if (random.chance(0.05)) continue;
      const active = 14 * Math.sin((Math.PI * (hour - 5)) / 18);
      const rate = Math.round(Math.min(180, Math.max(38, restingRate + active + 4 * random.normal())));
      add(
        'heart-rate',
        '2.0',
        `{"heart_rate":{"value":${String(rate)},"unit":"beats/min"},"effective_time_frame":{"date_time":"${isoZoned(start + hour * HOUR_MS, offset)}"}}`,
      );
    }
    for (const { hour, share } of STEP_BLOCKS) {
      const steps = Math.round(stepsPerDay * share * Math.exp(0.25 * random.normal()));
      const from = start + hour * HOUR_MS;
      add(
        'step-count',
        '3.0',
        `{"step_count":{"value":${String(steps)},"unit":"steps"},"effective_time_frame":{"time_interval":` +
          `{"start_date_time":"${isoZoned(from, offset)}","end_date_time":"${isoZoned(from + 4 * HOUR_MS, offset)}"}}}`,
      );
    }
  }
  return { text: `[\n${lines.join(',\n')}\n]\n`, points: lines.length };
}

/** Seconds from 1970 to the FIT epoch, 1989-12-31T00:00:00Z. */
const FIT_EPOCH_SECONDS = 631_065_600;
const CRC_NIBBLES = [
  0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401, 0xa001, 0x6c00, 0x7800, 0xb401, 0x5000, 0x9c01, 0x8801, 0x4400,
] as const;

/** The checksum of the FIT protocol (CRC-16, polynomial 0xA001). */
function fitCrc(data: Buffer): number {
  let crc = 0;
  for (const byte of data) {
    for (const nibble of [byte & 15, byte >> 4]) crc = (crc >> 4) ^ (CRC_NIBBLES[crc & 15] ?? 0) ^ (CRC_NIBBLES[nibble] ?? 0);
  }
  return crc;
}

/** A definition message, little endian; each field is [number, size in bytes, base type]. */
function definition(local: number, global: number, fields: readonly (readonly [number, number, number])[]): Buffer {
  return Buffer.from([0x40 | local, 0, 0, global & 255, global >> 8, fields.length, ...fields.flat()]);
}

/** A FIT activity file: file_id with the serial number of the device, then records of heart rate every 10 s of a half-hour walk. */
export function fitActivity(seed: number, person: Person): Buffer {
  const random = new Random(seed, 'fit', person.number);
  const { restingRate } = wearer(seed, person);
  const start = Math.floor((person.index - random.int(1, 7) * DAY_MS) / 1000) - FIT_EPOCH_SECONDS;
  const fileId = Buffer.alloc(14);
  fileId.writeUInt8(0, 0);
  fileId.writeUInt8(4, 1);
  fileId.writeUInt16LE(255, 2);
  fileId.writeUInt16LE(1, 4);
  fileId.writeUInt32LE(person.deviceSerial, 6);
  fileId.writeUInt32LE(start, 10);
  const parts = [
    definition(0, 0, [
      [0, 1, 0x00],
      [1, 2, 0x84],
      [2, 2, 0x84],
      [3, 4, 0x8c],
      [4, 4, 0x86],
    ]),
    fileId,
    definition(1, 20, [
      [253, 4, 0x86],
      [3, 1, 0x02],
    ]),
  ];
  for (let tick = 0; tick < 180; tick++) {
    const record = Buffer.alloc(6);
    const effort = 38 * (1 - Math.exp(-tick / 25)) * (tick < 150 ? 1 : (180 - tick) / 30);
    record.writeUInt8(1, 0);
    record.writeUInt32LE(start + tick * 10, 1);
    record.writeUInt8(Math.round(Math.min(200, Math.max(40, restingRate + effort + 2 * random.normal()))), 5);
    parts.push(record);
  }
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(14);
  head.writeUInt8(14, 0);
  head.writeUInt8(0x20, 1);
  head.writeUInt16LE(2132, 2);
  head.writeUInt32LE(body.length, 4);
  head.write('.FIT', 8, 'latin1');
  head.writeUInt16LE(fitCrc(head.subarray(0, 12)), 12);
  const file = Buffer.concat([head, body, Buffer.alloc(2)]);
  file.writeUInt16LE(fitCrc(file.subarray(0, file.length - 2)), file.length - 2);
  return file;
}

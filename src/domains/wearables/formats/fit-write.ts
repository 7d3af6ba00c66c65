import { FIELD, FIELD_TIMESTAMP, FIT_EPOCH_S, MESSAGE } from './fit-profile.js';
import { fitCrc } from './fit-walk.js';

export interface FitActivity {
  /** 1 to 2^32 - 1; becomes the device id when the file is read. */
  readonly serialNumber: number;
  /** Whole seconds in `t` (milliseconds since 1970); heart rate in beats per minute, 0 to 254. */
  readonly records: readonly { readonly t: number; readonly heartRate: number }[];
  /** Local time at the end of the activity, minutes east of UTC, in quarters of an hour. */
  readonly offsetMinutes?: number;
}

const HEADER_BYTES = 14;
const PROTOCOL_VERSION = 0x10;
const PROFILE_VERSION = 2100;
const FILE_ACTIVITY = 4;
/** The manufacturer number that the protocol keeps for development. */
const MANUFACTURER_DEVELOPMENT = 255;
const [ENUM, UINT8, UINT16, UINT32, UINT32Z] = [0x00, 0x02, 0x84, 0x86, 0x8c];
const SIZES: Readonly<Record<number, number>> = { [ENUM]: 1, [UINT8]: 1, [UINT16]: 2, [UINT32]: 4, [UINT32Z]: 4 };

function definition(local: number, global: number, fields: readonly (readonly [number: number, baseType: number])[]): Buffer {
  const parts = fields.flatMap(([number, baseType]) => [number, SIZES[baseType] ?? 1, baseType]);
  return Buffer.from([0x40 | local, 0, 0, global & 0xff, global >> 8, fields.length, ...parts]);
}

function fitSeconds(t: number): number {
  return Math.round(t / 1000) - FIT_EPOCH_S;
}

/** Writes one activity as a FIT 1.0 file: 14-byte header, file_id, a record for each heart rate, and the activity's local time. */
export function writeFit(activity: FitActivity): Uint8Array {
  const { records, serialNumber, offsetMinutes } = activity;
  const { file_id: id } = FIELD;
  const created = fitSeconds(records[0]?.t ?? FIT_EPOCH_S * 1000);
  const fileId = Buffer.alloc(12);
  fileId[1] = FILE_ACTIVITY;
  fileId.writeUInt16LE(MANUFACTURER_DEVELOPMENT, 2);
  fileId.writeUInt32LE(serialNumber, 4);
  fileId.writeUInt32LE(created, 8);
  const rows = Buffer.alloc(records.length * 6);
  records.forEach((record, index) => {
    rows[index * 6] = 1;
    rows.writeUInt32LE(fitSeconds(record.t), index * 6 + 1);
    rows[index * 6 + 5] = record.heartRate;
  });
  const parts = [
    definition(0, MESSAGE.file_id, [
      [id.type, ENUM],
      [id.manufacturer, UINT16],
      [id.serial_number, UINT32Z],
      [id.time_created, UINT32],
    ]),
    fileId,
    definition(1, MESSAGE.record, [
      [FIELD_TIMESTAMP, UINT32],
      [FIELD.record.heart_rate, UINT8],
    ]),
    rows,
  ];
  if (offsetMinutes !== undefined) {
    const end = fitSeconds(records[records.length - 1]?.t ?? FIT_EPOCH_S * 1000);
    const local = Buffer.alloc(9);
    local[0] = 2;
    local.writeUInt32LE(end, 1);
    local.writeUInt32LE(end + offsetMinutes * 60, 5);
    parts.push(
      definition(2, MESSAGE.activity, [
        [FIELD_TIMESTAMP, UINT32],
        [FIELD.activity.local_timestamp, UINT32],
      ]),
      local,
    );
  }
  const data = Buffer.concat(parts);
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = HEADER_BYTES;
  header[1] = PROTOCOL_VERSION;
  header.writeUInt16LE(PROFILE_VERSION, 2);
  header.writeUInt32LE(data.length, 4);
  header.write('.FIT', 8, 'latin1');
  header.writeUInt16LE(fitCrc(header, 0, 12), 12);
  const body = Buffer.concat([header, data]);
  const crc = Buffer.alloc(2);
  crc.writeUInt16LE(fitCrc(body, 0, body.length), 0);
  return Buffer.concat([body, crc]);
}

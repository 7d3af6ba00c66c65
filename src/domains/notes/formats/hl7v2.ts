import { isAscii, isUtf8 } from 'node:buffer';
import { isCoded } from '../../../kernel/error.js';
import type { ErrorCode } from '../../../kernel/error.js';
import type { Format, Parsed } from '../../../kernel/format.js';
import { LIMITS } from '../../../kernel/limits.js';
import { decodeAs } from './decode.js';
import { component, delimitersOf, field, segmentsOf, splitMessages } from './hl7v2-syntax.js';
import type { Delimiters, RawMessage, Segment } from './hl7v2-syntax.js';
import { patientKeys, patientNames, personName, principal } from './hl7v2-person.js';
import { observationText } from './hl7v2-text.js';
import { classify, hl7Instant, hl7Zone } from './note-record.js';
import type { NoteRecord, NoteStatus } from './note-record.js';
import { splitSections } from './sections.js';

/**
 * HL7 v2 messages (spec notes N21): ORU^R01 gives one note for each OBR group, MDM with content (T02, T04, T06, T08, T10) one note.
 * Any segment end and MLLP frames are accepted. Text of several OBX segments is joined in order.
 * Faults, each for one message or group: FORMAT_UNSUPPORTED (other messages, ADT among them), NOTE_NO_TEXT, HL7_SEGMENT (no PID),
 * HL7_HEADER (bad delimiters), ENCODING_INVALID. Throws HL7_HEADER when the file does not begin with a message, LIMIT_RECORD.
 */
export const hl7v2: Format<NoteRecord> = { name: 'hl7v2', mediaType: 'application/hl7-v2', sniff, parse };

function sniff(head: Uint8Array): boolean {
  const text = Buffer.from(head.subarray(0, 512)).toString('latin1');
  return /^(?:\u00ef\u00bb\u00bf)?[\s\u000b]*(?:MSH|FHS|BHS)[^A-Za-z0-9\s][^A-Za-z0-9\s]{2}/.test(text);
}

async function* parse(input: AsyncIterable<Uint8Array>): AsyncGenerator<Parsed<NoteRecord>> {
  let ordinal = 0;
  for await (const raw of splitMessages(input)) {
    for (const read of readMessage(raw)) {
      yield read.ok
        ? { ok: true, ordinal, place: read.place, value: read.value }
        : {
            ok: false,
            ordinal,
            place: read.place,
            code: read.code,
            reason: read.reason,
            bytes: raw.bytes.subarray(0, LIMITS.quarantine_bytes_kept_max),
          };
      ordinal += 1;
    }
  }
}

type Read = { ok: true; place: string; value: NoteRecord } | { ok: false; place: string; code: ErrorCode; reason: string };

interface Message {
  readonly place: string;
  readonly delimiters: Delimiters;
  readonly segments: readonly Segment[];
  /** Zone of the message, for time stamps that state none. */
  readonly zone: string;
}

const MDM_WITH_CONTENT = new Set(['T02', 'T04', 'T06', 'T08', 'T10']);
const MDM_AMENDING = new Set(['T06', 'T08', 'T10']);

function* readMessage(raw: RawMessage): Generator<Read, void, undefined> {
  const place = `message ${raw.position}`;
  let text: string;
  try {
    text = decodeMessage(raw.bytes);
  } catch (error) {
    if (!isCoded(error)) throw error;
    return yield { ok: false, place, code: error.code, reason: error.message };
  }
  const delimiters = delimitersOf(text);
  if (delimiters === null)
    return yield { ok: false, place: `${place} segment 1`, code: 'HL7_HEADER', reason: 'MSH-1 and MSH-2 are no valid delimiters.' };
  const segments = segmentsOf(text, delimiters);
  const header = segments[0];
  const message: Message = { place, delimiters, segments, zone: hl7Zone(field(header, 7)) };
  const kind = component(field(header, 9), 1, delimiters);
  const event = component(field(header, 9), 2, delimiters);
  if (kind === 'ORU' && event === 'R01') yield* readResults(message);
  else if (kind === 'MDM' && MDM_WITH_CONTENT.has(event)) yield readDocument(message, MDM_AMENDING.has(event));
  else
    yield {
      ok: false,
      place: `${place} segment 1`,
      code: 'FORMAT_UNSUPPORTED',
      reason: 'MSH-9 names a message type that carries no note that is read.',
    };
}

const CHARSETS: Readonly<Record<string, string>> = {
  'UNICODE UTF-8': 'utf-8',
  'UTF-8': 'utf-8',
  ASCII: 'windows-1252',
  '': 'windows-1252',
  UNICODE: 'utf-8',
};

/** MSH-18 when it is stated; without it UTF-8 where the bytes allow, else CP1252. */
function decodeMessage(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1');
  const head =
    bytes
      .subarray(0, 4096)
      .toString('latin1')
      .split(/[\r\n]/, 1)[0] ?? '';
  const stated = (head.split(head.charAt(3))[17] ?? '').split(/[~^]/, 1)[0]?.trim().toUpperCase() ?? '';
  const latin = /^8859\/(\d{1,2})$/.exec(stated);
  const charset = latin === null ? (CHARSETS[stated] ?? stated) : `iso-8859-${latin[1] ?? '1'}`;
  return decodeAs(bytes, charset === 'windows-1252' && isUtf8(bytes) ? 'utf-8' : charset).text;
}

function* readResults(message: Message): Generator<Read> {
  let patient: Segment | undefined;
  let visit: Segment | undefined;
  let order: Segment | undefined;
  let group: Segment[] = [];
  const codes = accessCodes(message);
  let groups = 0;
  const finish = function* (): Generator<Read> {
    const head = group[0];
    if (head === undefined) return;
    groups += 1;
    yield resultNote(message, { patient, visit, order, group, head, codes });
    group = [];
  };
  for (const segment of message.segments) {
    if (segment.id === 'PID' || segment.id === 'ORC' || segment.id === 'OBR') yield* finish();
    if (segment.id === 'PID') [patient, visit, order] = [segment, undefined, undefined];
    else if (segment.id === 'PV1') visit = segment;
    else if (segment.id === 'ORC') order = segment;
    else if (segment.id === 'OBR') group = [segment];
    else if (group.length > 0 && (segment.id === 'OBX' || segment.id === 'NTE')) group.push(segment);
    else if (segment.id === 'OBX') group = [segment];
  }
  yield* finish();
  if (groups === 0) yield { ok: false, place: message.place, code: 'NOTE_NO_TEXT', reason: 'The message holds no OBR and no OBX segment.' };
}

interface ResultGroup {
  readonly patient: Segment | undefined;
  readonly visit: Segment | undefined;
  readonly order: Segment | undefined;
  readonly group: readonly Segment[];
  readonly head: Segment;
  readonly codes: readonly string[];
}

function resultNote(message: Message, { patient, visit, order, group, head, codes }: ResultGroup): Read {
  const { delimiters, zone } = message;
  const place = `${message.place} segment ${head.position}`;
  const request = head.id === 'OBR' ? head : undefined;
  const label = component(field(request, 4), 2, delimiters) || component(field(request, 4), 5, delimiters);
  const orderCode = component(field(order, 28), 1, delimiters);
  return note(message, place, patient, group, {
    typeCode: loinc(field(request, 4), delimiters),
    typeLabel: label === '' ? null : label,
    title: label === '' ? null : label,
    status: RESULT_STATUS[field(request, 25)] ?? 'unknown',
    authoredAt: firstInstant([field(request, 22), field(request, 7), field(message.segments[0], 7)], zone),
    authorName:
      principal(field(request, 32), delimiters) ??
      personName(
        field(
          group.find((s) => s.id === 'OBX'),
          16,
        ),
        delimiters,
      ),
    encounter: component(field(visit, 19), 1, delimiters) || null,
    ...classify([orderCode, ...codes]),
  });
}

function readDocument(message: Message, amending: boolean): Read {
  const { delimiters, segments, zone } = message;
  const one = (id: string): Segment | undefined => segments.find((segment) => segment.id === id);
  const txa = one('TXA');
  const obr = one('OBR');
  if (txa === undefined) return { ok: false, place: message.place, code: 'HL7_SEGMENT', reason: 'The message holds no TXA segment.' };
  const kind = DOCUMENT_TYPES[component(field(txa, 2), 1, delimiters)];
  const observations = segments.slice(segments.indexOf(txa) + 1).filter((segment) => segment.id === 'OBX' || segment.id === 'NTE');
  const label = component(field(obr, 4), 2, delimiters) || component(field(obr, 4), 5, delimiters) || (kind?.[1] ?? '');
  const status = DOCUMENT_STATUS[field(txa, 17)] ?? 'unknown';
  return note(message, `${message.place} segment ${txa.position}`, one('PID'), observations, {
    typeCode: kind?.[0] ?? loinc(field(obr, 4), delimiters),
    typeLabel: kind?.[1] ?? (label === '' ? null : label),
    title: component(field(txa, 25), 1, delimiters) || label || null,
    status: amending && status !== 'cancelled' ? 'amended' : status,
    authoredAt: firstInstant([field(txa, 6), field(txa, 4), field(message.segments[0], 7)], zone),
    authorName: personName(field(txa, 9), delimiters) ?? personName(field(txa, 5), delimiters),
    encounter: component(field(one('PV1'), 19), 1, delimiters) || null,
    ...classify([component(field(txa, 18), 1, delimiters), component(field(one('ORC'), 28), 1, delimiters), ...accessCodes(message)]),
  });
}

type Metadata = Omit<NoteRecord, 'patientKeys' | 'patientNames' | 'body' | 'sections' | 'attachment' | 'language'>;

function note(message: Message, place: string, patient: Segment | undefined, group: readonly Segment[], metadata: Metadata): Read {
  if (patient === undefined) return { ok: false, place, code: 'HL7_SEGMENT', reason: 'No PID segment says whose result this is.' };
  const { body, attachment } = observationText(group, message.delimiters);
  if (body === '' && attachment === null)
    return { ok: false, place, code: 'NOTE_NO_TEXT', reason: 'No OBX segment of the group holds text.' };
  const language = component(field(message.segments[0], 19), 1, message.delimiters);
  const keys = patientKeys(patient, message.delimiters);
  const names = patientNames(patient, message.delimiters);
  const value = {
    ...metadata,
    patientKeys: keys,
    patientNames: names,
    language: language === '' ? null : language,
    body,
    sections: splitSections(body),
    attachment,
  };
  return { ok: true, place, value };
}

/** Restrictions that stand for the whole message (ARV-3). PV1-16 is about the person and not the text, and is left alone. */
function accessCodes({ segments, delimiters }: Message): string[] {
  return segments.filter((segment) => segment.id === 'ARV').map((segment) => component(field(segment, 3), 1, delimiters));
}

function loinc(coded: string, delimiters: Delimiters): string | null {
  if (component(coded, 3, delimiters) === 'LN') return component(coded, 1, delimiters) || null;
  return component(coded, 6, delimiters) === 'LN' ? component(coded, 4, delimiters) || null : null;
}

function firstInstant(stamps: readonly string[], zone: string): string | null {
  for (const stamp of stamps) {
    const instant = hl7Instant(stamp, zone);
    if (instant !== null) return instant;
  }
  return null;
}

/** OBR-25, table 0123. */
const RESULT_STATUS: Readonly<Record<string, NoteStatus>> = {
  F: 'final',
  C: 'amended',
  P: 'preliminary',
  R: 'preliminary',
  A: 'preliminary',
  I: 'preliminary',
  S: 'preliminary',
  X: 'cancelled',
};

/** TXA-17, table 0271. */
const DOCUMENT_STATUS: Readonly<Record<string, NoteStatus>> = {
  AU: 'final',
  LA: 'final',
  DO: 'preliminary',
  DI: 'preliminary',
  IN: 'preliminary',
  IP: 'preliminary',
  PA: 'preliminary',
};

/** TXA-2, table 0270, and the LOINC document type each stands for. */
const DOCUMENT_TYPES: Readonly<Record<string, readonly [code: string, label: string]>> = {
  CN: ['11488-4', 'Consultation note'],
  DI: ['18748-4', 'Diagnostic imaging report'],
  DS: ['18842-5', 'Discharge summary'],
  ED: ['34111-5', 'Emergency department note'],
  HP: ['34117-2', 'History and physical note'],
  OP: ['11504-8', 'Operative report'],
  PN: ['28570-0', 'Procedure note'],
  PR: ['11506-3', 'Progress note'],
  SP: ['11526-1', 'Pathology report'],
  TS: ['18761-7', 'Transfer summary'],
};

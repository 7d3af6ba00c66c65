import { CodedError } from '../../../kernel/error.js';
import { readAll } from '../../../kernel/format.js';
import type { Format, Parsed } from '../../../kernel/format.js';
import { LIMITS } from '../../../kernel/limits.js';
import { bomOf, decodeGuess } from './decode.js';
import { classify } from './note-record.js';
import type { NoteRecord, NoteStatus, PatientKey } from './note-record.js';
import { splitSections } from './sections.js';

/**
 * Plain-text notes (spec notes N24). A note says whose it is in leading `Key: value` lines that end at the first blank line:
 *
 *     Patient-ID: P-0017          repeatable; required to begin the header
 *     Issuer: urn:oid:1.2.3       issuer of the Patient-ID before it, '' when absent
 *     Patient-Name: Jo Example    repeatable; masked in the view without identifiers
 *     Type: 11506-3               LOINC document type, optionally followed by a label
 *     Title: Progress note
 *     Date: 2024-03-05T10:00:00Z  ISO date or instant; without a zone it counts as UTC
 *     Author: Dr Example
 *     Encounter: E-7
 *     Language: en
 *     Status: final               final, preliminary, amended or cancelled
 *     Confidentiality: R          N, R or V
 *     Sensitivity: ETH, PSY
 *
 * A file whose first line is not `Patient-ID:` has no header: all of it is body and it names no patient.
 * Bytes are UTF-8, UTF-16 with a byte-order mark, or taken for CP1252 (a guess that leaves `status` at 'preliminary' at best).
 * Throws FILE_EMPTY, LIMIT_RECORD, ENCODING_INVALID (binary, with the byte offset); TIME_INVALID and NOTE_NO_TEXT are faults.
 */
export const text: Format<NoteRecord> = { name: 'text', mediaType: 'text/plain', sniff, parse };

const FIRST_KEY = /^\s*Patient-ID[ \t]*:/i;

function sniff(head: Uint8Array, name: string): boolean {
  if (!/\.(txt|note)$/i.test(name)) return false;
  return FIRST_KEY.test(new TextDecoder(bomOf(head) ?? 'utf-8').decode(head.subarray(0, 512)));
}

async function* parse(input: AsyncIterable<Uint8Array>): AsyncGenerator<Parsed<NoteRecord>, void, undefined> {
  const tooLarge = (): CodedError =>
    new CodedError('LIMIT_RECORD', `A note may hold ${LIMITS.record_bytes_max} bytes.`, { place: `byte ${LIMITS.record_bytes_max}` });
  const bytes = await readAll(input, LIMITS.record_bytes_max, tooLarge);
  if (bytes.length === 0) throw new CodedError('FILE_EMPTY', 'The file holds no bytes.', { place: 'byte 0' });
  refuseBinary(bytes);
  const decoded = decodeGuess(bytes);
  const whole = decoded.text.replace(/\r\n?/g, '\n');
  const { fields, bodyStart } = readHeader(whole);
  const body = whole.slice(bodyStart).trimEnd();
  const fault = (code: 'NOTE_NO_TEXT' | 'TIME_INVALID', place: string, reason: string): Parsed<NoteRecord> => ({
    ok: false,
    ordinal: 0,
    place,
    code,
    reason,
    bytes: bytes.subarray(0, LIMITS.quarantine_bytes_kept_max),
  });
  if (body === '') return yield fault('NOTE_NO_TEXT', `line ${fields.length + 1}`, 'No text follows the header lines.');
  const date = fields.find((field) => field.key === 'date');
  const authoredAt = date === undefined ? null : instant(date.value);
  if (date !== undefined && authoredAt === null)
    return yield fault('TIME_INVALID', `line ${date.line}`, 'The Date header is no ISO date or instant.');
  yield { ok: true, ordinal: 0, place: 'line 1', value: record(fields, body, authoredAt, decoded.guessed) };
}

interface HeaderField {
  readonly key: string;
  readonly value: string;
  /** 1-based. */
  readonly line: number;
}

function readHeader(whole: string): { fields: HeaderField[]; bodyStart: number } {
  const fields: HeaderField[] = [];
  if (!FIRST_KEY.test(whole)) return { fields, bodyStart: /^\n*/.exec(whole)?.[0].length ?? 0 };
  let start = 0;
  for (let line = 1; start < whole.length; line += 1) {
    const newline = whole.indexOf('\n', start);
    const end = newline < 0 ? whole.length : newline;
    const content = whole.slice(start, end).trim();
    start = end + 1;
    if (content === '' && fields.length > 0) break;
    const colon = content.indexOf(':');
    if (colon > 0) fields.push({ key: content.slice(0, colon).trim().toLowerCase(), value: content.slice(colon + 1).trim(), line });
  }
  while (whole[start] === '\n') start += 1;
  return { fields, bodyStart: Math.min(start, whole.length) };
}

function record(fields: readonly HeaderField[], body: string, authoredAt: string | null, guessed: boolean): NoteRecord {
  const one = (key: string): string | null => {
    const value = fields.find((field) => field.key === key)?.value;
    return value === undefined || value === '' ? null : value;
  };
  const type = /^(\d{1,7}-\d)?\s*(.*)$/.exec(one('type') ?? '');
  const label = type?.[2] ?? '';
  const sensitivity = (one('sensitivity') ?? '').split(/[\s,;]+/);
  const status = statusOf(one('status'));
  return {
    patientKeys: patientKeys(fields),
    patientNames: fields.filter((field) => field.key === 'patient-name' && field.value !== '').map((field) => field.value),
    typeCode: type?.[1] ?? null,
    typeLabel: label === '' ? null : label,
    title: one('title'),
    status: guessed && status === 'final' ? 'preliminary' : status,
    authoredAt,
    authorName: one('author'),
    encounter: one('encounter'),
    language: one('language'),
    ...classify([one('confidentiality') ?? '', ...sensitivity]),
    body,
    sections: splitSections(body),
    attachment: null,
  };
}

function patientKeys(fields: readonly HeaderField[]): PatientKey[] {
  const keys: PatientKey[] = [];
  for (const { key, value } of fields) {
    const last = keys.at(-1);
    if (key === 'patient-id' && value !== '') keys.push({ issuer: '', value });
    else if (key === 'issuer' && last !== undefined) keys[keys.length - 1] = { ...last, issuer: value };
  }
  return keys;
}

function statusOf(value: string | null): NoteStatus {
  const status = value?.toLowerCase();
  return status === 'final' || status === 'preliminary' || status === 'amended' || status === 'cancelled' ? status : 'unknown';
}

/** An ISO date or instant with zone; UTC when it states none. Null when it is neither. */
function instant(value: string): string | null {
  const m = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d(?:\.\d{1,3})?))?\s?(Z|[+-]\d\d:\d\d)?)?$/.exec(value);
  if (m === null) return null;
  const iso = `${m[1] ?? ''}T${m[2] ?? '00:00'}:${m[3] ?? '00'}${m[4] ?? 'Z'}`;
  const day = new Date(`${m[1] ?? ''}T00:00:00Z`);
  if (Number.isNaN(Date.parse(iso)) || day.toISOString().slice(0, 10) !== m[1]) return null;
  return iso;
}

/** A control character that text does not hold means binary. UTF-16 with its mark is text and full of zeros. */
function refuseBinary(bytes: Uint8Array): void {
  const bom = bomOf(bytes);
  if (bom === 'utf-16le' || bom === 'utf-16be') return;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x0c && byte !== 0x0b && byte !== 0x1b) {
      throw new CodedError('ENCODING_INVALID', 'The file is binary and not text.', { place: `byte ${at}` });
    }
  }
}

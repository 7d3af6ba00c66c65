import { CodedError } from '../../../kernel/error.js';
import { LIMITS } from '../../../kernel/limits.js';

/** Delimiters of one message, from MSH-1 and MSH-2. */
export interface Delimiters {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  readonly escape: string;
  readonly subcomponent: string;
}

export interface Segment {
  readonly id: string;
  /** Raw text after the segment id; parts are split only when they are asked for. */
  readonly fields: readonly string[];
  /** 1-based position in the message. */
  readonly position: number;
}

export interface RawMessage {
  readonly bytes: Buffer;
  /** 1-based position in the file. */
  readonly position: number;
}

const CR = 0x0d;
const LF = 0x0a;
const VT = 0x0b;
const FS = 0x1c;

/**
 * Cuts a stream into messages at each MSH that begins a segment. MLLP frame bytes and batch segments (FHS, BHS, BTS, FTS) fall outside.
 * Throws HL7_HEADER when the file does not begin with a message, LIMIT_RECORD when one message is larger than the limit.
 */
export async function* splitMessages(input: AsyncIterable<Uint8Array>): AsyncGenerator<RawMessage> {
  let held = Buffer.alloc(0);
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let searched = 0;
  let position = 0;
  const take = function* (): Generator<RawMessage> {
    held = Buffer.concat([held, ...waiting]);
    [waiting, waitingBytes] = [[], 0];
    for (let next = headerAt(held, searched); next >= 0; next = headerAt(held, searched)) {
      if (position > 0) yield { bytes: held.subarray(0, next), position };
      else refuseLead(held.subarray(0, next));
      position += 1;
      held = held.subarray(next);
      searched = 3;
    }
    // A header of three letters and its delimiter may be cut by the border of two parts.
    searched = Math.max(position > 0 ? 3 : 0, held.length - 4);
  };
  for await (const part of input) {
    waiting.push(part);
    waitingBytes += part.length;
    // Joining only once as much has come as is held keeps the copying linear for one long message.
    if (waitingBytes >= held.length) yield* take();
    if (held.length + waitingBytes > LIMITS.record_bytes_max) {
      throw new CodedError('LIMIT_RECORD', `A message may hold ${LIMITS.record_bytes_max} bytes.`, {
        place: `message ${Math.max(position, 1)}`,
      });
    }
  }
  yield* take();
  if (position === 0) throw new CodedError('HL7_HEADER', 'The file holds no MSH segment.', { place: 'segment 1' });
  yield { bytes: held, position };
}

function headerAt(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf('MSH', from, 'latin1'); at >= 0; at = bytes.indexOf('MSH', at + 1, 'latin1')) {
    const before = at === 0 ? CR : bytes[at - 1];
    const after = bytes[at + 3];
    if (after === undefined) return -1;
    const starts = before === CR || before === LF || before === VT || (at === 3 && before === 0xbf);
    if (starts && !isAlphanumeric(after) && after > 0x20) return at;
  }
  return -1;
}

function isAlphanumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

/** Only a byte-order mark, white space, frame bytes and batch headers may stand before the first MSH. */
function refuseLead(lead: Buffer): void {
  for (const line of lead
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .split(/[\r\n\u000b\u001c]+/)) {
    if (line.trim() !== '' && !/^(FHS|BHS)/.test(line)) {
      throw new CodedError('HL7_HEADER', 'The file does not begin with an MSH segment.', { place: 'segment 1' });
    }
  }
}

/** Delimiters of a message, or null when MSH-1 or MSH-2 break the rules (four different marks, none a letter or digit). */
export function delimitersOf(message: string): Delimiters | null {
  const field = message.charAt(3);
  let marks = message.slice(4, message.indexOf(field, 4) < 0 ? 4 : message.indexOf(field, 4));
  // Samples pasted from source code double the backslash.
  if (marks.length === 5 && marks[2] === '\\' && marks[3] === '\\') marks = marks.slice(0, 3) + marks.slice(4);
  if (marks.length < 2 || marks.length > 5) return null;
  const all = field + marks;
  if (/[A-Za-z0-9\s]/.test(all) || new Set(all).size !== all.length) return null;
  return { field, component: marks[0] ?? '', repetition: marks[1] ?? '', escape: marks[2] ?? '', subcomponent: marks[3] ?? '' };
}

/** Segments of a message. A line that is no segment continues the one before it: raw line breaks inside long text. */
export function segmentsOf(message: string, delimiters: Delimiters): Segment[] {
  const lines: string[] = [];
  for (const line of message
    .replaceAll(String.fromCharCode(FS), '')
    .replaceAll(String.fromCharCode(VT), '')
    .split(/\r\n|\r|\n/)) {
    const starts = /^[A-Z][A-Z0-9]{2}$/.test(line.slice(0, 3)) && (line.length === 3 || line.charAt(3) === delimiters.field);
    if (starts || lines.length === 0) lines.push(line);
    else lines[lines.length - 1] = `${lines.at(-1) ?? ''}\n${line}`;
  }
  return lines.map((line, i) => {
    const parts = line.trimEnd().split(delimiters.field);
    // MSH-1 is the delimiter itself: its fields count from one place later.
    const fields = parts[0] === 'MSH' ? ['MSH', delimiters.field, ...parts.slice(1)] : parts;
    return { id: parts[0] ?? '', fields, position: i + 1 };
  });
}

/** Field n (as the standard numbers it), raw; '' when absent. The explicit null `""` counts as absent. */
export function field(segment: Segment | undefined, n: number): string {
  const value = segment?.fields[n] ?? '';
  return value === '""' ? '' : value;
}

/** Component c and sub-component s (from 1) of the first repetition, unescaped. */
export function component(raw: string, c: number, delimiters: Delimiters, s = 1): string {
  const repetition = delimiters.repetition === '' ? raw : (raw.split(delimiters.repetition, 1)[0] ?? '');
  const part = repetition.split(delimiters.component)[c - 1] ?? '';
  const sub = delimiters.subcomponent === '' ? part : (part.split(delimiters.subcomponent)[s - 1] ?? '');
  return unescape(sub, delimiters).trim();
}

/** Text with HL7 escape sequences resolved; a sequence that is not known stays as it came. */
export function unescape(raw: string, delimiters: Delimiters): string {
  const mark = delimiters.escape;
  if (mark === '' || !raw.includes(mark)) return raw;
  let out = '';
  let at = 0;
  while (at < raw.length) {
    const open = raw.indexOf(mark, at);
    const close = open < 0 ? -1 : raw.indexOf(mark, open + 1);
    if (close < 0) break;
    const replaced = escapeValue(raw.slice(open + 1, close), delimiters);
    out += raw.slice(at, open) + (replaced ?? mark + raw.slice(open + 1, close));
    // An unknown sequence may be two stray marks: the second one can open a sequence of its own.
    at = replaced === null ? close : close + 1;
  }
  return out + raw.slice(at);
}

function escapeValue(sequence: string, delimiters: Delimiters): string | null {
  switch (sequence) {
    case 'F':
      return delimiters.field;
    case 'S':
      return delimiters.component;
    case 'T':
      return delimiters.subcomponent;
    case 'R':
      return delimiters.repetition;
    case 'E':
      return delimiters.escape;
    case 'H':
    case 'N':
    case '.fi':
    case '.nf':
      return '';
    case '.br':
    case '.ce':
    case '.sp':
      return '\n';
    default:
      break;
  }
  const spaces = /^\.(sp|in|ti|sk)\s*\+?(\d{1,3})$/.exec(sequence);
  if (spaces !== null) return (spaces[1] === 'sp' ? '\n' : ' ').repeat(Number(spaces[2]));
  const hex = /^X((?:[0-9A-Fa-f]{2})+)$/.exec(sequence)?.[1];
  if (hex !== undefined) return new TextDecoder('windows-1252').decode(Buffer.from(hex, 'hex')).replace(/\r\n?/g, '\n');
  return /^[CM][0-9A-Fa-f]{4,6}$/.test(sequence) || /^Z/.test(sequence) ? '' : null;
}

import type { NoteAttachment } from './note-record.js';
import { component, field, unescape } from './hl7v2-syntax.js';
import type { Delimiters, Segment } from './hl7v2-syntax.js';
import { decodeGuess } from './decode.js';

export interface ObservationText {
  /** Lines joined by `\n`; '' when no observation holds text. */
  readonly body: string;
  readonly attachment: NoteAttachment | null;
}

const MEDIA: Readonly<Record<string, string>> = {
  PDF: 'application/pdf',
  RTF: 'text/rtf',
  JPEG: 'image/jpeg',
  JPG: 'image/jpeg',
  PNG: 'image/png',
  TIFF: 'image/tiff',
  GIF: 'image/gif',
  DICOM: 'application/dicom',
  HTML: 'text/html',
  XML: 'text/xml',
};

/**
 * The text of OBX segments (and the NTE segments after them) in their order. TX and FT are lines as they stand; other types become
 * `label: value units`. Observations with result status D (deleted) or W (wrong patient) are left out.
 */
export function observationText(segments: readonly Segment[], delimiters: Delimiters): ObservationText {
  const lines: string[] = [];
  let attachment: NoteAttachment | null = null;
  for (const segment of segments) {
    if (segment.id === 'NTE') {
      lines.push(...repetitions(field(segment, 3), delimiters));
      continue;
    }
    if (segment.id !== 'OBX' || ['D', 'W'].includes(field(segment, 11))) continue;
    const type = field(segment, 2);
    const raw = field(segment, 5);
    if (type === 'ED') {
      const embedded = embeddedText(raw, delimiters);
      if (typeof embedded === 'string') lines.push(embedded);
      else attachment ??= embedded;
    } else if (type === 'RP') attachment ??= { mediaType: mediaTypeOf(component(raw, 4, delimiters)), reason: 'NO_TEXT_LAYER' };
    else if (type === 'TX' || type === 'FT' || type === '') lines.push(...repetitions(raw, delimiters));
    else lines.push(...labelled(segment, type, raw, delimiters));
  }
  return { body: tidy(lines.join('\n')), attachment };
}

function repetitions(raw: string, delimiters: Delimiters): string[] {
  const parts = delimiters.repetition === '' ? [raw] : raw.split(delimiters.repetition);
  return parts.map((part) => unescape(part, delimiters));
}

const CODED = new Set(['CE', 'CWE', 'CNE', 'CF']);

function labelled(segment: Segment, type: string, raw: string, delimiters: Delimiters): string[] {
  const identifier = field(segment, 3);
  const label = component(identifier, 2, delimiters) || component(identifier, 5, delimiters);
  const parts = delimiters.repetition === '' ? [raw] : raw.split(delimiters.repetition);
  const shown = parts
    .map((part) => displayed(type, part, delimiters))
    .filter((part) => part !== '')
    .join(', ');
  if (shown === '') return [];
  const units = component(field(segment, 6), 1, delimiters);
  return [`${label === '' ? '' : `${label}: `}${shown}${units === '' ? '' : ` ${units}`}`];
}

function displayed(type: string, part: string, delimiters: Delimiters): string {
  if (CODED.has(type)) {
    return component(part, 2, delimiters) || component(part, 9, delimiters) || component(part, 1, delimiters);
  }
  if (type === 'SN')
    return [1, 2, 3, 4]
      .map((c) => component(part, c, delimiters))
      .join('')
      .trim();
  return unescape(part.split(delimiters.component).join(' '), delimiters).trim();
}

/** ED: source application ^ type ^ subtype ^ encoding ^ data. */
function embeddedText(raw: string, delimiters: Delimiters): string | NoteAttachment | null {
  const data = component(raw, 5, delimiters);
  if (data === '') return null;
  const subtype = component(raw, 3, delimiters).toUpperCase();
  const plain = subtype === 'PLAIN' || subtype === 'TXT' || subtype === 'TEXT';
  if (!plain) return { mediaType: mediaTypeOf(subtype), reason: 'NO_TEXT_LAYER' };
  const encoding = component(raw, 4, delimiters).toUpperCase();
  return encoding === 'BASE64' ? decodeGuess(Buffer.from(data, 'base64')).text : data;
}

function mediaTypeOf(subtype: string): string {
  return MEDIA[subtype.toUpperCase()] ?? 'application/octet-stream';
}

function tidy(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+|\n+$/g, '');
}

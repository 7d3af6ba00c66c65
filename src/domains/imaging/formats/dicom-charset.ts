/**
 * Character sets of DICOM text (PS3.3 section C.12.1.1.2, PS3.5 section 6.1 and annexes H, I, J, K).
 * One decoder per code table, and a state machine for the escape sequences of ISO 2022.
 */
type Decoder = (bytes: Buffer) => string;

/** The two code elements in use: G0 for bytes below 0x80, G1 for the rest. */
interface CodeElements {
  readonly g0: Decoder | null;
  readonly g1: Decoder | null;
}

export interface Charset {
  /** A set that is not extended by escapes: UTF-8, GB18030, GBK. */
  readonly whole: Decoder | null;
  readonly initial: CodeElements;
}

const cache = new Map<string, Decoder>();

function table(label: string): Decoder {
  const known = cache.get(label);
  if (known !== undefined) return known;
  const decoder = new TextDecoder(label);
  const decode: Decoder = (bytes) => decoder.decode(bytes);
  cache.set(label, decode);
  return decode;
}

// The label iso-8859-1 means windows-1252 to TextDecoder, which gives letters where ISO 8859-1 has controls.
const latin1: Decoder = (bytes) => bytes.toString('latin1');

/** JIS X 0208 as EUC-JP: both bytes with the high bit set. */
const jis0208: Decoder = (bytes) => table('euc-jp')(Buffer.from(bytes.map((byte) => byte | 0x80)));

/** JIS X 0212 as EUC-JP: each pair behind the shift byte 0x8F. */
const jis0212: Decoder = (bytes) => {
  const shifted: number[] = [];
  for (let at = 0; at < bytes.length; at += 2) shifted.push(0x8f, ...bytes.subarray(at, at + 2).map((byte) => byte | 0x80));
  return table('euc-jp')(Buffer.from(shifted));
};

/** G1 by ISO registration number. */
const G1_BY_NUMBER: ReadonlyMap<number, Decoder> = new Map([
  [13, table('shift_jis')],
  [58, table('gbk')],
  [100, latin1],
  [101, table('iso-8859-2')],
  [109, table('iso-8859-3')],
  [110, table('iso-8859-4')],
  [126, table('iso-8859-7')],
  [127, table('iso-8859-6')],
  [138, table('iso-8859-8')],
  [144, table('iso-8859-5')],
  [148, table('iso-8859-9')],
  [149, table('euc-kr')],
  [166, table('windows-874')],
  [203, table('iso-8859-15')],
]);
/** Sets that exist only behind an escape, or add nothing to ASCII. */
const WITHOUT_G1: ReadonlySet<number> = new Set([6, 14, 87, 159]);

/** Escape sequences without the ESC byte (PS3.3 tables C.12-3 and C.12-4), with the element that they set. */
const ESCAPES: ReadonlyMap<string, Partial<CodeElements>> = new Map<string, Partial<CodeElements>>([
  ['(B', { g0: null }],
  ['(J', { g0: null }],
  ['$B', { g0: jis0208 }],
  ['$@', { g0: jis0208 }],
  ['$(D', { g0: jis0212 }],
  [')I', { g1: g1(13) }],
  ['-A', { g1: g1(100) }],
  ['-B', { g1: g1(101) }],
  ['-C', { g1: g1(109) }],
  ['-D', { g1: g1(110) }],
  ['-F', { g1: g1(126) }],
  ['-G', { g1: g1(127) }],
  ['-H', { g1: g1(138) }],
  ['-L', { g1: g1(144) }],
  ['-M', { g1: g1(148) }],
  ['-T', { g1: g1(166) }],
  ['-b', { g1: g1(203) }],
  ['$)C', { g1: g1(149) }],
  ['$)A', { g1: g1(58) }],
]);

function g1(number: number): Decoder | null {
  return G1_BY_NUMBER.get(number) ?? null;
}

export const DEFAULT_CHARSET: Charset = { whole: null, initial: { g0: null, g1: null } };

/**
 * The character set that the values of (0008,0005) name. Common misspellings ('ISO-IR 100') are understood.
 * Adds CHARSET_UNKNOWN to `warnings` for a name that is no defined term.
 */
export function charsetOf(values: readonly string[], warnings: Set<string>): Charset {
  let charset = DEFAULT_CHARSET;
  values.forEach((value, index) => {
    const term = value.trim().toUpperCase();
    if (term === '') return;
    const number = Number(/^ISO[ _-]?(?:2022)?[ _-]?IR[ _+-]?(\d+)$/.exec(term)?.[1] ?? Number.NaN);
    const whole = number === 192 || term === 'UTF8' || term === 'UTF-8' ? 'utf-8' : term === 'GB18030' || term === 'GBK' ? term : null;
    if (whole !== null) {
      if (index === 0) charset = { whole: table(whole), initial: DEFAULT_CHARSET.initial };
      return;
    }
    const decoder = G1_BY_NUMBER.get(number) ?? null;
    if (decoder === null && !WITHOUT_G1.has(number)) warnings.add('CHARSET_UNKNOWN');
    if (index === 0) charset = { whole: null, initial: { g0: null, g1: decoder } };
  });
  return charset;
}

const ESC = 0x1b;
const REPLACEMENT = '\ufffd';

function isPlain(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte >= 0x80 || byte === ESC) return false;
  return true;
}

/**
 * Decodes the value of one text element, delimiters included; it is split afterwards, because the second byte of a
 * two byte character may look like a backslash. Adds CHARSET_UNDECODABLE to `warnings` where U+FFFD stands in.
 */
export function decodeText(bytes: Buffer, charset: Charset, personName: boolean, warnings: Set<string>): string {
  if (isPlain(bytes)) return bytes.toString('latin1');
  const text = charset.whole === null ? decodeExtended(bytes, charset.initial, personName) : charset.whole(bytes);
  if (text.includes(REPLACEMENT)) warnings.add('CHARSET_UNDECODABLE');
  return text;
}

/** True for the bytes at which PS3.5 section 6.1.2.5.3 goes back to the initial code elements. */
function resets(byte: number, personName: boolean): boolean {
  if (byte === 0x5c || byte === 0x09 || byte === 0x0a || byte === 0x0c || byte === 0x0d) return true;
  return personName && (byte === 0x5e || byte === 0x3d);
}

function decodeExtended(bytes: Buffer, initial: CodeElements, personName: boolean): string {
  let { g0, g1 } = initial;
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    if (byte === ESC) {
      const sequence = escapeAt(bytes, at + 1);
      if (sequence === null) text += REPLACEMENT;
      const change = ESCAPES.get(sequence ?? '');
      if (change?.g0 !== undefined) g0 = change.g0;
      if (change?.g1 !== undefined) g1 = change.g1;
      at += 1 + (sequence?.length ?? 0);
    } else if (byte >= 0x80) {
      const end = runEnd(bytes, at, 0x80, 0xff);
      const run = bytes.subarray(at, end);
      text += g1 === null ? REPLACEMENT.repeat(run.length) : g1(run);
      at = end;
    } else if (g0 !== null && byte > 0x20 && byte < 0x7f) {
      const end = runEnd(bytes, at, 0x21, 0x7e);
      text += g0(bytes.subarray(at, end));
      at = end;
    } else {
      text += String.fromCharCode(byte);
      if (resets(byte, personName)) ({ g0, g1 } = initial);
      at += 1;
    }
  }
  return text;
}

function escapeAt(bytes: Buffer, at: number): string | null {
  for (const length of [2, 3]) {
    const sequence = bytes.toString('latin1', at, at + length);
    if (ESCAPES.has(sequence)) return sequence;
  }
  return null;
}

function runEnd(bytes: Buffer, start: number, low: number, high: number): number {
  let end = start;
  while (end < bytes.length && (bytes[end] ?? 0) >= low && (bytes[end] ?? 0) <= high) end += 1;
  return end;
}

/** The three component groups of a person name (PS3.5 section 6.2.1); an absent group is ''. */
export interface NameGroups {
  readonly alphabetic: string;
  readonly ideographic: string;
  readonly phonetic: string;
}

/** A name without the delimiters of empty groups at its end; null when nothing is left. */
export function personName(name: string | null): string | null {
  const bare = name === null ? '' : name.replace(/=+$/, '');
  return bare === '' ? null : bare;
}

export function nameGroups(name: string): NameGroups {
  const [alphabetic = '', ideographic = '', phonetic = ''] = name.split('=');
  return { alphabetic: alphabetic.trimEnd(), ideographic: ideographic.trimEnd(), phonetic: phonetic.trimEnd() };
}

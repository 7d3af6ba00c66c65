/** The record that every note format yields (spec notes N3, N4, N12). Pure shapes and the small rules that all formats share. */

/** An identifier of the patient as the source states it. `issuer` is the assigning authority or OID root, '' when none is stated. */
export interface PatientKey {
  readonly issuer: string;
  readonly value: string;
}

/** Offsets are UTF-16 code units into `NoteRecord.body`, end exclusive. Sections nest; a parent's span covers its children. */
export interface NoteSection {
  /** LOINC code, or null when none is stated or known. */
  readonly code: string | null;
  readonly title: string | null;
  readonly start: number;
  readonly end: number;
  /** 1 for a top-level section. */
  readonly level: number;
}

export type NoteStatus = 'final' | 'preliminary' | 'amended' | 'cancelled' | 'unknown';

/** N normal, R restricted, V very restricted (HL7 v3 Confidentiality). */
export type Confidentiality = 'N' | 'R' | 'V';

export interface NoteAttachment {
  readonly mediaType: string;
  readonly reason: 'NO_TEXT_LAYER';
}

export interface NoteRecord {
  readonly patientKeys: readonly PatientKey[];
  /** Names of the patient and of guardians as the header states them; they are what a masked view must not hold. */
  readonly patientNames: readonly string[];
  /** LOINC document type, or null. */
  readonly typeCode: string | null;
  readonly typeLabel: string | null;
  readonly title: string | null;
  readonly status: NoteStatus;
  /** ISO instant with zone, or null. Partial HL7 precision is the start of its period; a source without a zone counts as UTC. */
  readonly authoredAt: string | null;
  readonly authorName: string | null;
  readonly encounter: string | null;
  readonly language: string | null;
  readonly confidentiality: Confidentiality;
  /** Upper-case sensitivity codes that the source states, sorted: ETH (substance use), PSY, HIV, ... */
  readonly sensitivity: readonly string[];
  /** Canonical text with `\n` line ends. */
  readonly body: string;
  readonly sections: readonly NoteSection[];
  /** A part of the note that has no text layer. The body holds what text there is besides. */
  readonly attachment: NoteAttachment | null;
}

const NORMAL = new Set(['N', 'L', 'M', 'U']);
const RESTRICTED_WITHOUT_CATEGORY = new Set(['R', 'UWM']);

/**
 * Folds stated confidentiality and sensitivity codes (v3 Confidentiality, v2 table 0177, DS4P security labels) into one pair.
 * A sensitivity category restricts the note, and a code that is not known restricts it too: the rule fails closed.
 */
export function classify(codes: Iterable<string>): { confidentiality: Confidentiality; sensitivity: string[] } {
  let confidentiality: Confidentiality = 'N';
  const sensitivity = new Set<string>();
  for (const raw of codes) {
    const code = raw.trim().toUpperCase();
    if (code === '' || NORMAL.has(code)) continue;
    if (code === 'V') confidentiality = 'V';
    else if (confidentiality === 'N') confidentiality = 'R';
    if (code !== 'V' && !RESTRICTED_WITHOUT_CATEGORY.has(code)) sensitivity.add(code);
  }
  return { confidentiality, sensitivity: [...sensitivity].sort() };
}

/**
 * An HL7 time stamp (`YYYY[MM[DD[HH[MM[SS[.S+]]]]]][+-ZZZZ]`, v2 TS/DTM and v3 TS) as an ISO instant with its own zone.
 * Missing parts are the start of the period. Without a zone `defaultZone` ('+HH:MM' or 'Z') applies. Null when it is no time.
 */
export function hl7Instant(value: string, defaultZone = 'Z'): string | null {
  const m = /^(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,9}))?)?)?)?)?)?([+-]\d{4})?$/.exec(value.trim());
  if (m === null) return null;
  const [, year = '', month = '01', day = '01', hour = '00', minute = '00', second = '00', fraction, zone] = m;
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > days) return null;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  if (zone !== undefined && (Number(zone.slice(1, 3)) > 14 || Number(zone.slice(3)) > 59)) return null;
  const tail = zone === undefined ? defaultZone : `${zone.slice(0, 3)}:${zone.slice(3)}`;
  const millis = fraction === undefined ? '' : `.${fraction.slice(0, 3).padEnd(3, '0')}`;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${millis}${tail === '+00:00' || tail === '-00:00' ? 'Z' : tail}`;
}

/** The zone that an HL7 time stamp states, as '+HH:MM', or 'Z'. */
export function hl7Zone(value: string): string {
  const m = /([+-])(\d\d)(\d\d)$/.exec(value.trim());
  return m === null ? 'Z' : `${m[1] ?? ''}${m[2] ?? ''}:${m[3] ?? ''}`;
}

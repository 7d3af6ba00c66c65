import type { NoteSection } from './note-record.js';

/** Headings of clinical notes and the LOINC section code each stands for (spec notes N30). Own table; keys are folded to lower case. */
const HEADINGS: readonly (readonly [code: string, ...titles: string[]])[] = [
  ['10154-3', 'chief complaint', 'cc', 'reason for visit', 'presenting complaint'],
  ['10164-2', 'history of present illness', 'hpi', 'present illness', 'interval history'],
  ['11348-0', 'past medical history', 'pmh', 'pmhx', 'medical history', 'past history'],
  ['47519-4', 'past surgical history', 'psh', 'surgical history', 'procedures', 'history of procedures'],
  ['10157-6', 'family history', 'fh', 'fhx', 'family medical history'],
  ['29762-2', 'social history', 'sh', 'shx'],
  ['48765-2', 'allergies', 'allergies and intolerances', 'allergy', 'drug allergies'],
  ['10160-0', 'medications', 'current medications', 'home medications', 'meds', 'medication list'],
  ['10183-2', 'discharge medications', 'medications at discharge', 'medications on discharge'],
  ['42346-7', 'admission medications', 'medications on admission'],
  ['10187-3', 'review of systems', 'ros'],
  ['8716-3', 'vital signs', 'vitals'],
  ['29545-1', 'physical examination', 'physical exam', 'pe', 'exam', 'examination', 'physical findings'],
  ['30954-2', 'results', 'laboratory data', 'labs', 'laboratory results', 'lab results', 'laboratory'],
  ['18782-3', 'imaging', 'radiology', 'imaging results', 'studies'],
  ['51848-0', 'assessment', 'impression', 'clinical impression'],
  ['18776-5', 'plan', 'plan of treatment', 'plan of care', 'treatment plan', 'recommendations'],
  ['51847-2', 'assessment and plan', 'assessment & plan', 'assessment/plan', 'a/p', 'a&p', 'impression and plan'],
  ['11450-4', 'problem list', 'problems', 'active problems'],
  ['8648-8', 'hospital course', 'brief hospital course', 'course in hospital'],
  ['46241-6', 'admission diagnosis', 'admitting diagnosis', 'diagnosis on admission'],
  ['11535-2', 'discharge diagnosis', 'discharge diagnoses', 'final diagnosis', 'final diagnoses'],
  ['8653-8', 'discharge instructions', 'instructions', 'patient instructions'],
  ['42349-1', 'reason for referral', 'reason for consultation', 'reason for consult'],
  ['11369-6', 'immunizations', 'immunization history', 'vaccinations'],
  ['47420-5', 'functional status', 'functional assessment'],
  ['10190-7', 'mental status', 'mental status exam', 'mental status examination'],
  ['61150-9', 'subjective'],
  ['61149-1', 'objective'],
  ['55110-1', 'conclusions', 'conclusion'],
  ['59776-5', 'findings'],
];

const BY_TITLE = new Map(HEADINGS.flatMap(([code, ...titles]) => titles.map((title) => [title, code] as const)));
const LINE = /^[ \t]*([A-Za-z][A-Za-z /&,'()-]{0,59}?)[ \t]*(:|$)/;

/**
 * Sections of plain text by their headings: a known heading before a colon or alone on its line, or any line in capitals
 * before a colon. Text before the first heading belongs to no section. Offsets are UTF-16 code units into `body`.
 */
export function splitSections(body: string): NoteSection[] {
  const found: { code: string | null; title: string; start: number }[] = [];
  let start = 0;
  while (start < body.length) {
    const newline = body.indexOf('\n', start);
    const end = newline < 0 ? body.length : newline;
    const heading = headingOf(body.slice(start, Math.min(end, start + 120)));
    if (heading !== null) found.push({ ...heading, start });
    start = end + 1;
  }
  return found.map((section, i) => {
    const next = found[i + 1]?.start ?? body.length;
    return { ...section, end: section.start + body.slice(section.start, next).trimEnd().length, level: 1 };
  });
}

function headingOf(line: string): { code: string | null; title: string } | null {
  const m = LINE.exec(line);
  const title = m?.[1];
  if (m === null || title === undefined) return null;
  const code = BY_TITLE.get(title.toLowerCase().replace(/\s+/g, ' ')) ?? null;
  if (m[2] !== ':') return code !== null && title.length > 3 ? { code, title } : null;
  if (code !== null) return { code, title };
  return title.length > 3 && title === title.toUpperCase() ? { code: null, title } : null;
}

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { hl7v2 as format } from '../../../src/domains/notes/formats/hl7v2.js';
import type { NoteRecord } from '../../../src/domains/notes/formats/note-record.js';
import { beside, countOf, filesBelow, outcomeOf, readWith, type Case, type FileRead, type Suite } from '../suite.js';

const WITH_NOTE = /^(ORU\^R01|MDM\^T(02|04|06|08|10))/;
const LINE_END = /\r\n|\r|\n/;

/** A message as plain string splitting sees it: independent of the reader, without escapes and repetitions. */
interface Plain {
  readonly type: string;
  readonly patient: string;
  readonly visit: string;
}

function plainMessages(text: string): Plain[] {
  const messages: string[][] = [];
  for (const line of text.split(LINE_END).map((each) => each.replace(/^\u000b/, ''))) {
    if (line.startsWith('MSH')) messages.push([]);
    messages.at(-1)?.push(line);
  }
  return messages.map((lines) => {
    const bar = lines[0]?.[3] ?? '|';
    const fields = (id: string): string[] => (lines.find((line) => line.startsWith(id + bar)) ?? '').split(bar);
    const first = (field: string | undefined): string => (field ?? '').split(/[~^]/)[0] ?? '';
    return { type: fields('MSH')[8] ?? '', patient: first(fields('PID')[3]), visit: first(fields('PV1')[19]) };
  });
}

/** Values of the expected FHIR bundle beside `Message.X.txt` (`FHIR_bundle.X.json`, JSON or XML): every quoted text in it. */
function bundleValues(file: string): ReadonlySet<string> | null {
  const stem = /^Message\.(.+)\.txt$/.exec(path.basename(file))?.[1];
  const bundle = stem === undefined ? null : beside(file, `FHIR_bundle.${stem}.json`);
  if (bundle === null) return null;
  return new Set([...readFileSync(bundle, 'utf8').matchAll(/"([^"]*)"/g)].map(([, value = '']) => value));
}

/** Why the reading differs from what the messages say, or null. */
function difference(read: FileRead<NoteRecord>, messages: readonly Plain[], bundle: ReadonlySet<string> | null): string | null {
  if (read.crash !== null || read.thrown !== null) return outcomeOf(read);
  const noted = messages.filter(({ type }) => WITH_NOTE.test(type));
  const foreign = read.faults.filter((fault) => fault.code === 'FORMAT_UNSUPPORTED').length;
  if (foreign !== messages.length - noted.length)
    return `${foreign} of ${messages.length - noted.length} messages without a note were named`;
  if (read.records.length < noted.length) return `${read.records.length} notes of ${noted.length} messages`;
  for (const { patient, visit } of noted) {
    if (!read.records.some((note) => note.patientKeys.some((key) => key.value === patient))) return 'no note has the patient of PID-3';
    if (visit !== '' && !read.records.some((note) => note.encounter === visit)) return 'no note has the visit of PV1-19';
  }
  if (bundle !== null) {
    const [note] = read.records;
    if (!bundle.has(note?.patientKeys[0]?.value ?? '')) return 'the patient is not that of the expected bundle';
    if (note?.encounter !== null && !bundle.has(note?.encounter ?? '')) return 'the encounter is not that of the expected bundle';
  }
  return null;
}

/**
 * Files of HL7 v2 messages (spec notes N62): each message with a note must give one with its patient and visit, each other one a fault that
 * says so, and where the expected FHIR bundle lies beside the file the identifiers must stand in it. Delimiters of components are taken to be ^ and ~.
 */
export const suite: Suite = {
  about: 'HL7 v2 messages against plain splitting and expected bundles',
  async run(folder) {
    const cases: Case[] = [];
    const count = { messages: 0, notes: 0, crashed: 0 };
    for (const file of filesBelow(folder, /\.(hl7|txt)$/i)) {
      const full = path.join(folder, file);
      const text = readFileSync(full, 'latin1');
      if (!/^[\s\u000b]*MSH/.test(text)) continue;
      const messages = plainMessages(text);
      const read = await readWith(format, full);
      const differs = difference(read, messages, bundleValues(full));
      count.messages += messages.length;
      count.notes += read.records.length;
      if (read.crash !== null) count.crashed += 1;
      const expected = messages.map(({ type }) => (WITH_NOTE.test(type) ? 'a note' : 'FORMAT_UNSUPPORTED')).join(', ');
      cases.push({ id: file, verdict: differs === null ? 'passed' : 'failed', expected, got: differs ?? expected });
    }
    return { cases, figures: { ...count, agreed: countOf(cases, 'passed') } };
  },
};

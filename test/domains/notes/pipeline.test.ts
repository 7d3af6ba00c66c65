import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { ISSUERS, LABELS, isCoded } from '../../../src/kernel/index.js';
import { holdsKnown, redactText } from '../../../src/domains/notes/formats/redact.js';
import { DATA, assetOf, broken, bytesOf, describeWithData, filesBelow, rowsOf, stageFile, type StagedRow } from './support.js';

const TEXT = `Patient-ID: P-0017
Issuer: urn:example:mrn
Patient-Name: Ada Byron
Type: 11506-3 Progress note of Byron
Title: Visit of Ada Byron
Date: 2024-03-05T10:00:00+01:00
Author: Dr Grace Murray
Encounter: ENC-77
Language: en
Sensitivity: ETH

HISTORY OF PRESENT ILLNESS:
Ms. Byron (P-0017) reports chest pain. Denies edema. Seen by MURRAY in ENC-77.

BYRON FAMILY:
Mother had heart failure.
`;

const CCDA = `<ClinicalDocument xmlns="urn:hl7-org:v3"><confidentialityCode code="V"/>
  <recordTarget><patientRole><id root="1.2.3" extension="A-1"/><id root="9.8.7"/>
    <patient><name><given>Ada</given><family>Byron</family></name><guardian><guardianPerson><name>Anne Milbanke</name></guardianPerson></guardian></patient>
  </patientRole></recordTarget>
  <component><structuredBody><component><section><code code="10164-2" codeSystem="2.16.840.1.113883.6.1"/><title>HPI</title>
    <text>ADA came with Anne; no syncope.</text></section></component></structuredBody></component></ClinicalDocument>`;

const SCAN = `<ClinicalDocument xmlns="urn:hl7-org:v3"><effectiveTime value="20240305"/>
  <recordTarget><patientRole><id root="1.2.3" extension="A-1"/></patientRole></recordTarget>
  <component><nonXMLBody><text mediaType="application/pdf" representation="B64">JVBERi0=</text></nonXMLBody></component></ClinicalDocument>`;

const MESSAGE = [
  'MSH|^~\\&|a|b|c|d|20200101||ORU^R01|1|P|2.6',
  'PID|1||77^^^H&1.2.3&ISO~88||Doe^Jane^Q~Roe^Jane||||Smyth^Janie',
  'OBR|1||x|18748-4^Report^LN|||20200102030405',
  'OBX|1|TX|||Jane DOE, born Roe, called Smyth (77). BP \\X00\\ normal.',
].join('\r');

const noteOf = (staged: readonly StagedRow[]): Readonly<Record<string, unknown>> => rowsOf(staged, 'note')[0] ?? {};

describe('staging a plain-text note', () => {
  it('gives the note, then its sections, then its concepts, all with the keys as stated before the bare record number', async () => {
    const staged = await stageFile('text', TEXT);
    expect(staged.map((each) => each.asset)).toEqual([
      'note',
      'note_section',
      'note_section',
      'note_concept',
      'note_concept',
      'note_concept',
    ]);
    for (const each of staged) {
      expect(each.keys).toEqual([
        { issuer: 'urn:example:mrn', value: 'P-0017' },
        { issuer: ISSUERS.mrn, value: 'P-0017' },
      ]);
      expect(each.row['note_id']).toBe(noteOf(staged)['note_id']);
      expect(each.row['sensitivity']).toBe(1);
      expect(broken(each)).toEqual([]);
    }
  });

  it('keeps the raw text beside a redacted one, time in UTC and the digest of the body', async () => {
    const note = noteOf(await stageFile('text', TEXT));
    expect(note).toMatchObject({
      type_code: '11506-3',
      type_label: 'Progress note of [NAME]',
      title: 'Visit of Ada Byron',
      status: 'unknown',
      author: 'Dr Grace Murray',
      encounter: 'ENC-77',
      authored_at: '2024-03-05T09:00:00.000Z',
      authored_key: '2024-03-05T09:00:00.000Z',
      language: 'en',
      labels: ['ETH'],
      label_bits: 1 << LABELS.ETH,
      refs: ['author=?', 'encounter=?'],
      has_text: true,
      attachment: null,
    });
    expect(note['body']).toContain('Ms. Byron (P-0017)');
    expect(note['masked_body']).toContain('Ms. [NAME] ([ID]) reports chest pain. Denies edema. Seen by [NAME] in [ID].');
    expect(note['body_digest']).toBe(createHash('sha256').update(String(note['body'])).digest('hex'));
  });

  it('redacts sections and their headings', async () => {
    const sections = rowsOf(await stageFile('text', TEXT), 'note_section');
    expect(sections.map((row) => [row['ordinal'], row['code'], row['title']])).toEqual([
      [0, '10164-2', 'HISTORY OF PRESENT ILLNESS'],
      [1, null, '[NAME] FAMILY'],
    ]);
    expect(sections[0]?.['body']).toContain('Byron');
    expect(sections[0]?.['masked_body']).not.toMatch(/byron|murray|P-0017/i);
  });

  it('writes concepts with their context and offsets into the body', async () => {
    const staged = await stageFile('text', TEXT);
    const body = String(noteOf(staged)['body']);
    const concepts = rowsOf(staged, 'note_concept');
    expect(
      concepts.map((row) => [row['code'], row['negation'], row['experiencer'], body.slice(Number(row['starts']), Number(row['ends']))]),
    ).toEqual([
      ['R07.9', 'AFFIRMED', 'PATIENT', 'chest pain'],
      ['R60.9', 'NEGATED', 'PATIENT', 'edema'],
      ['I50.9', 'AFFIRMED', 'FAMILY', 'heart failure'],
    ]);
    expect(concepts[0]).toMatchObject({
      ordinal: 0,
      label: 'Chest pain',
      temporality: 'RECENT',
      extractor: 'thalamus-cardiopulmonary/1',
      authored_at: '2024-03-05T09:00:00.000Z',
    });
  });

  it('orders a note without a time as the oldest and warns of it', async () => {
    for (const text of [TEXT.replace(/Date:.*\n/, ''), TEXT.replace(/Date:.*/, 'Date: 0001-01-01')]) {
      const [staged] = await stageFile('text', text);
      expect(staged?.row).toMatchObject({ authored_at: null, authored_key: '1900-01-01T00:00:00.000Z' });
      expect(staged && broken(staged)).toEqual(['note_has_author_time']);
    }
  });

  it('refuses a note that names no patient', async () => {
    await expect(stageFile('text', 'A note of nobody.')).rejects.toMatchObject({ code: 'PATIENT_UNKNOWN' });
  });
});

describe('staging C-CDA and HL7 v2', () => {
  it('redacts names of patient and guardian that the header states, and takes a root alone for a bare id', async () => {
    const staged = await stageFile('ccda', CCDA);
    expect(noteOf(staged)).toMatchObject({ sensitivity: 2, masked_body: 'HPI\n[NAME] came with [NAME]; no syncope.' });
    expect(staged[0]?.keys).toEqual([
      { issuer: '1.2.3', value: 'A-1' },
      { issuer: ISSUERS.mrn, value: 'A-1' },
      { issuer: ISSUERS.mrn, value: '9.8.7' },
    ]);
  });

  it('keeps a document without text as a row with its attachment', async () => {
    const staged = await stageFile('ccda', SCAN);
    expect(staged.map((each) => each.asset)).toEqual(['note']);
    expect(noteOf(staged)).toMatchObject({
      body: '',
      masked_body: '',
      has_text: false,
      attachment: { mediaType: 'application/pdf', reason: 'NO_TEXT_LAYER' },
    });
    expect(staged[0] && broken(staged[0])).toEqual(['body_not_empty']);
  });

  it('redacts all names of PID-5 and PID-9, tries all repetitions of PID-3 and holds no NUL', async () => {
    const staged = await stageFile('hl7v2', MESSAGE);
    expect(noteOf(staged)['masked_body']).toBe('[NAME] [NAME], born [NAME], called [NAME] ([ID]). BP \uFFFD normal.');
    expect(staged[0]?.keys?.map((key) => key.value)).toEqual(['77', '77', '88']);
    expect(noteOf(staged)['body']).not.toContain('\0');
  });
});

describe('the expectation on redaction', () => {
  it('fails a row in which a known identifier stands, and one whose identifiers did not come along', async () => {
    const [staged] = await stageFile('text', TEXT);
    if (!staged) throw new Error('no row');
    const name = 'redaction_leaves_no_known_identifier';
    expect(broken({ ...staged, row: { ...staged.row, masked_body: 'Then BYRON left.' } })).toEqual([name]);
    expect(broken({ ...staged, row: { ...staged.row, type_label: 'p-0017' } })).toEqual([name]);
    expect(broken({ ...staged, row: { ...staged.row, masked_body: 'Byronic; [NAME]' } })).toEqual([]);
    expect(broken({ ...staged, row: Object.fromEntries(Object.entries(staged.row)) })).toEqual([name]);
  });

  it('holds for whatever redactText gives', () => {
    const word = fc.constantFrom('Ada', 'Byron', 'Ng', 'P-17', '4711', 'Name', 'date', ' ', ', ', '\n', 'of', '2024-03-05', '[NAME]', 'x');
    const known = fc.array(fc.constantFrom('Ada Byron', 'Ng', 'P-17', '4711', 'Name', 'Date Phone', '17'), { maxLength: 4 });
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), known, (words, identifiers) => {
        expect(holdsKnown(redactText(words.join(''), identifiers), identifiers)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

it('writes exactly the columns that the migration makes', () => {
  const sql = readFileSync(path.resolve(__dirname, '../../../migrations/20261122100400-create-notes.ts'), 'utf8');
  const TYPES: Readonly<Record<string, string>> = { smallint: 'int', boolean: 'bool', jsonb: 'json' };
  for (const table of ['note', 'note_section', 'note_concept']) {
    const body = new RegExp(`create table ${table} \\(\\$\\{person\\},([\\s\\S]*?)primary key`).exec(sql)?.[1] ?? '';
    const made = [...body.matchAll(/(?:^|,)\s*([a-z_]+) ([a-z\d]+(?:\[\])?)(?! generated)(?=[ ,])/g)].filter(
      ([, , type]) => type !== 'tsvector',
    );
    const base = {
      patient_id: 'uuid',
      site_id: 'text',
      sensitivity: 'int',
      label_bits: 'int',
      refs: 'text[]',
      source_digest: 'text',
      source_ordinal: 'int',
    };
    expect(assetOf(table).columns).toEqual({
      ...base,
      ...Object.fromEntries(made.map(([, name = '', type = '']) => [name, TYPES[type] ?? type])),
    });
  }
});

describeWithData('staging the sample set', () => {
  it('stages every C-CDA file that names a patient, refuses the others by PATIENT_UNKNOWN and leaks no name that a header states', async () => {
    let staged = 0;
    let unknown = 0;
    let read = 0;
    for (const file of filesBelow(path.join(DATA, 'c-cda'), '.xml')) {
      try {
        const rows = await stageFile('ccda', readFileSync(file));
        if (rows.length === 0) continue;
        staged += 1;
        for (const each of rows) {
          expect(broken(each).filter((name) => name !== 'note_has_author_time' && name !== 'body_not_empty')).toEqual([]);
          expect(Object.keys(each.row).filter((name) => !(name in assetOf(each.asset).columns))).toEqual([]);
        }
      } catch (error) {
        if (!isCoded(error)) throw error;
        if (error.code === 'PATIENT_UNKNOWN') unknown += 1;
      } finally {
        read += 1;
      }
    }
    expect(read).toBe(334);
    expect({ staged, unknown }).toEqual({ staged: 13, unknown: 152 });
  });

  it('masks the name and number of the patient in real ORU and MDM messages', async () => {
    const oru = await stageFile('hl7v2', bytesOf('hl7v2', 'ORU-multiline-short.hl7'));
    expect(oru[0]?.keys).toEqual([
      { issuer: 'MRN', value: '0d70c6c8' },
      { issuer: ISSUERS.mrn, value: '0d70c6c8' },
    ]);
    expect(String(noteOf(oru)['masked_body'])).not.toMatch(/0d70c6c8|autogenerated/i);
    const mdm = await stageFile('hl7v2', bytesOf('hl7v2', 'Message.hl7_MDM_T02.txt'));
    expect(noteOf(mdm)).toMatchObject({
      type_code: '28570-0',
      title: 'Discharge Summary',
      status: 'final',
      authored_at: '2023-08-20T17:49:13.000Z',
    });
    expect(mdm[0]?.keys?.[0]).toEqual({ issuer: '1.1.1.1', value: '000322330' });
    expect([...oru, ...mdm].flatMap(broken)).toEqual([]);
  });
});

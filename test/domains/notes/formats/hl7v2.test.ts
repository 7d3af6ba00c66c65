import { hl7v2 } from '../../../../src/domains/notes/formats/hl7v2.js';
import { bytesOf, describeWithData, read, value, values } from './support.js';

const MSH = 'MSH|^~\\&|APP|FAC|||20240305101500-0500||ORU^R01|1|P|2.5';
const PID = 'PID|1||P1^^^HOSP&1.2.3&ISO^MR~S9^^^SSA^SS||DOE^JOHN';
const oru = (...segments: string[]): string => [MSH, PID, ...segments].join('\r');

describe('hl7v2', () => {
  it('joins the observations of one OBR into one note, in order', async () => {
    const message = oru(
      'PV1|1|I|||||||||||||||||V77',
      'OBR|1|||18748-4^Imaging report^LN|||202403051000||||||||||||||||||F',
      'OBX|1|TX|||FINDINGS: clear lungs||||||F',
      'OBX|2|TX|||||||||F',
      'OBX|3|FT|||one\\.br\\two||||||F',
      'OBX|4|NM|8867-4^Heart rate^LN||72|/min|||||F',
      'OBX|5|CE|1^Rhythm^L||S^Sinus^L||||||F',
      'NTE|1||a comment',
    );
    expect(await value(hl7v2, message)).toMatchObject({
      patientKeys: [
        { issuer: '1.2.3', value: 'P1' },
        { issuer: 'SSA', value: 'S9' },
      ],
      typeCode: '18748-4',
      typeLabel: 'Imaging report',
      status: 'final',
      authoredAt: '2024-03-05T10:00:00-05:00',
      encounter: 'V77',
      body: 'FINDINGS: clear lungs\n\none\ntwo\nHeart rate: 72 /min\nRhythm: Sinus\na comment',
      sections: [{ code: '59776-5', title: 'FINDINGS', start: 0, level: 1 }],
    });
  });

  it('gives one note for each OBR and for each message', async () => {
    const two = oru('OBR|1|||A^First', 'OBX|1|TX|||a', 'OBR|2|||B^Second', 'OBX|1|TX|||b');
    const notes = await values(hl7v2, `${two}\n${two.replaceAll('P1', 'P2')}`);
    expect(notes.map((n) => [n.patientKeys[0]?.value, n.title, n.body])).toEqual([
      ['P1', 'First', 'a'],
      ['P1', 'Second', 'b'],
      ['P2', 'First', 'a'],
      ['P2', 'Second', 'b'],
    ]);
  });

  it('never carries a patient over to the next message', async () => {
    const [, second] = await read(hl7v2, `${oru('OBR|1', 'OBX|1|TX|||a')}\r${MSH}\rOBR|1\rOBX|1|TX|||b`);
    expect(second).toMatchObject({ ok: false, ordinal: 1, code: 'HL7_SEGMENT', place: 'message 2 segment 2' });
  });

  it.each(['\r', '\n', '\r\n'])('reads segment ends %j, MLLP frames and any chunking', async (end) => {
    const framed = `\u000b${oru('OBR|1', 'OBX|1|TX|||x').replaceAll('\r', end)}${end}\u001c\r`.repeat(2);
    for (const size of [1, 3, 7, 4096]) {
      const parsed = await read(hl7v2, framed, 'x', size);
      expect(parsed.map((p) => p.ok && p.value.body)).toEqual(['x', 'x']);
    }
  });

  it('continues a segment over raw line breaks', async () => {
    expect(await value(hl7v2, oru('OBR|1', 'OBX|1|TX|||line one\nline two\nMSHA'))).toMatchObject({ body: 'line one\nline two\nMSHA' });
  });

  it('resolves escapes with the delimiters of the message', async () => {
    expect(await value(hl7v2, oru('OBR|1', 'OBX|1|TX|||a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f \\X4142\\ \\H\\g\\N\\ 3\\q'))).toMatchObject({
      body: 'a|b^c&d~e\\f AB g 3\\q',
    });
    const other = oru('OBR|1', 'OBX|1|TX|||a\\F\\b').replaceAll('|', '#');
    expect(await value(hl7v2, other)).toMatchObject({ body: 'a#b' });
  });

  it('leaves out observations that were deleted or belong to the wrong patient', async () => {
    expect(await value(hl7v2, oru('OBR|1', 'OBX|1|TX|||kept||||||F', 'OBX|2|TX|||wrong||||||W'))).toMatchObject({ body: 'kept' });
  });

  it('restricts by the codes of order, document and access segments', async () => {
    expect(await value(hl7v2, oru('ARV|1|A|ETH', 'OBR|1', 'OBX|1|TX|||x'))).toMatchObject({ confidentiality: 'R', sensitivity: ['ETH'] });
    const mdm = oru('TXA|1|DS||||20240305|||||||||||LA|V', 'OBX|1|TX|||x').replace('ORU^R01', 'MDM^T02');
    expect(await value(hl7v2, mdm)).toMatchObject({ confidentiality: 'V', typeCode: '18842-5', authoredAt: '2024-03-05T00:00:00-05:00' });
  });

  it('names an embedded PDF as an attachment without text', async () => {
    expect(await value(hl7v2, oru('OBR|1', 'OBX|1|ED|||^AP^PDF^Base64^JVBERi0='))).toMatchObject({
      body: '',
      attachment: { mediaType: 'application/pdf', reason: 'NO_TEXT_LAYER' },
    });
  });

  it('reads the character set that MSH-18 states', async () => {
    const message = oru('OBR|1', 'OBX|1|TX|||caf\u00e9').replace('|P|2.5', '|P|2.5||||||8859/1');
    expect(await value(hl7v2, Buffer.from(message, 'latin1'))).toMatchObject({ body: 'caf\u00e9' });
    expect(await value(hl7v2, oru('OBR|1', 'OBX|1|TX|||caf\u00e9'))).toMatchObject({ body: 'caf\u00e9' });
  });

  it('refuses what is no message and faults what it does not read', async () => {
    await expect(read(hl7v2, 'PID|1||x')).rejects.toMatchObject({ code: 'HL7_HEADER', place: 'segment 1' });
    await expect(read(hl7v2, `hello\r${MSH}`)).rejects.toMatchObject({ code: 'HL7_HEADER' });
    expect(await read(hl7v2, MSH.replace('^~\\&', '^^^^'))).toMatchObject([
      { ok: false, code: 'HL7_HEADER', place: 'message 1 segment 1' },
    ]);
    expect(await read(hl7v2, MSH.replace('ORU^R01', 'ADT^A01'))).toMatchObject([{ ok: false, code: 'FORMAT_UNSUPPORTED' }]);
    expect(await read(hl7v2, oru('OBR|1', 'OBX|1|TX|||'))).toMatchObject([{ ok: false, code: 'NOTE_NO_TEXT' }]);
  });
});

describeWithData('hl7v2 over real messages', () => {
  it('reads the transcribed document with its identity, author and text', async () => {
    const note = await value(hl7v2, bytesOf('hl7v2', 'Message.hl7_MDM_T02.txt'));
    expect(note).toMatchObject({
      patientKeys: [{ issuer: '1.1.1.1', value: '000322330' }],
      status: 'final',
      authoredAt: '2023-08-20T17:49:13Z',
      encounter: '1234567891',
      attachment: { mediaType: 'application/pdf' },
    });
    expect(note.body.split('\n')[0]).toBe('Transcription Authentication Interface Message Text');
    expect(note.body).toContain('Critical Value Reported Lab :   Yes');
    expect(note.body).not.toContain('.br');
    expect(note.body).toContain('Critical Values-String: Table formatting');
  });

  it.each(['ORU-multiline-short.hl7', 'ORU-multiline-short-mixed.hl7'])('joins the lines of %s into one note', async (file) => {
    const note = await value(hl7v2, bytesOf('hl7v2', file));
    expect(note).toMatchObject({ patientKeys: [{ issuer: 'MRN', value: '0d70c6c8' }], typeLabel: 'ECHO CARDIOGRAM COMPLETE' });
    expect(note.body).toBe('[PII] Emergency Department\nED Encounter Arrival Date: [ADDRESS] [PERSONALNAME]:');
  });

  it.each(['sample_unix.hl7', 'sample_win.hl7'])('keeps the admission messages of %s out of the notes', async (file) => {
    const parsed = await read(hl7v2, bytesOf('hl7v2', file));
    expect(parsed.map((p) => !p.ok && p.code)).toEqual(['FORMAT_UNSUPPORTED']);
  });
});

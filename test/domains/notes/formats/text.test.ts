import { text } from '../../../../src/domains/notes/formats/text.js';
import { read, value } from './support.js';

const NOTE = `Patient-ID: P-0017
Issuer: 1.2.3
Patient-ID: 99
Type: 11506-3 Progress note
Title: Clinic visit
Date: 2024-03-05
Author: Dr Example
Status: final
Sensitivity: ETH, psy

CHIEF COMPLAINT: chest pain
HPI:
Pain since Monday.

Assessment and Plan
1. rest
SOCIAL SITUATION: lives alone
`;

describe('text', () => {
  it('takes whose note it is from the header lines', async () => {
    expect(await value(text, NOTE)).toMatchObject({
      patientKeys: [
        { issuer: '1.2.3', value: 'P-0017' },
        { issuer: '', value: '99' },
      ],
      typeCode: '11506-3',
      typeLabel: 'Progress note',
      title: 'Clinic visit',
      authoredAt: '2024-03-05T00:00:00Z',
      authorName: 'Dr Example',
      status: 'final',
      confidentiality: 'R',
      sensitivity: ['ETH', 'PSY'],
    });
  });

  it('splits sections by headings with spans into the body', async () => {
    const note = await value(text, NOTE);
    expect(note.body.startsWith('CHIEF COMPLAINT')).toBe(true);
    expect(note.sections.map((s) => [s.code, note.body.slice(s.start, s.end)])).toEqual([
      ['10154-3', 'CHIEF COMPLAINT: chest pain'],
      ['10164-2', 'HPI:\nPain since Monday.'],
      ['51847-2', 'Assessment and Plan\n1. rest'],
      [null, 'SOCIAL SITUATION: lives alone'],
    ]);
  });

  it('has the same body for every line end and for UTF-16', async () => {
    const { body } = await value(text, NOTE);
    expect((await value(text, NOTE.replaceAll('\n', '\r\n'))).body).toBe(body);
    expect((await value(text, NOTE.replaceAll('\n', '\r'))).body).toBe(body);
    expect((await value(text, Buffer.from(`\ufeff${NOTE}`, 'utf16le'))).body).toBe(body);
    expect((await value(text, `\ufeff${NOTE}`)).body).toBe(body);
  });

  it('takes bytes that are not UTF-8 for CP1252 and does not call such a note final', async () => {
    const note = await value(text, Buffer.from(NOTE.replace('Pain', 'caf\u00e9'), 'latin1'));
    expect(note.body).toContain('caf\u00e9');
    expect(note.status).toBe('preliminary');
  });

  it('treats a text without the header as body that names nobody', async () => {
    expect(await value(text, 'Title: not a header\n\nwords')).toMatchObject({
      patientKeys: [],
      title: null,
      body: 'Title: not a header\n\nwords',
    });
  });

  it('refuses binary and empty files, and faults notes without text or with a wrong date', async () => {
    await expect(read(text, Buffer.from([65, 66, 0, 67]))).rejects.toMatchObject({ code: 'ENCODING_INVALID', place: 'byte 2' });
    await expect(read(text, '')).rejects.toMatchObject({ code: 'FILE_EMPTY' });
    expect(await read(text, 'Patient-ID: 1\n\n  \n')).toMatchObject([{ ok: false, code: 'NOTE_NO_TEXT' }]);
    expect(await read(text, 'Patient-ID: 1\nDate: 2024-02-30\n\nx')).toMatchObject([{ ok: false, code: 'TIME_INVALID', place: 'line 2' }]);
  });

  it('claims only notes that say whose they are', () => {
    const claims = (content: string, name: string): boolean => text.sniff(Buffer.from(content), name);
    expect(claims(NOTE, 'a.txt')).toBe(true);
    expect(claims(NOTE, 'a.note')).toBe(true);
    expect(claims(NOTE, 'a.tsv')).toBe(false);
    expect(claims('chapmanbe/negex @d136b97', 'source.txt')).toBe(false);
  });
});

import { charsetOf, decodeText, nameGroups } from '../../../../src/domains/imaging/formats/dicom-charset.js';
import { readDicom } from '../../../../src/domains/imaging/formats/dicom.js';
import { describeWithData, load } from './support.js';

function decode(terms: string[], bytes: string | number[], personName = true): { text: string; warnings: string[] } {
  const warnings = new Set<string>();
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes);
  const text = decodeText(buffer, charsetOf(terms, warnings), personName, warnings);
  return { text, warnings: [...warnings] };
}

describeWithData('names of the public character set files', () => {
  test.each([
    ['chrArab', 'قباني^لنزار'],
    ['chrFrenMulti', 'Buc^Jérôme'],
    ['chrGerm', 'Äneas^Rüdiger'],
    ['chrH31', 'Yamada^Tarou=山田^太郎=やまだ^たろう'],
    ['chrH32', 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう'],
    ['chrI2', 'Hong^Gildong=洪^吉洞=홍^길동'],
    ['chrJapMulti', 'やまだ^たろう'],
    ['chrKoreanMulti', '김희중'],
    ['chrRuss', 'Люкceмбypг'],
    ['chrX1', 'Wang^XiaoDong=王^小東'],
  ])('%s', (file, name) => {
    const record = readDicom(load(`pydicom/charset_files/${file}.dcm`));
    expect(record.patientName).toBe(name);
    expect(record.warnings).not.toContain('CHARSET_UNDECODABLE');
  });
});

describe('character sets', () => {
  // Encoded names of PS3.5 and of the well-known Clunie examples.
  test.each([
    ['ISO 2022 IR 13', 'ﾔﾏﾀﾞ^ﾀﾛｳ', '\x1b)I\xd4\xcf\xc0\xde^\x1b)I\xc0\xdb\xb3'],
    ['ISO 2022 IR 100', 'Buc^Jérôme', '\x1b-ABuc^\x1b-AJ\xe9r\xf4me'],
    ['ISO 2022 IR 101', 'Wałęsa', '\x1b-BWa\xb3\xeasa'],
    ['ISO 2022 IR 109', 'antaŭnomo', '\x1b-Canta\xfdnomo'],
    ['ISO 2022 IR 110', 'vārds', '\x1b-Dv\xe0rds'],
    ['ISO 2022 IR 126', 'Διονυσιος', '\x1b-F\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2'],
    ['ISO 2022 IR 138', 'שרון^דבורה', '\x1b-H\xf9\xf8\xe5\xef^\x1b-H\xe3\xe1\xe5\xf8\xe4'],
    ['ISO 2022 IR 148', 'Çavuşoğlu', '\x1b-M\xc7avu\xfeo\xf0lu'],
    ['ISO 2022 IR 166', 'นามสกุล', '\x1b-T\xb9\xd2\xc1\xca\xa1\xd8\xc5'],
  ])('%s behind an escape', (term, name, bytes) => {
    expect(decode(['', term], bytes)).toEqual({ text: name, warnings: [] });
  });

  test('JIS X 0212 and JIS X 0208 in one name', () => {
    const bytes = 'Mori^Ogai=\x1b$B?9\x1b(B^\x1b$(Dl?\x1b$B30\x1b(B=\x1b$B$b$j\x1b(B^\x1b$B$*$&$,$$\x1b(B';
    expect(decode(['ISO 2022 IR 6', 'ISO 2022 IR 87', 'ISO 2022 IR 159'], bytes).text).toBe('Mori^Ogai=森^鷗外=もり^おうがい');
  });

  test('GB 2312 behind an escape, GB18030 and GBK as whole sets', () => {
    expect(decode(['', 'ISO 2022 IR 58'], 'Zhang=\x1b$)A\xd5\xc5').text).toBe('Zhang=张');
    expect(decode(['GB18030'], 'Wang=\xcd\xf5').text).toBe('Wang=王');
    expect(decode(['GBK'], 'Wang=\xcd\xf5').text).toBe('Wang=王');
  });

  test('delimiters go back to the first set, in names at ^ and = and in all text at the backslash', () => {
    const greekThenLatin = '\x1b-F\xc4\xe9^\xe9';
    expect(decode(['ISO 2022 IR 100', 'ISO 2022 IR 126'], greekThenLatin).text).toBe('Δι^é');
    expect(decode(['ISO 2022 IR 100', 'ISO 2022 IR 126'], greekThenLatin, false).text).toBe('Δι^ι');
    expect(decode(['ISO 2022 IR 100', 'ISO 2022 IR 126'], '\x1b-F\xc4\\\xe9', false).text).toBe('Δ\\é');
  });

  test('what cannot be decoded is replaced and flagged', () => {
    expect(decode(['ISO_IR 192'], [0x41, 0xff])).toEqual({ text: 'A\ufffd', warnings: ['CHARSET_UNDECODABLE'] });
    expect(decode([], [0x41, 0xe9])).toEqual({ text: 'A\ufffd', warnings: ['CHARSET_UNDECODABLE'] });
    expect(decode(['ISO_IR 100'], 'A\x1b%Gb').warnings).toEqual(['CHARSET_UNDECODABLE']);
    expect(decode(['KLINGON'], 'A')).toEqual({ text: 'A', warnings: ['CHARSET_UNKNOWN'] });
  });

  test('common misspellings are understood', () => {
    for (const term of ['ISO_IR 100', 'ISO-IR 100', 'ISO IR 100', 'ISO 2022 IR 100', 'ISO_2022-IR 100']) {
      expect(decode([term], 'J\xe9')).toEqual({ text: 'Jé', warnings: [] });
    }
  });

  test('a name falls into its three groups', () => {
    expect(nameGroups('Yamada^Tarou=山田^太郎')).toEqual({ alphabetic: 'Yamada^Tarou', ideographic: '山田^太郎', phonetic: '' });
  });
});

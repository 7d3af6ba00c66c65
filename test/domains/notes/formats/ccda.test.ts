import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { isCoded } from '../../../../src/kernel/error.js';
import { ccda } from '../../../../src/domains/notes/formats/ccda.js';
import { DATA, describeWithData, filesBelow, read, value } from './support.js';

const DOCUMENT = `<?xml version="1.0"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
  <code code="34133-9" codeSystem="2.16.840.1.113883.6.1" displayName="Summary"/>
  <title>Visit</title>
  <effectiveTime value="20240305"/>
  <confidentialityCode code="N"/>
  <languageCode code="en-US"/>
  <recordTarget><patientRole><id root="1.2.3" extension="P-1"/><id root="9.8.7"/><id nullFlavor="UNK"/></patientRole></recordTarget>
  <author><time value="20240305"/><assignedAuthor><assignedPerson><name><given>Ada</given><family>Byron</family></name></assignedPerson></assignedAuthor></author>
  <legalAuthenticator/>
  <componentOf><encompassingEncounter><id root="4.5" extension="E-7"/></encompassingEncounter></componentOf>
  <component><structuredBody>
    <component><section><code code="10164-2" codeSystem="2.16.840.1.113883.6.1"/><title>HPI</title>
      <text><paragraph>Chest   pain
        since <content ID="c1">Monday</content>.</paragraph><list><item>no fever</item><item>cough</item></list></text>
      <component><section><title>Detail</title><text><table><thead><tr><th>Drug</th><th>Dose</th></tr></thead>
        <tbody><tr><td>aspirin</td><td>81 mg</td></tr></tbody></table></text></section></component>
    </section></component>
    <component><section nullFlavor="NI"><code code="48765-2" codeSystem="2.16.840.1.113883.6.1"/></section></component>
  </structuredBody></component>
</ClinicalDocument>`;

describe('ccda', () => {
  it('reads the header of a document', async () => {
    expect(await value(ccda, DOCUMENT)).toMatchObject({
      patientKeys: [
        { issuer: '1.2.3', value: 'P-1' },
        { issuer: '', value: '9.8.7' },
      ],
      typeCode: '34133-9',
      typeLabel: 'Summary',
      title: 'Visit',
      status: 'final',
      authoredAt: '2024-03-05T00:00:00Z',
      authorName: 'Ada Byron',
      encounter: 'E-7',
      language: 'en-US',
      confidentiality: 'N',
      sensitivity: [],
      attachment: null,
    });
  });

  it('turns narrative into lines and gives nested sections nested spans', async () => {
    const note = await value(ccda, DOCUMENT);
    expect(note.body).toBe('HPI\nChest pain since Monday.\n- no fever\n- cough\nDetail\nDrug | Dose\naspirin | 81 mg');
    expect(note.sections.map((s) => [s.code, s.title, s.level, note.body.slice(s.start, s.end)])).toEqual([
      ['10164-2', 'HPI', 1, note.body],
      [null, 'Detail', 2, 'Detail\nDrug | Dose\naspirin | 81 mg'],
      ['48765-2', null, 1, ''],
    ]);
  });

  it('accepts undeclared prefixes and a missing default namespace', async () => {
    const note = await value(ccda, '<section><title>T</title><text xsi:type="StrucDocText">words</text><sdtc:x/></section>');
    expect(note.body).toBe('T\nwords');
  });

  it('resolves a reference inside the document, also when it leads to itself', async () => {
    const note = await value(ccda, '<act><text><reference value="#a"/></text><x ID="a">Target <reference value="#a"/></x></act>');
    expect(note.body).toBe('Target');
  });

  it('leaves out text that is marked as deleted', async () => {
    const note = await value(ccda, '<section><text>kept <content revised="delete">gone</content></text></section>');
    expect(note.body).toBe('kept');
  });

  it('makes no note of a fragment without text', async () => {
    const [parsed] = await read(ccda, '\n<observation classCode="OBS"><code code="8480-6"/></observation>');
    expect(parsed).toMatchObject({ ok: false, code: 'NOTE_NO_TEXT', place: expect.stringMatching(/^line 2 column \d+$/) });
    const [header] = await read(ccda, '<recordTarget><patientRole/></recordTarget>');
    expect(header).toMatchObject({ ok: false, code: 'CCDA_STRUCTURE' });
  });

  it('refuses a document about two patients, since its text cannot be given to one of them', async () => {
    const [parsed] = await read(ccda, DOCUMENT.replace('<recordTarget>', '<recordTarget/><recordTarget>'));
    expect(parsed).toMatchObject({ ok: false, code: 'CCDA_STRUCTURE' });
  });

  it('takes restriction and sensitivity from codes and security labels of any part', async () => {
    const label = '<observation><code code="SECCATOBS"/><value code="ETH"/></observation>';
    const note = await value(ccda, `<section><text>x</text><confidentialityCode code="R"/><entry>${label}</entry></section>`);
    expect(note).toMatchObject({ confidentiality: 'R', sensitivity: ['ETH'] });
    expect(await value(ccda, '<section><text>x</text><confidentialityCode code="V"/></section>')).toMatchObject({ confidentiality: 'V' });
    expect(await value(ccda, '<section><text>x</text><confidentialityCode code="WHO-KNOWS"/></section>')).toMatchObject({
      confidentiality: 'R',
    });
  });

  it('reads plain text of nonXMLBody and names other media as attachments', async () => {
    const wrap = (text: string): string => `<ClinicalDocument><component><nonXMLBody>${text}</nonXMLBody></component></ClinicalDocument>`;
    expect(await value(ccda, wrap('<text mediaType="text/plain">one\r\n  two</text>'))).toMatchObject({
      body: 'one\n  two',
      attachment: null,
    });
    const base64 = Buffer.from('one\ntwo').toString('base64');
    expect(await value(ccda, wrap(`<text mediaType="text/plain" representation="B64">${base64}</text>`))).toMatchObject({
      body: 'one\ntwo',
    });
    expect(await value(ccda, wrap('<text mediaType="application/pdf" representation="B64">JVBE</text>'))).toMatchObject({
      body: '',
      attachment: { mediaType: 'application/pdf', reason: 'NO_TEXT_LAYER' },
    });
  });

  it.each([
    ['XML_DTD', '<!DOCTYPE ClinicalDocument [<!ENTITY x SYSTEM "file:///etc/passwd">]><ClinicalDocument>&x;</ClinicalDocument>'],
    ['XML_DTD', '<section><text>&x;</text></section>'],
    ['XML_INVALID', '<section><text>x</section>'],
    ['XML_INVALID', '<section>'],
    ['XML_INVALID', '   '],
    ['FILE_EMPTY', ''],
  ])('refuses with %s', async (code, xml) => {
    const failure: unknown = await read(ccda, xml).catch((error: unknown) => error);
    expect(isCoded(failure) && failure.code).toBe(code);
    expect(isCoded(failure) && failure.place).toMatch(/^(line \d+ column \d+|byte 0)$/);
  });

  it('refuses deep nesting and entity bombs within a second', async () => {
    const laughs = Array.from({ length: 20 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
    const attacks = [
      ['XML_DEPTH', `${'<section>'.repeat(10_000)}${'</section>'.repeat(10_000)}`],
      ['XML_DTD', `<!DOCTYPE section [<!ENTITY l0 "ha">${laughs}]><section>&l20;</section>`],
    ] as const;
    for (const [code, xml] of attacks) {
      const start = process.hrtime.bigint();
      await expect(read(ccda, xml)).rejects.toMatchObject({ code, place: expect.stringContaining('line 1') });
      expect(Number(process.hrtime.bigint() - start) / 1e6).toBeLessThan(1000);
    }
  });

  it('names the byte that is not UTF-8', async () => {
    await expect(read(ccda, Buffer.from([...Buffer.from('<section>'), 0xff]))).rejects.toMatchObject({
      code: 'ENCODING_INVALID',
      place: 'byte 9',
    });
  });

  it('claims CDA by root and namespace only', () => {
    const claims = (text: string, name = 'a.xml'): boolean => ccda.sniff(Buffer.from(text), name);
    expect(claims('<?xml version="1.0"?><!-- x --><ClinicalDocument xmlns="urn:hl7-org:v3">')).toBe(true);
    expect(claims('<!DOCTYPE ClinicalDocument [')).toBe(true);
    expect(claims('<section>')).toBe(true);
    expect(claims('<section>', 'a.txt')).toBe(false);
    expect(claims('<HealthData>')).toBe(false);
    expect(claims('<section xmlns="http://www.w3.org/1999/xhtml">')).toBe(false);
  });
});

describeWithData('ccda over the C-CDA example set', () => {
  it('gives a record or a located fault for each of the 334 files, and claims each of them', async () => {
    const counts: Record<string, number> = {};
    const codes = new Set<string>();
    let unclaimed = 0;
    const files = filesBelow(path.join(DATA, 'c-cda'), '.xml');
    expect(files).toHaveLength(334);
    for (const file of files) {
      const bytes = readFileSync(file);
      if (!ccda.sniff(bytes.subarray(0, 4096), path.basename(file).toLowerCase())) unclaimed += 1;
      const [parsed, ...more] = await read(ccda, bytes).catch((error: unknown) => {
        if (!isCoded(error)) throw error;
        return [{ ok: false as const, place: error.place, code: error.code }];
      });
      expect(more).toEqual([]);
      expect(parsed?.place).toMatch(/^line \d+ column \d+$/);
      const outcome = parsed?.ok === true ? 'read' : (parsed?.code ?? 'nothing');
      counts[outcome] = (counts[outcome] ?? 0) + 1;
      if (parsed?.ok !== true) continue;
      const { body, sections } = parsed.value;
      expect(body).not.toContain('\r');
      for (const section of sections) {
        expect(section.start).toBeLessThanOrEqual(section.end);
        expect(section.end).toBeLessThanOrEqual(body.length);
        if (section.code !== null) codes.add(section.code);
      }
    }
    expect({ counts, unclaimed, sectionCodes: codes.size }).toEqual({
      counts: { read: 165, NOTE_NO_TEXT: 112, CCDA_STRUCTURE: 56, XML_INVALID: 1 },
      unclaimed: 0,
      sectionCodes: 68,
    });
  });
});

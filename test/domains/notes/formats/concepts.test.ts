import fc from 'fast-check';
import { CONCEPTS } from '../../../../src/domains/notes/formats/concept-table.js';
import { sentencesOf, tagConcepts } from '../../../../src/domains/notes/formats/concepts.js';
import { splitSections } from '../../../../src/domains/notes/formats/sections.js';

const tag = (body: string): string[] =>
  tagConcepts(body, splitSections(body)).map(
    (c) => `${body.slice(c.start, c.end)}=${c.code} ${c.negation} ${c.temporality} ${c.experiencer}`,
  );

describe('tagConcepts', () => {
  it('tags the longest phrase, in any case and with hyphens, once', () => {
    expect(tag('Congestive Heart Failure. Light-headedness.')).toEqual([
      'Congestive Heart Failure=I50.9 AFFIRMED RECENT PATIENT',
      'Light-headedness=R42 AFFIRMED RECENT PATIENT',
    ]);
  });

  it('matches acronyms in capitals only and words at their borders only', () => {
    expect(tag('MI noted, mi casa; coughed up; SOB.')).toEqual(['MI=I21.9 AFFIRMED RECENT PATIENT', 'SOB=R06.00 AFFIRMED RECENT PATIENT']);
  });

  it('assesses each mention in its own sentence', () => {
    expect(tag('Denies chest pain and syncope. Reports cough.\nMother had a stroke.')).toEqual([
      'chest pain=R07.9 NEGATED RECENT PATIENT',
      'syncope=R55 NEGATED RECENT PATIENT',
      'cough=R05.9 AFFIRMED RECENT PATIENT',
      'stroke=I63.9 AFFIRMED RECENT FAMILY',
    ]);
  });

  it('reads mentions under family and past history headings so', () => {
    expect(tag('FAMILY HISTORY:\nDiabetes\nPMH:\nAsthma\nPLAN:\nTreat fever')).toEqual([
      'Diabetes=E11.9 AFFIRMED RECENT FAMILY',
      'Asthma=J45.909 AFFIRMED HISTORICAL PATIENT',
      'fever=R50.9 AFFIRMED RECENT PATIENT',
    ]);
  });

  it('gives the trigger in offsets of the body', () => {
    const body = 'Stable.\nNo evidence of edema.';
    const [edema] = tagConcepts(body, []);
    expect(edema?.trigger).toMatchObject({ text: 'No evidence of', rule: 'NEGATED' });
    expect(body.slice(edema?.trigger?.start, edema?.trigger?.end)).toBe('No evidence of');
  });

  it('finds planted phrases at their offsets', () => {
    const phrases = CONCEPTS.flatMap(([code, , list]) => list.map((phrase) => ({ code, phrase })));
    const words = fc
      .array(fc.constantFrom('the', 'patient', 'na\u00efve', '\u{1f642}', 'said', '12', '(x)'), { maxLength: 6 })
      .map((w) => w.join(' '));
    fc.assert(
      fc.property(words, fc.constantFrom(...phrases), words, (before, { code, phrase }, after) => {
        const body = `${before} | ${phrase} | ${after}`;
        const start = body.indexOf(`| ${phrase} |`) + 2;
        expect(tagConcepts(body, [])).toMatchObject([{ code, start, end: start + phrase.length }]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('sentencesOf', () => {
  const cut = (body: string): string[] => sentencesOf(body, []).map(({ start, end }) => body.slice(start, end).trim());

  it('keeps abbreviations, decimals and list numbers inside their sentence', () => {
    expect(cut('Dr. Smith gave 2.5 mg. Pain left.\n1. Rest\n2. Fluids')).toEqual([
      'Dr. Smith gave 2.5 mg.',
      'Pain left.',
      '1. Rest',
      '2. Fluids',
    ]);
  });

  it('joins wrapped lines and parts short ones', () => {
    const long = 'The patient denies any chest pain on exertion or at rest, any';
    expect(cut(`${long}\nsyncope.\nNo fever`)).toEqual([`${long}\nsyncope.`, 'No fever']);
  });

  it('covers every character that is not blank, once and in order', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80, unit: fc.constantFrom('a', 'B', '.', ' ', '\n', '1', '!') }), (body) => {
        const spans = sentencesOf(body, []);
        let last = 0;
        for (const { start, end } of spans) {
          expect(body.slice(last, start).trim()).toBe('');
          expect(end).toBeGreaterThan(start);
          last = end;
        }
        expect(body.slice(last).trim()).toBe('');
      }),
    );
  });
});

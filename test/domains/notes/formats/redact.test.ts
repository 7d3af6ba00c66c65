import fc from 'fast-check';
import { redactText } from '../../../../src/domains/notes/formats/redact.js';

describe('redactText', () => {
  it.each([
    ['Seen on 2024-03-05 and 3/5/24 and March 5, 2024.', 'Seen on [DATE] and [DATE] and [DATE].'],
    ['Call (617) 555-0199 or 617-555-0199 x12.', 'Call [PHONE] or [PHONE].'],
    ['Write to a.b@example.org or see https://example.org/x?y=1', 'Write to [EMAIL] or see [URL]'],
    ['SSN 123-45-6789, MRN: A12345, host 10.0.0.12', 'SSN [SSN], [ID], host [IP]'],
    ['Boston, MA 02139-1234', 'Boston, [ZIP]'],
    ['A 92-year-old man, aged 95; his wife is 85 years old.', 'A [AGE]-year-old man, aged [AGE]; his wife is 85 years old.'],
    ['BP 120/80, HR 72, temp 98.6, aspirin 81 mg, LVEF 55-60%', 'BP 120/80, HR 72, temp 98.6, aspirin 81 mg, LVEF 55-60%'],
  ])('%s', (body, expected) => {
    expect(redactText(body, [])).toBe(expected);
  });

  it('masks the names and ids of the patient in any case, with each word of a name, and not inside other words', () => {
    expect(redactText("Mr. DOE (john) took doeskin; id p-17x. Doe's wife.", ['John Doe', 'P-17X'])).toBe(
      "Mr. [NAME] ([NAME]) took doeskin; id [ID]. [NAME]'s wife.",
    );
  });

  const piece = fc.oneof(
    fc.constantFrom(
      'Ann',
      "O'Hara",
      'P-0017',
      '2024-03-05',
      '617-555-0199',
      'a@b.org',
      '[NAME]',
      '10.1.2.3',
      'MRN 12345',
      ' ',
      ', ',
      '\n',
      '-',
      '1',
      'MA 02139',
      'May 5',
      '92 years',
    ),
    fc.string({ maxLength: 6 }),
  );
  const texts = fc.array(piece, { maxLength: 25 }).map((parts) => parts.join(''));
  const known = fc.array(fc.constantFrom("Ann O'Hara", 'P-0017', 'x9', 'Lee', '(c) 4.5'), { maxLength: 4 });

  it('changes nothing when it runs again', () => {
    fc.assert(
      fc.property(texts, known, (body, ids) => {
        const once = redactText(body, ids);
        expect(redactText(once, ids)).toBe(once);
      }),
      { numRuns: 500 },
    );
  });

  it('lets no known identifier survive', () => {
    const id = fc.stringMatching(/^[A-Za-z]{1,4}-?\d{3,8}$/);
    const name = fc.stringMatching(/^[A-Z][a-z]{3,9}$/);
    fc.assert(
      fc.property(texts, texts, id, name, fc.boolean(), (before, after, someId, someName, upper) => {
        fc.pre(!['Name', 'Date', 'Phone', 'Email'].includes(someName));
        const body = `${before}${someId} ${upper ? someName.toUpperCase() : someName.toLowerCase()} ${after}`;
        const masked = redactText(body, [someId, `${someName} Smith`]).toLowerCase();
        expect(masked).not.toContain(someId.toLowerCase());
        expect(masked.split(/[^a-z]+/)).not.toContain(someName.toLowerCase());
      }),
      { numRuns: 500 },
    );
  });

  it('stays linear on hostile runs', () => {
    const start = process.hrtime.bigint();
    for (const unit of ['a.', '1.', '1-', 'a@', '(1', 'www.']) redactText(unit.repeat(50_000), ['Ann Lee']);
    expect(Number(process.hrtime.bigint() - start) / 1e6).toBeLessThan(3000);
  });
});

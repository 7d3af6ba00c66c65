import { assess } from '../../../../src/domains/notes/formats/context.js';
import { bytesOf, describeWithData } from './support.js';

const about = (sentence: string, mention: string): ReturnType<typeof assess> => {
  const start = sentence.indexOf(mention);
  return assess(sentence, { start, end: start + mention.length });
};

describe('assess', () => {
  it.each([
    ['He denies chest pain.', 'chest pain', 'NEGATED'],
    ['He has chest pain.', 'chest pain', 'AFFIRMED'],
    ['No fever but cough is present.', 'cough', 'AFFIRMED'],
    ['No fever but cough is present.', 'fever', 'NEGATED'],
    ['Pulmonary embolism was ruled out.', 'Pulmonary embolism', 'NEGATED'],
    ['Possible pneumonia.', 'pneumonia', 'POSSIBLE'],
    ['Pneumonia cannot be excluded.', 'Pneumonia', 'POSSIBLE'],
    ['No increase in edema.', 'edema', 'AFFIRMED'],
    ['No edema. Cough today.', 'Cough', 'AFFIRMED'],
    ['r/o syncope', 'syncope', 'POSSIBLE'],
  ])('%s: %s is %s', (sentence, mention, negation) => {
    expect(about(sentence, mention).negation).toBe(negation);
  });

  it('tells time and person, and names the trigger with its offsets', () => {
    expect(about('History of asthma.', 'asthma').temporality).toBe('HISTORICAL');
    expect(about('h/o asthma', 'asthma').temporality).toBe('HISTORICAL');
    expect(about('Return if fever develops.', 'fever').temporality).toBe('HYPOTHETICAL');
    expect(about('Mother had diabetes.', 'diabetes').experiencer).toBe('FAMILY');
    const sentence = 'He denies any fever.';
    expect(about(sentence, 'fever').trigger).toEqual({ text: 'denies', rule: 'NEGATED', start: 3, end: 9 });
  });
});

describeWithData('assess over the published negation rows', () => {
  it('reaches an F1 of .85 for negation', () => {
    const rows = bytesOf('negex', 'rsAnnotations-half.txt')
      .toString('latin1')
      .split(/\r?\n/)
      .slice(1)
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));
    expect(rows).toHaveLength(1188);
    const count = { tp: 0, fp: 0, fn: 0, tn: 0 };
    const start = process.hrtime.bigint();
    for (const [, condition = '', raw = '', negation] of rows) {
      const sentence = raw.replace(/\s+/g, ' ').replace(/^"|"$/g, '');
      const at = sentence.toLowerCase().indexOf(condition.replace(/\s+/g, ' ').trim().toLowerCase());
      const span = at < 0 ? { start: sentence.length, end: sentence.length } : { start: at, end: at + condition.trim().length };
      const found = assess(sentence, span);
      const [said, truth] = [found.negation === 'NEGATED', negation === 'Negated'];
      count[said ? (truth ? 'tp' : 'fp') : truth ? 'fn' : 'tn'] += 1;
    }
    const ms = Number(process.hrtime.bigint() - start) / 1e6;
    const f1 = (2 * count.tp) / (2 * count.tp + count.fp + count.fn);
    expect(f1).toBeGreaterThanOrEqual(0.85);
    expect(rows.length / (ms / 1000)).toBeGreaterThan(5_000);
  });
});

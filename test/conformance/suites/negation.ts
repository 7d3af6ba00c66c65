import { readFileSync } from 'node:fs';
import path from 'node:path';
import { assess, type Assessment } from '../../../src/domains/notes/formats/context.js';
import { filesBelow, ratio, type Case, type Suite } from '../suite.js';

/** A row: number, concept, sentence, negation, temporality, experiencer, with tabs between. */
const HEADER = /^[^\t]*\t[^\t]*\tsentence\t[^\t]*negat[^\t]*\t[^\t]*\t[^\t]*experiencer/i;

const AXES = ['negation', 'temporality', 'experiencer'] as const;
type Axis = (typeof AXES)[number];

/** The class that is looked for on each axis, as the rows and as the product name it. */
const POSITIVE: Readonly<Record<Axis, string>> = { negation: 'negated', temporality: 'historical', experiencer: 'of another person' };
const stated: Readonly<Record<Axis, (label: string) => boolean>> = {
  negation: (label) => label === 'negated',
  temporality: (label) => label === 'historical',
  experiencer: (label) => label !== 'patient',
};
const found: Readonly<Record<Axis, (assessment: Assessment) => boolean>> = {
  negation: ({ negation }) => negation === 'NEGATED',
  temporality: ({ temporality }) => temporality === 'HISTORICAL',
  experiencer: ({ experiencer }) => experiencer !== 'PATIENT',
};

class Tally {
  tp = 0;
  fp = 0;
  fn = 0;
  tn = 0;

  add(said: boolean, truth: boolean): void {
    if (said) this[truth ? 'tp' : 'fp'] += 1;
    else this[truth ? 'fn' : 'tn'] += 1;
  }

  figures(axis: Axis): object {
    const { tp, fp, fn, tn } = this;
    const scores = { precision: ratio(tp, tp + fp), recall: ratio(tp, tp + fn), f1: ratio(2 * tp, 2 * tp + fp + fn) };
    return { ...scores, reference_f1: null, positive: POSITIVE[axis], tp, fp, fn, tn };
  }
}

/** The mention in its sentence; a concept that the sentence does not hold stands at its end, as in the published evaluation. */
function mention(sentence: string, concept: string): { start: number; end: number } {
  const words = concept.replace(/\s+/g, ' ').trim().toLowerCase();
  const at = sentence.toLowerCase().indexOf(words);
  return at < 0 ? { start: sentence.length, end: sentence.length } : { start: at, end: at + words.length };
}

/** Annotated sentences (spec notes N60). A row passes when all three axes agree. Only the assessment is timed, not the reading of the file. */
export const suite: Suite = {
  about: 'negation, time and person of mentions in annotated sentences',
  async run(folder) {
    const cases: Case[] = [];
    const tallies: Readonly<Record<Axis, Tally>> = { negation: new Tally(), temporality: new Tally(), experiencer: new Tally() };
    let ms = 0;
    for (const file of filesBelow(folder, /\.(txt|tsv)$/i)) {
      const [header = '', ...lines] = readFileSync(path.join(folder, file), 'latin1').split(/\r?\n/);
      if (!HEADER.test(header)) continue;
      for (const line of lines.filter((each) => each !== '')) {
        const [row = '', concept = '', raw = '', ...labels] = line.split('\t');
        const sentence = raw.replace(/\s+/g, ' ').replace(/^"|"$/g, '');
        const span = mention(sentence, concept);
        const started = performance.now();
        const assessment = assess(sentence, span);
        ms += performance.now() - started;
        const truths = AXES.map((axis, at) => stated[axis]((labels[at] ?? '').trim().toLowerCase()));
        const said = AXES.map((axis) => found[axis](assessment));
        AXES.forEach((axis, at) => tallies[axis].add(said[at] === true, truths[at] === true));
        const names = (flags: readonly boolean[]): string =>
          AXES.map((axis, at) => `${flags[at] === true ? '' : 'not '}${POSITIVE[axis]}`).join(', ');
        const right = AXES.every((_, at) => said[at] === truths[at]);
        cases.push({ id: `${file} row ${row}`, verdict: right ? 'passed' : 'failed', expected: names(truths), got: names(said) });
      }
    }
    const axes = Object.fromEntries(AXES.map((axis) => [axis, tallies[axis].figures(axis)]));
    return Promise.resolve({ cases, figures: { ...axes, sentences: cases.length, sentences_per_s: ratio(cases.length, ms / 1000) } });
  },
};

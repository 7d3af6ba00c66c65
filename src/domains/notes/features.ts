import { frameOf, type FeatureView, type FrameColumn } from '../../kernel/index.js';
import { Note, NoteConcept } from './model.js';

const DAY_MS = 86_400_000;
const WINDOW_DAYS = 365;

/** Concepts of the view: ICD-10-CM code and the name that its features carry. */
const CODES: readonly (readonly [code: string, name: string])[] = [
  ['R07.9', 'chest_pain'],
  ['R06.00', 'dyspnea'],
  ['R06.01', 'orthopnea'],
  ['R60.9', 'edema'],
  ['R53.83', 'fatigue'],
  ['R00.2', 'palpitations'],
  ['R55', 'syncope'],
  ['R63.5', 'weight_gain'],
  ['R42', 'dizziness'],
  ['R05.9', 'cough'],
  ['I50.9', 'heart_failure'],
  ['I10', 'hypertension'],
];

interface Mention {
  readonly patient_id: string;
  readonly code: string;
  readonly negation: string;
  readonly authored_at: string | null;
}

/**
 * Symptoms and diseases that the notes of the year before `asOf` affirm or deny of the person at present (spec notes N50 to N52).
 * Two flags a concept: both 0 is no mention, which is a value of a present modality. Mentions of relatives, of the past, imagined or
 * only possible ones do not count, nor do notes without a time or without a text layer. No note in the window is no row.
 */
export const features: FeatureView = {
  modality: 'NOTES',
  version: 'notes/1',
  features: [
    { name: 'note_count', unit: '1', description: 'Notes with text in the 365 days before.' },
    ...CODES.flatMap(([code, name]) => [
      { name: `${name}_affirmed`, unit: '1', description: `1 where a note of the 365 days before affirms ${code} of the person.` },
      { name: `${name}_negated`, unit: '1', description: `1 where a note of the 365 days before denies ${code} of the person.` },
    ]),
  ],
  reads: [
    { of: () => Note, columns: ['patient_id', 'has_text', 'authored_at'] },
    { of: () => NoteConcept, columns: ['patient_id', 'code', 'negation', 'temporality', 'experiencer', 'authored_at'] },
  ],
  tags: ['pseudonym', 'note.structured', 'pii.quasi'],
  maxAgeDays: WINDOW_DAYS,
  async compute(source, patientIds, asOf) {
    const since = asOf - WINDOW_DAYS * DAY_MS;
    const inWindow = (at: number): boolean => at >= since && at <= asOf;
    // The upper bound may be open, so it lies one millisecond later and the rows are looked at again.
    const until = new Date(asOf + 1).toISOString();
    const notes = await source.rows<{ patient_id: string; authored_at: string | null }>({
      of: () => Note,
      columns: ['patient_id', 'authored_at'],
      where: { patient_id: patientIds, has_text: true },
      between: { authored_at: { to: until } },
    });
    const counts = new Map<string, number>();
    const known = new Set<string>();
    for (const { patient_id: id, authored_at: authoredAt } of notes) {
      const at = Date.parse(authoredAt ?? '');
      if (at <= asOf) known.add(id);
      if (inWindow(at)) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    const mentions = await source.rows<Mention>({
      of: () => NoteConcept,
      columns: ['patient_id', 'code', 'negation', 'authored_at'],
      where: { patient_id: patientIds, code: CODES.map(([code]) => code), temporality: 'RECENT', experiencer: 'PATIENT' },
      between: { authored_at: { from: new Date(since).toISOString(), to: until } },
    });
    const present = patientIds.filter((id) => counts.has(id));
    const columns = flagsOf(
      mentions.filter((mention) => inWindow(Date.parse(mention.authored_at ?? ''))),
      present,
    );
    const count: FrameColumn = { name: 'note_count', unit: '1', values: Float64Array.from(present, (id) => counts.get(id) ?? NaN) };
    return { frame: frameOf(present, [count, ...columns]), stale: patientIds.filter((id) => known.has(id) && !counts.has(id)) };
  },
};

function flagsOf(mentions: readonly Mention[], present: readonly string[]): FrameColumn[] {
  const rows = new Map(present.map((id, row) => [id, row]));
  const flags = new Map<string, FrameColumn>();
  const columns = CODES.flatMap(([code, name]) =>
    ['AFFIRMED', 'NEGATED'].map((negation) => {
      const column = { name: `${name}_${negation.toLowerCase()}`, unit: '1', values: new Float64Array(present.length) };
      flags.set(`${code} ${negation}`, column);
      return column;
    }),
  );
  for (const mention of mentions) {
    const row = rows.get(mention.patient_id);
    const flag = flags.get(`${mention.code} ${mention.negation}`);
    if (row !== undefined && flag !== undefined) flag.values[row] = 1;
  }
  return columns;
}

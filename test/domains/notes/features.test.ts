import 'reflect-metadata';
import { rowIndex, type FeatureRows } from '../../../src/kernel/index.js';
import { features } from '../../../src/domains/notes/features.js';
import { sourceOf, stageFile, type Row } from './support.js';

const AS_OF = Date.parse('2024-06-01T00:00:00Z');

async function tablesOf(notes: readonly (readonly [patient: string, date: string | null, text: string])[]): Promise<Record<string, Row[]>> {
  const tables: Record<string, Row[]> = { note: [], note_concept: [] };
  for (const [patient, date, text] of notes) {
    const header = `Patient-ID: ${patient}\n${date === null ? '' : `Date: ${date}\n`}`;
    for (const { asset, row } of await stageFile('text', `${header}\n${text}\n`)) tables[asset]?.push({ ...row, patient_id: patient });
  }
  return tables;
}

async function compute(notes: Parameters<typeof tablesOf>[0], ids = [...new Set(notes.map(([patient]) => patient))]): Promise<FeatureRows> {
  return features.compute(sourceOf(await tablesOf(notes)), ids, AS_OF);
}

function cells({ frame }: FeatureRows, patient: string, ...names: string[]): number[] {
  const row = rowIndex(frame).get(patient) ?? -1;
  return names.map((name) => frame.columns.find((column) => column.name === name)?.values[row] ?? NaN);
}

describe('features of notes', () => {
  it('gives one column a declared feature, in the declared order', async () => {
    const { frame } = await compute([['p', '2024-05-01', 'Chest pain.']]);
    expect(frame.columns.map((column) => [column.name, column.unit])).toEqual(features.features.map((each) => [each.name, each.unit]));
    expect(frame.columns).toHaveLength(25);
  });

  it('tells affirmed, denied and not mentioned apart, over all notes of the window', async () => {
    const made = await compute([
      ['p', '2024-05-01', 'Reports chest pain. Denies edema.'],
      ['p', '2024-01-01', 'No chest pain. Possible pneumonia.'],
    ]);
    expect(
      cells(
        made,
        'p',
        'note_count',
        'chest_pain_affirmed',
        'chest_pain_negated',
        'edema_affirmed',
        'edema_negated',
        'syncope_affirmed',
        'syncope_negated',
      ),
    ).toEqual([2, 1, 1, 0, 1, 0, 0]);
  });

  it('counts no mention of relatives, of the past, imagined or possible ones', async () => {
    const made = await compute([
      ['p', '2024-05-01', 'Mother had heart failure.\nHistory of syncope.\nReturn if chest pain occurs.\nPossible hypertension.'],
    ]);
    expect(cells(made, 'p', 'note_count')).toEqual([1]);
    for (const column of made.frame.columns.slice(1)) expect([column.name, column.values[0]]).toEqual([column.name, 0]);
  });

  it('uses nothing that was written after the time asked for, and what was written at it', async () => {
    const made = await compute([
      ['p', '2024-06-01T00:00:00Z', 'Fatigue.'],
      ['p', '2024-06-01T00:00:00.001Z', 'Dyspnea.'],
      ['q', '2024-06-02', 'Cough.'],
    ]);
    expect(cells(made, 'p', 'note_count', 'fatigue_affirmed', 'dyspnea_affirmed')).toEqual([1, 1, 0]);
    expect(made.frame.keys).toEqual(['p']);
    expect(made.stale).toEqual([]);
  });

  it('calls a person stale whose notes are all older than the window, to the millisecond', async () => {
    const made = await compute([
      ['old', '2023-06-01T23:59:59.999Z', 'Cough.'],
      ['edge', '2023-06-02T00:00:00Z', 'Cough.'],
    ]);
    expect(made.stale).toEqual(['old']);
    expect(cells(made, 'edge', 'cough_affirmed')).toEqual([1]);
    expect(made.frame.keys).toEqual(['edge']);
  });

  it('gives no row, and no zero, for persons without a usable note', async () => {
    const tables = await tablesOf([
      ['undated', null, 'Chest pain.'],
      ['scan', '2024-05-01', 'x'],
    ]);
    const note = tables['note'] ?? [];
    tables['note'] = note.map((row) => (row['patient_id'] === 'scan' ? { ...row, has_text: false } : row));
    const made = await features.compute(sourceOf(tables), ['undated', 'scan', 'nobody'], AS_OF);
    expect(made.frame.n).toBe(0);
    expect(made.stale).toEqual([]);
  });

  it('gives the same row whether other notes are withheld or do not exist', async () => {
    const tables = await tablesOf([
      ['p', '2024-05-01', 'Chest pain.'],
      ['p', '2024-05-02', 'Edema.'],
    ]);
    const visible = tables['note']?.[0]?.['note_id'];
    const withheld = {
      note: (tables['note'] ?? []).filter((row) => row['note_id'] === visible),
      note_concept: (tables['note_concept'] ?? []).filter((row) => row['note_id'] === visible),
    };
    expect(await features.compute(sourceOf(withheld), ['p'], AS_OF)).toEqual(await compute([['p', '2024-05-01', 'Chest pain.']]));
  });
});

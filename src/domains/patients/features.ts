import { Patient, frameOf, type FeatureView, type LabelView } from '../../kernel/index.js';
import { Condition } from './model.js';

/** Clinical features: demographics at the time asked for. */
export const features: FeatureView = {
  modality: 'CLINICAL',
  version: 'clinical/1',
  features: [
    { name: 'age', unit: 'a', description: 'Calendar years since the year of birth.' },
    { name: 'male', unit: '1', description: '1 where the administrative gender is male, 0 where it is female.' },
  ],
  reads: [{ of: () => Patient, columns: ['patient_id', 'birth_year', 'sex'] }],
  tags: ['pseudonym', 'demographic'],
  maxAgeDays: null,
  async compute(source, patientIds, asOf) {
    const rows = await source.rows<{ patient_id: string; birth_year: number | null; sex: string | null }>({
      of: () => Patient,
      columns: ['patient_id', 'birth_year', 'sex'],
      where: { patient_id: patientIds },
      order: ['patient_id'],
    });
    const year = new Date(asOf).getUTCFullYear();
    // Who is born later did not exist at that time.
    const known = rows.filter((row) => row.birth_year === null || row.birth_year <= year);
    const frame = frameOf(
      known.map((row) => row.patient_id),
      [
        { name: 'age', unit: 'a', values: Float64Array.from(known, (row) => (row.birth_year === null ? NaN : year - row.birth_year)) },
        { name: 'male', unit: '1', values: Float64Array.from(known, (row) => (row.sex === 'male' ? 1 : row.sex === 'female' ? 0 : NaN)) },
      ],
    );
    return { frame, stale: [] };
  },
};

/** Outcome: a condition with this code is recorded. */
export const label: LabelView = {
  name: 'condition',
  description: '1 where a condition with the code is recorded for the person, else 0.',
  reads: [{ of: () => Condition, columns: ['patient_id', 'code'] }],
  tags: ['pseudonym', 'clinical'],
  async compute(source, patientIds, code) {
    const rows = await source.rows<{ patient_id: string }>({
      of: () => Condition,
      columns: ['patient_id', 'code'],
      where: { patient_id: patientIds, code },
    });
    const positive = new Set(rows.map((row) => row.patient_id));
    return new Map(patientIds.map((id) => [id, positive.has(id) ? 1 : 0]));
  },
};

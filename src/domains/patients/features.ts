import { Patient, frameOf, type FeatureView } from '../../kernel/index.js';

/** Clinical features: demographics at the time asked for. */
export const features: FeatureView = {
  modality: 'CLINICAL',
  version: 'clinical/1',
  features: [
    { name: 'age', unit: 'a', description: 'Age in completed years.' },
    { name: 'male', unit: '1', description: '1 where the administrative gender is male.' },
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
    const known = rows.filter((row) => row.birth_year !== null);
    const frame = frameOf(
      known.map((row) => row.patient_id),
      [
        { name: 'age', unit: 'a', values: Float64Array.from(known, (row) => year - (row.birth_year ?? NaN)) },
        { name: 'male', unit: '1', values: Float64Array.from(known, (row) => (row.sex === null ? NaN : row.sex === 'male' ? 1 : 0)) },
      ],
    );
    return { frame, stale: [] };
  },
};

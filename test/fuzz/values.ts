import type { Pool } from 'pg';
import { WINDOW_SIZES_MS } from '../../src/domains/wearables/readers.js';
import { TEST_NOW } from '../support/mesh.js';

/** Values that arguments take, by `field.argument` or by `argument` alone. */
export type Values = ReadonlyMap<string, readonly unknown[]>;

const SOURCES: Readonly<Record<string, string>> = {
  'patient.id': 'select patient_id as v from patient order by mrn limit 60',
  'variant.id': 'select variant_id as v from variant order by 1 limit 30',
  'imagingStudy.id': 'select id as v from imaging_study order by 1 limit 20',
  'note.id': 'select note_id as v from note order by 1 limit 30',
  'lineage.id': 'select run_id as v from lineage_run order by 1 limit 30',
  'fusionModel.id': 'select id as v from fusion_model',
  'fusionModels.modelId': 'select model_id as v from fusion_model',
  'fusionModels.label': 'select label as v from fusion_model',
  sex: 'select distinct sex as v from patient where sex is not null order by 1',
  site: 'select distinct site_id as v from patient order by 1',
  assembly: 'select distinct assembly as v from variant order by 1',
  chrom: 'select distinct chrom as v from variant order by 1',
  gene: 'select distinct gene as v from variant where gene is not null order by 1',
  rsId: 'select rs_id as v from variant where rs_id is not null order by 1 limit 20',
  ids: 'select variant_id as v from variant order by 1 limit 40',
  variantIds: 'select variant_id as v from variant order by 1 limit 40',
  start: 'select distinct pos as v from variant order by 1 limit 40',
  end: 'select distinct pos + 1000 as v from variant order by 1 limit 40',
  clinicalSignificance: 'select distinct clinical_significance as v from variant where clinical_significance is not null order by 1',
  'conditions.code': 'select distinct code as v from condition where code is not null order by 1',
  'observations.code': 'select distinct code as v from observation where code is not null order by 1',
  'observationCount.code': 'select distinct code as v from observation where code is not null order by 1',
  'concepts.code': 'select distinct code as v from note_concept order by 1',
  'noteConcepts.code': 'select distinct code as v from note_concept order by 1',
  'notesWithConcept.code': 'select distinct code as v from note_concept order by 1',
  'sections.code': 'select distinct code as v from note_section where code is not null order by 1',
  'consents.status': 'select distinct status as v from consent order by 1',
  type: 'select distinct type_code as v from note where type_code is not null order by 1',
  'imagingStudies.modality': 'select distinct unnest(modalities) as v from imaging_study order by 1',
  'imagingStudyCount.modality': 'select distinct unnest(modalities) as v from imaging_study order by 1',
  'series.modality': 'select distinct modality as v from imaging_series where modality is not null order by 1',
  bodyPart: 'select distinct unnest(body_parts) as v from imaging_study order by 1',
  metric: 'select distinct metric as v from wear_chunk order by 1',
  'quarantine.product': 'select distinct product as v from quarantine order by 1',
  'quarantine.code': 'select distinct code as v from quarantine order by 1',
};

const DAY_MS = 86_400_000;
const daysAgo = (days: number): string => new Date(TEST_NOW - days * DAY_MS).toISOString();

const FIXED: Readonly<Record<string, readonly unknown[]>> = {
  bornFrom: [1930, 1950, 1970],
  bornTo: [1960, 1980, 2000],
  negation: ['AFFIRMED', 'NEGATED', 'POSSIBLE'],
  temporality: ['RECENT', 'HISTORICAL', 'HYPOTHETICAL'],
  experiencer: ['PATIENT', 'FAMILY', 'OTHER'],
  text: ['edema', 'chest pain', '"shortness of breath"', 'fatigue or palpitations', 'pain -chest', 'Marrowen', '! & (', ''],
  kind: ['query', 'mutation', 'ingest', 'refused'],
  principal: ['local-operator', 'demo-engineer', 'demo-clinician'],
  'quarantine.state': ['held', 'released'],
  size: Object.keys(WINDOW_SIZES_MS),
  maxPoints: [3, 10, 100],
  first: [0, 1, 2, 3, 5, 8],
};

/** Values of the cohort that is loaded, and of instants around it. */
export async function valuesOf(owner: Pool): Promise<Values> {
  const values = new Map<string, readonly unknown[]>(Object.entries(FIXED));
  for (const [name, query] of Object.entries(SOURCES)) {
    const { rows } = await owner.query<{ v: unknown }>(query);
    values.set(
      name,
      rows.map((row) => row.v),
    );
  }
  const instants = [3000, 700, 400, 200, 100, 30, 0].map(daysAgo);
  values.set('from', instants);
  values.set('to', instants);
  // Each answer adds a run, and each start a log: only what was there before can be compared.
  values.set('lineageRuns.to', [daysAgo(-0.5)]);
  const { rows } = await owner.query<{ v: string }>('select log_id as v from audit_log order by at, log_id limit 1');
  values.set(
    'auditRecords.logId',
    rows.map((row) => row.v),
  );
  return values;
}

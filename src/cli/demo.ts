import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { generateCohort } from '../demo/index.js';
import { ask, type Answer } from '../gateway/index.js';
import { CodedError } from '../kernel/index.js';
import { ingestPaths, type IngestTotals } from '../pipeline/index.js';
import { say } from './output.js';
import { principalOf } from './who.js';
import { OPERATOR, type Running } from './wire.js';

export const DEMO_MODEL = 'heart-failure-demo';
const DEMO_SEED = 1;

/** The question that the start of the demo asks, word for word the same of every identity: one person across four modalities. */
export const DEMO_QUERY = `query Demo($id: ID!) {
  patient(id: $id) {
    id
    familyName
    birthDate
    site
    imagingStudies(first: 1) { edges { node { modalities description startedAt seriesCount } } }
    notes(first: 1) { edges { node { authoredAt body } } }
    wearableDays(metric: "heart_rate", first: 1) { edges { node { day mean count } } }
  }
  variants(gene: "TTN", first: 1) { edges { node { id frequency { ac an af } } } }
}`;

/** Loads the demo cohort where there are no persons yet: files are written by the generator and enter like anybody's. */
export async function loadDemo(running: Running, patients: number): Promise<IngestTotals | null> {
  const { rows } = await running.pools.owner.query<{ n: number }>('select count(*)::int as n from patient');
  if ((rows[0]?.n ?? 0) > 0) return null;
  const outDir = join(running.home, 'demo-cohort');
  if (existsSync(outDir)) await rm(outDir, { recursive: true });
  const now = running.mesh.parts.clock();
  say(`Writing the files of a demo cohort of ${patients} invented persons.`);
  await generateCohort({ patients, seed: DEMO_SEED, outDir, now });
  let told = 0;
  const totals = await ingestPaths([outDir], running.pipeline(OPERATOR), ({ done, total }) => {
    const tenth = Math.floor((10 * done) / total);
    if (tenth > told) say(`Loaded ${done} of ${total} files.`);
    told = Math.max(told, tenth);
  });
  await running.pools.owner.query('analyze');
  return totals;
}

/** Trains the demo model as the demo's ML engineer where there is none. A cohort may be too small to learn from; it is served all the same. */
export async function trainDemo(running: Running): Promise<boolean> {
  const engineer = principalOf('engineer');
  const found = await ask(running.mesh, engineer, { query: '{ fusionModels(first: 1) { edges { node { id } } } }' });
  const { edges } = (found.data as { fusionModels: { edges: unknown[] } } | null)?.fusionModels ?? { edges: [] };
  if (edges.length > 0) return true;
  const answer = await ask(running.mesh, engineer, {
    query: 'mutation Train($input: TrainFusionInput!) { trainFusionModel(input: $input) { id: modelId version trainedOn events } }',
    variables: {
      input: { modelId: DEMO_MODEL, label: 'condition', code: 'I50.9', modalities: ['GENOMICS', 'IMAGING', 'NOTES', 'WEARABLES'] },
    },
  });
  const [first] = answer.errors;
  if (first) say(`No demo model was trained: ${first.message}`);
  return first === undefined;
}

/** The patient whom the demo shows: of the clinician's own site, with as many modalities as can be. */
export async function demoPatient(running: Running): Promise<string> {
  const { rows } = await running.pools.owner.query<{ patient_id: string }>(
    `select p.patient_id from patient p where p.site_id = 'north'
      and exists (select 1 from consent_effect c where c.patient_id = p.patient_id and c.purpose = 'HRESCH' and c.categories & 31 = 31)
      order by (exists (select 1 from sample_index s where s.patient_id = p.patient_id))::int + (exists (select 1 from imaging_study i where i.patient_id = p.patient_id and i.sensitivity = 0))::int
        + (exists (select 1 from note n where n.patient_id = p.patient_id and n.sensitivity = 0))::int + (exists (select 1 from wear_chunk w where w.patient_id = p.patient_id and w.metric = 'heart_rate'))::int desc, p.ordinal limit 1`,
  );
  const [row] = rows;
  if (!row) throw new CodedError('NOT_FOUND', 'The demo cohort holds no patient of site north.');
  return row.patient_id;
}

export async function demoAnswers(
  running: Running,
  trained: boolean,
): Promise<{ clinician: Answer; analyst: Answer; fusion: Answer | null }> {
  const patient = await demoPatient(running);
  const clinician = await ask(running.mesh, principalOf('clinician'), { query: DEMO_QUERY, variables: { id: patient } });
  const analyst = await ask(running.mesh, principalOf('analyst'), { query: DEMO_QUERY, variables: { id: patient } });
  if (!trained) return { clinician, analyst, fusion: null };
  const fusion = await ask(running.mesh, principalOf('clinician'), {
    query: `mutation Score($input: RunFusionInput!) { runFusion(input: $input) { modelVersion results { status probability mask missing { modality reason } contributions { modality contribution } } } }`,
    variables: { input: { modelId: DEMO_MODEL, patientIds: [patient], explain: true } },
  });
  return { clinician, analyst, fusion };
}

import { digestOf } from '../../kernel/index.js';
import { columnLineage, tablesOf } from './columns.js';
import { facetsOf } from './facet.js';
import { versionsOf, type FusionFacts } from './facts.js';
import type { EvidenceRun, InputDataset, LineageMesh, OutputDataset } from './model.js';
import { circumstances, errorOf, failed, jobTypeOf, partition, versionFacet, type ToldRun } from './told-run.js';

/** Table that holds the register of models. */
const REGISTER = 'fusion_model';

/** Id of the run of a model under a request: a UUID v8 (RFC 9562 section 5.8) that follows from the id of the request. */
export function fusionRunId(requestRun: string): string {
  const hex = digestOf(`fusion ${requestRun.toLowerCase()}`);
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The run of a model under the mutation that asked for it: what features were read, what was missing, which version answered or came to be. */
export function fusionRun(run: EvidenceRun, mesh: LineageMesh, fusion: FusionFacts, requestJob: string): ToldRun {
  const { record } = run;
  const { namespace } = mesh;
  const parent = { run: { runId: record.run }, job: { namespace, name: requestJob } };
  return {
    runId: fusionRunId(record.run),
    job: {
      name: `fusion.${fusion.act}.${fusion.id}`,
      facets: facetsOf(mesh, {
        jobType: jobTypeOf('MODEL'),
        documentation: {
          description: fusion.act === 'train' ? 'Training of a fusion model.' : 'Scores of persons by a fusion model.',
          contentType: 'text/plain',
        },
      }),
    },
    facets: { ...circumstances(record, mesh), ...facetsOf(mesh, { parent, jobDependencies: upstreamOf(fusion, namespace) }) },
    endFacets: facetsOf(mesh, { errorMessage: errorOf(record), thalamus_presence: presenceOf(run, fusion) }),
    inputs: inputsOf(run, mesh, fusion),
    outputs: failed(record) ? [] : outputsOf(run, mesh, fusion),
  };
}

/** A model answers only after it was trained. */
function upstreamOf({ act, id, trainedBy }: FusionFacts, namespace: string): Record<string, unknown> | null {
  if (act === 'train') return null;
  const training = {
    job: { namespace, name: `fusion.train.${id}` },
    ...(trainedBy === null ? {} : { run: { runId: fusionRunId(trainedBy) } }),
    dependency_type: 'IMPLICIT_DEPENDENCY',
    sequence_trigger_rule: 'FINISH_TO_START',
    status_trigger_rule: 'EXECUTE_ON_SUCCESS',
  };
  return { upstream: [training] };
}

function presenceOf({ record }: EvidenceRun, fusion: FusionFacts): Record<string, unknown> {
  const { id, version, digest, used, missing, withheld, features, act } = fusion;
  const trainingData = act === 'train' ? versionsOf(record) : fusion.trainingData;
  return { model: { id, version, digest }, used, missing, withheld, features, ...(trainingData ? { trainingData } : {}) };
}

/** Reads of hand-written operations are named by what reads, which is no coordinate of the schema: features, labels, persons. */
const featureEdges = ({ plan }: EvidenceRun): EdgeList =>
  (plan?.columns ?? []).filter(({ coordinate }) => /^(features|label) /.test(coordinate));
type EdgeList = NonNullable<EvidenceRun['plan']>['columns'];

const subsetOf = ({ id, version }: FusionFacts): Record<string, unknown> =>
  partition(version === null ? id : `${id}@${version}`, { model_id: id, ...(version === null ? {} : { version }) });

function inputsOf(run: EvidenceRun, mesh: LineageMesh, fusion: FusionFacts): InputDataset[] {
  const { namespace } = mesh;
  const versions = versionsOf(run.record);
  const tables = tablesOf(featureEdges(run)).map((name) => ({ namespace, name, facets: versionFacet(mesh, versions[name]) }));
  if (fusion.act === 'train') return tables;
  const model: InputDataset = {
    namespace,
    name: REGISTER,
    facets: versionFacet(mesh, fusion.digest),
    inputFacets: facetsOf(mesh, { subset: { inputCondition: subsetOf(fusion) } }),
  };
  return [...tables, model];
}

function outputsOf(run: EvidenceRun, mesh: LineageMesh, fusion: FusionFacts): OutputDataset[] {
  const { record, plan } = run;
  const trained = fusion.act === 'train';
  if (!trained && record.plan === null) return [];
  const coordinate = trained ? 'parameters' : 'FusionResult.probability';
  const columns = featureEdges(run).map((edge) => ({ ...edge, coordinate }));
  const lineage = plan && columnLineage(mesh.namespace, { columns, decisions: [] });
  const output: OutputDataset = {
    namespace: mesh.namespace,
    name: trained ? REGISTER : `answer.${record.plan}`,
    facets: { ...versionFacet(mesh, trained ? fusion.digest : null), ...facetsOf(mesh, { columnLineage: lineage }) },
    outputFacets: facetsOf(mesh, { subset: trained ? { outputCondition: subsetOf(fusion) } : null }),
  };
  return [output];
}

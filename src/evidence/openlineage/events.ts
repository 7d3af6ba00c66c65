import type { AuditRecord } from '../entry.js';
import type { LineagePlan } from '../lineage.js';
import { columnLineage, tablesOf, type ColumnLineage } from './columns.js';
import { EVENT_SCHEMA, facetsOf } from './facet.js';
import { deniedPaths, digestIn, fileFacts, fusionFacts, ingestFacts, parentFacts, versionsOf, wasCutOff } from './facts.js';
import { fusionRun } from './fusion-run.js';
import type { EventType, EvidenceRun, Facets, InputDataset, LineageMesh, OutputDataset, RunEvent } from './model.js';
import { circumstances, errorOf, failed, jobTypeOf, partition, versionFacet, type ToldRun } from './told-run.js';

/**
 * The OpenLineage 2-0-2 events of a run: START, and one of COMPLETE, FAIL and ABORT. A mutation that trained or asked a model tells of two runs, the
 * request itself and under it the run of the model, whose id follows from that of the request. The same run gives the same events, byte for byte.
 * No principal, person, literal or cell is told.
 */
export function openLineageEvents(run: EvidenceRun, mesh: LineageMesh): RunEvent[] {
  const request = requestRun(run, mesh);
  const fusion = fusionFacts(run.record);
  return [
    ...eventsOf(run.record, mesh, request),
    ...(fusion ? eventsOf(run.record, mesh, fusionRun(run, mesh, fusion, request.job.name)) : []),
  ];
}

function eventsOf(record: AuditRecord, mesh: LineageMesh, told: ToldRun): RunEvent[] {
  const { runId, job, facets, endFacets, inputs, outputs } = told;
  const common = {
    producer: mesh.producer,
    schemaURL: EVENT_SCHEMA,
    job: { namespace: mesh.namespace, ...job },
  };
  return [
    { eventType: 'START', eventTime: startOf(record), ...common, run: { runId, facets }, inputs: [], outputs: [] },
    { eventType: endOf(record), eventTime: record.at, ...common, run: { runId, facets: { ...facets, ...endFacets } }, inputs, outputs },
  ];
}

const UUID_V7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7/i;

/** A run id holds the instant at which the request came (UUID v7, RFC 9562 section 5.7); the record holds that of its end. */
function startOf({ run, at }: AuditRecord): string {
  const [, high, low] = UUID_V7.exec(run) ?? [];
  const end = Date.parse(at);
  const start = high === undefined || low === undefined ? end : Number.parseInt(high + low, 16);
  return start < end ? new Date(start).toISOString() : at;
}

function endOf(record: AuditRecord): EventType {
  if (wasCutOff(record)) return 'ABORT';
  return failed(record) ? 'FAIL' : 'COMPLETE';
}

/** The run of the record itself. */
function requestRun(run: EvidenceRun, mesh: LineageMesh): ToldRun {
  const { record, plan } = run;
  return {
    runId: record.run,
    job: {
      name: jobName(record),
      facets: facetsOf(mesh, {
        jobType: jobTypeOf(record.kind === 'ingest' ? 'JOB' : planned(record) ? 'QUERY' : 'COMMAND'),
        documentation: { description: DOCUMENTATION[record.kind], contentType: 'text/plain' },
        sourceCode: plan && { language: 'graphql', sourceCode: plan.document },
      }),
    },
    facets: { ...parentOf(record, mesh), ...circumstances(record, mesh) },
    endFacets: facetsOf(mesh, {
      errorMessage: errorOf(record),
      thalamus_policy: policyOf(record, plan),
      thalamus_receipt: receiptOf(run),
    }),
    inputs: inputsOf(run, mesh),
    outputs: record.kind === 'ingest' ? loaded(record, mesh) : answered(run, mesh),
  };
}

/** Records of questions; what else is recorded is an act of the audit even where it reads by a plan. */
const planned = ({ kind, plan }: AuditRecord): boolean => plan !== null && (kind === 'query' || kind === 'mutation' || kind === 'refused');

function jobName(record: AuditRecord): string {
  const ingest = ingestFacts(record);
  if (ingest) return `ingest.${ingest.product ?? 'unknown'}.${ingest.format ?? 'unknown'}`;
  return planned(record) ? `query.${record.plan}` : `audit.${record.kind}`;
}

const DOCUMENTATION: Readonly<Record<AuditRecord['kind'], string>> = {
  query: 'A governed question: a GraphQL document under a policy.',
  mutation: 'A governed GraphQL mutation.',
  refused: 'A question that was refused.',
  ingest: 'A file that became rows of tables, or was refused.',
  export: 'Evidence or data that left the installation.',
  replay: 'A past question that was asked again to compare digests.',
  admin: 'An act of administration.',
  'log.opened': 'A process began to write a log.',
  'log.key': 'A log took a new signing key.',
};

/** The operation of the router or the run under which a request was made, where the record names it. */
function parentOf(record: AuditRecord, mesh: LineageMesh): Facets {
  const { run, router } = parentFacts(record);
  if (run === null || run === record.run.toLowerCase()) return {};
  const job = { namespace: mesh.namespace, name: router === null ? 'request' : `router.${router}` };
  return facetsOf(mesh, { parent: { run: { runId: run }, job } });
}

function policyOf(record: AuditRecord, plan: LineagePlan | null): Record<string, unknown> {
  const verdicts = { allowed: 0, masked: 0, conditional: 0 };
  for (const { verdict } of plan?.decisions ?? []) verdicts[verdict] += 1;
  const denied = deniedPaths(record);
  return {
    policy: record.policy,
    plan: digestIn(record.plan),
    verdicts,
    maskedPaths: verdicts.masked + verdicts.conditional,
    ...(denied === null ? {} : { deniedPaths: denied }),
  };
}

function receiptOf({ logId, record }: EvidenceRun): Record<string, unknown> {
  return { logId, logIndex: record.seq, resultDigest: digestIn(record.result), patients: record.patients };
}

function inputsOf({ record, plan }: EvidenceRun, mesh: LineageMesh): InputDataset[] {
  const { namespace } = mesh;
  const versions = versionsOf(record);
  const file = fileFacts(record);
  // The tables of a load are what it wrote.
  const names = record.kind === 'ingest' ? [] : [...new Set([...tablesOf(plan?.columns ?? []), ...Object.keys(versions)])].sort();
  const tables = names.map((name): InputDataset => ({ namespace, name, facets: versionFacet(mesh, versions[name]) }));
  if (!file?.digest) return tables;
  const read: InputDataset = {
    namespace,
    name: `sha256:${file.digest}`,
    facets: versionFacet(mesh, file.digest),
    inputFacets: facetsOf(mesh, {
      inputStatistics: record.kind === 'ingest' ? { size: record.bytes, fileCount: 1 } : { fileCount: 1 },
      subset: file.range === null ? null : { inputCondition: partition(file.range, { bytes: file.range }) },
    }),
  };
  return [...tables, read];
}

/** Tables that a load wrote, with the rows of each. */
function loaded(record: AuditRecord, mesh: LineageMesh): OutputDataset[] {
  const rows = ingestFacts(record)?.rows ?? {};
  const versions = versionsOf(record);
  return [...new Set([...Object.keys(rows), ...Object.keys(versions)])].sort().map((name) => ({
    namespace: mesh.namespace,
    name,
    facets: versionFacet(mesh, versions[name]),
    outputFacets: facetsOf(mesh, { outputStatistics: rows[name] === undefined ? null : { rowCount: rows[name] } }),
  }));
}

/** The answer of a plan: a dataset whose fields are coordinates of the schema. What was refused has none. */
function answered({ record, plan }: EvidenceRun, mesh: LineageMesh): OutputDataset[] {
  if (record.plan === null || (failed(record) && record.result === null)) return [];
  const lineage = plan && lineageOf(plan, mesh.namespace);
  const answer: OutputDataset = {
    namespace: mesh.namespace,
    name: `answer.${record.plan}`,
    facets: {
      ...versionFacet(mesh, digestIn(record.result)),
      ...facetsOf(mesh, {
        schema: lineage && { fields: Object.keys(lineage.fields).map((name) => ({ name })) },
        columnLineage: lineage,
      }),
    },
    outputFacets: facetsOf(mesh, { outputStatistics: { rowCount: record.rows, size: record.bytes } }),
  };
  return [answer];
}

/** Lineage of plans that are in use; many runs share one. */
const made = new WeakMap<LineagePlan, { readonly namespace: string; readonly lineage: ColumnLineage }>();

function lineageOf(plan: LineagePlan, namespace: string): ColumnLineage {
  const known = made.get(plan);
  if (known?.namespace === namespace) return known.lineage;
  const lineage = columnLineage(namespace, plan);
  made.set(plan, { namespace, lineage });
  return lineage;
}

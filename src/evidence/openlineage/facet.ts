import type { Facet, Facets, LineageMesh } from './model.js';

const STANDARD = 'https://openlineage.io/spec';
/** Our own schemas are committed under schema/openlineage. */
const OWN = 'https://schema.thalamus.local/openlineage';

/** URL of the schema of events. */
export const EVENT_SCHEMA = `${STANDARD}/2-0-2/OpenLineage.json#/$defs/RunEvent`;

const standard = (version: string, name: string): string => `${STANDARD}/facets/${version}/${name}.json#/$defs/${name}`;
const own = (version: string, name: string): string => `${OWN}/${version}/${name}.json#/$defs/${name}`;

/** Each facet by its key in an event, with the version of its schema that it follows. */
const SCHEMAS = {
  columnLineage: standard('1-2-0', 'ColumnLineageDatasetFacet'),
  documentation: standard('1-1-0', 'DocumentationJobFacet'),
  errorMessage: standard('1-0-1', 'ErrorMessageRunFacet'),
  executionParameters: standard('1-0-0', 'ExecutionParametersRunFacet'),
  inputStatistics: standard('1-0-0', 'InputStatisticsInputDatasetFacet'),
  jobDependencies: standard('1-0-1', 'JobDependenciesRunFacet'),
  jobType: standard('2-0-4', 'JobTypeJobFacet'),
  outputStatistics: standard('1-0-2', 'OutputStatisticsOutputDatasetFacet'),
  parent: standard('1-2-0', 'ParentRunFacet'),
  processing_engine: standard('1-1-1', 'ProcessingEngineRunFacet'),
  schema: standard('1-2-0', 'SchemaDatasetFacet'),
  // The standard's SQL facet is parsed as SQL by those who receive it, and GraphQL is none: the document is the source code of the job.
  sourceCode: standard('1-0-1', 'SourceCodeJobFacet'),
  subset: standard('1-0-0', 'BaseSubsetDatasetFacet'),
  tags: standard('1-0-0', 'TagsRunFacet'),
  version: standard('1-0-1', 'DatasetVersionDatasetFacet'),
  thalamus_policy: own('1-0-0', 'ThalamusPolicyRunFacet'),
  thalamus_presence: own('1-0-0', 'ThalamusPresenceRunFacet'),
  thalamus_receipt: own('1-0-0', 'ThalamusReceiptRunFacet'),
} as const;

export type FacetKey = keyof typeof SCHEMAS;

/** Facets of one place of an event; members without a value are left out. */
export function facetsOf(
  mesh: LineageMesh,
  bodies: Readonly<Partial<Record<FacetKey, Readonly<Record<string, unknown>> | null | undefined>>>,
): Facets {
  const facets: Record<string, Facet> = {};
  for (const [key, body] of Object.entries(bodies))
    if (body) facets[key] = { _producer: mesh.producer, _schemaURL: SCHEMAS[key as FacetKey], ...body };
  return facets;
}

import type { AuditRecord } from '../entry.js';
import { facetsOf } from './facet.js';
import { codeOf, parentFacts, versionsOf } from './facts.js';
import type { Facets, InputDataset, LineageMesh, OutputDataset } from './model.js';

/** What is told of one run of one job. */
export interface ToldRun {
  readonly runId: string;
  readonly job: { readonly name: string; readonly facets: Facets };
  readonly facets: Facets;
  /** Known only at the end. */
  readonly endFacets: Facets;
  readonly inputs: readonly InputDataset[];
  readonly outputs: readonly OutputDataset[];
}

export const failed = ({ kind, code }: AuditRecord): boolean => kind === 'refused' || code !== null;

export const jobTypeOf = (jobType: 'QUERY' | 'JOB' | 'MODEL' | 'COMMAND'): Record<string, unknown> => ({
  processingType: 'BATCH',
  integration: 'THALAMUS',
  jobType,
});

/** By what a run was decided: purpose, roles, policy, and the state of consents; and by whom it was run. */
export function circumstances(record: AuditRecord, mesh: LineageMesh): Facets {
  const versions = versionsOf(record);
  const consent = versions['consent_effect'] ?? versions['consent'];
  const { router } = parentFacts(record);
  const known: Readonly<Record<string, string | undefined>> = {
    purpose: record.purpose,
    policy: record.policy,
    consent: consent?.toString(),
    roles: [...record.roles].sort().join(',') || undefined,
  };
  const parameters = Object.entries(known).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]));
  const marks = [...parameters.filter(({ key }) => key !== 'roles'), ...(router === null ? [] : [{ key: 'router', value: router }])];
  return facetsOf(mesh, {
    executionParameters: { parameters },
    tags: { tags: marks.map((mark) => ({ ...mark, source: 'THALAMUS' })) },
    processing_engine: mesh.version === undefined ? null : { version: mesh.version, name: 'Thalamus' },
  });
}

/** The stable code alone: no text of a fault leaves with it. */
export const errorOf = (record: AuditRecord): Record<string, unknown> | null =>
  failed(record) ? { message: codeOf(record), programmingLanguage: 'TypeScript' } : null;

export const versionFacet = (mesh: LineageMesh, version: number | string | null | undefined): Facets =>
  facetsOf(mesh, { version: version === null || version === undefined ? null : { datasetVersion: String(version) } });

/** Part of a dataset, by the values that lay it apart. */
export const partition = (identifier: string, dimensions: Readonly<Record<string, string>>): Record<string, unknown> => ({
  type: 'partition',
  partitions: [{ identifier, dimensions }],
});

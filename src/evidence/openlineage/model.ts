import type { AuditRecord } from '../entry.js';
import type { LineagePlan } from '../lineage.js';

/** One run as the log holds it, with the plan that its record names. */
export interface EvidenceRun {
  readonly logId: string;
  readonly record: AuditRecord;
  /** Null where the record names none, or it is not kept any more. */
  readonly plan: LineagePlan | null;
}

/** In whose name events are told. */
export interface LineageMesh {
  /** Namespace of jobs and datasets: the name of the installation. */
  readonly namespace: string;
  /** URI of the product that tells. */
  readonly producer: string;
  /** Version of the product; without it no processing engine is named. */
  readonly version?: string;
}

export interface Facet {
  readonly _producer: string;
  readonly _schemaURL: string;
  readonly [member: string]: unknown;
}
export type Facets = Readonly<Record<string, Facet>>;

export interface InputDataset {
  readonly namespace: string;
  readonly name: string;
  readonly facets?: Facets;
  readonly inputFacets?: Facets;
}

export interface OutputDataset {
  readonly namespace: string;
  readonly name: string;
  readonly facets?: Facets;
  readonly outputFacets?: Facets;
}

export type EventType = 'START' | 'COMPLETE' | 'FAIL' | 'ABORT';

/** RunEvent of OpenLineage 2-0-2, of the four types that finite runs have. */
export interface RunEvent {
  readonly eventType: EventType;
  readonly eventTime: string;
  readonly producer: string;
  readonly schemaURL: string;
  readonly run: { readonly runId: string; readonly facets: Facets };
  readonly job: { readonly namespace: string; readonly name: string; readonly facets: Facets };
  readonly inputs: readonly InputDataset[];
  readonly outputs: readonly OutputDataset[];
}

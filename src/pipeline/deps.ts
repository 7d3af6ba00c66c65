import type { PipelinePlan } from './plan.js';
import type { Evidence, PipelineStore } from './ports.js';

export interface PipelineDeps {
  readonly plan: PipelinePlan;
  readonly store: PipelineStore;
  readonly evidence: Evidence;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Who loads, for the log of identity. */
  readonly actor: string;
  /** What happens when a name arrives again with other bytes; 'refuse' where absent (spec pipelines P5). */
  readonly nameReuse?: 'refuse' | 'accept';
  /** Bounds of what one transaction commits. */
  readonly chunk?: { readonly records: number; readonly bytes: number };
}

export interface FileInput {
  /** Path relative to what the sender sent, with '/' between folders. Its last part tells formats apart. */
  readonly name: string;
  readonly open: () => AsyncIterable<Uint8Array>;
  /** GRCh37 or GRCh38 where the sender states it. */
  readonly assembly?: string;
  /** Reads formats of this product only. */
  readonly product?: string;
}

/** The last part of a path, in lower case. */
export const baseName = (name: string): string => name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1).toLowerCase();

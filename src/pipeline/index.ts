export { type FileInput, type PipelineDeps } from './deps.js';
export { planPipelines, type PipelinePlan } from './plan.js';
export type { Evidence, PipelineStore, Transaction } from './ports.js';
export { discardQuarantine, releaseQuarantine, type Release } from './release.js';
export { ingestFile } from './run.js';
export { ingestPaths, type FileOutcome, type IngestProgress, type IngestTotals } from './walk.js';

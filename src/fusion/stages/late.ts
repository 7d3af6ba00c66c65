/** Late fusion (`late_poe`): the floor model of every task (spec/fusion.md sections 3 and F11). */
export { trainLate, type LateOptions } from './late-train.js';
export {
  scoreLate,
  explainLate,
  withEvaluation,
  type Contribution,
  type LateAbstainReason,
  type LateScore,
  type PresentModalities,
  type ScoreOptions,
} from './late-score.js';
export { evaluateLate, type EvaluationOptions, type KeepMasks, type LateEvaluation } from './late-evaluation.js';
export { serialiseLate, deserialiseLate, type StoredModel } from './late-store.js';
export {
  evidenceMatrix,
  calibratedLogit,
  maskOf,
  type LateModel,
  type LateWarning,
  type MaskReport,
  type ModalityFrames,
} from './late-model.js';

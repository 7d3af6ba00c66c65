import { registerEnumType } from 'type-graphql';
import { SCALARS, value, valueType } from '../kernel/index.js';
import { MISSING_REASONS, type MissingReason } from './missing.js';

const closed = <T extends string>(name: string, description: string, values: readonly T[]): Record<T, T> => {
  const made = Object.fromEntries(values.map((each) => [each, each])) as Record<T, T>;
  registerEnumType(made, { name, description });
  return made;
};

const STATUSES = ['PREDICTED', 'ABSTAINED', 'DENIED'] as const;
const ABSTAIN_REASONS = ['NO_MODALITY', 'MASK_NOT_EVALUATED', 'MASK_BELOW_FLOOR', 'MODEL_SUSPENDED'] as const;
export type FusionStatus = (typeof STATUSES)[number];
export type AbstainReason = (typeof ABSTAIN_REASONS)[number];

const FusionStatusEnum = closed('FusionStatus', 'What became of one person in a run.', STATUSES);
const AbstainReasonEnum = closed('AbstainReason', 'Why a model gives no score.', ABSTAIN_REASONS);
const MissingReasonEnum = closed('MissingReason', 'Why a modality was not used.', MISSING_REASONS);

@valueType('MissingModality', 'A modality of the model that was not used for a person.')
export class MissingModality {
  @value({ type: () => SCALARS.String, required: true, tags: ['model'], safeHarbor: 'none', description: 'The modality.' })
  modality!: string;
  @value({
    type: () => MissingReasonEnum,
    required: true,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Why it was not used; absent and withheld are UNAVAILABLE alike for callers who may not tell them apart.',
  })
  reason!: MissingReason;
}

@valueType('ModalityContribution', 'Exact Shapley share of one modality in a score.')
export class ModalityContribution {
  @value({ type: () => SCALARS.String, required: true, tags: ['fusion.score'], safeHarbor: 'none', description: 'The modality.' })
  modality!: string;
  @value({
    type: () => SCALARS.Float,
    required: true,
    tags: ['fusion.score'],
    safeHarbor: 'none',
    description: 'Its share of logit(probability) - baseline, in logits.',
  })
  contribution!: number;
}

@valueType('MaskCalibration', 'The calibration that stands behind a score.')
export class MaskCalibration {
  @value({
    type: () => SCALARS.String,
    required: true,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'The subset it was fitted on, joined by +.',
  })
  maskGroup!: string;
  @value({
    type: () => SCALARS.Int,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Held-out persons behind it; null where too few to be told.',
  })
  n!: number | null;
}

/** Fields beyond the first two are left out, not null, where they do not apply: a DENIED result holds nothing else (F10). */
@valueType('FusionResult', 'Answer for one person: a score, an abstention with its reason, or DENIED for unknown and hidden persons alike.')
export class FusionResult {
  @value({ type: () => SCALARS.ID, required: true, tags: ['pseudonym'], safeHarbor: 'R', description: 'The person, as asked for.' })
  patientId!: string;
  @value({
    type: () => FusionStatusEnum,
    required: true,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'What became of the person in the run.',
  })
  status!: FusionStatus;
  @value({
    type: () => SCALARS.Float,
    tags: ['fusion.score'],
    safeHarbor: 'none',
    description: 'Calibrated probability of the outcome, from the modalities in mask only.',
  })
  probability?: number;
  @value({
    type: () => SCALARS.Float,
    tags: ['fusion.score'],
    safeHarbor: 'none',
    description: 'Logit of the event rate in training: the score of nobody in particular.',
  })
  baseline?: number;
  @value({
    type: () => [SCALARS.Int],
    tags: ['fusion.score'],
    safeHarbor: 'none',
    description: 'Labels that cannot be ruled out at the level asked for.',
  })
  labelSet?: number[];
  @value({ type: () => [SCALARS.String], tags: ['model'], safeHarbor: 'none', description: 'Modalities that were used.' })
  mask?: string[];
  @value({
    type: () => [MissingModality],
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Modalities of the model that were not used, and why.',
  })
  missing?: MissingModality[];
  @value({
    type: () => [ModalityContribution],
    tags: ['fusion.score'],
    safeHarbor: 'none',
    description: 'Shares of the modalities used, where asked for.',
  })
  contributions?: ModalityContribution[];
  @value({ type: () => AbstainReasonEnum, tags: ['model'], safeHarbor: 'none', description: 'Why there is no score.' })
  abstainReason?: AbstainReason;
  @value({ type: () => MaskCalibration, tags: ['model'], safeHarbor: 'none', description: 'Calibration of the subset.' })
  calibration?: MaskCalibration;
  @value({
    type: () => [SCALARS.String],
    tags: ['model'],
    safeHarbor: 'none',
    description: 'MASK_SPARSER_THAN_TRAINED, CALIBRATION_SHARED or LABEL_LEAK:<modality>.',
  })
  warnings?: string[];
}

@valueType('FusionRun', 'Answers of one run, in the order of the persons asked for.')
export class FusionRun {
  @value({
    type: () => SCALARS.ID,
    required: true,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Identifier of the run: its lineage record.',
  })
  runId!: string;
  @value({ type: () => SCALARS.ID, required: true, tags: ['model'], safeHarbor: 'none', description: 'Lineage record of the run.' })
  lineageId!: string;
  @value({ type: () => SCALARS.ID, required: true, tags: ['model'], safeHarbor: 'none', description: 'Name of the model.' })
  modelId!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['model'], safeHarbor: 'none', description: 'Version that answered.' })
  modelVersion!: string;
  @value({
    type: () => [FusionResult],
    required: true,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'One answer for each person asked for, repeats included.',
  })
  results!: FusionResult[];
}

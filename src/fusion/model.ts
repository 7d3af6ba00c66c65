import { SCALARS, column, entity, value, valueType } from '../kernel/index.js';

/** A version of a fusion model (spec/fusion.md F37). Its parameters are stored beside it and are not served. */
@entity('FusionModel', {
  description: 'A version of a fusion model: immutable, named by the hash of its content.',
  table: 'fusion_model',
  key: ['model_id', 'version'],
  tags: ['model'],
})
export class FusionModel {
  @column({
    column: 'id',
    type: 'text',
    scalar: 'ID',
    required: true,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Model and version, as <model_id>@<version>.',
  })
  id!: string;
  @column({
    column: 'model_id',
    type: 'text',
    required: true,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Name of the model over its versions.',
  })
  modelId!: string;
  @column({
    column: 'version',
    type: 'text',
    required: true,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'First 12 hexadecimal digits of the content hash.',
  })
  version!: string;
  @column({
    column: 'hash',
    type: 'text',
    tags: ['model'],
    safeHarbor: 'none',
    description: 'sha256 of the content; checked each time the model is read.',
  })
  hash!: string | null;
  @column({
    column: 'kind',
    type: 'text',
    tags: ['model'],
    safeHarbor: 'none',
    description: 'How modalities are merged: late_poe.',
  })
  kind!: string | null;
  @column({
    column: 'state',
    type: 'text',
    tags: ['model'],
    safeHarbor: 'none',
    description: 'DRAFT, VALIDATED, APPROVED, SUSPENDED or RETIRED; the last two score nobody.',
  })
  state!: string | null;
  @column({
    column: 'label',
    type: 'text',
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Outcome that was learned, as <label view>:<code>.',
  })
  label!: string | null;
  @column({
    column: 'modalities',
    type: 'text[]',
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Modalities that the model can use, any subset of them.',
  })
  modalities!: string[] | null;
  @column({
    column: 'trained_on',
    type: 'int',
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Persons with a label and any of the modalities.',
  })
  trainedOn!: number | null;
  @column({ column: 'events', type: 'int', tags: ['model'], safeHarbor: 'none', description: 'Those of them with the outcome.' })
  events!: number | null;
  @column({
    column: 'trained_at',
    type: 'timestamptz',
    tags: ['model'],
    safeHarbor: 'none',
    description: 'When it was trained; no later data were used.',
  })
  trainedAt!: string | null;
  @column({ column: 'trained_by', type: 'text', tags: ['model'], safeHarbor: 'none', description: 'Principal that had it trained.' })
  trainedBy!: string | null;
  @column({ column: 'lineage_id', type: 'uuid', tags: ['model'], safeHarbor: 'none', description: 'Lineage record of the training.' })
  lineageId!: string | null;
  @column({
    column: 'card',
    type: 'json',
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Model card: data, features, metrics of every subset, missing rates, intended use.',
  })
  card!: unknown;
}

@valueType('MaskMetric', 'How well a model ranks and how well it is calibrated on one subset of modalities, out of sample.')
export class MaskMetric {
  @value({ type: () => [SCALARS.String], required: true, tags: ['model'], safeHarbor: 'none', description: 'The subset.' })
  modalities!: string[];
  @value({
    type: () => SCALARS.Int,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Persons with all of it; null, with the metrics, where too few to be told.',
  })
  n!: number | null;
  @value({
    type: () => SCALARS.Float,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Area under the ROC curve inside outer folds, averaged.',
  })
  auroc!: number | null;
  @value({ type: () => SCALARS.Float, tags: ['model'], safeHarbor: 'none', description: 'Lower end of its 95 % bootstrap interval.' })
  aurocLow!: number | null;
  @value({ type: () => SCALARS.Float, tags: ['model'], safeHarbor: 'none', description: 'Upper end of its 95 % bootstrap interval.' })
  aurocHigh!: number | null;
  @value({
    type: () => SCALARS.Float,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Expected calibration error over 10 equal-width bins.',
  })
  ece!: number | null;
}

@valueType('TrainedModel', 'What a training made.')
export class TrainedModel {
  @value({ type: () => SCALARS.ID, required: true, tags: ['model'], safeHarbor: 'none', description: 'Name of the model.' })
  modelId!: string;
  @value({
    type: () => SCALARS.String,
    required: true,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Version; the same data and seed give the same one.',
  })
  version!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['model'], safeHarbor: 'none', description: 'sha256 of the content.' })
  hash!: string;
  @value({
    type: () => SCALARS.Int,
    required: true,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Persons with a label and any of the modalities.',
  })
  trainedOn!: number;
  @value({ type: () => SCALARS.Int, required: true, tags: ['model'], safeHarbor: 'none', description: 'Those of them with the outcome.' })
  events!: number;
  @value({
    type: () => [SCALARS.String],
    required: true,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Modalities that had enough data to be used.',
  })
  modalities!: string[];
  @value({
    type: () => [MaskMetric],
    required: true,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Every subset of them, evaluated by itself.',
  })
  aurocByMask!: MaskMetric[];
  @value({
    type: () => SCALARS.ID,
    required: true,
    tags: ['model'],
    safeHarbor: 'none',
    description: 'Lineage record of the training that made the version.',
  })
  lineageId!: string;
}

import { SCALARS, value, valueType } from '../kernel/index.js';

const evidence = { tags: ['evidence'], safeHarbor: 'none' } as const;
const catalogue = { tags: ['catalogue'], safeHarbor: 'none' } as const;

@valueType('LineageNode', 'A file, dataset, column, field of a plan, plan, run, caller or model.')
export class LineageNode {
  @value({
    ...evidence,
    type: () => SCALARS.ID,
    required: true,
    description: 'Stable name: kind, a colon and what it is; hidden for all that the caller may not see.',
  })
  id!: string;
  @value({
    ...evidence,
    type: () => SCALARS.String,
    required: true,
    description: 'FILE, DATASET, COLUMN, FIELD, PLAN, RUN, PRINCIPAL, MODEL or HIDDEN.',
  })
  kind!: string;
  @value({
    ...evidence,
    type: () => SCALARS.String,
    description: 'What it is called; of a run its instant, of a plan the beginning of its document.',
  })
  name!: string | null;
  @value({ ...evidence, type: () => SCALARS.Boolean, required: true, description: 'Whether it stands for what the caller may not see.' })
  hidden!: boolean;
}

@valueType('LineageEdge', 'From what came first to what came of it. Of an edge to what is hidden nothing more is told.')
export class LineageEdge {
  @value({ ...evidence, type: () => SCALARS.ID, required: true, description: 'Node that came first.' })
  from!: string;
  @value({ ...evidence, type: () => SCALARS.ID, required: true, description: 'Node that came of it.' })
  to!: string;
  @value({
    ...evidence,
    type: () => SCALARS.String,
    description: 'DIRECT where a field shows a column, INDIRECT where the column chooses, joins, orders or counts.',
  })
  type!: string | null;
  @value({ ...evidence, type: () => SCALARS.Boolean, description: 'Whether the column went through a mask.' })
  masking!: boolean | null;
  @value({
    ...evidence,
    type: () => SCALARS.Int,
    description: 'How many runs the edge stands for; those of one caller on one day are one node.',
  })
  runs!: number | null;
  @value({ ...evidence, type: () => SCALARS.Int, description: 'Version of the dataset that a file made or a run read.' })
  version!: number | null;
}

@valueType('LineageGraph', 'Where data came from and where they went.')
export class LineageGraph {
  @value({ ...evidence, type: () => [LineageNode], required: true, description: 'Each node once, by name.' })
  nodes!: readonly LineageNode[];
  @value({ ...evidence, type: () => [LineageEdge], required: true, description: 'Each edge once.' })
  edges!: readonly LineageEdge[];
}

@valueType('ImpactField', 'How a field of a plan depends on the column.')
export class ImpactField {
  @value({ ...evidence, type: () => SCALARS.String, required: true, description: 'Type and field.' })
  coordinate!: string;
  @value({ ...evidence, type: () => SCALARS.String, required: true, description: 'DIRECT or INDIRECT.' })
  type!: string;
  @value({ ...evidence, type: () => SCALARS.Boolean, required: true, description: 'Whether a mask was used.' })
  masking!: boolean;
}

@valueType('ImpactPlan', 'A plan that reads the column.')
export class ImpactPlan {
  @value({ ...evidence, type: () => SCALARS.ID, required: true, description: 'Digest of the plan.' })
  plan!: string;
  @value({ ...evidence, type: () => [ImpactField], required: true, description: 'Fields that depend on the column.' })
  fields!: readonly ImpactField[];
  @value({ ...evidence, type: () => SCALARS.Int, required: true, description: 'How many runs.' })
  runs!: number;
  @value({ ...evidence, type: () => SCALARS.DateTime, required: true, description: 'The first of them.' })
  firstAt!: string;
  @value({ ...evidence, type: () => SCALARS.DateTime, required: true, description: 'The last of them.' })
  lastAt!: string;
}

@valueType('ImpactPurpose', 'A purpose for which the column was read.')
export class ImpactPurpose {
  @value({ ...evidence, type: () => SCALARS.String, required: true, description: 'Purpose of use.' })
  purpose!: string;
  @value({ ...evidence, type: () => SCALARS.Int, required: true, description: 'How many runs.' })
  runs!: number;
  @value({ ...evidence, type: () => SCALARS.DateTime, required: true, description: 'The first of them.' })
  firstAt!: string;
  @value({ ...evidence, type: () => SCALARS.DateTime, required: true, description: 'The last of them.' })
  lastAt!: string;
}

@valueType('ImpactPrincipal', 'A caller whose answers depend on the column.')
export class ImpactPrincipal {
  @value({ ...evidence, type: () => SCALARS.String, required: true, description: 'Subject of the token.' })
  principal!: string;
  @value({ ...evidence, type: () => SCALARS.Int, required: true, description: 'How many runs.' })
  runs!: number;
  @value({ ...evidence, type: () => SCALARS.DateTime, required: true, description: 'The first of them.' })
  firstAt!: string;
  @value({ ...evidence, type: () => SCALARS.DateTime, required: true, description: 'The last of them.' })
  lastAt!: string;
}

@valueType('Impact', 'What a column reached.')
export class Impact {
  @value({ ...evidence, type: () => SCALARS.ID, required: true, description: 'table.column' })
  column!: string;
  @value({ ...evidence, type: () => SCALARS.Int, required: true, description: 'Answers that depend on it.' })
  runs!: number;
  @value({ ...evidence, type: () => SCALARS.DateTime, description: 'The first of them.' })
  firstAt!: string | null;
  @value({ ...evidence, type: () => SCALARS.DateTime, description: 'The last of them.' })
  lastAt!: string | null;
  @value({ ...evidence, type: () => [ImpactPlan], required: true, description: 'By plan.' })
  plans!: readonly ImpactPlan[];
  @value({ ...evidence, type: () => [ImpactPurpose], required: true, description: 'By purpose.' })
  purposes!: readonly ImpactPurpose[];
  @value({ ...evidence, type: () => [ImpactPrincipal], description: 'By caller; null where the caller sees its own runs alone.' })
  principals!: readonly ImpactPrincipal[] | null;
  @value({ ...evidence, type: () => [SCALARS.ID], required: true, description: 'Models that learned from it, id@version.' })
  models!: readonly string[];
}

@valueType('TrainedOnFeatures', 'Version of the features of one modality.')
export class TrainedOnFeatures {
  @value({ ...evidence, type: () => SCALARS.String, required: true, description: 'Modality.' })
  modality!: string;
  @value({ ...evidence, type: () => SCALARS.String, required: true, description: 'Version of the feature view.' })
  version!: string;
}

@valueType('TrainedOnDataset', 'A table that a model learned from.')
export class TrainedOnDataset {
  @value({ ...evidence, type: () => SCALARS.String, required: true, description: 'Table.' })
  name!: string;
  @value({ ...evidence, type: () => SCALARS.Int, description: 'Version that was read.' })
  version!: number | null;
}

@valueType('TrainedOnColumn', 'A column that a model learned from.')
export class TrainedOnColumn {
  @value({ ...evidence, type: () => SCALARS.String, required: true, description: 'table.column' })
  name!: string;
  @value({ ...evidence, type: () => SCALARS.String, required: true, description: 'DIRECT or INDIRECT.' })
  type!: string;
}

@valueType('TrainedOnFile', 'A file that made a version of a table.')
export class TrainedOnFile {
  @value({ ...evidence, type: () => SCALARS.ID, required: true, description: 'SHA-256 of the file.' })
  digest!: string;
  @value({ ...evidence, type: () => SCALARS.String, required: true, description: 'Table.' })
  dataset!: string;
  @value({ ...evidence, type: () => SCALARS.Int, required: true, description: 'Version that the file made.' })
  version!: number;
}

@valueType('TrainedOn', 'Everything that a model was trained on.')
export class TrainedOn {
  @value({ ...evidence, type: () => SCALARS.ID, required: true, description: 'id@version' })
  model!: string;
  @value({ ...evidence, type: () => SCALARS.String, required: true, description: 'Content hash of the model.' })
  hash!: string;
  @value({ ...evidence, type: () => SCALARS.String, required: true, description: 'State in the register.' })
  state!: string;
  @value({ ...evidence, type: () => SCALARS.String, required: true, description: 'Outcome that it predicts.' })
  label!: string;
  @value({ ...evidence, type: () => SCALARS.Int, required: true, description: 'Persons that it learned from.' })
  persons!: number;
  @value({ ...evidence, type: () => SCALARS.Int, required: true, description: 'Those of them with the outcome.' })
  events!: number;
  @value({ ...evidence, type: () => SCALARS.DateTime, required: true, description: 'When it was trained.' })
  trainedAt!: string;
  @value({ ...evidence, type: () => SCALARS.ID, description: 'Lineage id of the training; null where it is not for the caller to know.' })
  run!: string | null;
  @value({ ...evidence, type: () => SCALARS.String, description: 'Who trained it; null likewise.' })
  trainedBy!: string | null;
  @value({ ...evidence, type: () => SCALARS.String, description: 'Digest of the policy that decided.' })
  policyVersion!: string | null;
  @value({ ...evidence, type: () => SCALARS.String, description: 'Digest of rows and labels.' })
  trainingData!: string | null;
  @value({ ...evidence, type: () => SCALARS.Int, description: 'Version of what consents permitted, as it was read.' })
  consentVersion!: number | null;
  @value({ ...evidence, type: () => [TrainedOnFeatures], required: true, description: 'Features by modality.' })
  features!: readonly TrainedOnFeatures[];
  @value({ ...evidence, type: () => [TrainedOnDataset], required: true, description: 'Tables with their versions.' })
  datasets!: readonly TrainedOnDataset[];
  @value({ ...evidence, type: () => [TrainedOnColumn], required: true, description: 'Columns.' })
  columns!: readonly TrainedOnColumn[];
  @value({
    ...evidence,
    type: () => SCALARS.Boolean,
    required: true,
    description: 'Whether tables or columns are left out that the caller may not see.',
  })
  hidden!: boolean;
  @value({
    ...evidence,
    type: () => [TrainedOnFile],
    description: 'Files behind the tables; null where they are not for the caller to see.',
  })
  files!: readonly TrainedOnFile[] | null;
}

@valueType('PolicyAt', 'The policy that was in force at an instant.')
export class PolicyAt {
  @value({ ...catalogue, type: () => SCALARS.DateTime, required: true, description: 'The instant.' })
  at!: string;
  @value({
    ...catalogue,
    type: () => SCALARS.Int,
    description: 'Number of the version; null before the first, when only what products declare held.',
  })
  version!: number | null;
  @value({ ...catalogue, type: () => SCALARS.String, description: 'Digest of the document.' })
  digest!: string | null;
  @value({ ...catalogue, type: () => SCALARS.JSON, description: 'The document.' })
  document!: unknown;
  @value({ ...catalogue, type: () => SCALARS.String, description: 'Who proposed it.' })
  proposedBy!: string | null;
  @value({ ...catalogue, type: () => SCALARS.String, description: 'Who approved it.' })
  decidedBy!: string | null;
  @value({ ...catalogue, type: () => SCALARS.DateTime, description: 'From when on.' })
  inForceFrom!: string | null;
  @value({ ...catalogue, type: () => SCALARS.DateTime, description: 'Until when; null: still.' })
  inForceTo!: string | null;
  @value({
    ...catalogue,
    type: () => [SCALARS.String],
    required: true,
    description: 'Digests of the whole policy by which answers of that UTC day were decided.',
  })
  recorded!: readonly string[];
}

@valueType('GrantUse', 'A grant, and what of it nobody used for 90 days.')
export class GrantUse {
  @value({ ...catalogue, type: () => SCALARS.ID, required: true, description: 'Id of the grant.' })
  grant!: string;
  @value({ ...catalogue, type: () => SCALARS.String, required: true, description: 'Why it exists.' })
  reason!: string;
  @value({ ...catalogue, type: () => [SCALARS.String], required: true, description: 'For which purposes.' })
  purposes!: readonly string[];
  @value({
    ...catalogue,
    type: () => SCALARS.Int,
    required: true,
    description: 'Answers to callers of the role for these purposes; some may have stood on another grant.',
  })
  runs!: number;
  @value({ ...catalogue, type: () => SCALARS.DateTime, description: 'The last of them.' })
  lastAt!: string | null;
  @value({ ...catalogue, type: () => SCALARS.Int, required: true, description: 'Columns that it covers.' })
  columns!: number;
  @value({
    ...catalogue,
    type: () => [SCALARS.String],
    required: true,
    description: 'Those of them that no answer read in any way, table.column.',
  })
  unusedColumns!: readonly string[];
  @value({ ...catalogue, type: () => [SCALARS.String], required: true, description: 'Actions that no document used.' })
  unusedActions!: readonly string[];
}

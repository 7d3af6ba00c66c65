import { SCALARS, value, valueType } from '../kernel/index.js';

@valueType('Asset', 'One asset of the mesh: a product, dataset, column, file or model.')
export class Asset {
  @value({
    type: () => SCALARS.String,
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'product.dataset.column, from the left as far as it goes.',
  })
  name!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Stable name of the asset.' })
  urn!: string;
  @value({
    type: () => SCALARS.String,
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'product, dataset, column, file or model.',
  })
  kind!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Who answers for it.' })
  owner!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'What it holds.' })
  description!: string;
  @value({
    type: () => [SCALARS.String],
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'Tags in force: declared, governed and inherited.',
  })
  tags!: readonly string[];
  @value({
    type: () => [SCALARS.String],
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'Those of them that the policy in force put on it, or on what it lies in.',
  })
  governed!: readonly string[];
}

@valueType('MatrixCell', 'What one role may see of one field for one purpose.')
export class MatrixCell {
  @value({ type: () => SCALARS.String, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Type and field.' })
  coordinate!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Role.' })
  role!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Purpose of use.' })
  purpose!: string;
  @value({
    type: () => SCALARS.String,
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'allowed, masked, trimmed (decided row by row) or denied.',
  })
  verdict!: string;
  @value({ type: () => SCALARS.String, tags: ['catalogue'], safeHarbor: 'none', description: 'The mask where one applies to every row.' })
  mask!: string | null;
  @value({
    type: () => [SCALARS.String],
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'Grants that cover it, the clearest first; forbids where it is denied.',
  })
  ruleIds!: readonly string[];
}

@valueType('AccessPath', 'What a document is allowed at one path, before anything is read.')
export class AccessPath {
  @value({
    type: () => SCALARS.String,
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'Response keys from the root, joined by dots.',
  })
  path!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Type and field.' })
  coordinate!: string;
  @value({
    type: () => SCALARS.String,
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'allowed, masked, trimmed (decided row by row) or denied.',
  })
  verdict!: string;
  @value({ type: () => SCALARS.String, tags: ['catalogue'], safeHarbor: 'none', description: 'The mask where one applies to every row.' })
  mask!: string | null;
  @value({
    type: () => [SCALARS.String],
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'Grants that cover it, the clearest first; forbids where it is denied.',
  })
  ruleIds!: readonly string[];
  @value({
    type: () => [SCALARS.String],
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'Why, as sentences of the rules.',
  })
  reasons!: readonly string[];
  @value({
    type: () => [SCALARS.String],
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'Tags that no grant covers, where the path is denied.',
  })
  missing!: readonly string[];
  @value({
    type: () => [SCALARS.String],
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'Statements that go with such an answer.',
  })
  notices!: readonly string[];
  @value({
    type: () => SCALARS.Boolean,
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'True where the consent of each person is asked.',
  })
  consent!: boolean;
  @value({
    type: () => SCALARS.Float,
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'Rows that the path can come to at most.',
  })
  rowsMax!: number;
}

@valueType('PolicyChange', 'A cell that a document would change.')
export class PolicyChange {
  @value({ type: () => SCALARS.String, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Type and field.' })
  coordinate!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Role.' })
  role!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Purpose of use.' })
  purpose!: string;
  @value({
    type: () => SCALARS.String,
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'Verdict and rules as they are.',
  })
  from!: string;
  @value({
    type: () => SCALARS.String,
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'Verdict and rules as they would be.',
  })
  to!: string;
}

@valueType('PolicyVersion', 'One version of the policy of this installation. It is written once, decided once and kept.')
export class PolicyVersion {
  @value({ type: () => SCALARS.Int, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Number of the version.' })
  version!: number;
  @value({
    type: () => SCALARS.String,
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'proposed, in force, superseded or rejected.',
  })
  status!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'SHA-256 of the document.' })
  digest!: string;
  @value({ type: () => SCALARS.JSON, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'The document.' })
  document!: unknown;
  @value({
    type: () => SCALARS.JSON,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'The cells that it changed when it was proposed.',
  })
  impact!: unknown;
  @value({ type: () => SCALARS.String, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Subject who proposed it.' })
  proposedBy!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'When it was proposed.' })
  proposedAt!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Why.' })
  reason!: string;
  @value({ type: () => SCALARS.String, tags: ['catalogue'], safeHarbor: 'none', description: 'Subject who decided.' })
  decidedBy!: string | null;
  @value({ type: () => SCALARS.String, tags: ['catalogue'], safeHarbor: 'none', description: 'When it was decided.' })
  decidedAt!: string | null;
}

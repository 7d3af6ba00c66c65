import { catalogueOf, type Classification, type PolicyClass } from '../governance/index.js';
import type { Tag } from '../kernel/index.js';
import type { Mesh } from './mesh.js';
import type { MeshRequest } from './request.js';

/** True where the class sees records of everybody, and not of its caller alone. */
export const seesAllEvidence = (policyClass: PolicyClass): boolean =>
  policyClass
    .decide(['evidence'], 'read')
    .alternatives.some(({ mask, rows, datasets }) => mask === null && rows.op === 'true' && Object.keys(datasets).length === 0);

/**
 * Which nodes of lineage a caller may see. Datasets and columns: those whose values the class may read, masked or not, or all of them where it governs
 * the catalogue. Runs, and the plans and callers behind them: the caller's own, or all. Files and loads: where all evidence is seen.
 */
export class LineageSight {
  readonly all: boolean;
  /** Whose runs are seen; null: everybody's. */
  readonly sub: string | null;
  readonly models: boolean;
  private readonly policyClass: PolicyClass;
  private readonly governs: boolean;

  constructor(private readonly request: MeshRequest) {
    this.policyClass = request.runtime.policyClass;
    this.all = seesAllEvidence(this.policyClass);
    this.sub = this.all ? null : request.principal.sub;
    this.governs = this.policyClass.may('govern', ['catalogue']);
    this.models = this.all || this.policyClass.may('read', ['model']);
  }

  /** False for a table that is not there, too. */
  dataset(table: string): boolean {
    if (!this.request.mesh.parts.types.has(table)) return false;
    if (this.governs) return true;
    const { classification } = this.policyClass;
    const entity = classification.datasets.get(table)?.entity;
    return entity !== undefined && this.policyClass.may('read', classification.rowTags(entity));
  }

  /** A column as table.column; false for one that is not there, too. */
  column(name: string): boolean {
    const [table = '', column = ''] = name.split('.');
    const types = this.request.mesh.parts.types.get(table);
    if (types?.has(column) !== true) return false;
    if (this.governs) return true;
    const tags = this.tagsOf(table, column);
    return tags !== undefined && this.policyClass.may('read', tags);
  }

  run(principal: string): boolean {
    return this.all || principal === this.sub;
  }

  /** product.dataset, or the table where no product serves it. */
  nameOf(table: string): string {
    const product = this.policyClass.classification.datasets.get(table)?.product;
    return product === undefined ? table : `${product}.${table}`;
  }

  columnsOf(table: string): readonly string[] {
    return [...(this.request.mesh.parts.types.get(table)?.keys() ?? [])];
  }

  /** Undefined where nobody classified the column: it is nobody's to see. */
  private tagsOf(table: string, column: string): readonly Tag[] | undefined {
    const { classification } = this.policyClass;
    const dataset = classification.datasets.get(table);
    if (!dataset) return undefined;
    if (column === dataset.entity.patient) return classification.rowTags(dataset.entity);
    return columnTags(this.request.mesh).get(`${dataset.product}.${table}.${column}`);
  }
}

const known = new WeakMap<Classification, ReadonlyMap<string, readonly Tag[]>>();

/** Tags of every column that some field serves, by product.dataset.column, as the policy in force has them. */
export function columnTags({ parts, classification, policy }: Mesh): ReadonlyMap<string, readonly Tag[]> {
  const found = known.get(classification);
  if (found) return found;
  const columns = catalogueOf(parts.products, classification, policy.document).filter((asset) => asset.kind === 'column');
  const made = new Map(columns.map(({ name, tags }) => [name, tags]));
  known.set(classification, made);
  return made;
}

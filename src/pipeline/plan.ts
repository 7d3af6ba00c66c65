import { CodedError } from '../kernel/error.js';
import type { AssetDeclaration, DerivedTable, FormatBinding, Product } from '../kernel/index.js';

export interface PlannedBinding {
  readonly product: string;
  readonly binding: FormatBinding;
}

/** All pipelines of the mesh, checked against each other. */
export interface PipelinePlan {
  /** In the order in which formats are tried. */
  readonly bindings: readonly PlannedBinding[];
  /** By table, in the order in which rows are written. */
  readonly assets: ReadonlyMap<string, AssetDeclaration>;
  readonly derived: readonly DerivedTable[];
}

/**
 * Joins the pipelines of the products (spec pipelines P1). Throws CONFIG_INVALID for a table, a format or an expectation that is named
 * twice in its scope, a key that is no column, and a derived table without its asset.
 */
export function planPipelines(products: readonly Pick<Product, 'name' | 'pipeline'>[]): PipelinePlan {
  const bindings: PlannedBinding[] = [];
  const assets = new Map<string, AssetDeclaration>();
  const derived: DerivedTable[] = [];
  const refuse = (message: string): never => {
    throw new CodedError('CONFIG_INVALID', message);
  };
  for (const { name, pipeline } of products) {
    if (pipeline === undefined) continue;
    for (const binding of pipeline.formats) {
      if (bindings.some((other) => other.binding.format.name === binding.format.name))
        refuse(`The format ${binding.format.name} is bound twice.`);
      bindings.push({ product: name, binding });
    }
    for (const asset of pipeline.assets) {
      if (assets.has(asset.table)) refuse(`The table ${asset.table} belongs to two pipelines.`);
      checkAsset(asset, refuse);
      assets.set(asset.table, asset);
    }
    for (const table of pipeline.derived ?? []) {
      if (!assets.has(table.from)) refuse(`The derived table ${table.table} follows from ${table.from}, which no pipeline writes.`);
      if (assets.has(table.table)) refuse(`The table ${table.table} is both written and derived.`);
      if (!('patient_id' in table.columns)) refuse(`The derived table ${table.table} has no column patient_id.`);
      derived.push(table);
    }
  }
  return { bindings, assets, derived };
}

function checkAsset(asset: AssetDeclaration, refuse: (message: string) => never): void {
  const missing = asset.key.find((column) => !(column in asset.columns));
  if (missing !== undefined) refuse(`The key of ${asset.table} names ${missing}, which is none of its columns.`);
  if (asset.onConflict === 'merge' && asset.merge === undefined) refuse(`The table ${asset.table} merges but does not say how.`);
  if (asset.patient !== 'none' && !('patient_id' in asset.columns))
    refuse(`The table ${asset.table} is about persons but has no patient_id.`);
  const names = new Set(asset.expectations.map((expectation) => expectation.name));
  if (names.size !== asset.expectations.length) refuse(`Two expectations of ${asset.table} have the same name.`);
}

import { CodedError, entityClasses, entityOf, isTag, type Product } from '../kernel/index.js';

type Declared = Pick<Product, 'name' | 'types' | 'features' | 'label'>;

/**
 * Refuses products in which an asset is unclassified, by name: a dataset (tables of files and of models among them), the inputs that a product
 * gives to models, or the labels that models learn. Fields are judged with the schema.
 */
export function assertAssetsClassified(products: readonly Declared[]): void {
  const withTable = new Set(entityClasses());
  const faults = products.flatMap(({ name, types, features, label }) => [
    ...types.filter((type) => withTable.has(type)).flatMap((type) => faultsOf(`${name}.${entityOf(type).table}`, entityOf(type).tags)),
    ...(features ? faultsOf(`${name}.features`, features.tags) : []),
    ...(label ? faultsOf(`${name}.labels.${label.name}`, label.tags) : []),
  ]);
  if (faults.length > 0) throw new CodedError('SCHEMA_UNCLASSIFIED', `Unclassified assets: ${faults.join(', ')}.`);
}

function faultsOf(asset: string, tags: readonly string[]): string[] {
  if (tags.length === 0) return [asset];
  return tags.filter((tag) => !isTag(tag)).map((tag) => `${asset} (unknown tag ${tag})`);
}

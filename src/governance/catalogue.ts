import { DECLARATION, type FieldDeclaration, type Product, type Tag } from '../kernel/index.js';
import type { Classification } from './classification.js';
import type { PolicyDocument } from './compose-policy.js';
import { dataTypes, entityOfType } from './coordinates.js';

/** One asset of the mesh under its three-level name, product.dataset.column. */
export interface CatalogueAsset {
  /** product, product.dataset or product.dataset.column. */
  readonly name: string;
  readonly urn: string;
  readonly kind: 'product' | 'dataset' | 'column' | 'file' | 'model';
  readonly owner: string;
  readonly description: string;
  /** Tags in force: declared, governed and inherited. */
  readonly tags: readonly Tag[];
  /** Those of them that the policy in force put on it, or on what it lies in. */
  readonly governed: readonly Tag[];
}

const MODEL = { product: 'fusion', description: 'Trained models; to run one is a right of its own.' } as const;

const urnOf = (name: string): string => `urn:thalamus:${name.split('.').join(':')}`;

/** Every asset with its owner and tags, by name. Owners are inherited downwards until one is named. */
export function catalogueOf(
  products: readonly Pick<Product, 'name' | 'owner' | 'description'>[],
  classification: Classification,
  document: PolicyDocument,
): readonly CatalogueAsset[] {
  const ownerOf = (name: string, declared: string): string => {
    const levels = name.split('.');
    for (let depth = levels.length; depth > 0; depth--) {
      const named = document.owners?.[levels.slice(0, depth).join('.')];
      if (named !== undefined) return named;
    }
    return declared;
  };
  const asset = (name: string, kind: CatalogueAsset['kind'], owner: string, description: string, tags: readonly Tag[]): CatalogueAsset => {
    const governed = [...new Set(classification.governed(...name.split('.')))];
    return { name, urn: urnOf(name), kind, owner: ownerOf(name, owner), description, tags: [...new Set([...tags, ...governed])], governed };
  };
  const assets = products.map((product) => asset(product.name, 'product', product.owner, product.description, []));
  const models = products.find((product) => product.name === MODEL.product);
  if (models) assets.push(asset(`${models.name}.model`, 'model', models.owner, MODEL.description, ['model']));
  for (const { product, owner, entity } of classification.datasets.values())
    assets.push(asset(`${product}.${entity.table}`, 'dataset', owner, entity.description, entity.tags));
  for (const type of dataTypes(classification.schema)) {
    const entity = entityOfType(type);
    const dataset = entity && classification.datasets.get(entity.table);
    if (!entity || !dataset) continue;
    for (const field of Object.values(type.getFields())) {
      const declaration = field.extensions[DECLARATION] as FieldDeclaration | undefined;
      if (declaration?.kind === 'reader' && declaration.file) {
        const tags = [...new Set([...classification.rowTags(entity), ...classification.readerTags(declaration)])];
        assets.push(asset(declaration.file.asset, 'file', dataset.owner, declaration.description, tags));
      }
      if (declaration?.kind !== 'column') continue;
      const name = `${dataset.product}.${entity.table}.${declaration.column}`;
      assets.push(asset(name, 'column', dataset.owner, declaration.description, classification.cellTags(entity, declaration)));
    }
  }
  return [...new Map(assets.map((each) => [each.name, each])).values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

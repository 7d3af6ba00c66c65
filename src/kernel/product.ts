import type { FeatureView, LabelView } from './feature.js';
import type { TypeClass } from './field.js';
import type { PipelineDeclaration } from './pipeline.js';
import type { PolicyDeclaration } from './policy.js';

export const PRODUCT_NAMES = ['patients', 'genomics', 'imaging', 'notes', 'wearables', 'fusion', 'governance'] as const;
export type ProductName = (typeof PRODUCT_NAMES)[number];

/** A data product of the mesh: data only. Everything that serves, guards, traces or loads it reads this declaration. */
export interface Product {
  readonly name: ProductName;
  readonly description: string;
  /** The team that answers for it. */
  readonly owner: string;
  /** Types that it owns. */
  readonly types: readonly TypeClass[];
  /** Classes with the fields that it adds to types of the kernel. */
  readonly extensions?: readonly TypeClass[];
  /** Classes with root fields and operations; at least one. */
  readonly resolvers: readonly TypeClass[];
  readonly policy: PolicyDeclaration;
  readonly pipeline?: PipelineDeclaration;
  readonly features?: FeatureView;
  readonly label?: LabelView;
}

export function defineProduct(product: Product): Product {
  return Object.freeze(product);
}

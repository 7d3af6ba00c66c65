import type { PolicyDeclaration, Product, ProductName } from './kernel/index.js';

/** The products of the mesh, loaded only where they are served: type-graphql keeps one registry a process. A new modality is one line here. */
const doors: Readonly<Record<ProductName, () => Promise<{ product: Product }>>> = {
  patients: () => import('./domains/patients/index.js'),
  genomics: () => import('./domains/genomics/index.js'),
  imaging: () => import('./domains/imaging/index.js'),
  notes: () => import('./domains/notes/index.js'),
  wearables: () => import('./domains/wearables/index.js'),
  fusion: () => import('./fusion/index.js'),
  governance: () => import('./governance/index.js'),
};

/** The policy of all products, which every process needs whole: a subgraph rules rows that another product's grants cover. */
const policies: readonly (() => Promise<{ policy: PolicyDeclaration }>)[] = [
  () => import('./domains/patients/policy.js'),
  () => import('./domains/genomics/policy.js'),
  () => import('./domains/imaging/policy.js'),
  () => import('./domains/notes/policy.js'),
  () => import('./domains/wearables/policy.js'),
  () => import('./fusion/policy.js'),
  () => import('./governance/policy.js'),
];

export const allProducts = Object.keys(doors) as ProductName[];

export async function loadProducts(names: readonly ProductName[] = allProducts): Promise<Product[]> {
  const loaded: Product[] = [];
  for (const name of names) loaded.push((await doors[name]()).product);
  return loaded;
}

export async function loadPolicies(): Promise<PolicyDeclaration[]> {
  return (await Promise.all(policies.map((load) => load()))).map((module) => module.policy);
}

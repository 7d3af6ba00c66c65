import { buildSchema } from '../../src/gateway/schema.js';
import { subgraphSdl } from '../../src/gateway/subgraph.js';
import { PRODUCT_NAMES, type ProductName } from '../../src/kernel/index.js';
import { loadProducts } from '../../src/products.js';

/** The SDL of one product as a subgraph. Call it once a process: what another product registered would be printed too. */
export async function printProduct(name: string): Promise<string> {
  if (!(PRODUCT_NAMES as readonly string[]).includes(name)) throw new Error(`There is no product ${name}.`);
  return subgraphSdl(buildSchema(await loadProducts([name as ProductName]), () => null));
}

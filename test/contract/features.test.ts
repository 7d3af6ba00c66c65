import { entityOf, type Tag, type TypeThunk } from '../../src/kernel/index.js';
import { openTestMesh, type TestMesh } from '../support/mesh.js';

let mesh: TestMesh;
beforeAll(async () => {
  mesh = await openTestMesh();
}, 180_000);
afterAll(async () => {
  await mesh.close();
});

/** Tags of columns that a view reads and does not ask for: a caller could learn from a feature what no grant shows as a value. */
function unasked(tags: readonly Tag[], reads: readonly { readonly of: TypeThunk; readonly columns: readonly string[] }[]): string[] {
  const asked = new Set<Tag>([...tags, ...reads.flatMap(({ of }) => entityOf(of()).tags)]);
  return reads.flatMap(({ of, columns }) =>
    columns.flatMap((column) =>
      (mesh.mesh.classification.columnTags(of, column) ?? [])
        .filter((tag) => !tag.startsWith('safeharbor.'))
        .filter((tag) => !asked.has(tag))
        .map((tag) => `${entityOf(of()).table}.${column}: ${tag}`),
    ),
  );
}

test('every feature view and label asks for the tags of each column that it reads', () => {
  const products = mesh.mesh.parts.products;
  const views = products.flatMap((product) => [...(product.features ? [product.features] : []), ...(product.label ? [product.label] : [])]);
  expect(views).toHaveLength(6);
  for (const view of views) expect(unasked(view.tags, view.reads)).toEqual([]);
});

test('a view that forgets a tag is found', () => {
  const [view] = mesh.mesh.parts.products.flatMap((product) =>
    product.name === 'wearables' && product.features ? [product.features] : [],
  );
  expect(
    unasked(
      (view?.tags ?? []).filter((tag) => tag !== 'pii.quasi'),
      view?.reads ?? [],
    ),
  ).toContain('wear_chunk.day: pii.quasi');
});

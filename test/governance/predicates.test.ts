import { resolveDeclared } from '../../src/gateway/reference.js';
import { buildSchema } from '../../src/gateway/schema.js';
import { loadProducts } from '../../src/products.js';
import { FACTS } from '../policy/facts.js';
import { randomDifferences, type Subject } from '../policy/suite.js';

let subject: Subject;
beforeAll(async () => {
  const products = await loadProducts();
  subject = { schema: buildSchema(products, resolveDeclared as never), products };
}, 20_000);

describe('of the policy compiler it holds that', () => {
  it.each(FACTS.map((each) => [each.name, each.check] as const))('%s', (_, check) => {
    expect(() => check(subject)).not.toThrow();
  });
});

it.each([1, 2])('compiled rules say of rows in memory what the declarations say (seed %i)', async (seed) => {
  expect(await randomDifferences(subject, 12, seed)).toEqual([]);
});

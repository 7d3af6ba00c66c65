import { principalOf } from '../../src/cli/who.js';
import { ask } from '../../src/gateway/index.js';
import { entityOf } from '../../src/kernel/index.js';
import { IDENTITIES } from '../fuzz/campaign.js';
import { valuesOf, type Values } from '../fuzz/values.js';
import { openTestMesh, type TestMesh } from '../support/mesh.js';
import { DOMAINS, declarationOf, entitiesOf, everything, targetOf } from './support.js';

let mesh: TestMesh;
let values: Values;
beforeAll(async () => {
  mesh = await openTestMesh();
  values = await valuesOf(mesh.pools.owner);
}, 180_000);
afterAll(async () => {
  await mesh.close();
});

/** Classes that hold no grant over anything of a product see no entrance to it. */
const CLOSED: Readonly<Record<string, readonly string[]>> = {
  genomics: ['officer', 'engineer'],
  imaging: ['steward', 'officer', 'engineer'],
  notes: ['steward', 'officer', 'engineer'],
  wearables: ['steward', 'officer', 'engineer'],
};

describe.each(DOMAINS)('the product %s', (domain) => {
  test.each(IDENTITIES)('answers the %s from every entrance that the class sees', async (who) => {
    const principal = principalOf(who);
    const { schema } = mesh.mesh.runtimeFor(principal);
    const tables = new Set(entitiesOf(mesh, domain).map((each) => each.table));
    const entrances = Object.values(schema.getQueryType()?.getFields() ?? {}).filter((field) => {
      const target = targetOf(declarationOf(field));
      return target !== undefined && tables.has(entityOf(target()).table);
    });
    expect(entrances.length > 0).toBe(!(CLOSED[domain] ?? []).includes(who));
    for (const { name } of entrances) {
      const query = everything(schema, name, values, 2);
      const [compiled, reference] = [await ask(mesh.mesh, principal, { query }), await ask(mesh.mesh, principal, { query }, 'reference')];
      expect({ query, errors: compiled.errors, path: compiled.path }).toEqual({ query, errors: [], path: 'compiled' });
      expect(reference).toMatchObject({ errors: [], data: compiled.data });
    }
  });
});

test('nothing was logged for the operator', () => {
  expect(mesh.logged).toEqual([]);
});

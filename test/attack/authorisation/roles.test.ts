/** Two roles in one token against each of them alone, cell by cell. */
import { getNamedType, isLeafType, isObjectType, type GraphQLObjectType } from 'graphql';
import type { Principal, Purpose } from '../../../src/kernel/index.js';
import { askAs, codesOf, inForce, like, openWorld, pageOf, type World } from './support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 180_000);
afterAll(() => world.close(), 20_000);

type Cells = ReadonlyMap<string, unknown>;

const holder = (roles: readonly string[], purpose: Purpose): Principal => like('clinician', { sub: 'dr-two', roles, purpose, sites: '*' });
const connectionOf = (type: GraphQLObjectType): GraphQLObjectType | undefined => {
  const edges = type.getFields()['edges'];
  const edge = edges && getNamedType(edges.type);
  const node = isObjectType(edge) ? edge.getFields()['node'] : undefined;
  const found = node && getNamedType(node.type);
  return isObjectType(found) ? found : undefined;
};
const leaves = (type: GraphQLObjectType): string[] =>
  Object.values(type.getFields())
    .filter((field) => isLeafType(getNamedType(field.type)) && field.args.length === 0)
    .map((field) => field.name);

/** Every cell of every list that a class has, by list, row and field; an empty map where the class has no schema. */
async function cellsOf(principal: Principal): Promise<Cells> {
  const cells = new Map<string, unknown>();
  let schema;
  try {
    ({ schema } = world.running.mesh.runtimeFor(principal));
  } catch {
    const refused = await askAs(world, principal, '{ __typename }');
    expect([refused.status, codesOf(refused)]).toEqual([403, ['FORBIDDEN']]);
    return cells;
  }
  const query = schema.getQueryType();
  for (const field of Object.values(query?.getFields() ?? {})) {
    const type = getNamedType(field.type);
    const node = isObjectType(type) ? connectionOf(type) : undefined;
    // What was asked is different from one moment to the next.
    if (!node || !node.getFields()['id'] || field.name === 'lineageRuns') continue;
    if (field.args.some((arg) => String(arg.type).endsWith('!'))) continue;
    const nested = Object.values(node.getFields()).flatMap((each) => {
      const inner = getNamedType(each.type);
      const row = isObjectType(inner) ? connectionOf(inner) : undefined;
      // Lists in an order that only some may ask for begin with other rows.
      if (!row?.getFields()['id'] || node.name !== 'Patient' || each.args.some((arg) => arg.name === 'orderBy')) return [];
      return [{ name: each.name, text: `${each.name}(first: 40) { edges { node { ${leaves(row).join(' ')} } } }` }];
    });
    for (const { name, text } of [{ name: '', text: leaves(node).join(' ') }, ...nested]) {
      const selection = name === '' ? text : `id ${text}`;
      const reply = await askAs(world, principal, `{ ${field.name}(first: 500) { edges { node { ${selection} } } } }`);
      expect([field.name, name, codesOf(reply)]).toEqual([field.name, name, []]);
      const rows = pageOf(reply.body.data, field.name).edges.map((edge) => edge.node);
      const inner = name === '' ? rows : rows.flatMap((row) => pageOf(row, name).edges.map((edge) => edge.node));
      for (const row of inner)
        for (const [cell, value] of Object.entries(row)) cells.set(`${field.name}/${name}/${String(row['id'])}/${cell}`, value);
    }
  }
  return cells;
}

/** Cells of both roles together that neither of them has alone, and those that are lost. */
function stitched(both: Cells, one: Cells, other: Cells): string[] {
  const found: string[] = [];
  for (const [cell, value] of both) {
    const alone = [one.get(cell), other.get(cell)].map((each) => JSON.stringify(each ?? null));
    if (!alone.includes(JSON.stringify(value))) found.push(cell);
    if (value === null && alone.some((each) => each !== 'null')) found.push(`${cell} (lost)`);
  }
  for (const cell of [...one.keys(), ...other.keys()]) if (!both.has(cell)) found.push(`${cell} (lost)`);
  return found;
}

const pairsOf = (roles: readonly string[]): [string, string][] =>
  roles.flatMap((one, i) => roles.slice(i + 1).map((other): [string, string] => [one, other]));

describe('ATK-51 rights of two roles stitched together', () => {
  const ROLES = ['analyst', 'clinician', 'ml_engineer', 'privacy_officer', 'researcher', 'steward'];

  it.each(['TREAT', 'HRESCH', 'HOPERAT'] as const)(
    'no pair of roles has a cell for %s that neither has alone',
    async (purpose) => {
      expect([...world.running.mesh.roles].sort()).toEqual(ROLES);
      const alone = new Map<string, Cells>();
      for (const role of ROLES) alone.set(role, await cellsOf(holder([role], purpose)));
      let compared = 0;
      for (const [one, other] of pairsOf(ROLES)) {
        const [first, second] = [alone.get(one) ?? new Map(), alone.get(other) ?? new Map()];
        const both = await cellsOf(holder([one, other], purpose));
        expect([one, other, stitched(both, first, second).slice(0, 5)]).toEqual([one, other, []]);
        compared += both.size;
      }
      expect(compared).toBeGreaterThan(2_000);
    },
    180_000,
  );

  it('a role with few columns on all rows and one with many columns on few rows stay apart', async () => {
    const grant = (role: string, tags: readonly string[], more: object) => ({
      id: `local.${role}`,
      reason: 'for a test',
      role,
      purposes: ['TREAT'],
      actions: ['read'],
      tags: ['root', 'pseudonym', ...tags],
      ...more,
    });
    const rows = (literal: number) => ({ op: '<=', attribute: 'sensitivity', literal });
    await inForce(world, {
      grants: [
        grant('deep', ['pii.direct', 'pii.quasi', 'demographic', 'clinical'], { rows: rows(0) }),
        grant('wide', ['demographic', 'site'], { rows: rows(2), masks: { 'pii.direct': 'HASH', 'pii.quasi': 'YEAR' } }),
        grant('facts', ['clinical'], { rows: rows(1) }),
      ],
    });
    // Facts are as confidential as the person: otherwise one role has them and only the other a way to them.
    for (const table of ['observation', 'condition', 'consent', 'patient'])
      await world.running.pools.owner.query(
        `update ${table} t set sensitivity = 1 + p.ordinal % 2 from (select patient_id, ordinal from patient order by 1 limit 40) p where p.patient_id = t.patient_id`,
      );
    const roles = ['deep', 'wide', 'facts'];
    const alone = new Map<string, Cells>();
    for (const role of roles) alone.set(role, await cellsOf(holder([role], 'TREAT')));
    for (const [one, other] of pairsOf(roles)) {
      const both = await cellsOf(holder([one, other], 'TREAT'));
      expect([one, other, stitched(both, alone.get(one)!, alone.get(other)!).slice(0, 5)]).toEqual([one, other, []]);
    }
    const names = [...(await cellsOf(holder(['deep', 'wide'], 'TREAT')))].filter(([cell]) => /^patients\/\/.*\/familyName$/.test(cell));
    const masked = names.filter(([, value]) => String(value).startsWith('h:'));
    expect([names.length, masked.length]).toEqual([120, 40]);
    // The comparison sees a cell that was put together from the rows of one role and the columns of the other.
    const wide = alone.get('wide')!;
    const wrong = new Map([...wide].map(([cell, value]) => [cell, cell.endsWith('/familyName') ? 'Clear' : value]));
    expect(stitched(wrong, wide, alone.get('deep')!).length).toBeGreaterThan(0);
  }, 180_000);
});

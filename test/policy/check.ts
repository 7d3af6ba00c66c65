/** Five artefacts of one declaration, cell by cell: oracle, SQL, masks in JavaScript, class schema and shield tree. */
import type { GraphQLSchema } from 'graphql';
import { assertMasks } from '../../src/governance/assert-masks.js';
import { Classification } from '../../src/governance/classification.js';
import { composePolicy, type Policy, type PolicyDocument } from '../../src/governance/compose-policy.js';
import { resolveDeclared } from '../../src/gateway/reference.js';
import { buildSchema } from '../../src/gateway/schema.js';
import { PURPOSES, isCoded, type PolicyDeclaration, type Product, type Purpose } from '../../src/kernel/index.js';
import { loadPolicies, loadProducts } from '../../src/products.js';
import { columnTypes } from '../../src/store/catalogue.js';
import { openPools, type Pools } from '../../src/store/pool.js';
import { selectRows } from '../../src/store/select-rows.js';
import { withReadSession, type Wall } from '../../src/store/session.js';
import type { ColumnTypes } from '../../src/store/sql.js';
import { Draw } from '../fuzz/random.js';
import { createDatabase } from '../support/database.js';
import {
  asItIs,
  classFor,
  columnsOf,
  planned,
  shownByShield,
  shownInJavaScript,
  shownInSchema,
  shownInSql,
  valuesFor,
  type Maker,
} from './artefacts.js';
import { coordinateDifferences, differences, expectedOf, type Artefact, type Difference } from './compare.js';
import { Tags, openCoordinates, reachableCoordinates, tablesOf, type Table } from './coordinates.js';
import { ROLES, drawAsking, drawPolicy, subsets } from './generate.js';
import type { Asking, Row } from './oracle.js';
import { NOW, factsOf, persons, storePersons, storeRows, type World } from './world.js';

/** The whole mesh without a server: its schema, its policy, and a database full of odd rows. */
export interface Bench {
  readonly schema: GraphQLSchema;
  readonly products: readonly Product[];
  readonly policies: readonly PolicyDeclaration[];
  readonly tables: readonly Table[];
  readonly pools: Pools;
  readonly types: ColumnTypes;
  readonly world: World;
  close(): Promise<void>;
}

const ROWS = 14;
/** Every row passes the second wall, so that the compiled rules stand alone. */
const OPEN: Wall = { sites: '*', clearance: 2 };

export async function openBench(seed: number): Promise<Bench> {
  const database = await createDatabase();
  const pools = await openPools(database.engine);
  const products = await loadProducts();
  const schema = buildSchema(products, resolveDeclared as never);
  const tables = tablesOf(schema);
  const types = await columnTypes(pools.owner);
  const draw = new Draw(seed);
  const known = persons(draw);
  await storePersons(pools.writer, known);
  await storeRows(
    pools.owner,
    pools.writer,
    draw,
    tables.map(({ entity }) => entity.table),
    ROWS,
  );
  await pools.owner.query('analyze');
  const rows = new Map<string, readonly Row[]>();
  for (const table of tables) rows.set(table.entity.table, await storedRows(pools, types, table));
  const close = async (): Promise<void> => {
    await pools.end();
    await database.drop();
  };
  return { schema, products, policies: await loadPolicies(), tables, pools, types, world: { ...known, rows }, close };
}

/** Rows as the reference path reads them, without any rule. */
function storedRows(pools: Pools, types: ColumnTypes, table: Table): Promise<Row[]> {
  const nobody: Asking = { roles: [], actors: [], purpose: 'TREAT', sites: '*', sub: '', patient: null, steppedUp: false };
  return withReadSession(pools.reader, OPEN, async (session) => {
    const step = { entity: table.entity, on: [], rows: { op: 'true' }, filters: [], arguments: 0 } as const;
    const request = {
      step,
      columns: columnsOf(table),
      predicates: [],
      parents: null,
      order: null,
      limit: 1_000,
      after: null,
      values: valuesFor(nobody),
    };
    return (await selectRows(session, types, request)).map((row) => ({ entity: table.entity, values: row.cells }));
  });
}

/** One policy with what belongs to it. */
interface Declared {
  readonly name: string;
  readonly declarations: readonly PolicyDeclaration[];
  readonly document: PolicyDocument;
  readonly policy: Policy;
  readonly classification: Classification;
  readonly tags: Tags;
}

function declared(bench: Bench, name: string, declarations: readonly PolicyDeclaration[], document: PolicyDocument): Declared {
  const policy = composePolicy(declarations, document);
  const classification = new Classification(bench.schema, bench.products, document.assets);
  assertMasks(policy, classification);
  return { name, declarations, document, policy, classification, tags: new Tags(bench.schema, bench.products, document.assets) };
}

interface Case {
  readonly declared: Declared;
  readonly asking: Asking;
  /** Classes of the policy of the products that are still to come. */
  readonly left: number;
}

/** In turn a class of the policy of the products, until every subset of its roles was asked for every purpose, and one of a random policy. */
function* cases(bench: Bench, draw: Draw, unions: boolean): Generator<Case> {
  const most = unions ? 4 : 1;
  const real = declared(bench, 'the policy of the products', bench.policies, {});
  const asked = subsets([...real.policy.roles].sort(), most).flatMap((roles) =>
    (Object.keys(PURPOSES) as Purpose[]).map((purpose) => ({ roles, purpose })),
  );
  const drawn = subsets(ROLES, most);
  for (let n = 0; ; n++) {
    const random = drawDeclared(bench, draw, n);
    for (let i = 0; i < 6; i++) {
      const next = asked.splice(draw.int(0, asked.length - 1), 1)[0];
      if (next)
        yield { declared: real, asking: { ...drawAsking(draw, next.roles, bench.tables, next.purpose), actors: [] }, left: asked.length };
      yield { declared: random, asking: drawAsking(draw, drawn[(n * 6 + i) % drawn.length] ?? [], bench.tables), left: asked.length };
    }
  }
}

/** A random policy that is not refused. */
function drawDeclared(bench: Bench, draw: Draw, n: number): Declared {
  for (;;) {
    const { declaration, document } = drawPolicy(draw, bench.tables);
    try {
      return declared(bench, `random policy ${n}`, [declaration], document);
    } catch (error) {
      if (!isCoded(error) || error.code !== 'POLICY_INVALID') throw error;
    }
  }
}

interface Compared {
  readonly cells: number;
  readonly visible: number;
  readonly coordinates: number;
  readonly differences: readonly Difference[];
}

async function compareCase(bench: Bench, { declared: { policy, classification, tags }, asking }: Case, make: Maker): Promise<Compared> {
  const policyClass = classFor(make, policy, classification, asking);
  const plans = bench.tables.map((table) => planned(policyClass, table));
  const values = valuesFor(asking);
  const facts = factsOf(bench.world, asking);
  const found: Difference[] = [];
  let cells = 0;
  let visible = 0;
  await withReadSession(bench.pools.reader, OPEN, async (session) => {
    const inSql = await shownInSql(session, bench.types, plans, values);
    for (const plan of plans) {
      const { table } = plan;
      const inJavaScript = await shownInJavaScript(session, bench.types, plan, values);
      const expected = expectedOf(policy, asking, tags, table, bench.world.rows.get(table.entity.table) ?? [], facts);
      cells += expected.length * table.fields.length;
      for (const each of expected) for (const { said } of each.cells.values()) if (said !== 'hidden') visible++;
      found.push(...differences('sql', table, expected, inSql.get(table.entity.table) ?? new Map()));
      found.push(...differences('javascript', table, expected, inJavaScript));
    }
  });
  const open = openCoordinates(bench.schema, tags, policy, asking, NOW);
  found.push(...coordinateDifferences('schema', reachableCoordinates(bench.schema, open), shownInSchema(bench.schema, policyClass)));
  found.push(...coordinateDifferences('shield', open, await shownByShield(bench.schema, policyClass)));
  const other = classFor(asItIs, policy, classification, { ...asking, purpose: asking.purpose === 'TREAT' ? 'HRESCH' : 'TREAT' });
  found.push(...coordinateDifferences('shield', new Set(), await shownByShield(bench.schema, policyClass, other)));
  return { cells, visible, coordinates: open.size, differences: found };
}

export interface CheckReport {
  readonly cells: number;
  /** Of `cells`, those that the oracle shows, masked or in the clear. */
  readonly visible_cells: number;
  readonly disagreements: number;
  readonly over_disclosed: number;
  readonly wrongly_hidden: number;
  readonly roles: number;
  readonly role_sets: number;
  readonly purposes: number;
  readonly classes: number;
  readonly policies: number;
  readonly coordinates: number;
  readonly by_artefact: Readonly<Record<Artefact, number>>;
  readonly seed: number;
  readonly findings: readonly Finding[];
}

export interface Finding {
  readonly difference: Difference;
  readonly policy: string;
  readonly asking: Asking;
  /** The smallest policy that still shows it. */
  readonly grants: Policy['grants'];
  readonly forbids: Policy['forbids'];
}

export interface CheckOptions {
  readonly cells: number;
  readonly seed: number;
  readonly unions: boolean;
  /** Goes on until every class of the policy of the products was seen. */
  readonly whole?: boolean;
  readonly make?: Maker;
  readonly findingsMax?: number;
}

/** Compares until so many cells were seen; two classes at a time. */
export async function check(
  bench: Bench,
  { cells: wanted, seed, unions, whole = false, make = asItIs, findingsMax = 5 }: CheckOptions,
): Promise<CheckReport> {
  const next = cases(bench, new Draw(seed + 1), unions);
  const seen = { cells: 0, visible: 0, coordinates: 0, classes: 0, over: 0, hidden: 0 };
  const [roles, sets, purposes, policies] = [new Set<string>(), new Set<string>(), new Set<string>(), new Set<string>()];
  const byArtefact: Record<Artefact, number> = { sql: 0, javascript: 0, schema: 0, shield: 0 };
  const findings: Finding[] = [];
  let left = Infinity;
  const work = async (): Promise<void> => {
    while (seen.cells < wanted || (whole && left > 0)) {
      const { value } = next.next() as { value: Case };
      left = value.left;
      const { differences: found, cells, visible, coordinates } = await compareCase(bench, value, make);
      seen.cells += cells;
      seen.visible += visible;
      seen.coordinates += coordinates;
      seen.classes++;
      for (const role of value.asking.roles) roles.add(role);
      sets.add(value.asking.roles.join('+'));
      purposes.add(value.asking.purpose);
      policies.add(value.declared.name);
      for (const each of found) {
        byArtefact[each.artefact]++;
        if (each.kind === 'over-disclosed') seen.over++;
        else seen.hidden++;
      }
      const [first] = found;
      if (first && findings.length < findingsMax) findings.push(await smallest(bench, value, first, make));
    }
  };
  await Promise.all([work(), work()]);
  return {
    cells: seen.cells,
    visible_cells: seen.visible,
    disagreements: seen.over + seen.hidden,
    over_disclosed: seen.over,
    wrongly_hidden: seen.hidden,
    roles: roles.size,
    role_sets: sets.size,
    purposes: purposes.size,
    classes: seen.classes,
    policies: policies.size,
    coordinates: seen.coordinates,
    by_artefact: byArtefact,
    seed,
    findings,
  };
}

/** Leaves out grants and forbids one after the other as long as the difference stays. */
async function smallest(bench: Bench, value: Case, difference: Difference, make: Maker): Promise<Finding> {
  let left = value;
  const without = (id: string): PolicyDeclaration[] => {
    const { grants, forbids } = left.declared.policy;
    return [{ grants: grants.filter((one) => one.id !== id), forbids: forbids.filter((one) => one.id !== id) }];
  };
  for (const { id } of [...value.declared.policy.forbids, ...value.declared.policy.grants]) {
    const { document } = left.declared;
    const smaller = { ...left, declared: declared(bench, left.declared.name, without(id), { ...document, grants: [], forbids: [] }) };
    const { differences: still } = await compareCase(bench, smaller, make);
    if (still.some((each) => each.where === difference.where && each.artefact === difference.artefact && each.kind === difference.kind))
      left = smaller;
  }
  const { grants, forbids } = left.declared.policy;
  return { difference, policy: value.declared.name, asking: value.asking, grants, forbids };
}

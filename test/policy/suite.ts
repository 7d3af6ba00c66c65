/** The fast properties of the compiler, without a database: random policies over rows in memory, class schemas, and facts. */
import type { GraphQLSchema } from 'graphql';
import { assertMasks } from '../../src/governance/assert-masks.js';
import { Classification } from '../../src/governance/classification.js';
import { composePolicy } from '../../src/governance/compose-policy.js';
import { isCoded, type Product } from '../../src/kernel/index.js';
import { Draw } from '../fuzz/random.js';
import { asItIs, cellsOf, classFor, planned, shownByShield, shownInSchema, type PlannedTable, type Shown, keyOf } from './artefacts.js';
import { coordinateDifferences, differences, expectedOf, type Difference } from './compare.js';
import { Tags, openCoordinates, reachableCoordinates, tablesOf } from './coordinates.js';
import { ROLES, drawAsking, drawPolicy, subsets } from './generate.js';
import { evaluate, type Asking, type Facts, type Row } from './oracle.js';
import { NOW, factsOf, persons, rowsInMemory, type World } from './world.js';

export interface Subject {
  readonly schema: GraphQLSchema;
  readonly products: readonly Product[];
}

/** One thing that holds of the compiler; its check throws where it does not. */
export interface Fact {
  readonly name: string;
  readonly check: (subject: Subject) => void;
}

/** What a class shows of rows in memory: its compiled rules, each predicate told by the oracle. */
function shown({ table, rows: rule, cells }: PlannedTable, rows: readonly Row[], asking: Asking, facts: Facts): Shown {
  const visible = rows.filter((row) => evaluate(rule, row, asking, facts) === true);
  return new Map(
    visible.map((row) => [
      keyOf(table.entity.key.map((column) => row.values[column])),
      cellsOf(table, cells, row.values, (predicate) => evaluate(predicate, row, asking, facts) === true),
    ]),
  );
}

/** Every difference of random policies, stopping at the first policy that shows one. */
export async function randomDifferences({ schema, products }: Subject, policies: number, seed: number): Promise<readonly Difference[]> {
  const draw = new Draw(seed);
  const tables = tablesOf(schema);
  const world: World = { ...persons(draw), rows: rowsInMemory(draw, tables, 8) };
  const sets = subsets(ROLES, 4);
  let refused = 0;
  for (let n = 0; n < policies; n++) {
    const { declaration, document } = drawPolicy(draw, tables);
    const asked = Array.from({ length: 4 }, () => drawAsking(draw, draw.pick(sets), tables));
    let policy, classification;
    try {
      policy = composePolicy([declaration], document);
      classification = new Classification(schema, products, document.assets);
      assertMasks(policy, classification);
    } catch (error) {
      if (!isCoded(error) || error.code !== 'POLICY_INVALID' || ++refused > policies / 2) throw error;
      continue;
    }
    const rules = { grants: declaration.grants, forbids: declaration.forbids ?? [] };
    const tags = new Tags(schema, products, document.assets);
    for (const [i, asking] of asked.entries()) {
      const policyClass = classFor(asItIs, policy, classification, asking);
      const facts = factsOf(world, asking);
      const found = tables.flatMap((table) => {
        const rows = world.rows.get(table.entity.table) ?? [];
        return differences(
          'javascript',
          table,
          expectedOf(rules, asking, tags, table, rows, facts),
          shown(planned(policyClass, table), rows, asking, facts),
        );
      });
      if (i === 0 && n % 2 === 0) {
        const open = openCoordinates(schema, tags, rules, asking, NOW);
        found.push(...coordinateDifferences('schema', reachableCoordinates(schema, open), shownInSchema(schema, policyClass)));
        found.push(...coordinateDifferences('shield', open, await shownByShield(schema, policyClass)));
      }
      if (found.length > 0) return found;
    }
  }
  return [];
}

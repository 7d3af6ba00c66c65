import { type GraphQLObjectType } from 'graphql';
import { buildSchema } from '../../../src/gateway/schema.js';
import {
  Classification,
  PolicyClass,
  buildClassSchema,
  cellPlan,
  composePolicy,
  dataTypes,
  entityOfType,
  fieldDeclaration,
  type Policy,
} from '../../../src/governance/index.js';
import type { EntityDeclaration, FieldDeclaration, Purpose } from '../../../src/kernel/index.js';
import { loadPolicies, loadProducts } from '../../../src/products.js';
import { median, rounded, type Scenario } from '../scenario.js';
import { LISTS, lists, type List } from './list.js';

const CLASSES: readonly (readonly [string, Purpose])[] = [
  ['clinician', 'TREAT'],
  ['analyst', 'HRESCH'],
  ['ml_engineer', 'HRESCH'],
  ['steward', 'HOPERAT'],
  ['privacy_officer', 'HOPERAT'],
];
const DECISIONS = 20_000_000;
const AUTHORISED_FIELDS = 50;
const AUTHORISATIONS = 2_000;
const LIST_ROUNDS = 60;

interface Coordinate {
  readonly entity: EntityDeclaration;
  readonly field: FieldDeclaration & { kind: 'column' | 'computed' };
}

/** How fast policy decides, and what its walls cost; the lists of the guard are timed in turn, so that they share what the machine does. */
export const scenario: Scenario = {
  about: 'decisions, authorisation of plans, class schemas, and the price of the guard over a list of 2,000 rows by 8 fields',
  async run({ log }) {
    const products = await loadProducts();
    const schema = buildSchema(products, (() => null) as never);
    const policy = composePolicy(await loadPolicies());
    const classification = new Classification(schema, products);
    const fields = dataTypes(schema).reduce((sum, type) => sum + Object.keys(type.getFields()).length, 0);
    const coordinates = columnsOf(dataTypes(schema));
    const classOf = ([role, purpose]: (typeof CLASSES)[number]): PolicyClass =>
      new PolicyClass(policy, classification, { roles: [role], purpose, allSites: false }, 0);
    log('deciding ..');
    const decisions = decide(CLASSES.map(classOf), coordinates);
    log('authorising ..');
    const authorise = authorised(policy, classification, coordinates);
    log('building class schemas ..');
    const builds = Array.from({ length: 5 }, () => CLASSES.map((each) => timed(() => buildClassSchema(schema, classOf(each))))).flat();
    log('listing ..');
    const times = await listed();
    const none = median(times.none);
    const over = (list: List): number | null => {
      const time = median(times[list]);
      return none === null || time === null ? null : rounded(time / none);
    };
    return {
      n: LIST_ROUNDS,
      decisions_per_s: Math.round(decisions),
      plan_authorise_p99_ms_50_fields: rounded(percentile(authorise.warm, 0.99)),
      new_class_authorise_p99_ms_50_fields: rounded(percentile(authorise.cold, 0.99)),
      class_schema_build_ms: rounded(median(builds)),
      class_schema_fields: fields,
      pruned_shield_overhead_ratio: over('pruned'),
      naive_shield_overhead_ratio: over('naive'),
      list_ms: rounded(none),
    };
  },
};

function columnsOf(types: readonly GraphQLObjectType[]): readonly Coordinate[] {
  return types.flatMap((type) => {
    const entity = entityOfType(type);
    if (!entity) return [];
    return Object.values(type.getFields()).flatMap((each): Coordinate[] => {
      const field = fieldDeclaration(each);
      return field.kind === 'column' || field.kind === 'computed' ? [{ entity, field }] : [];
    });
  });
}

/** Decisions a second on one core, every coordinate and class in turn. */
function decide(classes: readonly PolicyClass[], coordinates: readonly Coordinate[]): number {
  let visible = 0;
  const started = performance.now();
  let made = 0;
  while (made < DECISIONS) {
    for (const policyClass of classes) {
      for (const { entity, field } of coordinates) visible += policyClass.cell(entity, field).alternatives.length > 0 ? 1 : 0;
      made += coordinates.length;
    }
  }
  const seconds = (performance.now() - started) / 1000;
  if (visible === 0) throw new Error('no cell is visible to anybody');
  return made / seconds;
}

/** Times to decide the cells of 50 fields: for a class that is there, and for one that has decided nothing yet. */
function authorised(policy: Policy, classification: Classification, all: readonly Coordinate[]): { warm: number[]; cold: number[] } {
  const coordinates = all.slice(0, AUTHORISED_FIELDS);
  const make = (): PolicyClass => new PolicyClass(policy, classification, { roles: ['clinician'], purpose: 'TREAT', allSites: false }, 0);
  const authorise = (policyClass: PolicyClass): number =>
    timed(() => coordinates.map(({ entity, field }) => cellPlan(policyClass, entity, field)));
  const known = make();
  authorise(known);
  const rounds = Array.from({ length: AUTHORISATIONS }, () => ({ warm: authorise(known), cold: authorise(make()) }));
  return { warm: rounds.map((each) => each.warm), cold: rounds.map((each) => each.cold) };
}

async function listed(): Promise<Record<List, number[]>> {
  const run = lists();
  const times: Record<List, number[]> = { none: [], pruned: [], naive: [] };
  for (let round = -10; round < LIST_ROUNDS; round++) {
    for (const list of LISTS) {
      const time = await run[list]();
      if (round >= 0) times[list].push(time);
    }
  }
  return times;
}

function timed(work: () => unknown): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

function percentile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
}

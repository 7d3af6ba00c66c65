import { PolicyClass, type Decision } from '../../src/governance/index.js';
import { maskRank, type EntityDeclaration, type FieldDeclaration } from '../../src/kernel/index.js';
import { check, openBench, type Bench, type CheckReport } from '../policy/check.js';
import type { Maker } from '../policy/artefacts.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench(11);
}, 60_000);
afterAll(() => bench.close(), 20_000);

const run = (cells: number, make?: Maker): Promise<CheckReport> =>
  check(bench, { cells, seed: 11, unions: true, findingsMax: 1, ...(make ? { make } : {}) });
it('oracle, SQL, masks, class schema and shield agree on every cell of the policy of the products and of random ones', async () => {
  const report = await run(60_000);
  expect(report.findings).toEqual([]);
  expect(report).toMatchObject({ disagreements: 0, over_disclosed: 0, wrongly_hidden: 0 });
  expect(report.visible_cells).toBeGreaterThan(5_000);
  expect(report.policies).toBeGreaterThan(2);
  expect(report.purposes).toBeGreaterThanOrEqual(6);
}, 30_000);

/** The defect of Hasura #10711: rows of any grant, columns of any grant. */
class Stitched extends PolicyClass {
  override cell(entity: EntityDeclaration | undefined, field: Pick<FieldDeclaration, 'tags'>): Decision {
    const columns = this.decide(this.classification.fieldTags(field));
    const rows = this.decide(entity ? this.classification.rowTags(entity) : ['root']);
    const mask = columns.alternatives[0]?.mask ?? null;
    return columns.alternatives.length === 0 ? columns : { ...columns, alternatives: rows.alternatives.map((each) => ({ ...each, mask })) };
  }
}

/** The strongest mask first. */
class Backwards extends PolicyClass {
  override cell(entity: EntityDeclaration | undefined, field: Pick<FieldDeclaration, 'tags'>): Decision {
    const decision = super.cell(entity, field);
    return { ...decision, alternatives: [...decision.alternatives].sort((a, b) => maskRank(a.mask) - maskRank(b.mask)) };
  }
}

/** Forbids are forgotten. */
class Lenient extends PolicyClass {
  constructor(...[policy, ...rest]: ConstructorParameters<typeof PolicyClass>) {
    super({ ...policy, forbids: [] }, ...rest);
  }
}

describe('the comparison sees', () => {
  it.each<[string, typeof PolicyClass, 'over_disclosed' | 'wrongly_hidden']>([
    ['rows and columns that are joined across grants', Stitched, 'over_disclosed'],
    ['masks in the wrong order', Backwards, 'wrongly_hidden'],
    ['a forbid that is not looked at', Lenient, 'over_disclosed'],
  ])(
    '%s',
    async (_, Faulty, kind) => {
      const report = await run(40_000, (...given) => new Faulty(...given));
      expect(report[kind]).toBeGreaterThan(0);
      expect(report.findings[0]?.grants.length).toBeGreaterThan(0);
    },
    30_000,
  );
});

import 'reflect-metadata';
import { graphql, isInterfaceType, isObjectType, type GraphQLSchema } from 'graphql';
import {
  assertClassified,
  buildClassSchema,
  composePolicy,
  dataTypes,
  guard,
  guardTree,
  type Policy,
  type PolicyClass,
} from '../../src/governance/index.js';
import { classOf } from '../support/classes.js';
import { fail } from '../../src/cli/output.js';
import { buildSchema } from '../../src/gateway/index.js';
import { DECLARATION, isCoded } from '../../src/kernel/index.js';
import { loadPolicies, loadProducts } from '../../src/products.js';

type Rule = { readonly name: string; readonly cache: string };
let base: GraphQLSchema;
let policy: Policy;
beforeAll(async () => {
  base = buildSchema(await loadProducts(), (() => null) as never);
  policy = composePolicy(await loadPolicies());
}, 20_000);

const NOW = Date.parse('2026-06-01T00:00:00Z');
const analyst = (): PolicyClass => classOf(policy, ['analyst'], 'HRESCH', { schema: base, now: NOW });
const officer = (): PolicyClass => classOf(policy, ['privacy_officer'], 'HOPERAT', { schema: base, now: NOW });
const treeOf = (schema: GraphQLSchema, policyClass: PolicyClass) =>
  guardTree(schema, policyClass) as unknown as Record<string, Record<string, Rule>>;

describe('the generated tree', () => {
  it('has one rule of its own for every field of every type, named by its coordinate (T2, T5, T14)', () => {
    const tree = treeOf(base, analyst());
    const rules = dataTypes(base).flatMap((type) =>
      Object.keys(type.getFields()).map((field) => [`${type.name}.${field}`, tree[type.name]?.[field]] as const),
    );
    expect(rules.length).toBeGreaterThan(300);
    for (const [coordinate, rule] of rules) expect(rule?.name).toBe(coordinate);
    expect(new Set(rules.map(([, rule]) => rule)).size).toBe(rules.length);
  });

  it('remembers no verdict and joins none (T3, T4, T5)', () => {
    for (const rules of Object.values(treeOf(base, analyst()))) {
      for (const rule of Object.values(rules)) {
        expect(rule.cache).toBe('no_cache');
        expect(rule).not.toHaveProperty('rules');
      }
    }
  });

  it('names no type or field that there is not, and there is no interface to slip through (T10, T11)', () => {
    for (const [type, rules] of Object.entries(treeOf(base, analyst()))) {
      const found = base.getType(type);
      expect(isObjectType(found) && Object.keys(rules).every((name) => name in found.getFields())).toBe(true);
    }
    expect(Object.values(base.getTypeMap()).filter(isInterfaceType)).toEqual([]);
  });
});

describe('the guarded schema', () => {
  const QUERY = '{ patients(first: 1) { edges { node { id familyName } } } }';
  /** The base schema with resolvers that answer everything, under the tree of a class. */
  function answered(
    policyClass: PolicyClass,
    patients: () => unknown = () => ({ edges: [{ node: { id: 'p', familyName: 'Planted' } }] }),
  ): GraphQLSchema {
    const field = base.getQueryType()?.getFields()['patients'];
    if (field) field.resolve = patients;
    return guard(base, policyClass);
  }
  const run = (schema: GraphQLSchema, contextValue: unknown, source = QUERY) => graphql({ schema, source, contextValue });

  it('answers what the class may see', async () => {
    const policyClass = analyst();
    const result = await run(answered(policyClass), { policyClass });
    expect(result.errors).toBeUndefined();
    expect(JSON.stringify(result.data)).toContain('Planted');
  });

  it('denies a field that the class may not see, though its parent is answered (T1)', async () => {
    const policyClass = officer();
    const result = await run(answered(policyClass), { policyClass });
    expect(JSON.stringify(result)).not.toContain('Planted');
    const cause = result.errors?.[0]?.originalError;
    expect(isCoded(cause) && cause.code).toBe('FORBIDDEN');
  });

  it('denies a request that was planned for another class, however often its context was used (T6)', async () => {
    const mine = analyst();
    const context = { policyClass: mine };
    expect((await run(answered(mine), context)).errors).toBeUndefined();
    const other = await run(answered(officer()), context);
    expect(JSON.stringify(other)).not.toContain('Planted');
    expect(other.errors).toBeDefined();
    expect((await run(answered(mine), {})).data).toEqual({ patients: null });
  });

  it('turns the text of a fault into INTERNAL, and keeps a coded error (T7)', async () => {
    const policyClass = analyst();
    const failing = answered(policyClass, () => {
      throw new Error('connect ECONNREFUSED 10.0.0.1');
    });
    const result = await run(failing, { policyClass });
    expect(JSON.stringify(result)).not.toContain('ECONNREFUSED');
    const cause = result.errors?.[0]?.originalError;
    expect(isCoded(cause) && cause.code).toBe('INTERNAL');
  });

  it('runs no resolver of a mutation that is denied (T15, T16)', async () => {
    const policyClass = analyst();
    let runs = 0;
    const field = base.getMutationType()?.getFields()['releaseQuarantine'];
    if (field) field.resolve = () => ((runs += 1), { released: 1 });
    const result = await run(
      guard(base, policyClass),
      { policyClass },
      'mutation { releaseQuarantine(ids: ["x"], reason: "x") { released } }',
    );
    expect([runs, result.errors?.length]).toEqual([0, 1]);
  });
});

describe('the schema of a class', () => {
  it('filters introspection, which no rule reaches (T8)', async () => {
    const schema = buildClassSchema(base, officer());
    const result = await graphql({
      schema,
      source: '{ __type(name: "Patient") { fields { name } } hidden: __type(name: "Note") { name } }',
    });
    expect(JSON.stringify(result.data)).not.toMatch(/familyName|"Note"/);
    expect(schema.getType('Note')).toBeUndefined();
    expect(schema.getType('AuditRecord')).toBeDefined();
  });

  it('has no filter and no order by what the class sees only masked', () => {
    const args = (policyClass: PolicyClass, type: string, field: string): string[] => {
      const found = buildClassSchema(base, policyClass).getType(type);
      return isObjectType(found) ? (found.getFields()[field]?.args ?? []).map((arg) => arg.name) : [];
    };
    const clinician = classOf(policy, ['clinician'], 'TREAT', { schema: base, allSites: false, now: NOW });
    expect(args(clinician, 'Query', 'notes')).toEqual(expect.arrayContaining(['from', 'to', 'orderBy']));
    for (const hidden of ['from', 'to', 'orderBy']) expect(args(analyst(), 'Query', 'notes')).not.toContain(hidden);
    expect(args(officer(), 'Query', 'patients')).not.toContain('bornFrom');
  });

  it('is nothing for a class without grants', () => {
    const nobody = classOf(policy, ['nobody'], 'TREAT', { schema: base, allSites: false, now: NOW });
    expect(nobody.empty).toBe(true);
    expect(dataTypes(buildClassSchema(base, nobody)).flatMap((type) => Object.keys(type.getFields()))).toEqual([]);
  });
});

describe('a schema is refused at start', () => {
  it.each([
    ['without a declaration', {}],
    ['without tags', { [DECLARATION]: { kind: 'column', column: 'sex', type: 'text', tags: [] } }],
    ['with a tag that there is not', { [DECLARATION]: { kind: 'column', column: 'sex', type: 'text', tags: ['salary'] } }],
    [
      'required though its tags go beyond those of its row',
      { [DECLARATION]: { kind: 'column', column: 'sex', type: 'text', required: true, tags: ['demographic'] } },
    ],
  ])('for a field %s, by name', (_, extensions) => {
    const type = base.getType('Patient');
    const field = isObjectType(type) ? type.getFields()['sex'] : undefined;
    if (!field) throw new Error('the field is there');
    const kept = field.extensions;
    field.extensions = extensions;
    try {
      expect(() => {
        assertClassified(base);
      }).toThrow(
        expect.objectContaining({ code: 'SCHEMA_UNCLASSIFIED', message: expect.stringContaining('Patient.sex') as string }) as Error,
      );
      const said = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
      try {
        assertClassified(base);
      } catch (error) {
        // The command ends with this code.
        expect(fail(error)).toBe(1);
      }
      expect(said.mock.calls.map(([line]) => String(line))).toEqual([expect.stringMatching(/^SCHEMA_UNCLASSIFIED: .*Patient\.sex.*\n$/)]);
      said.mockRestore();
    } finally {
      field.extensions = kept;
    }
    expect(() => {
      assertClassified(base);
    }).not.toThrow();
  });
});

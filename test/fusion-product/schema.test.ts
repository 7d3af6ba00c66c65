import 'reflect-metadata';
import { GraphQLObjectType } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { product } from '../../src/fusion/index.js';
import { assertClassified, buildClassSchema, composePolicy } from '../../src/governance/index.js';
import { classOf } from '../support/classes.js';
import type { Purpose } from '../../src/kernel/index.js';

const schema = buildSchemaSync({ resolvers: product.resolvers as never, validate: false });
const seenBy = (role: string, purpose: Purpose): Record<string, string[]> => {
  const seen = buildClassSchema(schema, classOf(composePolicy([product.policy]), [role], purpose, { schema }));
  const types = Object.values(seen.getTypeMap()).filter((type) => type instanceof GraphQLObjectType);
  return Object.fromEntries(types.map((type) => [type.name, Object.keys(type.getFields()).sort()]));
};
const SCORES = ['baseline', 'contributions', 'labelSet', 'probability'];

describe('the schema of fusion', () => {
  test('is classified throughout and serves no parameters', () => {
    expect(() => assertClassified(schema)).not.toThrow();
    expect(seenBy('clinician', 'TREAT')['FusionModel']).not.toContain('parameters');
  });

  test.each([
    ['clinician', 'TREAT', ['runFusion']],
    ['ml_engineer', 'HRESCH', ['runFusion', 'trainFusionModel']],
    ['analyst', 'HRESCH', ['runFusion']],
  ] as const)('%s for %s may run models and see scores', (role, purpose, mutations) => {
    const seen = seenBy(role, purpose);
    expect(seen['Mutation']).toEqual(mutations);
    expect(seen['FusionResult']).toEqual(expect.arrayContaining([...SCORES, 'patientId', 'mask', 'missing']));
    expect(seen['FusionModel']).toContain('card');
  });

  test('for the privacy officer scores do not exist, but masks and reasons do', () => {
    const seen = seenBy('privacy_officer', 'HOPERAT');
    expect(seen['Mutation']).toEqual(['runFusion']);
    expect(seen['FusionResult']).toEqual(['abstainReason', 'calibration', 'mask', 'missing', 'patientId', 'status', 'warnings']);
    expect(seen).not.toHaveProperty('ModalityContribution');
  });

  test('the steward reads cards and runs nothing', () => {
    const seen = seenBy('steward', 'HOPERAT');
    expect(seen['Query']).toEqual(['fusionModel', 'fusionModels']);
    expect(seen).not.toHaveProperty('Mutation');
  });

  test('another purpose opens nothing', () => {
    expect(seenBy('ml_engineer', 'TREAT')['Query']).toBeUndefined();
  });
});

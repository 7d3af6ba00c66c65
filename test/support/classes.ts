import { GraphQLSchema } from 'graphql';
import { Classification, PolicyClass, type ClassFacts, type Policy } from '../../src/governance/index.js';
import type { Purpose } from '../../src/kernel/index.js';

export interface Made extends Partial<Omit<ClassFacts, 'roles' | 'purpose'>> {
  /** Milliseconds since 1970. */
  readonly now?: number;
  /** The schema whose fields are classified; none where a test decides over tags alone. */
  readonly schema?: GraphQLSchema;
}

/** A policy class as the mesh makes it, for tests without one. */
export function classOf(policy: Policy, roles: readonly string[], purpose: Purpose, made: Made = {}): PolicyClass {
  const { now = 0, schema = new GraphQLSchema({}), allSites = true, ...facts } = made;
  return new PolicyClass(policy, new Classification(schema, []), { roles, purpose, allSites, ...facts }, now);
}

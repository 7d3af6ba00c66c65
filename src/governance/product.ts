import { defineProduct, type Product } from '../kernel/index.js';
import { BreakGlassReview } from './break-glass-model.js';
import { BreakGlassMutations, BreakGlassQueries } from './break-glass-resolvers.js';
import { policy } from './policy.js';
import { AuditRecord, LineagePlan, LineageRun, QuarantineRecord } from './model.js';
import { AccessMutations, AccessQueries } from './access-resolvers.js';
import { GovernanceMutations, GovernanceQueries } from './resolvers.js';

/** The mesh about itself: lineage, audit and quarantine are served under the same policy as everything else. */
export const product: Product = defineProduct({
  name: 'governance',
  description: 'Lineage, audit and quarantine of the mesh.',
  owner: 'Privacy office',
  types: [LineageRun, LineagePlan, AuditRecord, QuarantineRecord, BreakGlassReview],
  resolvers: [GovernanceQueries, AccessQueries, GovernanceMutations, AccessMutations, BreakGlassQueries, BreakGlassMutations],
  policy,
});

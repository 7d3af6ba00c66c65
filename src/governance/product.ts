import { defineProduct, type Product } from '../kernel/index.js';
import { BreakGlassReview } from './break-glass-model.js';
import { BreakGlassMutations, BreakGlassQueries } from './break-glass-resolvers.js';
import { policy } from './policy.js';
import { AuditRecord, LineagePlan, LineageRun, QuarantineRecord } from './model.js';
import { AccessMutations, AccessQueries } from './access-resolvers.js';
import { DisclosureMutations, DisclosureQueries } from './disclosure-resolvers.js';
import { ReplayQueries } from './replay-resolvers.js';
import { LineageGraphQueries, SightingQueries } from './lineage-graph-resolvers.js';
import { GovernanceMutations, GovernanceQueries } from './resolvers.js';

/** The mesh about itself: lineage, audit and quarantine are served under the same policy as everything else. */
export const product: Product = defineProduct({
  name: 'governance',
  description: 'Lineage, audit and quarantine of the mesh.',
  owner: 'Privacy office',
  types: [LineageRun, LineagePlan, AuditRecord, QuarantineRecord, BreakGlassReview],
  resolvers: [
    GovernanceQueries,
    AccessQueries,
    GovernanceMutations,
    AccessMutations,
    BreakGlassQueries,
    BreakGlassMutations,
    DisclosureQueries,
    DisclosureMutations,
    ReplayQueries,
    LineageGraphQueries,
    SightingQueries,
  ],
  policy,
});

import { Arg, Ctx, ID, Mutation, Resolver } from 'type-graphql';
import { CodedError, LIMITS, collection, operation, queries, reference, type Scope } from '../kernel/index.js';
import { AuditRecord, LineageRun, QuarantineRecord, ReleaseResult } from './model.js';

/** Questions about the mesh itself. */
@queries()
export class GovernanceQueries {
  @reference({
    to: () => LineageRun,
    on: [],
    filters: [{ argument: 'id', description: 'Lineage id of an answer.', type: 'ID', required: true, column: 'run_id', operator: 'eq' }],
    tags: ['evidence'],
    safeHarbor: 'none',
    description: 'What stands behind an answer; unknown and foreign ids give the same null.',
  })
  lineage!: unknown;
  @collection({
    of: () => LineageRun,
    on: [],
    filters: [
      { argument: 'kind', description: 'Only this kind.', type: 'String', column: 'kind', operator: 'eq' },
      { argument: 'principal', description: 'Only this subject.', type: 'String', column: 'principal', operator: 'eq' },
      { argument: 'from', description: 'At or after.', type: 'DateTime', column: 'at', operator: 'gte' },
      { argument: 'to', description: 'Before.', type: 'DateTime', column: 'at', operator: 'lt' },
    ],
    orders: [
      { name: 'NEWEST', column: 'at', type: 'timestamptz', descending: true },
      { name: 'OLDEST', column: 'at', type: 'timestamptz' },
    ],
    tags: ['evidence'],
    safeHarbor: 'none',
    description: 'Answers, loads and refusals that the caller may know of.',
  })
  lineageRuns!: unknown;
  @collection({
    of: () => AuditRecord,
    on: [],
    filters: [{ argument: 'logId', description: 'Only this log.', type: 'String', column: 'log_id', operator: 'eq' }],
    tags: ['evidence'],
    safeHarbor: 'none',
    description: 'The audit log, in its order.',
  })
  auditRecords!: unknown;
  @collection({
    of: () => QuarantineRecord,
    on: [],
    filters: [
      { argument: 'product', description: 'Only this product.', type: 'String', column: 'product', operator: 'eq' },
      { argument: 'code', description: 'Only this code.', type: 'String', column: 'code', operator: 'eq' },
      { argument: 'state', description: 'held, released or discarded.', type: 'String', column: 'state', operator: 'eq' },
    ],
    tags: ['quarantine'],
    safeHarbor: 'none',
    description: 'Records that pipelines refused.',
  })
  quarantine!: unknown;
}

@Resolver()
export class GovernanceMutations {
  @Mutation(() => ReleaseResult, {
    description: 'Runs held records through their pipeline again, for example after a crosswalk was loaded.',
  })
  @operation({ action: 'release', tags: ['quarantine'] })
  async releaseQuarantine(
    @Arg('ids', () => [ID], { description: 'Identifiers of the refusals.' }) ids: string[],
    @Arg('reason', () => String, { description: 'Why they are released; kept with the record.' }) reason: string,
    @Ctx() scope: Scope,
  ): Promise<ReleaseResult> {
    if (ids.length === 0 || ids.length > LIMITS.list_argument_items_max)
      throw new CodedError('BAD_INPUT', 'Name at least one record.', { place: 'ids' });
    if (reason.trim() === '') throw new CodedError('BAD_INPUT', 'A release needs a reason.', { place: 'reason' });
    return scope.release(ids, reason);
  }
}
